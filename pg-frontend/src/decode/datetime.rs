//! Dates, times and intervals: PostgreSQL counts from 2000-01-01, Arrow from 1970-01-01.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{
    Date32Type, IntervalMonthDayNano, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use inflowave_types::{Error, Result, SqlState};

use super::{Value, primitive};
use crate::body::Body;
use crate::encode::binary::{EPOCH_DAYS, EPOCH_MICROS};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// What PostgreSQL keeps, from its epoch: the first day of its calendar (4713 BC), and the ends of
/// the years 5874897 and 294276.
const DAYS: std::ops::Range<i32> = -2_451_545..2_145_031_949;
const MOMENTS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

pub fn date(values: &[Value<'_>]) -> Result<ArrayRef> {
    primitive::<Date32Type>(values, |body| match body.i32()? {
        // The two ends of the range are the infinities, there and here.
        infinity @ (i32::MIN | i32::MAX) => Ok(infinity),
        days if DAYS.contains(&days) => Ok(days + EPOCH_DAYS),
        _ => Err(out_of_range("date")),
    })
}

pub fn time(values: &[Value<'_>]) -> Result<ArrayRef> {
    primitive::<Time64MicrosecondType>(values, |body| match body.i64()? {
        micros @ 0..=MICROS_PER_DAY => Ok(micros),
        _ => Err(out_of_range("time")),
    })
}

pub fn timestamp(values: &[Value<'_>]) -> Result<ArrayRef> {
    primitive::<TimestampMicrosecondType>(values, moment)
}

/// A moment comes in UTC.
pub fn timestamptz(values: &[Value<'_>]) -> Result<ArrayRef> {
    let moments = timestamp(values)?;
    let moments = moments.as_primitive::<TimestampMicrosecondType>();
    Ok(Arc::new(moments.clone().with_timezone("UTC")))
}

fn moment(body: &mut Body<'_>) -> Result<i64> {
    match body.i64()? {
        infinity @ (i64::MIN | i64::MAX) => Ok(infinity),
        // The last thirty years of PostgreSQL's range are beyond Arrow's.
        micros if MOMENTS.contains(&micros) => micros
            .checked_add(EPOCH_MICROS)
            .ok_or_else(|| out_of_range("timestamp")),
        _ => Err(out_of_range("timestamp")),
    }
}

pub fn interval(values: &[Value<'_>]) -> Result<ArrayRef> {
    primitive::<IntervalMonthDayNanoType>(values, |body| {
        let (micros, days, months) = (body.i64()?, body.i32()?, body.i32()?);
        let nanos = micros
            .checked_mul(1000)
            .ok_or_else(|| out_of_range("interval"))?;
        Ok(IntervalMonthDayNano::new(months, days, nanos))
    })
}

fn out_of_range(what: &str) -> Error {
    Error::new(
        SqlState::DatetimeFieldOverflow,
        format!("{what} out of range"),
    )
}

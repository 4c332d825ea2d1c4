//! Dates and times: PostgreSQL counts days and microseconds from 2000-01-01.

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use bytes::{BufMut, BytesMut};

use super::{Form, Inexact, each};

/// From 1970-01-01 to 2000-01-01.
pub const EPOCH_DAYS: i32 = 10_957;
pub const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * MICROS_PER_DAY;

const MICROS_PER_DAY: i64 = 86_400_000_000;
const MILLIS_PER_DAY: i64 = 86_400_000;

pub const TOO_FINE: Inexact = Inexact("a time finer than microseconds");
const TOO_FAR: Inexact = Inexact("a time beyond PostgreSQL's range");

pub fn date(array: &ArrayRef) -> Option<Box<dyn Form>> {
    match array.data_type() {
        DataType::Date32 => each::<Date32Type>(array, days),
        DataType::Date64 => each::<Date64Type>(array, |v, out| {
            let day = i32::try_from(v.div_euclid(MILLIS_PER_DAY));
            days(day.map_err(|_| TOO_FAR)?, out)
        }),
        _ => None,
    }
}

/// Days since 1970-01-01; the two ends of the range are PostgreSQL's infinities, there and here.
fn days(value: i32, out: &mut BytesMut) -> Result<(), Inexact> {
    let days = match value {
        i32::MAX | i32::MIN => Some(value),
        value => value.checked_sub(EPOCH_DAYS),
    };
    out.put_i32(days.ok_or(TOO_FAR)?);
    Ok(())
}

pub fn time(array: &ArrayRef) -> Option<Box<dyn Form>> {
    match array.data_type() {
        DataType::Time32(TimeUnit::Second) => each::<Time32SecondType>(array, |v, out| {
            out.put_i64(i64::from(v) * 1_000_000);
            Ok(())
        }),
        DataType::Time32(_) => each::<Time32MillisecondType>(array, |v, out| {
            out.put_i64(i64::from(v) * 1_000);
            Ok(())
        }),
        DataType::Time64(TimeUnit::Microsecond) => {
            each::<Time64MicrosecondType>(array, |v, out| {
                out.put_i64(v);
                Ok(())
            })
        }
        DataType::Time64(_) => each::<Time64NanosecondType>(array, |v, out| {
            out.put_i64(whole_micros(v)?);
            Ok(())
        }),
        _ => None,
    }
}

/// With and without a zone: a moment is sent in UTC.
pub fn timestamp(array: &ArrayRef) -> Option<Box<dyn Form>> {
    let DataType::Timestamp(unit, _) = array.data_type() else {
        return None;
    };
    match unit {
        TimeUnit::Second => each::<TimestampSecondType>(array, |v, out| {
            moment(v, |v| v.checked_mul(1_000_000).ok_or(TOO_FAR), out)
        }),
        TimeUnit::Millisecond => each::<TimestampMillisecondType>(array, |v, out| {
            moment(v, |v| v.checked_mul(1_000).ok_or(TOO_FAR), out)
        }),
        TimeUnit::Microsecond => {
            each::<TimestampMicrosecondType>(array, |v, out| moment(v, Ok, out))
        }
        TimeUnit::Nanosecond => {
            each::<TimestampNanosecondType>(array, |v, out| moment(v, whole_micros, out))
        }
    }
}

/// The two ends of the range are PostgreSQL's infinities, there and here.
fn moment(
    value: i64,
    micros: impl Fn(i64) -> Result<i64, Inexact>,
    out: &mut BytesMut,
) -> Result<(), Inexact> {
    let sent = match value {
        i64::MAX | i64::MIN => value,
        value => micros(value)?.checked_sub(EPOCH_MICROS).ok_or(TOO_FAR)?,
    };
    out.put_i64(sent);
    Ok(())
}

pub fn whole_micros(nanos: i64) -> Result<i64, Inexact> {
    match nanos % 1_000 {
        0 => Ok(nanos / 1_000),
        _ => Err(TOO_FINE),
    }
}

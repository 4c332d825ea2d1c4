//! Intervals: microseconds, days, months, in this order.

use arrow::array::ArrayRef;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType,
    DurationSecondType, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit,
};
use bytes::{BufMut, BytesMut};

use super::datetime::whole_micros;
use super::{Form, Inexact, each};

pub fn form(array: &ArrayRef) -> Option<Box<dyn Form>> {
    match array.data_type() {
        DataType::Interval(IntervalUnit::YearMonth) => {
            each::<IntervalYearMonthType>(array, |months, out| put(months, 0, 0, out))
        }
        DataType::Interval(IntervalUnit::DayTime) => {
            each::<IntervalDayTimeType>(array, |v, out| {
                put(0, v.days, i64::from(v.milliseconds) * 1_000, out)
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            each::<IntervalMonthDayNanoType>(array, |v, out| {
                put(v.months, v.days, whole_micros(v.nanoseconds)?, out)
            })
        }
        DataType::Duration(TimeUnit::Second) => each::<DurationSecondType>(array, |v, out| {
            let (days, seconds) = (v / 86_400, v % 86_400);
            span(days, seconds * 1_000_000, out)
        }),
        DataType::Duration(TimeUnit::Millisecond) => {
            each::<DurationMillisecondType>(array, |v, out| {
                span(v / 86_400_000, v % 86_400_000 * 1_000, out)
            })
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            each::<DurationMicrosecondType>(array, |v, out| {
                span(v / 86_400_000_000, v % 86_400_000_000, out)
            })
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            each::<DurationNanosecondType>(array, |v, out| {
                let micros = whole_micros(v)?;
                span(micros / 86_400_000_000, micros % 86_400_000_000, out)
            })
        }
        _ => None,
    }
}

/// A span in days and microseconds, as its text form has it.
fn span(days: i64, micros: i64, out: &mut BytesMut) -> Result<(), Inexact> {
    let days = i32::try_from(days).map_err(|_| Inexact("a span beyond PostgreSQL's range"))?;
    put(0, days, micros, out)
}

fn put(months: i32, days: i32, micros: i64, out: &mut BytesMut) -> Result<(), Inexact> {
    out.put_i64(micros);
    out.put_i32(days);
    out.put_i32(months);
    Ok(())
}

//! Intervals in the style `postgres`: `1 year 2 mons -3 days +04:05:06.789`.

use arrow::datatypes::{IntervalDayTime, IntervalMonthDayNano};
use bytes::{BufMut, BytesMut};

use super::datetime::{Fraction, fraction_of_second};
use super::number::{padded, unsigned};

pub fn month_day_nano(value: IntervalMonthDayNano, out: &mut BytesMut) {
    let days = value.days.into();
    interval(value.months, days, value.nanoseconds, Fraction::NANO, out);
}

pub fn year_month(months: i32, out: &mut BytesMut) {
    interval(months, 0, 0, Fraction::NONE, out);
}

pub fn day_time(value: IntervalDayTime, out: &mut BytesMut) {
    let milliseconds = value.milliseconds.into();
    interval(0, value.days.into(), milliseconds, Fraction::MILLI, out);
}

/// A span as PostgreSQL gives it for the difference of two timestamps: in days and hours.
pub fn duration(value: i64, fraction: Fraction, out: &mut BytesMut) {
    let per_day = 86_400 * fraction.per_second;
    interval(0, value / per_day, value % per_day, fraction, out);
}

/// PostgreSQL's `EncodeInterval`: a positive part after a negative one says its sign.
fn interval(months: i32, days: i64, time: i64, fraction: Fraction, out: &mut BytesMut) {
    let mut before = None;
    let parts = [
        (i64::from(months / 12), "year"),
        (i64::from(months % 12), "mon"),
        (days, "day"),
    ];
    for (value, unit) in parts {
        if value == 0 {
            continue;
        }
        sign(before, value < 0, out);
        if value < 0 {
            out.put_u8(b'-');
        }
        unsigned(value.unsigned_abs(), out);
        out.put_u8(b' ');
        out.put_slice(unit.as_bytes());
        if value != 1 {
            out.put_u8(b's');
        }
        before = Some(value < 0);
    }
    if time == 0 && before.is_some() {
        return;
    }
    sign(before, time < 0, out);
    if time < 0 {
        out.put_u8(b'-');
    }
    let (time, per_second) = (time.unsigned_abs(), fraction.per_second.unsigned_abs());
    let seconds = time / per_second;
    padded(seconds / 3600, 2, out);
    out.put_u8(b':');
    padded(seconds / 60 % 60, 2, out);
    out.put_u8(b':');
    padded(seconds % 60, 2, out);
    fraction_of_second(time % per_second, fraction, out);
}

/// What stands between a part and the one before it, which was negative or not.
fn sign(before: Option<bool>, negative: bool, out: &mut BytesMut) {
    if before.is_some() {
        out.put_u8(b' ');
    }
    if before == Some(true) && !negative {
        out.put_u8(b'+');
    }
}

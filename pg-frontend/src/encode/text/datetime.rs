//! Dates and times in ISO form, years before Christ included.
//!
//! Our own calendar arithmetic (Howard Hinnant, "chrono-compatible low-level date algorithms"):
//! Arrow's range of years is wider than that of the chrono crate.

use bytes::{BufMut, BytesMut};

use super::number::padded;
use super::zone::Zone;

const SECONDS_PER_DAY: i64 = 86_400;

/// How a unit divides the second.
#[derive(Debug, Clone, Copy)]
pub struct Fraction {
    pub per_second: i64,
    pub digits: usize,
}

impl Fraction {
    pub const NONE: Fraction = Fraction {
        per_second: 1,
        digits: 0,
    };
    pub const MILLI: Fraction = Fraction {
        per_second: 1_000,
        digits: 3,
    };
    pub const MICRO: Fraction = Fraction {
        per_second: 1_000_000,
        digits: 6,
    };
    pub const NANO: Fraction = Fraction {
        per_second: 1_000_000_000,
        digits: 9,
    };
}

/// Days since 1970-01-01; the two ends of the range are PostgreSQL's infinities.
pub fn date32(days: i32, out: &mut BytesMut) {
    match days {
        i32::MAX => out.put_slice(b"infinity"),
        i32::MIN => out.put_slice(b"-infinity"),
        days => date(days.into(), out),
    }
}

/// Milliseconds since 1970-01-01.
pub fn date64(milliseconds: i64, out: &mut BytesMut) {
    date(milliseconds.div_euclid(SECONDS_PER_DAY * 1000), out);
}

/// `04:05:06.789` since midnight.
pub fn time(value: i64, fraction: Fraction, out: &mut BytesMut) {
    clock(
        value.div_euclid(fraction.per_second),
        value.rem_euclid(fraction.per_second),
        fraction,
        out,
    );
}

/// The two ends of the range are PostgreSQL's infinities, as in its own storage.
pub fn timestamp(value: i64, fraction: Fraction, out: &mut BytesMut) {
    if !infinite(value, out) {
        let seconds = value.div_euclid(fraction.per_second);
        let bc = moment(
            seconds,
            value.rem_euclid(fraction.per_second),
            fraction,
            out,
        );
        era(bc, out);
    }
}

/// As [`timestamp`], in a zone, with its offset.
pub fn timestamptz(value: i64, fraction: Fraction, zone: Zone, out: &mut BytesMut) {
    if infinite(value, out) {
        return;
    }
    let seconds = value.div_euclid(fraction.per_second);
    let offset = zone.offset_at(seconds);
    let local = seconds.saturating_add(offset.into());
    let bc = moment(local, value.rem_euclid(fraction.per_second), fraction, out);
    out.put_u8(if offset < 0 { b'-' } else { b'+' });
    let offset = u64::from(offset.unsigned_abs());
    padded(offset / 3600, 2, out);
    if offset % 3600 != 0 {
        out.put_u8(b':');
        padded(offset / 60 % 60, 2, out);
    }
    if offset % 60 != 0 {
        out.put_u8(b':');
        padded(offset % 60, 2, out);
    }
    era(bc, out);
}

/// `.789` without trailing zeros, nothing for zero.
pub fn fraction_of_second(value: u64, fraction: Fraction, out: &mut BytesMut) {
    let (mut value, mut digits) = (value, fraction.digits);
    if value == 0 {
        return;
    }
    while value % 10 == 0 {
        value /= 10;
        digits -= 1;
    }
    out.put_u8(b'.');
    padded(value, digits, out);
}

/// The year, month and day of a day since 1970-01-01.
pub fn civil(days: i64) -> (i64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}

/// The day since 1970-01-01 on which a year begins.
pub fn year_start(year: i64) -> i64 {
    let before = year - 1;
    365 * before + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
}

fn infinite(value: i64, out: &mut BytesMut) -> bool {
    match value {
        i64::MAX => out.put_slice(b"infinity"),
        i64::MIN => out.put_slice(b"-infinity"),
        _ => return false,
    }
    true
}

fn date(days: i64, out: &mut BytesMut) {
    let bc = year_month_day(days, out);
    era(bc, out);
}

/// A date and a time; `true` for one before Christ.
fn moment(seconds: i64, part: i64, fraction: Fraction, out: &mut BytesMut) -> bool {
    let bc = year_month_day(seconds.div_euclid(SECONDS_PER_DAY), out);
    out.put_u8(b' ');
    clock(seconds.rem_euclid(SECONDS_PER_DAY), part, fraction, out);
    bc
}

fn year_month_day(days: i64, out: &mut BytesMut) -> bool {
    let (year, month, day) = civil(days);
    // There is no year zero: 1 BC comes before 1.
    let bc = year <= 0;
    let shown = if bc { 1 - year } else { year };
    padded(shown.unsigned_abs(), 4, out);
    out.put_u8(b'-');
    padded(month, 2, out);
    out.put_u8(b'-');
    padded(day, 2, out);
    bc
}

fn clock(seconds: i64, part: i64, fraction: Fraction, out: &mut BytesMut) {
    let seconds = seconds.unsigned_abs();
    padded(seconds / 3600, 2, out);
    out.put_u8(b':');
    padded(seconds / 60 % 60, 2, out);
    out.put_u8(b':');
    padded(seconds % 60, 2, out);
    fraction_of_second(part.unsigned_abs(), fraction, out);
}

fn era(bc: bool, out: &mut BytesMut) {
    if bc {
        out.put_slice(b" BC");
    }
}

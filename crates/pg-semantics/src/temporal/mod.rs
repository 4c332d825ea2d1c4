//! Dates, times and intervals as PostgreSQL counts, reads and prints them.
//!
//! A date is days since 1970, a timestamp microseconds since then; the greatest and the least
//! value of each stand for `infinity` and `-infinity`, so that they compare as PostgreSQL's do.

mod interval;
mod parse;
mod print;
mod zone;

pub(crate) use interval::{parse_interval, print_interval};
pub(crate) use parse::{parse_date, parse_time, parse_timestamp, parse_timestamptz};
pub(crate) use print::{print_date, print_time, print_timestamp, print_timestamptz};
pub(crate) use zone::{Zone, local_of, utc_of, zone};

pub(crate) const MICROS_PER_SECOND: i64 = 1_000_000;
pub(crate) const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// `infinity` and `-infinity` among timestamps.
pub(crate) const TIMESTAMP_INFINITY: i64 = i64::MAX;
pub(crate) const TIMESTAMP_MINUS_INFINITY: i64 = i64::MIN;
/// `infinity` and `-infinity` among dates.
pub(crate) const DATE_INFINITY: i32 = i32::MAX;
pub(crate) const DATE_MINUS_INFINITY: i32 = i32::MIN;

pub(crate) fn is_finite(micros: i64) -> bool {
    micros != TIMESTAMP_INFINITY && micros != TIMESTAMP_MINUS_INFINITY
}

/// Year (0 is 1 BC), month and day of days since 1970
/// (<https://howardhinnant.github.io/date_algorithms.html>).
pub(crate) fn civil_of_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

/// Days since 1970 of a date that exists.
pub(crate) fn days_of_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = year - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

pub(crate) fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for days in (-3_000_000..3_000_000).step_by(997) {
            let (y, m, d) = civil_of_days(days);
            assert_eq!(days_of_civil(y, m, d), days);
        }
        assert_eq!(civil_of_days(0), (1970, 1, 1));
        assert_eq!(days_of_civil(2000, 2, 29), 11_016);
    }
}

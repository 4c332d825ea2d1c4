//! Dates and times as text, in `DateStyle` ISO.

use std::fmt::Write;

use super::{
    DATE_INFINITY, DATE_MINUS_INFINITY, MICROS_PER_DAY, MICROS_PER_SECOND, TIMESTAMP_INFINITY,
    TIMESTAMP_MINUS_INFINITY, Zone, civil_of_days, local_of,
};

pub(crate) fn print_date(days: i32) -> String {
    match days {
        DATE_INFINITY => "infinity".to_owned(),
        DATE_MINUS_INFINITY => "-infinity".to_owned(),
        _ => {
            let mut out = String::with_capacity(10);
            let before_christ = write_date(&mut out, i64::from(days));
            if before_christ {
                out.push_str(" BC");
            }
            out
        }
    }
}

pub(crate) fn print_time(micros: i64) -> String {
    let mut out = String::with_capacity(15);
    write_time(&mut out, micros);
    out
}

pub(crate) fn print_timestamp(micros: i64) -> String {
    print_with_offset(micros, None)
}

/// An instant as a clock of `zone` shows it, with its offset.
pub(crate) fn print_timestamptz(micros: i64, zone: Zone) -> String {
    print_with_offset(local_of(micros, zone), Some(zone.offset_at(micros)))
}

fn print_with_offset(local: i64, offset: Option<i64>) -> String {
    match local {
        TIMESTAMP_INFINITY => return "infinity".to_owned(),
        TIMESTAMP_MINUS_INFINITY => return "-infinity".to_owned(),
        _ => {}
    }
    let mut out = String::with_capacity(29);
    let before_christ = write_date(&mut out, local.div_euclid(MICROS_PER_DAY));
    out.push(' ');
    write_time(&mut out, local.rem_euclid(MICROS_PER_DAY));
    if let Some(seconds) = offset {
        let absolute = seconds.abs();
        let sign = if seconds < 0 { '-' } else { '+' };
        let _ = write!(out, "{sign}{:02}", absolute / 3600);
        if absolute % 3600 != 0 {
            let _ = write!(out, ":{:02}", absolute / 60 % 60);
        }
        if absolute % 60 != 0 {
            let _ = write!(out, ":{:02}", absolute % 60);
        }
    }
    if before_christ {
        out.push_str(" BC");
    }
    out
}

/// Writes year, month and day; `true` if the year is before Christ.
fn write_date(out: &mut String, days: i64) -> bool {
    let (year, month, day) = civil_of_days(days);
    let before_christ = year <= 0;
    let shown = if before_christ { 1 - year } else { year };
    let _ = write!(out, "{shown:04}-{month:02}-{day:02}");
    before_christ
}

pub(super) fn write_time(out: &mut String, micros: i64) {
    let seconds = micros / MICROS_PER_SECOND;
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    write_fraction(out, micros % MICROS_PER_SECOND);
}

/// `.5` for 500000: without trailing zeros, nothing for 0.
pub(super) fn write_fraction(out: &mut String, micros: i64) {
    if micros != 0 {
        let digits = format!("{:06}", micros.abs());
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_before_christ_are_counted_from_one() {
        assert_eq!(print_date(-719_163), "0001-12-31 BC");
        assert_eq!(print_date(-719_162), "0001-01-01");
        assert_eq!(print_timestamp(-1), "1969-12-31 23:59:59.999999");
    }
}

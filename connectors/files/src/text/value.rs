//! What a text is when read as a number or a time: the same answer for choosing a column's type
//! and for reading it.

use chrono::{NaiveDate, NaiveTime, Timelike};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

pub fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Digits with an optional minus; one with a leading zero is a name rather than a number.
pub fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    is_plain_number(digits).then(|| text.parse().ok()).flatten()
}

/// A number with a point or an exponent, or an integer; `NaN` and `Infinity` as PostgreSQL writes
/// them.
pub fn double(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if matches!(unsigned, "Infinity") || text == "NaN" {
        return text.replace("Infinity", "inf").parse().ok();
    }
    if is_plain_number(unsigned) {
        // More digits than a bigint has would be lost in a double.
        return integer(text).map(|n| n as f64);
    }
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    if !is_plain_number(whole) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub fn date(text: &str) -> Option<i32> {
    let b = text.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let year = i32::try_from(digits(&b[..4])?).ok().filter(|y| *y > 0)?;
    let day = NaiveDate::from_ymd_opt(year, digits(&b[5..7])?, digits(&b[8..])?)?;
    i32::try_from((day - NaiveDate::default()).num_days()).ok()
}

/// Microseconds since 1970-01-01 of `YYYY-MM-DD`, a blank or `T`, `HH:MM[:SS[.ffffff]]`.
pub fn timestamp(text: &str) -> Option<i64> {
    let (day, clock) = (text.get(..10)?, text.get(11..)?);
    if !matches!(text.as_bytes()[10], b' ' | b'T') {
        return None;
    }
    Some(i64::from(date(day)?) * MICROS_PER_DAY + time(clock)?)
}

/// A timestamp, or a date as its midnight.
pub fn timestamp_or_date(text: &str) -> Option<i64> {
    timestamp(text).or_else(|| Some(i64::from(date(text)?) * MICROS_PER_DAY))
}

/// A timestamp with `Z`, `+hh`, `+hhmm` or `+hh:mm` behind it, as microseconds in UTC.
pub fn timestamptz(text: &str) -> Option<i64> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return timestamp(local);
    }
    let sign = text
        .bytes()
        .rposition(|b| b == b'+' || b == b'-')
        .filter(|at| *at > 10)?;
    let zone = text[sign + 1..].replace(':', "");
    let zone = zone.as_bytes();
    let (hours, minutes) = match zone.len() {
        2 => (digits(zone)?, 0),
        4 => (digits(&zone[..2])?, digits(&zone[2..])?),
        _ => return None,
    };
    if hours > 15 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours * 60 + minutes) * 60 * MICROS_PER_SECOND;
    let local = timestamp(&text[..sign])?;
    Some(if text.as_bytes()[sign] == b'-' {
        local + offset
    } else {
        local - offset
    })
}

fn time(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    if !matches!(b.len(), 5 | 8 | 10..=15) || b[2] != b':' {
        return None;
    }
    let second = match b.get(5) {
        Some(b':') => digits(&b[6..8])?,
        Some(_) => return None,
        None => 0,
    };
    let micros = match b.get(8) {
        Some(b'.') => digits(&b[9..])? * 10_u32.pow(15 - b.len() as u32),
        Some(_) => return None,
        None => 0,
    };
    let clock = NaiveTime::from_hms_opt(digits(&b[..2])?, digits(&b[3..5])?, second)?;
    let seconds = i64::from(clock.num_seconds_from_midnight());
    Some(seconds * MICROS_PER_SECOND + i64::from(micros))
}

/// Digits, the first of them no zero unless it stands alone.
fn is_plain_number(text: &str) -> bool {
    let b = text.as_bytes();
    !b.is_empty() && b.iter().all(u8::is_ascii_digit) && (b.len() == 1 || b[0] != b'0')
}

fn digits(b: &[u8]) -> Option<u32> {
    if b.is_empty() || b.len() > 6 || !b.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(b.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_names_are_not() {
        assert_eq!(integer("-42"), Some(-42));
        assert_eq!(integer("9223372036854775807"), Some(i64::MAX));
        for text in [
            "007",
            "+1",
            " 1",
            "1 ",
            "",
            "-",
            "9223372036854775808",
            "1.0",
            "0x1",
        ] {
            assert_eq!(integer(text), None, "{text}");
        }
        assert_eq!(double("1.5e-3"), Some(0.0015));
        assert_eq!(double("3"), Some(3.0));
        assert_eq!(double("-Infinity"), Some(f64::NEG_INFINITY));
        assert!(double("NaN").unwrap().is_nan());
        for text in [
            "9223372036854775808",
            "1e999",
            "01.5",
            ".",
            "e5",
            "inf",
            "nan",
            "1.5x",
            "--1",
            "1,5",
            ".5",
        ] {
            assert_eq!(double(text), None, "{text}");
        }
        assert_eq!((boolean("TRUE"), boolean("f")), (Some(true), None));
    }

    #[test]
    fn times_are_read_to_the_microsecond_and_no_further() {
        assert_eq!(timestamp("1970-01-01T00:00:01.5"), Some(1_500_000));
        assert_eq!(timestamp("1970-01-01 00:01"), Some(60_000_000));
        assert_eq!(timestamp("1970-01-01 00:00:00.1234567"), None);
        assert_eq!(timestamp_or_date("1970-01-02"), Some(MICROS_PER_DAY));
        assert_eq!(timestamptz("1970-01-01T02:00:00+02:00"), Some(0));
        assert_eq!(timestamptz("1970-01-01 00:00:00"), None);
        assert_eq!(timestamptz("1970-01-01 00:00:00+aéb"), None);
        assert_eq!(date("2024-02-30"), None);
    }
}

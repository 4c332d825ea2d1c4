//! What the texts and numbers of SQLite stand for: dates, times and decimals, exactly or not at all.

use arrow::datatypes::i256;
use chrono::{NaiveDate, NaiveTime, TimeDelta, Timelike};
use inflowave_types::SqlState;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub fn date(text: &str) -> Result<i32, SqlState> {
    let b = text.as_bytes();
    if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
        return Err(SqlState::InvalidDatetimeFormat);
    }
    let year = digits(&b[..4])? as i32;
    let day = NaiveDate::from_ymd_opt(year, digits(&b[5..7])?, digits(&b[8..])?)
        .filter(|_| year > 0)
        .ok_or(SqlState::DatetimeFieldOverflow)?;
    Ok((day - NaiveDate::default()).num_days() as i32)
}

/// Microseconds since midnight of `HH:MM[:SS[.ffffff]]`.
pub fn time(text: &str) -> Result<i64, SqlState> {
    let b = text.as_bytes();
    if !matches!(b.len(), 5 | 8 | 10..=15) || b[2] != b':' {
        return Err(SqlState::InvalidDatetimeFormat);
    }
    let (hour, minute) = (digits(&b[..2])?, digits(&b[3..5])?);
    let second = match b.get(5) {
        Some(b':') => digits(&b[6..8])?,
        Some(_) => return Err(SqlState::InvalidDatetimeFormat),
        None => 0,
    };
    let micros = match b.get(8) {
        Some(b'.') => digits(&b[9..])? * 10_u32.pow(15 - b.len() as u32),
        Some(_) => return Err(SqlState::InvalidDatetimeFormat),
        None => 0,
    };
    let time = NaiveTime::from_hms_opt(hour, minute, second)
        .ok_or(SqlState::DatetimeFieldOverflow)?
        .num_seconds_from_midnight();
    Ok(i64::from(time) * MICROS_PER_SECOND + i64::from(micros))
}

/// Microseconds since 1970-01-01 of a date, a blank or `T`, and a time.
pub fn timestamp(text: &str) -> Result<i64, SqlState> {
    let (Some(day), Some(b' ' | b'T'), Some(clock)) =
        (text.get(..10), text.as_bytes().get(10), text.get(11..))
    else {
        return Err(SqlState::InvalidDatetimeFormat);
    };
    Ok(i64::from(date(day)?) * MICROS_PER_DAY + time(clock)?)
}

/// A timestamp with `Z`, `+hh`, `+hhmm` or `+hh:mm` behind it, as microseconds in UTC.
pub fn timestamptz(text: &str) -> Result<i64, SqlState> {
    let bad = SqlState::InvalidDatetimeFormat;
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return timestamp(local);
    }
    let sign = text
        .bytes()
        .rposition(|b| b == b'+' || b == b'-')
        .filter(|at| *at > 10)
        .ok_or(bad)?;
    let zone = text[sign + 1..].replace(':', "");
    if !matches!(zone.len(), 2 | 4) || !zone.is_ascii() {
        return Err(bad);
    }
    let (hours, minutes) = zone.split_at(2);
    let hours = digits(hours.as_bytes())?;
    let minutes = if minutes.is_empty() {
        0
    } else {
        digits(minutes.as_bytes())?
    };
    if hours > 15 || minutes > 59 {
        return Err(SqlState::DatetimeFieldOverflow);
    }
    let offset = i64::from(hours * 60 + minutes) * 60 * MICROS_PER_SECOND;
    let local = timestamp(&text[..sign])?;
    Ok(if text.as_bytes()[sign] == b'-' {
        local + offset
    } else {
        local - offset
    })
}

/// `YYYY-MM-DD HH:MM:SS.ffffff`, always 26 characters for the years 0001 to 9999.
pub fn timestamp_text(micros: i64) -> String {
    let day = date_text(micros.div_euclid(MICROS_PER_DAY) as i32);
    format!("{day} {}", time_text(micros.rem_euclid(MICROS_PER_DAY)))
}

/// `YYYY-MM-DD` of days since 1970-01-01.
pub fn date_text(days: i32) -> String {
    let day = NaiveDate::default() + TimeDelta::days(i64::from(days));
    day.format("%Y-%m-%d").to_string()
}

/// `HH:MM:SS.ffffff`, always 15 characters.
pub fn time_text(micros: i64) -> String {
    let seconds = micros / MICROS_PER_SECOND;
    format!(
        "{:02}:{:02}:{:02}.{:06}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        micros % MICROS_PER_SECOND
    )
}

/// The digits of a decimal text at `scale`, if it has no more than that and fits `precision`.
pub fn decimal(text: &str, precision: u8, scale: i8) -> Result<i256, SqlState> {
    let scale = usize::try_from(scale).unwrap_or(0);
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(SqlState::InvalidTextRepresentation);
    }
    let (whole, fraction) = (
        whole.trim_start_matches('0'),
        fraction.trim_end_matches('0'),
    );
    if fraction.len() > scale || whole.len() > usize::from(precision) - scale {
        return Err(SqlState::NumericValueOutOfRange);
    }
    let shifted = format!("0{whole}{fraction:0<scale$}");
    let value = i256::from_string(&shifted).ok_or(SqlState::NumericValueOutOfRange)?;
    Ok(if negative { -value } else { value })
}

/// The integer as a double, if that is exact.
pub fn integer_as_double(n: i64) -> Option<f64> {
    const EXACT: i64 = 1 << f64::MANTISSA_DIGITS;
    (-EXACT..=EXACT).contains(&n).then_some(n as f64)
}

/// A few ASCII digits as a number.
fn digits(b: &[u8]) -> Result<u32, SqlState> {
    if b.is_empty() || b.len() > 6 || !b.iter().all(u8::is_ascii_digit) {
        return Err(SqlState::InvalidDatetimeFormat);
    }
    Ok(b.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_read_exactly() {
        assert_eq!(date("1970-01-02"), Ok(1));
        assert_eq!(date("0001-01-01"), Ok(-719_162));
        assert_eq!(date("9999-12-31"), Ok(2_932_896));
        assert_eq!(date("2024-02-30"), Err(SqlState::DatetimeFieldOverflow));
        assert_eq!(date("0000-01-01"), Err(SqlState::DatetimeFieldOverflow));
        for bad in [
            "2024-1-01",
            "20240101",
            "2024-01-01 ",
            "2024-0é-1",
            "+024-01-01",
        ] {
            assert_eq!(date(bad), Err(SqlState::InvalidDatetimeFormat), "{bad}");
        }
        assert_eq!(time("23:59:59.000001"), Ok(86_399_000_001));
        assert_eq!(time("10:00"), Ok(36_000_000_000));
        assert_eq!(time("10:00:00.5"), Ok(36_000_500_000));
        assert_eq!(time("24:00:00"), Err(SqlState::DatetimeFieldOverflow));
        for bad in [
            "10:00:",
            "10:00:0",
            "10:00:00.",
            "10:00:00.1234567",
            "10 00",
        ] {
            assert_eq!(time(bad), Err(SqlState::InvalidDatetimeFormat), "{bad}");
        }
        assert_eq!(timestamp("1970-01-01 00:00:01"), Ok(1_000_000));
        assert_eq!(timestamp("1969-12-31T23:59:59.9"), Ok(-100_000));
        assert_eq!(
            timestamp("1970-01-01"),
            Err(SqlState::InvalidDatetimeFormat)
        );
        assert_eq!(timestamptz("1970-01-01 02:00:00+02:00"), Ok(0));
        assert_eq!(timestamptz("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(timestamptz("1970-01-01 00:00:00-0130"), Ok(5_400_000_000));
        for bad in ["1970-01-01 00:00:00", "1970-01-01 00:00:00+aéb", ""] {
            assert_eq!(
                timestamptz(bad),
                Err(SqlState::InvalidDatetimeFormat),
                "{bad}"
            );
        }
    }

    #[test]
    fn decimals_fit_exactly_or_not_at_all() {
        assert_eq!(decimal("12.50", 10, 2), Ok(i256::from(1250)));
        assert_eq!(decimal("-0.05", 2, 2), Ok(i256::from(-5)));
        assert_eq!(decimal("7", 3, 2), Ok(i256::from(700)));
        assert_eq!(
            decimal("1.005", 10, 2),
            Err(SqlState::NumericValueOutOfRange)
        );
        assert_eq!(decimal("100", 4, 2), Err(SqlState::NumericValueOutOfRange));
        for bad in ["", "-", ".", "1e5", "1.2.3", " 1", "NaN"] {
            assert_eq!(
                decimal(bad, 10, 2),
                Err(SqlState::InvalidTextRepresentation),
                "{bad}"
            );
        }
    }

    #[test]
    fn large_integers_are_no_doubles() {
        assert_eq!(integer_as_double(1 << 53), Some(9_007_199_254_740_992.0));
        assert_eq!(integer_as_double((1 << 53) + 1), None);
    }
}

//! Dates and times from text: ISO 8601 and the forms that PostgreSQL accepts with `DateStyle`
//! `ISO, MDY`.

use inflowave_types::{Error, SqlState};

use super::{
    DATE_INFINITY, DATE_MINUS_INFINITY, MICROS_PER_DAY, MICROS_PER_SECOND, TIMESTAMP_INFINITY,
    TIMESTAMP_MINUS_INFINITY, Zone, days_in_month, days_of_civil, is_finite, utc_of,
};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
/// PostgreSQL's own bounds: 4714-11-24 BC, and the last day of 294276 for timestamps.
const DAYS_MIN: i64 = -2_440_588;
const TIMESTAMP_DAYS_MAX: i64 = 106_751_991;
const DATE_YEAR_MAX: i64 = 5_874_897;

/// # Errors
/// `22007` for what is no date, `22008` for a date that does not exist.
pub(crate) fn parse_date(text: &str) -> Result<i32, Error> {
    let read = read(text, "date")?;
    match read.special {
        Some(TIMESTAMP_INFINITY) => return Ok(DATE_INFINITY),
        Some(TIMESTAMP_MINUS_INFINITY) => return Ok(DATE_MINUS_INFINITY),
        Some(micros) => return Ok(micros.div_euclid(MICROS_PER_DAY) as i32),
        None => {}
    }
    let days = read.days.ok_or_else(|| invalid("date", text))?;
    if days < DAYS_MIN {
        return Err(out_of_range("date", text));
    }
    i32::try_from(days).map_err(|_| out_of_range("date", text))
}

/// A zone in the text is read and ignored.
///
/// # Errors
/// `22007`, `22008`.
pub(crate) fn parse_timestamp(text: &str) -> Result<i64, Error> {
    Ok(timestamp(text, "timestamp")?.0)
}

/// Without a zone in the text, it is a clock of `zone`.
///
/// # Errors
/// `22007`, `22008`, `22023` for an unknown zone.
pub(crate) fn parse_timestamptz(text: &str, zone: Zone) -> Result<i64, Error> {
    let (local, given) = timestamp(text, "timestamp with time zone")?;
    Ok(utc_of(local, given.unwrap_or(zone)))
}

/// # Errors
/// `22007`, `22008`.
pub(crate) fn parse_time(text: &str) -> Result<i64, Error> {
    let read = read(text, "time")?;
    read.time.ok_or_else(|| invalid("time", text))
}

fn timestamp(text: &str, type_name: &str) -> Result<(i64, Option<Zone>), Error> {
    let read = read(text, type_name)?;
    if let Some(special) = read.special {
        // `epoch` is an instant, not a clock.
        let zone = is_finite(special).then_some(Zone::Named(chrono_tz::UTC));
        return Ok((special, zone));
    }
    let days = read.days.ok_or_else(|| invalid(type_name, text))?;
    if !(DAYS_MIN..=TIMESTAMP_DAYS_MAX).contains(&days) {
        return Err(range_of_type("timestamp", text));
    }
    days.checked_mul(MICROS_PER_DAY)
        .and_then(|d| d.checked_add(read.time.unwrap_or(0)))
        .map(|micros| (micros, read.zone))
        .ok_or_else(|| range_of_type("timestamp", text))
}

#[derive(Default)]
struct Read {
    special: Option<i64>,
    days: Option<i64>,
    time: Option<i64>,
    zone: Option<Zone>,
}

fn read(text: &str, type_name: &str) -> Result<Read, Error> {
    let bad = || invalid(type_name, text);
    let trimmed = text.trim();
    let special = match trimmed.to_ascii_lowercase().as_str() {
        "infinity" | "+infinity" => Some(TIMESTAMP_INFINITY),
        "-infinity" => Some(TIMESTAMP_MINUS_INFINITY),
        "epoch" => Some(0),
        _ => None,
    };
    if special.is_some() {
        return Ok(Read {
            special,
            ..Read::default()
        });
    }
    let mut out = Read::default();
    // Words and numbers of a date that is not one token (`January 8, 1999`).
    let mut loose: Vec<&str> = Vec::new();
    let mut before_christ = false;
    let mut afternoon = None;
    for word in split(trimmed) {
        let lower = word.to_ascii_lowercase();
        if lower == "bc" || lower == "ad" {
            before_christ = lower == "bc";
        } else if lower == "am" || lower == "pm" {
            afternoon = Some(lower == "pm");
        } else if word.contains(':') && word.as_bytes()[0].is_ascii_digit() {
            let (clock, rest) = word.split_at(
                word.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.')))
                    .unwrap_or(word.len()),
            );
            out.time = Some(read_clock(clock, text, type_name)?);
            match rest.to_ascii_lowercase().as_str() {
                "" => {}
                "am" | "pm" => afternoon = Some(rest.eq_ignore_ascii_case("pm")),
                _ => out.zone = Some(Zone::parse(rest).ok_or_else(bad)?),
            }
        } else if (out.time.is_some() || !loose.is_empty()) && word.starts_with(['+', '-']) {
            out.zone = Some(Zone::parse(word).ok_or_else(bad)?);
        } else if month_number(&lower).is_some()
            || word.bytes().all(|b| b.is_ascii_digit())
            || is_date_token(word)
        {
            loose.push(word);
        } else if WEEKDAYS
            .iter()
            .any(|d| lower.len() >= 3 && d.starts_with(&lower))
        {
            // The name of a weekday says nothing new.
        } else if let Some(zone) = Zone::parse(word).filter(|_| out.time.is_some()) {
            out.zone = Some(zone);
        } else if out.time.is_some() && word.contains('/') {
            return Err(Error::new(
                SqlState::InvalidParameterValue,
                format!("time zone \"{}\" not recognized", lower),
            ));
        } else {
            return Err(bad());
        }
    }
    if let (Some(pm), Some(time)) = (afternoon, out.time) {
        let hour = time / (3600 * MICROS_PER_SECOND);
        if !(1..=12).contains(&hour) {
            return Err(out_of_range(type_name, text));
        }
        let base = time
            - if hour == 12 {
                12 * 3600 * MICROS_PER_SECOND
            } else {
                0
            };
        out.time = Some(base + if pm { 12 * 3600 * MICROS_PER_SECOND } else { 0 });
    }
    if !loose.is_empty() {
        out.days = Some(read_days(&loose, before_christ, text, type_name)?);
    }
    Ok(out)
}

/// Splits at blanks and commas, and at the `T` between date and time.
fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|w| !w.is_empty())
    {
        let at = word
            .find(['T', 't'])
            .filter(|&at| at >= 6 && word.as_bytes()[at - 1].is_ascii_digit())
            .filter(|&at| word[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        match at {
            Some(at) => out.extend([&word[..at], &word[at + 1..]]),
            None => out.push(word),
        }
    }
    out
}

fn is_date_token(word: &str) -> bool {
    word.contains(['-', '/', '.'])
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.split(['-', '/', '.']).all(|p| {
            !p.is_empty() && (p.bytes().all(|b| b.is_ascii_digit()) || month_number(p).is_some())
        })
}

fn month_number(word: &str) -> Option<u32> {
    let lower = word.to_ascii_lowercase();
    (lower.len() >= 3 || lower == "sept")
        .then(|| {
            MONTHS.iter().position(|m| {
                m.starts_with(&lower)
                    && (lower.len() == 3 || lower.len() == m.len() || lower == "sept")
            })
        })
        .flatten()
        .map(|at| at as u32 + 1)
}

fn read_days(
    words: &[&str],
    before_christ: bool,
    text: &str,
    type_name: &str,
) -> Result<i64, Error> {
    let bad = || invalid(type_name, text);
    let parts: Vec<&str> = words
        .iter()
        .flat_map(|w| w.split(['-', '/', '.']))
        .collect();
    let number = |s: &str| s.parse::<i64>().map_err(|_| bad());
    let (year, month, day) = match parts.as_slice() {
        // 19990108 and 990108
        [one] if one.len() == 8 => (number(&one[..4])?, number(&one[4..6])?, number(&one[6..])?),
        [one] if one.len() == 6 => (
            two_digits(number(&one[..2])?),
            number(&one[2..4])?,
            number(&one[4..])?,
        ),
        [a, b, c] => {
            let named = parts.iter().position(|p| month_number(p).is_some());
            let long = |p: &str| p.len() >= 3;
            let year_of = |p: &str| number(p).map(|y| if p.len() <= 2 { two_digits(y) } else { y });
            match named {
                Some(at) => {
                    let month = i64::from(month_number(parts[at]).unwrap_or(0));
                    let rest: Vec<&str> = parts
                        .iter()
                        .enumerate()
                        .filter(|(i, _)| *i != at)
                        .map(|(_, p)| *p)
                        .collect();
                    if long(rest[0]) {
                        (year_of(rest[0])?, month, number(rest[1])?)
                    } else {
                        (year_of(rest[1])?, month, number(rest[0])?)
                    }
                }
                None if long(a) => (number(a)?, number(b)?, number(c)?),
                None => (year_of(c)?, number(a)?, number(b)?),
            }
        }
        _ => return Err(bad()),
    };
    if year == 0 || !(1..=12).contains(&month) || day < 1 || year > DATE_YEAR_MAX {
        return Err(out_of_range(type_name, text));
    }
    let year = if before_christ { 1 - year } else { year };
    if day > i64::from(days_in_month(year, month as u32)) {
        return Err(out_of_range(type_name, text));
    }
    Ok(days_of_civil(year, month as u32, day as u32))
}

fn two_digits(year: i64) -> i64 {
    if year < 70 { 2000 + year } else { 1900 + year }
}

/// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.ffffff`; 24:00:00 is the end of the day.
fn read_clock(clock: &str, text: &str, type_name: &str) -> Result<i64, Error> {
    let bad = || invalid(type_name, text);
    let parts: Vec<&str> = clock.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(bad());
    }
    let number = |s: &str| {
        (!s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse::<i64>().ok())
            .flatten()
            .ok_or_else(bad)
    };
    let (hours, minutes) = (number(parts[0])?, number(parts[1])?);
    let (seconds, micros) = match parts.get(2) {
        None => (0, 0),
        Some(s) => {
            let (whole, fraction) = s.split_once('.').unwrap_or((s, ""));
            if !fraction.bytes().all(|b| b.is_ascii_digit()) {
                return Err(bad());
            }
            // Beyond six digits a fraction is rounded.
            let mut micros = 0_i64;
            for (i, b) in fraction
                .bytes()
                .chain(std::iter::repeat(b'0'))
                .take(7)
                .enumerate()
            {
                let digit = i64::from(b - b'0');
                if i < 6 {
                    micros = micros * 10 + digit;
                } else if digit >= 5 {
                    micros += 1;
                }
            }
            (number(whole)?, micros)
        }
    };
    let total = (hours * 3600 + minutes * 60 + seconds) * MICROS_PER_SECOND + micros;
    if minutes > 59 || seconds > 60 || total > MICROS_PER_DAY {
        return Err(out_of_range(type_name, text));
    }
    Ok(total)
}

fn invalid(type_name: &str, text: &str) -> Error {
    Error::new(
        SqlState::InvalidDatetimeFormat,
        format!("invalid input syntax for type {type_name}: \"{text}\""),
    )
}

fn out_of_range(type_name: &str, text: &str) -> Error {
    let _ = type_name;
    Error::new(
        SqlState::DatetimeFieldOverflow,
        format!("date/time field value out of range: \"{text}\""),
    )
}

fn range_of_type(type_name: &str, text: &str) -> Error {
    Error::new(
        SqlState::DatetimeFieldOverflow,
        format!("{type_name} out of range: \"{text}\""),
    )
}

#[cfg(test)]
mod tests {
    use super::super::{print_date, print_timestamp};
    use super::*;

    #[test]
    fn the_forms_of_a_date() {
        for (text, shown) in [
            ("1999-01-08", "1999-01-08"),
            (" 1999-01-08 ", "1999-01-08"),
            ("January 8, 1999", "1999-01-08"),
            ("8 Jan 1999", "1999-01-08"),
            ("1999-Jan-08", "1999-01-08"),
            ("1/8/1999", "1999-01-08"),
            ("19990108", "1999-01-08"),
            ("1999-01-08 12:00:00", "1999-01-08"),
            ("0044-03-15 BC", "0044-03-15 BC"),
            ("infinity", "infinity"),
        ] {
            assert_eq!(print_date(parse_date(text).unwrap()), shown, "{text}");
        }
        for (text, code) in [
            ("2024-02-30", "22008"),
            ("2024-13-01", "22008"),
            ("hello", "22007"),
            ("", "22007"),
            ("2024-02", "22007"),
            ("12345678901", "22007"),
        ] {
            assert_eq!(
                parse_date(text).unwrap_err().sqlstate().code(),
                code,
                "{text}"
            );
        }
    }

    #[test]
    fn the_forms_of_a_timestamp() {
        for (text, shown) in [
            ("2024-01-02 03:04:05.678", "2024-01-02 03:04:05.678"),
            ("2024-01-02T03:04:05Z", "2024-01-02 03:04:05"),
            ("2024-01-02 03:04 PM", "2024-01-02 15:04:00"),
            ("2024-01-02", "2024-01-02 00:00:00"),
            ("2024-01-02 24:00:00", "2024-01-03 00:00:00"),
            ("9999-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"),
            ("0001-01-01 00:00:00", "0001-01-01 00:00:00"),
        ] {
            assert_eq!(
                print_timestamp(parse_timestamp(text).unwrap()),
                shown,
                "{text}"
            );
        }
        assert_eq!(
            parse_timestamp("2024-01-02 25:00")
                .unwrap_err()
                .sqlstate()
                .code(),
            "22008"
        );
        let utc = Zone::parse("UTC").unwrap();
        assert_eq!(
            parse_timestamptz("2024-01-02 00:00:00+02", utc).unwrap(),
            parse_timestamp("2024-01-01 22:00:00").unwrap()
        );
    }
}

//! Intervals as text, in `IntervalStyle` postgres.

use std::fmt::Write;

use arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType};
use inflowave_types::{Error, SqlState};

use super::{MICROS_PER_SECOND, print::write_fraction};

const MICROS_PER_HOUR: i64 = 3600 * MICROS_PER_SECOND;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const DAYS_PER_MONTH: f64 = 30.0;

/// Reads `1 year 2 mons 3 days 04:05:06.7`, `1 day ago`, `P1Y2M3DT4H5M6S`, `1-2`, `90`.
///
/// # Errors
/// `22007`, `22015`.
pub(crate) fn parse_interval(text: &str) -> Result<IntervalMonthDayNano, Error> {
    let invalid = || {
        Error::new(
            SqlState::InvalidDatetimeFormat,
            format!("invalid input syntax for type interval: \"{text}\""),
        )
    };
    let overflow = || {
        Error::new(
            SqlState::IntervalFieldOverflow,
            format!("interval field value out of range: \"{text}\""),
        )
    };
    let trimmed = text.trim();
    let parts = if trimmed.starts_with(['P', 'p']) {
        iso_parts(&trimmed[1..]).ok_or_else(invalid)?
    } else {
        verbose_parts(trimmed).ok_or_else(invalid)?
    };
    if parts.is_empty() {
        return Err(invalid());
    }
    let mut sum = Sum::default();
    for (amount, unit) in parts {
        sum.add(amount, unit);
    }
    let months = i32::try_from(sum.months).map_err(|_| overflow())?;
    let days = i32::try_from(sum.days).map_err(|_| overflow())?;
    let micros = sum.micros.round();
    if micros.abs() > (i64::MAX / 1000) as f64 {
        return Err(overflow());
    }
    Ok(IntervalMonthDayNanoType::make_value(
        months,
        days,
        micros as i64 * 1000,
    ))
}

#[derive(Clone, Copy)]
enum Unit {
    Months(f64),
    Days(f64),
    Micros(f64),
}

/// Parts may be fractions: what does not fill a month spills into days of a 30-day month, what
/// does not fill a day into its time.
#[derive(Default)]
struct Sum {
    months: i64,
    days: i64,
    micros: f64,
}

impl Sum {
    fn add(&mut self, amount: f64, unit: Unit) {
        match unit {
            Unit::Months(each) => {
                let months = amount * each;
                self.months += months.trunc() as i64;
                // A fraction of a year is whole months only.
                if each == 1.0 {
                    self.add(
                        (months.fract() * DAYS_PER_MONTH * 1e6).round() / 1e6,
                        Unit::Days(1.0),
                    );
                }
            }
            Unit::Days(each) => {
                let days = amount * each;
                self.days += days.trunc() as i64;
                self.micros += days.fract() * 24.0 * MICROS_PER_HOUR as f64;
            }
            Unit::Micros(each) => self.micros += amount * each,
        }
    }
}

fn unit(name: &str) -> Option<Unit> {
    let lower = name.to_ascii_lowercase();
    Some(match lower.as_str() {
        "millennium" | "millennia" | "millenniums" | "mil" | "mils" => Unit::Months(12_000.0),
        "century" | "centuries" | "cent" | "c" => Unit::Months(1200.0),
        "decade" | "decades" | "dec" | "decs" => Unit::Months(120.0),
        "year" | "years" | "yr" | "yrs" | "y" => Unit::Months(12.0),
        "month" | "months" | "mon" | "mons" => Unit::Months(1.0),
        "week" | "weeks" | "w" => Unit::Days(7.0),
        "day" | "days" | "d" => Unit::Days(1.0),
        "hour" | "hours" | "hr" | "hrs" | "h" => Unit::Micros(MICROS_PER_HOUR as f64),
        "minute" | "minutes" | "min" | "mins" | "m" => Unit::Micros(MICROS_PER_MINUTE as f64),
        "second" | "seconds" | "sec" | "secs" | "s" => Unit::Micros(1e6),
        "millisecond" | "milliseconds" | "msec" | "msecs" | "ms" => Unit::Micros(1e3),
        "microsecond" | "microseconds" | "usec" | "usecs" | "us" => Unit::Micros(1.0),
        _ => return None,
    })
}

fn verbose_parts(text: &str) -> Option<Vec<(f64, Unit)>> {
    let mut parts = Vec::new();
    let mut tokens = tokens(text).into_iter().peekable();
    let mut ago = false;
    while let Some(token) = tokens.next() {
        if token == "@" {
            continue;
        }
        if token.eq_ignore_ascii_case("ago") {
            ago = true;
            continue;
        }
        let (sign, digits) = match token.as_bytes().first()? {
            b'-' => (-1.0, &token[1..]),
            b'+' => (1.0, &token[1..]),
            _ => (1.0, token.as_str()),
        };
        if digits.contains(':') {
            parts.extend(clock(digits)?.map(|(amount, unit)| (sign * amount, unit)));
            continue;
        }
        if let Some((years, months)) = digits.split_once('-') {
            parts.push((sign * years.parse::<f64>().ok()?, Unit::Months(12.0)));
            parts.push((sign * months.parse::<f64>().ok()?, Unit::Months(1.0)));
            continue;
        }
        if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        let amount = sign * digits.parse::<f64>().ok()?;
        match tokens.peek().map(|next| unit(next)) {
            Some(Some(unit)) => {
                tokens.next();
                parts.push((amount, unit));
            }
            // A number alone counts seconds, or days before a time of day.
            None => parts.push((amount, Unit::Micros(1e6))),
            Some(None) if tokens.peek()?.contains(':') => parts.push((amount, Unit::Days(1.0))),
            Some(None) => return None,
        }
    }
    if ago {
        for (amount, _) in &mut parts {
            *amount = -*amount;
        }
    }
    Some(parts)
}

/// Splits at blanks, and between a number and the letters that follow it.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let split = word
            .find(|c: char| c.is_ascii_alphabetic())
            .filter(|&at| at > 0);
        match split {
            Some(at) => tokens.extend([word[..at].to_owned(), word[at..].to_owned()]),
            None => tokens.push(word.to_owned()),
        }
    }
    tokens
}

/// `04:05` or `04:05:06.7`.
fn clock(text: &str) -> Option<impl Iterator<Item = (f64, Unit)>> {
    let numbers = text
        .split(':')
        .map(|p| p.parse::<f64>().ok().filter(|_| !p.starts_with(['-', '+'])))
        .collect::<Option<Vec<_>>>()?;
    if !(2..=3).contains(&numbers.len()) || numbers[1..].iter().any(|&n| n >= 60.0) {
        return None;
    }
    let units = [MICROS_PER_HOUR as f64, MICROS_PER_MINUTE as f64, 1e6];
    Some(
        numbers
            .into_iter()
            .zip(units)
            .map(|(n, u)| (n, Unit::Micros(u))),
    )
}

/// What follows the `P` of ISO 8601.
fn iso_parts(text: &str) -> Option<Vec<(f64, Unit)>> {
    let mut parts = Vec::new();
    let mut in_time = false;
    let mut number = String::new();
    for c in text.chars() {
        match c.to_ascii_uppercase() {
            'T' if number.is_empty() => in_time = true,
            letter if letter.is_ascii_alphabetic() => {
                let amount = number.parse::<f64>().ok()?;
                number.clear();
                parts.push((
                    amount,
                    match (letter, in_time) {
                        ('Y', false) => Unit::Months(12.0),
                        ('M', false) => Unit::Months(1.0),
                        ('W', false) => Unit::Days(7.0),
                        ('D', false) => Unit::Days(1.0),
                        ('H', true) => Unit::Micros(MICROS_PER_HOUR as f64),
                        ('M', true) => Unit::Micros(MICROS_PER_MINUTE as f64),
                        ('S', true) => Unit::Micros(1e6),
                        _ => return None,
                    },
                ));
            }
            other => number.push(other),
        }
    }
    number.is_empty().then_some(parts)
}

pub(crate) fn print_interval(value: IntervalMonthDayNano) -> String {
    let mut out = String::new();
    let micros = value.nanoseconds / 1000;
    let mut is_before = false;
    let mut part = |out: &mut String, amount: i32, unit: &str| {
        if amount != 0 {
            if !out.is_empty() {
                out.push(' ');
            }
            // A positive part after a negative one shows its sign.
            let sign = if is_before && amount > 0 { "+" } else { "" };
            let plural = if amount == 1 { "" } else { "s" };
            let _ = write!(out, "{sign}{amount} {unit}{plural}");
            is_before = amount < 0;
        }
    };
    part(&mut out, value.months / 12, "year");
    part(&mut out, value.months % 12, "mon");
    part(&mut out, value.days, "day");
    if micros != 0 || out.is_empty() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(match (micros < 0, is_before) {
            (true, _) => "-",
            (false, true) => "+",
            (false, false) => "",
        });
        let absolute = micros.unsigned_abs() as i64;
        let seconds = absolute / MICROS_PER_SECOND;
        let _ = write!(
            out,
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        write_fraction(&mut out, absolute % MICROS_PER_SECOND);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_and_print_as_postgresqls() {
        for (text, shown) in [
            (
                "1 year 2 months 3 days 04:05:06.7",
                "1 year 2 mons 3 days 04:05:06.7",
            ),
            ("90 day", "90 days"),
            ("1.5 days", "1 day 12:00:00"),
            ("1.5 months", "1 mon 15 days"),
            ("-1 day 02:03", "-1 days +02:03:00"),
            ("P1Y2M3DT4H5M6S", "1 year 2 mons 3 days 04:05:06"),
            ("1 day ago", "-1 days"),
            ("1-2", "1 year 2 mons"),
            ("90", "00:01:30"),
            ("36 hours", "36:00:00"),
            ("2 weeks", "14 days"),
            ("0", "00:00:00"),
        ] {
            assert_eq!(
                print_interval(parse_interval(text).unwrap()),
                shown,
                "{text}"
            );
        }
        assert_eq!(
            parse_interval("soon").unwrap_err().sqlstate().code(),
            "22007"
        );
        assert_eq!(parse_interval("").unwrap_err().sqlstate().code(), "22007");
    }
}

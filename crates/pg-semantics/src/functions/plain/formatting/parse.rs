//! `to_timestamp` and `to_date` of a text by a template (`DCH_from_char` of PostgreSQL).

use inflowave_types::{Error, SqlState};

use super::date::{MONTHS, ROMAN};
use super::pattern::{Key, Piece};
use crate::temporal::{MICROS_PER_DAY, MICROS_PER_SECOND, days_in_month, days_of_civil};

/// The fields that were there.
#[derive(Default)]
struct Found {
    year: Option<i64>,
    iso_year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    iso_day: Option<i64>,
    week: Option<i64>,
    iso_week: Option<i64>,
    week_of_month: Option<i64>,
    century: Option<i64>,
    julian: Option<i64>,
    hour: Option<i64>,
    twelve: bool,
    afternoon: Option<bool>,
    minute: Option<i64>,
    second: Option<i64>,
    seconds: Option<i64>,
    micros: i64,
    before_christ: bool,
    /// Digits of the year that were written.
    digits: usize,
    zone: Option<(i64, i64, i64)>,
}

/// The clock that a text means, in microseconds, and its zone's seconds east of UTC.
///
/// # Errors
/// `22007` for a text that is none, `22008` for fields that are out of range.
pub(super) fn read(text: &str, pieces: &[Piece]) -> Result<(i64, Option<i64>), Error> {
    let mut input = Input {
        text: text.chars().collect(),
        at: 0,
    };
    let (mut found, mut skipped, mut fixed) = (Found::default(), 0_i64, false);
    for (index, piece) in pieces.iter().enumerate() {
        if input.at >= input.text.len() {
            break;
        }
        let is_key = matches!(piece, Piece::Key(_));
        if !fixed && (is_key || index == 0) {
            while input.peek().is_some_and(char::is_whitespace) {
                input.at += 1;
                skipped += 1;
            }
        }
        match piece {
            Piece::Key(key) if key.name == "FX" => fixed = true,
            Piece::Key(key) => {
                let next = pieces.get(index + 1);
                field(&mut input, &mut found, key, is_apart(next))?;
                skipped = 0;
            }
            Piece::Space | Piece::Separator(_) if !fixed => {
                skipped -= 1;
                if input
                    .peek()
                    .is_some_and(|c| c.is_whitespace() || c.is_ascii_punctuation())
                {
                    input.at += 1;
                    skipped += 1;
                }
            }
            Piece::Space | Piece::Separator(_) => input.at += 1,
            Piece::Text(_) if !fixed && skipped > 0 => skipped -= 1,
            Piece::Text(_) => input.at += 1,
        }
    }
    found.moment(text)
}

/// Does what follows end a number?
fn is_apart(next: Option<&Piece>) -> bool {
    match next {
        None | Some(Piece::Text(_) | Piece::Space | Piece::Separator(_)) => true,
        Some(Piece::Key(key)) => matches!(
            key.name,
            "A.D."
                | "A.M."
                | "AD"
                | "AM"
                | "B.C."
                | "BC"
                | "P.M."
                | "PM"
                | "MONTH"
                | "MON"
                | "DAY"
                | "DY"
                | "RM"
                | "FX"
        ),
    }
}

struct Input {
    text: Vec<char>,
    at: usize,
}

fn invalid(value: &str, field: &str) -> Error {
    Error::new(
        SqlState::InvalidDatetimeFormat,
        format!("invalid value \"{value}\" for \"{field}\""),
    )
}

impl Input {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    /// A number of `width` digits, or as long as it is.
    fn number(&mut self, name: &str, width: usize, free: bool) -> Result<(i64, usize), Error> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let start = self.at;
        let mut end = start;
        if matches!(self.text.get(end), Some('-' | '+')) && free {
            end += 1;
        }
        while self.text.get(end).is_some_and(char::is_ascii_digit) && (free || end - start < width)
        {
            end += 1;
        }
        let digits: String = self.text[start..end].iter().collect();
        let shown: String = match free {
            true => self.text[start..(start + width).min(self.text.len())]
                .iter()
                .collect(),
            false => self.text[start..(start + width).min(self.text.len())]
                .iter()
                .collect(),
        };
        if !free && end - start < width && end - start < shown.chars().count() {
            return Err(invalid(&shown, name)
                .with_detail(format!(
                    "Field requires {width} characters, but only {} could be parsed.",
                    end - start
                ))
                .with_hint(
                    "If your source string is not fixed-width, try using the \"FM\" modifier.",
                ));
        }
        let value = digits
            .parse::<i64>()
            .map_err(|_| invalid(&shown, name).with_detail("Value must be an integer."))?;
        if i32::try_from(value).is_err() {
            return Err(Error::new(
                SqlState::DatetimeFieldOverflow,
                format!("value for \"{name}\" in source string is out of range"),
            )
            .with_detail("Value must be in the range -2147483648 to 2147483647."));
        }
        self.at = end;
        Ok((value, digits.trim_start_matches(['-', '+']).len()))
    }

    /// Which of the words stands there.
    fn word(&mut self, words: &[&str], name: &str) -> Result<usize, Error> {
        let rest: String = self.text[self.at..].iter().collect();
        let lower = rest.to_lowercase();
        let found = words
            .iter()
            .position(|w| lower.starts_with(&w.to_lowercase()));
        match found {
            Some(index) => {
                self.at += words[index].chars().count();
                Ok(index)
            }
            None => {
                let shown: String = rest.chars().take_while(|c| !c.is_whitespace()).collect();
                Err(invalid(&shown, name).with_detail(
                    "The given value did not match any of the allowed values for this field.",
                ))
            }
        }
    }
}

const MERIDIEM: [&str; 2] = ["AM", "PM"];
const MERIDIEM_DOTS: [&str; 2] = ["A.M.", "P.M."];
const ERA: [&str; 2] = ["AD", "BC"];
const ERA_DOTS: [&str; 2] = ["A.D.", "B.C."];
const WEEK: [&str; 7] = [
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
];

fn field(input: &mut Input, found: &mut Found, key: &Key, apart: bool) -> Result<(), Error> {
    let name = key.name;
    let free = key.fill || apart;
    let mut number = |width: usize| input.number(name, width, free);
    match name {
        "HH" | "HH12" => {
            found.hour = Some(number(2)?.0);
            found.twelve = true;
        }
        "HH24" => found.hour = Some(number(2)?.0),
        "MI" => found.minute = Some(number(2)?.0),
        "SS" => found.second = Some(number(2)?.0),
        "SSSS" | "SSSSS" => found.seconds = Some(number(5)?.0),
        "MS" | "US" | "FF1" | "FF2" | "FF3" | "FF4" | "FF5" | "FF6" => {
            let width = match name {
                "MS" => 3,
                "US" => 6,
                other => other[2..].parse().unwrap_or(6),
            };
            let (value, digits) = number(width)?;
            // `.5` is half a second.
            let scale = 10_i64.pow(6_u32.saturating_sub(digits.min(6) as u32));
            found.micros += match digits > width {
                true => value / 10_i64.pow((digits - width) as u32) * 10_i64.pow(6 - width as u32),
                false => value * scale,
            };
        }
        "AM" | "PM" => {
            found.afternoon = Some(input.word(&MERIDIEM, name)? == 1);
            found.twelve = true;
        }
        "A.M." | "P.M." => {
            found.afternoon = Some(input.word(&MERIDIEM_DOTS, name)? == 1);
            found.twelve = true;
        }
        "AD" | "BC" => found.before_christ = input.word(&ERA, name)? == 1,
        "A.D." | "B.C." => found.before_christ = input.word(&ERA_DOTS, name)? == 1,
        "MONTH" => {
            let short: Vec<&str> = MONTHS.iter().map(|m| &m[..3]).collect();
            let at = input.at;
            found.month = Some(
                match input.word(&MONTHS, name) {
                    Ok(month) => month,
                    Err(_) => {
                        input.at = at;
                        input.word(&short, name)?
                    }
                } as i64
                    + 1,
            );
        }
        "MON" => {
            let short: Vec<&str> = MONTHS.iter().map(|m| &m[..3]).collect();
            found.month = Some(input.word(&short, name)? as i64 + 1);
        }
        "RM" => {
            // The longer ones first.
            let order = [7, 2, 6, 11, 1, 3, 5, 8, 10, 0, 4, 9];
            let numerals: Vec<&str> = order.iter().map(|i| ROMAN[*i]).collect();
            found.month = Some(order[input.word(&numerals, name)?] as i64 + 1);
        }
        "MM" => found.month = Some(number(2)?.0),
        "DAY" => {
            input.word(&WEEK, name)?;
        }
        "DY" => {
            let short: Vec<&str> = WEEK.iter().map(|d| &d[..3]).collect();
            input.word(&short, name)?;
        }
        "DDD" => found.day_of_year = Some(number(3)?.0),
        "IDDD" => found.iso_day = Some(number(3)?.0 + 1000),
        "DD" => found.day = Some(number(2)?.0),
        "D" => {
            number(1)?;
        }
        "ID" => found.iso_day = Some(number(1)?.0),
        "WW" => found.week = Some(number(2)?.0),
        "IW" => found.iso_week = Some(number(2)?.0),
        "W" => found.week_of_month = Some(number(1)?.0),
        // It says nothing of the day.
        "Q" => {
            number(1)?;
        }
        "CC" => found.century = Some(number(2)?.0),
        "J" => found.julian = Some(input.number(name, 7, true)?.0),
        "Y,YYY" => {
            let (thousands, _) = input.number(name, 9, true)?;
            if input.peek() != Some(',') {
                return Err(Error::new(
                    SqlState::InvalidDatetimeFormat,
                    "invalid input string for \"Y,YYY\"",
                ));
            }
            input.at += 1;
            let (rest, _) = input.number(name, 3, false)?;
            (found.year, found.digits) = (Some(thousands * 1000 + rest), 4);
        }
        "YYYY" | "YYY" | "YY" | "Y" => {
            let (year, digits) = number(name.len())?;
            let year = match digits < 4 && name.len() < 4 {
                true => near(year, digits.min(name.len())),
                false => year,
            };
            (found.year, found.digits) = (Some(year), name.len());
        }
        "IYYY" | "IYY" | "IY" | "I" => {
            let (year, digits) = number(name.len())?;
            found.iso_year = Some(match digits < 4 && name.len() < 4 {
                true => near(year, digits),
                false => year,
            });
        }
        "TZH" => {
            let sign = match input.peek() {
                Some('-') => {
                    input.at += 1;
                    -1
                }
                Some('+') => {
                    input.at += 1;
                    1
                }
                _ => 1,
            };
            let (hours, _) = input.number(name, 2, free)?;
            let minutes = found.zone.map_or(0, |z| z.2);
            found.zone = Some((sign, hours, minutes));
        }
        "TZM" => {
            let (minutes, _) = number(2)?;
            let (sign, hours, _) = found.zone.unwrap_or((1, 0, 0));
            found.zone = Some((sign, hours, minutes));
        }
        "TZ" | "OF" => {
            return Err(Error::new(
                SqlState::FeatureNotSupported,
                format!("formatting field \"{name}\" is only supported in to_char"),
            ));
        }
        _ => {}
    }
    Ok(())
}

/// The year nearest to 2020 with these last digits.
fn near(year: i64, digits: usize) -> i64 {
    match digits {
        0..=2 if year < 70 => year + 2000,
        0..=2 if year < 100 => year + 1900,
        3 if year < 100 => year + 2000,
        3 if year < 520 => year + 2000,
        3 => year + 1000,
        _ => year,
    }
}

impl Found {
    fn moment(self, text: &str) -> Result<(i64, Option<i64>), Error> {
        let range = || {
            Error::new(
                SqlState::DatetimeFieldOverflow,
                format!("date/time field value out of range: \"{text}\""),
            )
        };
        let time = self.time(range)?;
        let days = self.days(range)?;
        let zone = match self.zone {
            Some((sign, hours, minutes)) => {
                if hours > 15 || minutes > 59 {
                    return Err(range());
                }
                Some(sign * (hours * 3600 + minutes * 60))
            }
            None => None,
        };
        let micros = days
            .checked_mul(MICROS_PER_DAY)
            .and_then(|d| d.checked_add(time));
        Ok((micros.ok_or_else(range)?, zone))
    }

    fn time(&self, range: impl Fn() -> Error) -> Result<i64, Error> {
        let (mut hour, mut minute, mut second) = (
            self.hour.unwrap_or(0),
            self.minute.unwrap_or(0),
            self.second.unwrap_or(0),
        );
        if let Some(seconds) = self.seconds {
            (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        }
        if self.twelve && self.seconds.is_none() {
            if self.hour.is_some() && !(1..=12).contains(&hour) {
                return Err(Error::new(
                    SqlState::InvalidDatetimeFormat,
                    format!("hour \"{hour}\" is invalid for the 12-hour clock"),
                )
                .with_hint("Use the 24-hour clock, or give an hour between 1 and 12."));
            }
            match self.afternoon {
                Some(true) if hour < 12 => hour += 12,
                Some(false) if hour == 12 => hour = 0,
                None if hour == 12 => hour = 0,
                _ => {}
            }
        }
        let in_range =
            (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
        if !in_range {
            return Err(range());
        }
        Ok((hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + self.micros)
    }

    fn days(&self, range: impl Fn() -> Error) -> Result<i64, Error> {
        if let Some(julian) = self.julian {
            return Ok(julian - 2_440_588);
        }
        if self.iso_year.is_some() && (self.year.is_some() || self.month.is_some()) {
            return Err(Error::new(
                SqlState::InvalidDatetimeFormat,
                "invalid combination of date conventions",
            )
            .with_hint(
                "Do not mix Gregorian and ISO week date conventions in a formatting template.",
            ));
        }
        let era = |year: i64| match self.before_christ {
            true if year > 0 => 1 - year,
            _ => year,
        };
        if self.iso_year.is_some() || self.iso_week.is_some() {
            let year = era(self.iso_year.unwrap_or(0));
            let fourth = days_of_civil(year, 1, 4);
            let monday = fourth - (fourth + 3).rem_euclid(7);
            return Ok(match (self.iso_day, self.iso_week) {
                (Some(day @ 1000..), _) => monday + day - 1001,
                (day, week) => monday + (week.unwrap_or(1) - 1) * 7 + day.unwrap_or(1) - 1,
            });
        }
        let mut year = match (self.year, self.century) {
            (Some(year), Some(century)) if self.digits <= 2 => {
                let last = year.rem_euclid(100);
                match last {
                    0 => century * 100,
                    last => (century - 1) * 100 + last,
                }
            }
            (Some(year), _) => year,
            (None, Some(century)) => (century - 1) * 100 + 1,
            (None, None) => 0,
        };
        year = era(year);
        // Without a year it is 1 BC, as PostgreSQL has it.
        if let Some(day) = self.day_of_year {
            let length = days_of_civil(year + 1, 1, 1) - days_of_civil(year, 1, 1);
            if !(1..=length).contains(&day) {
                return Err(range());
            }
            return Ok(days_of_civil(year, 1, 1) + day - 1);
        }
        if let Some(week) = self.week {
            return Ok(days_of_civil(year, 1, 1) + (week - 1) * 7);
        }
        let month = self.month.unwrap_or(1);
        let day = self
            .week_of_month
            .map_or(self.day.unwrap_or(1), |w| (w - 1) * 7 + 1);
        let month_in_range = u32::try_from(month).ok().filter(|m| (1..=12).contains(m));
        let month = month_in_range.ok_or_else(&range)?;
        if day < 1 || day > i64::from(days_in_month(year, month)) {
            return Err(range());
        }
        Ok(days_of_civil(year, month, 1) + day - 1)
    }
}

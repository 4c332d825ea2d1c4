//! `to_char` of times (`DCH_to_char` of PostgreSQL), in the names of the C locale.

use super::pattern::{Case, Key, Piece, ordinal};
use crate::temporal::{MICROS_PER_DAY, MICROS_PER_SECOND, civil_of_days, days_of_civil};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
pub(super) const ROMAN: [&str; 12] = [
    "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII",
];

/// What is printed: a moment, or an interval.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fields {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub micros: i64,
    /// From 1.
    pub day_of_year: i64,
    /// Days since 1970; `None` of an interval.
    pub days: Option<i64>,
    /// Seconds east of UTC, and what the zone is called.
    pub zone: Option<(i64, String)>,
}

impl Fields {
    /// Of the clock of a moment, in microseconds.
    pub(super) fn of_clock(local: i64, zone: Option<(i64, String)>) -> Fields {
        let days = local.div_euclid(MICROS_PER_DAY);
        let time = local.rem_euclid(MICROS_PER_DAY);
        let (year, month, day) = civil_of_days(days);
        let seconds = time / MICROS_PER_SECOND;
        Fields {
            year,
            month: month.into(),
            day: day.into(),
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micros: time % MICROS_PER_SECOND,
            day_of_year: days - days_of_civil(year, 1, 1) + 1,
            days: Some(days),
            zone,
        }
    }

    pub(super) fn of_interval(months: i64, days: i64, micros: i64) -> Fields {
        let seconds = micros / MICROS_PER_SECOND;
        Fields {
            year: months / 12,
            month: months % 12,
            day: days,
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            micros: micros % MICROS_PER_SECOND,
            // As PostgreSQL counts the days of an interval.
            day_of_year: months * 30 + days,
            days: None,
            zone: None,
        }
    }

    /// From 0, which is Sunday.
    fn weekday(&self) -> i64 {
        self.days.map_or(0, |days| (days + 4).rem_euclid(7))
    }

    /// Year and week of ISO 8601.
    fn iso(&self) -> (i64, i64) {
        let Some(days) = self.days else {
            return (self.year, (self.day_of_year - 1) / 7 + 1);
        };
        let thursday = days - (days + 3).rem_euclid(7) + 3;
        let (year, _, _) = civil_of_days(thursday);
        (year, (thursday - days_of_civil(year, 1, 1)) / 7 + 1)
    }

    fn iso_day_of_year(&self) -> i64 {
        let Some(days) = self.days else {
            return self.day_of_year;
        };
        let (_, week) = self.iso();
        (week - 1) * 7 + (days + 3).rem_euclid(7) + 1
    }

    fn shown_year(&self, year: i64) -> i64 {
        match self.days {
            Some(_) if year <= 0 => 1 - year,
            _ => year,
        }
    }
}

/// With zeros to `width` digits, the sign before them.
fn padded(value: i64, width: usize, fill: bool) -> String {
    match (fill, value < 0) {
        (true, _) => value.to_string(),
        (false, true) => format!("{value:0width$}", width = width + 1),
        (false, false) => format!("{value:0width$}"),
    }
}

fn cased(text: &str, case: Case) -> String {
    match case {
        Case::Upper => text.to_uppercase(),
        Case::Lower => text.to_lowercase(),
        Case::Capital => text.to_owned(),
    }
}

fn blank(text: String, width: usize, fill: bool) -> String {
    match fill {
        true => text,
        false => format!("{text:<width$}"),
    }
}

/// `None` where PostgreSQL refuses: intervals have no names of days and months.
pub(super) fn printed(pieces: &[Piece], fields: &Fields) -> Result<String, &'static str> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Key(key) => {
                let text = value(key, fields)?;
                let zone = matches!(key.name, "TZ" | "TZH" | "TZM" | "OF");
                let digits = !zone && text.ends_with(|c: char| c.is_ascii_digit());
                out.push_str(&text);
                if let Some(case) = key.ordinal
                    && digits
                {
                    out.push_str(ordinal(&text, case));
                }
            }
            Piece::Text(c) | Piece::Separator(c) => out.push(*c),
            Piece::Space => out.push(' '),
        }
    }
    Ok(out)
}

fn value(key: &Key, f: &Fields) -> Result<String, &'static str> {
    const NO_NAMES: &str = "invalid format specification for an interval value";
    let (case, fill) = (key.case, key.fill);
    let of_moment = f.days.is_some();
    let hour12 = match f.hour % 12 {
        0 => 12,
        hour => hour,
    };
    let year = f.shown_year(f.year);
    let iso = f.iso();
    let iso_year = f.shown_year(iso.0);
    Ok(match key.name {
        "A.M." | "P.M." => {
            let half = if f.hour % 24 >= 12 { "P.M." } else { "A.M." };
            cased(half, case)
        }
        "AM" | "PM" => cased(if f.hour % 24 >= 12 { "PM" } else { "AM" }, case),
        "A.D." | "B.C." | "AD" | "BC" if !of_moment => return Err(NO_NAMES),
        "A.D." | "B.C." => cased(if f.year <= 0 { "B.C." } else { "A.D." }, case),
        "AD" | "BC" => cased(if f.year <= 0 { "BC" } else { "AD" }, case),
        "HH" | "HH12" => padded(hour12, 2, fill),
        "HH24" => padded(f.hour, 2, fill),
        "MI" => padded(f.minute, 2, fill),
        "SS" => padded(f.second, 2, fill),
        "MS" => format!("{:03}", f.micros / 1000),
        "US" => format!("{:06}", f.micros),
        "FF1" => format!("{:01}", f.micros / 100_000),
        "FF2" => format!("{:02}", f.micros / 10_000),
        "FF3" => format!("{:03}", f.micros / 1000),
        "FF4" => format!("{:04}", f.micros / 100),
        "FF5" => format!("{:05}", f.micros / 10),
        "FF6" => format!("{:06}", f.micros),
        "SSSS" | "SSSSS" => (f.hour * 3600 + f.minute * 60 + f.second).to_string(),
        "TZ" | "TZH" | "TZM" | "OF" if !of_moment => return Err(NO_NAMES),
        "TZ" => {
            let name = f.zone.as_ref().map_or("", |(_, name)| name.as_str());
            cased(name, case)
        }
        "TZH" => {
            let offset = f.zone.as_ref().map_or(0, |(offset, _)| *offset);
            let sign = if offset < 0 { '-' } else { '+' };
            format!("{sign}{:02}", offset.abs() / 3600)
        }
        "TZM" => {
            let offset = f.zone.as_ref().map_or(0, |(offset, _)| *offset);
            format!("{:02}", offset.abs() % 3600 / 60)
        }
        "OF" => {
            let offset = f.zone.as_ref().map_or(0, |(offset, _)| *offset);
            let sign = if offset < 0 { '-' } else { '+' };
            let hours = offset.abs() / 3600;
            let hours = if fill {
                hours.to_string()
            } else {
                format!("{hours:02}")
            };
            match offset.abs() % 3600 / 60 {
                0 => format!("{sign}{hours}"),
                minutes => format!("{sign}{hours}:{minutes:02}"),
            }
        }
        "MONTH" | "MON" | "DAY" | "DY" | "D" | "ID" if !of_moment => return Err(NO_NAMES),
        "MONTH" => {
            let name = MONTHS
                .get((f.month - 1) as usize)
                .copied()
                .unwrap_or_default();
            blank(cased(name, case), 9, fill)
        }
        "MON" => {
            let name = MONTHS
                .get((f.month - 1) as usize)
                .copied()
                .unwrap_or_default();
            cased(name.get(..3).unwrap_or_default(), case)
        }
        "MM" => padded(f.month, 2, fill),
        "DAY" => blank(cased(DAYS[f.weekday() as usize], case), 9, fill),
        "DY" => cased(&DAYS[f.weekday() as usize][..3], case),
        "DDD" => padded(f.day_of_year, 3, fill),
        "IDDD" => padded(f.iso_day_of_year(), 3, fill),
        "DD" => padded(f.day, 2, fill),
        "D" => (f.weekday() + 1).to_string(),
        "ID" => match f.weekday() {
            0 => "7".to_owned(),
            day => day.to_string(),
        },
        "WW" => padded((f.day_of_year - 1) / 7 + 1, 2, fill),
        "IW" => padded(iso.1, 2, fill),
        "Q" if f.month == 0 => String::new(),
        "Q" => ((f.month - 1) / 3 + 1).to_string(),
        "CC" => {
            let century = match (of_moment, f.year) {
                (false, year) => year / 100,
                (true, year @ 1..) => (year - 1) / 100 + 1,
                // As C divides.
                (true, year) => year / 100 - 1,
            };
            match (-99..=99).contains(&century) {
                true => padded(century, 2, fill),
                false => century.to_string(),
            }
        }
        "Y,YYY" => {
            let thousands = year / 1000;
            format!("{thousands},{:03}", year - thousands * 1000)
        }
        "YYYY" => padded(year, 4, fill),
        "IYYY" => padded(iso_year, 4, fill),
        "YYY" => padded(year % 1000, 3, fill),
        "IYY" => padded(iso_year % 1000, 3, fill),
        "YY" => padded(year % 100, 2, fill),
        "IY" => padded(iso_year % 100, 2, fill),
        "Y" => (year % 10).to_string(),
        "I" => (iso_year % 10).to_string(),
        "RM" => {
            let numeral = match (f.month, of_moment, f.year) {
                (0, false, 0) => return Ok(String::new()),
                (0, ..) => "XII",
                (month, ..) if month < 0 => ROMAN[(12 + month) as usize % 12],
                (month, ..) => ROMAN.get((month - 1) as usize).copied().unwrap_or_default(),
            };
            blank(cased(numeral, case), 4, fill)
        }
        "W" => ((f.day - 1) / 7 + 1).to_string(),
        // Julian days begin 4714-11-24 BC.
        "J" => (f.days.unwrap_or(0) + 2_440_588).to_string(),
        _ => String::new(),
    })
}

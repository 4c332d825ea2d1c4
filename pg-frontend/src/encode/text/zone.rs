//! The session's time zone: what a moment's clock shows there.

use std::str::FromStr;

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};

use super::datetime::{civil, year_start};

/// The last year that chrono-tz lists changes for; PostgreSQL carries the last rule on for ever.
const LISTED_YEAR_MAX: i64 = 2099;
const SECONDS_PER_DAY: i64 = 86_400;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Seconds east of UTC.
    Fixed(i32),
    Named(Tz),
}

impl Default for Zone {
    fn default() -> Self {
        Zone::Fixed(0)
    }
}

impl FromStr for Zone {
    type Err = ();

    /// `Europe/Warsaw` in any case, `+05:30` east of UTC.
    fn from_str(name: &str) -> Result<Self, ()> {
        if ["utc", "gmt", "etc/utc", "z"].contains(&name.to_ascii_lowercase().as_str()) {
            return Ok(Zone::default());
        }
        if let Some(offset) = fixed(name) {
            return Ok(Zone::Fixed(offset));
        }
        if let Ok(zone) = name.parse() {
            return Ok(Zone::Named(zone));
        }
        let same = |zone: &&Tz| zone.name().eq_ignore_ascii_case(name);
        TZ_VARIANTS
            .iter()
            .find(same)
            .map(|z| Zone::Named(*z))
            .ok_or(())
    }
}

impl Zone {
    /// Seconds east of UTC at a moment, in seconds since 1970.
    pub fn offset_at(self, seconds: i64) -> i32 {
        match self {
            Zone::Fixed(offset) => offset,
            Zone::Named(zone) => {
                let (year, ..) = civil(seconds.div_euclid(SECONDS_PER_DAY));
                if year <= LISTED_YEAR_MAX {
                    offset(zone, seconds)
                } else if changes_for_ever(zone) {
                    offset(zone, seconds - shift(year))
                } else {
                    offset(zone, year_start(LISTED_YEAR_MAX) * SECONDS_PER_DAY)
                }
            }
        }
    }
}

fn offset(zone: Tz, seconds: i64) -> i32 {
    // Before chrono's first year there was local mean time only.
    let moment = DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let offset = zone.offset_from_utc_datetime(&moment.naive_utc());
    offset.fix().local_minus_utc()
}

/// Whether the last listed year still has a summer time.
fn changes_for_ever(zone: Tz) -> bool {
    let months = (0..12).map(|m| year_start(LISTED_YEAR_MAX) + 30 * m);
    let mut offsets = months.map(|day| offset(zone, day * SECONDS_PER_DAY));
    let first = offsets.next();
    offsets.any(|o| Some(o) != first)
}

/// The seconds from a listed year with the same calendar: 28 years hold each of the fourteen.
fn shift(year: i64) -> i64 {
    let calendar = |y| {
        (
            year_start(y).rem_euclid(7),
            year_start(y + 1) - year_start(y),
        )
    };
    let mut listed = LISTED_YEAR_MAX - 27..=LISTED_YEAR_MAX;
    let like = listed.find(|y| calendar(*y) == calendar(year));
    like.map_or(0, |y| (year_start(year) - year_start(y)) * SECONDS_PER_DAY)
}

/// `+05:30`, `-08`, `+01:02:03`.
fn fixed(text: &str) -> Option<i32> {
    let (sign, text) = match text.split_at_checked(1)? {
        ("+", text) => (1, text),
        ("-", text) => (-1, text),
        _ => return None,
    };
    let mut seconds = 0;
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    for (part, unit) in parts.iter().zip([3600, 60, 1]) {
        let digits = part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
        seconds += part.parse::<i32>().ok().filter(|_| digits)? * unit;
    }
    Some(sign * seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_named_in_any_case_or_by_their_offset() {
        assert_eq!("europe/warsaw".parse(), Ok(Zone::Named(Tz::Europe__Warsaw)));
        assert_eq!("Etc/UTC".parse(), Ok(Zone::Fixed(0)));
        assert_eq!("+05:30".parse(), Ok(Zone::Fixed(19_800)));
        assert_eq!("-08".parse(), Ok(Zone::Fixed(-28_800)));
        for bad in ["Mars/Olympus", "", "+", "+5:x", "+1:2:3:4", "ż"] {
            assert_eq!(bad.parse::<Zone>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn summer_time_goes_on_for_ever() {
        let warsaw = Zone::Named(Tz::Europe__Warsaw);
        for year in [2024, 2037, 2038, 2090, 2099, 2100, 2399, 9999, 200_000] {
            let january = year_start(year) * 86_400;
            assert_eq!(warsaw.offset_at(january), 3600, "{year}");
            assert_eq!(warsaw.offset_at(january + 180 * 86_400), 7200, "{year}");
        }
        // Morocco's clocks go back for Ramadan, as far as it is listed, which is 2087.
        let casablanca = Zone::Named(Tz::Africa__Casablanca);
        let july = |year| (year_start(year) + 200) * 86_400;
        assert_eq!(casablanca.offset_at(july(2082)), 3600);
        assert_eq!(casablanca.offset_at(july(10_006)), 3600);
        assert_eq!(warsaw.offset_at(year_start(1) * 86_400), 5040);
        assert_eq!(warsaw.offset_at(i64::MIN / 2), 5040);
    }
}

//! Time zones: between an instant and what a clock on the wall shows.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeZone};
use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use inflowave_types::SqlState;

use super::{MICROS_PER_SECOND, is_finite};
use crate::raise::raise;

/// A zone of the IANA database, or a fixed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    Named(chrono_tz::Tz),
    Fixed(FixedOffset),
}

/// The session's time zone; UTC where none is set.
pub(crate) fn zone(config: &ConfigOptions) -> Result<Zone> {
    match config.execution.time_zone.as_deref() {
        None => Ok(Zone::Named(chrono_tz::UTC)),
        Some(name) => Zone::parse(name).ok_or_else(|| {
            raise(
                SqlState::InvalidParameterValue,
                format!("time zone \"{name}\" not recognized"),
            )
        }),
    }
}

impl Zone {
    /// `Europe/Warsaw`, `UTC`, `Z`, `+02`, `+02:00`, `-0530`.
    pub(crate) fn parse(text: &str) -> Option<Zone> {
        if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("zulu") {
            return Some(Zone::Named(chrono_tz::UTC));
        }
        if let Some(sign) = text.chars().next().filter(|c| matches!(c, '+' | '-')) {
            let seconds = offset_seconds(&text[1..])?;
            let signed = if sign == '-' { -seconds } else { seconds };
            return FixedOffset::east_opt(signed).map(Zone::Fixed);
        }
        chrono_tz::TZ_VARIANTS
            .iter()
            .find(|tz| tz.name().eq_ignore_ascii_case(text))
            .map(|tz| Zone::Named(*tz))
    }

    /// Seconds east of UTC at an instant.
    pub(crate) fn offset_at(self, micros: i64) -> i64 {
        match self {
            Zone::Fixed(offset) => i64::from(offset.local_minus_utc()),
            Zone::Named(chrono_tz::UTC) => 0,
            Zone::Named(tz) => DateTime::from_timestamp_micros(micros).map_or(0, |utc| {
                i64::from(
                    tz.offset_from_utc_datetime(&utc.naive_utc())
                        .fix()
                        .local_minus_utc(),
                )
            }),
        }
    }
}

/// What a clock of `zone` shows at an instant.
pub(crate) fn local_of(micros: i64, zone: Zone) -> i64 {
    if is_finite(micros) {
        micros.saturating_add(zone.offset_at(micros) * MICROS_PER_SECOND)
    } else {
        micros
    }
}

/// The instant at which a clock of `zone` shows `local`. An hour that a clock shows twice means
/// its second time (standard time), an hour that it skips is read with the offset before the
/// gap: PostgreSQL's choices.
pub(crate) fn utc_of(local: i64, zone: Zone) -> i64 {
    if !is_finite(local) {
        return local;
    }
    let tz = match zone {
        Zone::Fixed(offset) => {
            return local.saturating_sub(i64::from(offset.local_minus_utc()) * MICROS_PER_SECOND);
        }
        Zone::Named(chrono_tz::UTC) => return local,
        Zone::Named(tz) => tz,
    };
    let Some(naive) = DateTime::from_timestamp_micros(local).map(|d| d.naive_utc()) else {
        return local;
    };
    let offset = |at: &NaiveDateTime| match tz.offset_from_local_datetime(at) {
        chrono::LocalResult::Single(o) => Some(o.fix().local_minus_utc()),
        chrono::LocalResult::Ambiguous(_, later) => Some(later.fix().local_minus_utc()),
        chrono::LocalResult::None => None,
    };
    let seconds = offset(&naive)
        .or_else(|| offset(&(naive - chrono::Duration::hours(3))))
        .unwrap_or(0);
    local.saturating_sub(i64::from(seconds) * MICROS_PER_SECOND)
}

/// `02`, `2`, `0200`, `02:00`, `02:00:30` as seconds.
fn offset_seconds(text: &str) -> Option<i32> {
    let number = |s: &str| {
        (!s.is_empty() && s.len() <= 2 && s.bytes().all(|b| b.is_ascii_digit()))
            .then(|| s.parse::<i32>().ok())
            .flatten()
    };
    let (hours, minutes, seconds) = if text.contains(':') {
        let mut parts = text.split(':');
        (
            number(parts.next()?)?,
            number(parts.next()?)?,
            parts.next().map_or(Some(0), number)?,
        )
    } else if text.len() == 4 && text.is_ascii() {
        (number(&text[..2])?, number(&text[2..])?, 0)
    } else {
        (number(text)?, 0, 0)
    };
    (hours <= 15 && minutes < 60 && seconds < 60).then_some(hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_jump_are_read_as_postgresql_reads_them() {
        let warsaw = Zone::parse("Europe/Warsaw").unwrap();
        let at = |s: &str| super::super::parse_timestamp(s).unwrap();
        // 02:30 does not exist on that day: read as +01.
        assert_eq!(
            utc_of(at("2024-03-31 02:30"), warsaw),
            at("2024-03-31 01:30")
        );
        // 02:30 comes twice: the second, +01.
        assert_eq!(
            utc_of(at("2024-10-27 02:30"), warsaw),
            at("2024-10-27 01:30")
        );
        assert_eq!(
            local_of(at("2024-07-01 00:00"), warsaw),
            at("2024-07-01 02:00")
        );
        assert_eq!(Zone::parse("+0530"), Zone::parse("+05:30"));
        assert_eq!(Zone::parse("Mars/Olympus"), None);
    }
}

//! `to_char`, `to_timestamp` and `to_date` by templates.

mod date;
mod number;
mod parse;
mod pattern;

use chrono::{Offset, TimeZone};
use chrono_tz::OffsetName;
use inflowave_types::{Error, SqlState};

use super::{Arg, Body, Kept, Out, Overload, Plain, T};
use crate::temporal::{MICROS_PER_DAY, Zone, is_finite, local_of, utc_of};
use date::Fields;
use number::Number;

const fn of(args: &'static [T], result: T, body: Body) -> Overload {
    Overload { args, result, body }
}

pub(super) const ALL: &[Plain] = &[
    Plain {
        name: "to_char",
        overloads: &[
            of(&[T::Timestamptz, T::Text], T::Text, |kept, args| {
                let micros = args[0].int();
                let zone = kept.zone.ok_or_else(no_zone)?;
                moment(micros, Some(zone), args[1].text())
            }),
            of(&[T::Timestamp, T::Text], T::Text, |_, args| {
                moment(args[0].int(), None, args[1].text())
            }),
            of(&[T::Interval, T::Text], T::Text, |_, args| {
                let Arg::Span(months, days, micros) = args[0] else {
                    return Ok(Out::Null);
                };
                let fields = Fields::of_interval(months.into(), days.into(), micros);
                printed(&fields, args[1].text())
            }),
            of(&[T::Int8, T::Text], T::Text, |_, args| {
                number(&Number::Digits(args[0].int().to_string()), args)
            }),
            of(&[T::Float8, T::Text], T::Text, |_, args| match args[0] {
                Arg::Float(value) => number(&Number::Double(value), args),
                _ => Ok(Out::Null),
            }),
            of(&[T::Numeric, T::Text], T::Text, |_, args| {
                number(&Number::Digits(args[0].text().to_owned()), args)
            }),
        ],
    },
    Plain {
        name: "pg_to_timestamp",
        overloads: &[of(&[T::Text, T::Text], T::Timestamptz, |kept, args| {
            let (local, offset) = read(kept, args)?;
            Ok(Out::Int(match offset {
                Some(seconds) => local - seconds * 1_000_000,
                None => utc_of(local, kept.zone.ok_or_else(no_zone)?),
            }))
        })],
    },
    Plain {
        name: "to_date",
        overloads: &[of(&[T::Text, T::Text], T::Date, |kept, args| {
            let (local, _) = read(kept, args)?;
            Ok(Out::Int(local.div_euclid(MICROS_PER_DAY)))
        })],
    },
];

fn no_zone() -> Error {
    Error::internal("a statement without a time zone")
}

fn read(_: &Kept, args: &[Arg]) -> Result<(i64, Option<i64>), Error> {
    parse::read(args[0].text(), &pattern::read(args[1].text(), true))
}

fn moment(micros: i64, zone: Option<Zone>, template: &str) -> Result<Out, Error> {
    if !is_finite(micros) || template.is_empty() {
        return Ok(Out::Null);
    }
    let (local, zone) = match zone {
        Some(zone) => {
            let offset = zone.offset_at(micros);
            (local_of(micros, zone), Some((offset, called(zone, micros))))
        }
        None => (micros, None),
    };
    printed(&Fields::of_clock(local, zone), template)
}

/// What a zone is called at an instant: `CEST`, or `+02`.
fn called(zone: Zone, micros: i64) -> String {
    let offset = |seconds: i32| {
        let sign = if seconds < 0 { '-' } else { '+' };
        match seconds.abs() % 3600 / 60 {
            0 => format!("{sign}{:02}", seconds.abs() / 3600),
            minutes => format!("{sign}{:02}:{minutes:02}", seconds.abs() / 3600),
        }
    };
    match zone {
        Zone::Fixed(fixed) => offset(fixed.local_minus_utc()),
        Zone::Named(tz) => match chrono::DateTime::from_timestamp_micros(micros) {
            Some(utc) => {
                let at = tz.offset_from_utc_datetime(&utc.naive_utc());
                let seconds = at.fix().local_minus_utc();
                at.abbreviation()
                    .map_or_else(|| offset(seconds), str::to_owned)
            }
            None => String::new(),
        },
    }
}

fn printed(fields: &Fields, template: &str) -> Result<Out, Error> {
    match date::printed(&pattern::read(template, true), fields) {
        Ok(text) => Ok(Out::Text(text)),
        Err(message) => Err(Error::new(SqlState::InvalidDatetimeFormat, message)
            .with_hint("Intervals are not tied to specific calendar dates.")),
    }
}

fn number(value: &Number, args: &[Arg]) -> Result<Out, Error> {
    match args[1].text() {
        "" => Ok(Out::Text(String::new())),
        template => number::printed(value, &pattern::read(template, false)).map(Out::Text),
    }
}

//! Dates, timestamps and intervals made and taken apart (`timestamp.c` and `date.c` of PostgreSQL).

use inflowave_types::{Error, SqlState};

use super::{Arg, Kept, Out, Overload, Plain, T};
use crate::temporal::{
    MICROS_PER_DAY, MICROS_PER_SECOND, Zone, civil_of_days, days_in_month, days_of_civil,
    is_finite, local_of, utc_of,
};

type Result<V> = std::result::Result<V, Error>;

const DAYS_PER_MONTH: i32 = 30;
const UTC: Zone = Zone::Named(chrono_tz::Tz::UTC);
/// The years of dates and timestamps made here.
const YEARS: std::ops::RangeInclusive<i64> = -4713..=294_276;

pub(super) const ALL: &[Plain] = &[
    Plain {
        name: "date_bin",
        overloads: &[
            overload!([T::Interval, T::Timestamp, T::Timestamp] => T::Timestamp, |_, args| bin(args)),
            overload!([T::Interval, T::Timestamptz, T::Timestamptz] => T::Timestamptz, |_, args| {
                bin(args)
            }),
        ],
    },
    Plain {
        name: "age",
        overloads: &[
            overload!([T::Timestamp, T::Timestamp] => T::Interval, |_, args| {
                age(args[0].int(), args[1].int())
            }),
            overload!([T::Timestamptz, T::Timestamptz] => T::Interval, |kept, args| {
                let zone = kept.zone.unwrap_or(UTC);
                age(local_of(args[0].int(), zone), local_of(args[1].int(), zone))
            }),
        ],
    },
    Plain {
        name: "justify_days",
        overloads: &[overload!([T::Interval] => T::Interval, |_, args| {
            let (mut span, time) = (args[0].span(), args[0].span().2);
            days_to_months(&mut span);
            settle_months(&mut span, 0);
            Ok(Out::Span(span.0, span.1, time))
        })],
    },
    Plain {
        name: "justify_hours",
        overloads: &[overload!([T::Interval] => T::Interval, |_, args| {
            let mut span = args[0].span();
            time_to_days(&mut span)?;
            settle_days(&mut span);
            Ok(Out::Span(span.0, span.1, span.2))
        })],
    },
    Plain {
        name: "justify_interval",
        overloads: &[overload!([T::Interval] => T::Interval, |_, args| {
            let mut span = args[0].span();
            // First, so that the sum of days does not overflow.
            if (span.1 > 0 && span.2 > 0) || (span.1 < 0 && span.2 < 0) {
                days_to_months(&mut span);
            }
            time_to_days(&mut span)?;
            days_to_months(&mut span);
            let time = span.2;
            settle_months(&mut span, time);
            settle_days(&mut span);
            Ok(Out::Span(span.0, span.1, span.2))
        })],
    },
    Plain {
        name: "make_interval",
        overloads: &[
            overload!([] => T::Interval, |_, args| make_interval(args)),
            overload!([T::Int4] => T::Interval, |_, args| make_interval(args)),
            overload!([T::Int4, T::Int4] => T::Interval, |_, args| make_interval(args)),
            overload!([T::Int4, T::Int4, T::Int4] => T::Interval, |_, args| make_interval(args)),
            overload!([T::Int4, T::Int4, T::Int4, T::Int4] => T::Interval, |_, args| {
                make_interval(args)
            }),
            overload!([T::Int4, T::Int4, T::Int4, T::Int4, T::Int4] => T::Interval, |_, args| {
                make_interval(args)
            }),
            overload!(
                [T::Int4, T::Int4, T::Int4, T::Int4, T::Int4, T::Int4] => T::Interval,
                |_, args| make_interval(args)
            ),
            overload!(
                [T::Int4, T::Int4, T::Int4, T::Int4, T::Int4, T::Int4, T::Float8] => T::Interval,
                |_, args| make_interval(args)
            ),
        ],
    },
    // DataFusion's knows no years before Christ.
    Plain {
        name: "make_date",
        overloads: &[
            overload!([T::Int4, T::Int4, T::Int4] => T::Date, |_, args| {
                Ok(Out::Int(date(args)?))
            }),
        ],
    },
    Plain {
        name: "make_time",
        overloads: &[
            overload!([T::Int4, T::Int4, T::Float8] => T::Time, |_, args| {
                Ok(Out::Int(time(args)?))
            }),
        ],
    },
    Plain {
        name: "make_timestamp",
        overloads: &[overload!(
            [T::Int4, T::Int4, T::Int4, T::Int4, T::Int4, T::Float8] => T::Timestamp,
            |_, args| Ok(Out::Int(moment(args)?))
        )],
    },
    Plain {
        name: "make_timestamptz",
        overloads: &[
            overload!(
                [T::Int4, T::Int4, T::Int4, T::Int4, T::Int4, T::Float8] => T::Timestamptz,
                |kept, args| {
                    let zone = kept.zone.unwrap_or(UTC);
                    Ok(Out::Int(utc_of(moment(args)?, zone)))
                }
            ),
            overload!(
                [T::Int4, T::Int4, T::Int4, T::Int4, T::Int4, T::Float8, T::Text] => T::Timestamptz,
                in_zone
            ),
        ],
    },
    Plain {
        name: "isfinite",
        overloads: &[
            overload!([T::Date] => T::Bool, |_, args| {
                let days = args[0].int();
                Ok(Out::Bool(days != i64::from(i32::MAX) && days != i64::from(i32::MIN)))
            }),
            overload!([T::Timestamp] => T::Bool, |_, args| Ok(Out::Bool(is_finite(args[0].int())))),
            overload!([T::Timestamptz] => T::Bool, |_, args| Ok(Out::Bool(is_finite(args[0].int())))),
            overload!([T::Interval] => T::Bool, |_, _| Ok(Out::Bool(true))),
        ],
    },
];

fn out_of_range(message: impl Into<String>) -> Error {
    Error::new(SqlState::DatetimeFieldOverflow, message)
}

/// The start of the stride that holds a moment, counted from an origin.
fn bin(args: &[Arg]) -> Result<Out> {
    let ((months, days, time), moment, origin) = (args[0].span(), args[1].int(), args[2].int());
    if !is_finite(moment) {
        return Ok(Out::Int(moment));
    }
    if !is_finite(origin) {
        return Err(out_of_range("origin out of range"));
    }
    if months != 0 {
        return Err(Error::unsupported(
            "timestamps cannot be binned into intervals containing months or years",
        ));
    }
    let stride = i128::from(days) * i128::from(MICROS_PER_DAY) + i128::from(time);
    if stride <= 0 {
        return Err(out_of_range("stride must be greater than zero"));
    }
    let passed = i128::from(moment) - i128::from(origin);
    let start = i128::from(origin) + passed.div_euclid(stride) * stride;
    let start = i64::try_from(start).ok().filter(|start| is_finite(*start));
    start
        .map(Out::Int)
        .ok_or_else(|| out_of_range("timestamp out of range"))
}

/// The parts of a moment's calendar and clock: year, month, day, and microseconds of the day.
fn parts(micros: i64) -> (i64, u32, u32, i64) {
    let (year, month, day) = civil_of_days(micros.div_euclid(MICROS_PER_DAY));
    (year, month, day, micros.rem_euclid(MICROS_PER_DAY))
}

/// From the later to the earlier in years, months and days of the calendar, and the other way with a
/// minus.
fn age(a: i64, b: i64) -> Result<Out> {
    if !is_finite(a) || !is_finite(b) {
        return Err(out_of_range("interval out of range"));
    }
    let (from, to) = (parts(a), parts(b));
    let sign = if a < b { -1 } else { 1 };
    let mut time = sign * (from.3 - to.3);
    let mut days = sign * (i64::from(from.2) - i64::from(to.2));
    let mut months = sign * (i64::from(from.1) - i64::from(to.1));
    let mut years = sign * (from.0 - to.0);
    if time < 0 {
        time += MICROS_PER_DAY;
        days -= 1;
    }
    while days < 0 {
        // The month of the earlier one is as long as it is.
        let (year, month) = if sign < 0 {
            (from.0, from.1)
        } else {
            (to.0, to.1)
        };
        days += i64::from(days_in_month(year, month));
        months -= 1;
    }
    while months < 0 {
        months += 12;
        years -= 1;
    }
    let months = sign * (years * 12 + months);
    Ok(Out::Span(months as i32, (sign * days) as i32, sign * time))
}

type Span = (i32, i32, i64);

fn days_to_months(span: &mut Span) {
    let whole = span.1 / DAYS_PER_MONTH;
    span.1 -= whole * DAYS_PER_MONTH;
    span.0 = span.0.saturating_add(whole);
}

fn time_to_days(span: &mut Span) -> Result<()> {
    let whole = span.2 / MICROS_PER_DAY;
    span.2 -= whole * MICROS_PER_DAY;
    let days = i64::from(span.1) + whole;
    span.1 = i32::try_from(days).map_err(|_| out_of_range("interval out of range"))?;
    Ok(())
}

/// Months and days of one sign; `time` is that of what stands behind the days.
fn settle_months(span: &mut Span, time: i64) {
    if span.0 > 0 && (span.1 < 0 || (span.1 == 0 && time < 0)) {
        span.1 += DAYS_PER_MONTH;
        span.0 -= 1;
    } else if span.0 < 0 && (span.1 > 0 || (span.1 == 0 && time > 0)) {
        span.1 -= DAYS_PER_MONTH;
        span.0 += 1;
    }
}

/// Days and time of one sign.
fn settle_days(span: &mut Span) {
    if span.1 > 0 && span.2 < 0 {
        span.2 += MICROS_PER_DAY;
        span.1 -= 1;
    } else if span.1 < 0 && span.2 > 0 {
        span.2 -= MICROS_PER_DAY;
        span.1 += 1;
    }
}

/// Years, months, weeks, days, hours, minutes and seconds, as many as are given.
fn make_interval(args: &[Arg]) -> Result<Out> {
    let beyond = || out_of_range("interval out of range");
    let part = |at: usize| args.get(at).map_or(0, Arg::int);
    let months = part(0) * 12 + part(1);
    let days = part(2) * 7 + part(3);
    let seconds = args.get(6).map_or(0.0, Arg::float);
    let micros = (seconds * MICROS_PER_SECOND as f64).round_ties_even();
    if !micros.is_finite() || micros.abs() >= 9.2e18 {
        return Err(beyond());
    }
    let time = (part(4) * 3600 + part(5) * 60) * MICROS_PER_SECOND;
    Ok(Out::Span(
        i32::try_from(months).map_err(|_| beyond())?,
        i32::try_from(days).map_err(|_| beyond())?,
        time.checked_add(micros as i64).ok_or_else(beyond)?,
    ))
}

/// An hour, a minute and seconds as microseconds of a day, to its end.
fn time(args: &[Arg]) -> Result<i64> {
    let (hour, minute, seconds) = (args[0].int(), args[1].int(), args[2].float());
    let valid = (0..=24).contains(&hour)
        && (0..60).contains(&minute)
        && (0.0..=60.0).contains(&seconds)
        && (hour < 24 || (minute == 0 && seconds == 0.0));
    if !valid {
        return Err(out_of_range(format!(
            "time field value out of range: {hour}:{minute:02}:{seconds:02}"
        )));
    }
    let micros = (seconds * MICROS_PER_SECOND as f64).round_ties_even() as i64;
    Ok((hour * 3600 + minute * 60) * MICROS_PER_SECOND + micros)
}

/// The day of a year, which is before Christ where it is negative, a month and a day.
fn date(args: &[Arg]) -> Result<i64> {
    let (given, month, day) = (args[0].int(), args[1].int(), args[2].int());
    let year = if given < 0 { given + 1 } else { given };
    let date = u32::try_from(month).ok().zip(u32::try_from(day).ok());
    let date = date.filter(|(month, day)| {
        given != 0
            && YEARS.contains(&year)
            && (1..=12).contains(month)
            && (1..=days_in_month(year, *month)).contains(day)
    });
    let Some((month, day)) = date else {
        return Err(out_of_range(format!(
            "date field value out of range: {given}-{month:02}-{day:02}"
        )));
    };
    Ok(days_of_civil(year, month, day))
}

/// A date, an hour, a minute and seconds.
fn moment(args: &[Arg]) -> Result<i64> {
    Ok(date(args)? * MICROS_PER_DAY + time(&args[3..])?)
}

fn in_zone(_: &mut Kept, args: &[Arg]) -> Result<Out> {
    let name = args[6].text();
    let zone = Zone::parse(name).ok_or_else(|| {
        Error::new(
            SqlState::InvalidParameterValue,
            format!("time zone \"{name}\" not recognized"),
        )
    })?;
    Ok(Out::Int(utc_of(moment(args)?, zone)))
}

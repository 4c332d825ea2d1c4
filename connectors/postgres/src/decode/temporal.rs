//! Dates, times, timestamps and intervals. PostgreSQL counts from 2000-01-01, Arrow from 1970.
//!
//! `infinity` and `-infinity` have no place in Arrow and are errors (`22008`), as is the time of
//! day `24:00:00`; an interval of more than 292 years of *time* (not months) overflows Arrow's
//! nanoseconds and is `22015`.

use arrow::datatypes::{
    DataType, Date32Type, IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use inflowave_types::SqlState;
use tokio_postgres::types::Type;

use super::fixed::primitive;
use super::{Decode, Flaw, exactly};

const EPOCH_DAYS: i32 = 10_957;
const EPOCH_US: i64 = 946_684_800_000_000;
const DAY_US: i64 = 86_400_000_000;

pub(super) fn decoder(source: &Type, target: &DataType) -> Option<Box<dyn Decode>> {
    Some(match target {
        DataType::Date32 if *source == Type::DATE => primitive::<Date32Type>(target, |bytes| {
            let days = i32::from_be_bytes(exactly(bytes)?);
            match days {
                i32::MAX => Err(infinite("infinity", "date")),
                i32::MIN => Err(infinite("-infinity", "date")),
                _ => days
                    .checked_add(EPOCH_DAYS)
                    .ok_or_else(|| Flaw::malformed(bytes)),
            }
        }),
        DataType::Timestamp(TimeUnit::Microsecond, zone)
            if *source
                == if zone.is_some() {
                    Type::TIMESTAMPTZ
                } else {
                    Type::TIMESTAMP
                } =>
        {
            primitive::<TimestampMicrosecondType>(target, |bytes| {
                let us = i64::from_be_bytes(exactly(bytes)?);
                match us {
                    i64::MAX => Err(infinite("infinity", "timestamp")),
                    i64::MIN => Err(infinite("-infinity", "timestamp")),
                    _ => us
                        .checked_add(EPOCH_US)
                        .ok_or_else(|| Flaw::malformed(bytes)),
                }
            })
        }
        DataType::Time64(TimeUnit::Microsecond) if *source == Type::TIME => {
            primitive::<Time64MicrosecondType>(target, |bytes| {
                let us = i64::from_be_bytes(exactly(bytes)?);
                match us {
                    0..DAY_US => Ok(us),
                    DAY_US => Err(Flaw::new(
                        SqlState::DatetimeFieldOverflow,
                        "24:00:00",
                        "is beyond the last time of a day that can be represented",
                    )),
                    _ => Err(Flaw::malformed(bytes)),
                }
            })
        }
        DataType::Interval(IntervalUnit::MonthDayNano) if *source == Type::INTERVAL => {
            primitive::<IntervalMonthDayNanoType>(target, |bytes| {
                let bytes: [u8; 16] = exactly(bytes)?;
                let (us, rest) = bytes.split_at(8);
                let (days, months) = rest.split_at(4);
                let us = i64::from_be_bytes(exactly(us)?);
                let ns = us.checked_mul(1000).ok_or_else(|| {
                    Flaw::new(
                        SqlState::IntervalFieldOverflow,
                        format!("of {us} microseconds"),
                        "is out of range for an interval of nanoseconds",
                    )
                })?;
                Ok(IntervalMonthDayNano::new(
                    i32::from_be_bytes(exactly(months)?),
                    i32::from_be_bytes(exactly(days)?),
                    ns,
                ))
            })
        }
        _ => return None,
    })
}

/// `timetz` as PostgreSQL prints it: `12:30:00.5+02`.
pub(super) fn write_timetz(bytes: &[u8], out: &mut String) -> Result<(), Flaw> {
    let bytes: [u8; 12] = exactly(bytes)?;
    let (us, zone) = bytes.split_at(8);
    let us = i64::from_be_bytes(exactly(us)?);
    // Seconds west of Greenwich.
    let zone = i32::from_be_bytes(exactly(zone)?);
    if !(0..=DAY_US).contains(&us) {
        return Err(Flaw::malformed(&bytes));
    }
    let seconds = us / 1_000_000;
    out.push_str(&format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    ));
    let fraction = us % 1_000_000;
    if fraction != 0 {
        out.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    let east = zone.unsigned_abs();
    out.push(if zone <= 0 { '+' } else { '-' });
    out.push_str(&format!("{:02}", east / 3600));
    if east % 3600 != 0 {
        out.push_str(&format!(":{:02}", east / 60 % 60));
        if east % 60 != 0 {
            out.push_str(&format!(":{:02}", east % 60));
        }
    }
    Ok(())
}

fn infinite(value: &str, kind: &str) -> Flaw {
    Flaw::new(
        SqlState::DatetimeFieldOverflow,
        value,
        format!("is not a {kind} that can be represented"),
    )
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::decode::testing::one;

    #[test]
    fn the_epochs_differ() {
        let date = one(&Type::DATE, &DataType::Date32, &0i32.to_be_bytes()).unwrap();
        assert_eq!(date.as_primitive::<Date32Type>().value(0), 10_957);
        let target = DataType::Timestamp(TimeUnit::Microsecond, None);
        let array = one(&Type::TIMESTAMP, &target, &(-EPOCH_US).to_be_bytes()).unwrap();
        assert_eq!(array.as_primitive::<TimestampMicrosecondType>().value(0), 0);
    }

    #[test]
    fn infinity_is_an_error() {
        let flaw = one(&Type::DATE, &DataType::Date32, &i32::MAX.to_be_bytes()).unwrap_err();
        assert_eq!(
            (flaw.sqlstate, flaw.value.as_str()),
            (SqlState::DatetimeFieldOverflow, "infinity")
        );
        let target = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let flaw = one(&Type::TIMESTAMPTZ, &target, &i64::MIN.to_be_bytes()).unwrap_err();
        assert_eq!(flaw.value, "-infinity");
    }

    #[test]
    fn an_interval_keeps_its_three_parts() {
        let target = DataType::Interval(IntervalUnit::MonthDayNano);
        let mut bytes = (-1_500_000i64).to_be_bytes().to_vec();
        bytes.extend(3i32.to_be_bytes());
        bytes.extend((-14i32).to_be_bytes());
        let array = one(&Type::INTERVAL, &target, &bytes).unwrap();
        assert_eq!(
            array.as_primitive::<IntervalMonthDayNanoType>().value(0),
            IntervalMonthDayNano::new(-14, 3, -1_500_000_000)
        );
        bytes[..8].copy_from_slice(&(i64::MAX / 999).to_be_bytes());
        let flaw = one(&Type::INTERVAL, &target, &bytes).unwrap_err();
        assert_eq!(flaw.sqlstate, SqlState::IntervalFieldOverflow);
    }

    #[test]
    fn times_end_before_midnight() {
        let target = DataType::Time64(TimeUnit::Microsecond);
        assert!(one(&Type::TIME, &target, &(DAY_US - 1).to_be_bytes()).is_ok());
        let flaw = one(&Type::TIME, &target, &DAY_US.to_be_bytes()).unwrap_err();
        assert_eq!(flaw.value, "24:00:00");
    }

    #[test]
    fn a_time_with_zone_prints_as_postgres_prints_it() {
        for (us, zone, text) in [
            (45_000_500_000, -7200, "12:30:00.5+02"),
            (0, 0, "00:00:00+00"),
            (DAY_US, 16_200, "24:00:00-04:30"),
            (1, -3_661, "00:00:00.000001+01:01:01"),
        ] {
            let mut bytes = i64::to_be_bytes(us).to_vec();
            bytes.extend(i32::to_be_bytes(zone));
            let mut out = String::new();
            write_timetz(&bytes, &mut out).unwrap();
            assert_eq!(out, text);
        }
    }
}

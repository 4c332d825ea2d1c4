//! The parts of literals that all dialects write alike.

use arrow::datatypes::i256;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use datafusion_common::ScalarValue;

use crate::value::{Answer, refuse};

/// A constant in the form in which literals are written; texts are not among them: they are bound.
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Int(i128),
    /// Digits with their point, such as `-0.06`, and their count (all, behind the point).
    Decimal(String, (u32, u32)),
    Float32(f32),
    Float64(f64),
    /// `1995-01-01`
    Date(String),
    /// `1995-01-01 00:00:00.000000`
    Timestamp {
        text: String,
        utc: bool,
    },
    /// `10:00:00.000000`
    Time(String),
    /// Hexadecimal digits.
    Binary(String),
}

pub(crate) fn plain(value: &ScalarValue) -> Answer<Plain> {
    if value.is_null() {
        return Ok(Plain::Null);
    }
    Ok(match value {
        ScalarValue::Boolean(Some(v)) => Plain::Bool(*v),
        ScalarValue::Int8(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::Int16(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::Int32(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::Int64(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::UInt8(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::UInt16(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::UInt32(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::UInt64(Some(v)) => Plain::Int(i128::from(*v)),
        ScalarValue::Decimal128(Some(v), _, s) => decimal(i256::from_i128(*v), *s)?,
        ScalarValue::Decimal256(Some(v), _, s) => decimal(*v, *s)?,
        ScalarValue::Float32(Some(v)) => Plain::Float32(*v),
        ScalarValue::Float64(Some(v)) => Plain::Float64(*v),
        ScalarValue::Date32(Some(days)) => Plain::Date(date(*days)?),
        ScalarValue::TimestampMicrosecond(Some(micros), zone) => Plain::Timestamp {
            text: timestamp(*micros)?,
            utc: zone.is_some(),
        },
        ScalarValue::Time64Microsecond(Some(micros)) => Plain::Time(time(*micros)?),
        ScalarValue::Binary(Some(b))
        | ScalarValue::LargeBinary(Some(b))
        | ScalarValue::BinaryView(Some(b)) => {
            Plain::Binary(b.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        other => {
            return refuse(format!(
                "a constant of the type {} is not sent to a source",
                other.data_type()
            ));
        }
    })
}

fn decimal(unscaled: i256, scale: i8) -> Answer<Plain> {
    let Ok(scale) = usize::try_from(scale) else {
        return refuse("decimals of a negative scale are computed here");
    };
    let text = unscaled.to_string();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let text = if scale == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    };
    let count = (u32::try_from(digits.len()), u32::try_from(scale));
    match count {
        (Ok(all), Ok(behind)) => Ok(Plain::Decimal(text, (all, behind))),
        _ => refuse("a decimal of too many digits"),
    }
}

/// Dates outside of these years are written in other ways by each source.
fn plain_year(year: i32) -> Answer<()> {
    if (1..=9999).contains(&year) {
        Ok(())
    } else {
        refuse("a date outside of the years 1 to 9999 is not sent to a source")
    }
}

fn date(days: i32) -> Answer<String> {
    let date = NaiveDate::from_epoch_days(days);
    let Some(date) = date else {
        return refuse("a date outside of the years 1 to 9999 is not sent to a source");
    };
    plain_year(date.year())?;
    Ok(date.format("%Y-%m-%d").to_string())
}

fn timestamp(micros: i64) -> Answer<String> {
    let Some(moment) = DateTime::from_timestamp_micros(micros) else {
        return refuse("a date outside of the years 1 to 9999 is not sent to a source");
    };
    let moment: NaiveDateTime = moment.naive_utc();
    plain_year(moment.year())?;
    Ok(moment.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

fn time(micros: i64) -> Answer<String> {
    let seconds = u32::try_from(micros.div_euclid(1_000_000)).ok();
    let nanos = u32::try_from(micros.rem_euclid(1_000_000) * 1000).ok();
    let time = seconds
        .zip(nanos)
        .and_then(|(s, n)| NaiveTime::from_num_seconds_from_midnight_opt(s, n));
    match time {
        Some(time) => Ok(time.format("%H:%M:%S%.6f").to_string()),
        None => refuse("a time outside of the day is not sent to a source"),
    }
}

/// A finite number with an exponent, which no dialect reads as a decimal; its digits read back as
/// the same number.
pub(crate) fn float_digits(value: f64) -> String {
    format!("{value:e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: ScalarValue) -> String {
        match plain(&value).unwrap() {
            Plain::Decimal(t, _) | Plain::Date(t) | Plain::Time(t) => t,
            Plain::Timestamp { text, .. } => text,
            Plain::Binary(t) => t,
            _ => panic!("another kind"),
        }
    }

    #[test]
    fn decimals_keep_their_digits() {
        let decimal = |v, s| text(ScalarValue::Decimal128(Some(v), 38, s));
        assert_eq!(decimal(6, 2), "0.06");
        assert_eq!(decimal(-6, 2), "-0.06");
        assert_eq!(decimal(-12345, 2), "-123.45");
        assert_eq!(decimal(7, 0), "7");
        assert_eq!(decimal(0, 3), "0.000");
    }

    #[test]
    fn times_are_written_in_full() {
        assert_eq!(text(ScalarValue::Date32(Some(-719162))), "0001-01-01");
        assert_eq!(
            text(ScalarValue::TimestampMicrosecond(Some(-1), None)),
            "1969-12-31 23:59:59.999999"
        );
        assert_eq!(
            text(ScalarValue::Time64Microsecond(Some(86_399_999_999))),
            "23:59:59.999999"
        );
        assert!(plain(&ScalarValue::Date32(Some(-719163))).is_err());
        assert!(plain(&ScalarValue::Date32(Some(i32::MAX))).is_err());
    }

    #[test]
    fn a_float_reads_back() {
        for v in [0.1, -0.0, 1e300, 5e-324, f64::MAX, 123456789.125] {
            let back: f64 = float_digits(v).parse().unwrap();
            assert_eq!(back.to_bits(), v.to_bits());
        }
    }
}

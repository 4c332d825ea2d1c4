//! One value of a row, the same whichever side it came from: Arrow batches of ours, or the text
//! that PostgreSQL sends.

use std::cmp::Ordering;
use std::fmt;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use inflowave_types::{Error, Result};

use crate::Decimal;

/// A value, NULL included. Times count microseconds; dates count days from 1970-01-01.
#[derive(Debug, Clone)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    /// A numeric that is not a number, which PostgreSQL has and we do not.
    DecimalNan,
    Text(String),
    Bytes(Vec<u8>),
    Date(i32),
    Time(i64),
    Timestamp(i64),
    TimestampTz(i64),
    Interval {
        months: i32,
        days: i32,
        micros: i64,
    },
    List(Vec<Value>),
}

impl Value {
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// `2024-02-29`.
    ///
    /// # Panics
    /// If it is no date.
    pub fn date(text: &str) -> Value {
        parse_date(text).expect("a date")
    }

    /// `2024-02-29 12:30:00.000001`.
    ///
    /// # Panics
    /// If it is no timestamp.
    pub fn timestamp(text: &str) -> Value {
        Value::Timestamp(parse_timestamp(text).expect("a timestamp"))
    }

    /// The same in UTC, as a timestamp with time zone.
    ///
    /// # Panics
    /// If it is no timestamp.
    pub fn timestamptz(text: &str) -> Value {
        Value::TimestampTz(parse_timestamp(text).expect("a timestamp"))
    }

    /// # Panics
    /// If it is no decimal.
    pub fn decimal(text: &str) -> Value {
        Value::Decimal(text.parse().expect("a decimal"))
    }

    /// The value of one row of an Arrow array.
    ///
    /// # Errors
    /// `XX000` for a type that no PostgreSQL type stands for.
    pub fn from_array(array: &ArrayRef, row: usize) -> Result<Value> {
        if array.is_null(row) {
            return Ok(Value::Null);
        }
        Ok(match array.data_type() {
            DataType::Null => Value::Null,
            DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
            DataType::Int8 => Value::Int(array.as_primitive::<Int8Type>().value(row).into()),
            DataType::Int16 => Value::Int(array.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
            DataType::UInt8 => Value::Int(array.as_primitive::<UInt8Type>().value(row).into()),
            DataType::UInt16 => Value::Int(array.as_primitive::<UInt16Type>().value(row).into()),
            DataType::UInt32 => Value::Int(array.as_primitive::<UInt32Type>().value(row).into()),
            DataType::UInt64 => Value::Decimal(Decimal::new(
                array.as_primitive::<UInt64Type>().value(row).into(),
                0,
            )),
            DataType::Float32 => {
                // PostgreSQL prints a float4 by its own shortest digits; going through text keeps
                // 0.1 equal to 0.1.
                let value = array.as_primitive::<Float32Type>().value(row);
                Value::Float(value.to_string().parse().unwrap_or(f64::NAN))
            }
            DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
            DataType::Decimal128(_, _) => {
                let array = array.as_primitive::<Decimal128Type>();
                decimal(&array.value_as_string(row))?
            }
            DataType::Decimal256(_, _) => {
                let array = array.as_primitive::<Decimal256Type>();
                decimal(&array.value_as_string(row))?
            }
            DataType::Utf8 => Value::text(array.as_string::<i32>().value(row)),
            DataType::LargeUtf8 => Value::text(array.as_string::<i64>().value(row)),
            DataType::Utf8View => Value::text(array.as_string_view().value(row)),
            DataType::Binary => Value::Bytes(array.as_binary::<i32>().value(row).to_vec()),
            DataType::LargeBinary => Value::Bytes(array.as_binary::<i64>().value(row).to_vec()),
            DataType::BinaryView => Value::Bytes(array.as_binary_view().value(row).to_vec()),
            DataType::Date32 => Value::Date(array.as_primitive::<Date32Type>().value(row)),
            DataType::Time64(TimeUnit::Microsecond) => {
                Value::Time(array.as_primitive::<Time64MicrosecondType>().value(row))
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                match zone {
                    None => Value::Timestamp(micros),
                    Some(_) => Value::TimestampTz(micros),
                }
            }
            DataType::Interval(arrow::datatypes::IntervalUnit::MonthDayNano) => {
                let v = array.as_primitive::<IntervalMonthDayNanoType>().value(row);
                Value::Interval {
                    months: v.months,
                    days: v.days,
                    micros: v.nanoseconds / 1000,
                }
            }
            DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
            DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
            other => {
                return Err(Error::internal(format!(
                    "a result column has the Arrow type {other}, which no PostgreSQL type stands for"
                )));
            }
        })
    }

    /// What a value is called in a message about a type that does not fit.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) => "integer",
            Value::Float(_) => "float",
            Value::Decimal(_) | Value::DecimalNan => "numeric",
            Value::Text(_) => "text",
            Value::Bytes(_) => "bytea",
            Value::Date(_) => "date",
            Value::Time(_) => "time",
            Value::Timestamp(_) => "timestamp",
            Value::TimestampTz(_) => "timestamptz",
            Value::Interval { .. } => "interval",
            Value::List(_) => "array",
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Value::Bool(_) => 0,
            Value::Int(_) => 1,
            Value::Float(_) => 2,
            Value::Decimal(_) => 3,
            Value::DecimalNan => 4,
            Value::Text(_) => 5,
            Value::Bytes(_) => 6,
            Value::Date(_) => 7,
            Value::Time(_) => 8,
            Value::Timestamp(_) => 9,
            Value::TimestampTz(_) => 10,
            Value::Interval { .. } => 11,
            Value::List(_) => 12,
            Value::Null => 13,
        }
    }

    /// A total order: PostgreSQL's within a type (NaN last and equal to itself, -0.0 equal to
    /// 0.0, text by bytes), NULL after everything, types in a fixed order.
    pub fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Float(a), Value::Float(b)) => float_order(*a, *b),
            (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
            (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Date(a), Value::Date(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b))
            | (Value::Timestamp(a), Value::Timestamp(b))
            | (Value::TimestampTz(a), Value::TimestampTz(b)) => a.cmp(b),
            (
                Value::Interval {
                    months: m1,
                    days: d1,
                    micros: u1,
                },
                Value::Interval {
                    months: m2,
                    days: d2,
                    micros: u2,
                },
            ) => (m1, d1, u1).cmp(&(m2, d2, u2)),
            (Value::List(a), Value::List(b)) => a
                .iter()
                .zip(b)
                .map(|(x, y)| x.order(y))
                .find(|o| o.is_ne())
                .unwrap_or_else(|| a.len().cmp(&b.len())),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// Equal to the last bit: `-0.0` is not `0.0` here, and a scale counts. For type round trips.
    pub fn is_identical(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Float(a), Value::Float(b)) => {
                a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
            }
            (Value::Decimal(a), Value::Decimal(b)) => a == b && a.scale() == b.scale(),
            (a, b) => a == b,
        }
    }
}

/// `-0.0` = `0.0`, NaN = NaN and after everything else.
fn float_order(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
    }
}

impl PartialEq for Value {
    /// NULL equals NULL here: two answers are compared, not two SQL values.
    fn eq(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }
}

impl fmt::Display for Value {
    /// As PostgreSQL prints it, text in quotes: `'a '`, `NULL`, `-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Text(text) => write!(f, "'{}'", text.escape_debug()),
            Value::List(values) => {
                f.write_str("{")?;
                for (i, value) in values.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str("}")
            }
            other => f.write_str(&plain(other)),
        }
    }
}

/// The text that PostgreSQL's input functions read back, without quotes.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null | Value::List(_) => value.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(x) if x.is_nan() => "NaN".to_owned(),
        Value::Float(x) if x.is_infinite() => {
            (if *x > 0.0 { "Infinity" } else { "-Infinity" }).to_owned()
        }
        Value::Float(x) => {
            let size = x.abs();
            if size != 0.0 && !(1e-5..1e16).contains(&size) {
                format!("{x:e}")
            } else {
                x.to_string()
            }
        }
        Value::Decimal(d) => d.to_string(),
        Value::DecimalNan => "NaN".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            format!("\\x{hex}")
        }
        Value::Date(days) => date_text(*days),
        Value::Time(micros) => time_text(*micros),
        Value::Timestamp(micros) => timestamp_text(*micros),
        Value::TimestampTz(micros) => format!("{}+00", timestamp_text(*micros)),
        Value::Interval {
            months,
            days,
            micros,
        } => format!("{months} mons {days} days {micros} us"),
    }
}

fn decimal(text: &str) -> Result<Value> {
    text.parse()
        .map(Value::Decimal)
        .map_err(|()| Error::internal(format!("{text} is not a decimal")))
}

fn list(values: &ArrayRef) -> Result<Value> {
    (0..values.len())
        .map(|row| Value::from_array(values, row))
        .collect::<Result<Vec<_>>>()
        .map(Value::List)
}

fn date_text(days: i32) -> String {
    match NaiveDate::from_epoch_days(days) {
        Some(d) => format!("{:04}-{:02}-{:02}", d.year(), d.month(), d.day()),
        None => format!("day {days}"),
    }
}

fn time_text(micros: i64) -> String {
    let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    if rest != 0 {
        text.push_str(format!(".{rest:06}").trim_end_matches('0'));
    }
    text
}

fn timestamp_text(micros: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let days = i32::try_from(micros.div_euclid(DAY)).unwrap_or(i32::MAX);
    format!("{} {}", date_text(days), time_text(micros.rem_euclid(DAY)))
}

/// `2024-02-29`, as days.
pub fn parse_date(text: &str) -> Option<Value> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(Value::Date(date.to_epoch_days()))
}

/// `12:30:00.5`, as microseconds.
pub fn parse_time(text: &str) -> Option<i64> {
    if text == "24:00:00" {
        return Some(86_400_000_000);
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").ok()?;
    Some(
        i64::from(time.num_seconds_from_midnight()) * 1_000_000
            + i64::from(time.nanosecond()) / 1000,
    )
}

/// `2024-02-29 12:30:00.5`, with or without `+00`, as microseconds.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    let Value::Date(days) = parse_date(date)? else {
        return None;
    };
    let time = time.strip_suffix("+00").unwrap_or(time);
    Some(i64::from(days) * 86_400_000_000 + parse_time(time)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_from_their_text() {
        for text in [
            "0001-01-01 00:00:00",
            "9999-12-31 23:59:59.999999",
            "1969-12-31 23:59:59.5",
        ] {
            assert_eq!(plain(&Value::timestamp(text)), text);
        }
        assert_eq!(plain(&Value::date("0001-01-01")), "0001-01-01");
        let Value::Date(days) = Value::date("1970-01-02") else {
            panic!("a date")
        };
        assert_eq!(days, 1);
    }

    #[test]
    fn floats_compare_as_postgresql_does() {
        assert_eq!(Value::Float(f64::NAN), Value::Float(f64::NAN));
        assert_eq!(Value::Float(-0.0), Value::Float(0.0));
        assert!(!Value::Float(-0.0).is_identical(&Value::Float(0.0)));
        assert_eq!(
            Value::Float(f64::NAN).order(&Value::Float(f64::INFINITY)),
            Ordering::Greater
        );
        assert_ne!(Value::Int(1), Value::Float(1.0));
    }

    #[test]
    fn floats_print_so_that_they_read_back() {
        for x in [
            1e300,
            -1.5e-300,
            0.1,
            12345.678,
            -0.0,
            f64::MIN_POSITIVE,
            f64::MAX,
        ] {
            let back: f64 = plain(&Value::Float(x)).parse().unwrap();
            assert_eq!(back.to_bits(), x.to_bits());
        }
    }
}

//! Values of a remote query as parameters of the protocol, in binary.

use std::error::Error as StdError;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::i256;
use bytes::{BufMut, BytesMut};
use datafusion_common::ScalarValue;
use inflowave_types::{Error, Result, SqlState};
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// Parameters of a statement at most; the protocol counts them in 16 bits.
const PARAMS_MAX: usize = 65_535;
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_US: i64 = 946_684_800_000_000;

/// A value with its type, ready to be sent.
#[derive(Debug)]
pub(crate) struct Bound {
    pub ty: Type,
    bytes: Option<Vec<u8>>,
}

/// # Errors
/// `54000` for too many, `XX000` for a type that the dialect should not have let through.
pub(crate) fn bind(values: &[ScalarValue]) -> Result<Vec<Bound>> {
    if values.len() > PARAMS_MAX {
        return Err(Error::new(
            SqlState::ProgramLimitExceeded,
            format!("{} parameters in one remote query", values.len()),
        )
        .with_hint(format!("PostgreSQL takes {PARAMS_MAX} at most.")));
    }
    values.iter().map(bound).collect()
}

impl ToSql for Bound {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        Ok(match &self.bytes {
            Some(bytes) => {
                out.put_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn bound(value: &ScalarValue) -> Result<Bound> {
    use ScalarValue as S;
    let some = |ty: Type, bytes: Option<Vec<u8>>| Ok(Bound { ty, bytes });
    match value {
        // Without a type the server finds one itself.
        S::Null => some(Type::UNKNOWN, None),
        S::Boolean(v) => some(Type::BOOL, v.map(|v| vec![u8::from(v)])),
        S::Int8(v) => some(Type::INT2, v.map(|v| i16::from(v).to_be_bytes().into())),
        S::Int16(v) => some(Type::INT2, v.map(|v| v.to_be_bytes().into())),
        S::Int32(v) => some(Type::INT4, v.map(|v| v.to_be_bytes().into())),
        S::Int64(v) => some(Type::INT8, v.map(|v| v.to_be_bytes().into())),
        S::UInt8(v) => some(Type::INT2, v.map(|v| i16::from(v).to_be_bytes().into())),
        S::UInt16(v) => some(Type::INT4, v.map(|v| i32::from(v).to_be_bytes().into())),
        S::UInt32(v) => some(Type::INT8, v.map(|v| i64::from(v).to_be_bytes().into())),
        S::UInt64(v) => some(Type::NUMERIC, v.map(|v| numeric(&v.to_string(), 0))),
        S::Float32(v) => some(Type::FLOAT4, v.map(|v| v.to_be_bytes().into())),
        S::Float64(v) => some(Type::FLOAT8, v.map(|v| v.to_be_bytes().into())),
        S::Decimal128(v, _, scale) => some(
            Type::NUMERIC,
            v.map(|v: i128| numeric(&v.to_string(), *scale)),
        ),
        S::Decimal256(v, _, scale) => some(
            Type::NUMERIC,
            v.map(|v: i256| numeric(&v.to_string(), *scale)),
        ),
        S::Utf8(v) | S::LargeUtf8(v) | S::Utf8View(v) => {
            some(Type::TEXT, v.as_ref().map(|v| v.as_bytes().to_vec()))
        }
        S::Binary(v) | S::LargeBinary(v) | S::BinaryView(v) | S::FixedSizeBinary(_, v) => {
            some(Type::BYTEA, v.clone())
        }
        S::Date32(v) => {
            let days = v
                .map(|v| v.checked_sub(EPOCH_DAYS))
                .map(in_range)
                .transpose()?;
            some(Type::DATE, days.map(|v| v.to_be_bytes().into()))
        }
        S::TimestampSecond(v, zone) => {
            timestamp(v.map(|v| v.checked_mul(1_000_000)), zone.is_some())
        }
        S::TimestampMillisecond(v, zone) => {
            timestamp(v.map(|v| v.checked_mul(1000)), zone.is_some())
        }
        S::TimestampMicrosecond(v, zone) => timestamp(v.map(Some), zone.is_some()),
        S::TimestampNanosecond(v, zone) => timestamp(v.map(whole_us), zone.is_some()),
        S::Time64Microsecond(v) => some(Type::TIME, v.map(|v| v.to_be_bytes().into())),
        S::Time64Nanosecond(v) => {
            let us = v.map(whole_us).map(in_range).transpose()?;
            some(Type::TIME, us.map(|v| v.to_be_bytes().into()))
        }
        S::IntervalYearMonth(v) => some(Type::INTERVAL, v.map(|v| interval(v, 0, 0))),
        S::IntervalDayTime(v) => some(
            Type::INTERVAL,
            v.map(|v| interval(0, v.days, i64::from(v.milliseconds) * 1000)),
        ),
        S::IntervalMonthDayNano(v) => {
            let bytes = v
                .map(|v| in_range(whole_us(v.nanoseconds)).map(|us| interval(v.months, v.days, us)))
                .transpose()?;
            some(Type::INTERVAL, bytes)
        }
        S::Dictionary(_, v) => bound(v),
        S::List(list) => array(&list.value(0), list.is_null(0)),
        S::LargeList(list) => array(&list.value(0), list.is_null(0)),
        other => Err(Error::internal(format!(
            "a parameter of type {} cannot be sent to PostgreSQL",
            other.data_type()
        ))),
    }
}

fn timestamp(us: Option<Option<i64>>, zoned: bool) -> Result<Bound> {
    let us = us
        .map(|us| in_range(us.and_then(|us| us.checked_sub(EPOCH_US))))
        .transpose()?;
    Ok(Bound {
        ty: if zoned {
            Type::TIMESTAMPTZ
        } else {
            Type::TIMESTAMP
        },
        bytes: us.map(|us| us.to_be_bytes().into()),
    })
}

fn whole_us(ns: i64) -> Option<i64> {
    (ns % 1000 == 0).then_some(ns / 1000)
}

fn in_range<T>(value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::internal("a parameter is out of range for PostgreSQL"))
}

fn interval(months: i32, days: i32, us: i64) -> Vec<u8> {
    let mut bytes = us.to_be_bytes().to_vec();
    bytes.extend(days.to_be_bytes());
    bytes.extend(months.to_be_bytes());
    bytes
}

/// The wire form of the whole number `digits`, which may have a sign, divided by `10^scale`.
fn numeric(digits: &str, scale: i8) -> Vec<u8> {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => (0x4000u16, digits),
        None => (0, digits),
    };
    let display_scale = u16::from(scale.max(0).unsigned_abs());
    let mut text = digits.to_owned();
    // Zeros so that the point falls between two digits to base 10000.
    let shift = (4 - i32::from(scale).rem_euclid(4)) % 4;
    text.extend(std::iter::repeat_n('0', shift as usize));
    let behind = (i32::from(scale) + shift) / 4;
    let lead = (4 - text.len() % 4) % 4;
    text.insert_str(0, &"0".repeat(lead));
    let mut words: Vec<u16> = text
        .as_bytes()
        .chunks_exact(4)
        .map(|c| c.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0')))
        .collect();
    let mut weight = words.len() as i32 - behind - 1;
    while words.last() == Some(&0) {
        words.pop();
    }
    let zeros = words.iter().take_while(|w| **w == 0).count();
    words.drain(..zeros);
    weight -= zeros as i32;
    if words.is_empty() {
        weight = 0;
    }
    let mut bytes = Vec::with_capacity(8 + words.len() * 2);
    for word in [
        words.len() as u16,
        weight as i16 as u16,
        sign,
        display_scale,
    ] {
        bytes.extend(word.to_be_bytes());
    }
    for word in words {
        bytes.extend(word.to_be_bytes());
    }
    bytes
}

/// An array of one dimension.
fn array(values: &ArrayRef, null: bool) -> Result<Bound> {
    let element = bound(&ScalarValue::try_from(values.data_type()).map_err(internal)?)?.ty;
    let ty = array_of(&element).ok_or_else(|| {
        Error::internal(format!(
            "a parameter of type {} cannot be sent to PostgreSQL",
            values.data_type()
        ))
    })?;
    if null {
        return Ok(Bound { ty, bytes: None });
    }
    let dimensions = i32::from(!values.is_empty());
    let mut bytes = Vec::new();
    for word in [
        dimensions,
        i32::from(values.null_count() > 0),
        element.oid() as i32,
    ] {
        bytes.extend(word.to_be_bytes());
    }
    if dimensions == 1 {
        let length = i32::try_from(values.len()).map_err(internal)?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(1i32.to_be_bytes());
    }
    for index in 0..values.len() {
        let value = bound(&ScalarValue::try_from_array(values, index).map_err(internal)?)?;
        match value.bytes {
            Some(value) => {
                bytes.extend(i32::try_from(value.len()).map_err(internal)?.to_be_bytes());
                bytes.extend(value);
            }
            None => bytes.extend((-1i32).to_be_bytes()),
        }
    }
    Ok(Bound {
        ty,
        bytes: Some(bytes),
    })
}

fn array_of(element: &Type) -> Option<Type> {
    Some(match *element {
        Type::BOOL => Type::BOOL_ARRAY,
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::FLOAT4 => Type::FLOAT4_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::NUMERIC => Type::NUMERIC_ARRAY,
        Type::TEXT => Type::TEXT_ARRAY,
        Type::BYTEA => Type::BYTEA_ARRAY,
        Type::DATE => Type::DATE_ARRAY,
        Type::TIME => Type::TIME_ARRAY,
        Type::TIMESTAMP => Type::TIMESTAMP_ARRAY,
        Type::TIMESTAMPTZ => Type::TIMESTAMPTZ_ARRAY,
        Type::INTERVAL => Type::INTERVAL_ARRAY,
        _ => return None,
    })
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Decimal128Type};

    use super::*;
    use crate::decode::testing::one;

    #[test]
    fn a_numeric_reads_back() {
        for (value, scale) in [
            (0, 0),
            (1, 0),
            (-1, 4),
            (12_345_678, 3),
            (10_000, 0),
            (120_000, 5),
            (7, 30),
            (10i128.pow(38) - 1, 16),
            (-(10i128.pow(38) - 1), 38),
        ] {
            let sent = bound(&ScalarValue::Decimal128(Some(value), 38, scale)).unwrap();
            assert_eq!(sent.ty, Type::NUMERIC);
            let target = DataType::Decimal128(38, scale);
            let array = one(&Type::NUMERIC, &target, &sent.bytes.unwrap()).unwrap();
            assert_eq!(
                array.as_primitive::<Decimal128Type>().value(0),
                value,
                "{value} {scale}"
            );
        }
    }

    #[test]
    fn a_null_keeps_its_type() {
        let sent = bound(&ScalarValue::Date32(None)).unwrap();
        assert_eq!((sent.ty, sent.bytes), (Type::DATE, None));
    }

    #[test]
    fn nanoseconds_that_postgres_cannot_hold_are_not_rounded() {
        assert!(bound(&ScalarValue::TimestampNanosecond(Some(1), None)).is_err());
        let sent = bound(&ScalarValue::TimestampNanosecond(Some(1000), None)).unwrap();
        assert_eq!(sent.bytes.unwrap(), (1 - EPOCH_US).to_be_bytes());
    }

    #[test]
    fn too_many_parameters_are_refused() {
        let values = vec![ScalarValue::Int32(Some(1)); PARAMS_MAX + 1];
        assert_eq!(bind(&values).unwrap_err().sqlstate().code(), "54000");
    }
}

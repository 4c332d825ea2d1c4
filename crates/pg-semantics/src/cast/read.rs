//! Values from text, as PostgreSQL's input functions read them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BinaryViewBuilder, BooleanArray, PrimitiveArray, StringViewBuilder,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type,
    Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::common::Result;
use inflowave_types::{Error, SqlState};

use super::number::{decimal_of_text, field_overflow, finish_decimal};
use super::plain;
use crate::functions;
use crate::raise::{raise, wrap};
use crate::temporal::{
    Zone, parse_date, parse_interval, parse_time, parse_timestamp, parse_timestamptz,
};
use crate::types::{self, precision_scale};

pub(super) fn from_text(array: &ArrayRef, to: &DataType, zone: Zone) -> Result<ArrayRef> {
    let texts = plain(array, &DataType::Utf8View)?;
    Ok(match to {
        DataType::Int16 => integers::<Int16Type>(&texts, "smallint")?,
        DataType::Int32 => integers::<Int32Type>(&texts, "integer")?,
        DataType::Int64 => integers::<Int64Type>(&texts, "bigint")?,
        DataType::Float32 => each::<Float32Type>(&texts, |t| float(t, "real"))?,
        DataType::Float64 => each::<Float64Type>(&texts, |t| float(t, "double precision"))?,
        DataType::Decimal128(..) | DataType::Decimal256(..) => decimals(&texts, to)?,
        DataType::Boolean => {
            let read: Result<BooleanArray, Error> = texts
                .as_string_view()
                .iter()
                .map(|t| t.map(boolean).transpose())
                .collect();
            Arc::new(read.map_err(wrap)?)
        }
        DataType::Date32 => each::<Date32Type>(&texts, parse_date)?,
        DataType::Timestamp(_, None) => each::<TimestampMicrosecondType>(&texts, parse_timestamp)?,
        DataType::Timestamp(_, Some(_)) => {
            let array = each::<TimestampMicrosecondType>(&texts, |t| parse_timestamptz(t, zone))?;
            plain(&array, to)?
        }
        DataType::Time64(_) => each::<Time64MicrosecondType>(&texts, parse_time)?,
        DataType::Interval(_) => each::<IntervalMonthDayNanoType>(&texts, parse_interval)?,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => bytes(&texts, to)?,
        other => {
            return Err(raise(
                SqlState::FeatureNotSupported,
                format!("reading {} from text is not supported", types::name(other)),
            ));
        }
    })
}

fn each<T: ArrowPrimitiveType>(
    texts: &ArrayRef,
    read: impl Fn(&str) -> Result<T::Native, Error>,
) -> Result<ArrayRef> {
    let values: Result<PrimitiveArray<T>, Error> = texts
        .as_string_view()
        .iter()
        .map(|t| t.map(&read).transpose())
        .collect();
    Ok(Arc::new(values.map_err(wrap)?))
}

fn invalid(type_name: &str, text: &str) -> Error {
    Error::new(
        SqlState::InvalidTextRepresentation,
        format!("invalid input syntax for type {type_name}: \"{text}\""),
    )
}

/// The blanks that PostgreSQL skips around numbers.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b')
}

fn integers<T: ArrowPrimitiveType>(texts: &ArrayRef, type_name: &str) -> Result<ArrayRef>
where
    T::Native: TryFrom<i128>,
{
    each::<T>(texts, |text| {
        let trimmed = trim(text);
        let digits = trimmed.strip_prefix(['-', '+']).unwrap_or(trimmed);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid(type_name, text));
        }
        trimmed
            .parse::<i128>()
            .ok()
            .and_then(|v| v.try_into().ok())
            .ok_or_else(|| {
                Error::new(
                    SqlState::NumericValueOutOfRange,
                    format!("value \"{text}\" is out of range for type {type_name}"),
                )
            })
    })
}

fn float<F: std::str::FromStr + Into<f64> + Copy>(text: &str, type_name: &str) -> Result<F, Error> {
    let trimmed = trim(text);
    let lower = trimmed.trim_start_matches(['-', '+']).to_ascii_lowercase();
    let named = matches!(lower.as_str(), "nan" | "inf" | "infinity");
    if !named && !is_decimal(trimmed) {
        return Err(invalid(type_name, text));
    }
    let value: F = trimmed.parse().map_err(|_| invalid(type_name, text))?;
    let as_double: f64 = value.into();
    let has_digits = lower
        .split('e')
        .next()
        .is_some_and(|m| m.bytes().any(|b| (b'1'..=b'9').contains(&b)));
    if !named && (as_double.is_infinite() || (as_double == 0.0 && has_digits)) {
        return Err(Error::new(
            SqlState::NumericValueOutOfRange,
            format!("\"{text}\" is out of range for type {type_name}"),
        ));
    }
    Ok(value)
}

/// `[+-]digits[.digits][e[+-]digits]`, with a digit on one side of the point at least.
pub(crate) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e)),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|e| {
            let e = e.strip_prefix(['-', '+']).unwrap_or(e);
            !e.is_empty() && e.len() <= 6 && digits(e)
        })
}

fn decimals(texts: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let (precision, scale) = precision_scale(to).unwrap_or((38, 16));
    finish_decimal(
        to,
        texts.as_string_view().iter().map(|text| {
            let Some(text) = text else { return Ok(None) };
            let trimmed = trim(text);
            if !is_decimal(trimmed) {
                return Err(arrow::error::ArrowError::ExternalError(Box::new(invalid(
                    "numeric", text,
                ))));
            }
            decimal_of_text(trimmed, precision, scale)
                .map(Some)
                .ok_or_else(|| {
                    arrow::error::ArrowError::ExternalError(Box::new(field_overflow(
                        precision, scale,
                    )))
                })
        }),
    )
}

/// Any unique prefix of `true`, `false`, `yes`, `no`, and `on`, `off`, `1`, `0`.
fn boolean(text: &str) -> Result<bool, Error> {
    let lower = trim(text).to_ascii_lowercase();
    let prefix = |word: &str, least: usize| lower.len() >= least && word.starts_with(&lower);
    if prefix("true", 1) || prefix("yes", 1) || lower == "on" || lower == "1" {
        Ok(true)
    } else if prefix("false", 1) || prefix("no", 1) || prefix("off", 2) || lower == "0" {
        Ok(false)
    } else {
        Err(invalid("boolean", text))
    }
}

/// `\xDEADBEEF`, or the older form with `\\` and `\ooo`.
fn bytes(texts: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let mut out = BinaryViewBuilder::new();
    for text in texts.as_string_view() {
        match text {
            None => out.append_null(),
            Some(text) => out.append_value(bytea(text).map_err(wrap)?),
        }
    }
    let array: ArrayRef = Arc::new(out.finish());
    plain(&array, to)
}

fn bytea(text: &str) -> Result<Vec<u8>, Error> {
    let bad = |what: &str| Error::new(SqlState::InvalidParameterValue, what.to_owned());
    if let Some(hex) = text.strip_prefix("\\x") {
        let digits: Vec<u8> = hex
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| {
                c.to_digit(16)
                    .map(|d| d as u8)
                    .ok_or_else(|| bad(&format!("invalid hexadecimal digit: \"{c}\"")))
            })
            .collect::<Result<_, _>>()?;
        if !digits.len().is_multiple_of(2) {
            return Err(bad("invalid hexadecimal data: odd number of digits"));
        }
        return Ok(digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => {
                out.push(b'\\');
                after
            }
            (
                b'\\',
                [
                    a @ b'0'..=b'3',
                    b @ b'0'..=b'7',
                    c @ b'0'..=b'7',
                    after @ ..,
                ],
            ) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', _) => return Err(invalid("bytea", text)),
            _ => {
                out.push(first);
                after
            }
        };
    }
    Ok(out)
}

/// UUIDs in their canonical form: lower case, with four hyphens.
pub(super) fn uuid(array: &ArrayRef) -> Result<ArrayRef> {
    let texts = plain(array, &DataType::Utf8View)?;
    let mut out = StringViewBuilder::new();
    for text in texts.as_string_view() {
        match text {
            None => out.append_null(),
            Some(text) => out.append_value(canonical_uuid(text).map_err(wrap)?),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// A `json` is any JSON text as it stands, a `jsonb` is printed anew.
pub(super) fn json(texts: &ArrayRef, prints: bool) -> Result<ArrayRef> {
    let mut out = StringViewBuilder::new();
    for text in texts.as_string_view() {
        let Some(text) = text else {
            out.append_null();
            continue;
        };
        let part = functions::read_json(text).map_err(wrap)?;
        match prints {
            true => out.append_value(part.json.printed()),
            false => out.append_value(text),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn canonical_uuid(text: &str) -> Result<String, Error> {
    let inner = text
        .strip_prefix('{')
        .map_or(Some(text), |t| t.strip_suffix('}'))
        .ok_or_else(|| invalid("uuid", text))?;
    // A hyphen may stand after every fourth digit.
    let mut digits = String::with_capacity(32);
    for (i, group) in inner.split('-').enumerate() {
        let whole = group.len() % 4 == 0 && (i == 0 || !group.is_empty());
        if !whole || !group.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid("uuid", text));
        }
        digits.push_str(&group.to_ascii_lowercase());
    }
    if digits.len() != 32 {
        return Err(invalid("uuid", text));
    }
    Ok([
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ]
    .join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_by_prefix() {
        for yes in ["t", "TRUE", " yes ", "on", "1", "tr", "y"] {
            assert_eq!(boolean(yes), Ok(true), "{yes}");
        }
        for no in ["f", "false", "n", "off", "of", "0"] {
            assert_eq!(boolean(no), Ok(false), "{no}");
        }
        assert!(boolean("o").is_err());
        assert!(boolean("").is_err());
        assert!(boolean("truex").is_err());
    }

    #[test]
    fn uuids_have_one_form() {
        assert_eq!(
            canonical_uuid("{A0EEBC99-9C0B4EF8-BB6D6BB9-BD380A11}").unwrap(),
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
        );
        assert!(canonical_uuid("a0eebc99").is_err());
        assert!(canonical_uuid("g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11").is_err());
    }

    #[test]
    fn bytes_are_read_in_both_forms() {
        assert_eq!(bytea("\\xDEad").unwrap(), [0xde, 0xad]);
        assert_eq!(bytea("a\\\\\\001").unwrap(), [b'a', b'\\', 1]);
        assert!(bytea("\\xD").is_err());
    }
}

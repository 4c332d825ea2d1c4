//! Values as text, as PostgreSQL's output functions print them (a Boolean as a cast does: `true`).

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, DecimalType, Float32Type, Float64Type,
    Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::common::Result;
use inflowave_types::SqlState;

use crate::raise::raise;
use crate::temporal::{
    Zone, print_date, print_interval, print_time, print_timestamp, print_timestamptz,
};
use crate::types;

/// Exponents from which PostgreSQL prints a float with `e`.
const DOUBLE_EXPONENT_MAX: i32 = 15;
const REAL_EXPONENT_MAX: i32 = 6;
const EXPONENT_MIN: i32 = -4;

pub(super) fn to_text(array: &ArrayRef, zone: Zone) -> Result<ArrayRef> {
    macro_rules! primitive {
        ($array:expr, $T:ty, $print:expr) => {
            collect($array.as_primitive::<$T>().iter().map(|v| v.map($print)))
        };
    }
    Ok(match array.data_type() {
        DataType::Boolean => collect(
            array
                .as_boolean()
                .iter()
                .map(|v| v.map(|v| if v { "true" } else { "false" })),
        ),
        t if types::is_integer(t) && *t != DataType::UInt64 => {
            let wide = cast(array, &DataType::Int64)?;
            primitive!(wide, Int64Type, |v| v.to_string())
        }
        DataType::Float32 => primitive!(array, Float32Type, real),
        DataType::Float64 => primitive!(array, Float64Type, double),
        DataType::Decimal128(p, s) => {
            primitive!(array, Decimal128Type, |v| Decimal128Type::format_decimal(
                v, *p, *s
            ))
        }
        DataType::Decimal256(p, s) => {
            primitive!(array, Decimal256Type, |v| Decimal256Type::format_decimal(
                v, *p, *s
            ))
        }
        DataType::Date32 => primitive!(array, Date32Type, print_date),
        DataType::Timestamp(_, tz) => {
            let micros = cast(
                array,
                &DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, tz.clone()),
            )?;
            if tz.is_some() {
                primitive!(micros, TimestampMicrosecondType, |v| print_timestamptz(
                    v, zone
                ))
            } else {
                primitive!(micros, TimestampMicrosecondType, print_timestamp)
            }
        }
        DataType::Time64(_) | DataType::Time32(_) => {
            let micros = cast(array, &types::TIME)?;
            primitive!(micros, Time64MicrosecondType, print_time)
        }
        DataType::Interval(_) | DataType::Duration(_) => {
            let intervals = cast(array, &types::INTERVAL)?;
            primitive!(intervals, IntervalMonthDayNanoType, print_interval)
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let views = cast(array, &DataType::BinaryView)?;
            collect(views.as_binary_view().iter().map(|v| v.map(hex)))
        }
        DataType::List(_) => lists(array, zone)?,
        DataType::UInt64 | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            cast(array, &DataType::Utf8View)?
        }
        other => {
            return Err(raise(
                SqlState::FeatureNotSupported,
                format!("printing {} as text is not supported", types::name(other)),
            ));
        }
    })
}

fn collect(values: impl Iterator<Item = Option<impl AsRef<str>>>) -> ArrayRef {
    let mut out = StringViewBuilder::with_capacity(values.size_hint().0);
    for value in values {
        out.append_option(value);
    }
    Arc::new(out.finish())
}

pub(crate) fn double(v: f64) -> String {
    float(v, &format!("{v:e}"), DOUBLE_EXPONENT_MAX)
}

pub(crate) fn real(v: f32) -> String {
    float(f64::from(v), &format!("{v:e}"), REAL_EXPONENT_MAX)
}

/// The shortest digits that read back as the same value (Rust's own), laid out as PostgreSQL does.
fn float(v: f64, scientific: &str, exponent_max: i32) -> String {
    if v.is_nan() {
        return "NaN".to_owned();
    }
    if v.is_infinite() {
        return if v > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let mut out = String::from(sign);
    if v == 0.0 {
        out.push('0');
    } else if !(EXPONENT_MIN..exponent_max).contains(&exponent) {
        out.push_str(&digits[..1]);
        if digits.len() > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "e{sign}{:02}", exponent.abs());
    } else if exponent < 0 {
        out.push_str("0.");
        out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
        out.push_str(&digits);
    } else {
        let whole = exponent as usize + 1;
        if digits.len() <= whole {
            out.push_str(&digits);
            out.extend(std::iter::repeat_n('0', whole - digits.len()));
        } else {
            out.push_str(&digits[..whole]);
            out.push('.');
            out.push_str(&digits[whole..]);
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(2 + bytes.len() * 2);
    out.push_str("\\x");
    for b in bytes {
        let _ = write!(out, "{b:02x}");
    }
    out
}

/// `{1,NULL,"a b"}`
fn lists(array: &ArrayRef, zone: Zone) -> Result<ArrayRef> {
    let lists = array.as_list::<i32>();
    let is_boolean = lists.value_type() == DataType::Boolean;
    let nested = matches!(lists.value_type(), DataType::List(_));
    let texts = to_text(lists.values(), zone)?;
    let texts = texts.as_string_view();
    let offsets = lists.value_offsets();
    Ok(collect((0..lists.len()).map(|row| {
        lists.is_valid(row).then(|| {
            let mut out = String::from("{");
            for at in offsets[row] as usize..offsets[row + 1] as usize {
                if at > offsets[row] as usize {
                    out.push(',');
                }
                if texts.is_null(at) {
                    out.push_str("NULL");
                } else if is_boolean {
                    // Inside an array a Boolean is printed by its output function.
                    out.push_str(&texts.value(at)[..1]);
                } else if nested {
                    out.push_str(texts.value(at));
                } else {
                    push_element(&mut out, texts.value(at));
                }
            }
            out.push('}');
            out
        })
    })))
}

fn push_element(out: &mut String, text: &str) {
    let plain = !text.is_empty()
        && !text.eq_ignore_ascii_case("null")
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '}' | ',' | '"' | '\\'));
    if plain {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_postgresqls() {
        for (v, shown) in [
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e15, "1e+15"),
            (1e14, "100000000000000"),
            (123_456_789.125, "123456789.125"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
            (100.0, "100"),
        ] {
            assert_eq!(double(v), shown);
        }
        assert_eq!(real(1e6), "1e+06");
        assert_eq!(real(123_456.0), "123456");
        assert_eq!(real(0.1), "0.1");
    }
}

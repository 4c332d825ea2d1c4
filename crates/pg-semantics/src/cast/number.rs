//! Casts among numbers and Booleans: PostgreSQL's rounding, and `22003` for what does not fit.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, BooleanArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Decimal256Type, DecimalType, Float32Type,
    Float64Type, Int16Type, Int32Type, Int64Type, i256,
};
use arrow::error::ArrowError;
use datafusion::common::{Result, internal_err};
use inflowave_types::{Error, SqlState};

use super::plain;
use crate::functions::{Unscaled, round_div};
use crate::raise::raise_arrow;
use crate::types::{self, precision_scale};

/// Digits of a float that PostgreSQL carries into a numeric (`DBL_DIG`, `FLT_DIG`).
const DOUBLE_DIGITS: usize = 15;
const REAL_DIGITS: usize = 6;

pub(super) fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let from = array.data_type();
    Ok(match (from, to) {
        (DataType::Boolean, _) => plain(array, to)?,
        (_, DataType::Boolean) => {
            let numbers = array.as_primitive::<Int32Type>();
            Arc::new(BooleanArray::from_unary(numbers, |v| v != 0))
        }
        (f, t) if types::is_integer(f) && types::is_integer(t) => narrow_integer(array, to)?,
        (f, t) if types::is_float(f) && types::is_integer(t) => float_to_integer(array, to)?,
        (f, t) if f.is_decimal() && types::is_integer(t) => decimal_to_integer(array, to)?,
        (f, t) if f.is_decimal() && types::is_float(t) => decimal_to_float(array, to)?,
        (DataType::Float64, DataType::Float32) => double_to_real(array)?,
        (f, t) if types::is_float(f) && t.is_decimal() => float_to_decimal(array, to)?,
        (f, t) if types::is_exact(f) && t.is_decimal() => exact_to_decimal(array, to)?,
        _ => plain(array, to)?,
    })
}

fn out_of_range(to: &DataType) -> ArrowError {
    raise_arrow(
        SqlState::NumericValueOutOfRange,
        format!("{} out of range", types::name(to)),
    )
}

/// `22003` with PostgreSQL's explanation of the bound.
pub(super) fn field_overflow(precision: i16, scale: i16) -> Error {
    Error::new(SqlState::NumericValueOutOfRange, "numeric field overflow").with_detail(format!(
        "A field with precision {precision}, scale {scale} must round to an absolute value less \
         than {}{}.",
        if precision == scale { "1" } else { "10^" },
        if precision == scale {
            String::new()
        } else {
            (precision - scale).to_string()
        }
    ))
}

fn field_overflow_arrow(precision: i16, scale: i16) -> ArrowError {
    ArrowError::ExternalError(Box::new(field_overflow(precision, scale)))
}

/// Dispatches on the integer type of `$to`, naming it `T` in the body.
macro_rules! with_integer {
    ($to:expr, $T:ident => $body:expr) => {
        match $to {
            DataType::Int16 => {
                type $T = Int16Type;
                $body
            }
            DataType::Int32 => {
                type $T = Int32Type;
                $body
            }
            DataType::Int64 => {
                type $T = Int64Type;
                $body
            }
            other => return internal_err!("no cast to {other}"),
        }
    };
}

#[allow(
    clippy::useless_conversion,
    reason = "one of the targets of the macro is the source"
)]
fn narrow_integer(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    // Unsigned 64-bit numbers come from DataFusion's own counters and lengths, far below the bound.
    let wide = plain(array, &DataType::Int64)?;
    let wide = wide.as_primitive::<Int64Type>();
    Ok(with_integer!(to, T => Arc::new(
        wide.try_unary::<_, T, ArrowError>(|v| v.try_into().map_err(|_| out_of_range(to)))?
    )))
}

fn float_to_integer(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let doubles = cast(array, &DataType::Float64)?;
    let doubles = doubles.as_primitive::<Float64Type>();
    Ok(with_integer!(to, T => {
        type N = <T as ArrowPrimitiveType>::Native;
        // The upper bound is a power of two, so that it is exact as a double.
        let bound = -(N::MIN as f64);
        Arc::new(doubles.try_unary::<_, T, ArrowError>(|v| {
            let rounded = v.round_ties_even();
            if rounded >= -bound && rounded < bound {
                Ok(rounded as N)
            } else {
                Err(out_of_range(to))
            }
        })?)
    }))
}

fn decimal_to_integer(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    fn of<D: DecimalType>(array: &ArrayRef, to: &DataType) -> Result<ArrayRef>
    where
        D::Native: Unscaled,
    {
        let (_, scale) = precision_scale(array.data_type()).unwrap_or((38, 0));
        let Some(power) = D::Native::power_of_ten(scale as u32) else {
            return internal_err!("scale {scale}");
        };
        let decimals = array.as_primitive::<D>();
        Ok(
            with_integer!(to, T => Arc::new(decimals.try_unary::<_, T, ArrowError>(|v| {
            round_div(v, power)
                .wide()
                .to_i128()
                .and_then(|v| v.try_into().ok())
                .ok_or_else(|| out_of_range(to))
        })?)),
        )
    }
    match array.data_type() {
        DataType::Decimal128(..) => of::<Decimal128Type>(array, to),
        DataType::Decimal256(..) => of::<Decimal256Type>(array, to),
        other => internal_err!("no cast from {other}"),
    }
}

fn decimal_to_float(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    fn of<D: DecimalType>(array: &ArrayRef) -> PrimitiveArray<Float64Type>
    where
        D::Native: Unscaled,
    {
        let (precision, scale) = precision_scale(array.data_type()).unwrap_or((38, 0));
        let power = 10_f64.powi(i32::from(scale));
        array.as_primitive::<D>().unary::<_, Float64Type>(|v| {
            match v.wide().to_i128() {
                // Both are exact as doubles, so that the quotient is rounded once.
                Some(v) if v.unsigned_abs() < 1 << 53 && scale <= 22 => v as f64 / power,
                _ => D::format_decimal(v, precision as u8, scale as i8)
                    .parse()
                    .unwrap_or(f64::NAN),
            }
        })
    }
    let doubles = match array.data_type() {
        DataType::Decimal128(..) => of::<Decimal128Type>(array),
        DataType::Decimal256(..) => of::<Decimal256Type>(array),
        other => return internal_err!("no cast from {other}"),
    };
    let doubles: ArrayRef = Arc::new(doubles);
    if *to == DataType::Float32 {
        double_to_real(&doubles)
    } else {
        Ok(doubles)
    }
}

fn double_to_real(array: &ArrayRef) -> Result<ArrayRef> {
    let reals = array
        .as_primitive::<Float64Type>()
        .try_unary::<_, Float32Type, ArrowError>(|v| {
            let real = v as f32;
            if real.is_infinite() && v.is_finite() {
                Err(raise_arrow(
                    SqlState::NumericValueOutOfRange,
                    "value out of range: overflow",
                ))
            } else if real == 0.0 && v != 0.0 {
                Err(raise_arrow(
                    SqlState::NumericValueOutOfRange,
                    "value out of range: underflow",
                ))
            } else {
                Ok(real)
            }
        })?;
    Ok(Arc::new(reals))
}

fn float_to_decimal(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let (precision, scale) = precision_scale(to).unwrap_or((38, 16));
    let digits = if *array.data_type() == DataType::Float64 {
        DOUBLE_DIGITS
    } else {
        REAL_DIGITS
    };
    let doubles = cast(array, &DataType::Float64)?;
    let doubles = doubles.as_primitive::<Float64Type>();
    let convert = |v: f64| {
        if !v.is_finite() {
            return Err(raise_arrow(
                SqlState::NumericValueOutOfRange,
                format!("cannot hold {} in a numeric", super::print::double(v)),
            ));
        }
        let text = format!("{v:.*e}", digits - 1);
        decimal_of_text(&text, precision, scale)
            .ok_or_else(|| field_overflow_arrow(precision, scale))
    };
    finish_decimal(to, doubles.iter().map(|v| v.map(convert).transpose()))
}

fn exact_to_decimal(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let (p1, s1) = precision_scale(array.data_type()).unwrap_or((38, 0));
    let (precision, scale) = precision_scale(to).unwrap_or((38, 16));
    let both_narrow = matches!(to, DataType::Decimal128(..)) && p1 <= 38;
    if both_narrow {
        let source = plain(array, &DataType::Decimal128(p1 as u8, s1 as i8))?;
        return rescale::<Decimal128Type>(&source, s1, to, precision, scale);
    }
    let source = plain(array, &DataType::Decimal256(p1 as u8, s1 as i8))?;
    let wide = DataType::Decimal256(precision as u8, scale as i8);
    let result = rescale::<Decimal256Type>(&source, s1, &wide, precision, scale)?;
    plain(&result, to)
}

fn rescale<D: DecimalType>(
    array: &ArrayRef,
    from_scale: i16,
    to: &DataType,
    precision: i16,
    scale: i16,
) -> Result<ArrayRef>
where
    D::Native: Unscaled,
{
    let overflow = || field_overflow_arrow(precision, scale);
    let power = |n: i16| D::Native::power_of_ten(n as u32).ok_or_else(overflow);
    let limit = power(precision)?;
    let up = from_scale <= scale;
    let factor = power((scale - from_scale).abs())?;
    let result = array
        .as_primitive::<D>()
        .try_unary::<_, D, ArrowError>(|v| {
            let scaled = if up {
                v.mul_checked(factor).map_err(|_| overflow())?
            } else {
                round_div(v, factor)
            };
            if scaled.is_lt(limit) && scaled.is_gt(limit.neg_wrapping()) {
                Ok(scaled)
            } else {
                Err(overflow())
            }
        })?;
    Ok(Arc::new(result.with_data_type(to.clone())))
}

/// Collects unscaled values into an array of a numeric type.
pub(super) fn finish_decimal(
    to: &DataType,
    values: impl Iterator<Item = Result<Option<i256>, ArrowError>>,
) -> Result<ArrayRef> {
    let wide = values.collect::<Result<PrimitiveArray<Decimal256Type>, _>>()?;
    let (precision, scale) = precision_scale(to).unwrap_or((38, 16));
    Ok(match to {
        DataType::Decimal128(..) => Arc::new(
            wide.try_unary::<_, Decimal128Type, ArrowError>(|v| {
                v.to_i128()
                    .ok_or_else(|| field_overflow_arrow(precision, scale))
            })?
            .with_data_type(to.clone()),
        ),
        _ => Arc::new(wide.with_data_type(to.clone())),
    })
}

/// The unscaled value of `[+-]digits[.digits][e[+-]digits]` at a scale, rounded half away from
/// zero. `None` if it does not fit; the syntax has been checked.
pub(super) fn decimal_of_text(text: &str, precision: i16, scale: i16) -> Option<i256> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // The value is `digits` * 10^(exponent - fraction.len()); `kept` of them count at our scale.
    let digits: Vec<u8> = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|b| b - b'0')
        .collect();
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let mut value = i256::ZERO;
    let limit = i256::power_of_ten(precision as u32)?;
    let ten = i256::from_i128(10);
    for at in 0..kept.max(0) {
        let digit = digits.get(at as usize).copied().unwrap_or(0);
        value = value
            .checked_mul(ten)?
            .checked_add(i256::from_i128(i128::from(digit)))?;
        if value >= limit {
            return None;
        }
        if value == i256::ZERO && at as usize >= digits.len() {
            break;
        }
    }
    if kept >= 0 && digits.get(kept as usize).is_some_and(|&d| d >= 5) {
        value = value.checked_add(i256::ONE)?;
    }
    (value < limit).then_some(if negative {
        value.wrapping_neg()
    } else {
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_an_unscaled_number() {
        let read = |t, p, s| decimal_of_text(t, p, s).and_then(i256::to_i128);
        assert_eq!(read("12.345", 5, 2), Some(1235));
        assert_eq!(read("-12.345", 5, 2), Some(-1235));
        assert_eq!(read("1e3", 5, 0), Some(1000));
        assert_eq!(read("5e-1", 5, 0), Some(1));
        assert_eq!(read("4e-2", 5, 0), Some(0));
        assert_eq!(read("999.995", 5, 2), None);
        assert_eq!(read("1e400", 38, 0), None);
        assert_eq!(read("1.23e2", 5, 1), Some(1230));
        assert_eq!(read("0e999", 5, 1), Some(0));
    }
}

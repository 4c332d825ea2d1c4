//! Arithmetic of numerics that can leave their type: `+ - *` with a check, and `/` with
//! PostgreSQL's scale and rounding.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray};
use arrow::compute::{CastOptions, cast_with_options, kernels::arity};
use arrow::datatypes::{
    DECIMAL256_MAX_PRECISION, DataType, Decimal128Type, Decimal256Type, DecimalType, i256,
};
use arrow::error::ArrowError;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use inflowave_connector_api::vocabulary;

use super::integer::scalar_if;
use crate::raise::{division_by_zero, numeric_overflow};
use crate::types::{self, precision_scale, result_decimal};

/// PostgreSQL's `NUMERIC_MIN_SIG_DIGITS`: the least scale of a quotient here.
const QUOTIENT_SCALE_MIN: i16 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum NumericOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// One operator over two numerics.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct NumericArithmetic {
    operator: NumericOperator,
    signature: Signature,
}

impl NumericArithmetic {
    pub(crate) fn new(operator: NumericOperator) -> Self {
        NumericArithmetic {
            operator,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

/// The digits that a result can have in the worst case, and its scale.
pub(crate) fn worst_case(
    operator: NumericOperator,
    (p1, s1): (i16, i16),
    (p2, s2): (i16, i16),
) -> (i16, i16) {
    match operator {
        NumericOperator::Add | NumericOperator::Subtract => {
            let scale = s1.max(s2);
            ((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        NumericOperator::Multiply => (p1 + p2 + 1, s1 + s2),
        NumericOperator::Divide => {
            let scale = QUOTIENT_SCALE_MIN.max(s1).max(s2);
            (p1 - s1 + s2 + scale, scale)
        }
    }
}

impl ScalarUDFImpl for NumericArithmetic {
    fn name(&self) -> &str {
        match self.operator {
            NumericOperator::Add => vocabulary::NUMERIC_ADD,
            NumericOperator::Subtract => vocabulary::NUMERIC_SUB,
            NumericOperator::Multiply => vocabulary::NUMERIC_MUL,
            NumericOperator::Divide => vocabulary::NUMERIC_DIV,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given
            .iter()
            .map(|t| types::as_decimal(t).unwrap_or(types::NUMERIC))
            .collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let of = |i: usize| precision_scale(&given[i]).unwrap_or((38, 16));
        let (precision, scale) = worst_case(self.operator, of(0), of(1));
        // A quotient of 38-digit numerics has far fewer digits than its worst case.
        let wide = given.iter().any(|t| matches!(t, DataType::Decimal256(..)));
        Ok(result_decimal(precision, scale, wide))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let target = args.return_field.data_type();
        let wide = matches!(target, DataType::Decimal256(..))
            || args
                .args
                .iter()
                .any(|a| matches!(a.data_type(), DataType::Decimal256(..)));
        let array = if wide {
            let l = widened(&args.args[0])?;
            let r = widened(&args.args[1])?;
            compute::<Decimal256Type>(self.operator, &l, &r, target, args.number_rows)?
        } else {
            compute::<Decimal128Type>(
                self.operator,
                &args.args[0],
                &args.args[1],
                target,
                args.number_rows,
            )?
        };
        scalar_if(args.args.iter(), array)
    }
}

/// The same values in 256 bits.
fn widened(value: &ColumnarValue) -> Result<ColumnarValue> {
    let (_, scale) = precision_scale(&value.data_type()).unwrap_or((38, 16));
    let wide = DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale as i8);
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok(match value {
        ColumnarValue::Array(a) => ColumnarValue::Array(cast_with_options(a, &wide, &options)?),
        ColumnarValue::Scalar(s) => ColumnarValue::Scalar(s.cast_to(&wide)?),
    })
}

/// A native integer under a numeric, with the way over 256 bits.
pub(crate) trait Unscaled: ArrowNativeTypeOp {
    fn wide(self) -> i256;
    fn narrow(v: i256) -> Option<Self>;
    /// 10 to the power of `n`, if it fits.
    fn power_of_ten(n: u32) -> Option<Self>;
}

impl Unscaled for i128 {
    fn wide(self) -> i256 {
        i256::from_i128(self)
    }
    fn narrow(v: i256) -> Option<Self> {
        v.to_i128()
    }
    fn power_of_ten(n: u32) -> Option<Self> {
        10_i128.checked_pow(n)
    }
}

impl Unscaled for i256 {
    fn wide(self) -> i256 {
        self
    }
    fn narrow(v: i256) -> Option<Self> {
        Some(v)
    }
    fn power_of_ten(n: u32) -> Option<Self> {
        i256::from_i128(10).checked_pow(n)
    }
}

fn compute<T>(
    operator: NumericOperator,
    l: &ColumnarValue,
    r: &ColumnarValue,
    target: &DataType,
    rows: usize,
) -> Result<ArrayRef>
where
    T: DecimalType,
    T::Native: Unscaled,
{
    let scale_of = |v: &ColumnarValue| precision_scale(&v.data_type()).map_or(0, |(_, s)| s);
    let (s1, s2) = (scale_of(l), scale_of(r));
    let (precision, scale) = precision_scale(target).unwrap_or((38, 16));
    let power = |n: i16| T::Native::power_of_ten(n.max(0) as u32).ok_or_else(numeric_overflow);
    let limit = power(precision)?;
    let check = |v: T::Native| {
        if v.is_lt(limit) && v.is_gt(limit.neg_wrapping()) {
            Ok(v)
        } else {
            Err(numeric_overflow())
        }
    };
    let overflow = |_| numeric_overflow();
    match operator {
        NumericOperator::Add | NumericOperator::Subtract => {
            let (lm, rm) = (power(scale - s1)?, power(scale - s2)?);
            let add = operator == NumericOperator::Add;
            apply::<T>(l, r, target, rows, |a, b| {
                let a = a.mul_checked(lm).map_err(overflow)?;
                let b = b.mul_checked(rm).map_err(overflow)?;
                check(
                    if add {
                        a.add_checked(b)
                    } else {
                        a.sub_checked(b)
                    }
                    .map_err(overflow)?,
                )
            })
        }
        NumericOperator::Multiply => {
            // The scale of a product is cut only beyond 76 digits.
            let cut = power(s1 + s2 - scale)?;
            apply::<T>(l, r, target, rows, |a, b| {
                let product = a.mul_checked(b).map_err(overflow)?;
                check(if cut.is_eq(T::Native::ONE) {
                    product
                } else {
                    round_div(product, cut)
                })
            })
        }
        NumericOperator::Divide => {
            // (a / 10^s1) / (b / 10^s2) at `scale` is a * 10^(scale - s1 + s2) / b.
            let shift = (scale - s1 + s2) as u32;
            let narrow = T::Native::power_of_ten(shift);
            let wide = i256::power_of_ten(shift).ok_or_else(numeric_overflow)?;
            apply::<T>(l, r, target, rows, |a, b| {
                if b.is_zero() {
                    return Err(division_by_zero());
                }
                if let Some(scaled) = narrow.and_then(|m| a.mul_checked(m).ok()) {
                    return check(round_div(scaled, b));
                }
                let scaled = a.wide().mul_checked(wide).map_err(overflow)?;
                T::Native::narrow(round_div(scaled, b.wide()))
                    .ok_or_else(numeric_overflow)
                    .and_then(check)
            })
        }
    }
}

/// `a / b`, rounded half away from zero. `b` is not zero.
pub(crate) fn round_div<N: ArrowNativeTypeOp>(a: N, b: N) -> N {
    let quotient = a.div_wrapping(b);
    let rest = a.mod_wrapping(b);
    if rest.is_zero() {
        return quotient;
    }
    let absolute = |v: N| {
        if v.is_lt(N::ZERO) {
            v.neg_wrapping()
        } else {
            v
        }
    };
    let (rest_abs, divisor_abs) = (absolute(rest), absolute(b));
    // rest >= divisor - rest says 2 * rest >= divisor without overflow.
    if rest_abs.is_lt(divisor_abs.sub_wrapping(rest_abs)) {
        quotient
    } else if a.is_lt(N::ZERO) == b.is_lt(N::ZERO) {
        quotient.add_wrapping(N::ONE)
    } else {
        quotient.sub_wrapping(N::ONE)
    }
}

fn apply<T: DecimalType>(
    l: &ColumnarValue,
    r: &ColumnarValue,
    target: &DataType,
    rows: usize,
    f: impl Fn(T::Native, T::Native) -> Result<T::Native, ArrowError>,
) -> Result<ArrayRef> {
    let scalar = |v: &ColumnarValue| match v {
        ColumnarValue::Scalar(s) => s.to_array().map(Some),
        ColumnarValue::Array(_) => Ok(None),
    };
    let (ls, rs) = (scalar(l)?, scalar(r)?);
    if [&ls, &rs].into_iter().flatten().any(|s| s.is_null(0)) {
        let rows = if ls.is_some() && rs.is_some() {
            1
        } else {
            rows
        };
        return Ok(arrow::array::new_null_array(target, rows));
    }
    let result: PrimitiveArray<T> = match (l, r, &ls, &rs) {
        (ColumnarValue::Array(a), _, _, Some(s)) => {
            let b = s.as_primitive::<T>().value(0);
            a.as_primitive::<T>().try_unary(|a| f(a, b))?
        }
        (_, ColumnarValue::Array(b), Some(s), _) => {
            let a = s.as_primitive::<T>().value(0);
            b.as_primitive::<T>().try_unary(|b| f(a, b))?
        }
        (ColumnarValue::Array(a), ColumnarValue::Array(b), ..) => {
            arity::try_binary(a.as_primitive::<T>(), b.as_primitive::<T>(), f)?
        }
        (_, _, Some(a), Some(b)) => {
            arity::try_binary(a.as_primitive::<T>(), b.as_primitive::<T>(), f)?
        }
        _ => unreachable!("a value is an array or a scalar"),
    };
    Ok(Arc::new(result.with_data_type(target.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        assert_eq!(round_div(5_i128, 10), 1);
        assert_eq!(round_div(-5_i128, 10), -1);
        assert_eq!(round_div(5_i128, -10), -1);
        assert_eq!(round_div(4_i128, 10), 0);
        assert_eq!(round_div(14_i128, 10), 1);
        assert_eq!(round_div(i128::MAX, i128::MAX), 1);
        assert_eq!(round_div(1_i128, 3), 0);
        assert_eq!(round_div(2_i128, 3), 1);
    }

    #[test]
    fn a_quotient_has_at_least_sixteen_digits() {
        let div = NumericArithmetic::new(NumericOperator::Divide);
        let t = |a, b| div.return_type(&[a, b]).unwrap();
        assert_eq!(
            t(DataType::Decimal128(15, 2), DataType::Decimal128(19, 0)),
            DataType::Decimal128(29, 16)
        );
        assert_eq!(
            t(DataType::Decimal128(38, 4), DataType::Decimal128(38, 4)),
            DataType::Decimal128(38, 16)
        );
        assert_eq!(
            t(DataType::Decimal128(38, 30), DataType::Decimal128(38, 4)),
            DataType::Decimal256(42, 30)
        );
    }
}

//! Float `+ - * /` and unary minus with PostgreSQL's checks.
//!
//! A finite result that does not fit is `22003` and not infinity, a product that vanishes too, a
//! zero divisor is `22012`. Processors give NaN a sign, and Arrow compares NaNs by their bits: every
//! NaN that is made here is the one NaN.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::compute::kernels::arity;
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use inflowave_connector_api::vocabulary;
use inflowave_types::SqlState;

use super::integer::scalar_if;
use crate::raise::{division_by_zero, raise_arrow};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum FloatOperator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Negate,
}

/// One operator over arguments of one float type, which is the result's too.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct FloatArithmetic {
    operator: FloatOperator,
    signature: Signature,
}

impl FloatArithmetic {
    pub(crate) fn new(operator: FloatOperator) -> Self {
        FloatArithmetic {
            operator,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for FloatArithmetic {
    fn name(&self) -> &str {
        match self.operator {
            FloatOperator::Add => vocabulary::FLOAT_ADD,
            FloatOperator::Subtract => vocabulary::FLOAT_SUB,
            FloatOperator::Multiply => vocabulary::FLOAT_MUL,
            FloatOperator::Divide => vocabulary::FLOAT_DIV,
            FloatOperator::Negate => vocabulary::FLOAT_NEG,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let real = given.iter().all(|t| *t == DataType::Float32);
        let t = if real {
            DataType::Float32
        } else {
            DataType::Float64
        };
        Ok(vec![t; given.len()])
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given[0].clone())
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let result = match args.return_field.data_type() {
            DataType::Float32 => apply::<Float32Type>(self.operator, &arrays)?,
            DataType::Float64 => apply::<Float64Type>(self.operator, &arrays)?,
            other => return internal_err!("float arithmetic over {other}"),
        };
        scalar_if(args.args.iter(), result)
    }
}

/// A float under an operator.
trait Float: Copy {
    fn is_zero(self) -> bool;
    fn is_nan(self) -> bool;
    fn is_infinite(self) -> bool;
    fn negated(self) -> Self;
    fn computed(operator: FloatOperator, a: Self, b: Self) -> Self;
    /// Any NaN as the one NaN.
    fn one_nan(self) -> Self;
}

macro_rules! float {
    ($t:ident) => {
        impl Float for $t {
            fn is_zero(self) -> bool {
                self == 0.0
            }
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
            fn is_infinite(self) -> bool {
                $t::is_infinite(self)
            }
            fn negated(self) -> Self {
                -self
            }
            fn computed(operator: FloatOperator, a: Self, b: Self) -> Self {
                match operator {
                    FloatOperator::Add => a + b,
                    FloatOperator::Subtract => a - b,
                    FloatOperator::Multiply => a * b,
                    FloatOperator::Divide => a / b,
                    FloatOperator::Negate => -a,
                }
            }
            fn one_nan(self) -> Self {
                if self.is_nan() { $t::NAN } else { self }
            }
        }
    };
}

float!(f32);
float!(f64);

fn apply<T>(operator: FloatOperator, arrays: &[ArrayRef]) -> Result<ArrayRef, ArrowError>
where
    T: ArrowPrimitiveType,
    T::Native: Float,
{
    let l = arrays[0].as_primitive::<T>();
    if operator == FloatOperator::Negate {
        let negated: PrimitiveArray<T> = l.unary(|v| v.negated().one_nan());
        return Ok(Arc::new(negated));
    }
    let r = arrays[1].as_primitive::<T>();
    debug_assert_eq!(l.len(), r.len());
    let result: PrimitiveArray<T> = arity::try_binary(l, r, |a, b| one(operator, a, b))?;
    Ok(Arc::new(result))
}

/// The result for one row, with the checks of PostgreSQL's `float8_pl` and its like.
fn one<F: Float>(operator: FloatOperator, a: F, b: F) -> Result<F, ArrowError> {
    let divides = operator == FloatOperator::Divide;
    if divides && b.is_zero() && !a.is_nan() {
        return Err(division_by_zero());
    }
    let result = F::computed(operator, a, b);
    if result.is_infinite() && !a.is_infinite() && (divides || !b.is_infinite()) {
        return Err(out_of_range("overflow"));
    }
    if result.is_zero() && !a.is_zero() {
        let vanished = match operator {
            FloatOperator::Multiply => !b.is_zero(),
            FloatOperator::Divide => !b.is_infinite(),
            _ => false,
        };
        if vanished {
            return Err(out_of_range("underflow"));
        }
    }
    Ok(result.one_nan())
}

fn out_of_range(how: &str) -> ArrowError {
    raise_arrow(
        SqlState::NumericValueOutOfRange,
        format!("value out of range: {how}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nan_is_the_same_one() {
        let infinity = f64::INFINITY;
        for nan in [
            one(FloatOperator::Subtract, infinity, infinity),
            one(FloatOperator::Multiply, infinity, 0.0),
            one(FloatOperator::Divide, infinity, infinity),
            one(FloatOperator::Divide, -f64::NAN, 0.0),
            one(FloatOperator::Add, -f64::NAN, 1.0),
        ] {
            assert_eq!(nan.unwrap().to_bits(), f64::NAN.to_bits());
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for failed in [
            one(FloatOperator::Add, f64::MAX, f64::MAX),
            one(FloatOperator::Multiply, 1e200, 1e200),
            one(FloatOperator::Multiply, 1e-200, 1e-200),
            one(FloatOperator::Divide, 1e200, 1e-200),
            one(FloatOperator::Divide, 1e-200, 1e200),
        ] {
            failed.unwrap_err();
        }
        assert_eq!(one(FloatOperator::Divide, 1.0, f64::INFINITY).unwrap(), 0.0);
        assert_eq!(one(FloatOperator::Multiply, 0.0, 1e300).unwrap(), 0.0);
        assert_eq!(
            one(FloatOperator::Add, -f64::INFINITY, 1e300).unwrap(),
            -f64::INFINITY
        );
    }
}

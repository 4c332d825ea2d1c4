//! `/` over floats, where a zero divisor is `22012` and not infinity.

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

use super::integer::scalar_if;
use crate::raise::division_by_zero;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct FloatDivision {
    signature: Signature,
}

impl FloatDivision {
    pub(crate) fn new() -> Self {
        FloatDivision {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for FloatDivision {
    fn name(&self) -> &str {
        vocabulary::FLOAT_DIV
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
        Ok(vec![t; 2])
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
            DataType::Float32 => divide::<Float32Type>(&arrays, |a| *a == 0.0, |a, b| a / b)?,
            DataType::Float64 => divide::<Float64Type>(&arrays, |a| *a == 0.0, |a, b| a / b)?,
            other => return internal_err!("division over {other}"),
        };
        scalar_if(args.args.iter(), result)
    }
}

fn divide<T: ArrowPrimitiveType>(
    arrays: &[ArrayRef],
    is_zero: impl Fn(&T::Native) -> bool,
    quotient: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef, ArrowError> {
    let (l, r) = (arrays[0].as_primitive::<T>(), arrays[1].as_primitive::<T>());
    debug_assert_eq!(l.len(), r.len());
    let result: PrimitiveArray<T> = arity::try_binary(l, r, |a, b| {
        if is_zero(&b) {
            Err(division_by_zero())
        } else {
            Ok(quotient(a, b))
        }
    })?;
    Ok(Arc::new(result))
}

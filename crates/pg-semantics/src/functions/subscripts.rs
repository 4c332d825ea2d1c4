//! The subscripts of an array's dimension, as an array: what `generate_subscripts` gives one by one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Builder, ListBuilder};
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use inflowave_types::PgType;

use super::scalar_if;
use crate::cast::pg_type;

/// The name of the function that stands in `unnest` for a `generate_subscripts`.
pub(crate) const SUBSCRIPTS: &str = "pg_subscripts";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Subscripts {
    signature: Signature,
}

impl Subscripts {
    pub fn new() -> Self {
        let arities = vec![TypeSignature::Any(2), TypeSignature::Any(3)];
        Subscripts {
            signature: Signature::new(TypeSignature::OneOf(arities), Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for Subscripts {
    fn name(&self) -> &str {
        SUBSCRIPTS
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        let item = Field::new_list_field(DataType::Int32, true);
        Ok(DataType::List(Arc::new(item)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // The vectors of the system catalogs begin at 0.
        let vector = matches!(
            pg_type(&args.arg_fields[0]),
            Some(PgType::Int2vector | PgType::Oidvector)
        );
        let first = i32::from(!vector);
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let dimensions = arrow::compute::cast(&arrays[1], &DataType::Int32)?;
        let dimensions = dimensions.as_primitive::<Int32Type>();
        let reversed = match arrays.get(2) {
            Some(reversed) => Some(arrow::compute::cast(reversed, &DataType::Boolean)?),
            None => None,
        };
        let mut out = ListBuilder::new(Int32Builder::new());
        for row in 0..arrays[0].len() {
            let length = match dimensions.is_valid(row) {
                true => length(&arrays[0], row, dimensions.value(row)),
                false => None,
            };
            let Some(length) = length else {
                out.append_null();
                continue;
            };
            let subscripts = first..first + i32::try_from(length).unwrap_or(i32::MAX);
            let backwards = reversed.as_ref().map(|r| r.as_boolean());
            match backwards.is_some_and(|r| r.is_valid(row) && r.value(row)) {
                true => out.append_value(subscripts.rev().map(Some)),
                false => out.append_value(subscripts.map(Some)),
            }
        }
        let out: ArrayRef = Arc::new(out.finish());
        scalar_if(args.args.iter(), out)
    }
}

/// How long a dimension is; `None` for one that the array does not have.
fn length(array: &ArrayRef, row: usize, dimension: i32) -> Option<usize> {
    let list = array.as_list_opt::<i32>().filter(|l| l.is_valid(row))?;
    let items = list.value(row);
    match dimension {
        1 => Some(items.len()).filter(|n| *n > 0),
        2.. if !items.is_empty() => length(&items, 0, dimension - 1),
        _ => None,
    }
}

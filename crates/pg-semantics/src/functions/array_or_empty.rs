//! What `ARRAY(SELECT ..)` gives where its query has no rows.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::scalar_if;

/// `pg_array_or_empty(list)`: the list, and an empty one for NULL.
pub(crate) const ARRAY_OR_EMPTY: &str = "pg_array_or_empty";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ArrayOrEmpty {
    signature: Signature,
}

impl ArrayOrEmpty {
    pub fn new() -> Self {
        ArrayOrEmpty {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for ArrayOrEmpty {
    fn name(&self) -> &str {
        ARRAY_OR_EMPTY
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        // Items of which nothing is known are texts.
        Ok(match &given[0] {
            DataType::List(item) if item.data_type().is_null() => {
                let item = item.as_ref().clone().with_data_type(DataType::Utf8View);
                DataType::List(Arc::new(item))
            }
            t => t.clone(),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let array = cast(
            &args.args[0].to_array(args.number_rows)?,
            args.return_field.data_type(),
        )?;
        let Some(list) = array.as_list_opt::<i32>() else {
            return internal_err!("{} of {}", self.name(), array.data_type());
        };
        if list.null_count() == 0 {
            return scalar_if(args.args.iter(), array);
        }
        // What stands below a NULL is left out, so that nothing but an empty list is there.
        let (field, _, values, _) = list.clone().into_parts();
        let mut lengths = Vec::with_capacity(list.len());
        let mut kept = Vec::new();
        for row in 0..list.len() {
            let length = if list.is_null(row) {
                0
            } else {
                let start = list.value_offsets()[row] as u32;
                let length = list.value_length(row) as u32;
                kept.extend(start..start + length);
                length as usize
            };
            lengths.push(length);
        }
        let indices = arrow::array::UInt32Array::from(kept);
        let values = arrow::compute::take(&values, &indices, None)?;
        let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
        let filled: ArrayRef = Arc::new(GenericListArray::try_new(field, offsets, values, None)?);
        scalar_if(args.args.iter(), filled)
    }
}

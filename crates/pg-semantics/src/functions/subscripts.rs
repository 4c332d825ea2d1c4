//! The subscripts of an array's dimension, as an array: what `generate_subscripts` gives one by one.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int32Builder, ListArray, ListBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Fields, Int32Type};
use datafusion::common::cast::as_list_array;
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use inflowave_types::PgType;

use super::scalar_if;
use crate::cast::pg_type;

/// The name of the function that stands in `unnest` for a `generate_subscripts`.
pub(crate) const SUBSCRIPTS: &str = "pg_subscripts";

/// The name of the function that stands in `unnest` for an `information_schema._pg_expandarray`: the items of
/// an array, each with its number from 1.
pub(crate) const NUMBERED: &str = "pg_numbered_items";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbered {
    signature: Signature,
}

impl Numbered {
    pub fn new() -> Self {
        Numbered {
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

fn numbered(list: &DataType) -> DataType {
    let item = match list {
        DataType::List(item) => item.data_type().clone(),
        _ => DataType::Null,
    };
    let fields = Fields::from(vec![
        Field::new("x", item, true),
        Field::new("n", DataType::Int32, true),
    ]);
    DataType::List(Arc::new(Field::new_list_field(
        DataType::Struct(fields),
        true,
    )))
}

impl ScalarUDFImpl for Numbered {
    fn name(&self) -> &str {
        NUMBERED
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(numbered(&arg_types[0]))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let DataType::List(field) = numbered(arrays[0].data_type()) else {
            return internal_err!("the numbered items of an array are one");
        };
        let DataType::Struct(fields) = field.data_type() else {
            return internal_err!("the numbered items of an array are pairs");
        };
        let lists = as_list_array(&arrays[0])?;
        let (mut items, mut numbers, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..lists.len() {
            let list = match lists.is_valid(row) {
                true => lists.value(row),
                false => lists.values().slice(0, 0),
            };
            let length = list.len();
            lengths.push(length);
            numbers.extend(1..=i32::try_from(length).unwrap_or(i32::MAX));
            items.push(list);
        }
        let items: Vec<&dyn Array> = items.iter().map(AsRef::as_ref).collect();
        let items = match items.is_empty() {
            true => lists.values().slice(0, 0),
            false => concat(&items)?,
        };
        let numbers: ArrayRef = Arc::new(Int32Array::from(numbers));
        let pairs = StructArray::try_new(fields.clone(), vec![items, numbers], None)?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        let nulls = lists.nulls().cloned();
        let list = ListArray::try_new(Arc::clone(&field), offsets, Arc::new(pairs), nulls)?;
        scalar_if(args.args.iter(), Arc::new(list))
    }
}

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

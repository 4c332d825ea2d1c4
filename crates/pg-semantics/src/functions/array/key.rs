//! Arrays and their items as bytes that are equal, and in order, as they are.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryBuilder};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, IntervalMonthDayNanoType};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;

use super::Layout;
use crate::functions::interval_span::spans;
use crate::functions::quantified::one_zero;

/// Less than what any item starts with.
const END: u8 = 0;

/// Items as bytes: NULL comes last, and equals NULL.
pub(super) fn of_items(items: &ArrayRef) -> Result<Rows> {
    let items = match items.data_type() {
        DataType::Interval(_) => spans(items.as_primitive::<IntervalMonthDayNanoType>()),
        _ => one_zero(items),
    };
    let order = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let field = SortField::new_with_options(items.data_type().clone(), order);
    Ok(RowConverter::new(vec![field])?.convert_columns(&[items])?)
}

/// `array_cmp` of PostgreSQL: item by item, then the shorter one first, then the one of fewer dimensions,
/// then by their lengths.
pub(super) fn of_arrays(arrays: &Layout) -> Result<ArrayRef> {
    let items = of_items(&arrays.items)?;
    let mut keys = BinaryBuilder::new();
    let mut key = Vec::new();
    for row in 0..arrays.rows() {
        if arrays.is_null(row) {
            keys.append_null();
            continue;
        }
        key.clear();
        for at in arrays.range(row) {
            key.extend_from_slice(items.row(at).as_ref());
        }
        let dims = arrays.dims(row);
        key.push(END);
        key.push(dims.len() as u8);
        if dims.len() > 1 {
            for length in arrays.lengths(row).into_iter().flatten() {
                key.extend_from_slice(&(length as u32).to_be_bytes());
            }
        }
        keys.append_value(&key);
    }
    Ok(Arc::new(keys.finish()))
}

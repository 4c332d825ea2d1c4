//! `array_to_string`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::config::ConfigOptions;

use super::Layout;
use crate::cast::printed;

/// The items as they are printed, joined; a NULL is left out, or is the third text.
pub(super) fn joined(given: &[ArrayRef], config: &ConfigOptions) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?;
    let items = printed(&arrays.items, config)?;
    let items = items.as_string_view();
    let between = given[1].as_string_view();
    let for_null = given.get(2).map(|n| n.as_string_view());
    let is_boolean = *arrays.items.data_type() == DataType::Boolean;
    let mut out = StringViewBuilder::with_capacity(arrays.rows());
    for row in 0..arrays.rows() {
        if arrays.is_null(row) || between.is_null(row) {
            out.append_null();
            continue;
        }
        let for_null = for_null.filter(|n| n.is_valid(row)).map(|n| n.value(row));
        let mut text = String::new();
        let mut is_first = true;
        for at in arrays.range(row) {
            let item = match items.is_valid(at) {
                // Its output function gives a letter.
                true if is_boolean => Some(&items.value(at)[..1]),
                true => Some(items.value(at)),
                false => for_null,
            };
            let Some(item) = item else { continue };
            if !is_first {
                text.push_str(between.value(row));
            }
            is_first = false;
            text.push_str(item);
        }
        out.append_value(text);
    }
    Ok(Arc::new(out.finish()))
}

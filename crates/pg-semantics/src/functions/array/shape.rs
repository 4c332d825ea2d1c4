//! How long arrays are.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, StringViewBuilder};
use arrow::datatypes::Int32Type;
use datafusion::common::Result;

use super::Layout;

/// Of each dimension, from 1; an array without items has none.
pub(super) fn dims(arrays: &Layout) -> ArrayRef {
    let mut out = StringViewBuilder::with_capacity(arrays.rows());
    for row in 0..arrays.rows() {
        let dims = arrays.dims(row);
        let mut text = String::new();
        for dim in &dims {
            // Writing to a text never fails.
            let _ = write!(text, "[1:{dim}]");
        }
        out.append_option((!dims.is_empty()).then_some(text));
    }
    Arc::new(out.finish())
}

pub(super) fn cardinality(arrays: &Layout) -> ArrayRef {
    numbers(arrays, |row| Some(arrays.range(row).len()))
}

pub(super) fn ndims(arrays: &Layout) -> ArrayRef {
    numbers(arrays, |row| {
        Some(arrays.dims(row).len()).filter(|n| *n > 0)
    })
}

fn numbers(arrays: &Layout, of: impl Fn(usize) -> Option<usize>) -> ArrayRef {
    let number = |row| match arrays.is_null(row) {
        true => None,
        false => of(row).map(|n| n as i32),
    };
    Arc::new((0..arrays.rows()).map(number).collect::<Int32Array>())
}

/// The length in a dimension, which is also the last subscript: the first one is 1.
pub(super) fn lengths(given: &[ArrayRef]) -> Result<ArrayRef> {
    in_dimension(given, |length| length)
}

pub(super) fn lowers(given: &[ArrayRef]) -> Result<ArrayRef> {
    in_dimension(given, |_| 1)
}

fn in_dimension(given: &[ArrayRef], of: impl Fn(usize) -> usize) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?;
    let wanted = given[1].as_primitive::<Int32Type>();
    Ok(numbers(&arrays, |row| {
        let at = usize::try_from(wanted.is_valid(row).then(|| wanted.value(row))?).ok()?;
        let length = *arrays.dims(row).get(at.checked_sub(1)?)?;
        Some(of(length))
    }))
}

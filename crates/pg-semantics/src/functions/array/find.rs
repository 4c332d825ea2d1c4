//! What is in an array.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, Int32Array, Int32Builder};
use arrow::datatypes::{DataType, Int32Type};
use arrow::row::Rows;
use datafusion::common::Result;
use inflowave_types::SqlState;

use super::Layout;
use super::key;
use super::layout::Builder;
use crate::raise::raise;

/// `@>`: is each item of the second in the first? NULL is in no array.
pub(super) fn contains(given: &[ArrayRef]) -> Result<ArrayRef> {
    compare(given, |known, others| {
        others.iter().all(|o| o.is_some_and(|o| known.contains(o)))
    })
}

/// `&&`: do they share an item?
pub(super) fn overlaps(given: &[ArrayRef]) -> Result<ArrayRef> {
    compare(given, |known, others| {
        others.iter().any(|o| o.is_some_and(|o| known.contains(o)))
    })
}

fn compare(
    given: &[ArrayRef],
    holds: impl Fn(&HashSet<&[u8]>, &[Option<&[u8]>]) -> bool,
) -> Result<ArrayRef> {
    let (left, right) = (Layout::new(&given[0])?, Layout::new(&given[1])?);
    let (of_left, of_right) = (key::of_items(&left.items)?, key::of_items(&right.items)?);
    let mut found = BooleanBuilder::with_capacity(left.rows());
    for row in 0..left.rows() {
        if left.is_null(row) || right.is_null(row) {
            found.append_null();
            continue;
        }
        let valid = left.range(row).filter(|at| left.items.is_valid(*at));
        let known: HashSet<&[u8]> = valid.map(|at| bytes(&of_left, at)).collect();
        let others: Vec<Option<&[u8]>> = right
            .range(row)
            .map(|at| right.items.is_valid(at).then(|| bytes(&of_right, at)))
            .collect();
        found.append_value(holds(&known, &others));
    }
    Ok(Arc::new(found.finish()))
}

fn bytes(rows: &Rows, at: usize) -> &[u8] {
    // A row of its own borrows from the rows.
    rows.row(at).data()
}

/// Where each array has the item, from 1: NULL is found as any other.
pub(super) fn matches(arrays: &Layout, items: &ArrayRef) -> Result<Vec<Vec<usize>>> {
    let (of_arrays, of_items) = (key::of_items(&arrays.items)?, key::of_items(items)?);
    let of_row = |row| {
        if arrays.is_null(row) {
            return Vec::new();
        }
        let range = arrays.range(row);
        let from = range.start;
        range
            .filter(|at| of_arrays.row(*at) == of_items.row(row))
            .map(|at| at - from)
            .collect()
    };
    Ok((0..arrays.rows()).map(of_row).collect())
}

/// # Errors
/// `0A000` for an array of several dimensions.
pub(super) fn one_dimension(arrays: &Layout, row: usize, what: &str) -> Result<()> {
    if arrays.dims(row).len() > 1 {
        return Err(raise(
            SqlState::FeatureNotSupported,
            format!("{what} multidimensional arrays is not supported"),
        ));
    }
    Ok(())
}

pub(super) fn position(given: &[ArrayRef]) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?;
    let starts: Option<&Int32Array> = given.get(2).map(|s| s.as_primitive::<Int32Type>());
    let mut out = Int32Builder::with_capacity(arrays.rows());
    for (row, at) in matches(&arrays, &given[1])?.into_iter().enumerate() {
        if arrays.is_null(row) {
            out.append_null();
            continue;
        }
        one_dimension(&arrays, row, "searching for elements in")?;
        let start = match starts {
            Some(starts) if starts.is_null(row) => {
                return Err(raise(
                    SqlState::NullValueNotAllowed,
                    "initial position must not be null",
                ));
            }
            Some(starts) => i64::from(starts.value(row)),
            None => 1,
        };
        let first = at.into_iter().find(|at| *at as i64 + 1 >= start);
        out.append_option(first.map(|at| at as i32 + 1));
    }
    Ok(Arc::new(out.finish()))
}

pub(super) fn positions(given: &[ArrayRef], target: &DataType) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?;
    let mut numbers = Vec::new();
    let mut out = Builder::new(target);
    for (row, at) in matches(&arrays, &given[1])?.into_iter().enumerate() {
        if arrays.is_null(row) {
            out.push_null();
            continue;
        }
        one_dimension(&arrays, row, "searching for elements in")?;
        let from = numbers.len();
        numbers.extend(at.iter().map(|at| *at as i32 + 1));
        out.push(&[at.len()], (from..numbers.len()).map(|n| (0, n)));
    }
    let numbers: ArrayRef = Arc::new(Int32Array::from(numbers));
    out.finish(&[&numbers], target)
}

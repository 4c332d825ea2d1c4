//! Arrays made of arrays and items.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{DataFusionError, Result};
use inflowave_types::SqlState;

use super::find::{matches, one_dimension};
use super::layout::Builder;
use super::{ArrayFunction, Layout, depth};
use crate::raise::raise;

/// What stands on one side: the arrays, or an item for each row.
enum Side {
    Arrays(Layout),
    Items(ArrayRef),
}

impl Side {
    fn items(&self) -> &ArrayRef {
        match self {
            Side::Arrays(arrays) => &arrays.items,
            Side::Items(items) => items,
        }
    }

    /// The lengths of a row and where its items are; `None` for a NULL array.
    fn row(&self, row: usize) -> Option<(Vec<usize>, std::ops::Range<usize>)> {
        match self {
            Side::Arrays(arrays) if arrays.is_null(row) => None,
            Side::Arrays(arrays) => Some((arrays.dims(row), arrays.range(row))),
            Side::Items(_) => Some((vec![1], row..row + 1)),
        }
    }
}

/// `array_append`, `array_prepend`, `array_cat` and `||`. Beside a NULL array the other one stands.
///
/// # Errors
/// `22000` for an item beside an array of several dimensions, `2202E` for arrays that do not fit.
pub(super) fn concatenated(
    function: ArrayFunction,
    given: &[ArrayRef],
    target: &DataType,
) -> Result<ArrayRef> {
    let side = |at: usize, is_item: bool| -> Result<Side> {
        Ok(match is_item {
            true => Side::Items(ArrayRef::clone(&given[at])),
            false => Side::Arrays(Layout::new(&given[at])?.even()?),
        })
    };
    let left = side(0, function == ArrayFunction::Prepend)?;
    let right = side(1, function == ArrayFunction::Append)?;
    let mut out = Builder::new(target);
    for row in 0..given[0].len() {
        match (left.row(row), right.row(row)) {
            (None, None) => out.push_null(),
            (Some((dims, items)), None) => out.push(&dims, items.map(|at| (0, at))),
            (None, Some((dims, items))) => out.push(&dims, items.map(|at| (1, at))),
            (Some((l, of_left)), Some((r, of_right))) => {
                if function != ArrayFunction::Cat && (l.len() > 1 || r.len() > 1) {
                    return Err(raise(
                        SqlState::DataException,
                        "argument must be empty or one-dimensional array",
                    ));
                }
                let dims = both(&l, &r).ok_or_else(incompatible)?;
                let items = of_left.map(|at| (0, at));
                out.push(&dims, items.chain(of_right.map(|at| (1, at))));
            }
        }
    }
    out.finish(&[left.items(), right.items()], target)
}

/// The lengths of two arrays behind each other, one of which can be an item of the other.
fn both(l: &[usize], r: &[usize]) -> Option<Vec<usize>> {
    match (l, r) {
        ([], other) | (other, []) => Some(other.to_vec()),
        ([l, rest @ ..], [r, other @ ..]) if rest == other => Some([&[l + r], rest].concat()),
        ([l, rest @ ..], r) if rest == r => Some([&[l + 1], rest].concat()),
        (l, [r, rest @ ..]) if rest == l => Some([&[r + 1], rest].concat()),
        _ => None,
    }
}

fn incompatible() -> DataFusionError {
    raise(
        SqlState::ArraySubscriptError,
        "cannot concatenate incompatible arrays",
    )
}

/// An array made of arrays, if they have the same lengths.
///
/// # Errors
/// `2202E` where they do not.
pub(super) fn even(given: &[ArrayRef]) -> Result<ArrayRef> {
    Layout::new(&given[0])?.even()?;
    Ok(ArrayRef::clone(&given[0]))
}

/// The items of all dimensions behind each other, as `unnest` gives them.
pub(super) fn flat(given: &[ArrayRef], target: &DataType) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?;
    let mut out = Builder::new(target);
    for row in 0..arrays.rows() {
        match arrays.is_null(row) {
            true => out.push_null(),
            false => out.push(
                &[arrays.range(row).len()],
                arrays.range(row).map(|at| (0, at)),
            ),
        }
    }
    out.finish(&[&arrays.items], target)
}

/// # Errors
/// `0A000` for an array of several dimensions.
pub(super) fn removed(given: &[ArrayRef], target: &DataType) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?;
    let mut out = Builder::new(target);
    for (row, found) in matches(&arrays, &given[1])?.into_iter().enumerate() {
        if arrays.is_null(row) {
            out.push_null();
            continue;
        }
        one_dimension(&arrays, row, "removing elements from")?;
        let range = arrays.range(row);
        let from = range.start;
        let kept: Vec<_> = range
            .filter(|at| found.binary_search(&(at - from)).is_err())
            .map(|at| (0, at))
            .collect();
        out.push(&[kept.len()], kept);
    }
    out.finish(&[&arrays.items], target)
}

pub(super) fn replaced(given: &[ArrayRef], target: &DataType) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?.even()?;
    let mut out = Builder::new(target);
    for (row, found) in matches(&arrays, &given[1])?.into_iter().enumerate() {
        if arrays.is_null(row) {
            out.push_null();
            continue;
        }
        let range = arrays.range(row);
        let from = range.start;
        let items = range.map(|at| match found.binary_search(&(at - from)) {
            Ok(_) => (1, row),
            Err(_) => (0, at),
        });
        out.push(&arrays.dims(row), items);
    }
    out.finish(&[&arrays.items, &given[2]], target)
}

/// `array_fill(value, ARRAY[length])`.
///
/// # Errors
/// `22004` without a length, `22023` for one below 0, `0A000` for several.
pub(super) fn filled(given: &[ArrayRef], target: &DataType) -> Result<ArrayRef> {
    debug_assert_eq!(depth(target), 1);
    let lengths = Layout::new(&given[1])?;
    let numbers = lengths.items.as_primitive::<Int32Type>();
    let mut out = Builder::new(target);
    for row in 0..lengths.rows() {
        let range = lengths.range(row);
        if lengths.is_null(row) || range.clone().any(|at| numbers.is_null(at)) {
            return Err(raise(
                SqlState::NullValueNotAllowed,
                "dimension array or low bound array cannot be null",
            ));
        }
        let length = match range.len() {
            0 => 0,
            1 => usize::try_from(numbers.value(range.start)).map_err(|_| {
                raise(
                    SqlState::ProgramLimitExceeded,
                    "array size exceeds the maximum allowed (134217727)",
                )
            })?,
            _ => {
                return Err(raise(
                    SqlState::FeatureNotSupported,
                    "array_fill makes arrays of one dimension",
                ));
            }
        };
        out.push(&[length], std::iter::repeat_n((0, row), length));
    }
    out.finish(&[&given[0]], target)
}

/// # Errors
/// `2202E` for a number that the array does not have.
pub(super) fn trimmed(given: &[ArrayRef], target: &DataType) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?.even()?;
    let numbers = given[1].as_primitive::<Int32Type>();
    let mut out = Builder::new(target);
    for row in 0..arrays.rows() {
        if arrays.is_null(row) || numbers.is_null(row) {
            out.push_null();
            continue;
        }
        let mut dims = arrays.dims(row);
        let length = dims.first().copied().unwrap_or(0);
        let cut = usize::try_from(numbers.value(row)).ok();
        let Some(cut) = cut.filter(|n| *n <= length) else {
            return Err(raise(
                SqlState::ArraySubscriptError,
                format!("number of elements to trim must be between 0 and {length}"),
            ));
        };
        if let Some(first) = dims.first_mut() {
            *first -= cut;
        }
        let count = dims.iter().product::<usize>() * usize::from(!dims.is_empty());
        let range = arrays.range(row);
        out.push(&dims, range.take(count).map(|at| (0, at)));
    }
    out.finish(&[&arrays.items], target)
}

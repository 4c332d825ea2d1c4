//! `a[i]` and `a[i:j]`.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;

use super::Layout;
use super::layout::Builder;

/// The item that a number for each dimension names; NULL beyond the array, and for fewer or more
/// numbers than the array has dimensions.
pub(super) fn items(given: &[ArrayRef]) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?.even()?;
    let numbers: Vec<&Int32Array> = given[1..].iter().map(|n| n.as_primitive()).collect();
    let place = |row: usize| {
        let dims = arrays.dims(row);
        if dims.len() != numbers.len() {
            return None;
        }
        let mut at = 0;
        for (dim, number) in dims.iter().zip(&numbers) {
            let number = number.is_valid(row).then(|| number.value(row))?;
            let number = usize::try_from(number).ok()?.checked_sub(1)?;
            at = at * dim + Some(number).filter(|n| n < dim)?;
        }
        Some((arrays.range(row).start + at) as u64)
    };
    let places: UInt64Array = (0..arrays.rows()).map(place).collect();
    Ok(take(&arrays.items, &places, None)?)
}

/// The part between two numbers in each dimension; a dimension of which nothing is said is whole. Behind
/// the array come, for each dimension, its bounds, and for each of these whether it was left out.
pub(super) fn slices(given: &[ArrayRef], target: &DataType) -> Result<ArrayRef> {
    let arrays = Layout::new(&given[0])?.even()?;
    let bounds: Vec<Bound> = given[1..].chunks_exact(2).map(Bound::new).collect();
    let mut out = Builder::new(target);
    for row in 0..arrays.rows() {
        if arrays.is_null(row) || bounds.iter().any(|b| b.is_null(row)) {
            out.push_null();
            continue;
        }
        match part(&arrays.dims(row), &bounds, row) {
            Some((dims, places)) => {
                let from = arrays.range(row).start;
                out.push(&dims, places.into_iter().map(|at| (0, from + at)));
            }
            None => out.push(&[], []),
        }
    }
    out.finish(&[&arrays.items], target)
}

/// A bound of one dimension: its number, and whether it is left out.
struct Bound<'a> {
    numbers: &'a Int32Array,
    open: &'a BooleanArray,
}

impl<'a> Bound<'a> {
    fn new(pair: &'a [ArrayRef]) -> Self {
        Bound {
            numbers: pair[0].as_primitive::<Int32Type>(),
            open: pair[1].as_boolean(),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        !self.open.value(row) && self.numbers.is_null(row)
    }

    fn or(&self, row: usize, open: i64) -> i64 {
        match self.open.value(row) {
            true => open,
            false => i64::from(self.numbers.value(row)),
        }
    }
}

/// The lengths of the part, and where its items are; `None` if there is none.
fn part(dims: &[usize], bounds: &[Bound], row: usize) -> Option<(Vec<usize>, Vec<usize>)> {
    if dims.is_empty() || bounds.len() > 2 * dims.len() {
        return None;
    }
    let mut places = vec![0];
    let mut lengths = Vec::new();
    for (at, dim) in dims.iter().enumerate() {
        let length = i64::try_from(*dim).ok()?;
        let (from, to) = match (bounds.get(2 * at), bounds.get(2 * at + 1)) {
            (Some(from), Some(to)) => (from.or(row, 1).max(1), to.or(row, length).min(length)),
            _ => (1, length),
        };
        if from > to {
            return None;
        }
        let (from, to) = (from as usize - 1, to as usize);
        lengths.push(to - from);
        let inner = |outer: usize| (from..to).map(move |n| outer * dim + n);
        places = places.into_iter().flat_map(inner).collect();
    }
    Some((lengths, places))
}

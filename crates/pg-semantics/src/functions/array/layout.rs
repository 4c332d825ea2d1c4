//! Arrays of any number of dimensions as rows of items.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, new_empty_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, internal_err};
use inflowave_types::SqlState;

use crate::raise::raise;

/// The field of the items that are no lists themselves. Of what is no list, an item of that type.
pub(crate) fn base(t: &DataType) -> FieldRef {
    match t {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            match item.data_type() {
                inner if depth(inner) > 0 => base(inner),
                _ => Arc::clone(item),
            }
        }
        other => Arc::new(Field::new_list_field(other.clone(), true)),
    }
}

/// How many dimensions an array of the type has, if it has items; 0 for what is no array.
pub(crate) fn depth(t: &DataType) -> usize {
    match t {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            1 + depth(item.data_type())
        }
        _ => 0,
    }
}

/// The type of arrays of `depth` dimensions.
pub(crate) fn nest(item: FieldRef, depth: usize) -> DataType {
    let mut t = DataType::List(item);
    for _ in 1..depth {
        t = DataType::List(Arc::new(Field::new_list_field(t, true)));
    }
    t
}

/// The items of a column of arrays, and where those of each row are.
pub(in crate::functions) struct Layout {
    levels: Vec<ListArray>,
    pub items: ArrayRef,
}

impl Layout {
    /// # Errors
    /// `XX000` for what is no array.
    pub fn new(array: &ArrayRef) -> Result<Self> {
        let mut levels = Vec::new();
        let mut items = Arc::clone(array);
        loop {
            items = match items.data_type() {
                DataType::List(_) => items,
                DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                    cast(&items, &DataType::List(Arc::clone(item)))?
                }
                _ if levels.is_empty() => {
                    return internal_err!("{} is no array", items.data_type());
                }
                _ => return Ok(Layout { levels, items }),
            };
            let list = items.as_list::<i32>().clone();
            items = Arc::clone(list.values());
            levels.push(list);
        }
    }

    pub fn rows(&self) -> usize {
        self.levels[0].len()
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.levels[0].is_null(row)
    }

    /// Where the items of a row are.
    pub fn range(&self, row: usize) -> Range<usize> {
        let (mut from, mut to) = (row, row + 1);
        for level in &self.levels {
            let offsets = level.value_offsets();
            (from, to) = (offsets[from] as usize, offsets[to] as usize);
        }
        from..to
    }

    /// The same, if each row is as long throughout each dimension: what is read from a file may not be.
    ///
    /// # Errors
    /// `2202E` for a row that is not.
    pub fn even(self) -> Result<Self> {
        for row in (0..self.rows()).filter(|row| !self.is_null(*row)) {
            let lengths = self.lengths(row);
            if lengths.iter().any(|l| l.iter().any(|n| n != &l[0])) {
                return Err(raise(
                    SqlState::ArraySubscriptError,
                    "multidimensional arrays must have array expressions with matching dimensions",
                ));
            }
        }
        Ok(self)
    }

    /// The lengths of the arrays that a row is made of, dimension by dimension.
    pub fn lengths(&self, row: usize) -> Vec<Vec<usize>> {
        let (mut from, mut to) = (row, row + 1);
        let of_level = |level: &ListArray| {
            let lengths = (from..to).map(|at| level.value_length(at) as usize);
            let lengths: Vec<usize> = lengths.collect();
            let offsets = level.value_offsets();
            (from, to) = (offsets[from] as usize, offsets[to] as usize);
            lengths
        };
        self.levels.iter().map(of_level).collect()
    }

    /// How long the row is in each dimension: an array without items has none.
    pub fn dims(&self, row: usize) -> Vec<usize> {
        if self.is_null(row) || self.range(row).is_empty() {
            return Vec::new();
        }
        let mut first = row;
        let mut dims = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            dims.push(level.value_length(first) as usize);
            first = level.value_offsets()[first] as usize;
        }
        dims
    }
}

/// Makes a column of arrays out of items of others.
pub(super) struct Builder {
    lengths: Vec<Vec<usize>>,
    valid: Vec<bool>,
    picked: Vec<(usize, usize)>,
}

impl Builder {
    pub fn new(target: &DataType) -> Self {
        Builder {
            lengths: vec![Vec::new(); depth(target)],
            valid: Vec::new(),
            picked: Vec::new(),
        }
    }

    pub fn push_null(&mut self) {
        self.lengths[0].push(0);
        self.valid.push(false);
    }

    /// An array of these lengths, and its items: which source, and where in it.
    pub fn push(&mut self, dims: &[usize], items: impl IntoIterator<Item = (usize, usize)>) {
        self.valid.push(true);
        if dims.iter().product::<usize>() == 0 || dims.is_empty() {
            self.lengths[0].push(0);
            return;
        }
        let mut outer = 1;
        for (lengths, dim) in self.lengths.iter_mut().zip(dims) {
            lengths.extend(std::iter::repeat_n(*dim, outer));
            outer *= dim;
        }
        self.picked.extend(items);
    }

    pub fn finish(self, sources: &[&ArrayRef], target: &DataType) -> Result<ArrayRef> {
        let item = base(target);
        let mut values = if self.picked.is_empty() {
            new_empty_array(item.data_type())
        } else {
            let sources: Vec<&dyn Array> = sources.iter().map(|s| s.as_ref()).collect();
            interleave(&sources, &self.picked)?
        };
        let mut fields = Vec::new();
        let mut t = target;
        while let DataType::List(item) = t {
            fields.push(Arc::clone(item));
            t = item.data_type();
        }
        let mut valid = Some(NullBuffer::from(self.valid));
        for (at, (field, lengths)) in fields.into_iter().zip(self.lengths).enumerate().rev() {
            let nulls = if at == 0 { valid.take() } else { None };
            let offsets = OffsetBuffer::<i32>::from_lengths(lengths);
            values = Arc::new(ListArray::try_new(field, offsets, values, nulls)?);
        }
        Ok(values)
    }
}

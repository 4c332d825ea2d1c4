//! Where values stand in arrays that hold others: lists of any layout, dictionaries, runs.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, GenericListArray, GenericListViewArray, MapArray,
    OffsetSizeTrait, downcast_run_array,
};
use arrow::datatypes::{ArrowNativeType, DataType};
use inflowave_types::{Error, Result};

/// Where a row's elements stand among all.
pub trait Rows: Send + Sync {
    fn elements(&self, row: usize) -> Range<usize>;
}

/// An array of arrays, as its rows and its elements: lists of any layout, and maps as arrays of
/// their entries.
pub fn list(array: &ArrayRef) -> Result<(Box<dyn Rows>, ArrayRef)> {
    Ok(match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            (Box::new(list.clone()), list.values().clone())
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            (Box::new(list.clone()), list.values().clone())
        }
        DataType::ListView(_) => {
            let list = array.as_list_view::<i32>();
            (Box::new(list.clone()), list.values().clone())
        }
        DataType::LargeListView(_) => {
            let list = array.as_list_view::<i64>();
            (Box::new(list.clone()), list.values().clone())
        }
        DataType::FixedSizeList(..) => {
            let list = array.as_fixed_size_list();
            (Box::new(list.clone()), list.values().clone())
        }
        DataType::Map(..) => {
            let map = array.as_map();
            (Box::new(map.clone()), Arc::new(map.entries().clone()))
        }
        other => return Err(Error::internal(format!("{other} is not a list"))),
    })
}

impl<O: OffsetSizeTrait> Rows for GenericListArray<O> {
    fn elements(&self, row: usize) -> Range<usize> {
        let offsets = self.value_offsets();
        offsets[row].as_usize()..offsets[row + 1].as_usize()
    }
}

impl<O: OffsetSizeTrait> Rows for GenericListViewArray<O> {
    fn elements(&self, row: usize) -> Range<usize> {
        let start = self.value_offset(row).as_usize();
        start..start + self.value_size(row).as_usize()
    }
}

impl Rows for FixedSizeListArray {
    fn elements(&self, row: usize) -> Range<usize> {
        let start = self.value_offset(row).as_usize();
        start..start + self.value_length().as_usize()
    }
}

impl Rows for MapArray {
    fn elements(&self, row: usize) -> Range<usize> {
        let offsets = self.value_offsets();
        offsets[row].as_usize()..offsets[row + 1].as_usize()
    }
}

/// Values that several rows share, as the value of each row and the values. A row that is NULL
/// points at any value, or at none where there are none.
pub fn shared(array: &ArrayRef) -> Result<(Vec<usize>, ArrayRef)> {
    if let DataType::Dictionary(..) = array.data_type() {
        let coded = array.as_any_dictionary();
        let rows = match coded.values().is_empty() {
            true => vec![0; array.len()],
            false => coded.normalized_keys(),
        };
        return Ok((rows, coded.values().clone()));
    }
    let array = array.as_ref();
    downcast_run_array!(
        array => {
            let ends = array.run_ends();
            let mut rows = Vec::with_capacity(array.len());
            let mut run = ends.get_start_physical_index();
            for row in 0..array.len() {
                while ends.values()[run].as_usize() <= ends.offset() + row {
                    run += 1;
                }
                rows.push(run);
            }
            Ok((rows, array.values().clone()))
        },
        other => Err(Error::internal(format!("{other} shares no values")))
    )
}

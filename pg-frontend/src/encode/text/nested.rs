//! Arrays `{1,NULL,"a b"}` and records `(1,,"a b")`, with PostgreSQL's quoting.

use std::ops::Range;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, GenericListArray, GenericListViewArray, MapArray,
    OffsetSizeTrait,
};
use arrow::datatypes::{ArrowNativeType, DataType};
use bytes::{BufMut, BytesMut};
use inflowave_types::{Error, Result};

use super::{Form, TextColumn, TextFormat};
use crate::oid;

/// An array of arrays: lists of any layout, and maps as arrays of their entries.
pub fn list(array: &ArrayRef, format: &TextFormat) -> Result<Box<dyn Form>> {
    let (rows, values): (Box<dyn Rows>, ArrayRef) = match array.data_type() {
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
            (
                Box::new(map.clone()),
                std::sync::Arc::new(map.entries().clone()),
            )
        }
        other => return Err(Error::internal(format!("{other} is not a list"))),
    };
    Ok(Box::new(List {
        rows,
        // The arrays in an array are its further dimensions, never quoted.
        quoted: oid::element(values.data_type()).is_none(),
        values: TextColumn::new(&values, format)?,
    }))
}

/// An array of structs.
pub fn record(array: &ArrayRef, format: &TextFormat) -> Result<Box<dyn Form>> {
    let fields = array.as_struct().columns().iter();
    let fields = fields
        .map(|field| TextColumn::new(field, format))
        .collect::<Result<_>>()?;
    Ok(Box::new(Record { fields }))
}

struct List {
    rows: Box<dyn Rows>,
    values: TextColumn,
    quoted: bool,
}

/// Where a row's elements stand among all.
trait Rows: Send + Sync {
    fn elements(&self, row: usize) -> Range<usize>;
}

impl Form for List {
    fn write(&self, row: usize, out: &mut BytesMut) {
        out.put_u8(b'{');
        for (i, element) in self.rows.elements(row).enumerate() {
            if i > 0 {
                out.put_u8(b',');
            }
            let start = out.len();
            if !self.values.text(element, out) {
                out.put_slice(b"NULL");
            } else if self.quoted {
                let text = &out[start..];
                let special = |b: &u8| b"\"\\{},".contains(b) || is_blank(*b);
                if text.is_empty() || text.eq_ignore_ascii_case(b"NULL") || text.iter().any(special)
                {
                    quote(start, b'\\', out);
                }
            }
        }
        out.put_u8(b'}');
    }
}

struct Record {
    fields: Vec<TextColumn>,
}

impl Form for Record {
    fn write(&self, row: usize, out: &mut BytesMut) {
        out.put_u8(b'(');
        for (i, field) in self.fields.iter().enumerate() {
            if i > 0 {
                out.put_u8(b',');
            }
            let start = out.len();
            if field.text(row, out) {
                let text = &out[start..];
                let special = |b: &u8| b"\"\\(),".contains(b) || is_blank(*b);
                if text.is_empty() || text.iter().any(special) {
                    // A record doubles what an array escapes.
                    quote(start, 0, out);
                }
            }
        }
        out.put_u8(b')');
    }
}

/// Puts quotes around what stands from `start` on. Quotes and backslashes in it follow `escape`,
/// or themselves if it is 0.
fn quote(start: usize, escape: u8, out: &mut BytesMut) {
    let text = out[start..].to_vec();
    out.truncate(start);
    out.put_u8(b'"');
    for byte in text {
        if byte == b'"' || byte == b'\\' {
            out.put_u8(if escape == 0 { byte } else { escape });
        }
        out.put_u8(byte);
    }
    out.put_u8(b'"');
}

/// C's `isspace`.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13)
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

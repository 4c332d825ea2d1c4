//! Arrays of any number of dimensions, and records.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use bytes::{BufMut, BytesMut};
use inflowave_types::Result;

use super::{BinaryColumn, Form, Inexact};
use crate::encode::layout::{self, Rows};
use crate::oid::{self, WireType};

/// PostgreSQL's limit of dimensions (`MAXDIM`).
pub const DIMENSIONS_MAX: usize = 6;

/// An array of lists, of lists of lists and so on: each level is a dimension.
pub fn list(array: &ArrayRef, field: &Field) -> Result<Option<Box<dyn Form>>> {
    let mut levels = Vec::new();
    let (mut array, mut field) = (array.clone(), field.clone());
    while let DataType::List(_)
    | DataType::LargeList(_)
    | DataType::ListView(_)
    | DataType::LargeListView(_)
    | DataType::FixedSizeList(..)
    | DataType::Map(..) = array.data_type()
    {
        // The field may be of another layout than the array, but has as many levels.
        let of_array = || oid::element(array.data_type()).cloned();
        let Some(element) = oid::element_of(&field).or_else(of_array) else {
            return Ok(None);
        };
        let nulls = array.logical_nulls();
        let (rows, values) = layout::list(&array)?;
        levels.push(Level { rows, nulls });
        field = element.with_name(field.name());
        array = values;
    }
    if levels.is_empty() || levels.len() > DIMENSIONS_MAX {
        return Ok(None);
    }
    Ok(Some(Box::new(List {
        levels,
        oid: WireType::of(&field)?.oid,
        values: BinaryColumn::new(&array, &field)?,
    })))
}

/// An array of structs.
pub fn record(array: &ArrayRef, field: &Field) -> Result<Option<Box<dyn Form>>> {
    let (Some(record), DataType::Struct(fields)) = (array.as_struct_opt(), field.data_type())
    else {
        return Ok(None);
    };
    let columns = record.columns().iter().zip(fields);
    let columns = columns.map(|(column, field)| {
        let oid = WireType::of(field)?.oid;
        Ok((oid, BinaryColumn::new(column, field)?))
    });
    Ok(Some(Box::new(Record {
        fields: columns.collect::<Result<_>>()?,
    })))
}

struct Level {
    rows: Box<dyn Rows>,
    nulls: Option<NullBuffer>,
}

struct List {
    /// From the outermost to the innermost.
    levels: Vec<Level>,
    /// The type of the values.
    oid: u32,
    values: BinaryColumn,
}

/// The length of each dimension, and where the values stand, in their order.
#[derive(Default)]
struct Shape {
    dimensions: Vec<usize>,
    values: Vec<Range<usize>>,
}

impl List {
    fn measure(&self, level: usize, row: usize, shape: &mut Shape) -> Result<(), Inexact> {
        let elements = self.levels[level].rows.elements(row);
        match shape.dimensions.get(level) {
            None => shape.dimensions.push(elements.len()),
            Some(len) if *len == elements.len() => {}
            Some(_) => return Err(Inexact("an array whose parts differ in length")),
        }
        let Some(inner) = self.levels.get(level + 1) else {
            shape.values.push(elements);
            return Ok(());
        };
        for element in elements {
            if inner.nulls.as_ref().is_some_and(|n| n.is_null(element)) {
                return Err(Inexact("an array with NULL in the place of an array"));
            }
            self.measure(level + 1, element, shape)?;
        }
        Ok(())
    }
}

impl Form for List {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        let mut shape = Shape::default();
        self.measure(0, row, &mut shape)?;
        let mut values = shape.values.into_iter().flatten().peekable();
        // An array without values has no dimensions.
        let dimensions = match values.peek() {
            Some(_) => &shape.dimensions[..],
            None => &[],
        };
        out.put_i32(dimensions.len() as i32);
        let flags = out.len();
        out.put_i32(0);
        out.put_u32(self.oid);
        for len in dimensions {
            let len = i32::try_from(*len).map_err(|_| Inexact("an array that is too long"))?;
            out.put_i32(len);
            out.put_i32(1);
        }
        for value in values {
            if self.values.is_null(value) {
                out[flags + 3] = 1;
            }
            self.values.put(value, out)?;
        }
        Ok(())
    }
}

struct Record {
    /// With their types.
    fields: Vec<(u32, BinaryColumn)>,
}

impl Form for Record {
    fn write(&self, row: usize, out: &mut BytesMut) -> Result<(), Inexact> {
        out.put_u32(self.fields.len() as u32);
        for (oid, field) in &self.fields {
            out.put_u32(*oid);
            field.put(row, out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Builder, ListArray, ListBuilder};
    use std::sync::Arc;

    fn written(lists: &ListArray, row: usize) -> Result<Vec<u8>, String> {
        let array: ArrayRef = Arc::new(lists.clone());
        let field = Field::new("m", array.data_type().clone(), true);
        let column = BinaryColumn::new(&array, &field).unwrap();
        let mut out = BytesMut::new();
        let appended = column.append(row, &mut out);
        appended.map_err(|e| e.message().to_owned())?;
        Ok(out[4..].to_vec())
    }

    #[test]
    fn an_array_that_is_no_rectangle_has_no_binary_form() {
        let mut lists = ListBuilder::new(ListBuilder::new(Int32Builder::new()));
        lists.append_value([Some([Some(1), Some(2)].to_vec()), Some(vec![Some(3)])]);
        lists.append_value([Some(vec![Some(1)]), None]);
        lists.append_value([Some(vec![]), Some(vec![])]);
        lists.append_value([Some(vec![Some(1)]), Some(vec![None])]);
        let lists = lists.finish();
        let no = "column \"m\" has a value without a binary form: an array";
        let ragged = format!("{no} whose parts differ in length");
        assert_eq!(written(&lists, 0), Err(ragged));
        let hole = format!("{no} with NULL in the place of an array");
        assert_eq!(written(&lists, 1), Err(hole));
        assert_eq!(
            written(&lists, 2),
            Ok([[0; 8], [0, 0, 0, 23, 0, 0, 0, 0]].concat()[..12].to_vec())
        );
        assert_eq!(
            written(&lists, 3),
            Ok(b"\0\0\0\x02\0\0\0\x01\0\0\0\x17\
                \0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0\x01\
                \0\0\0\x04\0\0\0\x01\xff\xff\xff\xff"
                .to_vec())
        );
    }

    #[test]
    fn a_map_is_an_array_of_records() {
        use arrow::array::{MapBuilder, StringBuilder};
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        map.keys().append_value("k");
        map.values().append_value(7);
        map.append(true).unwrap();
        let array: ArrayRef = Arc::new(map.finish());
        let field = Field::new("m", array.data_type().clone(), true);
        let mut out = BytesMut::new();
        let column = BinaryColumn::new(&array, &field).unwrap();
        column.append(0, &mut out).unwrap();
        assert_eq!(
            &out[4..],
            b"\0\0\0\x01\0\0\0\0\0\0\x08\xc9\0\0\0\x01\0\0\0\x01\
            \0\0\0\x19\0\0\0\x02\0\0\0\x19\0\0\0\x01k\0\0\0\x17\0\0\0\x04\0\0\0\x07"
        );
    }
}

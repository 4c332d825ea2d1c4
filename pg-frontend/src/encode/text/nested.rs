//! Arrays `{1,NULL,"a b"}` and records `(1,,"a b")`, with PostgreSQL's quoting.

use arrow::array::{Array, ArrayRef, AsArray};
use bytes::{BufMut, BytesMut};
use inflowave_types::Result;

use super::{Form, TextColumn, TextFormat};
use crate::encode::layout::{self, Rows};
use crate::oid;

/// An array of arrays: lists of any layout, and maps as arrays of their entries.
pub fn list(array: &ArrayRef, format: &TextFormat) -> Result<Box<dyn Form>> {
    let (rows, values) = layout::list(array)?;
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

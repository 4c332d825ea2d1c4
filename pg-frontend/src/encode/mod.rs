//! Arrow to PostgreSQL, by column: what depends on a type is decided once per batch, what is left
//! per value is to append its bytes.

pub mod binary;
pub mod text;

pub(crate) mod copy;
mod layout;

use arrow::array::RecordBatch;
use bytes::{BufMut, BytesMut};
use inflowave_types::{Error, Result, SqlState};

use self::binary::BinaryColumn;
pub(crate) use self::copy::CopyEncoder;
pub use self::text::{TextColumn, TextFormat, Zone};
use crate::format::{Columns, Format};

/// PostgreSQL's limit of a message, in bytes: what a client such as libpq still takes.
const ROW_BYTES_MAX: usize = 0x3fff_ffff;

/// Writes the rows of one batch as `DataRow` messages, or as the data of a binary copy, which are
/// the same but for their tag.
pub(crate) struct RowEncoder {
    columns: Vec<Column>,
    tag: u8,
}

enum Column {
    Text(TextColumn),
    Binary(BinaryColumn),
}

impl RowEncoder {
    /// Each column in its format.
    ///
    /// # Errors
    /// `0A000` for a type without a form in that format, `XX000` for a batch that is not of
    /// `columns`.
    pub fn new(batch: &RecordBatch, columns: &Columns, format: &TextFormat) -> Result<Self> {
        if batch.num_columns() != columns.types.len() {
            return Err(Error::internal(format!(
                "a batch of {} columns came for a result of {}",
                batch.num_columns(),
                columns.types.len()
            )));
        }
        let parts = columns.schema.fields().iter().zip(&columns.formats);
        let encoded = batch.columns().iter().zip(parts);
        let encoded = encoded.map(|(array, (field, wanted))| {
            Ok(match wanted {
                Format::Text => Column::Text(TextColumn::new(array, format)?),
                Format::Binary => Column::Binary(BinaryColumn::new(array, field)?),
            })
        });
        Ok(RowEncoder {
            columns: encoded.collect::<Result<_>>()?,
            tag: b'D',
        })
    }

    /// As `CopyData` messages.
    pub fn into_copy(mut self) -> Self {
        self.tag = b'd';
        self
    }

    /// Appends one row; nothing of it is left in `out` after an error.
    ///
    /// # Errors
    /// `54000` for a row of 1 GiB or more, `0A000` for a value that has no exact binary form.
    pub fn append(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let start = out.len();
        let written = self.write(row, out);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    fn write(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let start = out.len();
        out.put_u8(self.tag);
        out.put_u32(0);
        out.put_u16(self.columns.len() as u16);
        for column in &self.columns {
            match column {
                Column::Text(column) => column.append(row, out),
                Column::Binary(column) => column.append(row, out)?,
            }
        }
        put_length(start, out)
    }
}

/// Writes the length of the message that starts at `start`, once it is whole.
fn put_length(start: usize, out: &mut BytesMut) -> Result<()> {
    let len = out.len() - start - 1;
    if len > ROW_BYTES_MAX {
        return Err(Error::new(
            SqlState::ProgramLimitExceeded,
            format!("a row of {len} bytes exceeds the limit of {ROW_BYTES_MAX} bytes"),
        )
        .with_hint("Select fewer columns, or parts of long values with substr()."));
    }
    out[start + 1..start + 5].copy_from_slice(&(len as u32).to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int32Array, StringViewArray, TimestampNanosecondArray};
    use std::sync::Arc;

    fn rows(batch: &RecordBatch, codes: &[i16]) -> RowEncoder {
        let columns = Columns::with_formats(batch.schema(), codes).unwrap();
        RowEncoder::new(batch, &columns, &TextFormat::default()).unwrap()
    }

    #[test]
    fn a_row_is_its_values_with_their_lengths() {
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(-7), None]));
        let names: ArrayRef = Arc::new(StringViewArray::from(vec![Some(""), Some("ż")]));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("s", names)]).unwrap();
        let text = rows(&batch, &[]);
        let mut out = BytesMut::new();
        text.append(0, &mut out).unwrap();
        assert_eq!(&out[..], b"D\0\0\0\x10\0\x02\0\0\0\x02-7\0\0\0\0");
        out.clear();
        text.append(1, &mut out).unwrap();
        assert_eq!(
            &out[..],
            b"D\0\0\0\x10\0\x02\xff\xff\xff\xff\0\0\0\x02\xc5\xbc"
        );
        out.clear();
        rows(&batch, &[1, 0]).append(0, &mut out).unwrap();
        assert_eq!(
            &out[..],
            b"D\0\0\0\x12\0\x02\0\0\0\x04\xff\xff\xff\xf9\0\0\0\0"
        );
    }

    #[test]
    fn a_value_without_a_binary_form_leaves_no_half_row() {
        let fine: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1000, 1]));
        let batch = RecordBatch::try_from_iter([("at", fine)]).unwrap();
        let binary = rows(&batch, &[1]);
        let mut out = BytesMut::new();
        binary.append(0, &mut out).unwrap();
        let whole = out.clone();
        let error = binary.append(1, &mut out).unwrap_err();
        assert_eq!(out, whole);
        assert_eq!(error.sqlstate().code(), "0A000");
        assert_eq!(
            error.message(),
            "column \"at\" has a value without a binary form: a time finer than microseconds"
        );
    }
}

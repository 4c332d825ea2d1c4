//! Arrow to PostgreSQL, by column: what depends on a type is decided once per batch, what is left
//! per value is to append its bytes.

pub mod binary;
pub mod text;

mod layout;

use arrow::array::RecordBatch;
use bytes::{BufMut, BytesMut};
use inflowave_types::{Error, Result, SqlState};

pub use text::{TextColumn, TextFormat, Zone};

/// PostgreSQL's limit of a message, in bytes: what a client such as libpq still takes.
const ROW_BYTES_MAX: usize = 0x3fff_ffff;

/// Writes the rows of one batch as `DataRow` messages.
pub struct RowEncoder {
    columns: Vec<TextColumn>,
}

impl RowEncoder {
    /// All columns in text format.
    ///
    /// # Errors
    /// `0A000` for an Arrow type without a text form.
    pub fn text(batch: &RecordBatch, format: &TextFormat) -> Result<Self> {
        let columns = batch
            .columns()
            .iter()
            .map(|column| TextColumn::new(column, format))
            .collect::<Result<_>>()?;
        Ok(RowEncoder { columns })
    }

    /// Appends one row.
    ///
    /// # Errors
    /// `54000` for a row of 1 GiB or more; nothing of it is left in `out` then.
    pub fn append(&self, row: usize, out: &mut BytesMut) -> Result<()> {
        let start = out.len();
        out.put_u8(b'D');
        out.put_u32(0);
        out.put_u16(self.columns.len() as u16);
        for column in &self.columns {
            column.append(row, out);
        }
        let len = out.len() - start - 1;
        if len > ROW_BYTES_MAX {
            out.truncate(start);
            return Err(Error::new(
                SqlState::ProgramLimitExceeded,
                format!("a row of {len} bytes exceeds the limit of {ROW_BYTES_MAX} bytes"),
            )
            .with_hint("Select fewer columns, or parts of long values with substr()."));
        }
        out[start + 1..start + 5].copy_from_slice(&(len as u32).to_be_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int32Array, StringViewArray};
    use std::sync::Arc;

    #[test]
    fn a_row_is_its_values_with_their_lengths() {
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(-7), None]));
        let names: ArrayRef = Arc::new(StringViewArray::from(vec![Some(""), Some("ż")]));
        let batch = RecordBatch::try_from_iter([("n", numbers), ("s", names)]).unwrap();
        let rows = RowEncoder::text(&batch, &TextFormat::default()).unwrap();
        let mut out = BytesMut::new();
        rows.append(0, &mut out).unwrap();
        assert_eq!(&out[..], b"D\0\0\0\x10\0\x02\0\0\0\x02-7\0\0\0\0");
        out.clear();
        rows.append(1, &mut out).unwrap();
        assert_eq!(
            &out[..],
            b"D\0\0\0\x10\0\x02\xff\xff\xff\xff\0\0\0\x02\xc5\xbc"
        );
    }
}

//! A `COPY .. TO STDOUT` that runs: what stands before its rows and behind them.

use bytes::{BufMut, BytesMut};
use inflowave_query_api::{CopyFormat, CopyOut};
use inflowave_types::Result;

use crate::encode::copy::{self, LineForm};
use crate::encode::{CopyEncoder, TextFormat};
use crate::format::{Columns, Format};
use crate::message;

/// What a binary copy starts with: a signature, no flags, no extension.
const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What it ends with, where the number of a row's columns would stand.
const BINARY_TRAILER: &[u8] = b"\xff\xff";

pub struct CopyWriter {
    columns: Columns,
    format: CopyFormat,
    /// The header of a binary copy goes out with the first message of its data, as PostgreSQL's does.
    header_waits: bool,
}

impl CopyWriter {
    /// # Errors
    /// `0A000` for a column without a binary form; `54011`.
    pub fn new(copy: CopyOut) -> Result<Self> {
        let binary = copy.format == CopyFormat::Binary;
        let columns = match binary {
            true => Columns::binary(copy.schema)?,
            false => Columns::text(copy.schema)?,
        };
        Ok(CopyWriter {
            columns,
            format: copy.format,
            header_waits: binary,
        })
    }

    /// # Errors
    /// `54000` for a header of 1 GiB or more.
    pub fn begin(&self, out: &mut BytesMut) -> Result<()> {
        let format = match self.format {
            CopyFormat::Binary => Format::Binary,
            CopyFormat::Text(_) | CopyFormat::Csv(_) => Format::Text,
        };
        message::copy_out(out, format, self.columns.types.len());
        let fields = self.columns.schema.fields().iter();
        let names: Vec<&str> = fields.map(|f| f.name().as_str()).collect();
        match &self.format {
            CopyFormat::Text(text) if text.header => {
                copy::header(&names, &LineForm::Text(text), out)
            }
            CopyFormat::Csv(csv) if csv.header => copy::header(&names, &LineForm::Csv(csv), out),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// `0A000` for a type without a form in that format.
    pub fn encoder(
        &self,
        batch: &arrow::array::RecordBatch,
        format: &TextFormat,
    ) -> Result<CopyEncoder> {
        match &self.format {
            CopyFormat::Binary => CopyEncoder::binary(batch, &self.columns),
            CopyFormat::Text(_) | CopyFormat::Csv(_) => CopyEncoder::lines(batch, format),
        }
    }

    /// # Errors
    /// As [`RowEncoder::append`](crate::encode::RowEncoder::append).
    pub fn append(
        &mut self,
        encoder: &mut CopyEncoder,
        row: usize,
        out: &mut BytesMut,
    ) -> Result<()> {
        match (encoder, &self.format) {
            (CopyEncoder::Binary(rows), _) => {
                let start = out.len();
                rows.append(row, out)?;
                if std::mem::take(&mut self.header_waits) {
                    put_before(out, start, BINARY_HEADER);
                }
                Ok(())
            }
            (CopyEncoder::Lines(columns, scratch), CopyFormat::Csv(csv)) => {
                copy::line(columns, scratch, row, &LineForm::Csv(csv), out)
            }
            (CopyEncoder::Lines(columns, scratch), CopyFormat::Text(text)) => {
                copy::line(columns, scratch, row, &LineForm::Text(text), out)
            }
            (CopyEncoder::Lines(..), CopyFormat::Binary) => Ok(()),
        }
    }

    pub fn end(&mut self, out: &mut BytesMut) {
        if self.format == CopyFormat::Binary {
            let start = out.len();
            out.put_u8(b'd');
            out.put_u32(4 + BINARY_TRAILER.len() as u32);
            out.extend_from_slice(BINARY_TRAILER);
            if std::mem::take(&mut self.header_waits) {
                put_before(out, start, BINARY_HEADER);
            }
        }
        message::copy_done(out);
    }
}

/// Puts bytes before the body of the message that starts at `start`.
fn put_before(out: &mut BytesMut, start: usize, bytes: &[u8]) {
    let body = out.split_off(start + 5);
    out.extend_from_slice(bytes);
    out.extend_from_slice(&body);
    let len = (out.len() - start - 1) as u32;
    out[start + 1..start + 5].copy_from_slice(&len.to_be_bytes());
}

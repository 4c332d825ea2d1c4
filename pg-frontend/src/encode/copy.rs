//! The rows of a `COPY .. TO STDOUT`: text, CSV and binary.

use arrow::array::RecordBatch;
use bytes::{BufMut, BytesMut};
use inflowave_query_api::{CsvForm, TextForm};
use inflowave_types::Result;

use super::{RowEncoder, TextColumn, TextFormat, put_length};
use crate::format::Columns;

/// Writes the rows of one batch as `CopyData` messages.
pub(crate) enum CopyEncoder {
    Binary(RowEncoder),
    /// With a buffer for the value that is written.
    Lines(Vec<TextColumn>, BytesMut),
}

/// How a line is written.
pub(crate) enum LineForm<'a> {
    Text(&'a TextForm),
    Csv(&'a CsvForm),
}

impl CopyEncoder {
    /// # Errors
    /// As [`RowEncoder::new`].
    pub fn binary(batch: &RecordBatch, columns: &Columns) -> Result<Self> {
        let rows = RowEncoder::new(batch, columns, &TextFormat::default())?;
        Ok(CopyEncoder::Binary(rows.into_copy()))
    }

    /// # Errors
    /// As [`RowEncoder::new`].
    pub fn lines(batch: &RecordBatch, format: &TextFormat) -> Result<Self> {
        let columns = batch.columns().iter();
        let columns = columns.map(|array| TextColumn::new(array, format));
        Ok(CopyEncoder::Lines(
            columns.collect::<Result<_>>()?,
            BytesMut::new(),
        ))
    }
}

/// Appends one message with a line; nothing of it is left in `out` after an error.
///
/// # Errors
/// `54000` for a line of 1 GiB or more.
pub(crate) fn line(
    columns: &[TextColumn],
    scratch: &mut BytesMut,
    row: usize,
    form: &LineForm<'_>,
    out: &mut BytesMut,
) -> Result<()> {
    let write = |column: usize, out: &mut BytesMut| {
        let values = &columns[column];
        if values.is_null(row) {
            out.extend_from_slice(form.null());
            return;
        }
        scratch.clear();
        values.write(row, scratch);
        form.value(column, columns.len(), scratch, out);
    };
    message(columns.len(), form, out, write)
}

/// Appends one message with the names of the columns.
///
/// # Errors
/// As [`line`].
pub(crate) fn header(names: &[&str], form: &LineForm<'_>, out: &mut BytesMut) -> Result<()> {
    message(names.len(), form, out, |column, out| {
        let name = names[column].as_bytes();
        match form {
            LineForm::Text(text) => escaped(name, text.delimiter, out),
            LineForm::Csv(csv) => quoted(name, csv, false, names.len() == 1, out),
        }
    })
}

fn message(
    columns: usize,
    form: &LineForm<'_>,
    out: &mut BytesMut,
    mut write: impl FnMut(usize, &mut BytesMut),
) -> Result<()> {
    let start = out.len();
    out.put_u8(b'd');
    out.put_u32(0);
    for column in 0..columns {
        if column > 0 {
            out.put_u8(form.delimiter());
        }
        write(column, out);
    }
    out.put_u8(b'\n');
    let written = put_length(start, out);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

impl LineForm<'_> {
    fn delimiter(&self) -> u8 {
        match self {
            LineForm::Text(text) => text.delimiter,
            LineForm::Csv(csv) => csv.delimiter,
        }
    }

    fn null(&self) -> &[u8] {
        match self {
            LineForm::Text(text) => text.null.as_bytes(),
            LineForm::Csv(csv) => csv.null.as_bytes(),
        }
    }

    fn value(&self, column: usize, columns: usize, value: &[u8], out: &mut BytesMut) {
        match self {
            LineForm::Text(text) => escaped(value, text.delimiter, out),
            LineForm::Csv(csv) => {
                let forced = csv.force_quote.get(column).is_some_and(|forced| *forced);
                quoted(value, csv, forced, columns == 1, out);
            }
        }
    }
}

/// What would end a value, a line or the data stands behind a backslash.
fn escaped(value: &[u8], delimiter: u8, out: &mut BytesMut) {
    for byte in value {
        let letter = match byte {
            0x08 => b'b',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x0b => b'v',
            b'\\' => b'\\',
            byte if *byte == delimiter => delimiter,
            byte => {
                out.put_u8(*byte);
                continue;
            }
        };
        out.put_u8(b'\\');
        out.put_u8(letter);
    }
}

/// A value in quotes where it must be: alone in its line, `\.` would be the end of the data.
fn quoted(value: &[u8], csv: &CsvForm, forced: bool, alone: bool, out: &mut BytesMut) {
    let special = |b: &u8| *b == csv.delimiter || *b == csv.quote || matches!(b, b'\n' | b'\r');
    let quote = forced
        || value == csv.null.as_bytes()
        || (alone && value == b"\\.")
        || value.iter().any(special);
    if !quote {
        out.extend_from_slice(value);
        return;
    }
    out.put_u8(csv.quote);
    for byte in value {
        if *byte == csv.quote || *byte == csv.escape {
            out.put_u8(csv.escape);
        }
        out.put_u8(*byte);
    }
    out.put_u8(csv.quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_characters_stand_behind_a_backslash() {
        let mut out = BytesMut::new();
        escaped(b"a|\tb\\.\n\x0b\x08\x0c\r", b'|', &mut out);
        assert_eq!(&out[..], b"a\\|\\tb\\\\.\\n\\v\\b\\f\\r");
    }

    #[test]
    fn what_must_be_is_quoted() {
        let csv = CsvForm {
            delimiter: b',',
            null: String::new(),
            header: false,
            quote: b'"',
            escape: b'"',
            force_quote: Vec::new(),
        };
        let cases: [(&[u8], bool, bool, &[u8]); 8] = [
            (b"plain text", false, false, b"plain text"),
            (b"", false, false, b"\"\""),
            (b"a,b", false, false, b"\"a,b\""),
            (b"say \"x\"", false, false, b"\"say \"\"x\"\"\""),
            (b"a\nb", false, false, b"\"a\nb\""),
            (b"\\.", false, true, b"\"\\.\""),
            (b"\\.", false, false, b"\\."),
            (b"x", true, false, b"\"x\""),
        ];
        for (value, forced, alone, expected) in cases {
            let mut out = BytesMut::new();
            quoted(value, &csv, forced, alone, &mut out);
            assert_eq!(&out[..], expected);
        }
        let odd = CsvForm {
            escape: b'\\',
            quote: b'\'',
            ..csv
        };
        let mut out = BytesMut::new();
        quoted(b"it's \\", &odd, false, false, &mut out);
        assert_eq!(&out[..], b"'it\\'s \\\\'");
    }
}

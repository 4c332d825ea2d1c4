//! CSV (RFC 4180): columns are found by the header of each file.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use csv::ByteRecord;
use inflowave_types::{Error, Result, SqlState};

use super::column::BatchBuilder;
use super::{Kind, ReadSeek, Sample, broken_line, misfit};
use crate::connector::ReadOptions;
use crate::error;
use crate::layout::Format;

/// Bytes of one record, at most; a quote that is never closed would take the rest of the file.
const RECORD_BYTES_MAX: u64 = 64 << 20;

/// Reads the columns of a file, and kinds from its first rows.
pub fn sample(
    path: &Path,
    content: Box<dyn ReadSeek>,
    options: &ReadOptions,
    rows_max: usize,
) -> Result<Sample> {
    let mut rows = Rows::open(path, content, options)?;
    let header_bytes = rows.record.position().map_or(0, |p| p.byte());
    let mut columns: Vec<(String, Kind)> = rows
        .columns
        .iter()
        .map(|name| (name.clone(), Kind::Nothing))
        .collect();
    let mut count = 0;
    while count < rows_max && rows.advance()? {
        count += 1;
        for (index, column) in columns.iter_mut().enumerate() {
            let text = rows.text(index)?;
            if text != options.null_string && column.1 != Kind::Text {
                column.1 = column.1.united(Kind::of_text(text), Format::Csv);
            }
        }
    }
    Ok(Sample {
        columns,
        rows: count,
        bytes: rows.reader.position().byte().saturating_sub(header_bytes),
    })
}

/// The batches of one file.
pub struct Batches {
    rows: Rows,
    /// For each column of the batch its place in the file.
    places: Vec<Option<usize>>,
    builder: BatchBuilder,
    null_string: String,
    ended: bool,
}

impl Batches {
    /// Reads the columns of `schema`; one that the file lacks is NULL.
    ///
    /// # Errors
    /// `42P16` if a column of `expected`, which the file had, is gone.
    pub fn open(
        path: &Path,
        content: Box<dyn ReadSeek>,
        options: &ReadOptions,
        schema: SchemaRef,
        expected: Option<&[String]>,
        rows_max: usize,
    ) -> Result<Batches> {
        let rows = Rows::open(path, content, options)?;
        let places: Vec<Option<usize>> = schema
            .fields()
            .iter()
            .map(|field| rows.columns.iter().position(|c| c == field.name()))
            .collect();
        for (field, place) in schema.fields().iter().zip(&places) {
            if place.is_none() && expected.is_some_and(|e| e.contains(field.name())) {
                return Err(error::drifted(
                    path,
                    format!("column \"{}\" is gone", field.name()),
                ));
            }
        }
        Ok(Batches {
            rows,
            places,
            builder: BatchBuilder::new(schema, rows_max)?,
            null_string: options.null_string.clone(),
            ended: false,
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.rows.advance()? {
            for (column, place) in self.places.iter().enumerate() {
                let Some(place) = place else {
                    self.builder.append_null(column);
                    continue;
                };
                let text = self.rows.text(*place)?;
                if text == self.null_string {
                    self.builder.append_null(column);
                } else if !self.builder.append(column, text) {
                    let field = self.builder.field(column);
                    return Err(misfit(&self.rows.path, self.rows.line(), field, text));
                }
            }
            self.builder.end_row();
            if self.builder.is_full() {
                return self.builder.finish().map(Some);
            }
        }
        if self.builder.is_empty() {
            return Ok(None);
        }
        self.builder.finish().map(Some)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_batch().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

/// The records of a file behind its header.
struct Rows {
    path: PathBuf,
    reader: csv::Reader<Bounded>,
    columns: Vec<String>,
    record: ByteRecord,
    /// The first record is already in `record`: it told how many columns there are.
    held: bool,
}

impl Rows {
    fn open(path: &Path, content: Box<dyn ReadSeek>, options: &ReadOptions) -> Result<Rows> {
        let delimiter = options.delimiter.unwrap_or_else(|| {
            let tabs = path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("tsv"));
            if tabs { b'\t' } else { b',' }
        });
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(Bounded {
                content,
                left: RECORD_BYTES_MAX,
                ended: false,
            });
        let mut rows = Rows {
            path: path.to_owned(),
            reader,
            columns: Vec::new(),
            record: ByteRecord::new(),
            held: false,
        };
        if !rows.read()? {
            return Ok(rows);
        }
        if options.header {
            rows.columns = rows.header()?;
        } else {
            rows.columns = (1..=rows.record.len())
                .map(|n| format!("column_{n}"))
                .collect();
            rows.held = true;
        }
        Ok(rows)
    }

    fn header(&self) -> Result<Vec<String>> {
        let mut columns: Vec<String> = Vec::with_capacity(self.record.len());
        for index in 0..self.record.len() {
            let name = match self.text(index)?.trim() {
                "" => format!("column_{}", index + 1),
                name => name.to_owned(),
            };
            if columns.contains(&name) {
                return Err(Error::new(
                    SqlState::DuplicateColumn,
                    format!(
                        "file \"{}\" has two columns \"{name}\"",
                        self.path.display()
                    ),
                )
                .with_hint("Give each column of the header a name of its own."));
            }
            columns.push(name);
        }
        Ok(columns)
    }

    /// Goes to the next record.
    fn advance(&mut self) -> Result<bool> {
        if std::mem::take(&mut self.held) {
            return Ok(true);
        }
        if !self.read()? {
            return Ok(false);
        }
        let (found, wanted) = (self.record.len(), self.columns.len());
        if found != wanted {
            let what = format!("{found} fields where {wanted} are expected");
            return Err(broken_line(&self.path, self.line(), what));
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<bool> {
        self.reader.get_mut().left = RECORD_BYTES_MAX;
        let start = self.reader.position().clone();
        let found = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|e| {
                let line = start.line();
                match e.into_kind() {
                    csv::ErrorKind::Io(e) if e.kind() == std::io::ErrorKind::FileTooLarge => {
                        broken_line(
                            &self.path,
                            line,
                            "the record is too long; is a quote not closed?",
                        )
                    }
                    csv::ErrorKind::Io(e) => error::of_file(&self.path, &e),
                    other => broken_line(&self.path, line, format!("{other:?}")),
                }
            })?;
        if found && self.reader.get_ref().ended && self.ends_in_quotes()? {
            return Err(broken_line(
                &self.path,
                self.line(),
                "a quote is not closed",
            ));
        }
        Ok(found)
    }

    /// Whether the last record of the file has an odd number of quotes: the parser takes the end
    /// of the file for the missing one.
    fn ends_in_quotes(&mut self) -> Result<bool> {
        let start = self.record.position().map_or(0, csv::Position::byte);
        let content = &mut self.reader.get_mut().content;
        let mut tail = Vec::new();
        content
            .seek(SeekFrom::Start(start))
            .and_then(|_| content.take(RECORD_BYTES_MAX).read_to_end(&mut tail))
            .map_err(|e| error::of_file(&self.path, &e))?;
        Ok(tail.iter().filter(|b| **b == b'"').count() % 2 == 1)
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn text(&self, index: usize) -> Result<&str> {
        let bytes = self.record.get(index).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|_| {
            let column = self
                .columns
                .get(index)
                .map_or_else(|| index.to_string(), Clone::clone);
            Error::new(
                SqlState::CharacterNotInRepertoire,
                format!(
                    "file \"{}\", line {}, column \"{column}\": not valid UTF-8",
                    self.path.display(),
                    self.line()
                ),
            )
        })
    }
}

/// A file that gives only so many bytes for one record.
struct Bounded {
    content: Box<dyn ReadSeek>,
    left: u64,
    ended: bool,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let read = self.content.read(buffer)?;
        self.ended = read == 0;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

//! JSON lines: one object a line. A value keeps the text that it has in the file until a column
//! takes it, so that no digit is lost on the way.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use inflowave_types::{Error, PgType, Result, SqlState};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::column::BatchBuilder;
use super::{Kind, ReadSeek, Sample, broken_line, misfit, value};
use crate::error;
use crate::layout::Format;

/// Bytes of one line, at most.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Reads columns and kinds from the first lines of a file.
pub fn sample(path: &Path, content: Box<dyn ReadSeek>, rows_max: usize) -> Result<Sample> {
    let mut lines = Lines::new(path, content);
    let mut columns: Vec<(String, Kind)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut rows, mut bytes) = (0, 0);
    while rows < rows_max && lines.advance()? {
        rows += 1;
        bytes += lines.buffer.len() as u64;
        let text = lines.text()?;
        for (key, raw) in members(text).map_err(|e| lines.broken(&e))? {
            let kind = kind_of(raw);
            match places.get(key.as_ref()) {
                Some(place) => {
                    let known = &mut columns[*place].1;
                    *known = known.united(kind, Format::Json);
                }
                None => {
                    places.insert(key.clone().into_owned(), columns.len());
                    columns.push((key.into_owned(), kind));
                }
            }
        }
    }
    Ok(Sample {
        columns,
        rows,
        bytes,
    })
}

/// The batches of one file.
pub struct Batches {
    lines: Lines,
    places: HashMap<String, usize>,
    is_json: Vec<bool>,
    builder: BatchBuilder,
    ended: bool,
}

impl Batches {
    /// Reads the members that `schema` names; one that a line lacks is NULL.
    pub fn new(
        path: &Path,
        content: Box<dyn ReadSeek>,
        schema: SchemaRef,
        rows_max: usize,
    ) -> Result<Batches> {
        let fields = schema.fields();
        Ok(Batches {
            lines: Lines::new(path, content),
            places: fields
                .iter()
                .enumerate()
                .map(|(index, field)| (field.name().clone(), index))
                .collect(),
            is_json: fields
                .iter()
                .map(|f| f.metadata().get(PgType::KEY).is_some_and(|t| t == "json"))
                .collect(),
            builder: BatchBuilder::new(schema, rows_max)?,
            ended: false,
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.lines.advance()? {
            let text = self.lines.text()?;
            let mut row: Vec<Option<&str>> = vec![None; self.is_json.len()];
            for (key, raw) in members(text).map_err(|e| self.lines.broken(&e))? {
                if let Some(place) = self.places.get(key.as_ref()) {
                    // Of a key that stands twice the last one counts, as in PostgreSQL.
                    row[*place] = Some(raw);
                }
            }
            for (column, raw) in row.into_iter().enumerate() {
                let taken = match raw {
                    None | Some("null") => {
                        self.builder.append_null(column);
                        true
                    }
                    Some(raw) if self.is_json[column] => self.builder.append(column, raw),
                    Some(raw) => take(&mut self.builder, column, raw),
                };
                if !taken {
                    let field = self.builder.field(column);
                    let raw = raw.unwrap_or_default();
                    return Err(misfit(&self.lines.path, self.lines.line, field, raw));
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

/// Adds a value to a column, if its JSON kind is that of the column.
fn take(builder: &mut BatchBuilder, column: usize, raw: &str) -> bool {
    let is_text = raw.starts_with('"');
    if is_text != matches!(builder.field(column).data_type(), DataType::Utf8View) {
        return false;
    }
    if is_text {
        serde_json::from_str::<String>(raw).is_ok_and(|text| builder.append(column, &text))
    } else {
        builder.append(column, raw)
    }
}

fn kind_of(raw: &str) -> Kind {
    match raw.as_bytes().first() {
        Some(b'n') => Kind::Nothing,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'"') => Kind::Text,
        Some(b'{' | b'[') => Kind::Json,
        _ if value::integer(raw).is_some() => Kind::Integer,
        // An integer that no bigint holds is not made a double, which would lose digits.
        _ if raw.contains(['.', 'e', 'E']) && value::double(raw).is_some() => Kind::Double,
        _ => Kind::Json,
    }
}

/// The members of the object that a line is: key, and the text of the value.
fn members(line: &str) -> Result<Vec<(Cow<'_, str>, &str)>, String> {
    let line = line.trim_ascii();
    let mut rest = line
        .strip_prefix('{')
        .ok_or_else(|| match line.as_bytes().first() {
            Some(b'[') => "a JSON array, where each line is to be one object".to_owned(),
            _ => "not a JSON object".to_owned(),
        })?;
    let mut members = Vec::new();
    rest = rest.trim_ascii_start();
    if let Some(end) = rest.strip_prefix('}') {
        return at_end(end, members);
    }
    loop {
        let (key, behind) = parsed::<Key<'_>>(rest)?;
        let behind = behind.trim_ascii_start();
        let behind = behind
            .strip_prefix(':')
            .ok_or("a colon is missing")?
            .trim_ascii_start();
        let (_, after) = parsed::<IgnoredAny>(behind)?;
        members.push((key.0, &behind[..behind.len() - after.len()]));
        let after = after.trim_ascii_start();
        if let Some(next) = after.strip_prefix(',') {
            rest = next.trim_ascii_start();
        } else {
            let end = after.strip_prefix('}').ok_or("the object is not closed")?;
            return at_end(end, members);
        }
    }
}

fn at_end<T>(rest: &str, members: T) -> Result<T, String> {
    if rest.trim_ascii().is_empty() {
        Ok(members)
    } else {
        Err("text behind the object".to_owned())
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// A JSON value at the start of a text, and the text behind it.
fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<(T, &'a str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Ok((value, &text[values.byte_offset()..])),
        Some(Err(e)) => Err(e.to_string()),
        None => Err("the object is not closed".to_owned()),
    }
}

/// The lines of a file that are not blank.
struct Lines {
    path: PathBuf,
    reader: BufReader<Box<dyn ReadSeek>>,
    buffer: Vec<u8>,
    /// From 1.
    line: u64,
}

impl Lines {
    fn new(path: &Path, content: Box<dyn ReadSeek>) -> Lines {
        Lines {
            path: path.to_owned(),
            reader: BufReader::with_capacity(256 << 10, content),
            buffer: Vec::new(),
            line: 0,
        }
    }

    fn advance(&mut self) -> Result<bool> {
        loop {
            self.buffer.clear();
            let read = self
                .reader
                .by_ref()
                .take(LINE_BYTES_MAX)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|e| error::of_file(&self.path, &e))?;
            if read == 0 {
                return Ok(false);
            }
            self.line += 1;
            if read as u64 == LINE_BYTES_MAX {
                return Err(self.broken("the line is too long"));
            }
            if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.buffer.drain(..3);
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn text(&self) -> Result<&str> {
        std::str::from_utf8(&self.buffer).map_err(|_| {
            Error::new(
                SqlState::CharacterNotInRepertoire,
                format!(
                    "file \"{}\", line {}: not valid UTF-8",
                    self.path.display(),
                    self.line
                ),
            )
        })
    }

    fn broken(&self, what: &str) -> Error {
        broken_line(&self.path, self.line, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_the_text_of_the_file() {
        let line = r#" { "a":1.50 , "b\n":{"x":[1,2 ]}, "c":"é\"", "d":null,"e":-0} "#;
        let pairs = members(line).unwrap();
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_ref(), *v)).collect();
        assert_eq!(
            pairs,
            [
                ("a", "1.50"),
                ("b\n", r#"{"x":[1,2 ]}"#),
                ("c", r#""é\"""#),
                ("d", "null"),
                ("e", "-0")
            ]
        );
        assert_eq!(members("{}").unwrap().len(), 0);
        for bad in [
            "",
            "[1]",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1} x",
            "{a:1}",
            "{\"a\":01}",
        ] {
            assert!(members(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn no_digit_is_lost_in_choosing_a_kind() {
        assert_eq!(kind_of("12"), Kind::Integer);
        assert_eq!(kind_of("1.5"), Kind::Double);
        assert_eq!(kind_of("12345678901234567890"), Kind::Json);
        assert_eq!(kind_of("1e999"), Kind::Json);
        assert_eq!(kind_of("\"2024-01-01\""), Kind::Text);
    }
}

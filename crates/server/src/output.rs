//! What the commands print: rows in four forms, notes and errors.
//!
//! The only module of the server that writes to standard output; notes and errors go to standard
//! error, so that rows can be piped.

use std::io::{BufWriter, Stdout, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use bytes::BytesMut;
use inflowave_pg_frontend::encode::{TextColumn, TextFormat};
use inflowave_types::{Error, Result, SqlState};

/// Form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned, as psql prints it.
    Table,
    /// With a header; NULL is empty.
    Csv,
    /// One object a line.
    Json,
    /// An Arrow IPC stream.
    Arrow,
}

/// Rows that a table keeps to align its columns; beyond it the widths stay as they are.
const ROWS_ALIGNED_MAX: usize = 10_000;

/// A line of standard output.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A line of standard error.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// An error as psql prints it.
pub fn error(error: &Error) {
    note(&format!(
        "ERROR:  {}: {}",
        error.sqlstate(),
        error.message()
    ));
    if let Some(detail) = error.detail() {
        note(&format!("DETAIL:  {detail}"));
    }
    if let Some(hint) = error.hint() {
        note(&format!("HINT:  {hint}"));
    }
}

/// Prints the rows of one result as they come.
pub struct Printer {
    schema: SchemaRef,
    text: TextFormat,
    out: BufWriter<Stdout>,
    form: Form,
}

enum Form {
    Table(Table),
    Csv,
    Json,
    Arrow(Box<StreamWriter<Vec<u8>>>),
}

#[derive(Default)]
struct Table {
    waiting: Vec<Vec<Option<String>>>,
    widths: Vec<usize>,
    headed: bool,
    rows: u64,
}

impl Printer {
    /// `settings` are the session's, for its time zone.
    pub fn new(format: Format, schema: &SchemaRef, settings: &[(String, String)]) -> Result<Self> {
        let mut printer = Printer {
            schema: SchemaRef::clone(schema),
            text: TextFormat::of_settings(settings),
            out: BufWriter::new(std::io::stdout()),
            form: match format {
                Format::Table => Form::Table(Table::default()),
                Format::Csv => Form::Csv,
                Format::Json => Form::Json,
                Format::Arrow => Form::Arrow(Box::new(
                    StreamWriter::try_new(Vec::new(), schema).map_err(arrow)?,
                )),
            },
        };
        if format == Format::Csv {
            let names: Vec<_> = schema.fields().iter().map(|f| csv(f.name())).collect();
            writeln!(printer.out, "{}", names.join(",")).map_err(io)?;
        }
        Ok(printer)
    }

    pub fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        if let Form::Arrow(writer) = &mut self.form {
            writer.write(batch).map_err(arrow)?;
            self.out.write_all(writer.get_ref()).map_err(io)?;
            writer.get_mut().clear();
            return Ok(());
        }
        let columns: Vec<TextColumn> = batch
            .columns()
            .iter()
            .map(|c| TextColumn::new(c, &self.text))
            .collect::<Result<_>>()?;
        let mut cell = BytesMut::new();
        for row in 0..batch.num_rows() {
            let mut values = Vec::with_capacity(columns.len());
            for column in &columns {
                cell.clear();
                let there = column.text(row, &mut cell);
                values.push(there.then(|| String::from_utf8_lossy(&cell).into_owned()));
            }
            self.row(values)?;
        }
        Ok(())
    }

    fn row(&mut self, values: Vec<Option<String>>) -> Result<()> {
        match &mut self.form {
            Form::Table(table) => {
                table.rows += 1;
                if table.headed {
                    return write_row(&mut self.out, &self.schema, &table.widths, &values);
                }
                table.waiting.push(values);
                if table.waiting.len() >= ROWS_ALIGNED_MAX {
                    table.head(&self.schema, &mut self.out)?;
                }
                Ok(())
            }
            Form::Csv => {
                let cells: Vec<String> = values
                    .iter()
                    .map(|v| v.as_deref().map(csv).unwrap_or_default())
                    .collect();
                writeln!(self.out, "{}", cells.join(",")).map_err(io)
            }
            Form::Json => {
                let object: serde_json::Map<String, serde_json::Value> = self
                    .schema
                    .fields()
                    .iter()
                    .zip(values)
                    .map(|(f, v)| (f.name().clone(), json(f.data_type(), v)))
                    .collect();
                let object = serde_json::Value::Object(object);
                writeln!(self.out, "{object}").map_err(io)
            }
            Form::Arrow(_) => Ok(()),
        }
    }

    pub fn end(mut self) -> Result<()> {
        match &mut self.form {
            Form::Table(table) => {
                if !table.headed {
                    table.head(&self.schema, &mut self.out)?;
                }
                let s = if table.rows == 1 { "" } else { "s" };
                writeln!(self.out, "({} row{s})", table.rows).map_err(io)?;
            }
            Form::Arrow(writer) => {
                writer.finish().map_err(arrow)?;
                self.out.write_all(writer.get_ref()).map_err(io)?;
            }
            Form::Csv | Form::Json => {}
        }
        self.out.flush().map_err(io)
    }
}

impl Table {
    fn head(&mut self, schema: &SchemaRef, out: &mut impl Write) -> Result<()> {
        self.headed = true;
        let names = schema.fields().iter().map(|f| f.name().chars().count());
        self.widths = names.collect();
        for row in &self.waiting {
            for (width, value) in self.widths.iter_mut().zip(row) {
                let widest = value.as_deref().map_or(0, widest_line);
                *width = (*width).max(widest);
            }
        }
        let head: Vec<_> = schema
            .fields()
            .iter()
            .zip(&self.widths)
            .map(|(f, w)| format!(" {:^w$} ", f.name(), w = *w))
            .collect();
        writeln!(out, "{}", head.join("|")).map_err(io)?;
        let rule: Vec<_> = self.widths.iter().map(|w| "-".repeat(w + 2)).collect();
        writeln!(out, "{}", rule.join("+")).map_err(io)?;
        for row in std::mem::take(&mut self.waiting) {
            write_row(out, schema, &self.widths, &row)?;
        }
        Ok(())
    }
}

fn widest_line(text: &str) -> usize {
    text.lines().map(|l| l.chars().count()).max().unwrap_or(0)
}

/// A value of several lines goes on in the lines below, as psql shows it.
fn write_row(
    out: &mut impl Write,
    schema: &SchemaRef,
    widths: &[usize],
    values: &[Option<String>],
) -> Result<()> {
    let cells: Vec<Vec<&str>> = values
        .iter()
        .map(|v| v.as_deref().unwrap_or_default().split('\n').collect())
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(1);
    for i in 0..height {
        let parts: Vec<String> = cells
            .iter()
            .zip(schema.fields())
            .zip(widths)
            .map(|((lines, field), &w)| {
                let text = lines.get(i).copied().unwrap_or_default();
                let more = if i + 1 < lines.len() { '+' } else { ' ' };
                if field.data_type().is_numeric() {
                    format!(" {text:>w$}{more}")
                } else {
                    format!(" {text:<w$}{more}")
                }
            })
            .collect();
        writeln!(out, "{}", parts.join("|").trim_end()).map_err(io)?;
    }
    Ok(())
}

/// RFC 4180; an empty text is quoted, so that it differs from NULL.
fn csv(text: &str) -> String {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Numbers that JSON readers keep exactly are numbers; numerics are texts, as floats would round.
fn json(data_type: &DataType, value: Option<String>) -> serde_json::Value {
    let Some(text) = value else {
        return serde_json::Value::Null;
    };
    match data_type {
        DataType::Boolean => serde_json::Value::Bool(text == "t"),
        d if d.is_integer() || d.is_floating() => {
            serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text))
        }
        _ => serde_json::Value::String(text),
    }
}

fn io(error: std::io::Error) -> Error {
    Error::new(
        SqlState::IoError,
        format!("cannot write the result: {error}"),
    )
}

fn arrow(error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("cannot write the result as Arrow: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_tells_null_from_empty() {
        assert_eq!(csv("a"), "a");
        assert_eq!(csv(""), "\"\"");
        assert_eq!(csv("a\"b,c"), "\"a\"\"b,c\"");
    }

    #[test]
    fn json_keeps_what_floats_would_round() {
        let numeric = json(
            &DataType::Decimal128(20, 2),
            Some("12345678901234567.89".into()),
        );
        assert_eq!(numeric, "12345678901234567.89");
        assert_eq!(json(&DataType::Int64, Some("7".into())), 7);
        assert_eq!(json(&DataType::Float64, Some("NaN".into())), "NaN");
        assert_eq!(json(&DataType::Utf8View, None), serde_json::Value::Null);
    }
}

//! CSV and JSON lines: text that becomes values only by our own rules.
//!
//! DataFusion's own readers are not used here: for CSV they take columns by position whatever the
//! header says and do not name file and line in an error; for JSON they cut `1.5` to 1 in a column
//! of integers.

mod column;
pub mod csv;
pub mod json;
mod kind;
mod source;
pub mod value;

pub use kind::Kind;
pub use source::{FileFacts, TextSource};

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::Field;
use inflowave_types::{Error, Result, SqlState};
use tokio_util::sync::CancellationToken;

use crate::connector::ReadOptions;
use crate::error;
use crate::layout::{DataFile, Format};
use crate::store::{Content, Object};

/// What the first rows of a file tell.
pub struct Sample {
    /// In the order of the file.
    pub columns: Vec<(String, Kind)>,
    pub rows: usize,
    /// Bytes that these rows take.
    pub bytes: u64,
}

/// What the first rows of all files tell.
pub struct Inferred {
    /// The columns of all files, united by name.
    pub fields: Vec<Field>,
    /// The names in each file.
    pub columns_of_files: Vec<Vec<String>>,
    /// Bytes of an average row, if there is a row.
    pub row_bytes: Option<f64>,
}

/// Rows that are looked at in each file.
pub fn rows_each(files: &[DataFile], options: &ReadOptions) -> usize {
    options.infer_rows.div_ceil(files.len()).max(100)
}

/// The first rows of a file. Blocks.
///
/// # Errors
/// If it cannot be read as what it is.
pub fn sample(file: &DataFile, options: &ReadOptions, rows: usize) -> Result<Sample> {
    let stop = CancellationToken::new();
    let content = content(&file.path, file.object.as_ref(), &stop)?;
    match file.format {
        Format::Json => json::sample(&file.path, content, rows),
        _ => csv::sample(&file.path, content, options, rows),
    }
}

/// The first rows of all files, one behind the other. Blocks.
///
/// # Errors
/// That of a file that cannot be read as what it is.
pub fn samples(files: &[DataFile], options: &ReadOptions) -> Result<Vec<Sample>> {
    let rows = rows_each(files, options);
    files
        .iter()
        .map(|file| sample(file, options, rows))
        .collect()
}

/// Chooses the columns of a table and their types.
pub fn united(files: &[DataFile], samples: Vec<Sample>) -> Inferred {
    let mut united: Vec<(String, Kind)> = Vec::new();
    let mut columns_of_files = Vec::with_capacity(files.len());
    let (mut rows, mut bytes) = (0, 0);
    for (file, sample) in files.iter().zip(samples) {
        rows += sample.rows;
        bytes += sample.bytes;
        columns_of_files.push(sample.columns.iter().map(|c| c.0.clone()).collect());
        for (name, kind) in sample.columns {
            match united.iter_mut().find(|c| c.0 == name) {
                Some(known) => known.1 = known.1.united(kind, file.format),
                None => united.push((name, kind)),
            }
        }
    }
    let fields = united
        .into_iter()
        .map(|(name, kind)| kind.field(&name))
        .collect();
    Inferred {
        fields,
        columns_of_files,
        row_bytes: (rows > 0).then(|| bytes as f64 / rows as f64),
    }
}

/// What a reader of text needs of a file. It blocks.
pub trait ReadSeek: Read + Seek + Send {}

impl<T: Read + Seek + Send> ReadSeek for T {}

/// The bytes of a file or of an object.
///
/// # Errors
/// If the file cannot be opened; an object is not asked for yet.
pub fn content(
    path: &Path,
    object: Option<&Arc<Object>>,
    stop: &CancellationToken,
) -> Result<Box<dyn ReadSeek>> {
    Ok(match object {
        Some(object) => Box::new(Content::new(Arc::clone(object), stop.clone())),
        None => Box::new(File::open(path).map_err(|e| error::of_file(path, &e))?),
    })
}

/// The error of a value that is not what its column has become.
fn misfit(path: &Path, line: u64, field: &Field, text: &str) -> Error {
    const SHOWN_CHARS_MAX: usize = 64;
    let mut chars = text.chars();
    // A message is one line, and holds no NUL.
    let shown = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    let start: String = chars.by_ref().take(SHOWN_CHARS_MAX).map(shown).collect();
    let dots = if chars.next().is_some() { ".." } else { "" };
    Error::new(
        SqlState::InvalidTextRepresentation,
        format!(
            "file \"{}\", line {line}, column \"{}\": '{start}{dots}' is not {}",
            path.display(),
            field.name(),
            Kind::described(field.data_type())
        ),
    )
    .with_hint(
        "The type of the column comes from the first rows; raise infer_rows of the catalog so that it sees this one.",
    )
}

fn broken_line(path: &Path, line: u64, what: impl std::fmt::Display) -> Error {
    Error::new(
        SqlState::DataCorrupted,
        format!("file \"{}\", line {line}: {what}", path.display()),
    )
}

//! `COPY .. TO STDOUT`: what its rows look like.

use arrow::datatypes::SchemaRef;

/// Rows that go out as the data of a copy.
#[derive(Debug, Clone)]
pub struct CopyOut {
    /// As [`Prepared::schema`](crate::Prepared::schema) of the query.
    pub schema: SchemaRef,
    pub format: CopyFormat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyFormat {
    Text(TextForm),
    Csv(CsvForm),
    Binary,
}

/// PostgreSQL's own form: one line a row, special characters behind a backslash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextForm {
    pub delimiter: u8,
    /// What stands for NULL.
    pub null: String,
    pub header: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvForm {
    pub delimiter: u8,
    /// What stands for NULL; never quoted.
    pub null: String,
    pub header: bool,
    pub quote: u8,
    pub escape: u8,
    /// For each column: whether its values are always quoted.
    pub force_quote: Vec<bool>,
}

//! Parquet, read by DataFusion: the schema of a table, our types for the file's, and errors that
//! name the file.

mod convert;
mod footer;
mod source;

pub use convert::{Conversion, Converted};
pub use footer::{columns, fields, united, wider};
pub use source::source;

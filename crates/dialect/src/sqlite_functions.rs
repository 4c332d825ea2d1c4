//! Names of the functions that the `sqlite` connector registers on its connections, and what they
//! must do.
//!
//! SQLite is dynamically typed: a column declared INTEGER can hold a text. Where such a column is
//! computed with, it is printed as `function(column, 'schema.table.column')`. The function gives the
//! value when its storage class fits the declared mapping, NULL for NULL, and else fails with an
//! error that names the second argument and the value: exactly as the local read does. All are
//! deterministic (`SQLITE_DETERMINISTIC`).

/// An INTEGER as it is. A REAL, TEXT or BLOB fails.
pub const INT: &str = "inflowave_int";
/// A REAL as it is, an INTEGER as the REAL of that value.
pub const REAL: &str = "inflowave_real";
/// A TEXT of valid UTF-8 as it is; for a column that the connector reads by the text of its values,
/// that text. A text with a NUL character fails, as it must in the local read: SQLite matches a
/// pattern up to the first one only.
pub const TEXT: &str = "inflowave_text";
/// A BLOB as it is.
pub const BLOB: &str = "inflowave_blob";
/// 0 or 1 as INTEGER, for whatever the connector reads as false or true.
pub const BOOL: &str = "inflowave_bool";
/// TEXT `YYYY-MM-DD`, years 0001 to 9999.
pub const DATE: &str = "inflowave_date";
/// TEXT `YYYY-MM-DD HH:MM:SS.ffffff`, always 26 characters, so that its order is that of time. A
/// column that is read as `timestamptz` gives its moment in UTC in the same form with `+00:00`
/// behind it, as its literals are written: what a query gives back must read as a moment again.
pub const TIMESTAMP: &str = "inflowave_timestamp";
/// TEXT `HH:MM:SS.ffffff`, always 15 characters.
pub const TIME: &str = "inflowave_time";

/// All of them; each takes two arguments.
pub const ALL: &[&str] = &[INT, REAL, TEXT, BLOB, BOOL, DATE, TIMESTAMP, TIME];

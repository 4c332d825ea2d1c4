//! SQLite databases: one file is one catalog with one schema, `main`.
//!
//! **Owns**: the descriptor [`SqliteConnector`], read-only connections, the meaning of declared
//! types, strict reading of values, running fragments.
//! **Never**: writing to the file, the printing of SQL for fragments (`inflowave-dialect`).
//! **Start reading at**: `source.rs`, then `scan.rs`.
//!
//! # Types
//! SQLite keeps a storage class with each value, and a column's declared type is only a wish. A
//! column has here the type that its declaration names; every value is held against it, and one
//! that does not fit fails the query with table, column, row and value. Nothing becomes NULL.
//! Names are read without regard to case, the first line that fits counts:
//!
//! | declared | type here | values read |
//! |---|---|---|
//! | `BOOLEAN`, `BOOL` | boolean | the integers 0 and 1 |
//! | `DATE` | date | text `YYYY-MM-DD` |
//! | `DATETIME`, `TIMESTAMP` | timestamp | text `YYYY-MM-DD HH:MM[:SS[.ffffff]]`, with a blank or a `T` |
//! | `TIMESTAMPTZ`, `TIMESTAMP WITH TIME ZONE` | timestamptz | the same with `Z` or `+hh:mm` behind it |
//! | `TIME` | time | text `HH:MM[:SS[.ffffff]]` |
//! | `DECIMAL(p[,s])`, `NUMERIC(p[,s])` | numeric(p,s) | integers; reals by their shortest decimal; decimal text; all must fit the scale exactly |
//! | `DECIMAL`, `NUMERIC` | numeric(38,16) | the same |
//! | `JSON`, `JSONB` | json | text; numbers, which SQLite makes of JSON text such as `5` |
//! | `UUID` | uuid | text |
//! | contains `INT` | bigint | integers |
//! | `CHAR(n)`, `CHARACTER(n)`, `NCHAR(n)` | char(n) | text, its trailing blanks cut off |
//! | `VARCHAR(n)` and the like | varchar(n) | text; SQLite does not enforce the length, nor do we |
//! | contains `CHAR`, `CLOB` or `TEXT` | text | text |
//! | contains `BLOB` | bytea | blobs |
//! | contains `REAL`, `FLOA` or `DOUB`; `NUM` of a computed column | double precision | reals; integers up to 2^53 |
//! | anything else, or nothing (computed columns of views) | text | text; integers and reals by their text |
//!
//! # Collation
//! `BINARY` of a UTF-8 database is our own order; of a UTF-16 database only its equality is.
//! `NOCASE` and `RTRIM` are loose. Of `char(n)` (its blanks), of views and of collations that an
//! application defines nothing is claimed.
//!
//! # Limits
//! A file is opened read-only, without extensions, `ATTACH` and double-quoted strings; views may
//! call only SQLite's harmless functions. The number of rows is taken from `sqlite_stat1`
//! (`ANALYZE`) or else guessed from the greatest rowid; views and `WITHOUT ROWID` tables without
//! either have none.

mod connector;
mod decode;
mod error;
mod functions;
mod pool;
mod scan;
mod schema;
mod source;
#[cfg(test)]
mod tests;
mod types;
mod value;

pub use connector::SqliteConnector;

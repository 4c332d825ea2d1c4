//! From a fragment of a plan to the SQL of one source, and what each SQL dialect can say exactly.
//!
//! **Owns**: quoting of names and values, the printers of PostgreSQL, MySQL/MariaDB and SQLite, the
//! answer of each to "is this exactly our meaning?".
//! **Never**: I/O, a driver, sqlparser's or DataFusion's own printing of SQL.
//! **Start reading at**: [`supports`] and [`compile`], then [`Dialect`].
//!
//! One walk over an expression both decides and prints it ([`supports`] throws the text away), so
//! that what is allowed and what is sent cannot differ.

mod aggregate;
mod binder;
mod call;
mod compare;
mod compile;
mod decimal;
mod dialect;
mod expr;
mod join;
mod literal;
mod mysql;
mod node;
mod operator;
mod pattern;
mod postgres;
mod select;
mod sqlite;
pub mod sqlite_functions;
mod supports;
mod value;

pub use compile::{compile, compile_inline};
pub use dialect::Dialect;
pub use mysql::MySql;
pub use operator::operator;
pub use pattern::PatternPart;
pub use postgres::Postgres;
pub use sqlite::Sqlite;
pub use supports::supports;
pub use value::{Answer, Arithmetic, Compare, GroupKey, Kind, RawColumn, Refusal, Value};

#[cfg(test)]
mod tests;

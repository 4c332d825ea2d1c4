//! Our promise, checked: the same query asked twice, in two ways that must agree.
//!
//! **Owns**: random queries over any tables ([`generate`]), what counts as the same answer
//! ([`compare`]), making a query that fails smaller ([`shrink`]), and all three over a user's own
//! tables, pushed against local ([`run`]).
//! **Never**: the engine (it is asked through `query-api`, as every client asks), a source, a
//! protocol, DataFusion.
//! **Start reading at**: [`run`], then [`generate`], then [`compare`].
//!
//! Nouns: a *universe* is the tables that queries may read, with what is known of their values
//! ([`table`]); a *query* is a typed tree, and text only where it is sent; a *rule* says what a
//! query leaves open; a *finding* is a difference, with its seed and the smallest query that still
//! shows it.

pub mod compare;
mod decimal;
mod rows;
pub mod value;

mod seeded;

pub mod generate;
pub mod shrink;
pub mod table;

pub mod run;

pub use decimal::Decimal;
pub use rows::{ColumnType, OutputColumn, Rows, ask};
pub use seeded::Seeded;
pub use value::Value;

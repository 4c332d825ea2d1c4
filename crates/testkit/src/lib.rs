//! What tests of every source share: data that holds the traps, real servers to load it into,
//! random queries, and the question whether two answers are the same.
//!
//! **Owns**: trap data ([`trap`]), fixtures ([`provision`]), the comparison ([`compare`]), the query
//! generator and its shrinker ([`generate`], [`shrink`]), the oracles ([`oracle`]), the conformance
//! suite ([`conformance`]).
//! **Never**: the engine (a test hands in an [`oracle::Opener`]), a connector by name, production code: this
//! crate is a dev-dependency only.
//! **Start reading at**: [`conformance`], then [`oracle`].
// A test run tells people what it skipped and found.
#![allow(clippy::print_stderr)]

pub mod compare;
mod decimal;
mod rows;
mod value;

pub mod provision;
mod seeded;
pub mod trap;

pub mod generate;
pub mod oracle;
pub mod shrink;

pub mod conformance;
pub mod slt;

pub use decimal::Decimal;
pub use rows::{ColumnType, OutputColumn, Rows, ask};
pub use seeded::Seeded;
pub use value::Value;

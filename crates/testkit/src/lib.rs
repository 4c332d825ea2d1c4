//! What tests of every source share: data that holds the traps, real servers to load it into, and
//! the oracles.
//!
//! **Owns**: trap data ([`trap`]), fixtures ([`provision`]), the oracles ([`oracle`]), the
//! conformance suite ([`conformance`]). Random queries, their shrinker and the comparison are the
//! product's own (`inflowave-verify`), passed on from here.
//! **Never**: the engine (a test hands in an [`oracle::Opener`]), a connector by name, production code: this
//! crate is a dev-dependency only.
//! **Start reading at**: [`conformance`], then [`oracle`].
// A test run tells people what it skipped and found.
#![allow(clippy::print_stderr)]

pub mod provision;
pub mod trap;

pub mod oracle;

pub mod conformance;
pub mod slt;

pub use inflowave_verify::{
    ColumnType, Decimal, OutputColumn, Rows, Seeded, Value, ask, compare, generate, shrink, value,
};

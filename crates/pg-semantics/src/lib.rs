//! PostgreSQL 15's meaning on top of DataFusion.
//!
//! **Owns**: types in SQL, literals, operators, coercion, casts, the functions whose meaning differs
//! from DataFusion's, `sum` and `avg`, and the SQLSTATE of every error that DataFusion raises.
//! **Never**: a source, a protocol, a catalog.
//! **Start reading at**: [`configure`], [`register`] and [`prepare`], then [`analyze::PgAnalyzer`], which does
//! in one walk what the rest of the crate explains.

mod raise;
mod setup;
mod syntax;

mod aggregates;
pub mod analyze;
mod cast;
mod error;
mod functions;
mod inference;
pub mod local;
pub mod parameters;
mod physical;
mod result_type;
mod temporal;
mod type_planner;
pub mod types;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod harness;

pub use analyze::PgAnalyzer;
pub use error::to_error;
pub use setup::{configure, register};
pub use syntax::{ESCAPE, prepare};
pub use type_planner::PgTypePlanner;

//! The Postgres wire: a client speaks protocol 3.0, the engine answers through `query-api`.
//!
//! **Owns**: the connection loop, start-up, the simple and the extended query protocol, type OIDs,
//! PostgreSQL's text and binary form of every Arrow value, the values of parameters.
//! **Never**: the engine, a source, the meaning of SQL; authentication (until it exists, only
//! loopback addresses are served).
//! **Start reading at**: [`serve`], then `connection`, then [`encode`].

mod connection;
mod startup;

mod extended;
mod query;
mod run;

mod body;
mod copy;
mod decode;
mod format;
mod limits;
mod listen;
mod message;
mod read;
mod write;

pub mod encode;
pub mod oid;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use listen::{bind, serve};

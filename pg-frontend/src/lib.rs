//! The Postgres wire: a client speaks protocol 3.0, the engine answers through `query-api`.
//!
//! **Owns**: the connection loop, start-up, the simple query protocol, type OIDs, PostgreSQL's
//! text form of every Arrow value.
//! **Never**: the engine, a source, the meaning of SQL; authentication (until it exists, only
//! loopback addresses are served).
//! **Start reading at**: [`serve`], then `connection`, then [`encode`].

mod connection;
mod limits;
mod listen;
mod message;
mod query;
mod read;
mod startup;
mod write;

pub mod encode;
pub mod oid;

#[cfg(test)]
mod tests;

pub use limits::Limits;
pub use listen::{bind, serve};

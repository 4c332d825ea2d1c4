//! The Postgres wire: a client speaks protocol 3.0 or 3.2, the engine answers through `query-api`.
//!
//! **Owns**: the connection loop, TLS, start-up, the simple and the extended query protocol, copies,
//! type OIDs, PostgreSQL's text and binary form of every Arrow value, the values of parameters.
//! **Never**: the engine, a source, the meaning of SQL; who may come in, which an `Authenticator`
//! decides.
//! **Start reading at**: [`serve`], then `connection`, then [`encode`].

mod authenticate;
mod connection;
mod startup;
mod tls;

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

pub use limits::{Door, Limits};
pub use listen::{bind, serve};
pub use tls::{Tls, TlsFiles};

//! The nouns that every other crate shares.
//!
//! **Owns**: errors with a SQLSTATE, ids, secrets, the PostgreSQL type of an output field.
//! **Never**: DataFusion, tokio, I/O.
//! **Start reading at**: [`Error`], then [`Secret`].

mod error;
mod id;
mod pg_type;
mod secret;

pub use error::{Error, Result, SqlState};
pub use id::{QueryId, SessionId};
pub use pg_type::PgType;
pub use secret::Secret;

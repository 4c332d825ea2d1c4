//! What the server itself must remember, in one durable file.
//!
//! **Owns**: opening `metastore.db` (embedded SQLite), who may write to it, migrations,
//! transactions. A transaction that was committed has been written through to the disk.
//! **Never**: what its tables mean (each domain owns its own), a secret that its owner did not
//! allow to be written, text of a user in SQL (statements are `'static`, values are bound).
//! **Start reading at**: [`Metastore::open`], then [`Domain`].
//!
//! The nouns: a *domain* is a part of the server with tables of its own; a *migration* takes the
//! tables of one domain from one version to the next, all of it or nothing.
//!
//! Everything here blocks on the disk: callers do it off the async threads.

mod error;
mod lock;
mod migrate;
mod store;

pub use migrate::Domain;
pub use store::{Access, FILE, Metastore, Row, Transaction};

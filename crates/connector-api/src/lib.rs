//! What a kind of source promises, and what it is asked.
//!
//! **Owns**: the descriptor of a connector and its parameters, a source's catalog, the capability
//! answers, [`Fragment`] (the part of a plan that a source runs), the names of our SQL functions.
//! **Never**: a driver, the `datafusion` facade, the engine.
//! **Start reading at**: [`Connector`], then [`RemoteSource`], then [`Fragment`].
//!
//! Nouns: a *connector* is a kind of source (`postgres`); a *source* is one opened instance, seen
//! by users as a catalog (`crm`); a table is *remote* (its source runs fragments over it) or
//! *native* (DataFusion reads it itself); a *fragment* is a piece of a logical plan over the remote
//! tables of one source; what a source cannot do exactly stays local as a *residual*, and the
//! reason is kept as a *refusal*.

mod capability;
mod connector;
mod fragment;
mod param;
mod source;
mod table;
pub mod vocabulary;

pub use capability::{Capability, Place, Support};
pub use connector::{Connector, Descriptor, OpenContext};
pub use fragment::{ColumnFacts, Fragment, Scope, remote_table};
pub use param::{COMMON, ParamKind, ParamSpec, Params};
pub use source::{
    BatchStream, RemoteQuery, RemoteSource, RuntimeFilter, ScanContext, Snapshot, Source,
};
pub use table::{
    Collation, RemoteColumn, RemoteTable, RemoteTableProvider, Table, TableName, TableStatistics,
};

//! Sessions, catalogs and the life of a statement.
//!
//! **Owns**: the session base that all sessions share, the catalogs and views and what is kept of
//! them, what statements may run, the settings, the registries behind `system.runtime`, the two runtimes, [`Extension`].
//! **Never**: a feature or a connector by name; a protocol.
//! **Start reading at**: [`Engine`], then [`session`], then [`plan`].
//!
//! Two runtimes: front ends and drivers run on one, planning and execution on the other, whose
//! threads have 16 MiB stacks. On two cores one sort must not starve accepts, cancels and
//! keepalives.

mod authority;
mod authorize;
mod catalog;
mod copy;
mod cursor;
mod ddl;
mod depth;
mod engine;
mod explain;
mod extension;
#[cfg(test)]
mod fuzz;
mod isolation;
mod lookup;
mod names;
mod overlay;
mod place;
mod plan;
mod prepared;
mod registry;
mod run;
mod runtime_tables;
mod scoped;
mod search_path;
mod session;
mod settings;
mod show;
mod specs;
mod spelling;
mod statement;
mod suggest;
mod transaction;
mod verify;
mod views;
mod words;

pub use authority::{
    Authority, GrantInfo, MembershipInfo, Object, PUBLIC, Privilege, RoleInfo, Unrestricted, denied,
};
pub use catalog::{
    CatalogPolicy, CatalogSpec, Catalogs, ColumnInfo, ColumnType, CommentInfo, Listing,
    RelationInfo,
};
pub use cursor::CursorInfo;
pub use engine::{Engine, EngineBuilder, METASTORE_DOMAINS, Runtimes};
pub use extension::{Command, Extension, Overlay, SystemTable};
pub use overlay::{SYSTEM_COLUMNS, Setting, StatementView};
pub use prepared::PreparedInfo;
pub use registry::{Phases, QueryRecord, QueryState, Registry, RemoteRecord, SessionRecord};
pub use words::Words;

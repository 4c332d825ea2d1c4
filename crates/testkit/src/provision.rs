//! Real sources for tests: trap tables loaded into PostgreSQL, MySQL or MariaDB, a SQLite file and
//! a folder of Parquet files.
//!
//! A **fixture** owns a schema, database or folder with a name of its own and removes it when it is
//! dropped, also by a panicking test. Values are bound, never spliced into SQL; names are quoted by
//! each source's rule. A server comes from an environment variable; without it a test says
//! [`skip!`](crate::skip) and returns.

mod arrow;
mod files;
mod mysql;
mod postgres;
mod sqlite;

use async_trait::async_trait;
use inflowave_types::{Error, Result, SqlState};

pub use files::FilesFixture;
pub use mysql::{MYSQL_ENV, MySqlCollation, MySqlFixture};
pub use postgres::{Native, POSTGRES_ENV, POSTGRES_ICU_ENV, PostgresFixture};
pub use sqlite::SqliteFixture;

use crate::trap::{LeftOut, TrapTable, TrapType};

/// A place where a source is, for a test to load, to look into and to break.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The connector that opens it: `postgres`.
    fn connector(&self) -> &'static str;

    /// What of the trap data it cannot store.
    fn leaves_out(&self) -> &'static [LeftOut];

    /// The type that our side gives a column of a trap type: a source may have only one kind of
    /// integer.
    fn shown_as(&self, ty: TrapType) -> TrapType {
        ty
    }

    /// Creates and fills the tables, as [`held`] gives them.
    async fn provision(&mut self, tables: &[TrapTable]) -> Result<()>;

    /// How to open it as a catalog.
    fn catalog(&self) -> CatalogSpec;

    /// Ways to open it that must fail, each with the SQLSTATEs of which it must give one.
    fn broken(&self) -> Vec<Broken>;

    /// Statements of ours that the source runs now; nothing for one in process.
    async fn running_queries(&self) -> Result<Vec<String>>;

    /// Sessions of ours at the source; 0 for one in process.
    async fn sessions(&self) -> Result<usize>;

    /// Ends every session of ours at the source, as its restart would; `false` if there is none to
    /// end.
    async fn restart(&mut self) -> Result<bool>;

    /// Drops a table behind the back of an open catalog.
    async fn drop_table(&mut self, table: &str) -> Result<()>;

    /// Gives a column of a table another type (text) behind the back of an open catalog.
    async fn change_column(&mut self, table: &TrapTable, column: &str) -> Result<()>;
}

/// A catalog, as `inflowave.toml` would say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogSpec {
    pub connector: &'static str,
    pub params: Vec<(String, String)>,
    /// The schema that the tables are in.
    pub schema: String,
}

/// A catalog that cannot be opened or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// `bad password`, `nobody listens`.
    pub what: &'static str,
    pub spec: CatalogSpec,
    pub sqlstates: &'static [&'static str],
    /// Texts that no message may hold.
    pub secrets: Vec<String>,
}

/// The tables as the fixture's source holds them, with the types that our side gives them: what a
/// generator and an oracle must be told.
pub fn held(fixture: &dyn Fixture, tables: &[TrapTable]) -> Vec<TrapTable> {
    tables
        .iter()
        .map(|table| {
            let mut table = table.without(fixture.leaves_out());
            for column in &mut table.columns {
                column.ty = fixture.shown_as(column.ty);
            }
            table
        })
        .collect()
}

/// Prints `skipped: ..` for a test that cannot run here, and returns from it.
#[macro_export]
macro_rules! skip {
    ($what:expr, $why:expr) => {{
        $crate::provision::skipped($what, $why);
        return;
    }};
}

/// What [`skip!`](crate::skip) prints; a run of all tests collects these lines.
pub fn skipped(what: &str, why: &str) {
    eprintln!("skipped: {what} ({why})");
}

/// A name that no other fixture of this machine has.
fn unique(prefix: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.subsec_nanos());
    format!("{prefix}_{}_{n}_{nanos}", std::process::id())
}

/// A failure of a fixture, told with what was being done.
fn failed(what: &str, error: impl std::fmt::Display) -> Error {
    Error::new(SqlState::IoError, format!("fixture: {what}: {error}"))
}

/// Runs what a dropped fixture still has to do: `drop` may be called inside a runtime, where
/// nothing can be waited for.
fn finish(work: impl Future<Output = Result<()>> + Send + 'static) {
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(work),
            Err(e) => Err(failed("no runtime to clean up with", e)),
        }
    });
    match thread.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("{error}"),
        Err(_) => eprintln!("fixture: the thread that cleans up panicked"),
    }
}

/// A port of this machine where nobody listens.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .map_or(9, |a| a.port())
}

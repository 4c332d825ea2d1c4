//! Read-only connections to one file: opened when wanted, kept for the next, limited in number.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use inflowave_types::{Error, Result, SqlState};
use parking_lot::Mutex;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::decode::TextRules;
use crate::{error, functions};

/// Steps of SQLite's machine between two looks at a query's stop flag: well under a millisecond.
const STEPS_BETWEEN_CHECKS: i32 = 4_000;
/// Prepared statements that a connection keeps.
const STATEMENTS_KEPT: usize = 64;

#[derive(Debug, Clone)]
pub struct PoolOptions {
    pub catalog: String,
    pub path: PathBuf,
    pub size_max: usize,
    pub timeout: Duration,
    pub busy_timeout: Duration,
    pub io: tokio::runtime::Handle,
}

/// The connections of one source.
#[derive(Debug)]
pub struct Pool {
    options: PoolOptions,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Opened>>,
    rules: Arc<TextRules>,
}

/// A connection and the file that it has open: a path may come to name another one.
#[derive(Debug)]
struct Opened {
    connection: Connection,
    file: FileId,
}

impl Pool {
    pub fn new(options: PoolOptions) -> Arc<Self> {
        Arc::new(Pool {
            permits: Arc::new(Semaphore::new(options.size_max)),
            idle: Mutex::new(Vec::new()),
            rules: Arc::default(),
            options,
        })
    }

    pub fn catalog(&self) -> &str {
        &self.options.catalog
    }

    /// Which columns are read by the text of their values.
    pub fn rules(&self) -> &TextRules {
        &self.rules
    }

    pub fn io(&self) -> &tokio::runtime::Handle {
        &self.options.io
    }

    /// Waits for the right to use a connection.
    ///
    /// # Errors
    /// `53300` when none becomes free in time.
    pub async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let wait = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.options.timeout, wait).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::new(
                SqlState::TooManyConnections,
                format!(
                    "catalog \"{}\": all {} connections are in use",
                    self.options.catalog, self.options.size_max
                ),
            )
            .with_hint("Raise pool_size_max of the catalog, or run fewer queries at a time.")
            .retryable()),
        }
    }

    /// A connection for the holder of a permit. Blocks on the file system.
    ///
    /// # Errors
    /// `08001` naming catalog and path when the file is not there or cannot be read.
    pub fn connection(
        self: &Arc<Self>,
        permit: OwnedSemaphorePermit,
        stop: impl Fn() -> bool + Send + 'static,
    ) -> Result<Lease> {
        let file = FileId::of(&self.options.path).map_err(|e| self.unreachable(&e.to_string()))?;
        let opened = loop {
            let idle = self.idle.lock().pop();
            match idle {
                Some(opened) if opened.file == file => break opened,
                Some(_) => {}
                None => {
                    break Opened {
                        connection: self.open()?,
                        file,
                    };
                }
            }
        };
        opened
            .connection
            .progress_handler(STEPS_BETWEEN_CHECKS, Some(stop));
        Ok(Lease {
            pool: Arc::clone(self),
            opened: Some(opened),
            _permit: permit,
        })
    }

    /// Runs `work` with a connection, off the async threads.
    pub async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.permit().await?;
        let pool = Arc::clone(self);
        // Whoever asked may have gone: its future is dropped, and the work should end too.
        let asked = StopOnDrop::default();
        let stop = asked.flag();
        let done = self
            .options
            .io
            .spawn_blocking(move || {
                let lease = pool.connection(permit, move || stop.load(Ordering::Relaxed))?;
                work(lease.get())
            })
            .await;
        done.unwrap_or_else(|_| Err(Error::internal("a task of the sqlite connector failed")))
    }

    fn open(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.options.path, flags)
            .map_err(|e| self.unreachable(&e.to_string()))?;
        self.restrict(&connection)
            .map_err(|e| error::from_sqlite(&self.options.catalog, &e))?;
        Ok(connection)
    }

    /// Nothing but reading, whatever a schema or a statement asks for.
    fn restrict(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection.busy_timeout(self.options.busy_timeout)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        // A quoted name of a column that is gone must be an error, not a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        connection.pragma_update(None, "query_only", true)?;
        functions::register(connection, &self.options.catalog, &self.rules)
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(
            SqlState::ConnectionUnableToEstablish,
            format!(
                "catalog \"{}\": cannot open {}: {why}",
                self.options.catalog,
                self.options.path.display()
            ),
        )
        .with_hint("Check that \"path\" names a SQLite file that the server may read.")
    }
}

/// A connection in use; it goes back to the pool when dropped.
#[derive(Debug)]
pub struct Lease {
    pool: Arc<Pool>,
    opened: Option<Opened>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    pub fn get(&self) -> &Connection {
        // It is there until the drop.
        &self
            .opened
            .as_ref()
            .expect("a lease holds a connection")
            .connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(opened) = self.opened.take() {
            opened.connection.progress_handler(0, None::<fn() -> bool>);
            self.pool.idle.lock().push(opened);
        }
    }
}

/// A flag that rises when its owner is dropped.
#[derive(Debug, Default)]
pub struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> std::io::Result<FileId> {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(path)?;
        Ok(FileId {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }

    /// Elsewhere an open file cannot be replaced.
    #[cfg(not(unix))]
    fn of(path: &Path) -> std::io::Result<FileId> {
        fs::metadata(path)?;
        Ok(FileId {
            device: 0,
            inode: 0,
        })
    }
}

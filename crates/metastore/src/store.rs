//! The store, and a transaction in it.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use inflowave_types::{Error, Result, SqlState};
use parking_lot::Mutex;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};

use crate::error;
use crate::lock::{Lock, private};
use crate::migrate::{self, Domain};

/// The file, in `server.data_dir`.
pub const FILE: &str = "metastore.db";
/// Milliseconds that SQLite waits for a reader that holds the file (a backup, say).
const BUSY_TIMEOUT_MS: u32 = 5_000;

/// What a store may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    /// Beside a process that writes.
    ReadOnly,
}

/// The durable store.
#[derive(Debug)]
pub struct Metastore {
    path: PathBuf,
    access: Access,
    connection: Mutex<Connection>,
    _lock: Option<Lock>,
}

/// A row: all columns are kept as texts.
pub type Row = Vec<Option<String>>;

/// What happens in it happens together or not at all.
#[derive(Debug)]
pub struct Transaction<'a> {
    connection: &'a Connection,
    path: &'a Path,
}

impl Metastore {
    /// Opens the store of a folder as its only writer, and brings it to the version of `domains`.
    ///
    /// # Errors
    /// `55006` when another process writes to it, `55000` when a newer server wrote it, `58030`,
    /// `XX001`; each names the file.
    pub fn open(dir: &Path, domains: &[Domain]) -> Result<Metastore> {
        let path = dir.join(FILE);
        std::fs::create_dir_all(dir).map_err(|e| error::of_file(&path, &e))?;
        let lock = Lock::take(dir, &path)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        private(&mut options);
        options.open(&path).map_err(|e| error::of_file(&path, &e))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection =
            Connection::open_with_flags(&path, flags).map_err(|e| error::of_sqlite(&path, &e))?;
        configure(&connection, true).map_err(|e| error::of_sqlite(&path, &e))?;
        migrate::run(&mut connection, &path, domains)?;
        Ok(Metastore {
            path,
            access: Access::ReadWrite,
            connection: Mutex::new(connection),
            _lock: Some(lock),
        })
    }

    /// Opens the store of a folder to read what its writer has committed.
    ///
    /// # Errors
    /// As [`Metastore::open`], but for the lock.
    pub fn open_read_only(dir: &Path, domains: &[Domain]) -> Result<Metastore> {
        let path = dir.join(FILE);
        let failed = |e: rusqlite::Error| error::of_sqlite(&path, &e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
        connection
            .pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)
            .map_err(failed)?;
        migrate::check(&connection, &path, domains)?;
        for domain in domains {
            if migrate::version(&connection, &path, domain)? < domain.migrations.len() {
                return Err(Error::new(
                    SqlState::ObjectNotInPrerequisiteState,
                    format!(
                        "metastore \"{}\" is of an older version, and its writer is running",
                        path.display()
                    ),
                )
                .with_hint("Stop the older server, and start this one once to migrate the file."));
            }
        }
        Ok(Metastore {
            path,
            access: Access::ReadOnly,
            connection: Mutex::new(connection),
            _lock: None,
        })
    }

    /// A store that ends with the process: for one statement, and for tests.
    ///
    /// # Errors
    /// `XX000` for migrations that fail.
    pub fn in_memory(domains: &[Domain]) -> Result<Metastore> {
        let path = PathBuf::from(":memory:");
        let failed = |e: rusqlite::Error| error::of_sqlite(&path, &e);
        let mut connection = Connection::open_in_memory().map_err(failed)?;
        configure(&connection, false).map_err(failed)?;
        migrate::run(&mut connection, &path, domains)?;
        Ok(Metastore {
            path,
            access: Access::ReadWrite,
            connection: Mutex::new(connection),
            _lock: None,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// `25006` if the store is open for reading only.
    pub fn writable(&self) -> Result<()> {
        match self.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(error::read_only(&self.path)),
        }
    }

    /// Reads from one snapshot.
    ///
    /// # Errors
    /// Those of `work`, and of the file.
    pub fn read<T>(&self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        self.transact(TransactionBehavior::Deferred, work)
    }

    /// When it returns without an error, everything that `work` wrote is on the disk; with one,
    /// nothing of it.
    ///
    /// # Errors
    /// `25006` if the store is open for reading only; those of `work`, and of the file.
    pub fn write<T>(&self, work: impl FnOnce(&Transaction) -> Result<T>) -> Result<T> {
        self.writable()?;
        self.transact(TransactionBehavior::Immediate, work)
    }

    fn transact<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction) -> Result<T>,
    ) -> Result<T> {
        let failed = |e: rusqlite::Error| error::of_sqlite(&self.path, &e);
        let mut connection = self.connection.lock();
        let transaction = connection
            .transaction_with_behavior(behavior)
            .map_err(failed)?;
        let done = work(&Transaction {
            connection: &transaction,
            path: &self.path,
        })?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }
}

impl Transaction<'_> {
    /// Rows changed.
    ///
    /// # Errors
    /// Of the file; `XX000` for a constraint that is broken.
    pub fn execute(&self, sql: &'static str, values: &[Option<&str>]) -> Result<usize> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut s| s.execute(params_from_iter(values)))
            .map_err(|e| error::of_sqlite(self.path, &e))
    }

    /// # Errors
    /// Of the file.
    pub fn rows(&self, sql: &'static str, values: &[Option<&str>]) -> Result<Vec<Row>> {
        let read = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let width = statement.column_count();
            let mut rows = statement.query(params_from_iter(values))?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                let cells = (0..width).map(|i| Ok(text(row.get(i)?)));
                all.push(cells.collect::<rusqlite::Result<Row>>()?);
            }
            Ok(all)
        };
        read().map_err(|e| error::of_sqlite(self.path, &e))
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text),
        Value::Integer(n) => Some(n.to_string()),
        Value::Real(x) => Some(x.to_string()),
        Value::Blob(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// A commit returns once the log is on the disk: `synchronous = FULL`.
fn configure(connection: &Connection, on_disk: bool) -> rusqlite::Result<()> {
    connection.pragma_update(None, "busy_timeout", BUSY_TIMEOUT_MS)?;
    if on_disk {
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        })?;
        connection.pragma_update(None, "synchronous", "FULL")?;
    }
    connection.pragma_update(None, "foreign_keys", true)
}

#[cfg(test)]
mod tests;

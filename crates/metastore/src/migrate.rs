//! Versions: each domain's tables, taken step by step to what this server knows.

use std::path::Path;

use inflowave_types::{Error, Result, SqlState};
use rusqlite::{Connection, TransactionBehavior};

use crate::error;

/// A part of the server that keeps tables of its own.
#[derive(Debug, Clone, Copy)]
pub struct Domain {
    pub name: &'static str,
    /// Version 1 first. A migration that was released is never changed: the next one follows it.
    pub migrations: &'static [&'static str],
}

/// Which migrations are done. It has no version itself: it never changes.
const BOOK: &str = "CREATE TABLE IF NOT EXISTS migration (
    domain TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (domain, version)
) STRICT";

/// Does what is missing, each migration in a transaction of its own together with its entry in
/// the book: one that was interrupted has left nothing and is done again.
///
/// # Errors
/// `55000` for a store that a newer server wrote.
pub(crate) fn run(connection: &mut Connection, path: &Path, domains: &[Domain]) -> Result<()> {
    let failed = |e: rusqlite::Error| error::of_sqlite(path, &e);
    connection.execute_batch(BOOK).map_err(failed)?;
    check(connection, path, domains)?;
    for domain in domains {
        let done = version(connection, path, domain)?;
        for (index, sql) in domain.migrations.iter().enumerate().skip(done) {
            let number = index + 1;
            let in_migration = |e: rusqlite::Error| {
                failed(e).context(format!("migration {number} of \"{}\"", domain.name))
            };
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(in_migration)?;
            transaction.execute_batch(sql).map_err(in_migration)?;
            transaction
                .execute(
                    "INSERT INTO migration (domain, version) VALUES (?1, ?2)",
                    (domain.name, i64::try_from(number).unwrap_or(i64::MAX)),
                )
                .map_err(in_migration)?;
            transaction.commit().map_err(in_migration)?;
            tracing::debug!(domain = domain.name, version = number, "metastore migrated");
        }
    }
    Ok(())
}

/// # Errors
/// `55000` for a version that this server does not know, or, for a reader, has to be made first.
pub(crate) fn check(connection: &Connection, path: &Path, domains: &[Domain]) -> Result<()> {
    for domain in domains {
        let found = version(connection, path, domain)?;
        let known = domain.migrations.len();
        if found > known {
            return Err(Error::new(
                SqlState::ObjectNotInPrerequisiteState,
                format!(
                    "metastore \"{}\" was written by a newer server: \"{}\" has version {found}, this server knows {known}",
                    path.display(),
                    domain.name
                ),
            )
            .with_hint(
                "Start the newer server again, or restore the folder from a backup made before it.",
            ));
        }
    }
    Ok(())
}

pub(crate) fn version(connection: &Connection, path: &Path, domain: &Domain) -> Result<usize> {
    let version: i64 = connection
        .query_row(
            "SELECT coalesce(max(version), 0) FROM migration WHERE domain = ?1",
            [domain.name],
            |row| row.get(0),
        )
        .map_err(|e| error::of_sqlite(path, &e))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

//! The data that is measured on: made from row numbers alone, so that every source holds the same.
//!
//! `invoices` (eight columns of as many types) is everywhere; `accounts` is in PostgreSQL and SQLite,
//! `payments` in PostgreSQL and Parquet, for the join across sources and the same join in one.

mod mysql;
mod parquet;
mod postgres;
mod sqlite;
mod table;

use std::path::{Path, PathBuf};

use crate::{Result, Servers, report};

pub use table::{Scale, Table};

/// The schema in PostgreSQL and the database in MariaDB.
pub const SCHEMA: &str = "inflowave_bench";

/// Fills every source.
pub async fn load_all(servers: &Servers, folder: &Path, scale: Scale) -> Result<()> {
    report::note(&format!("loading {} rows into each source", scale.0));
    postgres::load(&servers.postgres, &Table::ALL, scale).await?;
    mysql::load(&servers.mysql, &[Table::Invoices], scale).await?;
    sqlite::load(
        &sqlite_file(folder),
        &[Table::Invoices, Table::Accounts],
        scale,
    )?;
    let files = parquet_folder(folder);
    parquet::write(&files, &[Table::Invoices, Table::Payments], scale)
}

/// Fills PostgreSQL and Parquet with the table of the memory proof.
pub async fn load_large(servers: &Servers, folder: &Path, scale: Scale) -> Result<()> {
    report::note(&format!(
        "loading {} rows into PostgreSQL and Parquet",
        scale.0
    ));
    postgres::load(&servers.postgres, &[Table::Invoices], scale).await?;
    parquet::write(&parquet_folder(folder), &[Table::Invoices], scale)
}

/// Fills PostgreSQL with `invoices` alone.
pub async fn load_postgres(servers: &Servers, scale: Scale) -> Result<()> {
    report::note(&format!("loading {} rows into PostgreSQL", scale.0));
    postgres::load(&servers.postgres, &[Table::Invoices], scale).await
}

/// Drops what was made on the servers; the files go with their folder.
pub async fn remove(servers: &Servers) -> Result<()> {
    postgres::remove(&servers.postgres).await?;
    mysql::remove(&servers.mysql).await
}

pub fn sqlite_file(folder: &Path) -> PathBuf {
    folder.join("bench.db")
}

pub fn parquet_folder(folder: &Path) -> PathBuf {
    folder.join("parquet")
}

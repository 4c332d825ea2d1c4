//! A SQLite file as a source: its catalog, and its side of pushdown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use datafusion_expr::{Expr, LogicalPlan};
use inflowave_connector_api::{
    BatchStream, Descriptor, Fragment, Place, RemoteQuery, RemoteSource, RemoteTable, ScanContext,
    Scope, Source, Support, Table, TableName,
};
use inflowave_dialect::Sqlite;
use inflowave_types::Result;

use crate::connector::DESCRIPTOR;
use crate::pool::Pool;
use crate::schema::{self, Described, SCHEMA};
use crate::{error, scan};

#[derive(Debug)]
pub struct SqliteSource {
    pool: Arc<Pool>,
    /// Learnt when a table is described, and so before anything is planned over one.
    is_utf16: AtomicBool,
}

impl SqliteSource {
    pub fn new(pool: Arc<Pool>) -> Self {
        SqliteSource {
            pool,
            is_utf16: AtomicBool::new(false),
        }
    }

    fn dialect(&self) -> Sqlite {
        Sqlite {
            version: u32::try_from(rusqlite::version_number()).unwrap_or(0),
            is_utf16: self.is_utf16.load(Ordering::Relaxed),
        }
    }

    /// What reading and planning must know of a table.
    fn learn(&self, name: &TableName, table: &Described) {
        self.is_utf16.store(table.is_utf16, Ordering::Relaxed);
        for (column, any_class) in table.columns.iter().zip(&table.any_class) {
            let label = format!("{}.{name}.{}", self.pool.catalog(), column.field.name());
            self.pool.rules().set_any_class(label, *any_class);
        }
    }

    /// Runs a question about the schema.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let catalog = self.pool.catalog().to_owned();
        self.pool
            .run(move |connection| {
                question(connection).map_err(|e| error::from_sqlite(&catalog, &e))
            })
            .await
    }
}

#[async_trait]
impl Source for SqliteSource {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn default_schema(&self) -> &str {
        SCHEMA
    }

    async fn schemas(&self) -> Result<Vec<String>> {
        self.ping().await?;
        Ok(vec![SCHEMA.to_owned()])
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>> {
        if schema != SCHEMA {
            return Ok(Vec::new());
        }
        self.ask(schema::tables).await
    }

    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>> {
        if schema != SCHEMA {
            return Ok(None);
        }
        let name = TableName {
            schema: schema.to_owned(),
            table: table.to_owned(),
        };
        let wanted = table.to_owned();
        let found = self
            .ask(move |connection| schema::table(connection, &wanted))
            .await
            .map_err(|e| e.context(format!("table \"{table}\"")))?;
        Ok(found.map(|found| {
            self.learn(&name, &found);
            Table::Remote(RemoteTable {
                catalog: self.pool.catalog().to_owned(),
                source: self,
                name,
                columns: found.columns,
                statistics: found.statistics,
            })
        }))
    }

    async fn ping(&self) -> Result<()> {
        self.ask(|connection| {
            connection.query_row("SELECT count(*) FROM sqlite_schema LIMIT 1", [], |_| Ok(()))
        })
        .await
    }
}

#[async_trait]
impl RemoteSource for SqliteSource {
    fn supports(&self, expr: &Expr, place: Place, scope: &Scope) -> Support {
        inflowave_dialect::supports(&self.dialect(), expr, place, scope)
    }

    fn supports_node(&self, node: &LogicalPlan) -> Support {
        inflowave_dialect::operator(&self.dialect(), node)
    }

    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery> {
        inflowave_dialect::compile(&self.dialect(), fragment)
    }

    async fn execute(&self, query: Arc<RemoteQuery>, context: ScanContext) -> Result<BatchStream> {
        scan::start(&self.pool, query, context).await
    }
}

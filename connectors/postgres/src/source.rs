//! One opened database: its catalog, and its side of pushdown.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion_common::tree_node::TreeNode;
use datafusion_expr::{Expr, LogicalPlan};
use inflowave_connector_api::{
    BatchStream, Descriptor, Fragment, OpenContext, Place, RemoteQuery, RemoteSource, RemoteTable,
    ScanContext, Scope, Snapshot, Source, Support, Table, TableName,
};
use inflowave_dialect::Postgres;
use inflowave_types::{Error, Result};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use crate::client::{Pool, Running};
use crate::error::{Site, is_gone};
use crate::params::Settings;
use crate::scan::Scanner;
use crate::{DESCRIPTOR, catalog};

/// A database of a PostgreSQL server.
pub(crate) struct PostgresSource {
    scanner: Scanner,
}

impl PostgresSource {
    pub(crate) fn new(settings: Settings, context: OpenContext) -> Self {
        let site = Site {
            catalog: context.catalog,
            place: settings.place(),
            password: settings.password.clone(),
        };
        let numeric_as_text = settings.numeric_as_text;
        let pool = |settings| Arc::new(Pool::new(settings, site.clone(), context.io.clone()));
        PostgresSource {
            scanner: Scanner {
                pool: pool(settings.clone()),
                holders: pool(settings),
                site: Arc::new(site),
                io: context.io,
                numeric_as_text,
            },
        }
    }

    /// The server's SQL; its version is known once a session was opened.
    fn dialect(&self) -> Postgres {
        Postgres {
            version: self.scanner.pool.server().version,
        }
    }

    /// Rows of one of our own queries, in one round trip.
    async fn rows(&self, sql: &'static str, params: &[&str]) -> Result<Vec<Row>> {
        let params: Vec<String> = params.iter().map(|p| (*p).to_owned()).collect();
        let scanner = self.scanner.clone();
        self.on_io(async move {
            let params: Vec<(&(dyn ToSql + Sync), Type)> = params
                .iter()
                .map(|p| (p as &(dyn ToSql + Sync), Type::TEXT))
                .collect();
            loop {
                let session = scanner.pool.get().await?;
                let used = session.used;
                let running = Running::new(session, scanner.io.clone());
                let Some(client) = running.client() else {
                    return Err(Error::internal("a running query without a session"));
                };
                match client.query_typed(sql, &params).await {
                    Ok(rows) => {
                        running.finished();
                        return Ok(rows);
                    }
                    Err(error) => {
                        running.failed();
                        // The server closed the session while it rested.
                        if used && is_gone(&error) {
                            continue;
                        }
                        return Err(scanner.site.querying(&error));
                    }
                }
            }
        })
        .await
    }

    async fn names(&self, sql: &'static str, params: &[&str]) -> Result<Vec<String>> {
        self.rows(sql, params)
            .await?
            .iter()
            .map(|row| row.try_get(0).map_err(|e| self.scanner.site.querying(&e)))
            .collect()
    }

    /// Drivers do their work on the I/O runtime, from wherever they are called.
    async fn on_io<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match self.scanner.io.spawn(work).await {
            Ok(result) => result,
            Err(error) => Err(self.scanner.site.lost(error)),
        }
    }

    #[cfg(test)]
    pub(crate) fn pool(&self) -> &Pool {
        &self.scanner.pool
    }
}

impl fmt::Debug for PostgresSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSource")
            .field("catalog", &self.scanner.site.catalog)
            .field("place", &self.scanner.site.place)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Source for PostgresSource {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn default_schema(&self) -> &str {
        "public"
    }

    async fn schemas(&self) -> Result<Vec<String>> {
        self.names(catalog::SCHEMAS, &[]).await
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>> {
        self.names(catalog::TABLES, &[schema]).await
    }

    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>> {
        let rows = self.rows(catalog::TABLE, &[schema, table]).await?;
        let described = catalog::described(&rows, self.scanner.numeric_as_text)
            .map_err(|e| self.scanner.site.querying(&e))?;
        Ok(described.map(|described| {
            Table::Remote(RemoteTable {
                catalog: self.scanner.site.catalog.clone(),
                name: TableName {
                    schema: schema.to_owned(),
                    table: table.to_owned(),
                },
                columns: described.columns,
                statistics: described.statistics,
                source: self,
            })
        }))
    }

    async fn ping(&self) -> Result<()> {
        self.rows("SELECT 1", &[]).await.map(drop)
    }
}

#[async_trait]
impl RemoteSource for PostgresSource {
    fn supports(&self, expr: &Expr, place: Place, scope: &Scope) -> Support {
        if !self.scanner.pool.server().is_utf8 && computes_with_text(expr, place, scope) {
            return Support::no("the source does not keep its texts in UTF-8");
        }
        inflowave_dialect::supports(&self.dialect(), expr, place, scope)
    }

    fn supports_node(&self, node: &LogicalPlan) -> Support {
        inflowave_dialect::operator(&self.dialect(), node)
    }

    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery> {
        inflowave_dialect::compile(&self.dialect(), fragment)
    }

    async fn snapshot(&self) -> Result<Option<Snapshot>> {
        let exported = self.scanner.snapshot().await?;
        Ok(exported.map(Snapshot::new))
    }

    async fn execute(&self, query: Arc<RemoteQuery>, context: ScanContext) -> Result<BatchStream> {
        self.scanner.scan(query, context).await
    }
}

/// In another encoding texts are ordered and measured otherwise, and not every text of ours can be
/// sent, so that only columns are read.
fn computes_with_text(expr: &Expr, place: Place, scope: &Scope) -> bool {
    let is_text = |e: &Expr| {
        matches!(
            scope.data_type(e),
            Some(DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8)
        )
    };
    let is_output = place == Place::Projection && matches!(expr.clone().unalias(), Expr::Column(_));
    let asks_for_null =
        matches!(expr, Expr::IsNull(e) | Expr::IsNotNull(e) if matches!(**e, Expr::Column(_)));
    // The closure never fails.
    !is_output && !asks_for_null && expr.exists(|e| Ok(is_text(e))).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{Field, Schema};
    use datafusion_common::DFSchema;
    use datafusion_expr::{col, lit};

    use super::*;

    #[test]
    fn only_columns_of_text_are_read_in_another_encoding() {
        let fields = vec![
            Field::new("t", DataType::Utf8View, true),
            Field::new("n", DataType::Int32, true),
        ];
        let scope = Scope {
            schema: Arc::new(DFSchema::try_from(Schema::new(fields)).unwrap()),
            facts: vec![],
        };
        for (expr, place, wanted) in [
            (col("t"), Place::Projection, false),
            (col("t").alias("x"), Place::Projection, false),
            (col("t").is_null(), Place::Filter, false),
            (col("n").gt(lit(1)), Place::Filter, false),
            (col("t"), Place::SortKey, true),
            (col("t").eq(lit("a")), Place::Filter, true),
            (
                col("n").gt(lit(1)).and(col("t").eq(lit("a"))),
                Place::Filter,
                true,
            ),
        ] {
            assert_eq!(computes_with_text(&expr, place, &scope), wanted, "{expr}");
        }
    }
}

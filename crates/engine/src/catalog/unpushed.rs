//! A source for which pushdown is off: columns are read of it, and the rest is computed here.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::logical_expr::{Expr, LogicalPlan};
use inflowave_connector_api::{
    BatchStream, Descriptor, Fragment, Place, RemoteQuery, RemoteSource, ScanContext, Scope,
    Snapshot, Source, Support, Table,
};
use inflowave_types::{Error, Result};

/// Why everything stays here, for `EXPLAIN (FEDERATION)`.
const REASON: &str = "pushdown is off for this catalog";

#[derive(Debug)]
pub(crate) struct Unpushed {
    source: Arc<dyn Source>,
    /// The same source as the one that runs fragments: it comes with its tables.
    remote: OnceLock<Arc<dyn RemoteSource>>,
}

impl Unpushed {
    pub fn new(source: Arc<dyn Source>) -> Unpushed {
        Unpushed {
            source,
            remote: OnceLock::new(),
        }
    }

    fn remote(&self) -> Result<&Arc<dyn RemoteSource>> {
        self.remote
            .get()
            .ok_or_else(|| Error::internal("a query over a source that described no table"))
    }
}

#[async_trait]
impl Source for Unpushed {
    fn descriptor(&self) -> &'static Descriptor {
        self.source.descriptor()
    }

    fn default_schema(&self) -> &str {
        self.source.default_schema()
    }

    async fn schemas(&self) -> Result<Vec<String>> {
        self.source.schemas().await
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>> {
        self.source.tables(schema).await
    }

    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>> {
        let found = Arc::clone(&self.source).table(schema, table).await?;
        Ok(match found {
            Some(Table::Remote(mut remote)) => {
                self.remote.get_or_init(|| Arc::clone(&remote.source));
                remote.source = self;
                Some(Table::Remote(remote))
            }
            other => other,
        })
    }

    async fn ping(&self) -> Result<()> {
        self.source.ping().await
    }
}

#[async_trait]
impl RemoteSource for Unpushed {
    fn supports(&self, _: &Expr, _: Place, _: &Scope) -> Support {
        Support::no(REASON)
    }

    fn supports_node(&self, _: &LogicalPlan) -> Support {
        Support::no(REASON)
    }

    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery> {
        self.remote()?.compile(fragment)
    }

    async fn snapshot(&self) -> Result<Option<Snapshot>> {
        self.remote()?.snapshot().await
    }

    async fn execute(&self, query: Arc<RemoteQuery>, context: ScanContext) -> Result<BatchStream> {
        self.remote()?.execute(query, context).await
    }
}

//! The catalog of a source. Its tables' columns are believed for a while and then read anew.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};
use futures::StreamExt;
use inflowave_connector_api::{RemoteTableProvider, Source, Table};
use inflowave_types::{Error, Result, SqlState};
use parking_lot::Mutex;

use super::read::{Listing, RelationInfo};

/// Tables whose columns are remembered for one source, at most.
const TABLES_CACHED_MAX: usize = 10_000;
/// Relations of one source that are listed, at most.
const RELATIONS_MAX: usize = 100_000;
/// Schemas of one source whose tables are asked for at a time.
const SCHEMAS_AT_ONCE: usize = 4;
/// How long a source is waited for when it is asked whether it is there.
const PING_MAX: Duration = Duration::from_secs(2);

/// Who made a catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Configuration,
    Sql,
}

impl Origin {
    pub fn name(self) -> &'static str {
        match self {
            Origin::Configuration => "configuration",
            Origin::Sql => "sql",
        }
    }
}

/// What was last seen of a source.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub checked: SystemTime,
    /// Why it is unavailable.
    pub reason: Option<String>,
    at: Instant,
}

type Tables = HashMap<(String, String), (Instant, Arc<dyn TableProvider>)>;

#[derive(Clone)]
pub(crate) struct SourceCatalog(Arc<Inner>);

struct Inner {
    name: String,
    source: Arc<dyn Source>,
    origin: Origin,
    ttl: Duration,
    io: tokio::runtime::Handle,
    tables: Mutex<Tables>,
    listing: Mutex<Option<(Instant, Arc<Listing>)>>,
    seen: Mutex<Option<Seen>>,
}

impl SourceCatalog {
    pub fn new(
        name: String,
        source: Arc<dyn Source>,
        origin: Origin,
        ttl: Duration,
        io: tokio::runtime::Handle,
    ) -> Self {
        SourceCatalog(Arc::new(Inner {
            name,
            source,
            origin,
            ttl,
            io,
            tables: Mutex::default(),
            listing: Mutex::default(),
            seen: Mutex::default(),
        }))
    }

    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    pub fn seen(&self) -> Option<Seen> {
        self.0.seen.lock().clone()
    }

    /// Forgets its tables and their columns: they are read anew.
    pub fn forget(&self) {
        self.0.tables.lock().clear();
        *self.0.listing.lock() = None;
    }

    /// Its schemas and their tables, as they were read lately.
    ///
    /// # Errors
    /// The source's own; `54000` beyond [`RELATIONS_MAX`].
    pub async fn listing(&self) -> Result<Arc<Listing>> {
        if let Some((read, listing)) = self.0.listing.lock().as_ref()
            && read.elapsed() < self.0.ttl
        {
            return Ok(Arc::clone(listing));
        }
        let schemas = self.schemas().await?;
        let tables = futures::stream::iter(schemas.clone()).map(|schema| async move {
            let names = self.tables(&schema).await?;
            let relations = names.into_iter().map(|name| RelationInfo {
                schema: schema.clone(),
                name,
                view: false,
            });
            Ok::<Vec<RelationInfo>, Error>(relations.collect())
        });
        let mut tables = tables.buffer_unordered(SCHEMAS_AT_ONCE);
        let mut relations = Vec::new();
        while let Some(more) = tables.next().await {
            relations.extend(more?);
            if relations.len() > RELATIONS_MAX {
                return Err(Error::new(
                    SqlState::ProgramLimitExceeded,
                    format!(
                        "catalog \"{}\" has more than {RELATIONS_MAX} tables, which are not listed",
                        self.0.name
                    ),
                )
                .with_hint("Let the catalog show fewer schemas, or ask its source itself."));
            }
        }
        relations.sort();
        let listing = Arc::new(Listing { schemas, relations });
        *self.0.listing.lock() = Some((Instant::now(), Arc::clone(&listing)));
        Ok(listing)
    }

    /// Asks the source whether it is there, unless that is known for a time shorter than `age_max`.
    pub async fn probe(&self, age_max: Duration) {
        if self.seen().is_some_and(|seen| seen.at.elapsed() < age_max) {
            return;
        }
        let (source, name) = (Arc::clone(self.source()), self.0.name.clone());
        // The answer counts: `on_io` notes it.
        let _ = self
            .on_io(async move {
                let asked = tokio::time::timeout(PING_MAX, source.ping()).await;
                asked.unwrap_or_else(|_| {
                    Err(Error::new(
                        SqlState::ConnectionUnableToEstablish,
                        format!(
                            "catalog \"{name}\": no answer within {} ms",
                            PING_MAX.as_millis()
                        ),
                    ))
                })
            })
            .await;
    }

    /// What an answer of the source tells about it. Most errors come from a source that is there.
    fn note<T>(&self, answer: &Result<T>) {
        let reason = match answer {
            Ok(_) => None,
            Err(e) => match e.sqlstate() {
                SqlState::ConnectionUnableToEstablish
                | SqlState::ConnectionRejected
                | SqlState::ConnectionFailure
                | SqlState::InvalidAuthorization
                | SqlState::InvalidPassword
                | SqlState::InvalidCatalogName
                | SqlState::CannotConnectNow => Some(e.message().to_owned()),
                _ => return,
            },
        };
        *self.0.seen.lock() = Some(Seen {
            checked: SystemTime::now(),
            reason,
            at: Instant::now(),
        });
    }

    pub fn source(&self) -> &Arc<dyn Source> {
        &self.0.source
    }

    pub async fn schemas(&self) -> Result<Vec<String>> {
        let source = Arc::clone(self.source());
        let mut names = self.on_io(async move { source.schemas().await }).await?;
        names.sort();
        Ok(names)
    }

    pub async fn tables(&self, schema: &str) -> Result<Vec<String>> {
        let (source, schema) = (Arc::clone(self.source()), schema.to_owned());
        let mut names = self
            .on_io(async move { source.tables(&schema).await })
            .await?;
        names.sort();
        Ok(names)
    }

    pub async fn table(&self, schema: &str, table: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let key = (schema.to_owned(), table.to_owned());
        if let Some((read, provider)) = self.0.tables.lock().get(&key)
            && read.elapsed() < self.0.ttl
        {
            return Ok(Some(Arc::clone(provider)));
        }
        let (source, names) = (Arc::clone(self.source()), key.clone());
        let found = self
            .on_io(async move { source.table(&names.0, &names.1).await })
            .await?;
        let provider: Option<Arc<dyn TableProvider>> = found.map(|table| match table {
            Table::Remote(remote) => Arc::new(RemoteTableProvider::new(remote)) as _,
            Table::Native(provider) => provider,
        });
        let mut tables = self.0.tables.lock();
        match &provider {
            Some(provider) => {
                if tables.len() >= TABLES_CACHED_MAX {
                    tables.clear();
                }
                tables.insert(key, (Instant::now(), Arc::clone(provider)));
            }
            None => {
                tables.remove(&key);
            }
        }
        Ok(provider)
    }

    /// Drivers need the I/O runtime's reactor; planning runs on the other.
    async fn on_io<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let answer = self.0.io.spawn(work).await.unwrap_or_else(|_| {
            Err(Error::internal(format!(
                "the task that read catalog \"{}\" died",
                self.0.name
            )))
        });
        self.note(&answer);
        answer
    }
}

impl Debug for SourceCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceCatalog")
            .field("name", &self.0.name)
            .finish_non_exhaustive()
    }
}

impl CatalogProvider for SourceCatalog {
    /// DataFusion asks for names only in its own `information_schema`, which is off.
    fn schema_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(SourceSchema {
            catalog: self.clone(),
            name: name.to_owned(),
        }))
    }
}

#[derive(Debug)]
struct SourceSchema {
    catalog: SourceCatalog,
    name: String,
}

#[async_trait]
impl SchemaProvider for SourceSchema {
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        self.catalog
            .table(&self.name, name)
            .await
            .map_err(|e| DataFusionError::External(Box::new(e)))
    }

    /// Without asking the source: what was read lately.
    fn table_exist(&self, name: &str) -> bool {
        let key = (self.name.clone(), name.to_owned());
        self.catalog.0.tables.lock().contains_key(&key)
    }
}

//! The catalog of a source. Its tables' columns are believed for a while and then read anew.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};
use inflowave_connector_api::{RemoteTableProvider, Source, Table};
use inflowave_types::{Error, Result, SqlState};
use parking_lot::Mutex;

/// Tables whose columns are remembered for one source, at most.
const TABLES_CACHED_MAX: usize = 10_000;
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

    /// Forgets the columns of its tables: they are read anew.
    pub fn forget(&self) {
        self.0.tables.lock().clear();
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

//! The catalogs: one for each source, the server's own, and `system`.

mod source;
mod system;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::{CatalogProvider, CatalogProviderList};
use datafusion::common::TableReference;
use inflowave_connector_api::{Connector, OpenContext, Params, Source};
use inflowave_types::{Error, Result, Secret, SqlState};
use parking_lot::RwLock;

pub(crate) use source::SourceCatalog;
pub(crate) use system::SystemCatalog;

use crate::SystemTable;
use crate::suggest;

/// The server's own catalog.
pub(crate) const OWN: &str = "inflowave";
/// The catalog of the system tables.
pub(crate) const SYSTEM: &str = "system";

/// A catalog to open.
#[derive(Debug, Clone)]
pub struct CatalogSpec {
    pub name: String,
    pub connector: String,
    pub params: Vec<(String, Secret)>,
    /// Where relative paths in the parameters start.
    pub base_dir: std::path::PathBuf,
}

/// Every catalog by name; shared by all sessions.
#[derive(Debug)]
pub struct Catalogs {
    sources: RwLock<BTreeMap<String, Arc<SourceCatalog>>>,
    fixed: BTreeMap<&'static str, Arc<SystemCatalog>>,
    metadata_ttl: Duration,
    io: tokio::runtime::Handle,
}

impl Catalogs {
    pub(crate) fn new(
        tables: Vec<Arc<dyn SystemTable>>,
        metadata_ttl: Duration,
        io: tokio::runtime::Handle,
    ) -> Self {
        let own = SystemCatalog::new(&["public"], Vec::new());
        let system = SystemCatalog::new(&[], tables);
        Catalogs {
            sources: RwLock::default(),
            fixed: BTreeMap::from([(OWN, Arc::new(own)), (SYSTEM, Arc::new(system))]),
            metadata_ttl,
            io,
        }
    }

    /// Opens a catalog and adds it.
    ///
    /// # Errors
    /// `42710`-like `22023` for a name that is taken, an unknown connector, invalid parameters.
    pub(crate) async fn open(
        &self,
        connectors: &[Arc<dyn Connector>],
        spec: CatalogSpec,
    ) -> Result<()> {
        let name = spec.name;
        let connector = connectors
            .iter()
            .find(|c| c.descriptor().name == spec.connector)
            .ok_or_else(|| {
                let names: Vec<String> = connectors
                    .iter()
                    .map(|c| c.descriptor().name.to_owned())
                    .collect();
                Error::new(
                    SqlState::InvalidParameterValue,
                    format!(
                        "catalog \"{name}\": unknown connector \"{}\"",
                        spec.connector
                    ),
                )
                .with_hint(suggest::hint("connector", &spec.connector, &names))
            })?;
        if self.names().contains(&name) {
            return Err(Error::new(
                SqlState::InvalidParameterValue,
                format!("catalog \"{name}\" already exists"),
            ));
        }
        let in_catalog = |e: Error| e.context(format!("catalog \"{name}\""));
        let params =
            Params::check(connector.descriptor().params, spec.params).map_err(in_catalog)?;
        let context = OpenContext {
            catalog: name.clone(),
            io: self.io.clone(),
            base_dir: spec.base_dir,
        };
        let source = connector.open(params, context).await.map_err(in_catalog)?;
        let catalog = SourceCatalog::new(name.clone(), source, self.metadata_ttl, self.io.clone());
        self.sources.write().insert(name, Arc::new(catalog));
        Ok(())
    }

    /// Every name, the server's own included, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.sources.read().keys().cloned().collect();
        names.extend(self.fixed.keys().map(|name| (*name).to_owned()));
        names.sort();
        names
    }

    /// The opened sources by catalog name.
    pub fn sources(&self) -> Vec<(String, Arc<dyn Source>)> {
        let sources = self.sources.read();
        sources
            .iter()
            .map(|(name, c)| (name.clone(), Arc::clone(c.source())))
            .collect()
    }

    /// Schemas of a catalog, sorted.
    ///
    /// # Errors
    /// `3D000` for an unknown catalog; the source's own.
    pub(crate) async fn schemas(&self, catalog: &str) -> Result<Vec<String>> {
        if let Some(fixed) = self.fixed.get(catalog) {
            return Ok(fixed.schema_names());
        }
        self.source(catalog)?.schemas().await
    }

    /// Tables of a schema, sorted.
    ///
    /// # Errors
    /// `3D000`, `3F000`; the source's own.
    pub(crate) async fn tables(&self, catalog: &str, schema: &str) -> Result<Vec<String>> {
        let schemas = self.schemas(catalog).await?;
        if !schemas.iter().any(|s| s == schema) {
            return Err(unknown_schema(catalog, schema, &schemas));
        }
        match self.fixed.get(catalog) {
            Some(fixed) => Ok(fixed.table_names(schema)),
            None => self.source(catalog)?.tables(schema).await,
        }
    }

    /// The schema which a name without one means in a catalog.
    pub(crate) fn default_schema(&self, catalog: &str) -> String {
        match self.sources.read().get(catalog) {
            Some(source) => source.source().default_schema().to_owned(),
            None if catalog == SYSTEM => "runtime".to_owned(),
            None => "public".to_owned(),
        }
    }

    /// Makes sure that a table is there.
    ///
    /// # Errors
    /// `3D000`, `3F000`, `42P01` with the nearest name; the source's own.
    pub(crate) async fn check(&self, database: &str, name: &TableReference) -> Result<()> {
        let catalog = name.catalog().unwrap_or(database);
        let default = self.default_schema(catalog);
        let schema = name.schema().unwrap_or(&default);
        let table = name.table();
        let found = match self.fixed.get(catalog) {
            Some(fixed) => fixed.table_names(schema).iter().any(|t| t == table),
            None => self.source(catalog)?.table(schema, table).await?.is_some(),
        };
        if found {
            return Ok(());
        }
        let tables = self.tables(catalog, schema).await?;
        let full = format!("{catalog}.{schema}.{table}");
        Err(Error::new(
            SqlState::UndefinedTable,
            format!("relation \"{full}\" does not exist"),
        )
        .with_hint(suggest::hint("table", table, &tables)))
    }

    fn source(&self, catalog: &str) -> Result<Arc<SourceCatalog>> {
        if let Some(source) = self.sources.read().get(catalog) {
            return Ok(Arc::clone(source));
        }
        Err(self.unknown(catalog))
    }

    /// # Errors
    /// `3D000` if there is no such catalog.
    pub(crate) fn exists(&self, catalog: &str) -> Result<()> {
        if self.fixed.contains_key(catalog) || self.sources.read().contains_key(catalog) {
            return Ok(());
        }
        Err(self.unknown(catalog))
    }

    fn unknown(&self, catalog: &str) -> Error {
        Error::new(
            SqlState::InvalidCatalogName,
            format!("catalog \"{catalog}\" does not exist"),
        )
        .with_hint(suggest::hint("catalog", catalog, &self.names()))
    }
}

fn unknown_schema(catalog: &str, schema: &str, schemas: &[String]) -> Error {
    Error::new(
        SqlState::InvalidSchemaName,
        format!("schema \"{schema}\" does not exist in catalog \"{catalog}\""),
    )
    .with_hint(suggest::hint("schema", schema, schemas))
}

impl CatalogProviderList for Catalogs {
    /// Clients cannot reach it, and the engine adds catalogs by [`Catalogs::open`].
    fn register_catalog(
        &self,
        _name: String,
        _catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        self.names()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        if let Some(fixed) = self.fixed.get(name) {
            return Some(Arc::<SystemCatalog>::clone(fixed));
        }
        let source = self.sources.read().get(name).cloned()?;
        Some(source)
    }
}

//! The catalogs: one for each source, the server's own, and `system`.

pub(crate) mod comment;
mod kept;
mod open;
mod policy;
mod read;
mod source;
mod states;
pub(crate) mod store;
mod system;
mod unpushed;
pub(crate) mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::{CatalogProvider, CatalogProviderList};
use datafusion::common::TableReference;
use inflowave_connector_api::Source;
use inflowave_metastore::{Metastore, Transaction};
use inflowave_types::{Error, Result, Secret, SqlState};
use parking_lot::RwLock;

pub(crate) use kept::{Kept, stood_on};
pub(crate) use open::Opener;
pub use policy::CatalogPolicy;
pub(crate) use policy::shown;
pub use read::{ColumnInfo, ColumnType, CommentInfo, Listing, RelationInfo};
pub(crate) use source::{Origin, SourceCatalog};
pub(crate) use states::Closed;
pub(crate) use system::SystemCatalog;

use crate::SystemTable;
use crate::authority::Authority;
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
    /// Made by SQL, and not open now: with why.
    closed: RwLock<BTreeMap<String, Closed>>,
    fixed: BTreeMap<&'static str, Arc<SystemCatalog>>,
    kept: RwLock<Arc<Kept>>,
    store: Arc<Metastore>,
    authority: Arc<dyn Authority>,
    opener: Opener,
    /// Statements that change catalogs, views or comments run one at a time.
    pub(crate) changing: Arc<tokio::sync::Mutex<()>>,
}

impl Catalogs {
    pub(crate) fn new(
        tables: Vec<Arc<dyn SystemTable>>,
        opener: Opener,
        store: Arc<Metastore>,
        authority: Arc<dyn Authority>,
    ) -> Self {
        let own = SystemCatalog::new(&[view::SCHEMA], Vec::new());
        let system = SystemCatalog::new(&[], tables);
        Catalogs {
            sources: RwLock::default(),
            closed: RwLock::default(),
            fixed: BTreeMap::from([(OWN, Arc::new(own)), (SYSTEM, Arc::new(system))]),
            kept: RwLock::default(),
            store,
            authority,
            opener,
            changing: Arc::default(),
        }
    }

    /// Opens a catalog of the configuration and adds it.
    ///
    /// # Errors
    /// `42P04` for a name that is taken, `42704` for an unknown connector, `22023` for invalid
    /// parameters.
    pub(crate) async fn open(&self, spec: CatalogSpec) -> Result<()> {
        self.vacant(&spec.name)?;
        let catalog = self.opener.open(spec, Origin::Configuration).await?;
        self.publish(catalog);
        Ok(())
    }

    pub(crate) fn opener(&self) -> &Opener {
        &self.opener
    }

    pub(crate) fn publish(&self, catalog: SourceCatalog) {
        let name = catalog.name().to_owned();
        let mut sources = self.sources.write();
        self.closed.write().remove(&name);
        sources.insert(name, Arc::new(catalog));
    }

    /// Takes a catalog out of sight. Queries that run hold their source until they end.
    pub(crate) fn withdraw(&self, name: &str) {
        self.sources.write().remove(name);
        self.closed.write().remove(name);
    }

    /// What is in the metastore, as of the last write.
    pub(crate) fn kept(&self) -> Arc<Kept> {
        Arc::clone(&self.kept.read())
    }

    /// When it returns without an error, what `work` wrote is on the disk and to be seen here.
    ///
    /// # Errors
    /// `25006` beside a running server; those of the store.
    pub(crate) async fn keep(
        &self,
        work: impl FnOnce(&Transaction) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let store = Arc::clone(&self.store);
        let (authority, before) = (Arc::clone(&self.authority), self.kept());
        let written = self.opener.io.spawn_blocking(move || {
            let kept = store.write(|t| {
                work(t)?;
                let kept = Kept::read(t)?;
                for object in before.gone(&kept) {
                    authority.dropped(t, &object)?;
                }
                Ok(kept)
            })?;
            store.read(|t| authority.reload(t))?;
            Ok(kept)
        });
        let kept = written
            .await
            .unwrap_or_else(|_| Err(Error::internal("the task that writes the metastore died")))?;
        *self.kept.write() = Arc::new(kept);
        Ok(())
    }

    /// # Errors
    /// `25006` beside a running server.
    pub(crate) fn writable(&self) -> Result<()> {
        self.store.writable()
    }

    /// # Errors
    /// `42P04` if there is a catalog of that name.
    pub(crate) fn vacant(&self, name: &str) -> Result<()> {
        if self.exists(name).is_err() {
            return Ok(());
        }
        let error = Error::new(
            SqlState::DuplicateDatabase,
            format!("catalog \"{name}\" already exists"),
        );
        Err(match self.origin(name) {
            Some(Origin::Configuration) => error.with_hint(format!(
                "It stands in {}; choose another name.",
                self.config_file()
            )),
            Some(Origin::Sql) => {
                error.with_hint("Change it with ALTER CATALOG, or choose another name.")
            }
            None => error.with_hint("It is the server's own; choose another name."),
        })
    }

    /// The role that made a catalog; `None` for one that SQL has not made.
    pub fn owner(&self, catalog: &str) -> Option<String> {
        self.kept().catalogs.get(catalog).map(|c| c.owner.clone())
    }

    /// What a role has made, in words.
    pub fn owned_by(&self, role: &str) -> Vec<String> {
        let kept = self.kept();
        let catalogs = kept.catalogs.values().filter(|c| c.owner == role);
        let views = kept.views.values().filter(|v| v.owner == role);
        catalogs
            .map(|c| format!("catalog {}", c.name))
            .chain(views.map(|v| format!("view {}", v.name)))
            .collect()
    }

    /// The role that made a view of the server's own.
    pub fn view_owner(&self, name: &str) -> Option<String> {
        self.kept().views.get(name).map(|view| view.owner.clone())
    }

    /// Who made it; `None` for the server's own and for unknown ones.
    pub(crate) fn origin(&self, name: &str) -> Option<Origin> {
        if let Some(source) = self.sources.read().get(name) {
            return Some(source.origin());
        }
        self.closed.read().contains_key(name).then_some(Origin::Sql)
    }

    /// For messages.
    pub(crate) fn config_file(&self) -> String {
        match &self.opener.policy.config_file {
            Some(file) => format!("the configuration file \"{}\"", file.display()),
            None => "the configuration".to_owned(),
        }
    }

    /// Every name, the server's own included, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.sources.read().keys().cloned().collect();
        names.extend(self.closed.read().keys().cloned());
        names.extend(self.fixed.keys().map(|name| (*name).to_owned()));
        names.sort();
        names.dedup();
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
        self.source(catalog).await?.schemas().await
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
            Some(_) if catalog == OWN => Ok(self.kept().views.keys().cloned().collect()),
            Some(fixed) => Ok(fixed.table_names(schema)),
            None => self.source(catalog).await?.tables(schema).await,
        }
    }

    /// The schema which a name without one means in a catalog.
    pub fn default_schema(&self, catalog: &str) -> String {
        match self.sources.read().get(catalog) {
            Some(source) => source.source().default_schema().to_owned(),
            None if catalog == SYSTEM => "runtime".to_owned(),
            None => "public".to_owned(),
        }
    }

    /// Is there such a table or view? A schema that is not there has none.
    ///
    /// # Errors
    /// `3D000`; the source's own.
    pub async fn has_table(&self, catalog: &str, schema: &str, table: &str) -> Result<bool> {
        Ok(match self.fixed.get(catalog) {
            Some(_) if catalog == OWN => {
                schema == view::SCHEMA && self.kept().views.contains_key(table)
            }
            Some(fixed) => fixed.table_schema(schema, table).is_some(),
            None => {
                let source = self.source(catalog).await?;
                source.table(schema, table).await?.is_some()
            }
        })
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
        if self.has_table(catalog, schema, table).await? {
            return Ok(());
        }
        let tables = self.tables(catalog, schema).await?;
        let full = format!("{catalog}.{schema}.{table}");
        let hint = if catalog != OWN && schema == default && self.kept().views.contains_key(table) {
            format!("There is a view {OWN}.{}.{table}.", view::SCHEMA)
        } else {
            suggest::hint("table", table, &tables)
        };
        Err(Error::new(
            SqlState::UndefinedTable,
            format!("relation \"{full}\" does not exist"),
        )
        .with_hint(hint))
    }

    /// Names and PostgreSQL types of a relation's columns; `None` if there is no such relation.
    ///
    /// # Errors
    /// `3D000`; the source's own.
    pub(crate) async fn columns(
        &self,
        catalog: &str,
        schema: &str,
        relation: &str,
    ) -> Result<Option<Vec<(String, String)>>> {
        let fields = match self.fixed.get(catalog) {
            Some(_) if catalog == OWN => {
                return Ok(self.view_columns(catalog, schema, relation));
            }
            Some(fixed) => fixed.table_schema(schema, relation),
            None => {
                let source = self.source(catalog).await?;
                source.table(schema, relation).await?.map(|t| t.schema())
            }
        };
        Ok(fields.map(|fields| {
            fields
                .fields()
                .iter()
                .map(|f| (f.name().clone(), crate::show::type_name(f)))
                .collect()
        }))
    }

    /// Names and types of a view's columns, as when it was made; `None` if there is no such view.
    pub(crate) fn view_columns(
        &self,
        catalog: &str,
        schema: &str,
        view: &str,
    ) -> Option<Vec<(String, String)>> {
        let kept = self.kept();
        let view = kept.views.get(view)?;
        let here = catalog == OWN && schema == view::SCHEMA;
        here.then(|| {
            let columns = view.columns.iter();
            columns
                .map(|c| (c.name.clone(), c.type_name.clone()))
                .collect()
        })
    }

    /// A source, opened now if it could not be before.
    ///
    /// # Errors
    /// `3D000`; `08001` for a catalog that cannot be opened, naming it and why.
    async fn source(&self, catalog: &str) -> Result<Arc<SourceCatalog>> {
        if self.closed.read().contains_key(catalog) {
            self.reopen(catalog).await;
        }
        if let Some(source) = self.sources.read().get(catalog) {
            return Ok(Arc::clone(source));
        }
        match self.closed.read().get(catalog) {
            Some(closed) => Err(closed.error(catalog)),
            None => Err(self.unknown(catalog)),
        }
    }

    /// # Errors
    /// `3D000` if there is no such catalog.
    pub(crate) fn exists(&self, catalog: &str) -> Result<()> {
        if self.fixed.contains_key(catalog)
            || self.sources.read().contains_key(catalog)
            || self.closed.read().contains_key(catalog)
        {
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

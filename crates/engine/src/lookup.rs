//! Where a name without a schema is looked up.
//!
//! DataFusion looks such names up in one default schema. Ours is a schema of each statement's own, in
//! which its names stand for what the search path finds.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::{Result as DfResult, TableReference};
use datafusion::execution::session_state::SessionState;
use inflowave_types::{Error, Result, SqlState};

use crate::Catalogs;
use crate::overlay::Overlays;
use crate::search_path::USER;
use crate::settings::Settings;
use crate::suggest;

/// The default schema as DataFusion knows it: no schema can have this name.
pub(crate) const SEARCHED: &str = "\u{1}searched";

/// The schemas of the path, whether or not they are there.
pub(crate) fn path(settings: &Settings, catalogs: &Catalogs, database: &str) -> Vec<String> {
    let Some(path) = settings.search_path() else {
        return vec![catalogs.default_schema(database)];
    };
    path.into_iter()
        .map(|schema| match schema.as_str() {
            USER => settings.user().to_owned(),
            _ => schema,
        })
        .collect()
}

/// What the names without a schema mean in one statement: table and schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Found(BTreeMap<String, String>);

/// Finds the schemas of the `references` that have none; all have one then. While the path is the
/// session's own default, whether a table is there is not asked yet.
///
/// # Errors
/// `42P01` for what no schema of the path has; the source's own.
pub(crate) async fn find(
    settings: &Settings,
    catalogs: &Catalogs,
    database: &str,
    overlays: &Overlays,
    nameable: &(dyn Fn(&str) -> bool + Sync),
    references: Vec<TableReference>,
) -> Result<(Vec<TableReference>, Found)> {
    let own = settings.search_path().is_some();
    let path = path(settings, catalogs, database);
    let mut found = Found::default();
    let mut known = Vec::with_capacity(references.len());
    for reference in references {
        if reference.schema().is_some() {
            known.push(reference);
            continue;
        }
        let table = reference.table();
        let schema = match first(overlays, &path, table) {
            Some(schema) => schema,
            None if own => searched(catalogs, database, overlays, nameable, &path, table).await?,
            None => path[0].clone(),
        };
        found.0.insert(table.to_owned(), schema.clone());
        known.push(TableReference::partial(schema, table.to_owned()));
    }
    Ok((known, found))
}

/// What is looked up before the path, unless the path names it.
fn first(overlays: &Overlays, path: &[String], table: &str) -> Option<String> {
    overlays.iter().find_map(|o| {
        let schema = o.searched_first()?;
        let named = path.iter().any(|s| s == schema);
        (!named && o.has_table(schema, table)).then(|| schema.to_owned())
    })
}

async fn searched(
    catalogs: &Catalogs,
    database: &str,
    overlays: &Overlays,
    nameable: &(dyn Fn(&str) -> bool + Sync),
    path: &[String],
    table: &str,
) -> Result<String> {
    for schema in path {
        let overlay = overlays
            .iter()
            .find(|o| o.schemas().contains(&schema.as_str()));
        let has = match overlay {
            Some(overlay) => overlay.has_table(schema, table),
            // What may not be named is not found, and its source is not asked.
            None if !nameable(schema) => false,
            None => catalogs.has_table(database, schema, table).await?,
        };
        if has {
            return Ok(schema.clone());
        }
    }
    let mut tables = Vec::new();
    for schema in path.iter().filter(|s| nameable(s)) {
        tables.extend(catalogs.tables(database, schema).await.unwrap_or_default());
    }
    let hint = match path {
        [] => "The search path is empty: write the schema before the name.".to_owned(),
        path if tables.is_empty() => {
            format!(
                "None of the schemas of the search path has a table: {}.",
                path.join(", ")
            )
        }
        _ => suggest::hint("table", table, &tables),
    };
    Err(Error::new(
        SqlState::UndefinedTable,
        format!("relation \"{table}\" does not exist"),
    )
    .with_hint(hint))
}

impl Found {
    /// Where the name without a schema was found.
    pub fn schema(&self, table: &str) -> Option<&str> {
        self.0.get(table).map(String::as_str)
    }

    /// Lets `state` find the names; behind everything else that changes its catalogs.
    pub fn offer(&self, state: &mut SessionState, database: &str) {
        if self.0.is_empty() {
            return;
        }
        state.register_catalog_list(Arc::new(Searched {
            base: Arc::clone(state.catalog_list()),
            database: database.to_owned(),
            found: self.clone(),
        }));
    }
}

/// The catalogs of one statement, with the schema of its names.
#[derive(Debug)]
struct Searched {
    base: Arc<dyn CatalogProviderList>,
    database: String,
    found: Found,
}

impl CatalogProviderList for Searched {
    fn register_catalog(
        &self,
        _name: String,
        _catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        self.base.catalog_names()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        let base = self.base.catalog(name)?;
        if name != self.database {
            return Some(base);
        }
        Some(Arc::new(SearchedCatalog {
            base,
            found: self.found.clone(),
        }))
    }
}

#[derive(Debug)]
struct SearchedCatalog {
    base: Arc<dyn CatalogProvider>,
    found: Found,
}

impl CatalogProvider for SearchedCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.base.schema_names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name != SEARCHED {
            return self.base.schema(name);
        }
        Some(Arc::new(SearchedSchema {
            base: Arc::clone(&self.base),
            found: self.found.clone(),
        }))
    }
}

#[derive(Debug)]
struct SearchedSchema {
    base: Arc<dyn CatalogProvider>,
    found: Found,
}

#[async_trait]
impl SchemaProvider for SearchedSchema {
    fn table_names(&self) -> Vec<String> {
        self.found.0.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        let schema = self.found.0.get(name).and_then(|s| self.base.schema(s));
        match schema {
            Some(schema) => schema.table(name).await,
            None => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.found.0.contains_key(name)
    }
}

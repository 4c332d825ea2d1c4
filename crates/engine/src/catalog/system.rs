//! The server's own catalogs: `system`, and `inflowave` with its schema `public`.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, MemTable, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};

use crate::SystemTable;

type Tables = BTreeMap<&'static str, Arc<dyn SystemTable>>;

#[derive(Debug)]
pub(crate) struct SystemCatalog {
    schemas: BTreeMap<&'static str, Arc<SystemSchema>>,
}

impl SystemCatalog {
    pub fn new(schemas: &[&'static str], tables: Vec<Arc<dyn SystemTable>>) -> Self {
        let mut all: BTreeMap<&'static str, Tables> =
            schemas.iter().map(|name| (*name, Tables::new())).collect();
        for table in tables {
            all.entry(table.schema_name())
                .or_default()
                .insert(table.name(), table);
        }
        SystemCatalog {
            schemas: all
                .into_iter()
                .map(|(name, tables)| (name, Arc::new(SystemSchema { tables })))
                .collect(),
        }
    }

    pub fn table_names(&self, schema: &str) -> Vec<String> {
        self.schemas
            .get(schema)
            .map_or_else(Vec::new, |s| s.table_names())
    }

    /// The columns of a table, without its rows.
    pub fn table_schema(&self, schema: &str, table: &str) -> Option<SchemaRef> {
        Some(self.schemas.get(schema)?.tables.get(table)?.schema())
    }
}

impl CatalogProvider for SystemCatalog {
    fn schema_names(&self) -> Vec<String> {
        self.schemas.keys().map(|s| (*s).to_owned()).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let schema = self.schemas.get(name)?;
        Some(Arc::<SystemSchema>::clone(schema))
    }
}

#[derive(Debug)]
struct SystemSchema {
    tables: Tables,
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        self.tables.keys().map(|t| (*t).to_owned()).collect()
    }

    /// A snapshot: a statement that reads a system table twice sees the same rows.
    async fn table(&self, name: &str) -> DfResult<Option<Arc<dyn TableProvider>>> {
        let Some(table) = self.tables.get(name) else {
            return Ok(None);
        };
        table.refresh().await;
        let rows = table
            .rows()
            .map_err(|e| DataFusionError::External(Box::new(e)))?;
        Ok(Some(Arc::new(MemTable::try_new(
            table.schema(),
            vec![vec![rows]],
        )?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }
}

//! A table of a source: its Arrow schema, and what only the source knows of its columns.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion_catalog::{Session, TableProvider};
use datafusion_common::{DataFusionError, Result as DfResult};
use datafusion_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion_physical_plan::ExecutionPlan;

use crate::RemoteSource;

/// What a source gives for a table.
#[derive(Debug, Clone)]
pub enum Table {
    /// Its source runs fragments over it.
    Remote(RemoteTable),
    /// DataFusion reads it itself.
    Native(Arc<dyn TableProvider>),
}

/// A table's name at its source, spelled as the source spells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    pub schema: String,
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// How a source compares the text of a column, measured against ours (binary UTF-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collation {
    /// The column is not text.
    NotText,
    /// Equality and order are ours.
    Binary,
    /// Equality is ours, order is not (a deterministic collation of PostgreSQL).
    Deterministic,
    /// Equal texts are equal there too, but so are others (`A` = `a`, `a` = `a `).
    Loose,
    /// Nothing is known.
    Unknown,
}

/// A column of a remote table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteColumn {
    /// Our name and type; the field's metadata carries the PostgreSQL type where Arrow cannot.
    pub field: Arc<Field>,
    /// The source's own type, as it spells it: `numeric(15,2)`, `varchar(25)`.
    pub native_type: String,
    pub collation: Collation,
    /// The source itself guarantees that every value has the declared type. Only a dynamically
    /// typed source (SQLite) answers `false`.
    pub strictly_typed: bool,
}

/// What the source knows of a table's size; estimates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableStatistics {
    pub rows: Option<u64>,
    pub bytes: Option<u64>,
}

/// A table over which its source runs fragments.
#[derive(Debug, Clone)]
pub struct RemoteTable {
    pub source: Arc<dyn RemoteSource>,
    /// The catalog under which users know the source.
    pub catalog: String,
    pub name: TableName,
    pub columns: Vec<RemoteColumn>,
    pub statistics: TableStatistics,
}

impl RemoteTable {
    pub fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(
            self.columns
                .iter()
                .map(|c| Arc::clone(&c.field))
                .collect::<Vec<_>>(),
        ))
    }
}

/// How a [`RemoteTable`] stands in a logical plan. The cut replaces every scan of it; it is never
/// asked to scan.
#[derive(Debug)]
pub struct RemoteTableProvider {
    pub table: Arc<RemoteTable>,
    schema: SchemaRef,
}

impl RemoteTableProvider {
    pub fn new(table: RemoteTable) -> Self {
        let schema = table.schema();
        RemoteTableProvider {
            table: Arc::new(table),
            schema,
        }
    }
}

#[async_trait]
impl TableProvider for RemoteTableProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters stay visible above the scan: the cut decides on them, with reasons.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![
            TableProviderFilterPushDown::Unsupported;
            filters.len()
        ])
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Err(DataFusionError::Internal(format!(
            "remote table {}.{} reached physical planning outside a fragment",
            self.table.catalog, self.table.name
        )))
    }
}

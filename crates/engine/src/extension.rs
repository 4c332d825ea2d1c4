//! How a feature joins in: the engine knows none by name.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{TableFunction, TableProvider};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;
use inflowave_query_api::Notice;
use inflowave_types::Result;

use crate::StatementView;
use crate::words::Words;

/// A feature, hung on the engine by the composition root. Every method has an empty default.
pub trait Extension: Debug + Send + Sync + 'static {
    /// For messages.
    fn name(&self) -> &'static str;

    /// Run behind the engine's own, in the order of registration.
    fn analyzer_rules(&self) -> Vec<Arc<dyn AnalyzerRule + Send + Sync>> {
        Vec::new()
    }

    fn functions(&self) -> Vec<Arc<ScalarUDF>> {
        Vec::new()
    }

    fn table_functions(&self) -> Vec<Arc<TableFunction>> {
        Vec::new()
    }

    /// Schemas laid over every catalog, made anew for each statement.
    fn overlay(&self, _statement: &StatementView) -> Option<Arc<dyn Overlay>> {
        None
    }

    /// Tables of the catalog `system`.
    fn system_tables(&self) -> Vec<Arc<dyn SystemTable>> {
        Vec::new()
    }

    /// Reads a statement that is its own; `None` for one that is not.
    fn statement(&self, _words: &Words) -> Option<Result<Arc<dyn Command>>> {
        None
    }

    /// Sees each analysed plan before it is optimized (columns not pruned yet).
    ///
    /// # Errors
    /// End the statement.
    fn analysed(&self, _plan: &LogicalPlan) -> Result<()> {
        Ok(())
    }
}

/// A statement of an extension's own. It runs outside of transaction blocks only: what it does cannot
/// be rolled back.
#[async_trait]
pub trait Command: Debug + Send + Sync + 'static {
    fn tag(&self) -> &'static str;

    /// Its text for others to read: no secret is in it.
    fn shown(&self, sql: &str) -> String;

    /// Gives what the client is told beside the tag.
    ///
    /// # Errors
    /// With one, nothing was changed.
    async fn run(&self, statement: &StatementView) -> Result<Vec<Notice>>;
}

/// Schemas that every catalog has beside its own, for one statement: what it reads twice is the
/// same both times.
#[async_trait]
pub trait Overlay: Debug + Send + Sync + 'static {
    /// They hide schemas of these names in sources.
    fn schemas(&self) -> &'static [&'static str];

    /// The one of [`Overlay::schemas`] that a name without a schema is looked up in first.
    fn searched_first(&self) -> Option<&'static str> {
        None
    }

    fn table_names(&self, schema: &str) -> Vec<String>;

    fn has_table(&self, schema: &str, table: &str) -> bool;

    /// A table of `catalog`; sources are asked no earlier than here.
    ///
    /// # Errors
    /// End the statement.
    async fn table(
        &self,
        catalog: &str,
        schema: &str,
        table: &str,
    ) -> Result<Option<Arc<dyn TableProvider>>>;

    /// Called before planning with the names of the functions, types and system columns in the
    /// statement, in lower case: what functions need while they run is read here.
    ///
    /// # Errors
    /// End the statement.
    async fn ready(&self, _names: &BTreeSet<String>) -> Result<()> {
        Ok(())
    }

    /// Puts what functions should find into the options that they are called with.
    fn configure(&self, _options: &mut ConfigOptions) {}
}

/// A read-only table of the catalog `system`, made anew for each scan.
#[async_trait]
pub trait SystemTable: Debug + Send + Sync + 'static {
    /// `runtime`, ..
    fn schema_name(&self) -> &'static str;
    fn name(&self) -> &'static str;
    fn schema(&self) -> SchemaRef;
    /// Called before [`SystemTable::rows`]: what has to be waited for is done here.
    async fn refresh(&self) {}
    /// All its rows, with exactly [`SystemTable::schema`].
    ///
    /// # Errors
    /// End the statement.
    fn rows(&self) -> Result<RecordBatch>;
}

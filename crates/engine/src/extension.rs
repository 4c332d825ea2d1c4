//! How a feature joins in: the engine knows none by name.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;
use inflowave_types::Result;

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

    /// Tables of the catalog `system`.
    fn system_tables(&self) -> Vec<Arc<dyn SystemTable>> {
        Vec::new()
    }

    /// Sees each analysed plan before it is optimized (columns not pruned yet).
    ///
    /// # Errors
    /// End the statement.
    fn analysed(&self, _plan: &LogicalPlan) -> Result<()> {
        Ok(())
    }
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

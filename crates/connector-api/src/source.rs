//! One opened source: its catalog and, if it runs queries, its side of pushdown.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion_common::ScalarValue;
use datafusion_expr::{Expr, LogicalPlan};
use futures::Stream;
use inflowave_types::{QueryId, Result};
use tokio_util::sync::CancellationToken;

use crate::{Descriptor, Fragment, Place, Scope, Support, Table};

/// Rows of a source. Dropping it cancels the query at the source.
pub type BatchStream = Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>;

/// An opened source, seen by users as a catalog. Errors carry `08001` when it cannot be reached,
/// `08006` when it goes away, and name the catalog.
#[async_trait]
pub trait Source: Debug + Send + Sync + 'static {
    fn descriptor(&self) -> &'static Descriptor;

    /// The schema that a name without one means (`public`, `main`, ..).
    fn default_schema(&self) -> &str;

    /// Names of its schemas, its system schemas left out.
    async fn schemas(&self) -> Result<Vec<String>>;

    /// Names of the tables and views of a schema; empty if there is no such schema.
    async fn tables(&self, schema: &str) -> Result<Vec<String>>;

    /// A table with its columns, or `None` if there is none of that name. Read anew at each call:
    /// caching is the engine's.
    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>>;

    /// A cheap question to the server behind it: is it there?
    async fn ping(&self) -> Result<()>;
}

/// A source that runs fragments.
#[async_trait]
pub trait RemoteSource: Source {
    /// Can the source compute `expr` over the columns of `scope`, standing at `place`, with
    /// exactly our meaning? Pure; called while planning.
    fn supports(&self, expr: &Expr, place: Place, scope: &Scope) -> Support;

    /// Can the source run the node itself (its kind of join, `null_aware`, a union, a window, how
    /// it limits), apart from the expressions that it holds and from its inputs? Pure; called
    /// while planning.
    fn supports_node(&self, node: &LogicalPlan) -> Support;

    /// The fragment in the source's own language. Pure; called while planning.
    ///
    /// # Errors
    /// `XX000` if the fragment holds what [`RemoteSource::supports`] did not allow.
    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery>;

    /// Runs a compiled fragment. Called on the I/O runtime. The batches have exactly
    /// `query.schema`; a value that does not fit it is an error that names table, column and
    /// value.
    async fn execute(&self, query: Arc<RemoteQuery>, context: ScanContext) -> Result<BatchStream>;
}

/// A fragment in the source's own language.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteQuery {
    /// SQL for SQL sources.
    pub text: String,
    /// Values bound to the placeholders of `text`, in order.
    pub params: Vec<ScalarValue>,
    /// What the batches must look like: the Arrow schema of the fragment.
    pub schema: SchemaRef,
    /// For each output column the table and column it is read from, for messages.
    pub origins: Vec<Option<(String, String)>>,
}

/// For whom a remote query runs, and until when.
#[derive(Debug, Clone)]
pub struct ScanContext {
    pub query_id: QueryId,
    /// When it fires, the query is cancelled at the source and the stream ends with `57014`.
    pub cancel: CancellationToken,
    /// Rows per batch at most.
    pub batch_rows: usize,
    /// What the query has learned of the rows that it needs. A source may leave out rows that do
    /// not match; it need not.
    pub runtime_filters: Vec<RuntimeFilter>,
}

/// A condition on an output column of a fragment that is known only while the query runs: the keys
/// of a join's other side.
#[derive(Debug, Clone)]
pub enum RuntimeFilter {
    /// Only rows whose value is one of these are needed. The array has the column's type and no
    /// NULL.
    Keys { column: usize, values: ArrayRef },
    /// Only rows whose value is between these, both included, are needed.
    Bounds {
        column: usize,
        min: ScalarValue,
        max: ScalarValue,
    },
}

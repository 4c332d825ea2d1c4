//! One opened source: its catalog and, if it runs queries, its side of pushdown.

use std::any::Any;
use std::fmt::{self, Debug};
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

    /// The source's state as it is now, fixed for several queries; `None` if the source has no such
    /// thing, and always so where [`Descriptor::snapshots`] is false. Called on the I/O runtime.
    ///
    /// # Errors
    /// As [`RemoteSource::execute`], before its first row.
    async fn snapshot(&self) -> Result<Option<Snapshot>> {
        Ok(None)
    }

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

/// One state of a source, which every query that is given it reads. It is held until its last clone
/// is dropped.
#[derive(Clone)]
pub struct Snapshot(Arc<dyn Any + Send + Sync>);

impl Snapshot {
    /// `held` is the source's own: what names the state there, and what holds it.
    pub fn new(held: impl Any + Send + Sync) -> Snapshot {
        Snapshot(Arc::new(held))
    }

    /// What the source made it of; `None` for the snapshot of another kind of source.
    pub fn held<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshot")
    }
}

/// For whom a remote query runs, and until when.
#[derive(Debug, Clone)]
pub struct ScanContext {
    pub query_id: QueryId,
    /// The state that it reads; the newest if there is none.
    pub snapshot: Option<Snapshot>,
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

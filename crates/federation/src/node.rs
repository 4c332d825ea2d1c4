//! A remote fragment as a leaf of a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, DataFusionError, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use inflowave_connector_api::{Fragment, RemoteQuery};

/// Something that was not pushed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The expression or operator, as a user would write it.
    pub what: String,
    pub reason: String,
}

/// A fragment with its compiled query and how it came about.
#[derive(Debug, Clone)]
pub struct RemoteScanNode {
    pub fragment: Arc<Fragment>,
    pub query: Arc<RemoteQuery>,
    /// What the source does, one entry an operator: `filter: o_orderdate < DATE '1995-03-15'`.
    pub pushed: Vec<String>,
    pub refused: Vec<Refusal>,
    /// `None` when nothing is known of the tables.
    pub rows_estimate: Option<u64>,
    pub bytes_estimate: Option<u64>,
    schema: DFSchemaRef,
}

impl RemoteScanNode {
    pub fn new(
        fragment: Fragment,
        query: RemoteQuery,
        pushed: Vec<String>,
        refused: Vec<Refusal>,
        rows_estimate: Option<u64>,
    ) -> Self {
        let schema = Arc::clone(fragment.plan().schema());
        let width: u64 = schema.fields().iter().map(|f| width(f.data_type())).sum();
        RemoteScanNode {
            fragment: Arc::new(fragment),
            query: Arc::new(query),
            pushed,
            refused,
            rows_estimate,
            bytes_estimate: rows_estimate.map(|rows| rows.saturating_mul(width)),
            schema,
        }
    }
}

/// Bytes of a value in Arrow; for variable width a guess of 24.
fn width(data_type: &arrow::datatypes::DataType) -> u64 {
    data_type.primitive_width().map_or(24, |w| w as u64)
}

impl PartialEq for RemoteScanNode {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema
            && self.query == other.query
            && Arc::ptr_eq(self.fragment.source(), other.fragment.source())
    }
}

impl Eq for RemoteScanNode {}

impl Hash for RemoteScanNode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.query.text.hash(state);
        self.fragment.catalog().hash(state);
    }
}

impl PartialOrd for RemoteScanNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for RemoteScanNode {
    fn name(&self) -> &str {
        "RemoteScan"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        Vec::new()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "RemoteScan: {}: {}",
            self.fragment.catalog(),
            self.query.text
        )
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        if !exprs.is_empty() || !inputs.is_empty() {
            return Err(DataFusionError::Internal(
                "a remote scan has no expressions and no inputs".into(),
            ));
        }
        Ok(self.clone())
    }
}

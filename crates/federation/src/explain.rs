//! The rows of `EXPLAIN (FEDERATION)`.

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;

use crate::RemoteScanNode;

/// A remote fragment (`remote_query` is there) or a refusal (`not_pushed` and `reason` are).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExplainRow {
    /// The catalog.
    pub source: String,
    pub remote_query: Option<String>,
    pub pushed: Option<String>,
    pub not_pushed: Option<String>,
    pub reason: Option<String>,
    pub estimated_rows: Option<u64>,
    pub estimated_bytes: Option<u64>,
}

/// A row for each fragment of a plan that has been cut, in the order of the plan, each followed by
/// its refusals.
pub fn explain(plan: &LogicalPlan) -> Result<Vec<ExplainRow>> {
    let mut rows = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Extension(extension) = node
            && let Some(scan) = extension.node.as_any().downcast_ref::<RemoteScanNode>()
        {
            rows.extend(rows_of(scan));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(rows)
}

fn rows_of(scan: &RemoteScanNode) -> impl Iterator<Item = ExplainRow> {
    let source = scan.fragment.catalog().to_owned();
    let mut text = scan.query.text.clone();
    if !scan.query.params.is_empty() {
        let values: Vec<_> = scan.query.params.iter().map(ToString::to_string).collect();
        text = format!("{text} -- with {}", values.join(", "));
    }
    let fragment = ExplainRow {
        source: source.clone(),
        remote_query: Some(text),
        pushed: Some(scan.pushed.join("; ")),
        estimated_rows: scan.rows_estimate,
        estimated_bytes: scan.bytes_estimate,
        ..ExplainRow::default()
    };
    let refused: Vec<_> = scan
        .refused
        .iter()
        .map(|refusal| ExplainRow {
            source: source.clone(),
            not_pushed: Some(refusal.what.clone()),
            reason: Some(refusal.reason.clone()),
            ..ExplainRow::default()
        })
        .collect();
    std::iter::once(fragment).chain(refused)
}

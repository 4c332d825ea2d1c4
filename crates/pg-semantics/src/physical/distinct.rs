//! How many distinct values there are is counted, not read off statistics.
//!
//! DataFusion 55.2 says of a column behind `x = 'a'` that it has exactly one value, also where no row
//! is left, and answers `count(DISTINCT x)` with it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

/// Is there an aggregate over distinct values?
pub(super) fn is_there(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
            found |= aggregate.aggr_expr().iter().any(|a| a.is_distinct());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

//! Filters are pushed down by the names of columns, not by their places.
//!
//! DataFusion 55.2 takes a filter past a projection, a repartitioning and the like by looking its
//! columns up by name in the input. Behind a join two columns may have one name: a filter over `kind`
//! of the one side then runs over `kind` of the other. Where names repeat, filters stay where the
//! logical plan has them.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::ExecutionPlan;

/// Has a schema of the plan a name twice?
pub(super) fn are_there(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        let schema = node.schema();
        let mut names = HashSet::new();
        found |= !schema.fields().iter().all(|f| names.insert(f.name()));
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(found)
}

//! Sorts where an operator needs an order and its input has none.
//!
//! DataFusion 55.2 leaves a sort out where the key is constant (`SELECT NULL AS c .. ORDER BY c`), and
//! changes what is below afterwards, so that nothing tells of the constant any more: its last check
//! then refuses its own plan. In a plan that is in order nothing is added here.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, replace_children_if_necessary,
};

#[derive(Debug, Default)]
pub(super) struct MissingSorts;

impl PhysicalOptimizerRule for MissingSorts {
    fn name(&self) -> &'static str {
        "pg_missing_sorts"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(repaired)?.data)
    }
}

fn repaired(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let mut children: Vec<_> = node.children().into_iter().cloned().collect();
    let mut changed = false;
    for (child, needed) in children.iter_mut().zip(node.required_input_ordering()) {
        let Some(needed) = needed.map(|needed| needed.into_single()) else {
            continue;
        };
        let known = child.equivalence_properties();
        if known.ordering_satisfy_requirement(needed.clone())? {
            continue;
        }
        let keys = needed.into_iter().map(PhysicalSortExpr::from);
        if let Some(keys) = LexOrdering::new(keys) {
            let apart = child.output_partitioning().partition_count() > 1;
            let sort = SortExec::new(keys, Arc::clone(child)).with_preserve_partitioning(apart);
            *child = Arc::new(sort);
            changed = true;
        }
    }
    if !changed {
        return Ok(Transformed::no(node));
    }
    replace_children_if_necessary(node, children).map(Transformed::yes)
}

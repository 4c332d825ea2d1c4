//! How many distinct values there are is counted, not read off statistics.
//!
//! DataFusion 55.2 says of a column behind `x = 'a'` that it has exactly one value, also where no row
//! is left, and answers `count(DISTINCT x)` with it.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

/// A rule that is left out for plans with an aggregate over distinct values.
#[derive(Debug)]
pub(super) struct UnlessDistinct(pub(super) super::Rule);

impl PhysicalOptimizerRule for UnlessDistinct {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut distinct = false;
        plan.apply(|node| {
            if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
                distinct |= aggregate.aggr_expr().iter().any(|a| a.is_distinct());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        if distinct {
            return Ok(plan);
        }
        self.0.optimize(plan, config)
    }
}

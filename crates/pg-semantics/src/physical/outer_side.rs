//! What is constant below an outer join is not above it.
//!
//! DataFusion 55.2 lets a join keep the constants of both of its sides, also of the one for which NULLs
//! stand where there is no match: `ORDER BY` such a column is then left out, and so is the order that a
//! window's partitions need. Between that side and its join stands a node that tells of no constant.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, Statistics, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, replace_children_if_necessary,
};

#[derive(Debug, Default)]
pub(super) struct OuterSides;

impl PhysicalOptimizerRule for OuterSides {
    fn name(&self) -> &'static str {
        "pg_outer_sides"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(plan.transform_up(covered)?.data)
    }
}

fn covered(node: Arc<dyn ExecutionPlan>) -> Result<Transformed<Arc<dyn ExecutionPlan>>> {
    let Some(join_type) = join_type(&node) else {
        return Ok(Transformed::no(node));
    };
    let open = match join_type {
        JoinType::Left => [false, true],
        JoinType::Right => [true, false],
        JoinType::Full => [true, true],
        _ => return Ok(Transformed::no(node)),
    };
    let mut children: Vec<_> = node.children().into_iter().cloned().collect();
    let mut changed = false;
    for (child, open) in children.iter_mut().zip(open) {
        if open && !child.equivalence_properties().constants().is_empty() {
            *child = Arc::new(OuterSideExec::over(Arc::clone(child)));
            changed = true;
        }
    }
    if !changed {
        return Ok(Transformed::no(node));
    }
    replace_children_if_necessary(node, children).map(Transformed::yes)
}

fn join_type(node: &Arc<dyn ExecutionPlan>) -> Option<JoinType> {
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        return Some(*join.join_type());
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        return Some(*join.join_type());
    }
    let join = node.downcast_ref::<SortMergeJoinExec>()?;
    Some(join.join_type())
}

/// The rows of its input, of which nothing is known.
#[derive(Debug)]
struct OuterSideExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl OuterSideExec {
    fn over(input: Arc<dyn ExecutionPlan>) -> OuterSideExec {
        let known = EquivalenceProperties::new(input.schema());
        let properties = input.properties().as_ref().clone();
        OuterSideExec {
            properties: Arc::new(properties.with_eq_properties(known)),
            input,
        }
    }

    fn replaced(children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(OuterSideExec::over(input))),
            Err(_) => internal_err!("one side of a join"),
        }
    }
}

impl DisplayAs for OuterSideExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OuterSideExec")
    }
}

impl ExecutionPlan for OuterSideExec {
    fn name(&self) -> &'static str {
        "OuterSideExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        OuterSideExec::replaced(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        OuterSideExec::replaced(children)
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match inputs {
            [input] => Ok(Arc::clone(input)),
            _ => internal_err!("one side of a join"),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}

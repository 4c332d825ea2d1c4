//! What is known of rows, forgotten where it would mislead.
//!
//! DataFusion 55.2 lets a join keep the constants of both of its sides, also of the one for which NULLs
//! stand where there is no match: `ORDER BY` such a column is then left out, and so is the order that a
//! window's partitions need. And behind a condition `f(x) = x` it sorts the input of a window by `f(x)`,
//! which the window then does not take for the order of its `PARTITION BY x`. Below both stands a node
//! that tells nothing of its rows.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, Statistics, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions, replace_children_if_necessary,
};

#[derive(Debug, Default)]
pub(super) struct Forgetting;

impl PhysicalOptimizerRule for Forgetting {
    fn name(&self) -> &'static str {
        "pg_forgets"
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
    let misleads = match join_type(&node) {
        Some(JoinType::Left) => [None, Some(has_constants as Misleads)],
        Some(JoinType::Right) => [Some(has_constants as Misleads), None],
        Some(JoinType::Full) => [Some(has_constants as Misleads); 2],
        None if is_window(&node) => [Some(has_computed_twins as Misleads), None],
        _ => return Ok(Transformed::no(node)),
    };
    let mut children: Vec<_> = node.children().into_iter().cloned().collect();
    let mut changed = false;
    for (child, misleads) in children.iter_mut().zip(misleads) {
        if misleads.is_some_and(|of| of(child.equivalence_properties())) {
            *child = Arc::new(ForgetExec::over(Arc::clone(child)));
            changed = true;
        }
    }
    if !changed {
        return Ok(Transformed::no(node));
    }
    replace_children_if_necessary(node, children).map(Transformed::yes)
}

type Misleads = fn(&EquivalenceProperties) -> bool;

fn has_constants(known: &EquivalenceProperties) -> bool {
    !known.constants().is_empty()
}

/// Something computed is known to be equal to something else.
fn has_computed_twins(known: &EquivalenceProperties) -> bool {
    let mut all = known.eq_group().iter().flat_map(|class| class.iter());
    all.any(|e| e.downcast_ref::<Column>().is_none() && e.downcast_ref::<Literal>().is_none())
}

fn is_window(node: &Arc<dyn ExecutionPlan>) -> bool {
    node.downcast_ref::<BoundedWindowAggExec>().is_some()
        || node.downcast_ref::<WindowAggExec>().is_some()
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
struct ForgetExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl ForgetExec {
    fn over(input: Arc<dyn ExecutionPlan>) -> ForgetExec {
        let known = EquivalenceProperties::new(input.schema());
        let properties = input.properties().as_ref().clone();
        ForgetExec {
            properties: Arc::new(properties.with_eq_properties(known)),
            input,
        }
    }

    fn replaced(children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match <[Arc<dyn ExecutionPlan>; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(ForgetExec::over(input))),
            Err(_) => internal_err!("one input"),
        }
    }
}

impl DisplayAs for ForgetExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForgetExec")
    }
}

impl ExecutionPlan for ForgetExec {
    fn name(&self) -> &'static str {
        "ForgetExec"
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
        ForgetExec::replaced(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        ForgetExec::replaced(children)
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        match inputs {
            [input] => Ok(Arc::clone(input)),
            _ => internal_err!("one input"),
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

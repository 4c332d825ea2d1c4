//! What can fail stays above the filter that it stands on.
//!
//! DataFusion 55.2 moves a projection that narrows its input below a filter: `SELECT a / b + c, b ..
//! WHERE b <> 0` would divide before it filters. While its rule runs such a projection is something
//! that the rule does not know.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions, replace_children_if_necessary,
};

/// A rule that sees no projection over a filter but those of columns.
#[derive(Debug)]
pub(super) struct Pinned(pub(super) super::Rule);

impl PhysicalOptimizerRule for Pinned {
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
        let pinned = plan.transform_up(|node| {
            let computes = node.downcast_ref::<ProjectionExec>().is_some_and(|p| {
                p.input().downcast_ref::<FilterExec>().is_some()
                    && !p.expr().iter().all(|e| is_plain(&e.expr))
            });
            if !computes {
                return Ok(Transformed::no(node));
            }
            let pin: Arc<dyn ExecutionPlan> = Arc::new(Pin(node));
            Ok(Transformed::yes(pin))
        })?;
        let optimized = self.0.optimize(pinned.data, config)?;
        let released = optimized.transform_up(|node| match node.downcast_ref::<Pin>() {
            Some(pin) => Ok(Transformed::yes(Arc::clone(&pin.0))),
            None => Ok(Transformed::no(node)),
        })?;
        Ok(released.data)
    }
}

fn is_plain(e: &Arc<dyn PhysicalExpr>) -> bool {
    e.downcast_ref::<Column>().is_some() || e.downcast_ref::<Literal>().is_some()
}

/// A projection under another name, as long as the rule runs.
#[derive(Debug)]
struct Pin(Arc<dyn ExecutionPlan>);

impl Pin {
    fn over(&self, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let inner = replace_children_if_necessary(Arc::clone(&self.0), children)?;
        Ok(Arc::new(Pin(inner)))
    }
}

impl DisplayAs for Pin {
    fn fmt_as(&self, t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_as(t, f)
    }
}

impl ExecutionPlan for Pin {
    fn name(&self) -> &'static str {
        "Pin"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.0.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.0.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.0.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn execute(
        &self,
        _partition: usize,
        _context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        internal_err!("a projection that was not released")
    }
}

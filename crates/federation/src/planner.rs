//! The query planner: cut, complete what stays here, then DataFusion's own physical planner.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use crate::{FederationContext, Pushdown, RemoteScanExec, RemoteScanNode, cut};

/// Cuts a finished logical plan and plans what is left.
#[derive(Debug, Default)]
pub struct FederationPlanner;

#[async_trait]
impl QueryPlanner for FederationPlanner {
    async fn create_physical_plan(
        &self,
        logical_plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let pushdown = session
            .config()
            .get_extension::<FederationContext>()
            .map_or(Pushdown::On, |c| c.pushdown);
        let plan = cut::cut(logical_plan.clone(), pushdown)?;
        let plan = inflowave_pg_semantics::local::complete(plan)?;
        DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(RemoteScanPlanner)])
            .create_physical_plan(&plan, session)
            .await
    }
}

/// [`RemoteScanNode`] -> [`RemoteScanExec`].
struct RemoteScanPlanner;

#[async_trait]
impl ExtensionPlanner for RemoteScanPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        _physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(node) = node.as_any().downcast_ref::<RemoteScanNode>() else {
            return Err(DataFusionError::Internal(format!(
                "no physical plan for {}",
                node.name()
            )));
        };
        if let Some(context) = session.config().get_extension::<FederationContext>() {
            let fragment = &node.fragment;
            context
                .snapshots
                .planned(fragment.catalog(), fragment.source().as_ref());
        }
        Ok(Some(Arc::new(RemoteScanExec::new(node.clone()))))
    }
}

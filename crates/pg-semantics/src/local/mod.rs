//! What the part of a plan that runs here needs beyond what it says.
//!
//! Behind the cut, so that sources are asked for what a statement says and not for our guards:
//! [`floats`] makes keys of floats compare as PostgreSQL's, [`guard`] keeps what can fail away from
//! rows that a condition beside it leaves out.

mod floats;
mod guard;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::LogicalPlan;

pub(crate) use floats::both_zeros;
pub use guard::can_fail;

/// Completes a plan whose remote parts have been cut out of it, without changing its schema.
pub fn complete(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan
        .transform_up_with_subqueries(|node| {
            floats::keys(guard::conditions(node)?).map(Transformed::yes)
        })?
        .data)
}

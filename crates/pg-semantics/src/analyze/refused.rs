//! Correlated subqueries of which DataFusion 55.2 would make joins with other rows: refused.
//!
//! To make a join of a subquery it moves the conditions on the outer row upwards, past what they do
//! not commute with: a window function then sees the rows of every outer row, `HAVING` and
//! aggregates without groups lose the groups that are empty, and `OFFSET` in `EXISTS` is dropped.
//! [`super::Correlated`] does most scalar ones another way; this looks at what is left.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, Subquery};
use datafusion::optimizer::AnalyzerRule;
use inflowave_types::SqlState;

use crate::raise::raise;

/// The last rule of the analysis.
#[derive(Debug, Default)]
pub(crate) struct Refused;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Value,
    Condition,
    Lateral,
}

impl AnalyzerRule for Refused {
    fn name(&self) -> &'static str {
        "pg_refused_subqueries"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.apply_with_subqueries(|node| {
            if let LogicalPlan::Subquery(s) = node {
                check(s, Place::Lateral)?;
            }
            for expr in node.expressions() {
                expr.apply(|e| {
                    match e {
                        Expr::ScalarSubquery(s) => check(s, Place::Value)?,
                        Expr::Exists(e) => check(&e.subquery, Place::Condition)?,
                        Expr::InSubquery(e) => check(&e.subquery, Place::Condition)?,
                        Expr::SetComparison(e) => check(&e.subquery, Place::Condition)?,
                        _ => {}
                    }
                    Ok(TreeNodeRecursion::Continue)
                })?;
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(plan)
    }
}

pub(super) fn check(subquery: &Subquery, place: Place) -> Result<()> {
    if subquery.outer_ref_columns.is_empty() {
        return Ok(());
    }
    let mut aggregates = 0;
    subquery.subquery.apply(|node| {
        if !speaks_below(node) {
            return Ok(TreeNodeRecursion::Continue);
        }
        let what = match node {
            LogicalPlan::Window(_) => Some("a window function"),
            LogicalPlan::Limit(l) if l.skip.is_some() => Some("OFFSET"),
            LogicalPlan::Filter(f) if aggregate_in(&f.input).is_some() => Some("HAVING"),
            LogicalPlan::Projection(p)
                if place != Place::Condition
                    && aggregate_in(&p.input).is_some_and(|a| a.group_expr.is_empty())
                    && p.expr.iter().any(sees_null) =>
            {
                Some("a condition on an aggregate")
            }
            LogicalPlan::Aggregate(a) => {
                aggregates += 1;
                let sets = a
                    .group_expr
                    .iter()
                    .any(|g| matches!(g, Expr::GroupingSet(_)));
                let loses = place == Place::Condition && a.group_expr.is_empty();
                (sets || loses || aggregates > 1).then_some("this aggregate")
            }
            _ => None,
        };
        match what {
            Some(what) => Err(raise(
                SqlState::FeatureNotSupported,
                format!(
                    "{what} in a subquery over rows that an outer row chooses is not supported"
                ),
            )),
            None => Ok(TreeNodeRecursion::Continue),
        }
    })?;
    Ok(())
}

/// Does anything below the node speak of an outer row?
fn speaks_below(node: &LogicalPlan) -> bool {
    node.inputs()
        .iter()
        .any(|input| !input.all_out_ref_exprs().is_empty())
}

fn aggregate_in(plan: &LogicalPlan) -> Option<&Aggregate> {
    match plan {
        LogicalPlan::Aggregate(a) => Some(a),
        LogicalPlan::Projection(p) => aggregate_in(&p.input),
        LogicalPlan::SubqueryAlias(a) => aggregate_in(&a.input),
        _ => None,
    }
}

/// Has the expression a value for NULL that is not NULL?
pub(super) fn sees_null(expr: &Expr) -> bool {
    expr.exists(|e| {
        Ok(match e {
            Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_) => true,
            Expr::Case(_) => true,
            Expr::ScalarFunction(f) => f.func.name() == "nullif",
            _ => false,
        })
    })
    .unwrap_or(true)
}

//! What DataFusion's filter pushdown must not infer across the keys of a join.
//!
//! From `a.x = b.y` and a condition over `a.x`, DataFusion 55.2 makes one over `b.y`. For a condition
//! that can fail this is an error on rows that no condition of the statement speaks of, and for
//! floats it is wrong: -0 equals 0, and a condition can tell them apart. There the keys are hidden
//! from it. Nor must it move a constant below an aggregate without groups.

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Join, LogicalPlan};
use datafusion::optimizer::push_down_filter;
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

use crate::local::can_fail;
use crate::types;

/// DataFusion infers only from keys that are plain columns, and an alias is none.
const HIDDEN: &str = "__join_key";

/// DataFusion's rule of this name, in its place.
#[derive(Debug, Default)]
pub(crate) struct PushDownFilter(push_down_filter::PushDownFilter);

impl OptimizerRule for PushDownFilter {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        if empties_a_group(&plan) {
            return Ok(Transformed::no(plan));
        }
        self.0.rewrite(hidden(plan), config)?.map_data(shown)
    }
}

/// A condition that names no column, as `false`, above an aggregate that has a row for no rows:
/// DataFusion 55.2 would move it below, where it takes the rows and leaves the group.
fn empties_a_group(plan: &LogicalPlan) -> bool {
    let (mut node, mut constant) = (plan, false);
    while let LogicalPlan::Filter(filter) = node {
        let conjuncts = split_conjunction(&filter.predicate);
        constant |= conjuncts.iter().any(|c| c.column_refs().is_empty());
        node = &filter.input;
    }
    match node {
        LogicalPlan::Aggregate(a) => {
            let is_set = |g: &Expr| matches!(g, Expr::GroupingSet(_));
            constant && (a.group_expr.is_empty() || a.group_expr.iter().any(is_set))
        }
        _ => false,
    }
}

/// The node with the keys hidden of which nothing may be inferred.
fn hidden(plan: LogicalPlan) -> LogicalPlan {
    match plan {
        LogicalPlan::Filter(mut filter) => {
            if let LogicalPlan::Join(join) = filter.input.as_ref() {
                let join = hide(join.clone(), Some(&filter.predicate));
                filter.input = LogicalPlan::Join(join).into();
            }
            LogicalPlan::Filter(filter)
        }
        LogicalPlan::Join(join) => LogicalPlan::Join(hide(join, None)),
        other => other,
    }
}

fn hide(mut join: Join, above: Option<&Expr>) -> Join {
    let risky = above
        .into_iter()
        .chain(&join.filter)
        .flat_map(split_conjunction)
        .any(can_fail);
    for (left, _) in &mut join.on {
        let t = left.get_type(join.left.schema());
        if risky || t.is_ok_and(|t| types::is_float(&t)) {
            *left = std::mem::take(left).alias(HIDDEN);
        }
    }
    join
}

/// What the rule gives: the join, or a filter above it.
fn shown(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(match plan {
        LogicalPlan::Filter(mut filter) => {
            if matches!(filter.input.as_ref(), LogicalPlan::Join(_)) {
                let input = std::sync::Arc::unwrap_or_clone(filter.input);
                filter.input = shown(input)?.into();
            }
            LogicalPlan::Filter(filter)
        }
        LogicalPlan::Join(mut join) => {
            for (left, _) in &mut join.on {
                *left = match std::mem::take(left) {
                    Expr::Alias(alias) if alias.name == HIDDEN => *alias.expr,
                    other => other,
                };
            }
            LogicalPlan::Join(join)
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use crate::harness::{conditions, context, run};

    #[tokio::test]
    async fn what_can_fail_is_said_of_one_side_only() {
        let context = context();
        let tables = "create table a as select x::bigint as x, y, f::float8 as f \
                      from (values (1, 1, 1), (2, 2, 2)) v(x, y, f)";
        run(&context, tables).await.unwrap();
        run(&context, &tables.replace("table a", "table b"))
            .await
            .unwrap();
        for (condition, planned) in [
            ("a.x = b.x and a.x > 5", "b.x > Int64(5)\na.x > Int64(5)"),
            ("a.x = b.x and a.x::int > 5", "pg_cast(a.x) > Int32(5)"),
            ("a.f = b.f and a.f > 5", "a.f > Float64(5)"),
        ] {
            let sql = format!("select a.y from a join b on {condition}");
            let mut found: Vec<_> = conditions(&context, &sql)
                .await
                .lines()
                .map(str::to_owned)
                .collect();
            let mut wanted: Vec<_> = planned.lines().map(str::to_owned).collect();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{condition}");
        }
    }
}

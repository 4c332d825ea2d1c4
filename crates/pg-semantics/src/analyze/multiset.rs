//! `INTERSECT ALL` and `EXCEPT ALL` count rows.
//!
//! DataFusion 55.2 plans them as a semi or anti join over all columns, which keeps every copy or
//! none. Here the copies of a row are numbered on both sides and the number is one more key: the
//! third copy on the left finds a partner only if the right has three.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, NullEquality, Result};
use datafusion::config::ConfigOptions;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder, Projection,
};
use datafusion::optimizer::AnalyzerRule;

const COPY_LEFT: &str = "__copy_left";
const COPY_RIGHT: &str = "__copy_right";

/// Behind [`super::PgAnalyzer`].
#[derive(Debug, Default)]
pub(crate) struct Multiset;

impl AnalyzerRule for Multiset {
    fn name(&self) -> &'static str {
        "pg_multiset"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan
            .transform_up_with_subqueries(|node| match node {
                LogicalPlan::Join(join) if counts(&join) => counted(join).map(Transformed::yes),
                other => Ok(Transformed::no(other)),
            })?
            .data)
    }
}

/// Only set operations make such joins before the optimizer runs; without `ALL` their left side is
/// distinct.
fn counts(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.on.len() == join.left.schema().fields().len()
        && !distinct(&join.left)
}

fn distinct(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Distinct(Distinct::All(_)) => true,
        LogicalPlan::Projection(p) => distinct(&p.input),
        LogicalPlan::SubqueryAlias(a) => distinct(&a.input),
        _ => false,
    }
}

fn counted(join: Join) -> Result<LogicalPlan> {
    let schema = Arc::clone(&join.schema);
    let left = numbered(&join.left, COPY_LEFT)?;
    let right = numbered(&join.right, COPY_RIGHT)?;
    let mut on = join.on;
    on.push((
        Expr::Column(Column::from_name(COPY_LEFT)),
        Expr::Column(Column::from_name(COPY_RIGHT)),
    ));
    let joined = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        on,
        join.filter,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?;
    let columns = schema.columns().into_iter().map(Expr::Column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new_with_schema(
        columns,
        Arc::new(LogicalPlan::Join(joined)),
        schema,
    )?))
}

/// The plan with the number of each copy of a row behind its columns.
fn numbered(plan: &LogicalPlan, name: &str) -> Result<LogicalPlan> {
    let columns: Vec<Expr> = plan
        .schema()
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    let number = row_number().partition_by(columns.clone()).build()?;
    let window = LogicalPlanBuilder::from(plan.clone())
        .window(vec![number.clone()])?
        .build()?;
    let number = Expr::Column(Column::from_name(number.schema_name().to_string()));
    let mut output = columns;
    output.push(number.alias(name));
    LogicalPlanBuilder::from(window).project(output)?.build()
}

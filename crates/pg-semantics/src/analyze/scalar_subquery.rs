//! A subquery that stands for one value: no row is NULL, a second row is an error.
//!
//! DataFusion 55.2 takes the value for as little NULL as the subquery's column, so that
//! `(SELECT 1 WHERE false) IS NULL` is false and `coalesce((SELECT 1 WHERE false), 7)` no 7; and it
//! refuses a correlated subquery whose rows it cannot count before it runs. The first is told the
//! truth by a function around the subquery. The second is aggregated to its first two rows, and a
//! function around it takes the one or fails: around it and not inside, because an aggregate is
//! computed for every group of the inner table, those that no outer row asks for too.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, Case, ScalarFunction};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, Limit, LogicalPlan, LogicalPlanBuilder, Operator, Projection, ScalarUDF,
    Subquery,
};

use crate::aggregates::first_two_udaf;
use crate::functions;

/// The value of an analysed subquery.
pub(super) fn value(mut subquery: Subquery) -> Result<Expr> {
    subquery.subquery = of_one_row(subquery.subquery);
    if let Some(value) = of_no_table(&subquery.subquery)?
        && (!subquery.outer_ref_columns.is_empty() || value.exists(|e| Ok(is_subquery(e)))?)
    {
        return Ok(value);
    }
    let plan = subquery.subquery.as_ref();
    if gives_one_row(plan) {
        return Ok(Expr::ScalarSubquery(subquery));
    }
    if !subquery.outer_ref_columns.is_empty() && !is_aggregated(plan) {
        return first_of_two(subquery);
    }
    if plan.schema().field(0).is_nullable() {
        return Ok(Expr::ScalarSubquery(subquery));
    }
    Ok(call(functions::or_null(), Expr::ScalarSubquery(subquery)))
}

/// A subquery over no table is an expression; `None` of any other.
fn of_no_table(plan: &LogicalPlan) -> Result<Option<Expr>> {
    let Some(mut columns) = computed(plan)? else {
        return Ok(None);
    };
    if columns.is_empty() {
        return Ok(None);
    }
    let (_, value) = columns.swap_remove(0);
    seen_outside(value).map(Some)
}

fn is_subquery(e: &Expr) -> bool {
    matches!(
        e,
        Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
    )
}

/// The columns of a row that stands alone, as they are computed.
fn computed(plan: &LogicalPlan) -> Result<Option<Vec<(Column, Expr)>>> {
    Ok(match plan {
        LogicalPlan::EmptyRelation(e) if e.produce_one_row => Some(Vec::new()),
        LogicalPlan::SubqueryAlias(a) => computed(&a.input)?.map(|columns| {
            let columns = columns.into_iter();
            let renamed = columns.map(|(c, e)| (Column::new(Some(a.alias.clone()), c.name), e));
            renamed.collect()
        }),
        LogicalPlan::Projection(p) => {
            let Some(below) = computed(&p.input)? else {
                return Ok(None);
            };
            let mut columns = Vec::with_capacity(p.expr.len());
            for (expr, field) in p.expr.iter().zip(p.schema.iter()) {
                let holds = expr.exists(|e| {
                    // A subquery in it can speak of what is around it alone.
                    Ok(is_subquery(e) && !below.is_empty()
                        || matches!(
                            e,
                            Expr::Unnest(_) | Expr::AggregateFunction(_) | Expr::WindowFunction(_)
                        ))
                })?;
                if holds || expr.is_volatile() {
                    return Ok(None);
                }
                let value = expr.clone().unalias().transform_up(|e| {
                    let found = match &e {
                        Expr::Column(column) => below.iter().find(|(c, _)| c == column),
                        _ => None,
                    };
                    Ok(match found {
                        Some((_, value)) => Transformed::yes(value.clone()),
                        None => Transformed::no(e),
                    })
                })?;
                columns.push((Column::from(field), value.data));
            }
            Some(columns)
        }
        _ => None,
    })
}

/// Without a `LIMIT` over what has one row anyway: DataFusion makes no join of it.
fn of_one_row(plan: Arc<LogicalPlan>) -> Arc<LogicalPlan> {
    match plan.as_ref() {
        LogicalPlan::Limit(limit) if gives_one_row(&limit.input) && leaves_a_row(limit) => {
            Arc::clone(&limit.input)
        }
        _ => plan,
    }
}

/// Without a `LIMIT`, where it is asked alone whether there is a row.
pub(super) fn any_row(plan: Arc<LogicalPlan>) -> Arc<LogicalPlan> {
    match plan.as_ref() {
        LogicalPlan::Limit(limit) if leaves_a_row(limit) => Arc::clone(&limit.input),
        _ => plan,
    }
}

fn leaves_a_row(limit: &Limit) -> bool {
    let skips = limit.skip.as_deref().map_or(Some(0), count);
    let fetches = limit.fetch.as_deref().map_or(Some(1), count);
    skips == Some(0) && fetches.is_some_and(|n| n > 0)
}

/// A number of rows that is known.
pub(super) fn count(e: &Expr) -> Option<i64> {
    match e {
        Expr::Cast(cast) => count(&cast.expr),
        Expr::Literal(value, None) => match value.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(count)) => count,
            _ => None,
        },
        _ => None,
    }
}

fn first_of_two(subquery: Subquery) -> Result<Expr> {
    let (plan, only_outer) = take_outer(Arc::unwrap_or_clone(subquery.subquery))?;
    let column = Expr::Column(Column::from(plan.schema().qualified_field(0)));
    let two = Expr::AggregateFunction(AggregateFunction::new_udf(
        first_two_udaf(),
        vec![column],
        false,
        None,
        vec![],
        None,
    ));
    let plan = LogicalPlanBuilder::from(plan)
        .aggregate(Vec::<Expr>::new(), [two.alias("rows")])?
        .build()?;
    let mut outer_ref_columns = Vec::new();
    for e in plan.all_out_ref_exprs() {
        if !outer_ref_columns.contains(&e) {
            outer_ref_columns.push(e);
        }
    }
    let subquery = Subquery {
        subquery: Arc::new(plan),
        outer_ref_columns,
        spans: subquery.spans,
    };
    let value = call(functions::single_row(), Expr::ScalarSubquery(subquery));
    Ok(match conjunction(only_outer) {
        Some(condition) => Expr::Case(Case {
            expr: None,
            when_then_expr: vec![(Box::new(condition), Box::new(value))],
            else_expr: None,
        }),
        None => value,
    })
}

/// Takes conditions on the outer row alone out of the subquery: where they do not hold there is no
/// row. DataFusion cannot move them over the aggregate.
fn take_outer(plan: LogicalPlan) -> Result<(LogicalPlan, Vec<Expr>)> {
    Ok(match plan {
        LogicalPlan::Projection(projection) => {
            let (input, taken) = take_outer(Arc::unwrap_or_clone(projection.input))?;
            let (exprs, schema) = (projection.expr, projection.schema);
            let projection = Projection::try_new_with_schema(exprs, Arc::new(input), schema)?;
            (LogicalPlan::Projection(projection), taken)
        }
        LogicalPlan::Filter(mut filter) => {
            let conjuncts = told_inside(split_conjunction_owned(filter.predicate))?;
            let (taken, left): (Vec<_>, Vec<_>) = conjuncts.into_iter().partition(is_of_outer);
            let taken = taken.into_iter().map(seen_outside).collect::<Result<_>>()?;
            let plan = match conjunction(left) {
                Some(predicate) => {
                    filter.predicate = predicate;
                    LogicalPlan::Filter(filter)
                }
                None => Arc::unwrap_or_clone(filter.input),
            };
            (plan, taken)
        }
        other => (other, Vec::new()),
    })
}

/// `inner = outer` lets every other condition speak of the inner column instead: DataFusion moves
/// none but such equalities over the aggregate.
fn told_inside(conjuncts: Vec<Expr>) -> Result<Vec<Expr>> {
    let equal: Vec<(Expr, Expr)> = conjuncts.iter().filter_map(equality).collect();
    conjuncts
        .into_iter()
        .map(|e| {
            if equality(&e).is_some() || is_of_outer(&e) {
                return Ok(e);
            }
            let told = e.transform_up(|e| {
                let inner = equal.iter().find(|(outer, _)| *outer == e);
                Ok(match inner {
                    Some((_, inner)) => Transformed::yes(inner.clone()),
                    None => Transformed::no(e),
                })
            })?;
            Ok(told.data)
        })
        .collect()
}

/// The outer and the inner side of an equality of columns whose equal values are the same value in
/// every function: those of one type without digits behind a point, signs of zero or padding.
fn equality(e: &Expr) -> Option<(Expr, Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = e else {
        return None;
    };
    let (outer, inner) = match (left.as_ref(), right.as_ref()) {
        (outer @ Expr::OuterReferenceColumn(..), inner @ Expr::Column(_))
        | (inner @ Expr::Column(_), outer @ Expr::OuterReferenceColumn(..)) => (outer, inner),
        _ => return None,
    };
    let Expr::OuterReferenceColumn(field, _) = outer else {
        return None;
    };
    // Their types are equal behind the analysis: a cast would stand around a side otherwise.
    let is_plain = field.data_type().is_integer() || *field.data_type() == DataType::Utf8View;
    (*op == Operator::Eq && is_plain && field.metadata().is_empty())
        .then(|| (outer.clone(), inner.clone()))
}

/// Does the condition speak of the outer row, and of nothing else?
fn is_of_outer(condition: &Expr) -> bool {
    let (mut outer, mut inner) = (false, false);
    // The closure never fails.
    let _ = condition.apply(|e| {
        match e {
            Expr::OuterReferenceColumn(..) => outer = true,
            Expr::Column(_)
            | Expr::ScalarSubquery(_)
            | Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_) => inner = true,
            _ => {}
        }
        Ok(TreeNodeRecursion::Continue)
    });
    outer && !inner && !condition.is_volatile()
}

fn seen_outside(condition: Expr) -> Result<Expr> {
    Ok(condition
        .transform_up(|e| {
            Ok(match e {
                Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
                other => Transformed::no(other),
            })
        })?
        .data)
}

/// An aggregate without groups has a row for no rows, too.
fn gives_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(p) => gives_one_row(&p.input),
        LogicalPlan::SubqueryAlias(a) => gives_one_row(&a.input),
        LogicalPlan::Sort(s) => s.fetch.is_none() && gives_one_row(&s.input),
        LogicalPlan::Aggregate(a) => a.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(e) => e.produce_one_row,
        _ => false,
    }
}

/// Is it of a form of which DataFusion can tell that a group has one row, or else refuses it?
fn is_aggregated(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(p) => is_aggregated(&p.input),
        LogicalPlan::SubqueryAlias(a) => is_aggregated(&a.input),
        LogicalPlan::Aggregate(_) => true,
        _ => false,
    }
}

fn call(function: Arc<ScalarUDF>, argument: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![argument]))
}

//! `x IN (SELECT ..)` where NULL is not FALSE.
//!
//! DataFusion 55.2 plans `IN (subquery)` as a semi, anti or mark join. A mark has two values: below
//! `NOT`, `IS NULL` or `CASE` a NULL becomes FALSE. And the null-aware anti join of a correlated
//! `NOT IN` takes a NULL of any group for one of its own. There it is written with `EXISTS`, whose
//! two values are all it has.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Case, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Subquery, lit,
};
use datafusion::optimizer::AnalyzerRule;

/// Behind [`super::PgAnalyzer`], which has given both sides one type.
#[derive(Debug, Default)]
pub(crate) struct ThreeValued;

impl AnalyzerRule for ThreeValued {
    fn name(&self) -> &'static str {
        "pg_three_valued_in"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        Ok(plan
            .transform_up_with_subqueries(|node| match node {
                LogicalPlan::Filter(filter) => {
                    let schema = Arc::clone(filter.input.schema());
                    let conjuncts = split_conjunction_owned(filter.predicate)
                        .into_iter()
                        .map(|c| conjunct(c, &schema))
                        .collect::<Result<Vec<_>>>()?;
                    let predicate = conjunction(conjuncts).unwrap_or_else(|| lit(true));
                    let filter = Filter::try_new(predicate, filter.input)?;
                    Ok(Transformed::yes(LogicalPlan::Filter(filter)))
                }
                other => Ok(Transformed::no(other)),
            })?
            .data)
    }
}

fn conjunct(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    match expr {
        Expr::Not(inner) => match *inner {
            Expr::InSubquery(mut within) => {
                within.negated = !within.negated;
                conjunct(Expr::InSubquery(within), schema)
            }
            other => exact(Expr::Not(Box::new(other)), schema),
        },
        Expr::InSubquery(within)
            if within.negated && !within.subquery.outer_ref_columns.is_empty() =>
        {
            // Not one that is equal, and not one of which it is unknown.
            let wanted = |equal: Expr| Expr::IsNotFalse(Box::new(equal));
            exists(&within, schema, wanted, true)
        }
        other if is_plain(&other) => Ok(other),
        Expr::BinaryExpr(b) if matches!(b.op, Operator::And | Operator::Or) => {
            Ok(Expr::BinaryExpr(BinaryExpr::new(
                Box::new(positive(*b.left, schema)?),
                b.op,
                Box::new(positive(*b.right, schema)?),
            )))
        }
        other => exact(other, schema),
    }
}

/// `IN` and `NOT IN` as a whole conjunct are planned rightly.
fn is_plain(expr: &Expr) -> bool {
    matches!(expr, Expr::InSubquery(_))
}

/// Below `AND` and `OR` alone NULL may pass for FALSE, but not a NULL that was negated.
fn positive(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    match expr {
        Expr::BinaryExpr(b) if matches!(b.op, Operator::And | Operator::Or) => {
            Ok(Expr::BinaryExpr(BinaryExpr::new(
                Box::new(positive(*b.left, schema)?),
                b.op,
                Box::new(positive(*b.right, schema)?),
            )))
        }
        Expr::InSubquery(within) if !within.negated => Ok(Expr::InSubquery(within)),
        other => exact(other, schema),
    }
}

/// Each `IN (subquery)` in it with all three values.
fn exact(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let mut holds = false;
    expr.apply(|e| {
        holds |= matches!(e, Expr::InSubquery(_));
        Ok(TreeNodeRecursion::Continue)
    })?;
    if !holds {
        return Ok(expr);
    }
    Ok(expr
        .transform_up(|e| match e {
            Expr::InSubquery(within) => {
                let found = exists(&within, schema, |e| Expr::IsTrue(Box::new(e)), false)?;
                let unknown = exists(&within, schema, |e| Expr::IsUnknown(Box::new(e)), false)?;
                let (yes, no) = (lit(!within.negated), lit(within.negated));
                Ok(Transformed::yes(Expr::Case(Case {
                    expr: None,
                    when_then_expr: vec![
                        (Box::new(found), Box::new(yes)),
                        (
                            Box::new(unknown),
                            Box::new(Expr::Literal(ScalarValue::Boolean(None), None)),
                        ),
                    ],
                    else_expr: Some(Box::new(no)),
                })))
            }
            other => Ok(Transformed::no(other)),
        })?
        .data)
}

/// `IN (subquery)` as a value of three, made of `EXISTS`.
pub(super) fn value(within: InSubquery, schema: &DFSchema) -> Result<Expr> {
    exact(Expr::InSubquery(within), schema)
}

/// `[NOT] EXISTS` over the subquery's rows for which `wanted(value = row)` holds.
fn exists(
    within: &InSubquery,
    schema: &DFSchema,
    wanted: impl Fn(Expr) -> Expr,
    negated: bool,
) -> Result<Expr> {
    let rows = &within.subquery.subquery;
    let row = Expr::Column(Column::from(rows.schema().qualified_field(0)));
    let mut outer = within.subquery.outer_ref_columns.clone();
    let value = within
        .expr
        .as_ref()
        .clone()
        .transform_up(|e| match e {
            Expr::Column(column) => {
                let field = schema.field_from_column(&column)?;
                let reference = Expr::OuterReferenceColumn(Arc::clone(field), column);
                if !outer.contains(&reference) {
                    outer.push(reference.clone());
                }
                Ok(Transformed::yes(reference))
            }
            other => Ok(Transformed::no(other)),
        })?
        .data;
    let plan = LogicalPlanBuilder::from(rows.as_ref().clone())
        .filter(wanted(value.eq(row)))?
        .build()?;
    Ok(Expr::Exists(Exists {
        subquery: Subquery {
            subquery: Arc::new(plan),
            outer_ref_columns: outer,
            spans: within.subquery.spans.clone(),
        },
        negated,
    }))
}

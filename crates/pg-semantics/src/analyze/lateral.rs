//! Relations that speak of those before them in `FROM`, where DataFusion cannot make a join of them.
//!
//! DataFusion 55.2 takes lateral subqueries whose conditions it can move into the join, and none with
//! `unnest`. What is computed from a row alone, as functions in `FROM` are, is written here as more
//! columns of that row; the others as [`super::Correlated`] does scalar subqueries.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, JoinType, NullEquality, Result, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    EmptyRelation, Expr, Join, LogicalPlan, LogicalPlanBuilder, Projection, Subquery, SubqueryAlias,
};
use datafusion::optimizer::AnalyzerRule;

use super::correlated::{Unnested, is_volatile};
use super::refused;

/// Before [`super::Correlated`].
#[derive(Debug, Default)]
pub(crate) struct Lateral;

impl AnalyzerRule for Lateral {
    fn name(&self) -> &'static str {
        "pg_lateral"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut next = 0;
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Join(join) => lateral(join, &mut next),
            other => Ok(Transformed::no(other)),
        })
        .map(|t| t.data)
    }
}

fn lateral(join: Join, next: &mut usize) -> Result<Transformed<LogicalPlan>> {
    let (alias, subquery) = match join.right.as_ref() {
        LogicalPlan::Subquery(s) => (None, s),
        LogicalPlan::SubqueryAlias(a) => match a.input.as_ref() {
            LogicalPlan::Subquery(s) => (Some(a.alias.clone()), s),
            _ => return Ok(Transformed::no(LogicalPlan::Join(join))),
        },
        _ => return Ok(Transformed::no(LogicalPlan::Join(join))),
    };
    let mut outer: Vec<Column> = Vec::new();
    for reference in &subquery.outer_ref_columns {
        if let Expr::OuterReferenceColumn(_, column) = reference
            && join.left.schema().has_column(column)
            && !outer.contains(column)
        {
            outer.push(column.clone());
        }
    }
    if outer.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    *next += 1;
    if join.join_type == JoinType::Inner
        && let Some(plan) = beside(&join, alias.as_ref(), subquery, *next)?
    {
        return Ok(Transformed::yes(plan));
    }
    let by_datafusion =
        !is_ours(&subquery.subquery)? && refused::check(subquery, refused::Place::Lateral).is_ok();
    if by_datafusion || is_volatile(&join.left)? {
        return Ok(Transformed::no(LogicalPlan::Join(join)));
    }
    match by_tuples(&join, alias.as_ref(), subquery, &outer, *next)? {
        Some(plan) => Ok(Transformed::yes(plan)),
        None => Ok(Transformed::no(LogicalPlan::Join(join))),
    }
}

/// Is there a node that DataFusion makes no join of?
fn is_ours(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= matches!(node, LogicalPlan::Unnest(_) | LogicalPlan::Limit(_));
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn columns(plan: &LogicalPlan) -> Vec<Column> {
    plan.schema().iter().map(Column::from).collect()
}

/// The row and what is computed from it, without a join; `None` if it needs more than the row.
fn beside(
    join: &Join,
    alias: Option<&TableReference>,
    subquery: &Subquery,
    number: usize,
) -> Result<Option<LogicalPlan>> {
    let left = columns(&join.left);
    let names = (0..left.len()).map(|at| format!("__left_{number}_{at}"));
    let names: Vec<String> = names.collect();
    let renamed = left.iter().zip(&names);
    let renamed = renamed.map(|(c, name)| Expr::Column(c.clone()).alias(name.clone()));
    let base = Projection::try_new(renamed.collect(), Arc::clone(&join.left))?;
    let carried = names.iter().map(Column::new_unqualified).collect();
    let graft = Graft {
        left: &left,
        base: LogicalPlan::Projection(base),
        carried,
    };
    let Some((plan, carried)) = graft.onto(subquery.subquery.as_ref().clone())? else {
        return Ok(None);
    };
    let values = columns(&subquery.subquery);
    let restored = left.iter().zip(carried);
    let restored = restored.map(|(c, carried)| {
        Expr::Column(carried).alias_qualified(c.relation.clone(), c.name.clone())
    });
    let values = values.into_iter().map(|c| match alias {
        Some(alias) => {
            let name = c.name.clone();
            Expr::Column(c).alias_qualified(Some(alias.clone()), name)
        }
        None => Expr::Column(c),
    });
    let outputs: Vec<Expr> = restored.chain(values).collect();
    let plan = LogicalPlanBuilder::from(plan).project(outputs)?;
    let condition = conditions(join);
    let plan = match condition {
        Some(condition) => plan.filter(condition)?,
        None => plan,
    };
    Ok(Some(plan.build()?))
}

fn conditions(join: &Join) -> Option<Expr> {
    let equal = join.on.iter().map(|(l, r)| l.clone().eq(r.clone()));
    conjunction(equal.chain(join.filter.clone()))
}

/// A plan over one empty row, as one over the rows of another.
struct Graft<'a> {
    /// The columns that it speaks of from outside.
    left: &'a [Column],
    base: LogicalPlan,
    /// What they are called in `base`.
    carried: Vec<Column>,
}

impl Graft<'_> {
    #[recursive::recursive]
    fn onto(&self, plan: LogicalPlan) -> Result<Option<(LogicalPlan, Vec<Column>)>> {
        Ok(match plan {
            LogicalPlan::EmptyRelation(EmptyRelation {
                produce_one_row: true,
                ..
            }) => Some((self.base.clone(), self.carried.clone())),
            LogicalPlan::Projection(p) => {
                let Some((input, carried)) = self.onto(Arc::unwrap_or_clone(p.input))? else {
                    return Ok(None);
                };
                let exprs = p.expr.into_iter().map(|e| self.inner(e, &carried));
                let mut exprs = exprs.collect::<Result<Vec<_>>>()?;
                exprs.extend(carried.iter().cloned().map(Expr::Column));
                let projection = Projection::try_new(exprs, Arc::new(input))?;
                Some((LogicalPlan::Projection(projection), carried))
            }
            LogicalPlan::SubqueryAlias(a) => {
                let Some((input, carried)) = self.onto(Arc::unwrap_or_clone(a.input))? else {
                    return Ok(None);
                };
                let carried = carried.into_iter();
                let carried = carried.map(|c| Column::new(Some(a.alias.clone()), c.name));
                let alias = SubqueryAlias::try_new(Arc::new(input), a.alias.clone())?;
                Some((LogicalPlan::SubqueryAlias(alias), carried.collect()))
            }
            LogicalPlan::Subquery(s) => self.onto(Arc::unwrap_or_clone(s.subquery))?,
            LogicalPlan::Filter(_) | LogicalPlan::Unnest(_) => {
                let Some(input) = plan.inputs().first().map(|i| (*i).clone()) else {
                    return Ok(None);
                };
                let Some((input, carried)) = self.onto(input)? else {
                    return Ok(None);
                };
                let exprs = plan.expressions().into_iter();
                let exprs = exprs.map(|e| self.inner(e, &carried));
                let exprs = exprs.collect::<Result<Vec<_>>>()?;
                Some((plan.with_new_exprs(exprs, vec![input])?, carried))
            }
            _ => None,
        })
    }

    fn inner(&self, expr: Expr, carried: &[Column]) -> Result<Expr> {
        let replaced = expr.transform_up(|e| {
            let Expr::OuterReferenceColumn(_, column) = &e else {
                return Ok(Transformed::no(e));
            };
            let place = self.left.iter().position(|c| c == column);
            Ok(match place.and_then(|place| carried.get(place)) {
                Some(carried) => Transformed::yes(Expr::Column(carried.clone())),
                None => Transformed::no(e),
            })
        })?;
        Ok(replaced.data)
    }
}

/// The join with what the subquery gives for each different tuple of the outer columns.
fn by_tuples(
    join: &Join,
    alias: Option<&TableReference>,
    subquery: &Subquery,
    outer: &[Column],
    number: usize,
) -> Result<Option<LogicalPlan>> {
    let keys: Vec<String> = (0..outer.len())
        .map(|at| format!("__lateral_{number}_{at}"))
        .collect();
    let tuples = outer.iter().zip(&keys);
    let tuples = tuples.map(|(c, key)| Expr::Column(c.clone()).alias(key.clone()));
    let domain = LogicalPlanBuilder::from(join.left.as_ref().clone())
        .project(tuples.collect::<Vec<_>>())?
        .distinct()?
        .build()?;
    let mut unnested = Unnested::new(outer, &keys, domain, number);
    let Some((plan, tuple)) = unnested.lower(subquery.subquery.as_ref().clone())? else {
        return Ok(None);
    };
    let values = columns(&subquery.subquery);
    let outputs = values.iter().cloned().map(Expr::Column);
    let named = tuple.into_iter().zip(&keys);
    let named = named.map(|(c, key)| Expr::Column(c).alias(key.clone()));
    let mut right =
        LogicalPlanBuilder::from(plan).project(outputs.chain(named).collect::<Vec<_>>())?;
    if let Some(alias) = alias {
        right = right.alias(alias.clone())?;
    }
    let right = right.build()?;
    let right_keys = keys.iter().map(|k| Column::new(alias.cloned(), k));
    let on = (outer.to_vec(), right_keys.collect::<Vec<_>>());
    let plan = LogicalPlanBuilder::from(join.left.as_ref().clone()).join_detailed(
        right,
        join.join_type,
        on,
        conditions(join),
        NullEquality::NullEqualsNull,
    )?;
    let outputs = join
        .schema
        .iter()
        .map(|field| Expr::Column(Column::from(field)));
    Ok(Some(plan.project(outputs.collect::<Vec<_>>())?.build()?))
}

//! Scalar subqueries that speak of the rows around them, where DataFusion cannot make a join of
//! them.
//!
//! DataFusion 55.2 takes aggregates over rows chosen by `inner = outer`. Other aggregates are written
//! here as what they mean: the subquery is computed once for each different tuple of the outer columns
//! that it names, beside those columns, and its values are joined to the outer rows by them (Neumann
//! and Kemper, "Unnesting Arbitrary Queries", 2015). What is no aggregate was made one before
//! ([`super::scalar_subquery`]).

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DataFusionError, JoinType, NullEquality, Result};
use datafusion::config::ConfigOptions;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{merge_schema, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, DistinctOn, Expr, ExprFunctionExt, Filter, Limit, LogicalPlan,
    LogicalPlanBuilder, Operator, Projection, Subquery, SubqueryAlias, lit, when,
};
use datafusion::optimizer::AnalyzerRule;

use super::refused::sees_null;
use super::scalar_subquery::count;

/// Behind the rules that give types: what it adds has the types of what is there.
#[derive(Debug, Default)]
pub(crate) struct Correlated;

impl AnalyzerRule for Correlated {
    fn name(&self) -> &'static str {
        "pg_correlated_scalar"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let mut next = 0;
        Ok(plan
            // The outer ones first: what stands in one of them is then no longer within one.
            .transform_down_with_subqueries(|node| joined(node, &mut next))?
            .data)
    }
}

/// A node whose subqueries became joins below it.
fn joined(node: LogicalPlan, next: &mut usize) -> Result<Transformed<LogicalPlan>> {
    // DataFusion looks into the first two alone.
    let of_datafusion = match &node {
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) => true,
        LogicalPlan::Distinct(Distinct::On(_)) | LogicalPlan::Sort(_) => false,
        _ => return Ok(Transformed::no(node)),
    };
    let mut found: Vec<Subquery> = Vec::new();
    for expr in node.expressions() {
        expr.apply(|e| {
            if let Expr::ScalarSubquery(s) = e
                && !s.outer_ref_columns.is_empty()
                && !found.contains(s)
                && is_single(&s.subquery)
                && !(of_datafusion && datafusion_can(&s.subquery))
            {
                found.push(s.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    let Some(input) = node.inputs().first().map(|i| (*i).clone()) else {
        return Ok(Transformed::no(node));
    };
    if found.is_empty() || is_volatile(&input)? {
        return Ok(Transformed::no(node));
    }
    let (mut below, mut values) = (input.clone(), Vec::new());
    for subquery in found {
        if let Some((joined, value)) = join(&below, &input, &subquery, *next)? {
            below = joined;
            values.push((subquery, value));
            *next += 1;
        }
    }
    if values.is_empty() {
        return Ok(Transformed::no(node));
    }
    let names = NamePreserver::new(&node);
    let replaced = |e: Expr| {
        let name = names.save(&e);
        let e = e.transform_up(|e| {
            let Expr::ScalarSubquery(s) = &e else {
                return Ok(Transformed::no(e));
            };
            let value = values.iter().find(|(subquery, _)| subquery == s);
            Ok(match value {
                Some((_, value)) => Transformed::yes(value.clone()),
                None => Transformed::no(e),
            })
        });
        Ok::<Expr, DataFusionError>(name.restore(e?.data))
    };
    let plan = match node {
        LogicalPlan::Projection(p) => {
            let exprs = p.expr.into_iter().map(replaced).collect::<Result<_>>()?;
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(below))?)
        }
        LogicalPlan::Distinct(Distinct::On(d)) => {
            let replaced_all = |exprs: Vec<Expr>| exprs.into_iter().map(replaced).collect();
            let sort_expr = d.sort_expr.map(|keys| {
                let keys = keys.into_iter().map(|key| {
                    let expr = replaced(key.expr.clone())?;
                    Ok(key.with_expr(expr))
                });
                keys.collect::<Result<Vec<_>>>()
            });
            let on: Result<_> = replaced_all(d.on_expr);
            let select: Result<_> = replaced_all(d.select_expr);
            let on = DistinctOn::try_new(on?, select?, sort_expr.transpose()?, Arc::new(below))?;
            LogicalPlan::Distinct(Distinct::On(on))
        }
        LogicalPlan::Sort(mut sort) => {
            for key in &mut sort.expr {
                key.expr = replaced(key.expr.clone())?;
            }
            sort.input = Arc::new(below);
            columns_of(&input, LogicalPlan::Sort(sort))?
        }
        LogicalPlan::Filter(f) => {
            let filter = Filter::try_new(replaced(f.predicate)?, Arc::new(below))?;
            columns_of(&input, LogicalPlan::Filter(filter))?
        }
        other => other,
    };
    Ok(Transformed::yes(plan))
}

/// Of the plan's columns those of `input`.
fn columns_of(input: &LogicalPlan, plan: LogicalPlan) -> Result<LogicalPlan> {
    let columns = input.schema().iter();
    let columns = columns.map(|(q, f)| Expr::Column(Column::from((q, f))));
    let projection = Projection::try_new(columns.collect(), Arc::new(plan))?;
    Ok(LogicalPlan::Projection(projection))
}

/// `below` with the values of a subquery of the rows of `input`, and the expression that is the
/// value; `None` if the subquery is of a form that is not done here.
fn join(
    below: &LogicalPlan,
    input: &LogicalPlan,
    subquery: &Subquery,
    number: usize,
) -> Result<Option<(LogicalPlan, Expr)>> {
    let Some(outer) = outer_columns(&subquery.subquery, input)? else {
        return Ok(None);
    };
    let keys: Vec<String> = (0..outer.len())
        .map(|i| format!("__outer_{number}_{i}"))
        .collect();
    let tuples = outer.iter().zip(&keys);
    let tuples = tuples.map(|(c, key)| Expr::Column(c.clone()).alias(key.clone()));
    let domain = LogicalPlanBuilder::from(input.clone())
        .project(tuples.collect::<Vec<_>>())?
        .distinct()?
        .build()?;
    let mut unnested = Unnested::new(&outer, &keys, domain, number);
    let Some((plan, columns)) = unnested.lower(subquery.subquery.as_ref().clone())? else {
        return Ok(None);
    };
    let first = Column::from(plan.schema().qualified_field(0));
    let name = format!("__correlated_{number}");
    let outputs = columns.iter().zip(&keys);
    let outputs = outputs.map(|(c, key)| Expr::Column(c.clone()).alias(key.clone()));
    let outputs: Vec<Expr> = outputs
        .chain([Expr::Column(first).alias("__value")])
        .collect();
    let right = LogicalPlanBuilder::from(plan)
        .project(outputs)?
        .alias(name.as_str())?
        .build()?;
    let right_keys = keys.iter().map(|k| Column::new(Some(name.as_str()), k));
    let plan = LogicalPlanBuilder::from(below.clone())
        .join_detailed(
            right,
            JoinType::Left,
            (outer.clone(), right_keys.collect::<Vec<_>>()),
            None,
            NullEquality::NullEqualsNull,
        )?
        .build()?;
    let value = Expr::Column(Column::new(Some(name.as_str()), "__value"));
    Ok(Some((plan, value)))
}

/// The outer columns that a subquery names, each once; `None` if one is not of `input`, or stands
/// in a subquery of its own.
fn outer_columns(plan: &LogicalPlan, input: &LogicalPlan) -> Result<Option<Vec<Column>>> {
    let (mut columns, mut foreign) = (Vec::new(), false);
    plan.apply(|node| {
        let local = merge_schema(&node.inputs());
        node.apply_expressions(|expr| {
            expr.apply(|e| {
                match e {
                    Expr::OuterReferenceColumn(_, column) => {
                        foreign |= !input.schema().has_column(column);
                        if !columns.contains(column) {
                            columns.push(column.clone());
                        }
                    }
                    Expr::ScalarSubquery(s)
                    | Expr::Exists(Exists { subquery: s, .. })
                    | Expr::InSubquery(InSubquery { subquery: s, .. }) => {
                        foreign |= !is_local(s, &local)
                    }
                    _ => {}
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok((!foreign && !columns.is_empty()).then_some(columns))
}

/// Are all the outer columns of a subquery those of the plan that it stands in?
fn is_local(subquery: &Subquery, local: &DFSchema) -> bool {
    subquery.outer_ref_columns.iter().all(|e| match e {
        Expr::OuterReferenceColumn(_, column) => local.has_column(column),
        _ => true,
    })
}

/// Does it give one row whatever there is: an aggregate of all rows?
fn is_single(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(p) => is_single(&p.input),
        LogicalPlan::SubqueryAlias(a) => is_single(&a.input),
        LogicalPlan::Aggregate(a) => a.group_expr.is_empty(),
        _ => false,
    }
}

/// Is it of the form of which DataFusion makes a join?
fn datafusion_can(plan: &LogicalPlan) -> bool {
    let (mut simple, mut aggregates) = (true, 0);
    // The closure never fails.
    let _ = plan.apply(|node| {
        if let LogicalPlan::Aggregate(a) = node {
            // Its rule loses groups that are empty where another aggregate stands above.
            aggregates += usize::from(names_outer(&a.input).unwrap_or(true));
        }
        let speaks = node.expressions().iter().any(Expr::contains_outer);
        simple &= match node {
            LogicalPlan::Filter(f) => split_conjunction(&f.predicate)
                .into_iter()
                .all(|c| !c.contains_outer() || is_key(c)),
            LogicalPlan::EmptyRelation(e) => e.produce_one_row,
            // It computes the expression for a group that is empty only where the value is NULL.
            LogicalPlan::Projection(p) => !speaks && !p.expr.iter().any(sees_null),
            // Its rule for them fails over a relation of the query's own.
            LogicalPlan::SubqueryAlias(a) => !names_outer(&a.input).unwrap_or(true),
            LogicalPlan::Limit(_) | LogicalPlan::Distinct(_) | LogicalPlan::Union(_) => {
                !names_outer(node).unwrap_or(true)
            }
            _ => !speaks,
        } && !node.expressions().iter().any(holds_another);
        Ok(TreeNodeRecursion::Continue)
    });
    simple && aggregates < 2
}

/// Does an expression hold a subquery that is done here?
fn holds_another(expr: &Expr) -> bool {
    expr.exists(|e| {
        Ok(match e {
            Expr::ScalarSubquery(s) => {
                !s.outer_ref_columns.is_empty()
                    && is_single(&s.subquery)
                    && !datafusion_can(&s.subquery)
            }
            _ => false,
        })
    })
    .unwrap_or(true)
}

/// `inner = outer`.
fn is_key(conjunct: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr {
        left,
        op: Operator::Eq,
        right,
    }) = conjunct
    else {
        return false;
    };
    let outer_only = |e: &Expr| e.contains_outer() && e.column_refs().is_empty();
    outer_only(left) != outer_only(right) && left.contains_outer() != right.contains_outer()
}

pub(super) fn is_volatile(plan: &LogicalPlan) -> Result<bool> {
    let mut volatile = false;
    plan.apply_with_subqueries(|node| {
        volatile |= node.expressions().iter().any(Expr::is_volatile);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(volatile)
}

/// A subquery, taken apart from the rows around it.
pub(super) struct Unnested<'a> {
    outer: &'a [Column],
    keys: &'a [String],
    /// The different tuples of the outer columns.
    domain: LogicalPlan,
    number: usize,
    parts: usize,
}

type Lowered = Option<(LogicalPlan, Vec<Column>)>;

impl<'a> Unnested<'a> {
    pub(super) fn new(
        outer: &'a [Column],
        keys: &'a [String],
        domain: LogicalPlan,
        number: usize,
    ) -> Self {
        Unnested {
            outer,
            keys,
            domain,
            number,
            parts: 0,
        }
    }

    /// The plan beside the tuples that it was computed for, and the columns of these.
    #[recursive::recursive]
    pub(super) fn lower(&mut self, plan: LogicalPlan) -> Result<Lowered> {
        if !names_outer(&plan)? {
            let columns = self.keys.iter().map(Column::new_unqualified).collect();
            let beside = LogicalPlanBuilder::from(plan).cross_join(self.domain.clone())?;
            return Ok(Some((beside.build()?, columns)));
        }
        match plan {
            LogicalPlan::Projection(p) => {
                let Some((input, columns)) = self.lower(Arc::unwrap_or_clone(p.input))? else {
                    return Ok(None);
                };
                let exprs = p.expr.into_iter().map(|e| self.named(e, &columns));
                let mut exprs = exprs.collect::<Result<Vec<_>>>()?;
                exprs.extend(columns.iter().cloned().map(Expr::Column));
                let projection = Projection::try_new(exprs, Arc::new(input))?;
                Ok(Some((LogicalPlan::Projection(projection), columns)))
            }
            LogicalPlan::SubqueryAlias(a) => {
                let Some((input, columns)) = self.lower(Arc::unwrap_or_clone(a.input))? else {
                    return Ok(None);
                };
                let requalified = columns.into_iter();
                let requalified = requalified.map(|c| Column::new(Some(a.alias.clone()), c.name));
                let alias = SubqueryAlias::try_new(Arc::new(input), a.alias.clone())?;
                let columns = requalified.collect();
                Ok(Some((LogicalPlan::SubqueryAlias(alias), columns)))
            }
            LogicalPlan::Aggregate(a) => self.aggregate(a),
            // Functions in `FROM` stand in one, as if they were lateral.
            LogicalPlan::Subquery(s) => self.lower(Arc::unwrap_or_clone(s.subquery)),
            LogicalPlan::Join(ref j) if !names_any(&j.right, j.left.schema())? => {
                let (left, right) = (names_outer(&j.left)?, names_outer(&j.right)?);
                let side = match (j.join_type, left, right) {
                    (JoinType::Inner, _, false) | (JoinType::Left, _, false) => 0,
                    (JoinType::Inner, false, true) | (JoinType::Right, false, _) => 1,
                    _ => return Ok(None),
                };
                let mut inputs = [j.left.as_ref().clone(), j.right.as_ref().clone()];
                let Some((lowered, columns)) = self.lower(inputs[side].clone())? else {
                    return Ok(None);
                };
                inputs[side] = lowered;
                self.rebuilt(&plan, inputs.to_vec(), columns)
            }
            LogicalPlan::Filter(_)
            | LogicalPlan::Distinct(Distinct::All(_))
            | LogicalPlan::Unnest(_) => self.rebuilt_over_lowered(&plan),
            LogicalPlan::Limit(l) => self.limited(l),
            LogicalPlan::Sort(ref s) if s.fetch.is_none() => self.rebuilt_over_lowered(&plan),
            _ => Ok(None),
        }
    }

    fn rebuilt_over_lowered(&mut self, plan: &LogicalPlan) -> Result<Lowered> {
        let Some(input) = plan.inputs().first().map(|i| (*i).clone()) else {
            return Ok(None);
        };
        match self.lower(input)? {
            Some((input, columns)) => self.rebuilt(plan, vec![input], columns),
            None => Ok(None),
        }
    }

    fn rebuilt(
        &self,
        plan: &LogicalPlan,
        inputs: Vec<LogicalPlan>,
        columns: Vec<Column>,
    ) -> Result<Lowered> {
        let exprs = plan.expressions().into_iter();
        let exprs = exprs
            .map(|e| self.inner(e, &columns))
            .collect::<Result<_>>()?;
        Ok(Some((plan.with_new_exprs(exprs, inputs)?, columns)))
    }

    /// The first rows for each tuple, by their numbers.
    fn limited(&mut self, limit: Limit) -> Result<Lowered> {
        let skip = limit.skip.as_deref().map_or(Some(0), count);
        let fetch = limit.fetch.as_deref().map(count);
        let (Some(skip), Some(Some(fetch))) = (skip, fetch) else {
            return Ok(None);
        };
        // A projection of sorted rows gives them in their order.
        let (projection, input) = match Arc::unwrap_or_clone(limit.input) {
            LogicalPlan::Projection(p) if matches!(p.input.as_ref(), LogicalPlan::Sort(_)) => {
                let input = Arc::unwrap_or_clone(Arc::clone(&p.input));
                (Some(p), input)
            }
            input => (None, input),
        };
        let (order, input) = match input {
            LogicalPlan::Sort(s) if s.fetch.is_none() => (s.expr, Arc::unwrap_or_clone(s.input)),
            other => (Vec::new(), other),
        };
        let schema = Arc::clone(input.schema());
        let Some((plan, columns)) = self.lower(input)? else {
            return Ok(None);
        };
        let mut keys = Vec::with_capacity(order.len());
        for key in order {
            let expr = self.inner(key.expr.clone(), &columns)?;
            keys.push(key.with_expr(expr));
        }
        self.parts += 1;
        let number = format!("__row_{}_{}", self.number, self.parts);
        let numbered = row_number()
            .partition_by(columns.iter().cloned().map(Expr::Column).collect())
            .order_by(keys)
            .build()?;
        let plan = LogicalPlanBuilder::from(plan)
            .window([numbered.alias(number.clone())])?
            .build()?;
        let row = || Expr::Column(Column::new_unqualified(number.clone()));
        let wanted = row()
            .gt(lit(skip as u64))
            .and(row().lt_eq(lit(skip.saturating_add(fetch) as u64)));
        let kept = schema.iter().map(|field| Expr::Column(Column::from(field)));
        let kept = kept.chain(columns.iter().cloned().map(Expr::Column));
        let plan = LogicalPlanBuilder::from(plan)
            .filter(wanted)?
            .project(kept.collect::<Vec<_>>())?
            .build()?;
        let Some(projection) = projection else {
            return Ok(Some((plan, columns)));
        };
        let exprs = projection.expr.into_iter();
        let mut exprs = exprs
            .map(|e| self.named(e, &columns))
            .collect::<Result<Vec<_>>>()?;
        exprs.extend(columns.iter().cloned().map(Expr::Column));
        let projection = Projection::try_new(exprs, Arc::new(plan))?;
        Ok(Some((LogicalPlan::Projection(projection), columns)))
    }

    /// Without groups there is a row for each tuple, also for one without rows.
    fn aggregate(&mut self, a: Aggregate) -> Result<Lowered> {
        let no_groups = a.group_expr.is_empty();
        let Some((input, columns)) = self.lower(Arc::unwrap_or_clone(a.input))? else {
            return Ok(None);
        };
        let replaced = |exprs: Vec<Expr>| {
            let exprs = exprs.into_iter().map(|e| self.named(e, &columns));
            exprs.collect::<Result<Vec<_>>>()
        };
        let mut groups = replaced(a.group_expr)?;
        if groups.iter().any(|g| matches!(g, Expr::GroupingSet(_))) {
            return Ok(None);
        }
        let aggregates = replaced(a.aggr_expr)?;
        groups.extend(columns.iter().cloned().map(Expr::Column));
        let aggregate = Aggregate::try_new(Arc::new(input), groups, aggregates.clone())?;
        let plan = LogicalPlan::Aggregate(aggregate);
        if !no_groups {
            return Ok(Some((plan, columns)));
        }
        self.parts += 1;
        let part = format!("__part_{}_{}", self.number, self.parts);
        let outputs = a
            .schema
            .iter()
            .map(|(q, f)| Expr::Column(Column::from((q, f))));
        let keys = columns.iter().zip(self.keys);
        let keys = keys.map(|(c, k)| Expr::Column(c.clone()).alias(format!("{part}{k}")));
        let right = LogicalPlanBuilder::from(plan)
            .project(outputs.chain(keys).collect::<Vec<_>>())?
            .build()?;
        let left_keys: Vec<Column> = self.keys.iter().map(Column::new_unqualified).collect();
        let right_keys = self
            .keys
            .iter()
            .map(|k| Column::new_unqualified(format!("{part}{k}")));
        let plan = LogicalPlanBuilder::from(self.domain.clone())
            .join_detailed(
                right,
                JoinType::Left,
                (left_keys.clone(), right_keys.collect::<Vec<_>>()),
                None,
                NullEquality::NullEqualsNull,
            )?
            .build()?;
        let mut exprs = Vec::with_capacity(aggregates.len());
        for (aggregate, (qualifier, field)) in aggregates.iter().zip(a.schema.iter()) {
            let column = Expr::Column(Column::from((qualifier, field)));
            let Expr::AggregateFunction(f) = aggregate.clone().unalias() else {
                return Ok(None);
            };
            let empty = f.func.default_value(field.data_type())?;
            exprs.push(if empty.is_null() {
                column
            } else {
                let is_null = column.clone().is_null();
                let value = when(is_null, lit(empty)).otherwise(column)?;
                value.alias_qualified(qualifier.cloned(), field.name())
            });
        }
        exprs.extend(left_keys.iter().cloned().map(Expr::Column));
        let plan = LogicalPlanBuilder::from(plan).project(exprs)?.build()?;
        Ok(Some((plan, left_keys)))
    }

    /// As [`Self::inner`], under the name that it had.
    fn named(&self, expr: Expr, columns: &[Column]) -> Result<Expr> {
        let (qualifier, name) = expr.qualified_name();
        let inner = self.inner(expr, columns)?;
        Ok(
            match inner.qualified_name() == (qualifier.clone(), name.clone()) {
                true => inner,
                false => inner.alias_qualified(qualifier, name),
            },
        )
    }

    /// The expression with the columns of the tuples in the place of outer ones.
    fn inner(&self, expr: Expr, columns: &[Column]) -> Result<Expr> {
        Ok(expr
            .transform_up(|e| {
                let Expr::OuterReferenceColumn(_, column) = &e else {
                    return Ok(Transformed::no(e));
                };
                let place = self.outer.iter().position(|c| c == column);
                Ok(match place {
                    Some(place) => Transformed::yes(Expr::Column(columns[place].clone())),
                    None => Transformed::no(e),
                })
            })?
            .data)
    }
}

/// Does a lateral relation speak of columns of `left`?
fn names_any(plan: &LogicalPlan, left: &DFSchema) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        if let LogicalPlan::Subquery(s) = node {
            found |= s.outer_ref_columns.iter().any(|e| match e {
                Expr::OuterReferenceColumn(_, column) => left.has_column(column),
                _ => false,
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn names_outer(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        found |= node.expressions().iter().any(Expr::contains_outer);
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(found)
}

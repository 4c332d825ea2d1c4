//! The one analyzer rule: PostgreSQL's typing of a plan.
//!
//! It stands in the place of DataFusion's `type_coercion` and calls that rule's own pieces. Each
//! node is done after its inputs; each expression from its leaves up: first PostgreSQL's
//! resolution of literals and operators ([`expression`], [`operator`]), then DataFusion's coercion
//! of what is left, then the casts that can fail become functions ([`casts`]). Last the aggregates
//! whose result PostgreSQL computes otherwise are taken apart ([`aggregate`]).
//!
//! Subqueries are analysed where they stand, knowing the columns of the queries around them:
//! types of columns change here, and an outer reference carries its type with it.

mod aggregate;
mod array;
mod casts;
mod correlated;
mod deferred;
mod expression;
mod lateral;
mod like;
mod multiset;
mod operator;
mod quantified;
mod refused;
mod scalar_subquery;
mod set;
mod three_valued;
mod type_of;
mod unknown;

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, Projection, Sort, SortExpr, Subquery,
};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercionRewriter;
use inflowave_types::SqlState;

use crate::functions;
use crate::raise::raise;
use crate::types;
pub(crate) use correlated::Correlated;
pub(crate) use deferred::plan as plan_deferred;
use expression::Rewriter;
pub(crate) use lateral::Lateral;
pub(crate) use multiset::Multiset;
pub(crate) use refused::Refused;
pub(crate) use three_valued::ThreeValued;
pub(crate) use unknown::placeholder;

/// PostgreSQL's literals, operators, coercion and casts.
#[derive(Debug, Default)]
pub struct PgAnalyzer;

impl AnalyzerRule for PgAnalyzer {
    fn name(&self) -> &'static str {
        "pg_semantics"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        analyze(plan, &DFSchema::empty(), config)
    }
}

/// Analyses a plan whose outer references are found in `outer`.
#[recursive::recursive]
fn analyze(plan: LogicalPlan, outer: &DFSchema, config: &ConfigOptions) -> Result<LogicalPlan> {
    let plan = match plan {
        // The right side of a lateral join refers to the left one.
        LogicalPlan::Join(mut join) => {
            join.left = Arc::new(analyze(Arc::unwrap_or_clone(join.left), outer, config)?);
            let mut around = join.left.schema().as_ref().clone();
            around.merge(outer);
            join.right = Arc::new(analyze(Arc::unwrap_or_clone(join.right), &around, config)?);
            LogicalPlan::Join(join)
        }
        LogicalPlan::RecursiveQuery(query) => return set::recursive(query, outer, config),
        LogicalPlan::Subquery(subquery) => LogicalPlan::Subquery(Subquery {
            subquery: Arc::new(analyze(
                Arc::unwrap_or_clone(subquery.subquery),
                outer,
                config,
            )?),
            ..subquery
        }),
        other => {
            other
                .map_children(|child| analyze(child, outer, config).map(Transformed::yes))?
                .data
        }
    };
    node(plan, outer, config)
}

fn holds_subquery(expr: &Expr) -> bool {
    expr.exists(|e| {
        Ok(matches!(
            e,
            Expr::ScalarSubquery(_)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
        ))
    })
    .unwrap_or(true)
}

/// DataFusion plans no subqueries in the keys of a sort: they become columns below it.
fn by_subquery(mut sort: Sort, outer: &DFSchema, config: &ConfigOptions) -> Result<LogicalPlan> {
    let columns: Vec<Expr> = sort
        .input
        .schema()
        .iter()
        .map(|field| Expr::Column(Column::from(field)))
        .collect();
    let mut exprs = columns.clone();
    for (at, key) in sort.expr.iter_mut().enumerate() {
        if holds_subquery(&key.expr) {
            let name = format!("__key_{at}");
            let column = Expr::Column(Column::new_unqualified(&name));
            exprs.push(std::mem::replace(&mut key.expr, column).alias(name));
        }
    }
    let below = Projection::try_new(exprs, sort.input)?;
    sort.input = Arc::new(node(LogicalPlan::Projection(below), outer, config)?);
    let sorted = node(LogicalPlan::Sort(sort), outer, config)?;
    let above = Projection::try_new(columns, Arc::new(sorted))?;
    Ok(LogicalPlan::Projection(above))
}

fn node(plan: LogicalPlan, outer: &DFSchema, config: &ConfigOptions) -> Result<LogicalPlan> {
    if let LogicalPlan::Values(values) = plan {
        return set::values(values, outer, config);
    }
    let plan = match plan {
        LogicalPlan::Sort(sort) if sort.expr.iter().any(|key| holds_subquery(&key.expr)) => {
            return by_subquery(sort, outer, config);
        }
        plan => plan,
    };
    let plan = match plan {
        LogicalPlan::Union(union) => set::union(union, config)?,
        LogicalPlan::Unnest(unnest) => LogicalPlan::Unnest(array::flattened(unnest)?),
        other => other,
    };
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        schema.merge(&DFSchema::try_from_qualified_schema(
            scan.table_name.clone(),
            &scan.source.schema(),
        )?);
    }
    schema.merge(outer);

    // DataFusion turns subqueries of conditions into joins, those of other places only if scalar.
    let joins = matches!(plan, LogicalPlan::Filter(_) | LogicalPlan::Join(_));
    let plan = match plan {
        LogicalPlan::Sort(mut sort) => {
            by_key(&mut sort.expr, sort.input.schema())?;
            LogicalPlan::Sort(sort)
        }
        other => other,
    };
    let names = NamePreserver::new(&plan);
    let plan = plan
        .map_expressions(|e| {
            let name = names.save(&e);
            Ok(rewrite(e, &schema, config, joins)?.update_data(|e| name.restore(e)))
        })?
        .data;
    let plan =
        TypeCoercionRewriter::new(&schema).coerce_plan(boolean_conditions(plan, &schema)?)?;
    let names = NamePreserver::new(&plan);
    let plan = plan
        .map_expressions(|e| {
            let name = names.save(&e);
            Ok(casts::checked(e, &schema)?.update_data(|e| name.restore(e)))
        })?
        .data
        .recompute_schema()?;
    aggregate::take_apart(plan)
}

/// Intervals are sorted by their length, arrays by their items.
fn by_key(keys: &mut [SortExpr], schema: &DFSchema) -> Result<()> {
    for key in keys {
        let t = type_of::type_of(&key.expr, schema)?;
        key.expr = compared_by(std::mem::take(&mut key.expr), &t);
    }
    Ok(())
}

/// What stands for a value of the type `t` where it is compared.
fn compared_by(e: Expr, t: &DataType) -> Expr {
    match t {
        DataType::Interval(_) => {
            let span = ScalarFunction::new_udf(functions::interval_span(), vec![e]);
            Expr::ScalarFunction(span)
        }
        DataType::List(_) => array::key(e),
        _ => e,
    }
}

/// One expression over the columns of `schema`.
fn rewrite(
    expr: Expr,
    schema: &DFSchema,
    config: &ConfigOptions,
    joins: bool,
) -> Result<Transformed<Expr>> {
    let expr = expr
        .rewrite(&mut Rewriter::new(schema, config, joins))?
        .data;
    casts::checked(expr, schema).map(|t| Transformed::yes(t.data))
}

/// `WHERE`, `HAVING` and `ON` take a Boolean.
fn boolean_conditions(plan: LogicalPlan, schema: &DFSchema) -> Result<LogicalPlan> {
    Ok(match plan {
        LogicalPlan::Filter(mut filter) => {
            filter.predicate = condition(filter.predicate, schema, "WHERE")?;
            LogicalPlan::Filter(filter)
        }
        LogicalPlan::Join(mut join) => {
            join.filter = join
                .filter
                .map(|f| condition(f, schema, "JOIN/ON"))
                .transpose()?;
            LogicalPlan::Join(join)
        }
        other => other,
    })
}

/// A constant NULL, whatever its casts say.
fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => value.is_null(),
        Expr::Cast(cast) => is_null(&cast.expr),
        _ => false,
    }
}

/// A Boolean, or NULL made one.
///
/// # Errors
/// `42804` for any other type.
fn condition(expr: Expr, schema: &DFSchema, of: &str) -> Result<Expr> {
    let t = type_of::type_of(&expr, schema)?;
    match t {
        DataType::Boolean => Ok(expr),
        DataType::Null => expr.cast_to(&DataType::Boolean, schema),
        other => Err(raise(
            SqlState::DatatypeMismatch,
            format!(
                "argument of {of} must be type boolean, not type {}",
                types::name(&other)
            ),
        )),
    }
}

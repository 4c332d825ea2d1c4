//! `VALUES`, `UNION` and recursive queries: rows of more than one origin, in one type per column.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr_rewriter::coerce_plan_expr_for_schema;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, Projection, RecursiveQuery, Union, Values,
};

use super::expression::{Rewriter, unmatched};
use super::unknown::{typed, unknown};
use super::{analyze, casts, rewrite};
use crate::type_planner::EXPLICIT;
use crate::types;

/// Each column of `VALUES` gets the common type of its expressions.
pub(super) fn values(
    values: Values,
    outer: &DFSchema,
    config: &ConfigOptions,
) -> Result<LogicalPlan> {
    let mut rows = values
        .values
        .into_iter()
        .map(|row| {
            row.into_iter()
                .map(|e| Ok(rewrite(as_written(e), outer, config)?.data))
                .collect()
        })
        .collect::<Result<Vec<Vec<Expr>>>>()?;
    let rewriter = Rewriter::new(outer, config);
    let mut fields = Vec::new();
    for at in 0..values.schema.fields().len() {
        let column: Vec<Expr> = rows.iter().map(|row| row[at].clone()).collect();
        let column = rewriter.agree(column, |l, r| unmatched("VALUES", l, r))?;
        let mut t = DataType::Null;
        for (row, e) in rows.iter_mut().zip(column) {
            t = e.get_type(outer)?;
            row[at] = casts::checked(e, outer)?.data;
        }
        fields.push(Field::new(values.schema.field(at).name(), t, true));
    }
    let schema = DFSchema::from_unqualified_fields(fields.into(), Default::default())?;
    Ok(LogicalPlan::Values(Values {
        schema: Arc::new(schema),
        values: rows,
    }))
}

/// Without the cast to DataFusion's idea of the column's type.
fn as_written(e: Expr) -> Expr {
    match e {
        Expr::Cast(c) if c.field.name() != EXPLICIT => *c.expr,
        e => e,
    }
}

/// Quoted literals of a branch take the type of the others.
///
/// # Errors
/// `42804` if the branches have no common type.
pub(super) fn union(union: Union, config: &ConfigOptions) -> Result<LogicalPlan> {
    let mut inputs = union.inputs;
    for at in 0..union.schema.fields().len() {
        let mut common = DataType::Null;
        let mut literals = Vec::new();
        for (i, input) in inputs.iter().enumerate() {
            if literal_at(input, at).is_some() {
                literals.push(i);
                continue;
            }
            let t = input.schema().field(at).data_type();
            common = types::common(&common, t).ok_or_else(|| unmatched("UNION", &common, t))?;
        }
        if common.is_null() || types::is_text(&common) {
            continue;
        }
        for i in literals {
            let Some(text) = literal_at(&inputs[i], at) else { continue };
            let literal = typed(text, &common, config)?;
            inputs[i] = Arc::new(with_expression(&inputs[i], at, literal)?);
        }
    }
    Ok(LogicalPlan::Union(Union {
        inputs,
        schema: union.schema,
    }))
}

fn literal_at(plan: &LogicalPlan, at: usize) -> Option<&str> {
    match plan {
        LogicalPlan::Projection(p) => match p.expr.get(at)? {
            Expr::Alias(a) => unknown(&a.expr),
            e => unknown(e),
        },
        _ => None,
    }
}

fn with_expression(plan: &LogicalPlan, at: usize, e: Expr) -> Result<LogicalPlan> {
    let LogicalPlan::Projection(p) = plan else {
        return Err(DataFusionError::Internal("a projection".to_owned()));
    };
    let (qualifier, field) = p.schema.qualified_field(at);
    let mut exprs = p.expr.clone();
    exprs[at] = e.alias_qualified(qualifier.cloned(), field.name());
    Projection::try_new(exprs, Arc::clone(&p.input)).map(LogicalPlan::Projection)
}

/// The work table keeps the types that it was planned with, so that both terms are cast to them.
pub(super) fn recursive(
    query: RecursiveQuery,
    outer: &DFSchema,
    config: &ConfigOptions,
) -> Result<LogicalPlan> {
    let planned = Arc::clone(query.static_term.schema());
    let term = |plan: Arc<LogicalPlan>| -> Result<Arc<LogicalPlan>> {
        let plan = analyze(Arc::unwrap_or_clone(plan), outer, config)?;
        Ok(Arc::new(coerce_plan_expr_for_schema(plan, &planned)?))
    };
    Ok(LogicalPlan::RecursiveQuery(RecursiveQuery {
        static_term: term(query.static_term)?,
        recursive_term: term(query.recursive_term)?,
        ..query
    }))
}

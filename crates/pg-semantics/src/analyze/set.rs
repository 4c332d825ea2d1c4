//! `VALUES`, `UNION` and recursive queries: rows of more than one origin, in one type per column.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::logical_expr::expr_rewriter::coerce_plan_expr_for_schema;
use datafusion::logical_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Projection, RecursiveQuery, TableSource,
    Union, Values,
};

use super::expression::{Rewriter, unmatched};
use super::unknown::{typed, unknown};
use super::{analyze, casts, rewrite};
use crate::type_planner::{EXPLICIT, UNCONSTRAINED};
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
                .map(|e| Ok(rewrite(as_written(e), outer, config, false)?.data))
                .collect()
        })
        .collect::<Result<Vec<Vec<Expr>>>>()?;
    let rewriter = Rewriter::new(outer, config, false);
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

/// Without the cast to DataFusion's idea of the column's type, and without that type of NULL.
fn as_written(e: Expr) -> Expr {
    match e {
        Expr::Literal(value, None) if value.is_null() => Expr::Literal(ScalarValue::Null, None),
        Expr::Cast(c) if ![EXPLICIT, UNCONSTRAINED].contains(&c.field.name().as_str()) => *c.expr,
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
            let Some(text) = literal_at(&inputs[i], at) else {
                continue;
            };
            let literal = typed(text, &common, config)?;
            inputs[i] = Arc::new(with_expression(&inputs[i], at, literal)?);
        }
    }
    // Coercion starts from the node's own types, which are those of before the analysis.
    let fields = (0..union.schema.fields().len())
        .map(|at| {
            let (qualifier, field) = union.schema.qualified_field(at);
            let now = inputs[0].schema().field(at);
            let field = now.as_ref().clone().with_name(field.name());
            (qualifier.cloned(), Arc::new(field))
        })
        .collect();
    let schema = DFSchema::new_with_metadata(fields, union.schema.metadata().clone())?;
    Ok(LogicalPlan::Union(Union {
        inputs,
        schema: Arc::new(schema),
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

/// The work table has the types of the static term as they are after its analysis.
pub(super) fn recursive(
    query: RecursiveQuery,
    outer: &DFSchema,
    config: &ConfigOptions,
) -> Result<LogicalPlan> {
    let first = analyze(Arc::unwrap_or_clone(query.static_term), outer, config)?;
    let schema = Arc::clone(first.schema());
    let name = query.name.clone();
    let work = Arc::new(schema.as_arrow().clone());
    let next = Arc::unwrap_or_clone(query.recursive_term)
        .transform_up_with_subqueries(|plan| {
            let LogicalPlan::TableScan(scan) = &plan else {
                return Ok(Transformed::no(plan));
            };
            if scan.table_name.table() != name || !is_work_table(&scan.source) {
                return Ok(Transformed::no(plan));
            }
            let source = provider_as_source(Arc::new(CteWorkTable::new(&name, Arc::clone(&work))));
            LogicalPlanBuilder::scan(scan.table_name.clone(), source, scan.projection.clone())?
                .build()
                .map(Transformed::yes)
        })?
        .data;
    let next = analyze(next, outer, config)?;
    let next = coerce_plan_expr_for_schema(next, &schema)?;
    RecursiveQuery::try_new(name, Arc::new(first), Arc::new(next), query.is_distinct)
        .map(LogicalPlan::RecursiveQuery)
}

fn is_work_table(source: &Arc<dyn TableSource>) -> bool {
    source_as_provider(source)
        .is_ok_and(|p| (p.as_ref() as &dyn std::any::Any).is::<CteWorkTable>())
}

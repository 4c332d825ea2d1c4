//! Floats as keys: -0 is 0.
//!
//! DataFusion 55.2 compares `=` and groups that way, but sorts by the sign of zero, tells peers of a
//! window apart by it, and looks values of `IN` and keys of a join's build side up by their bits.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{InList, ScalarFunction, Sort as SortKey};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, Join, LogicalPlan, Sort, Window, lit};

use crate::functions;
use crate::types;

pub(super) fn keys(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = in_lists(plan)?;
    match plan {
        LogicalPlan::Sort(sort) => sorted(sort),
        LogicalPlan::Window(window) => windowed(window),
        LogicalPlan::Join(join) => joined(join),
        other => Ok(other),
    }
}

/// The key as it compares: -0 + 0 is 0. `None` for what is no float.
fn key(e: &Expr, schema: &DFSchema) -> Result<Option<Expr>> {
    let zero = match e.get_type(schema)? {
        t if !types::is_float(&t) => return Ok(None),
        arrow::datatypes::DataType::Float32 => lit(0.0_f32),
        _ => lit(0.0_f64),
    };
    Ok(Some(Expr::ScalarFunction(ScalarFunction::new_udf(
        functions::float_add(),
        vec![e.clone(), zero],
    ))))
}

fn sort_keys(keys: &mut [SortKey], schema: &DFSchema) -> Result<bool> {
    let mut changed = false;
    for sort in keys {
        if let Some(key) = key(&sort.expr, schema)? {
            sort.expr = key;
            changed = true;
        }
    }
    Ok(changed)
}

fn sorted(mut sort: Sort) -> Result<LogicalPlan> {
    // Behind the last key the order is open: a single float needs no guard.
    if let [before @ .., _] = sort.expr.as_mut_slice() {
        sort_keys(before, sort.input.schema())?;
    }
    Ok(LogicalPlan::Sort(sort))
}

fn windowed(mut window: Window) -> Result<LogicalPlan> {
    let schema = Arc::clone(window.input.schema());
    for e in &mut window.window_expr {
        let name = e.schema_name().to_string();
        let is_named = matches!(e, Expr::Alias(_));
        let function = match &mut *e {
            Expr::Alias(alias) => alias.expr.as_mut(),
            other => other,
        };
        let Expr::WindowFunction(function) = function else {
            continue;
        };
        let mut changed = sort_keys(&mut function.params.order_by, &schema)?;
        for partition in &mut function.params.partition_by {
            if let Some(key) = key(partition, &schema)? {
                *partition = key;
                changed = true;
            }
        }
        if changed && !is_named {
            *e = std::mem::take(e).alias(name);
        }
    }
    Ok(LogicalPlan::Window(window))
}

fn joined(mut join: Join) -> Result<LogicalPlan> {
    for (left, right) in &mut join.on {
        if let Some(key) = key(left, join.left.schema())? {
            *left = key;
        }
        if let Some(key) = key(right, join.right.schema())? {
            *right = key;
        }
    }
    Ok(LogicalPlan::Join(join))
}

/// A list with either zero has both.
fn in_lists(plan: LogicalPlan) -> Result<LogicalPlan> {
    let names = NamePreserver::new(&plan);
    let schema = merge_schema(&plan.inputs());
    Ok(plan
        .map_expressions(|e| {
            let name = names.save(&e);
            let changed = e.transform_up(|e| match e {
                Expr::InList(list) => Ok(completed(list, &schema)),
                other => Ok(Transformed::no(other)),
            })?;
            Ok(changed.update_data(|e| name.restore(e)))
        })?
        .data)
}

fn completed(mut list: InList, schema: &DFSchema) -> Transformed<Expr> {
    // Without the type of what is looked up (an outer reference) there is no list of constants.
    let is_float = list
        .expr
        .get_type(schema)
        .is_ok_and(|t| types::is_float(&t));
    if is_float && both_zeros(&mut list.list) {
        Transformed::yes(Expr::InList(list))
    } else {
        Transformed::no(Expr::InList(list))
    }
}

/// Adds 0 beside -0, and -0 beside 0, to a list of floats; whether it changed.
pub(crate) fn both_zeros(list: &mut Vec<Expr>) -> bool {
    let zeros: Vec<Expr> = list
        .iter()
        .filter_map(|e| match e {
            Expr::Literal(ScalarValue::Float32(Some(v)), _) if *v == 0.0 => Some(lit(-v)),
            Expr::Literal(ScalarValue::Float64(Some(v)), _) if *v == 0.0 => Some(lit(-v)),
            _ => None,
        })
        .filter(|zero| !list.contains(zero))
        .collect();
    let changed = !zeros.is_empty();
    list.extend(zeros);
    changed
}

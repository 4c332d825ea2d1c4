//! Values that are numbers here and names to users: a cast to `regclass` of a text looks the name
//! up, and what is printed or cast to text is the name.
//!
//! The vectors of the system catalogs start at 0 and are printed without braces.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::optimizer::AnalyzerRule;
use inflowave_connector_api::vocabulary;
use inflowave_types::PgType;

use crate::functions::{input, output, output_of_types, tag};

#[derive(Debug)]
pub(crate) struct CatalogTypes;

impl AnalyzerRule for CatalogTypes {
    fn name(&self) -> &'static str {
        "pg_catalog"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(node)?.data;
        printed(plan)
    }
}

fn node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let schema = merge_schema(&plan.inputs());
    let names = NamePreserver::new(&plan);
    let changed = plan.map_expressions(|e| {
        let name = names.save(&e);
        let changed = e.transform_up(|e| expression(e, &schema))?;
        Ok(changed.update_data(|e| name.restore(e)))
    })?;
    match changed.transformed {
        true => Ok(Transformed::yes(changed.data.recompute_schema()?)),
        false => Ok(changed),
    }
}

fn expression(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::Cast(Cast { expr: inner, field }) => {
            let changed = cast(&inner, &field, schema)?;
            Ok(match changed {
                Some(changed) => Transformed::yes(changed),
                None => Transformed::no(Expr::Cast(Cast { expr: inner, field })),
            })
        }
        Expr::ScalarFunction(f) if f.func.name() == vocabulary::CAST => {
            let whole = Expr::ScalarFunction(f);
            let field = whole.to_field(schema)?.1;
            let Expr::ScalarFunction(f) = whole else {
                return Ok(Transformed::no(whole));
            };
            let changed = match f.args.as_slice() {
                [inner] => cast(inner, &field, schema)?,
                _ => None,
            };
            Ok(match changed {
                Some(changed) => Transformed::yes(changed),
                None => Transformed::no(Expr::ScalarFunction(f)),
            })
        }
        Expr::ScalarFunction(mut f)
            if f.func.name() == vocabulary::SUBSCRIPT && f.args.len() == 2 =>
        {
            let field = f.args[0].to_field(schema)?.1;
            if !matches!(tag(&field), Some(PgType::Int2vector | PgType::Oidvector)) {
                return Ok(Transformed::no(Expr::ScalarFunction(f)));
            }
            f.args[1] = match &f.args[1] {
                Expr::Literal(ScalarValue::Int32(Some(at)), None) => lit(at + 1),
                at => at.clone() + lit(1_i32),
            };
            Ok(Transformed::yes(Expr::ScalarFunction(f)))
        }
        other => Ok(Transformed::no(other)),
    }
}

/// What stands for a cast of `inner` to `target`, if it is one of ours.
fn cast(inner: &Expr, target: &FieldRef, schema: &DFSchema) -> Result<Option<Expr>> {
    let from = inner.to_field(schema)?.1;
    let call =
        |function| Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![inner.clone()]));
    if let Some(function) = tag(target).and_then(input)
        && is_text(from.data_type())
    {
        return Ok(Some(call(function)));
    }
    if let Some(function) = tag(&from).and_then(output)
        && is_text(target.data_type())
    {
        return Ok(Some(call(function)));
    }
    Ok(None)
}

fn is_text(t: &DataType) -> bool {
    matches!(t, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

/// The plan, with names in the place of numbers in what a client gets.
fn printed(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let function = |field: &FieldRef| match field.data_type() {
        DataType::List(item) if tag(item) == Some(PgType::Regtype) => Some(output_of_types()),
        _ => tag(field).and_then(output),
    };
    if !schema.fields().iter().any(|f| function(f).is_some()) {
        return Ok(plan);
    }
    let columns = schema.iter().map(|(qualifier, field)| {
        let column = Expr::Column(Column::from((qualifier, field)));
        let Some(function) = function(field) else {
            return column;
        };
        let metadata = field.metadata().clone().into();
        let name = Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![column]));
        name.alias_qualified_with_metadata(qualifier.cloned(), field.name(), Some(metadata))
    });
    let columns: Vec<Expr> = columns.collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

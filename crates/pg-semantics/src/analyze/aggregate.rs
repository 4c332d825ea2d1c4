//! `avg` over exact numbers is a quotient of two aggregates that every source has: it is taken
//! apart into `sum` and `count`, which can be pushed, and their numeric quotient above them.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, Result};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{
    AggregateFunction, ScalarFunction, WindowFunction, WindowFunctionDefinition,
};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, LogicalPlan, Projection, Window, cast,
};

use crate::aggregates::sum_udaf;
use crate::functions;
use crate::types;

pub(super) fn take_apart(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Aggregate(aggregate) => of_aggregate(aggregate),
        LogicalPlan::Window(window) => of_window(window),
        other => Ok(other),
    }
}

/// What stands above the node for one of its expressions.
enum Above {
    /// The expression at this place of the node.
    Same(usize),
    /// The quotient of two expressions of the node.
    Quotient(usize, usize),
    /// The expression at this place with a sign: DataFusion counts rows without one.
    Signed(usize, DataType),
}

fn of_aggregate(aggregate: Aggregate) -> Result<LogicalPlan> {
    let input_schema = Arc::clone(aggregate.input.schema());
    let mut exprs = Exprs::default();
    let mut above = Vec::new();
    for e in &aggregate.aggr_expr {
        above.push(match inner(e) {
            Expr::AggregateFunction(f)
                if f.func.name() == "avg"
                    && types::is_exact(&f.params.args[0].get_type(input_schema.as_ref())?) =>
            {
                let part = |func| {
                    Expr::AggregateFunction(AggregateFunction {
                        func,
                        params: f.params.clone(),
                    })
                };
                let sum = exprs.add(part(sum_udaf()));
                Above::Quotient(sum, exprs.add(part(count_udaf())))
            }
            _ => Above::Same(exprs.keep(e.clone())),
        });
    }
    if above.iter().all(|a| matches!(a, Above::Same(_))) {
        return Ok(LogicalPlan::Aggregate(aggregate));
    }
    let old = Arc::clone(&aggregate.schema);
    let groups = old.fields().len() - aggregate.aggr_expr.len();
    let node = LogicalPlan::Aggregate(Aggregate::try_new(
        aggregate.input,
        aggregate.group_expr,
        exprs.0,
    )?);
    project(node, groups, &above, &old)
}

fn of_window(window: Window) -> Result<LogicalPlan> {
    let input_schema = Arc::clone(window.input.schema());
    let mut exprs = Exprs::default();
    let mut above = Vec::new();
    for e in &window.window_expr {
        let Expr::WindowFunction(f) = inner(e) else {
            above.push(Above::Same(exprs.keep(e.clone())));
            continue;
        };
        let is_avg = f.fun.name() == "avg"
            && matches!(f.fun, WindowFunctionDefinition::AggregateUDF(_))
            && types::is_exact(&f.params.args[0].get_type(input_schema.as_ref())?);
        above.push(if is_avg {
            let part = |udaf| {
                Expr::from(WindowFunction {
                    fun: WindowFunctionDefinition::AggregateUDF(udaf),
                    params: f.params.clone(),
                })
            };
            let sum = exprs.add(part(sum_udaf()));
            Above::Quotient(sum, exprs.add(part(count_udaf())))
        } else if e.get_type(input_schema.as_ref())? == DataType::UInt64 {
            let t = if f.fun.name() == "ntile" {
                DataType::Int32
            } else {
                DataType::Int64
            };
            Above::Signed(exprs.add(inner(e).clone()), t)
        } else {
            Above::Same(exprs.keep(e.clone()))
        });
    }
    if above.iter().all(|a| matches!(a, Above::Same(_))) {
        return Ok(LogicalPlan::Window(window));
    }
    let columns = window.input.schema().fields().len();
    let old = Arc::clone(&window.schema);
    let node = LogicalPlan::Window(Window::try_new(exprs.0, window.input)?);
    project(node, columns, &above, &old)
}

/// The expressions of the new node. Parts of an `avg` are shared with equal ones, but never with
/// an expression that has a name of the user's.
#[derive(Default)]
struct Exprs(Vec<Expr>);

impl Exprs {
    fn keep(&mut self, e: Expr) -> usize {
        self.0.push(e);
        self.0.len() - 1
    }

    fn add(&mut self, e: Expr) -> usize {
        if let Some(at) = self.0.iter().position(|have| *inner(have) == e) {
            return at;
        }
        // A name that no expression of the user's has.
        let name = format!("{} #{}", e.schema_name(), self.0.len());
        self.keep(e.alias(name))
    }
}

fn inner(e: &Expr) -> &Expr {
    match e {
        Expr::Alias(a) => inner(&a.expr),
        e => e,
    }
}

/// Gives `node` the schema of the node that it stands for: its first `kept` columns, then one for
/// each of `above`, named as in `old`.
fn project(
    node: LogicalPlan,
    kept: usize,
    above: &[Above],
    old: &datafusion::common::DFSchema,
) -> Result<LogicalPlan> {
    let schema = Arc::clone(node.schema());
    let column = |at: usize| Expr::Column(Column::from(schema.qualified_field(at)));
    let mut exprs: Vec<Expr> = (0..kept).map(column).collect();
    for (at, a) in above.iter().enumerate() {
        let (qualifier, field) = old.qualified_field(kept + at);
        let e = match a {
            Above::Same(i) => column(kept + i),
            Above::Signed(i, t) => cast(column(kept + i), t.clone()),
            Above::Quotient(sum, count) => {
                let part = |i: &usize| -> Result<Expr> {
                    let e = column(kept + i);
                    let t = e.get_type(schema.as_ref())?;
                    let decimal = types::as_decimal(&t).unwrap_or(types::NUMERIC);
                    e.cast_to(&decimal, schema.as_ref())
                };
                Expr::ScalarFunction(ScalarFunction::new_udf(
                    functions::numeric_div(),
                    vec![part(sum)?, part(count)?],
                ))
            }
        };
        exprs.push(match a {
            Above::Same(_) => e,
            _ => e.alias_qualified(qualifier.cloned(), field.name()),
        });
    }
    Projection::try_new(exprs, Arc::new(node)).map(LogicalPlan::Projection)
}

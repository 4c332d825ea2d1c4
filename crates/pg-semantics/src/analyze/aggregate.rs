//! `avg` is a quotient of two aggregates that every source has: it is taken apart into `sum` and
//! `count`, which can be pushed, and their quotient above them. Aggregates over floats know that
//! -0 is 0 and NaN the greatest.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::logical_expr::expr::{
    AggregateFunction, ScalarFunction, WindowFunction, WindowFunctionDefinition,
};
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, Expr, ExprSchemable, LogicalPlan, Projection, Window, cast, lit,
};

use crate::aggregates::{self, sum_udaf};
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

/// What must become of one expression.
enum Fate {
    Stay,
    Split,
    Sign(DataType),
}

fn of_aggregate(mut aggregate: Aggregate) -> Result<LogicalPlan> {
    let input_schema = Arc::clone(aggregate.input.schema());
    for e in &mut aggregate.aggr_expr {
        over_floats(e, &input_schema)?;
    }
    let fate = |e: &Expr| -> Result<Fate> {
        Ok(match inner(e) {
            Expr::AggregateFunction(f) if f.func.name() == "avg" => Fate::Split,
            _ => Fate::Stay,
        })
    };
    let part = |e: &Expr, func: Arc<AggregateUDF>| match inner(e) {
        Expr::AggregateFunction(f) => Expr::AggregateFunction(AggregateFunction {
            func,
            params: f.params.clone(),
        }),
        other => other.clone(),
    };
    let Some((exprs, above)) = plan_parts(&aggregate.aggr_expr, fate, part)? else {
        return Ok(LogicalPlan::Aggregate(aggregate));
    };
    let old = Arc::clone(&aggregate.schema);
    let groups = old.fields().len() - aggregate.aggr_expr.len();
    let node = Aggregate::try_new(aggregate.input, aggregate.group_expr, exprs)?;
    project(LogicalPlan::Aggregate(node), groups, &above, &old)
}

/// Puts our `min` and `max` over floats in place of DataFusion's, and counts -0 and 0 as one value.
fn over_floats(e: &mut Expr, schema: &DFSchema) -> Result<()> {
    if let Expr::Alias(alias) = e {
        return over_floats(&mut alias.expr, schema);
    }
    let name = e.schema_name().to_string();
    let Expr::AggregateFunction(f) = e else {
        return Ok(());
    };
    let [arg] = f.params.args.as_mut_slice() else {
        return Ok(());
    };
    if !types::is_float(&arg.get_type(schema)?) {
        return Ok(());
    }
    if let Some(ours) = aggregates::of_floats(&f.func) {
        f.func = ours;
    } else if f.params.distinct && ["count", "avg"].contains(&f.func.name()) {
        // -0 + 0 is 0.
        let plus_zero = vec![
            std::mem::take(arg).cast_to(&DataType::Float64, schema)?,
            lit(0.0),
        ];
        *arg = Expr::ScalarFunction(ScalarFunction::new_udf(functions::float_add(), plus_zero));
        *e = std::mem::take(e).alias(name);
    }
    Ok(())
}

fn of_window(window: Window) -> Result<LogicalPlan> {
    let input_schema = Arc::clone(window.input.schema());
    let fate = |e: &Expr| -> Result<Fate> {
        let Expr::WindowFunction(f) = inner(e) else {
            return Ok(Fate::Stay);
        };
        let is_avg =
            f.fun.name() == "avg" && matches!(f.fun, WindowFunctionDefinition::AggregateUDF(_));
        Ok(if is_avg {
            Fate::Split
        } else if e.get_type(input_schema.as_ref())? != DataType::UInt64 {
            Fate::Stay
        } else if f.fun.name() == "ntile" {
            Fate::Sign(DataType::Int32)
        } else {
            Fate::Sign(DataType::Int64)
        })
    };
    let part = |e: &Expr, func: Arc<AggregateUDF>| match inner(e) {
        Expr::WindowFunction(f) => Expr::from(WindowFunction {
            fun: WindowFunctionDefinition::AggregateUDF(func),
            params: f.params.clone(),
        }),
        other => other.clone(),
    };
    let Some((exprs, above)) = plan_parts(&window.window_expr, fate, part)? else {
        return Ok(LogicalPlan::Window(window));
    };
    let columns = window.input.schema().fields().len();
    let old = Arc::clone(&window.schema);
    let node = Window::try_new(exprs, window.input)?;
    project(LogicalPlan::Window(node), columns, &above, &old)
}

/// The expressions of the new node, and what stands above it for each of the old ones. `None` if
/// all of them may stay.
fn plan_parts(
    old: &[Expr],
    fate: impl Fn(&Expr) -> Result<Fate>,
    part: impl Fn(&Expr, Arc<AggregateUDF>) -> Expr,
) -> Result<Option<(Vec<Expr>, Vec<Above>)>> {
    let fates = old.iter().map(fate).collect::<Result<Vec<_>>>()?;
    if fates.iter().all(|f| matches!(f, Fate::Stay)) {
        return Ok(None);
    }
    // Those that stay come first, so that the parts of an `avg` find them.
    let mut exprs = Exprs::default();
    let mut above: Vec<Option<Above>> = old
        .iter()
        .zip(&fates)
        .map(|(e, f)| matches!(f, Fate::Stay).then(|| Above::Same(exprs.keep(e.clone()))))
        .collect();
    for ((e, fate), above) in old.iter().zip(fates).zip(&mut above) {
        match fate {
            Fate::Stay => {}
            Fate::Split => {
                let sum = exprs.add(part(e, sum_udaf()));
                *above = Some(Above::Quotient(sum, exprs.add(part(e, count_udaf()))));
            }
            Fate::Sign(t) => *above = Some(Above::Signed(exprs.add(inner(e).clone()), t)),
        }
    }
    Ok(Some((exprs.0, above.into_iter().flatten().collect())))
}

/// The expressions of the new node. Parts of an `avg` are shared with equal ones.
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
fn project(node: LogicalPlan, kept: usize, above: &[Above], old: &DFSchema) -> Result<LogicalPlan> {
    let schema = Arc::clone(node.schema());
    let column = |at: usize| Expr::Column(Column::from(schema.qualified_field(at)));
    let mut exprs: Vec<Expr> = (0..kept).map(column).collect();
    for (at, a) in above.iter().enumerate() {
        let (qualifier, field) = old.qualified_field(kept + at);
        let e = match a {
            Above::Same(i) => column(kept + i),
            Above::Signed(i, t) => cast(column(kept + i), t.clone()),
            Above::Quotient(sum, count) => {
                let (sum, count) = (column(kept + sum), column(kept + count));
                let of_sum = sum.get_type(schema.as_ref())?;
                let part = |e: Expr| -> Result<Expr> {
                    let t = e.get_type(schema.as_ref())?;
                    let to = if types::is_float(&of_sum) {
                        DataType::Float64
                    } else {
                        types::as_decimal(&t).unwrap_or(types::NUMERIC)
                    };
                    e.cast_to(&to, schema.as_ref())
                };
                let quotient = if types::is_float(&of_sum) {
                    functions::float_div()
                } else {
                    functions::numeric_div()
                };
                Expr::ScalarFunction(ScalarFunction::new_udf(
                    quotient,
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

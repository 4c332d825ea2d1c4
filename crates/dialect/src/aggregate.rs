//! Aggregate and window calls.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::expr::{AggregateFunction, Sort, WindowFunction};
use datafusion_expr::{Expr, WindowFrame, WindowFrameBound, WindowFrameUnits};

use crate::expr::Printer;
use crate::value::{Answer, Kind, Value, refuse};

impl Printer<'_> {
    /// An aggregate call, whole.
    pub fn aggregate(&mut self, expr: &Expr) -> Answer<Value> {
        let expr = strip_aliases(expr);
        let Expr::AggregateFunction(AggregateFunction { func, params }) = expr else {
            return refuse("an aggregate of another shape");
        };
        if !params.order_by.is_empty() || params.null_treatment.is_some() {
            return refuse("an aggregate that depends on order is computed here");
        }
        let filter = match &params.filter {
            Some(filter) => Some(self.boolean(filter)?),
            None => None,
        };
        let suffix = match &filter {
            Some(filter) if self.d.has_filter_clause() => format!(" FILTER (WHERE {filter})"),
            _ => String::new(),
        };
        let inside = filter.filter(|_| !self.d.has_filter_clause());
        let result = self.data_type(expr)?;
        let name = func.name();
        self.aggregate_call(
            name,
            &params.args,
            params.distinct,
            result,
            &|arg, distinct| {
                let distinct = if distinct { "DISTINCT " } else { "" };
                let arg = match &inside {
                    // The rows that the filter drops become NULL, which aggregates pass over.
                    Some(filter) if arg == "*" => format!("CASE WHEN {filter} THEN 1 END"),
                    Some(filter) => format!("CASE WHEN {filter} THEN {arg} END"),
                    None => arg.to_owned(),
                };
                format!("{}({distinct}{arg}){suffix}", name.to_ascii_uppercase())
            },
        )
    }

    fn aggregate_call(
        &mut self,
        name: &str,
        args: &[Expr],
        distinct: bool,
        result: DataType,
        print: &dyn Fn(&str, bool) -> String,
    ) -> Answer<Value> {
        let [arg] = args else {
            return match (name, args, distinct) {
                ("count", [], false) => Ok(Value::computed(print("*", false), result)),
                ("count", _, _) => refuse("count over several arguments is computed here"),
                _ => refuse(format!("{name} is computed here")),
            };
        };
        let sql = match name {
            "count" if distinct => {
                let value = self.value(arg)?;
                print(&self.d.distinct_argument(&value)?, true)
            }
            "count" => match strip_aliases(arg) {
                Expr::Literal(value, _) if !value.is_null() => print("*", false),
                arg => match (self.value(arg), self.raw_column(arg)?) {
                    (Ok(value), _) => print(&value.sql, false),
                    // A column of a type that is not computed with can be counted.
                    (Err(_), Some(raw)) => print(&raw.sql, false),
                    (Err(refusal), None) => return Err(refusal),
                },
            },
            "sum" => {
                let value = self.value(arg)?;
                match value.kind()? {
                    Kind::Int | Kind::Decimal => {}
                    Kind::Float => return refuse("float sums depend on the order of additions"),
                    _ => return refuse("a sum over what is not a number is computed here"),
                }
                let call = print(&value.sql, distinct);
                self.d.sum(&value, call, &result)?
            }
            // DISTINCT changes nothing of an extreme.
            "min" | "max" => {
                let value = self.value(arg)?;
                let kind = value.kind()?;
                match kind {
                    Kind::Bool | Kind::Binary | Kind::Null => {
                        return refuse(format!("{name} over {} is computed here", value.data_type));
                    }
                    _ => self.d.comparable(kind)?,
                }
                match kind {
                    Kind::Text => {
                        self.d.orders_text(&value)?;
                        self.d.text_extreme(&value, &|arg| print(arg, false))?
                    }
                    _ => print(&value.sql, false),
                }
            }
            "avg" | "stddev" | "stddev_pop" | "var" | "var_pop" => {
                return refuse(format!("the digits of {name} are not ours at the source"));
            }
            other => return refuse(format!("{other} is computed here")),
        };
        Ok(Value::computed(sql, result))
    }

    /// A window function call, whole.
    pub fn window(&mut self, expr: &Expr) -> Answer<Value> {
        self.d.windows()?;
        let expr = strip_aliases(expr);
        let Expr::WindowFunction(call) = expr else {
            return refuse("a window function of another shape");
        };
        let WindowFunction { fun, params } = call.as_ref();
        if params.filter.is_some() || params.null_treatment.is_some() || params.distinct {
            return refuse(
                "a window function with FILTER, DISTINCT or IGNORE NULLS is computed here",
            );
        }
        let result = self.data_type(expr)?;
        let name = fun.name().to_ascii_lowercase();
        let over = self.over(
            &params.partition_by,
            &params.order_by,
            &name,
            &params.window_frame,
        )?;
        // A constant key is left out, and MariaDB ranks by some key only.
        if matches!(name.as_str(), "rank" | "dense_rank") && !over.contains("ORDER BY") {
            return refuse(format!("a {name} by a constant is computed here"));
        }
        match name.as_str() {
            "row_number" | "rank" | "dense_rank" if params.args.is_empty() => {
                let sql = format!("{}() OVER ({over})", name.to_ascii_uppercase());
                Ok(Value::computed(sql, result))
            }
            "count" | "sum" | "min" | "max" => {
                self.aggregate_call(&name, &params.args, false, result, &|arg, _| {
                    format!("{}({arg}) OVER ({over})", name.to_ascii_uppercase())
                })
            }
            other => refuse(format!("the window function {other} is computed here")),
        }
    }

    fn over(
        &mut self,
        partition_by: &[Expr],
        order_by: &[Sort],
        name: &str,
        frame: &WindowFrame,
    ) -> Answer<String> {
        let mut parts = Vec::new();
        let mut keys = Vec::new();
        for key in partition_by {
            let value = self.value(key)?;
            if value.literal.is_some() {
                continue;
            }
            keys.push(self.d.group_key(&value)?.by);
        }
        if !keys.is_empty() {
            parts.push(format!("PARTITION BY {}", keys.join(", ")));
        }
        let keys = self.sort_keys(order_by)?;
        let keys: Vec<String> = keys.iter().map(|k| k.print(self)).collect();
        if !keys.is_empty() {
            parts.push(format!("ORDER BY {}", keys.join(", ")));
        }
        // The ranking functions take no frame.
        if !matches!(name, "row_number" | "rank" | "dense_rank") {
            parts.push(print_frame(frame)?);
        }
        Ok(parts.join(" "))
    }

    /// Keys of `ORDER BY`; constants among them order nothing and are left out.
    pub fn sort_keys(&mut self, sorts: &[Sort]) -> Answer<Vec<SortKey>> {
        let mut keys = Vec::new();
        for sort in sorts {
            let value = self.value(&sort.expr)?;
            if value.literal.is_some() {
                continue;
            }
            self.d.sortable(&value)?;
            keys.push(SortKey {
                key: match value.kind()? {
                    Kind::Text => self.d.text_key(&value),
                    _ => value.sql,
                },
                nullable: self.scope.nullable(&sort.expr),
                asc: sort.asc,
                nulls_first: sort.nulls_first,
            });
        }
        Ok(keys)
    }
}

/// A printed key of `ORDER BY`.
#[derive(Debug, Clone)]
pub(crate) struct SortKey {
    pub key: String,
    pub nullable: bool,
    pub asc: bool,
    pub nulls_first: bool,
}

impl SortKey {
    fn print(&self, printer: &Printer<'_>) -> String {
        printer
            .d
            .order(&self.key, self.nullable, self.asc, self.nulls_first)
    }
}

pub(crate) fn strip_aliases(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    expr
}

fn print_frame(frame: &WindowFrame) -> Answer<String> {
    let units = match frame.units {
        WindowFrameUnits::Rows => "ROWS",
        WindowFrameUnits::Range => "RANGE",
        WindowFrameUnits::Groups => return refuse("window frames of GROUPS are computed here"),
    };
    let bound = |bound: &WindowFrameBound| -> Answer<String> {
        let (offset, side) = match bound {
            WindowFrameBound::CurrentRow => return Ok("CURRENT ROW".to_owned()),
            WindowFrameBound::Preceding(offset) => (offset, "PRECEDING"),
            WindowFrameBound::Following(offset) => (offset, "FOLLOWING"),
        };
        if offset.is_null() {
            return Ok(format!("UNBOUNDED {side}"));
        }
        match (frame.units, offset) {
            (WindowFrameUnits::Rows, ScalarValue::UInt64(Some(n))) => Ok(format!("{n} {side}")),
            _ => refuse("window frames of RANGE with an offset are computed here"),
        }
    };
    Ok(format!(
        "{units} BETWEEN {} AND {}",
        bound(&frame.start_bound)?,
        bound(&frame.end_bound)?
    ))
}

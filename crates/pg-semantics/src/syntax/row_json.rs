//! `row_to_json(t)` and `to_jsonb(t)`, where `t` is a subquery whose columns have names: DataFusion knows
//! no whole rows, so that each column is named.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, SetExpr, TableFactor,
    Value, visit_expressions_mut,
};

use super::{call, order};
use crate::functions::ROW_JSON;

/// Rewrites such calls in what a query gives.
pub(super) fn of_subqueries(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            let mut rows: Vec<(Ident, Vec<String>)> = Vec::new();
            for from in &select.from {
                let joined = from.joins.iter().map(|join| &join.relation);
                for factor in std::iter::once(&from.relation).chain(joined) {
                    let TableFactor::Derived {
                        subquery,
                        alias: Some(alias),
                        ..
                    } = factor
                    else {
                        continue;
                    };
                    let SetExpr::Select(inner) = subquery.body.as_ref() else {
                        continue;
                    };
                    if let (true, Some(names)) =
                        (alias.columns.is_empty(), order::names(&inner.projection))
                    {
                        rows.push((alias.name.clone(), names));
                    }
                }
            }
            if rows.is_empty() {
                return;
            }
            let _ = visit_expressions_mut(&mut select.projection, |expr: &mut Expr| {
                if let Some(written) = written(expr, &rows) {
                    *expr = written;
                }
                ControlFlow::<()>::Continue(())
            });
        }
        SetExpr::SetOperation { left, right, .. } => {
            of_subqueries(left);
            of_subqueries(right);
        }
        _ => {}
    }
}

fn written(expr: &Expr, rows: &[(Ident, Vec<String>)]) -> Option<Expr> {
    let Expr::Function(Function {
        name,
        args: FunctionArguments::List(list),
        ..
    }) = expr
    else {
        return None;
    };
    let last = name.0.last()?.as_ident()?;
    let function = match order::folded(last).as_str() {
        "row_to_json" | "to_json" => ROW_JSON,
        "to_jsonb" => "jsonb_build_object",
        _ => return None,
    };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(row)))] = list.args.as_slice()
    else {
        return None;
    };
    let (alias, names) = rows
        .iter()
        .find(|(alias, _)| order::folded(alias) == order::folded(row))?;
    let args = names.iter().flat_map(|name| {
        let key = Value::SingleQuotedString(name.clone());
        let column = Ident::with_quote('"', name.clone());
        [
            Expr::Value(key.into()),
            Expr::CompoundIdentifier(vec![alias.clone(), column]),
        ]
    });
    Some(call(function, args.collect()))
}

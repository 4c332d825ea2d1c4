//! Functions in `FROM`.

use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectNamePart, TableAlias, TableAliasColumnDef,
    TableFactor, UnaryOperator,
};

use super::qualified;
use crate::functions::SERIES;

/// Functions that give one column, which is called as the table is.
const OF_ONE_COLUMN: [&str; 2] = ["generate_series", "unnest"];

/// - `pg_catalog.f(..)` loses its schema.
/// - In `generate_series(1, 3) s` the column is called `s` too.
/// - `generate_series` over more than literals becomes an `unnest` of the list, which the planner can
///   give columns from outside.
pub(super) fn function(factor: &mut TableFactor) {
    if let TableFactor::Table {
        name,
        args: Some(args),
        alias,
        with_ordinality: false,
        ..
    } = factor
    {
        qualified::unqualify(name);
        let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else {
            return;
        };
        let called = ident.value.to_lowercase();
        if !OF_ONE_COLUMN.contains(&called.as_str()) {
            return;
        }
        let exprs: Option<Vec<Expr>> = args.args.iter().map(positional).collect();
        let Some(exprs) = exprs else { return };
        let alias = Some(named(alias.take(), &called));
        if called == "generate_series" && exprs.iter().all(is_literal) {
            set_alias(factor, alias);
            return;
        }
        let lists = match called.as_str() {
            "unnest" => exprs,
            _ => vec![super::call(SERIES, exprs)],
        };
        *factor = TableFactor::UNNEST {
            alias,
            array_exprs: lists,
            with_offset: false,
            with_offset_alias: None,
            with_ordinality: false,
        };
    } else if let TableFactor::UNNEST {
        alias,
        array_exprs,
        with_offset: false,
        with_ordinality: false,
        ..
    } = factor
        && array_exprs.len() == 1
    {
        *alias = Some(named(alias.take(), "unnest"));
    }
}

fn set_alias(factor: &mut TableFactor, new: Option<TableAlias>) {
    if let TableFactor::Table { alias, .. } = factor {
        *alias = new;
    }
}

/// The alias with a name for the one column.
fn named(alias: Option<TableAlias>, function: &str) -> TableAlias {
    let mut alias = alias.unwrap_or_else(|| TableAlias {
        explicit: true,
        name: Ident::new(function),
        columns: Vec::new(),
        at: None,
    });
    if alias.columns.is_empty() {
        alias.columns = vec![TableAliasColumnDef {
            name: alias.name.clone(),
            data_type: None,
        }];
    }
    alias
}

fn positional(arg: &FunctionArg) -> Option<Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    }
}

/// Can the planner read it as it stands?
fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) => true,
        Expr::Nested(inner)
        | Expr::Cast { expr: inner, .. }
        | Expr::UnaryOp {
            op: UnaryOperator::Minus | UnaryOperator::Plus,
            expr: inner,
        } => is_literal(inner),
        Expr::BinaryOp { left, right, .. } => is_literal(left) && is_literal(right),
        _ => false,
    }
}

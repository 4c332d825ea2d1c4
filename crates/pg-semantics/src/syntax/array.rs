//! `ARRAY(SELECT ..)`: the rows of a query as one list.

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, FunctionArgumentClause, FunctionArguments, Ident, ObjectNamePart, OrderByExpr,
    OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, Value,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use crate::functions::ARRAY_OR_EMPTY;

/// What the rewritten query has in the place of the given one. Its names are written nowhere else.
const TEMPLATE: &str = "SELECT array_agg(\"?array?\") FROM (SELECT 1) AS \"?rows?\"(\"?array?\")";
const VALUE: &str = "?array?";

/// `ARRAY(SELECT x .. ORDER BY k)` as `(SELECT array_agg(x ORDER BY k) ..)`; no rows are an empty
/// list and not NULL.
pub(super) fn of_query(expr: &mut Expr) {
    let Expr::Function(function) = &*expr else {
        return;
    };
    let FunctionArguments::Subquery(query) = &function.args else {
        return;
    };
    let is_array = matches!(function.name.0.as_slice(),
        [ObjectNamePart::Identifier(name)] if name.value.eq_ignore_ascii_case("array"));
    if !is_array {
        return;
    }
    if let Some(rewritten) = rewritten(query.as_ref().clone()) {
        *expr = rewritten;
    }
}

fn rewritten(mut inner: Query) -> Option<Expr> {
    let (order, keys) = order(&mut inner)?;
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .try_with_sql(TEMPLATE)
        .ok()?;
    let mut outer = parser.parse_query().ok()?;
    let SetExpr::Select(select) = outer.body.as_mut() else {
        return None;
    };
    let TableFactor::Derived {
        subquery, alias, ..
    } = &mut select.from.first_mut()?.relation
    else {
        return None;
    };
    **subquery = inner;
    let columns = &mut alias.as_mut()?.columns;
    for key in 0..keys {
        let mut column = columns.first()?.clone();
        column.name = key_name(key);
        columns.push(column);
    }
    let SelectItem::UnnamedExpr(Expr::Function(aggregate)) = select.projection.first_mut()? else {
        return None;
    };
    let FunctionArguments::List(list) = &mut aggregate.args else {
        return None;
    };
    if !order.is_empty() {
        list.clauses.push(FunctionArgumentClause::OrderBy(order));
    }
    Some(super::call(ARRAY_OR_EMPTY, vec![Expr::Subquery(outer)]))
}

fn key_name(key: usize) -> Ident {
    Ident::with_quote('"', format!("?key{key}?"))
}

/// The order for the aggregate, and how many keys the query gives for it behind its value.
fn order(inner: &mut Query) -> Option<(Vec<OrderByExpr>, usize)> {
    let Some(order_by) = inner.order_by.clone() else {
        return Some((Vec::new(), 0));
    };
    let OrderByKind::Expressions(items) = order_by.kind else {
        return None;
    };
    // Behind a limit the order says which rows there are, too.
    let limited = inner.limit_clause.is_some()
        || inner.fetch.is_some()
        || first_select(&inner.body).is_some_and(|s| matches!(s.distinct, Some(Distinct::On(_))));
    let value = first_select(&inner.body).and_then(|s| s.projection.first().cloned());
    let plain = match inner.body.as_mut() {
        SetExpr::Select(select) if is_plain(select) => Some(select),
        _ => None,
    };
    let (mut order, mut keys) = (Vec::new(), Vec::new());
    for item in items {
        let expr = if is_value(&item.expr, value.as_ref()) {
            Expr::Identifier(Ident::with_quote('"', VALUE))
        } else {
            plain.as_ref()?;
            keys.push(item.expr.clone());
            Expr::Identifier(key_name(keys.len() - 1))
        };
        order.push(OrderByExpr { expr, ..item });
    }
    let count = keys.len();
    if let Some(select) = plain {
        let keys = keys.into_iter().enumerate();
        select
            .projection
            .extend(keys.map(|(key, expr)| SelectItem::ExprWithAlias {
                expr,
                alias: key_name(key),
            }));
    }
    if !limited {
        inner.order_by = None;
    }
    Some((order, count))
}

/// The query that names the columns.
fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&query.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

/// Can it give a column more without giving other rows?
fn is_plain(select: &Select) -> bool {
    !matches!(select.distinct, Some(Distinct::Distinct)) && select.projection.len() == 1
}

/// Does an item of `ORDER BY` mean the value: by its position, by its name, or as it is written?
fn is_value(expr: &Expr, value: Option<&SelectItem>) -> bool {
    let (written, name) = match value {
        Some(SelectItem::ExprWithAlias { expr, alias }) => (Some(expr), Some(alias)),
        Some(SelectItem::UnnamedExpr(expr)) => match expr {
            Expr::Identifier(name) => (Some(expr), Some(name)),
            Expr::CompoundIdentifier(path) => (Some(expr), path.last()),
            _ => (Some(expr), None),
        },
        _ => (None, None),
    };
    match expr {
        Expr::Value(value) => matches!(&value.value, Value::Number(n, _) if n == "1"),
        Expr::Identifier(ident) if name.is_some_and(|name| name.value == ident.value) => true,
        expr => written.is_some_and(|written| written.to_string() == expr.to_string()),
    }
}

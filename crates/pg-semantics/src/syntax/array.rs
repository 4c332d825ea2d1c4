//! `ARRAY(SELECT ..)`: the rows of a query as one list.

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, FunctionArgumentClause, FunctionArguments, GroupByExpr, Ident, ObjectNamePart,
    OrderByExpr, OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, Value,
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
    let limited = inner.limit_clause.is_some() || inner.fetch.is_some();
    let plain = match inner.body.as_mut() {
        SetExpr::Select(select) if is_plain(select) => Some(select),
        _ => None,
    };
    let (mut order, mut keys) = (Vec::new(), Vec::new());
    let output = plain.as_ref().and_then(|s| output(s));
    for item in items {
        let expr = if is_value(&item.expr, output.as_ref()) {
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

/// Can it give a column more without giving other rows?
fn is_plain(select: &Select) -> bool {
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(exprs, _) => !exprs.is_empty(),
    };
    !grouped
        && select.having.is_none()
        && !matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)))
        && select.projection.len() == 1
}

/// The name of the value.
fn output(select: &Select) -> Option<Ident> {
    match select.projection.first()? {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => path.last().cloned(),
        _ => None,
    }
}

/// Does an item of `ORDER BY` mean the value: by its position, or by its name?
fn is_value(expr: &Expr, output: Option<&Ident>) -> bool {
    match expr {
        Expr::Value(value) => matches!(&value.value, Value::Number(n, _) if n == "1"),
        Expr::Identifier(name) => output.is_some_and(|o| o.value == name.value),
        _ => false,
    }
}

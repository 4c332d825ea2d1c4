//! `ORDER BY name`, where the name is that of an output column: PostgreSQL looks among those first.
//! DataFusion finds the column of a table beside it, and two where there is one.

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, TableFactor, Value,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use inflowave_types::{Error, Result, SqlState};

/// Each such name becomes the number of its column.
///
/// # Errors
/// `42702` for a name of two columns that are not the same.
pub(super) fn by_output(query: &mut Query) -> Result<()> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return Ok(());
    };
    if matches!(select.distinct, Some(Distinct::On(_))) {
        return Ok(());
    }
    let Some(OrderByKind::Expressions(items)) = query.order_by.as_mut().map(|by| &mut by.kind)
    else {
        return Ok(());
    };
    for item in items {
        let Expr::Identifier(name) = &item.expr else {
            continue;
        };
        if let Some(number) = output(&select.projection, name)? {
            item.expr = Expr::Value(Value::Number(number.to_string(), false).into());
        }
    }
    Ok(())
}

/// `SELECT f(t.a) AS a .. ORDER BY t.a`: DataFusion 55.2 takes the column beside the output of its name
/// for ambiguous. What is ordered by becomes columns of a subquery, which the query around it leaves out.
pub(super) fn beside_output(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return;
    };
    let Some(OrderByKind::Expressions(items)) = query.order_by.as_ref().map(|by| &by.kind) else {
        return;
    };
    let hidden = |expr: &Expr| match expr {
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|column| {
            select.projection.iter().any(|item| {
                matches!(item, SelectItem::ExprWithAlias { expr: output, alias }
                    if folded(alias) == folded(column) && output != expr)
            })
        }),
        _ => false,
    };
    if select.distinct.is_some() || !items.iter().any(|item| hidden(&item.expr)) {
        return;
    }
    let Some(names) = names(&select.projection) else {
        return;
    };
    let Some(mut outer) = around() else {
        return;
    };
    let mut inner = query.clone();
    inner.with = None;
    inner.order_by = None;
    inner.limit_clause = None;
    inner.fetch = None;
    let mut select = select.as_ref().clone();
    let Some(OrderByKind::Expressions(items)) = query.order_by.as_mut().map(|by| &mut by.kind)
    else {
        return;
    };
    for (number, item) in (1..).zip(items) {
        if matches!(&item.expr, Expr::Value(value) if matches!(value.value, Value::Number(..))) {
            continue;
        }
        let alias = Ident::with_quote('"', format!("{ORDER}{number}"));
        let expr = std::mem::replace(&mut item.expr, Expr::Identifier(alias.clone()));
        select
            .projection
            .push(SelectItem::ExprWithAlias { expr, alias });
    }
    *inner.body = SetExpr::Select(Box::new(select));
    outer.projection = names
        .into_iter()
        .map(|name| SelectItem::UnnamedExpr(Expr::Identifier(Ident::with_quote('"', name))))
        .collect();
    let Some(TableFactor::Derived { subquery, .. }) =
        outer.from.first_mut().map(|from| &mut from.relation)
    else {
        return;
    };
    **subquery = inner;
    *query.body = SetExpr::Select(outer);
}

/// What a query is ordered by and does not give.
const ORDER: &str = "__order";

fn around() -> Option<Box<Select>> {
    let text = "SELECT 1 FROM (SELECT 1) AS \"__ordered\"";
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).ok()?;
    match *parser.parse_query().ok()?.body {
        SetExpr::Select(select) => Some(select),
        _ => None,
    }
}

/// The names of all columns, where they are known and each is another one.
pub(super) fn names(projection: &[SelectItem]) -> Option<Vec<String>> {
    let mut names = Vec::with_capacity(projection.len());
    for item in projection {
        let name = match item {
            SelectItem::ExprWithAlias { alias, .. } => folded(alias),
            SelectItem::UnnamedExpr(Expr::Identifier(name)) => folded(name),
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => folded(parts.last()?),
            _ => return None,
        };
        if names.contains(&name) {
            return None;
        }
        names.push(name);
    }
    Some(names)
}

/// The number of the column of this name, from 1, where it is known.
fn output(projection: &[SelectItem], name: &Ident) -> Result<Option<usize>> {
    let wanted = folded(name);
    let mut found: Option<(usize, &Expr)> = None;
    for (number, item) in (1..).zip(projection) {
        let (called, expr) = match item {
            SelectItem::ExprWithAlias { expr, alias } => (alias, expr),
            SelectItem::UnnamedExpr(expr) => match expr {
                Expr::Identifier(called) => (called, expr),
                Expr::CompoundIdentifier(parts) => match parts.last() {
                    Some(called) => (called, expr),
                    None => continue,
                },
                _ => continue,
            },
            // How many columns it stands for is not known yet.
            _ => return Ok(None),
        };
        if folded(called) != wanted {
            continue;
        }
        match found {
            None => found = Some((number, expr)),
            Some((_, before)) if before == expr => {}
            Some(_) => {
                return Err(Error::new(
                    SqlState::AmbiguousColumn,
                    format!("ORDER BY \"{wanted}\" is ambiguous"),
                ));
            }
        }
    }
    Ok(found.map(|(number, _)| number))
}

pub(super) fn folded(name: &Ident) -> String {
    match name.quote_style {
        None => name.value.to_lowercase(),
        Some(_) => name.value.clone(),
    }
}

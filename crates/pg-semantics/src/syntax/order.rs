//! `ORDER BY name`, where the name is that of an output column: PostgreSQL looks among those first.
//! DataFusion finds the column of a table beside it, and two where there is one.

use datafusion::sql::sqlparser::ast::{
    Distinct, Expr, Ident, OrderByKind, Query, SelectItem, SetExpr, Value,
};
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

fn folded(name: &Ident) -> String {
    match name.quote_style {
        None => name.value.to_lowercase(),
        Some(_) => name.value.clone(),
    }
}

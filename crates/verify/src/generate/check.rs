//! Is a query one that the generator could have made? The shrinker asks before it runs one, so that
//! it never mistakes a query that nobody should accept for a smaller failure.

use super::Universe;
use super::ast::{Body, Expr, From, JoinKind, Kind, Query, Select, Ty};
use super::rule::tolerance;
use crate::compare::Tolerance;

/// A relation's alias, and its columns.
type Names = Vec<(String, Vec<(String, Ty)>)>;

/// Checks names, types, grouping, and that nothing inside depends on an order that is not there.
///
/// # Errors
/// What is wrong.
pub fn is_sound(query: &Query, universe: &Universe) -> Result<(), String> {
    check(query, universe, &Vec::new(), true)
}

fn check(query: &Query, universe: &Universe, outer: &Names, top: bool) -> Result<(), String> {
    let width = query.width();
    ensure(width > 0, "no output column")?;
    let sort_ok = query.order_by.iter().all(|s| s.column < width);
    ensure(sort_ok, "a sort key that is no output column")?;
    if !top && (query.limit.is_some() || query.offset.is_some()) {
        let total = (0..width).all(|c| query.order_by.iter().any(|s| s.column == c));
        ensure(total, "a LIMIT inside without a total order")?;
    }
    let selects = query.body.selects();
    for select in &selects {
        ensure(select.items.len() == width, "arms of another width")?;
        for (item, first) in select.items.iter().zip(&selects[0].items) {
            ensure(item.expr.ty.agrees(first.expr.ty), "arms of other types")?;
        }
        self::select(select, universe, outer)?;
        for sort in &query.order_by {
            exact(&select.items[sort.column].expr, "sort key")?;
        }
    }
    distinct_arms(&query.body)
}

fn distinct_arms(body: &Body) -> Result<(), String> {
    if let Body::Set {
        op,
        all,
        left,
        right,
    } = body
    {
        if *op != "UNION" || !all {
            for select in body.selects() {
                for item in &select.items {
                    exact(&item.expr, "arm of a set operation")?;
                }
            }
        }
        distinct_arms(left)?;
        distinct_arms(right)?;
    }
    Ok(())
}

fn select(select: &Select, universe: &Universe, outer: &Names) -> Result<(), String> {
    let mut names = Names::new();
    from(&select.from, universe, &mut names)?;
    let own = names.len();
    names.extend(outer.iter().cloned());
    for condition in &select.filter {
        plain(condition, &names, universe, "WHERE")?;
    }
    for key in &select.group_by {
        plain(key, &names, universe, "GROUP BY")?;
        let named = key.any(&mut |e| matches!(e.kind, Kind::Column(_)));
        ensure(named, "a constant GROUP BY key")?;
    }
    for condition in &select.having {
        expr(condition, &names, universe)?;
        exact(condition, "HAVING")?;
        ensure(condition.ty == Ty::Bool, "a HAVING that is no condition")?;
        ensure(!condition.has_window(), "a window in HAVING")?;
    }
    for item in &select.items {
        expr(&item.expr, &names, universe)?;
        if select.distinct {
            exact(&item.expr, "DISTINCT column")?;
        }
    }
    ensure(
        select.having.is_empty() || select.is_grouped(),
        "HAVING without groups",
    )?;
    if select.is_grouped() {
        for e in select.items.iter().map(|i| &i.expr).chain(&select.having) {
            grouped(e, &select.group_by, &names[..own])?;
        }
    }
    Ok(())
}

fn from(clause: &From, universe: &Universe, names: &mut Names) -> Result<(), String> {
    match clause {
        From::Table { table, alias } => {
            let facts = universe.tables.get(*table).ok_or("an unknown table")?;
            names.push((
                alias.clone(),
                facts
                    .columns
                    .iter()
                    .map(|c| (c.name.clone(), c.ty))
                    .collect(),
            ));
        }
        From::Query { query, alias } => {
            check(query, universe, &Vec::new(), false)?;
            names.push((
                alias.clone(),
                query
                    .body
                    .first()
                    .items
                    .iter()
                    .zip(query.types())
                    .map(|(item, ty)| (item.alias.clone(), ty))
                    .collect(),
            ));
        }
        From::Join {
            kind,
            left,
            right,
            on,
        } => {
            let start = names.len();
            from(left, universe, names)?;
            from(right, universe, names)?;
            ensure(
                (*kind == JoinKind::Cross) == on.is_empty(),
                "a join and its condition",
            )?;
            if *kind == JoinKind::Full {
                let equality = on.len() == 1
                    && matches!(&on[0].kind, Kind::Binary { op: "=", left, right, .. }
                        if matches!((&left.kind, &right.kind), (Kind::Column(a), Kind::Column(b)) if a.relation != b.relation));
                ensure(equality, "a full join not by an equality of columns")?;
            }
            let own: Names = names[start..].to_vec();
            for condition in on {
                plain(condition, &own, universe, "ON")?;
            }
        }
    }
    Ok(())
}

/// An exact expression without aggregates and windows.
fn plain(e: &Expr, names: &Names, universe: &Universe, place: &str) -> Result<(), String> {
    expr(e, names, universe)?;
    exact(e, place)?;
    ensure(!e.has_aggregate(), "an aggregate where none may stand")?;
    ensure(!e.has_window(), "a window where none may stand")
}

fn exact(e: &Expr, place: &str) -> Result<(), String> {
    if tolerance(e) == Tolerance::Exact {
        Ok(())
    } else {
        Err(format!("a value that is not exact as {place}"))
    }
}

fn expr(e: &Expr, names: &Names, universe: &Universe) -> Result<(), String> {
    match &e.kind {
        Kind::Column(column) => {
            let found = names
                .iter()
                .find(|(alias, _)| *alias == column.relation)
                .and_then(|(_, columns)| columns.iter().find(|(name, _)| *name == column.name));
            ensure(
                found.is_some_and(|(_, ty)| ty.agrees(e.ty)),
                &format!("no column {}.{}", column.relation, column.name),
            )?;
        }
        Kind::Aggregate { arg, filter, .. } => {
            for part in arg.iter().chain(filter) {
                ensure(!part.has_aggregate(), "an aggregate of an aggregate")?;
                exact(part, "argument of an aggregate")?;
            }
        }
        Kind::Window {
            name,
            args,
            partition_by,
            order_by,
            ..
        } => {
            let ranks = matches!(*name, "rank" | "dense_rank");
            ensure(!ranks || !order_by.is_empty(), "a rank without an order")?;
            for part in args.iter().chain(partition_by) {
                exact(part, "part of a window")?;
            }
        }
        Kind::InList { list, .. } | Kind::Quantified { list, .. } => {
            ensure(!list.is_empty(), "an empty list")?;
        }
        Kind::Case { arms, .. } => ensure(!arms.is_empty(), "a CASE without arms")?,
        _ => {}
    }
    // What is not exact may be passed on or shown, but not computed with.
    if !matches!(
        e.kind,
        Kind::Aggregate { .. } | Kind::Window { .. } | Kind::Column(_)
    ) {
        for child in e.children() {
            exact(child, "operand")?;
        }
    }
    if let Some(query) = e.subquery() {
        check(query, universe, names, false)?;
    }
    e.children()
        .into_iter()
        .try_for_each(|child| expr(child, names, universe))
}

/// In a grouped SELECT every column of its own stands in a key or in an aggregate.
fn grouped(e: &Expr, keys: &[Expr], own: &[(String, Vec<(String, Ty)>)]) -> Result<(), String> {
    if keys.contains(e) || matches!(e.kind, Kind::Aggregate { .. }) {
        return Ok(());
    }
    if let Kind::Column(column) = &e.kind {
        let outer = !own.iter().any(|(alias, _)| *alias == column.relation);
        return ensure(outer, "a column that is not grouped");
    }
    ensure(e.subquery().is_none(), "a subquery in a grouped SELECT")?;
    ensure(
        !matches!(e.kind, Kind::Window { .. }),
        "a window in a grouped SELECT",
    )?;
    e.children()
        .into_iter()
        .try_for_each(|child| grouped(child, keys, own))
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}

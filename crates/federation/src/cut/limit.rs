//! `LIMIT` and `ORDER BY .. LIMIT`.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::{FetchType, Limit, LogicalPlan, SkipType, Sort, lit};
use inflowave_connector_api::{Capability, Place, Support};

use super::{Piece, Remote, aggregate, display, piece};
use crate::Pushdown;

pub(super) fn cut(limit: Limit, pushdown: Pushdown) -> Result<Piece> {
    let bounds = match (limit.get_skip_type()?, limit.get_fetch_type()?) {
        (SkipType::Literal(skip), FetchType::Literal(fetch)) => Some((skip, fetch)),
        _ => None,
    };
    let input = piece(Arc::unwrap_or_clone(limit.input), pushdown)?;
    let over = |plan: LogicalPlan| {
        LogicalPlan::Limit(Limit {
            skip: limit.skip.clone(),
            fetch: limit.fetch.clone(),
            input: Arc::new(plan),
        })
    };
    let mut remote = match (input, bounds) {
        (Piece::Remote(remote), Some(_)) => remote,
        (input, _) => return Ok(Piece::Local(over(input.finish()?))),
    };
    let (skip, fetch) = bounds.unwrap_or((0, None));
    // The optimizer has put `skip + fetch` on the scan already; twice is once too many.
    if let LogicalPlan::Limit(inner) = &remote.plan
        && let (Some(0), Some(wanted)) = (skip_of(inner), fetch.map(|f| f + skip))
        && fetch_of(inner) == Some(wanted)
    {
        if skip == 0 {
            return Ok(Piece::Remote(remote));
        }
        remote.plan = Arc::unwrap_or_clone(Arc::clone(&inner.input));
        remote.pushed.pop();
    }
    let node = over(remote.plan.clone());
    match remote.node(Capability::Limit, &node) {
        Support::Exact => {
            let rows = rows(remote.rows, fetch);
            let mut shown = fetch.map_or_else(String::new, |n| format!("limit: {n}"));
            if skip > 0 {
                shown = format!("{shown} offset: {skip}").trim().to_owned();
            }
            Ok(Piece::Remote(Box::new(remote.grown(node, shown, rows))))
        }
        Support::Superset => Ok(Piece::Local(over(remote.finish()?))),
        Support::No(reason) => {
            remote.refuse("limit", reason);
            Ok(Piece::Local(over(remote.finish()?)))
        }
    }
}

/// A limit which the optimizer put on a scan; it stands above the scan too, so that the source
/// need not take it.
pub(super) fn fetch(mut remote: Remote, fetch: usize) -> Result<Remote> {
    let node = LogicalPlan::Limit(Limit {
        skip: None,
        fetch: Some(Box::new(lit(i64::try_from(fetch).unwrap_or(i64::MAX)))),
        input: Arc::new(remote.plan.clone()),
    });
    match remote.node(Capability::Limit, &node) {
        Support::Exact => {
            let rows = rows(remote.rows, Some(fetch));
            Ok(remote.grown(node, format!("limit: {fetch}"), rows))
        }
        Support::Superset => Ok(remote),
        Support::No(reason) => {
            remote.refuse("limit", reason);
            Ok(remote)
        }
    }
}

/// A sort with a limit goes to the source and stands here again, over the few rows that come back:
/// so that their order never rests on a source's word. A sort without one saves nothing there.
pub(super) fn cut_sort(sort: Sort, pushdown: Pushdown) -> Result<Piece> {
    let input = piece(Arc::unwrap_or_clone(sort.input), pushdown)?;
    let (keys, fetch) = (sort.expr, sort.fetch);
    let over = |plan: LogicalPlan| {
        LogicalPlan::Sort(Sort {
            expr: keys.clone(),
            input: Arc::new(plan),
            fetch,
        })
    };
    let mut remote = match input {
        Piece::Remote(remote) => remote,
        Piece::Local(plan) => return Ok(Piece::Local(over(plan))),
    };
    let shown = keys
        .iter()
        .map(|k| {
            let order = if k.asc { "" } else { " DESC" };
            let nulls = if k.nulls_first { "FIRST" } else { "LAST" };
            format!("{}{order} NULLS {nulls}", display(&k.expr))
        })
        .collect::<Vec<_>>()
        .join(", ");
    let Some(n) = fetch else {
        remote.refuse(
            format!("order by {shown}"),
            "sorted here: without a limit the source saves nothing",
        );
        return Ok(Piece::Local(over(remote.finish()?)));
    };
    let node = over(remote.plan.clone());
    let parts = keys.iter().map(|k| (&k.expr, Place::SortKey));
    if aggregate::all(&mut remote, Capability::TopN, &node, parts) {
        let rows = rows(remote.rows, Some(n));
        *remote = remote.grown(node, format!("order by {shown} limit: {n}"), rows);
    }
    Ok(Piece::Local(over(remote.finish()?)))
}

fn skip_of(limit: &Limit) -> Option<usize> {
    match limit.get_skip_type().ok()? {
        SkipType::Literal(skip) => Some(skip),
        SkipType::UnsupportedExpr => None,
    }
}

fn fetch_of(limit: &Limit) -> Option<usize> {
    match limit.get_fetch_type().ok()? {
        FetchType::Literal(fetch) => fetch,
        FetchType::UnsupportedExpr => None,
    }
}

fn rows(rows: Option<f64>, fetch: Option<usize>) -> Option<f64> {
    match (rows, fetch) {
        (Some(rows), Some(fetch)) => Some(rows.min(fetch as f64)),
        (None, Some(fetch)) => Some(fetch as f64),
        (rows, None) => rows,
    }
}

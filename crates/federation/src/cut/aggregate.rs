//! Aggregates, `DISTINCT`, window functions: all of the node or nothing.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::{Aggregate, Distinct, Expr, LogicalPlan, Window};
use inflowave_connector_api::{Capability, Place, Support};

use super::projection::narrow;
use super::{Piece, Remote, ask, display, estimate, list, piece};
use crate::Pushdown;

pub(super) fn cut(aggregate: Aggregate, pushdown: Pushdown) -> Result<Piece> {
    let input = piece(Arc::unwrap_or_clone(aggregate.input), pushdown)?;
    let (group, aggr, schema) = (aggregate.group_expr, aggregate.aggr_expr, aggregate.schema);
    let over = |input: LogicalPlan| {
        Aggregate::try_new_with_schema(
            Arc::new(input),
            group.clone(),
            aggr.clone(),
            Arc::clone(&schema),
        )
        .map(LogicalPlan::Aggregate)
    };
    let mut remote = match input {
        Piece::Remote(remote) => remote,
        Piece::Local(plan) => return over(plan).map(Piece::Local),
    };
    let node = over(remote.plan.clone())?;
    let capability = if aggr.is_empty() {
        Capability::Distinct
    } else {
        Capability::Aggregate
    };
    let parts = group
        .iter()
        .map(|e| (e, Place::GroupKey))
        .chain(aggr.iter().map(|e| (e, Place::Aggregate)));
    if all(&mut remote, capability, &node, parts) {
        let shown = match (group.is_empty(), aggr.is_empty()) {
            (_, true) => format!("distinct: {}", list(&group)),
            (true, _) => format!("aggregate: {}", list(&aggr)),
            _ => format!("aggregate: {} by {}", list(&aggr), list(&group)),
        };
        let rows = estimate::aggregate(remote.rows, group.len());
        return Ok(Piece::Remote(Box::new(remote.grown(node, shown, rows))));
    }
    let remote = narrow(*remote, group.iter().chain(&aggr))?;
    over(remote.finish()?).map(Piece::Local)
}

pub(super) fn cut_distinct(distinct: Distinct, pushdown: Pushdown) -> Result<Piece> {
    match distinct {
        Distinct::All(input) => {
            let input = piece(Arc::unwrap_or_clone(input), pushdown)?;
            let over = |plan| LogicalPlan::Distinct(Distinct::All(Arc::new(plan)));
            let mut remote = match input {
                Piece::Remote(remote) => remote,
                Piece::Local(plan) => return Ok(Piece::Local(over(plan))),
            };
            let columns: Vec<Expr> = remote
                .plan
                .schema()
                .columns()
                .into_iter()
                .map(Expr::Column)
                .collect();
            let node = over(remote.plan.clone());
            let parts = columns.iter().map(|e| (e, Place::GroupKey));
            if all(&mut remote, Capability::Distinct, &node, parts) {
                let rows = estimate::aggregate(remote.rows, columns.len());
                return Ok(Piece::Remote(Box::new(remote.grown(
                    node,
                    "distinct".to_owned(),
                    rows,
                ))));
            }
            Ok(Piece::Local(over(remote.finish()?)))
        }
        // Which row of a group it keeps is decided by an order that stays here.
        on @ Distinct::On(_) => {
            super::cut_children(LogicalPlan::Distinct(on), pushdown).map(Piece::Local)
        }
    }
}

pub(super) fn cut_window(window: Window, pushdown: Pushdown) -> Result<Piece> {
    let input = piece(Arc::unwrap_or_clone(window.input), pushdown)?;
    let (exprs, schema) = (window.window_expr, window.schema);
    let over = |input: LogicalPlan| {
        Window::try_new_with_schema(exprs.clone(), Arc::new(input), Arc::clone(&schema))
            .map(LogicalPlan::Window)
    };
    let mut remote = match input {
        Piece::Remote(remote) => remote,
        Piece::Local(plan) => return over(plan).map(Piece::Local),
    };
    let node = over(remote.plan.clone())?;
    let parts = exprs.iter().map(|e| (e, Place::Window));
    if all(&mut remote, Capability::Window, &node, parts) {
        let rows = remote.rows;
        let shown = format!("window: {}", list(&exprs));
        return Ok(Piece::Remote(Box::new(remote.grown(node, shown, rows))));
    }
    over(remote.finish()?).map(Piece::Local)
}

/// Whether the source takes a node with everything that it holds; each reason against is kept.
pub(super) fn all<'a>(
    remote: &mut Remote,
    capability: Capability,
    node: &LogicalPlan,
    parts: impl Iterator<Item = (&'a Expr, Place)>,
) -> bool {
    if let Support::No(reason) = remote.node(capability, node) {
        let what = parts.map(|(e, _)| display(e)).collect::<Vec<_>>();
        remote.refuse(format!("{capability}: {}", what.join(", ")), reason);
        return false;
    }
    let scope = remote.scope();
    let mut all = true;
    for (expr, place) in parts {
        match ask(remote, expr, place, &scope) {
            Support::Exact => {}
            Support::Superset => {
                all = false;
                remote.refuse(display(expr), "exact only as a filter");
            }
            Support::No(reason) => {
                all = false;
                remote.refuse(display(expr), reason);
            }
        }
    }
    all
}

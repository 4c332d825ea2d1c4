//! Filters: each conjunct for itself.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan};
use inflowave_connector_api::{Capability, Place, Support};
use inflowave_pg_semantics::local::can_fail;

use super::{Piece, Remote, ask, display, estimate, piece};
use crate::Pushdown;

pub(super) fn cut(filter: Filter, pushdown: Pushdown) -> Result<Piece> {
    let input = piece(Arc::unwrap_or_clone(filter.input), pushdown)?;
    on(input, split_conjunction_owned(filter.predicate))
}

/// `conjuncts` above `input`, each pushed as far as its source answers.
pub(super) fn on(input: Piece, conjuncts: Vec<Expr>) -> Result<Piece> {
    if conjuncts.is_empty() {
        return Ok(input);
    }
    let mut remote = match input {
        Piece::Remote(remote) => remote,
        Piece::Local(plan) => return filtered(plan, conjuncts).map(Piece::Local),
    };
    let (pushed, residual) = split(&mut remote, conjuncts);
    if !pushed.is_empty() {
        let shown = pushed.iter().map(display).collect::<Vec<_>>().join(" AND ");
        let rows = estimate::filter(remote.rows, &pushed);
        let plan = filtered(remote.plan.clone(), pushed)?;
        *remote = remote.grown(plan, format!("filter: {shown}"), rows);
    }
    if residual.is_empty() {
        Ok(Piece::Remote(remote))
    } else {
        filtered(remote.finish()?, residual).map(Piece::Local)
    }
}

/// What the source filters, and what stays here; a superset is in both.
fn split(remote: &mut Remote, conjuncts: Vec<Expr>) -> (Vec<Expr>, Vec<Expr>) {
    let scope = remote.scope();
    let (mut pushed, mut residual) = (Vec::new(), Vec::new());
    let node = remote.node(Capability::Filter, &remote.plan);
    let answers: Vec<Support> = conjuncts
        .iter()
        .map(|conjunct| {
            node.clone()
                .and(|| ask(remote, conjunct, Place::Filter, &scope))
        })
        .collect();
    // The source would see rows that a condition which stays here leaves out, and fail on them.
    let leaves_some = answers.iter().any(|answer| !answer.is_exact());
    for (conjunct, answer) in conjuncts.into_iter().zip(answers) {
        let answer = match answer {
            Support::Exact if leaves_some && can_fail(&conjunct) => {
                Support::no("it can fail on rows that another condition, checked here, leaves out")
            }
            answer => answer,
        };
        match answer {
            Support::Exact => pushed.push(conjunct),
            Support::Superset => {
                remote.refuse(
                    display(&conjunct),
                    "pushed and checked again here: the source keeps more rows than we do",
                );
                pushed.push(conjunct.clone());
                residual.push(conjunct);
            }
            Support::No(reason) => {
                remote.refuse(display(&conjunct), reason);
                residual.push(conjunct);
            }
        }
    }
    (pushed, residual)
}

pub(super) fn filtered(input: LogicalPlan, conjuncts: Vec<Expr>) -> Result<LogicalPlan> {
    match conjunction(conjuncts) {
        None => Ok(input),
        Some(predicate) => Ok(LogicalPlan::Filter(Filter::try_new(
            predicate,
            Arc::new(input),
        )?)),
    }
}

//! Joins of two plans of one source.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan};
use inflowave_connector_api::{Capability, Place, Scope, Support};

use super::filter::filtered;
use super::{Piece, Remote, ask, display, estimate, list, piece};
use crate::Pushdown;

pub(super) fn cut(join: Join, pushdown: Pushdown) -> Result<Piece> {
    if let Some(piece) = super::regroup::join(&join, pushdown)? {
        return Ok(piece);
    }
    let left = piece(Arc::unwrap_or_clone(Arc::clone(&join.left)), pushdown)?;
    let right = piece(Arc::unwrap_or_clone(Arc::clone(&join.right)), pushdown)?;
    match (left, right) {
        (Piece::Remote(left), Piece::Remote(right)) if Arc::ptr_eq(&left.source, &right.source) => {
            same_source(join, *left, *right)
        }
        (left, right) => local(&join, left.finish()?, right.finish()?).map(Piece::Local),
    }
}

fn local(join: &Join, left: LogicalPlan, right: LogicalPlan) -> Result<LogicalPlan> {
    let mut join = join.clone();
    join.left = Arc::new(left);
    join.right = Arc::new(right);
    Ok(LogicalPlan::Join(join))
}

pub(super) fn capability(kind: JoinType) -> Option<Capability> {
    match kind {
        JoinType::Inner => Some(Capability::InnerJoin),
        JoinType::Left | JoinType::Right | JoinType::Full => Some(Capability::OuterJoin),
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::RightSemi | JoinType::RightAnti => {
            Some(Capability::SemiJoin)
        }
        JoinType::LeftMark | JoinType::RightMark => None,
    }
}

pub(super) fn same_source(join: Join, mut left: Remote, mut right: Remote) -> Result<Piece> {
    let shown = shown(&join);
    let (mut join, residual) = match allowed(join.clone(), &left, &right) {
        Ok(allowed) => allowed,
        Err(reason) => {
            left.refuse(shown, reason);
            return local(&join, left.finish()?, right.finish()?).map(Piece::Local);
        }
    };
    join.left = Arc::new(left.plan.clone());
    join.right = Arc::new(right.plan.clone());
    let rows = estimate::join(left.rows, right.rows, join.join_type);
    left.pushed.append(&mut right.pushed);
    left.refused.append(&mut right.refused);
    let mut remote = left.grown(LogicalPlan::Join(join), shown, rows);
    for (conjunct, reason) in &residual {
        remote.refuse(display(conjunct), reason.clone());
    }
    if residual.is_empty() {
        return Ok(Piece::Remote(Box::new(remote)));
    }
    let residual = residual.into_iter().map(|(c, _)| c).collect();
    filtered(remote.finish()?, residual).map(Piece::Local)
}

type Residual = Vec<(Expr, String)>;

/// The join as the source can run it, and what of an inner join's condition has to be checked
/// above it, each with the reason; or why the source cannot run it.
fn allowed(
    mut join: Join,
    left: &Remote,
    right: &Remote,
) -> std::result::Result<(Join, Residual), String> {
    let capability = capability(join.join_type).ok_or("a mark join has no SQL")?;
    if let Support::No(reason) = left.node(capability, &LogicalPlan::Join(join.clone())) {
        return Err(reason.into_owned());
    }
    let scope = Scope::join(&left.scope(), &right.scope()).map_err(|e| e.to_string())?;
    let inner = join.join_type == JoinType::Inner;
    let mut residual = Residual::new();
    for (l, r) in std::mem::take(&mut join.on) {
        let equal = l.clone().eq(r.clone());
        match ask(left, &equal, Place::JoinCondition, &scope) {
            Support::Exact => join.on.push((l, r)),
            Support::No(reason) if inner => residual.push((equal, reason.into_owned())),
            Support::No(reason) => return Err(reason.into_owned()),
            Support::Superset => return Err("the keys compare otherwise there".to_owned()),
        }
    }
    if join.on.is_empty() {
        // Whatever else holds, the source would build the product of both.
        let reason = residual.pop().map(|(_, reason)| reason);
        return Err(reason.unwrap_or_else(|| "a join without equal keys stays here".to_owned()));
    }
    if let Some(filter) = join.filter.clone() {
        match ask(left, &filter, Place::JoinCondition, &scope) {
            Support::Exact => {}
            Support::No(reason) if inner => {
                residual.push((filter, reason.into_owned()));
                join.filter = None;
            }
            Support::No(reason) => return Err(reason.into_owned()),
            Support::Superset => return Err("its condition is not exact there".to_owned()),
        }
    }
    Ok((join, residual))
}

pub(super) fn shown(join: &Join) -> String {
    let on: Vec<Expr> = join
        .on
        .iter()
        .map(|(l, r)| l.clone().eq(r.clone()))
        .chain(join.filter.clone())
        .collect();
    format!("{} join on {}", join.join_type, list(&on)).to_lowercase()
}

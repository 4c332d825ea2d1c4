//! Projections, and leaving out columns that nobody above needs.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use inflowave_connector_api::{Capability, Place, Support};

use super::{Piece, Remote, ask, display, list, piece};
use crate::Pushdown;

pub(super) fn cut(projection: Projection, pushdown: Pushdown) -> Result<Piece> {
    let input = piece(Arc::unwrap_or_clone(projection.input), pushdown)?;
    let mut remote = match input {
        Piece::Remote(remote) => remote,
        Piece::Local(plan) => {
            return Ok(Piece::Local(LogicalPlan::Projection(
                Projection::try_new_with_schema(
                    projection.expr,
                    Arc::new(plan),
                    projection.schema,
                )?,
            )));
        }
    };
    let scope = remote.scope();
    let mut all = true;
    let columns = remote.node(Capability::Projection, &remote.plan);
    let computed = remote.node(Capability::Expressions, &remote.plan);
    for expr in &projection.expr {
        let answer = match plain(expr) {
            true => columns.clone(),
            false => computed
                .clone()
                .and(|| ask(&remote, expr, Place::Projection, &scope)),
        };
        if let Support::No(reason) = answer {
            remote.refuse(display(expr), reason);
            all = false;
        } else if answer == Support::Superset {
            all = false;
        }
    }
    if all {
        let plan = LogicalPlan::Projection(Projection::try_new_with_schema(
            projection.expr.clone(),
            Arc::new(remote.plan.clone()),
            projection.schema,
        )?);
        let rows = remote.rows;
        let shown = format!("projection: {}", list(&projection.expr));
        return Ok(Piece::Remote(Box::new(remote.grown(plan, shown, rows))));
    }
    let remote = narrow(*remote, projection.expr.iter())?;
    Ok(Piece::Local(LogicalPlan::Projection(
        Projection::try_new_with_schema(
            projection.expr,
            Arc::new(remote.finish()?),
            projection.schema,
        )?,
    )))
}

/// A column, perhaps under another name: any source gives it.
fn plain(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Alias(alias) => plain(&alias.expr),
        _ => false,
    }
}

/// `remote` with only the columns that `exprs` name, if it has more.
pub(super) fn narrow<'a>(remote: Remote, exprs: impl Iterator<Item = &'a Expr>) -> Result<Remote> {
    let mut needed: HashSet<&Column> = HashSet::new();
    for expr in exprs {
        if super::has_subquery(expr) {
            return Ok(remote);
        }
        needed.extend(expr.column_refs());
    }
    let schema = Arc::clone(remote.plan.schema());
    let keep: Vec<usize> = (0..schema.fields().len())
        .filter(|&i| {
            needed
                .iter()
                .any(|c| schema.maybe_index_of_column(c) == Some(i))
        })
        .collect();
    if keep.len() == schema.fields().len() || !remote.can(Capability::Projection) {
        return Ok(remote);
    }
    let columns: Vec<Expr> = keep
        .into_iter()
        .map(|i| Expr::Column(Column::from(schema.qualified_field(i))))
        .collect();
    let shown = format!("projection: {}", list(&columns));
    let plan =
        LogicalPlan::Projection(Projection::try_new(columns, Arc::new(remote.plan.clone()))?);
    let rows = remote.rows;
    Ok(remote.grown(plan, shown, rows))
}

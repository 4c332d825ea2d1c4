//! `UNION ALL`, and a new name for a relation.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::{LogicalPlan, SubqueryAlias, Union};
use inflowave_connector_api::{Capability, Support};

use super::{Piece, Remote, piece};
use crate::Pushdown;

pub(super) fn cut(union: Union, pushdown: Pushdown) -> Result<Piece> {
    let schema = union.schema;
    let mut pieces = union
        .inputs
        .into_iter()
        .map(|input| piece(Arc::unwrap_or_clone(input), pushdown))
        .collect::<Result<Vec<_>>>()?;
    if one_source(&pieces) {
        let node = LogicalPlan::Union(Union {
            inputs: pieces.iter().filter_map(plan_of).map(Arc::new).collect(),
            schema: Arc::clone(&schema),
        });
        let Some(Piece::Remote(first)) = pieces.first_mut() else {
            return Ok(Piece::Local(node));
        };
        match first.node(Capability::UnionAll, &node) {
            Support::Exact => return Ok(Piece::Remote(Box::new(united(pieces, node)))),
            Support::Superset => {}
            Support::No(reason) => first.refuse("union all", reason),
        }
    }
    let inputs = pieces
        .into_iter()
        .map(|p| p.finish().map(Arc::new))
        .collect::<Result<_>>()?;
    Ok(Piece::Local(LogicalPlan::Union(Union { inputs, schema })))
}

fn one_source(pieces: &[Piece]) -> bool {
    let mut sources = pieces.iter().map(|p| match p {
        Piece::Remote(remote) => Some(&remote.source),
        Piece::Local(_) => None,
    });
    match sources.next() {
        Some(Some(first)) => sources.all(|s| s.is_some_and(|s| Arc::ptr_eq(s, first))),
        _ => false,
    }
}

fn plan_of(piece: &Piece) -> Option<LogicalPlan> {
    match piece {
        Piece::Remote(remote) => Some(remote.plan.clone()),
        Piece::Local(_) => None,
    }
}

fn united(pieces: Vec<Piece>, plan: LogicalPlan) -> Remote {
    let mut remotes = pieces.into_iter().filter_map(|p| match p {
        Piece::Remote(remote) => Some(*remote),
        Piece::Local(_) => None,
    });
    // `one_source` has seen at least one.
    let mut all = remotes.next().expect("a union has inputs");
    for other in remotes {
        all.pushed.extend(other.pushed);
        all.refused.extend(other.refused);
        all.rows = all.rows.zip(other.rows).map(|(a, b)| a + b);
    }
    let rows = all.rows;
    all.grown(plan, "union all".to_owned(), rows)
}

pub(super) fn cut_alias(alias: SubqueryAlias, pushdown: Pushdown) -> Result<Piece> {
    let (name, input) = (alias.alias, Arc::unwrap_or_clone(alias.input));
    let over = |plan: LogicalPlan| {
        SubqueryAlias::try_new(Arc::new(plan), name.clone()).map(LogicalPlan::SubqueryAlias)
    };
    match piece(input, pushdown)? {
        Piece::Local(plan) => over(plan).map(Piece::Local),
        Piece::Remote(mut remote) => {
            remote.plan = over(remote.plan.clone())?;
            Ok(Piece::Remote(remote))
        }
    }
}

//! Brings the relations of one source together.
//!
//! DataFusion joins in the order of `FROM`, so that tables of one source are rarely neighbours
//! (TPC-H q05). Inner joins are free to change places: a region of them is taken apart into its
//! relations and conjuncts, the relations of one source that are connected by keys the source
//! joins exactly become one fragment, and the rest is joined anew, never by a cross join where a
//! key exists.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::{Column, JoinConstraint, JoinType, NullEquality, Result};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Join, LogicalPlan, Operator, Projection};
use inflowave_connector_api::{Capability, Place, Scope};

use super::projection::narrow;
use super::{Piece, Remote, ask, filter, has_subquery, join as joins, piece};
use crate::Pushdown;

/// The region below `join` cut as a whole, or `None` if there is nothing to regroup.
pub(super) fn join(join: &Join, pushdown: Pushdown) -> Result<Option<Piece>> {
    let mut region = Region::default();
    if !free(join) || !region.take_join(join) {
        return Ok(None);
    }
    let mut relations = Vec::new();
    for (index, leaf) in region.leaves.into_iter().enumerate() {
        relations.push(Relation {
            first: index,
            piece: piece(leaf.clone(), pushdown)?,
        });
    }
    let mut conjuncts = region.conjuncts;
    let late = push_exact(&mut relations, &mut conjuncts)?;
    if !merge(&mut relations, &mut conjuncts)? {
        return Ok(None);
    }
    // What a source refused is checked as soon as its relations are here.
    conjuncts.extend(late);
    for relation in &mut relations {
        let (ours, rest) = relation.own(conjuncts);
        conjuncts = rest;
        relation.filter(ours)?;
    }
    let wanted: Vec<Expr> = join
        .schema
        .columns()
        .into_iter()
        .map(Expr::Column)
        .collect();
    for relation in &mut relations {
        relation.narrow(wanted.iter().chain(&conjuncts))?;
    }
    let all = rejoin(relations, conjuncts)?;
    Ok(Some(project(all, wanted, join)?))
}

/// The joins that may change places.
fn free(join: &Join) -> bool {
    join.join_type == JoinType::Inner
        && join.null_equality == NullEquality::NullEqualsNothing
        && !join.null_aware
}

fn movable(conjunct: &Expr) -> bool {
    !conjunct.is_volatile() && !has_subquery(conjunct)
}

#[derive(Default)]
struct Region<'a> {
    leaves: Vec<&'a LogicalPlan>,
    conjuncts: Vec<Expr>,
}

impl<'a> Region<'a> {
    /// `false` if the region holds what may not move.
    fn take_join(&mut self, join: &'a Join) -> bool {
        let equalities = join.on.iter().map(|(l, r)| l.clone().eq(r.clone()));
        self.conjuncts.extend(equalities);
        if let Some(filter) = &join.filter {
            self.conjuncts
                .extend(split_conjunction(filter).into_iter().cloned());
        }
        self.take(&join.left) && self.take(&join.right) && self.conjuncts.iter().all(movable)
    }

    fn take(&mut self, plan: &'a LogicalPlan) -> bool {
        match inner_region(plan) {
            // So that a conjunct which a source refuses does not keep its relation from joins.
            None => match below_columns(plan) {
                LogicalPlan::Filter(filter) if movable(&filter.predicate) => {
                    self.conjuncts
                        .extend(split_conjunction(&filter.predicate).into_iter().cloned());
                    self.leaves.push(&filter.input);
                }
                _ => self.leaves.push(plan),
            },
            Some(LogicalPlan::Join(join)) => return self.take_join(join),
            Some(LogicalPlan::Filter(filter)) => {
                self.conjuncts
                    .extend(split_conjunction(&filter.predicate).into_iter().cloned());
                return self.take(&filter.input);
            }
            Some(_) => return false,
        }
        true
    }
}

/// The free join, or the filter above one, that `plan` is once projections of plain columns are
/// taken off.
fn inner_region(plan: &LogicalPlan) -> Option<&LogicalPlan> {
    match below_columns(plan) {
        LogicalPlan::Join(join) if free(join) => Some(below_columns(plan)),
        LogicalPlan::Filter(filter) if inner_region(&filter.input).is_some() => {
            Some(below_columns(plan))
        }
        _ => None,
    }
}

/// `plan` without the projections on top of it that only leave out columns: the region narrows its
/// relations again.
fn below_columns(plan: &LogicalPlan) -> &LogicalPlan {
    match plan {
        LogicalPlan::Projection(p) if p.expr.iter().all(|e| matches!(e, Expr::Column(_))) => {
            below_columns(&p.input)
        }
        other => other,
    }
}

/// A leaf of the region, or several of one source joined.
struct Relation {
    /// Its place in `FROM`.
    first: usize,
    piece: Piece,
}

impl Relation {
    fn has(&self, column: &Column) -> bool {
        let schema = match &self.piece {
            Piece::Remote(remote) => remote.plan.schema(),
            Piece::Local(plan) => plan.schema(),
        };
        schema.maybe_index_of_column(column).is_some()
    }

    fn covers(&self, expr: &Expr) -> bool {
        expr.column_refs().into_iter().all(|c| self.has(c))
    }

    fn remote(&self) -> Option<&Remote> {
        match &self.piece {
            Piece::Remote(remote) => Some(remote),
            Piece::Local(_) => None,
        }
    }

    /// The conjuncts over this relation alone, and the others.
    fn own(&self, conjuncts: Vec<Expr>) -> (Vec<Expr>, Vec<Expr>) {
        conjuncts
            .into_iter()
            .partition(|c| !c.column_refs().is_empty() && self.covers(c))
    }

    fn filter(&mut self, conjuncts: Vec<Expr>) -> Result<()> {
        let piece = take(&mut self.piece);
        self.piece = filter::on(piece, conjuncts)?;
        Ok(())
    }

    fn narrow<'a>(&mut self, wanted: impl Iterator<Item = &'a Expr>) -> Result<()> {
        if let Piece::Remote(remote) = take(&mut self.piece) {
            self.piece = Piece::Remote(Box::new(narrow(*remote, wanted)?));
        }
        Ok(())
    }
}

/// Leaves an empty local plan in its place if the piece is remote; a local one stays.
fn take(piece: &mut Piece) -> Piece {
    match piece {
        Piece::Local(plan) => Piece::Local(plan.clone()),
        Piece::Remote(_) => std::mem::replace(piece, Piece::Local(LogicalPlan::default())),
    }
}

/// Lets each source filter what it filters exactly. The other conjuncts over one remote relation
/// are given back: as residuals they would keep it from joining at its source.
fn push_exact(relations: &mut [Relation], conjuncts: &mut Vec<Expr>) -> Result<Vec<Expr>> {
    let mut late = Vec::new();
    for relation in relations {
        let (mut ours, rest) = relation.own(std::mem::take(conjuncts));
        *conjuncts = rest;
        if let Some(remote) = relation.remote() {
            let scope = remote.scope();
            let can = remote.node(Capability::Filter, &remote.plan).is_exact();
            let refused;
            (ours, refused) = ours
                .into_iter()
                .partition(|c| can && ask(remote, c, Place::Filter, &scope).is_exact());
            late.extend(refused);
        }
        relation.filter(ours)?;
    }
    Ok(late)
}

/// Joins relations of one source until no two are left that its keys connect. What is used of
/// `conjuncts` is taken out. `false` if there were none.
fn merge(relations: &mut Vec<Relation>, conjuncts: &mut Vec<Expr>) -> Result<bool> {
    let mut merged = false;
    while let Some((left, right)) = mergeable(relations, conjuncts) {
        let right = relations.remove(right);
        let (on, rest) = keys(&relations[left], &right, std::mem::take(conjuncts));
        *conjuncts = rest;
        let (Piece::Remote(l), Piece::Remote(r)) = (take(&mut relations[left].piece), right.piece)
        else {
            return Err(super::external(inflowave_types::Error::internal(
                "merged what is not remote",
            )));
        };
        let joined = inner(&l.plan, &r.plan, on)?;
        let joined = joins::same_source(joined, *l, *r)?;
        // Conditions over both that are not keys: pushed too, where the source can.
        relations[left].piece = joined;
        let (ours, rest) = relations[left].own(std::mem::take(conjuncts));
        *conjuncts = rest;
        relations[left].filter(ours)?;
        merged = true;
    }
    Ok(merged)
}

/// Two relations of one source with an equality between them that the source joins exactly.
fn mergeable(relations: &[Relation], conjuncts: &[Expr]) -> Option<(usize, usize)> {
    let mut by_source: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, relation) in relations.iter().enumerate() {
        if let Some(remote) = relation.remote() {
            let source = Arc::as_ptr(&remote.source).cast::<()>() as usize;
            by_source.entry(source).or_default().push(index);
        }
    }
    for group in by_source.values() {
        for (i, &left) in group.iter().enumerate() {
            for &right in &group[i + 1..] {
                let (l, r) = (relations[left].remote()?, relations[right].remote()?);
                let Ok(scope) = Scope::join(&l.scope(), &r.scope()) else {
                    continue;
                };
                let connects = conjuncts.iter().any(|c| {
                    sides(c, &relations[left], &relations[right]).is_some()
                        && ask(l, c, Place::JoinCondition, &scope).is_exact()
                });
                let can = joins::capability(JoinType::Inner).is_some_and(|c| l.can(c));
                if connects && can {
                    return Some((left, right));
                }
            }
        }
    }
    None
}

/// `(expression over left, expression over right)` if `conjunct` is an equality of such.
fn sides(conjunct: &Expr, left: &Relation, right: &Relation) -> Option<(Expr, Expr)> {
    let Expr::BinaryExpr(BinaryExpr {
        left: a,
        op: Operator::Eq,
        right: b,
    }) = conjunct
    else {
        return None;
    };
    if a.column_refs().is_empty() || b.column_refs().is_empty() {
        return None;
    }
    if left.covers(a) && right.covers(b) {
        Some((a.as_ref().clone(), b.as_ref().clone()))
    } else if left.covers(b) && right.covers(a) {
        Some((b.as_ref().clone(), a.as_ref().clone()))
    } else {
        None
    }
}

type Keys = Vec<(Expr, Expr)>;

/// The equalities between both, and the other conjuncts.
fn keys(left: &Relation, right: &Relation, conjuncts: Vec<Expr>) -> (Keys, Vec<Expr>) {
    let (mut on, mut rest) = (Vec::new(), Vec::new());
    for conjunct in conjuncts {
        match sides(&conjunct, left, right) {
            Some(pair) => on.push(pair),
            None => rest.push(conjunct),
        }
    }
    (on, rest)
}

fn inner(left: &LogicalPlan, right: &LogicalPlan, on: Keys) -> Result<Join> {
    Join::try_new(
        Arc::new(left.clone()),
        Arc::new(right.clone()),
        on,
        None,
        JoinType::Inner,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )
}

/// Joins what is left in the order of `FROM`, the connected ones first.
fn rejoin(mut relations: Vec<Relation>, mut conjuncts: Vec<Expr>) -> Result<Piece> {
    relations.sort_by_key(|r| r.first);
    let mut all = relations.remove(0);
    loop {
        let (ours, rest) = conjuncts.into_iter().partition(|c| all.covers(c));
        conjuncts = rest;
        all.filter(ours)?;
        if relations.is_empty() {
            break;
        }
        let next = relations
            .iter()
            .position(|r| conjuncts.iter().any(|c| sides(c, &all, r).is_some()))
            .unwrap_or(0);
        let next = relations.remove(next);
        let (on, rest) = keys(&all, &next, conjuncts);
        conjuncts = rest;
        let (left, right) = (all.piece.finish()?, next.piece.finish()?);
        all.piece = Piece::Local(LogicalPlan::Join(inner(&left, &right, on)?));
    }
    filter::on(all.piece, conjuncts)
}

/// The columns of the join that the region was, in its order.
fn project(piece: Piece, columns: Vec<Expr>, join: &Join) -> Result<Piece> {
    let over = |input: LogicalPlan, columns: Vec<Expr>| {
        Projection::try_new_with_schema(columns, Arc::new(input), Arc::clone(&join.schema))
            .map(LogicalPlan::Projection)
    };
    match piece {
        Piece::Local(plan) => over(plan, columns).map(Piece::Local),
        Piece::Remote(mut remote) => {
            remote.plan = over(remote.plan.clone(), columns)?;
            Ok(Piece::Remote(remote))
        }
    }
}

//! Makes a failing query smaller until no smaller one still fails.
//!
//! One edit at a time: drop a conjunct, a column, a key, a join, a LIMIT, an arm, an element of a
//! list; put a part of an expression, a column, NULL or a small literal in its place. An edit that
//! leaves a query nobody would write ([`is_sound`]) is not tried.

use std::collections::HashSet;

use crate::Value;
use crate::generate::ast::{Body, Expr, From, JoinKind, Kind, Query, Select, Ty};
use crate::generate::{Universe, is_sound};

/// Runs of `fails` at most: each asks both sides.
const TRIES_MAX: usize = 600;

/// The smallest query that can be reached for which `fails` still holds.
pub async fn shrink(
    query: &Query,
    universe: &Universe,
    mut fails: impl AsyncFnMut(&Query) -> bool,
) -> Query {
    let mut smallest = query.clone();
    let mut tried = HashSet::new();
    'smaller: loop {
        // What takes most away is tried first.
        let mut candidates: Vec<Query> = (0..)
            .map_while(|n| edited(&smallest, n))
            .filter(|c| c.size() < smallest.size() && is_sound(c, universe).is_ok())
            .collect();
        candidates.sort_by_key(Query::size);
        for candidate in candidates {
            if !tried.insert(format!("{candidate:?}")) {
                continue;
            }
            if tried.len() > TRIES_MAX {
                return smallest;
            }
            if fails(&candidate).await {
                smallest = candidate;
                continue 'smaller;
            }
        }
        return smallest;
    }
}

/// The query after its edit number `n`, `None` if it has fewer.
fn edited(query: &Query, n: usize) -> Option<Query> {
    let mut changed = query.clone();
    let mut editor = Editor {
        left: n,
        done: false,
    };
    editor.query(&mut changed);
    editor.done.then_some(changed)
}

struct Editor {
    /// Edits to pass over.
    left: usize,
    done: bool,
}

impl Editor {
    /// Whether this is the edit to make.
    fn hit(&mut self) -> bool {
        if self.done {
            return false;
        }
        if self.left == 0 {
            self.done = true;
            return true;
        }
        self.left -= 1;
        false
    }

    /// Drops one element of a list that keeps at least `min`.
    fn drop_one<T>(&mut self, list: &mut Vec<T>, min: usize) {
        if list.len() <= min {
            return;
        }
        for n in 0..list.len() {
            if self.hit() {
                list.remove(n);
                return;
            }
        }
    }

    fn query(&mut self, query: &mut Query) {
        if query.limit.is_some() && self.hit() {
            query.limit = None;
            return;
        }
        if query.offset.is_some() && self.hit() {
            query.offset = None;
            return;
        }
        self.drop_one(&mut query.order_by, 0);
        self.arms(&mut query.body);
        if self.done {
            query
                .order_by
                .retain(|s| s.column < query.body.first().items.len());
            return;
        }
        self.columns(query);
        if self.done {
            return;
        }
        for select in query.body.selects_mut() {
            self.select(select);
            if self.done {
                return;
            }
        }
    }

    /// One arm instead of a set operation.
    fn arms(&mut self, body: &mut Body) {
        if let Body::Set { left, right, .. } = body {
            if self.hit() {
                *body = (**left).clone();
                return;
            }
            if self.hit() {
                // The names of the output are those of the first arm, and all arms have them.
                *body = (**right).clone();
                return;
            }
            self.arms(left);
            if !self.done {
                self.arms(right);
            }
        }
    }

    /// Drops an output column of every arm.
    fn columns(&mut self, query: &mut Query) {
        let width = query.width();
        if width < 2 {
            return;
        }
        for n in 0..width {
            if self.hit() {
                for select in query.body.selects_mut() {
                    select.items.remove(n);
                }
                query.order_by.retain(|s| s.column != n);
                for sort in &mut query.order_by {
                    if sort.column > n {
                        sort.column -= 1;
                    }
                }
                return;
            }
        }
    }

    fn select(&mut self, select: &mut Select) {
        if select.distinct && self.hit() {
            select.distinct = false;
            return;
        }
        self.drop_one(&mut select.filter, 0);
        self.drop_one(&mut select.having, 0);
        self.drop_one(&mut select.group_by, 0);
        if self.done {
            return;
        }
        self.from(&mut select.from);
        if self.done {
            return;
        }
        let exprs = select
            .items
            .iter_mut()
            .map(|i| &mut i.expr)
            .chain(&mut select.filter)
            .chain(&mut select.having);
        for expr in exprs {
            self.expr(expr);
            if self.done {
                return;
            }
        }
        // A key and the output column that shows it change together.
        for n in 0..select.group_by.len() {
            let before = select.group_by[n].clone();
            self.expr(&mut select.group_by[n]);
            if self.done {
                let after = select.group_by[n].clone();
                for item in &mut select.items {
                    if item.expr == before {
                        item.expr = after.clone();
                    }
                }
                return;
            }
        }
    }

    fn from(&mut self, from: &mut From) {
        match from {
            From::Table { .. } => {}
            From::Query { query, .. } => self.query(query),
            From::Join {
                left,
                right,
                on,
                kind,
                ..
            } => {
                if self.hit() {
                    *from = (**left).clone();
                    return;
                }
                if self.hit() {
                    *from = (**right).clone();
                    return;
                }
                if *kind != JoinKind::Inner && !on.is_empty() && self.hit() {
                    *kind = JoinKind::Inner;
                    return;
                }
                self.drop_one(on, 1);
                for expr in on.iter_mut() {
                    if !self.done {
                        self.expr(expr);
                    }
                }
                if !self.done {
                    self.from(left);
                }
                if !self.done {
                    self.from(right);
                }
            }
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        if expr.is_leaf() {
            self.leaf(expr);
            return;
        }
        // A part of the same type in place of the whole, nearest first.
        let parts: Vec<Expr> = expr
            .children()
            .into_iter()
            .filter(|child| child.ty.agrees(expr.ty))
            .cloned()
            .collect();
        for part in parts {
            if self.hit() {
                *expr = part;
                return;
            }
        }
        for literal in smaller_literals(expr.ty) {
            if self.hit() {
                *expr = Expr::literal(expr.ty, literal);
                return;
            }
        }
        // A column of the expression, wherever it stands in it.
        let mut columns = Vec::new();
        expr.any(&mut |e| {
            if matches!(e.kind, Kind::Column(_)) && e.ty.agrees(expr.ty) && !columns.contains(e) {
                columns.push(e.clone());
            }
            false
        });
        for column in columns {
            if self.hit() {
                *expr = column;
                return;
            }
        }
        match &mut expr.kind {
            Kind::InList { list, .. } | Kind::Quantified { list, .. } => self.drop_one(list, 1),
            Kind::Case { arms, otherwise } => {
                self.drop_one(arms, 1);
                if otherwise.is_some() && self.hit() {
                    *otherwise = None;
                }
            }
            Kind::Aggregate {
                filter, distinct, ..
            } => {
                if filter.is_some() && self.hit() {
                    *filter = None;
                }
                if *distinct && self.hit() {
                    *distinct = false;
                }
            }
            Kind::Window { partition_by, .. } => self.drop_one(partition_by, 0),
            Kind::Like { pattern, .. } => {
                // Patterns shrink by a character; an escape must keep what it escapes.
                let chars: Vec<char> = pattern.chars().collect();
                if !pattern.contains(['\\', '!']) && chars.len() > 1 {
                    for n in 0..chars.len() {
                        if self.hit() {
                            *pattern = chars
                                .iter()
                                .enumerate()
                                .filter(|(i, _)| *i != n)
                                .map(|(_, c)| *c)
                                .collect();
                            return;
                        }
                    }
                }
            }
            _ => {}
        }
        if self.done {
            return;
        }
        if let Some(query) = expr.subquery_mut() {
            self.query(query);
        }
        for child in expr.children_mut() {
            if self.done {
                return;
            }
            self.expr(child);
        }
    }

    fn leaf(&mut self, expr: &mut Expr) {
        for literal in smaller_literals(expr.ty) {
            if self.hit() {
                *expr = Expr::literal(expr.ty, literal);
                return;
            }
        }
    }
}

/// What a literal or an expression of a type may become.
fn smaller_literals(ty: Ty) -> Vec<Value> {
    match ty {
        Ty::Bool => vec![Value::Bool(true), Value::Null],
        Ty::Int2 | Ty::Int4 | Ty::Int8 => vec![Value::Int(1), Value::Null],
        _ => vec![Value::Null],
    }
}

//! Whole queries: plain, grouped, distinct, windowed, set operations; sorted and limited.

use super::Generator;
use super::ast::{Body, Expr, Item, Kind, Query, Select, Sort, Ty, WindowSort};
use super::expr::{Made, Want};
use super::rule::tolerance;
use super::scope::{Scope, column};
use crate::Value;
use crate::compare::Tolerance;
use crate::table::Bounds;

/// Output columns named `o0`, `o1`, ..
pub(super) fn items(exprs: Vec<Expr>) -> Vec<Item> {
    exprs
        .into_iter()
        .enumerate()
        .map(|(n, expr)| Item {
            expr,
            alias: format!("o{n}"),
        })
        .collect()
}

impl Generator<'_> {
    pub(super) fn top(&mut self) -> Query {
        let depth = self.grammar.depth_max;
        let (body, _) = self.body(depth);
        let mut query = Query {
            body,
            order_by: Vec::new(),
            limit: None,
            offset: None,
        };
        if self.random.chance(38) {
            let total = self.random.chance(45);
            self.sort(&mut query, total);
        }
        if self.random.chance(24) {
            query.limit = Some(self.random.pick(&[0, 1, 2, 3, 5, 10, 10, 50]));
            if self.random.chance(25) {
                query.offset = Some(self.random.below(6));
            }
        }
        query
    }

    /// A query for a derived table, with its estimated rows. A LIMIT there needs a total order.
    pub(super) fn nested(&mut self, depth: u32) -> (Query, f64) {
        let (body, mut rows) = self.body(depth);
        let mut query = Query {
            body,
            order_by: Vec::new(),
            limit: None,
            offset: None,
        };
        if self.random.chance(20) {
            self.sort(&mut query, true);
            if query.order_by.len() == query.width() {
                let limit = self.random.between(1, 20);
                query.limit = Some(limit.unsigned_abs());
                rows = rows.min(limit as f64);
            } else {
                query.order_by.clear();
            }
        }
        (query, rows)
    }

    /// Sorts by some exact output columns, or by all of them.
    fn sort(&mut self, query: &mut Query, all: bool) {
        let mut columns: Vec<usize> = (0..query.width())
            .filter(|&c| {
                query
                    .body
                    .selects()
                    .iter()
                    .all(|s| tolerance(&s.items[c].expr) == Tolerance::Exact)
            })
            .collect();
        for n in (1..columns.len()).rev() {
            let other = self.random.below(n as u64 + 1) as usize;
            columns.swap(n, other);
        }
        if !all {
            columns.truncate(1 + self.random.below(2) as usize);
        }
        query.order_by = columns
            .into_iter()
            .map(|column| Sort {
                column,
                descending: self.random.chance(40),
                nulls_first: self.random.chance(35).then(|| self.random.chance(50)),
                by_number: self.random.chance(20),
            })
            .collect();
    }

    fn body(&mut self, depth: u32) -> (Body, f64) {
        if depth > 0 && self.grammar.set_operations && self.random.chance(11) {
            return self.set_operation(depth - 1);
        }
        let relations = self.relation_count();
        let (from, scope) = self.from(relations, depth.saturating_sub(1));
        let aggregates = self.grammar.aggregates;
        let windows = self.grammar.windows;
        let shape = self.random.weighted(&[
            50,
            if aggregates { 30 } else { 0 },
            8,
            if windows { 9 } else { 0 },
        ]);
        let rows = scope.rows;
        let filter = self.filter(&scope, depth);
        let mut select = Select {
            distinct: false,
            items: Vec::new(),
            from,
            filter,
            group_by: Vec::new(),
            having: Vec::new(),
        };
        match shape {
            1 => self.grouped(&mut select, &scope, depth),
            2 => {
                select.distinct = true;
                let count = 1 + self.random.below(3) as usize;
                select.items = items((0..count).map(|_| self.exact(&scope, depth)).collect());
            }
            3 => {
                let mut exprs: Vec<Expr> = (0..2).map(|_| self.exact(&scope, 0)).collect();
                exprs.push(self.window(&scope));
                select.items = items(exprs);
            }
            _ => {
                let count = 1 + self.random.below(5) as usize;
                select.items = items((0..count).map(|_| self.output(&scope, depth)).collect());
            }
        }
        (Body::Select(Box::new(select)), rows)
    }

    /// A value of any kind, exact.
    fn exact(&mut self, scope: &Scope, depth: u32) -> Expr {
        let want = self.want(scope);
        self.value(scope, want, depth).expr
    }

    /// An output value: now and then a quotient, or a scalar subquery.
    fn output(&mut self, scope: &Scope, depth: u32) -> Expr {
        if depth > 0 && self.random.chance(5) {
            let left = self.leaf(scope, Want::Numeric).expr;
            let divisor = self.random.pick(&["3.00", "7.5", "-0.3", "1000"]);
            let divisor = Made {
                expr: Expr::literal(Ty::Numeric(6, 3), Value::decimal(divisor)),
                bounds: Bounds::Unknown,
            };
            return Expr::new(
                Ty::Numeric(38, 16),
                Kind::Binary {
                    op: "/",
                    left: Box::new(left),
                    right: Box::new(divisor.expr),
                    may_fail: false,
                },
            );
        }
        if depth > 0 && self.grammar.subqueries && self.grammar.aggregates && self.random.chance(4)
        {
            let (from, inner) = self.table();
            let filter: Vec<Expr> = self.correlation(&inner, scope).into_iter().collect();
            let item = self.aggregate(&inner, 0);
            if tolerance(&item) == Tolerance::Exact && !filter.is_empty() {
                let ty = item.ty;
                return Expr::new(
                    ty,
                    Kind::Scalar(Box::new(Query::select(Select {
                        distinct: false,
                        items: items(vec![item]),
                        from,
                        filter,
                        group_by: Vec::new(),
                        having: Vec::new(),
                    }))),
                );
            }
        }
        self.exact(scope, depth)
    }

    fn grouped(&mut self, select: &mut Select, scope: &Scope, depth: u32) {
        let keys = self.random.weighted(&[25, 50, 25]);
        for _ in 0..keys {
            let key_depth = if self.random.chance(30) { 1 } else { 0 };
            let key = self.exact(scope, key_depth);
            // A constant key is another thing in PostgreSQL, an integer one a position.
            let named = key.any(&mut |e| matches!(e.kind, Kind::Column(_)));
            let plain = !key.any(&mut |e| e.subquery().is_some());
            if named && plain && !select.group_by.contains(&key) {
                select.group_by.push(key);
            }
        }
        let mut exprs: Vec<Expr> = select
            .group_by
            .clone()
            .into_iter()
            .filter(|_| self.random.chance(85))
            .collect();
        let count = if exprs.is_empty() { 1 } else { 0 } + self.random.below(3);
        for _ in 0..count {
            exprs.push(self.aggregate(scope, depth.min(1)));
        }
        if exprs.is_empty() {
            exprs.push(self.aggregate(scope, 0));
        }
        select.items = items(exprs);
        if self.random.chance(25) {
            let aggregate = self.aggregate(scope, 0);
            if tolerance(&aggregate) == Tolerance::Exact {
                let condition = match Want::of(aggregate.ty) {
                    Want::Int | Want::Numeric => {
                        let literal = self.literal(Want::Int, None).expr;
                        let op = self.random.pick(&[">", "<", ">=", "<>"]);
                        Expr::binary(op, aggregate, literal)
                    }
                    Want::Bool => aggregate,
                    _ => Expr::new(
                        Ty::Bool,
                        Kind::IsNull {
                            arg: Box::new(aggregate),
                            negated: true,
                        },
                    ),
                };
                select.having.push(condition);
            }
        }
    }

    fn aggregate(&mut self, scope: &Scope, depth: u32) -> Expr {
        let make = |ty, name, distinct, arg: Option<Expr>| {
            Expr::new(
                ty,
                Kind::Aggregate {
                    name,
                    distinct,
                    arg: arg.map(Box::new),
                    filter: None,
                },
            )
        };
        let mut expr = match self.random.weighted(&[20, 12, 10, 26, 22, 10]) {
            0 => make(Ty::Int8, "count", false, None),
            1 => make(Ty::Int8, "count", false, Some(self.exact(scope, depth))),
            2 => make(Ty::Int8, "count", true, Some(self.exact(scope, 0))),
            3 => {
                let want = self.want(scope);
                let Made { expr, .. } = self.value(scope, want, depth);
                // PostgreSQL 15 has no min and max of these.
                if matches!(want, Want::Bool | Want::Uuid | Want::Bytes | Want::Char) {
                    make(Ty::Int8, "count", false, Some(expr))
                } else {
                    let name = self.random.pick(&["min", "max"]);
                    make(expr.ty, name, false, Some(expr))
                }
            }
            4 => self.sum(scope, depth),
            _ => {
                let arg = self.value(scope, Want::Bool, depth).expr;
                let name = self.random.pick(&["bool_and", "bool_or"]);
                make(Ty::Bool, name, false, Some(arg))
            }
        };
        if self.grammar.aggregate_filter
            && self.random.chance(12)
            && let Kind::Aggregate { filter, .. } = &mut expr.kind
        {
            *filter = Some(Box::new(self.simple_predicate(scope, 0)));
        }
        expr
    }

    /// `sum` and `avg` over what cannot overflow, and over floats only where any order of
    /// additions stays within the tolerance.
    fn sum(&mut self, scope: &Scope, depth: u32) -> Expr {
        let moderate = scope.columns(|c| c.ty == Ty::Float && c.bounds == Bounds::Moderate);
        let average = self.random.chance(35);
        let arg = if !moderate.is_empty() && self.random.chance(25) {
            let (alias, found) = self.random.pick(&moderate);
            column(alias, found)
        } else {
            let want = if self.random.chance(50) {
                Want::Numeric
            } else {
                Want::Int
            };
            let made = self.value(scope, want, depth).expr;
            match made.ty {
                Ty::Numeric(p, _) if p > 30 => self.value(scope, Want::Int, 0).expr,
                _ => made,
            }
        };
        let ty = match (average, arg.ty) {
            (_, Ty::Float) => Ty::Float,
            (false, Ty::Int2 | Ty::Int4) => Ty::Int8,
            (false, Ty::Numeric(p, s)) => Ty::Numeric((p + 8).min(38), s),
            (false, _) => Ty::Numeric(30, 0),
            (true, _) => Ty::Numeric(38, 16),
        };
        let distinct = arg.ty != Ty::Float && self.random.chance(10);
        Expr::new(
            ty,
            Kind::Aggregate {
                name: if average { "avg" } else { "sum" },
                distinct,
                arg: Some(Box::new(arg)),
                filter: None,
            },
        )
    }

    /// A window function whose value does not depend on the order of peers.
    fn window(&mut self, scope: &Scope) -> Expr {
        let keys = scope.keys();
        let mut partition_by = Vec::new();
        if self.random.chance(65) {
            let key = self.exact(scope, 0);
            if matches!(key.kind, Kind::Column(_)) {
                partition_by.push(key);
            }
        }
        let mut order_by: Vec<WindowSort> = Vec::new();
        let key = self.exact(scope, 0);
        if matches!(key.kind, Kind::Column(_)) {
            order_by.push(WindowSort {
                expr: key,
                descending: self.random.chance(40),
            });
        }
        let total = |order_by: &mut Vec<WindowSort>, keys: Vec<Expr>| {
            order_by.extend(keys.into_iter().map(|expr| WindowSort {
                expr,
                descending: false,
            }));
        };
        let (mut rows_preceding, mut args) = (None, Vec::new());
        let (ty, name) = match (self.random.below(6), keys) {
            (0, Some(keys)) => {
                total(&mut order_by, keys);
                (Ty::Int8, "row_number")
            }
            (1, Some(keys)) => {
                total(&mut order_by, keys);
                let arg = self.exact(scope, 0);
                let ty = arg.ty;
                args.push(arg);
                (
                    ty,
                    self.random
                        .pick(&["lag", "lead", "first_value", "last_value"]),
                )
            }
            (2, Some(keys)) => {
                total(&mut order_by, keys);
                rows_preceding = Some(self.random.between(0, 3) as u32);
                let arg = self.leaf(scope, Want::Int).expr;
                let ty = if arg.ty == Ty::Int8 {
                    Ty::Numeric(30, 0)
                } else {
                    Ty::Int8
                };
                args.push(arg);
                (ty, "sum")
            }
            (3, _) if !order_by.is_empty() => (Ty::Int8, self.random.pick(&["rank", "dense_rank"])),
            (4, _) => {
                let arg = self.leaf(scope, Want::Int).expr;
                let ty = if arg.ty == Ty::Int8 {
                    Ty::Numeric(30, 0)
                } else {
                    Ty::Int8
                };
                args.push(arg);
                (ty, "sum")
            }
            _ => {
                args.push(self.exact(scope, 0));
                (Ty::Int8, "count")
            }
        };
        Expr::new(
            ty,
            Kind::Window {
                name,
                args,
                partition_by,
                order_by,
                rows_preceding,
            },
        )
    }

    fn set_operation(&mut self, depth: u32) -> (Body, f64) {
        let (left_from, left_scope) = self.from(1, 0);
        let (right_from, right_scope) = match left_scope.relations.first().and_then(|r| r.table) {
            // Two arms over one table have rows in common.
            Some(table) if self.random.chance(50) => self.table_of(table),
            _ => self.from(1, 0),
        };
        let width = 1 + self.random.below(3) as usize;
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for _ in 0..width {
            let want = self.want(&left_scope);
            let value_depth = depth.min(1);
            let a = self.value(&left_scope, want, value_depth).expr;
            let same = a.clone();
            let mut b = self.value(&right_scope, want, value_depth).expr;
            // The same column of the same table, half of the time.
            if let (Kind::Column(c), Some(r)) = (&same.kind, right_scope.relations.first())
                && self.random.chance(50)
                && let Some(found) = r
                    .columns
                    .iter()
                    .find(|x| x.name == c.name && x.ty == same.ty)
            {
                b = column(&r.alias, found);
            }
            let (a, b) = agreed(a, b);
            left.push(a);
            right.push(b);
        }
        let left_filter = self.filter(&left_scope, 1);
        let right_filter = self.filter(&right_scope, 1);
        let select = |exprs, from, filter| {
            Box::new(Body::Select(Box::new(Select {
                distinct: false,
                items: items(exprs),
                from,
                filter,
                group_by: Vec::new(),
                having: Vec::new(),
            })))
        };
        let rows = left_scope.rows + right_scope.rows;
        let mut body = Body::Set {
            op: self.random.pick(&["UNION", "UNION", "INTERSECT", "EXCEPT"]),
            all: self.random.chance(45),
            left: select(left, left_from, left_filter),
            right: select(right, right_from, right_filter),
        };
        if self.random.chance(25) {
            // UNION over UNION ALL, and the like.
            let third = match &body {
                Body::Set { right, .. } => self.renamed(right),
                Body::Select(_) => None,
            };
            let Some(third) = third else {
                return (body, rows);
            };
            body = Body::Set {
                op: self.random.pick(&["UNION", "INTERSECT", "EXCEPT"]),
                all: self.random.chance(50),
                left: Box::new(body),
                right: Box::new(third),
            };
        }
        (body, rows)
    }

    /// The same SELECT of a table under an alias of its own.
    fn renamed(&mut self, body: &Body) -> Option<Body> {
        let Body::Select(select) = body else {
            return None;
        };
        let mut select = select.clone();
        let super::ast::From::Table { alias, .. } = &mut select.from else {
            return None;
        };
        let new = self.alias();
        let old = std::mem::replace(alias, new.clone());
        for item in &mut select.items {
            rename(&mut item.expr, &old, &new);
        }
        select.filter.clear();
        Some(Body::Select(select))
    }
}

fn rename(expr: &mut Expr, old: &str, new: &str) {
    if let Kind::Column(c) = &mut expr.kind
        && c.relation == old
    {
        new.clone_into(&mut c.relation);
    }
    for child in expr.children_mut() {
        rename(child, old, new);
    }
}

/// Two arms of one type: integers widened, other types left as they are.
fn agreed(a: Expr, b: Expr) -> (Expr, Expr) {
    let widen = |e: Expr| {
        if e.ty == Ty::Int8 {
            e
        } else {
            Expr::new(
                Ty::Int8,
                Kind::Cast {
                    arg: Box::new(e),
                    may_fail: false,
                },
            )
        }
    };
    if a.ty.is_integer() && a.ty != b.ty {
        (widen(a), widen(b))
    } else {
        (a, b)
    }
}

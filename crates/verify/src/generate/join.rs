//! FROM clauses: tables and derived tables, joined where the data has partners and not too many.

use super::Generator;
use super::ast::{Expr, From, JoinKind, Ty};
use super::rule::tolerance;
use super::scope::{Relation, Scope, ScopeColumn, column};
use crate::compare::Tolerance;
use crate::table::Bounds;

impl Generator<'_> {
    /// A FROM clause with up to `relations` relations.
    pub(super) fn from(&mut self, relations: usize, depth: u32) -> (From, Scope) {
        let (mut from, mut scope) = self.relation(depth);
        for _ in 1..relations {
            let (other, other_scope) = self.relation(depth);
            if let Some((kind, on, rows)) = self.join(&scope, &other_scope, depth) {
                from = From::Join {
                    kind,
                    left: Box::new(from),
                    right: Box::new(other),
                    on,
                };
                scope.relations.extend(other_scope.relations);
                scope.rows = rows;
            }
        }
        (from, scope)
    }

    /// How many relations a FROM clause gets.
    pub(super) fn relation_count(&mut self) -> usize {
        if !self.grammar.joins {
            return 1;
        }
        (1 + self.random.weighted(&[50, 33, 17])).min(self.grammar.relations_max)
    }

    fn relation(&mut self, depth: u32) -> (From, Scope) {
        if depth > 0 && self.grammar.derived_tables && self.random.chance(14) {
            return self.derived(depth - 1);
        }
        self.table()
    }

    /// A table, those to join more often than the rest.
    pub(super) fn table(&mut self) -> (From, Scope) {
        let weights: Vec<u32> = self.universe.tables.iter().map(|t| t.weight).collect();
        let table = self.random.weighted(&weights);
        self.table_of(table)
    }

    pub(super) fn table_of(&mut self, table: usize) -> (From, Scope) {
        let alias = self.alias();
        let facts = &self.universe.tables[table];
        let relation = Relation {
            alias: alias.clone(),
            table: Some(table),
            key: facts.key,
            columns: facts
                .columns
                .iter()
                .enumerate()
                .map(|(n, c)| ScopeColumn {
                    name: c.name.clone(),
                    ty: c.ty,
                    tolerance: Tolerance::Exact,
                    bounds: c.bounds,
                    origin: Some((table, n)),
                })
                .collect(),
        };
        let scope = Scope {
            relations: vec![relation],
            rows: facts.rows as f64,
        };
        (From::Table { table, alias }, scope)
    }

    fn derived(&mut self, depth: u32) -> (From, Scope) {
        let (query, rows) = self.nested(depth);
        let alias = self.alias();
        let mut tolerances = vec![Tolerance::Exact; query.width()];
        for select in query.body.selects() {
            for (known, item) in tolerances.iter_mut().zip(&select.items) {
                if *known == Tolerance::Exact {
                    *known = tolerance(&item.expr);
                }
            }
        }
        let columns = query
            .types()
            .into_iter()
            .zip(&query.body.first().items)
            .zip(tolerances)
            .map(|((ty, item), tolerance)| ScopeColumn {
                name: item.alias.clone(),
                ty,
                tolerance,
                bounds: Bounds::Unknown,
                origin: None,
            })
            .collect();
        let scope = Scope {
            relations: vec![Relation {
                alias: alias.clone(),
                table: None,
                key: None,
                columns,
            }],
            rows,
        };
        let query = Box::new(query);
        (From::Query { query, alias }, scope)
    }

    /// How to join `right` to `left`: the kind, the condition, the estimated rows.
    fn join(
        &mut self,
        left: &Scope,
        right: &Scope,
        depth: u32,
    ) -> Option<(JoinKind, Vec<Expr>, f64)> {
        let product = left.rows * right.rows;
        if product <= 400.0 && self.random.chance(6) {
            return Some((JoinKind::Cross, Vec::new(), product));
        }
        let mut edges = self.edges(left, right);
        // A foreign key is what people join by; it is listed often.
        let foreign: Vec<_> = edges.iter().filter(|e| e.foreign).cloned().collect();
        for _ in 0..foreign.len().min(4) {
            edges.extend(foreign.iter().cloned());
        }
        if edges.is_empty() {
            return (product <= self.grammar.join_rows_max).then_some((
                JoinKind::Cross,
                Vec::new(),
                product,
            ));
        }
        let edge = self.random.pick(&edges);
        let kind = if self.grammar.outer_joins {
            [
                JoinKind::Inner,
                JoinKind::Left,
                JoinKind::Right,
                JoinKind::Full,
            ][self.random.weighted(&[50, 28, 10, 12])]
        } else {
            JoinKind::Inner
        };
        let mut on = vec![Expr::binary("=", edge.left, edge.right)];
        // PostgreSQL joins fully by equality only.
        if kind != JoinKind::Full && self.random.chance(22) {
            let mut both = left.clone();
            both.relations.extend(right.relations.iter().cloned());
            on.push(self.simple_predicate(&both, depth.min(1)));
        }
        Some((kind, on, edge.rows.max(left.rows.max(right.rows))))
    }

    fn edges(&self, left: &Scope, right: &Scope) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (la, lc) in left.columns(|c| joinable(c.ty)) {
            for (ra, rc) in right.columns(|c| joinable(c.ty)) {
                if !(lc.ty == rc.ty || lc.ty.is_integer() && rc.ty.is_integer()) {
                    continue;
                }
                let rows = match (lc.origin, rc.origin) {
                    (Some(l), Some(r)) => {
                        let tables = &self.universe.tables;
                        let (lt, rt) = (&tables[l.0], &tables[r.0]);
                        let (small, large) = (&lt.columns[l.1].counts, &rt.columns[r.1].counts);
                        let known = lt.columns[l.1].share.min(rt.columns[r.1].share);
                        let pairs: usize = small
                            .iter()
                            .map(|(value, n)| n * large.get(value).copied().unwrap_or(0))
                            .sum();
                        if pairs == 0 {
                            continue;
                        }
                        let share = |whole: f64, table: usize| whole / (table.max(1) as f64);
                        pairs as f64 / known
                            * share(left.rows, lt.rows)
                            * share(right.rows, rt.rows)
                    }
                    _ => left.rows * right.rows / 8.0,
                };
                if rows <= self.grammar.join_rows_max {
                    edges.push(Edge {
                        left: column(la, lc),
                        right: column(ra, rc),
                        rows,
                        foreign: lc.name.ends_with("_id") != rc.name.ends_with("_id")
                            && (lc.name == "id" || rc.name == "id"),
                    });
                }
            }
        }
        edges
    }

    /// An equality between a column of a subquery and one of the query around it.
    pub(super) fn correlation(&mut self, inner: &Scope, outer: &Scope) -> Option<Expr> {
        let edges = self.edges(inner, outer);
        if edges.is_empty() {
            return None;
        }
        let edge = self.random.pick(&edges);
        Some(Expr::binary("=", edge.left, edge.right))
    }
}

#[derive(Clone)]
struct Edge {
    left: Expr,
    right: Expr,
    rows: f64,
    foreign: bool,
}

fn joinable(ty: Ty) -> bool {
    matches!(
        ty,
        Ty::Int2
            | Ty::Int4
            | Ty::Int8
            | Ty::Text
            | Ty::Char
            | Ty::Date
            | Ty::Numeric(..)
            | Ty::Float
            | Ty::Timestamp
    )
}

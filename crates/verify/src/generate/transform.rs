//! Two ways to ask the same question differently.
//!
//! TLP (ternary logic partitioning, Rigger and Su, OOPSLA 2020): the rows where a predicate holds,
//! does not, and is NULL make the whole. NoREC (non-optimizing reference engine construction,
//! Rigger and Su, ESEC/FSE 2020): the rows that a WHERE keeps are as many as those for which the
//! predicate, computed as an output column, is true.

use super::Universe;
use super::ast::{Body, Expr, Item, Kind, Query, Select, Ty};
use crate::Value;

/// The whole, and its three parts by a predicate.
#[derive(Debug, Clone, PartialEq)]
pub struct Partition {
    pub whole: Query,
    pub parts: [Query; 3],
}

/// The rows kept by a WHERE, counted, and the values of its predicate for every row.
#[derive(Debug, Clone, PartialEq)]
pub struct Rewrite {
    /// One row: how many rows the WHERE keeps.
    pub counted: Query,
    /// One column: what the predicate is for each row of the FROM.
    pub computed: Query,
}

/// TLP for a SELECT that shows rows; `None` for one that groups, limits or combines.
pub fn tlp(query: &Query) -> Option<Partition> {
    let (select, predicate) = filtered(query)?;
    if select.distinct || select.items.iter().any(|i| i.expr.has_window()) {
        return None;
    }
    let with = |filter: Vec<Expr>| {
        Query::select(Select {
            filter,
            ..select.clone()
        })
    };
    Some(Partition {
        whole: with(Vec::new()),
        parts: [
            with(vec![predicate.clone()]),
            with(vec![Expr::new(
                Ty::Bool,
                Kind::Not(Box::new(predicate.clone())),
            )]),
            with(vec![Expr::new(
                Ty::Bool,
                Kind::IsNull {
                    arg: Box::new(predicate),
                    negated: false,
                },
            )]),
        ],
    })
}

/// NoREC for any SELECT with a WHERE.
pub fn norec(query: &Query) -> Option<Rewrite> {
    let (select, predicate) = filtered(query)?;
    let item = |expr| {
        vec![Item {
            expr,
            alias: "o0".to_owned(),
        }]
    };
    let plain = |items, filter| {
        Query::select(Select {
            distinct: false,
            items,
            filter,
            group_by: Vec::new(),
            having: Vec::new(),
            ..select.clone()
        })
    };
    let count = Expr::new(
        Ty::Int8,
        Kind::Aggregate {
            name: "count",
            distinct: false,
            arg: None,
            filter: None,
        },
    );
    Some(Rewrite {
        counted: plain(item(count), select.filter.clone()),
        computed: plain(item(predicate), Vec::new()),
    })
}

impl Rewrite {
    /// Rows for which the predicate is true.
    pub fn kept(computed: &[Vec<Value>]) -> i64 {
        computed
            .iter()
            .filter(|row| row.first() == Some(&Value::Bool(true)))
            .count() as i64
    }
}

impl Partition {
    /// Whether a query of the universe can be split so.
    pub fn is_sound(&self, universe: &Universe) -> bool {
        std::iter::once(&self.whole)
            .chain(&self.parts)
            .all(|q| super::is_sound(q, universe).is_ok())
    }
}

/// The SELECT of a query and its WHERE in one piece.
fn filtered(query: &Query) -> Option<(&Select, Expr)> {
    let Body::Select(select) = &query.body else {
        return None;
    };
    if select.is_grouped() {
        return None;
    }
    let mut conjuncts = select.filter.iter().cloned();
    let first = conjuncts.next()?;
    Some((
        select,
        conjuncts.fold(first, |all, next| Expr::binary("AND", all, next)),
    ))
}

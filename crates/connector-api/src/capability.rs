//! What a source can do, and how exactly.

use std::borrow::Cow;
use std::fmt;

/// The answer of a source to "can you compute this, here, with our meaning?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// The source's result is ours, for every row.
    Exact,
    /// As a filter: every row that we would keep is kept, and perhaps more. It is pushed *and* kept
    /// as a residual, and nothing that depends on exact rows may be pushed above it.
    Superset,
    /// Not pushed; the reason is shown to the user.
    No(Cow<'static, str>),
}

impl Support {
    pub fn no(reason: impl Into<Cow<'static, str>>) -> Self {
        Support::No(reason.into())
    }

    pub fn is_exact(&self) -> bool {
        matches!(self, Support::Exact)
    }

    /// The weaker of two answers, for an expression that needs both.
    #[must_use]
    pub fn and(self, other: impl FnOnce() -> Support) -> Support {
        match self {
            Support::No(_) => self,
            Support::Exact => other(),
            Support::Superset => match other() {
                Support::Exact => Support::Superset,
                weaker => weaker,
            },
        }
    }
}

/// Where an expression stands: the same expression may be fine as a filter and wrong as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A conjunct of `WHERE`; the only place where [`Support::Superset`] may be answered.
    Filter,
    /// An output value.
    Projection,
    /// A key of `GROUP BY` or `DISTINCT`.
    GroupKey,
    /// An aggregate call, whole.
    Aggregate,
    /// A key of `ORDER BY`.
    SortKey,
    /// One side of an equality of a join, or its further condition.
    JoinCondition,
    /// A window function call, whole.
    Window,
}

/// A kind of work that a connector declares; the conformance suite draws its cases from this list,
/// and tests that what is not declared is never pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Only the columns that are needed are read.
    Projection,
    /// Comparisons, `IN`, `BETWEEN`, `IS NULL` and Boolean logic in `WHERE`.
    Filter,
    /// Computed output columns.
    Expressions,
    Limit,
    /// `ORDER BY .. LIMIT n`.
    TopN,
    Aggregate,
    /// `DISTINCT`, and `GROUP BY` without aggregates.
    Distinct,
    InnerJoin,
    /// Left, right and full joins.
    OuterJoin,
    /// `EXISTS`, `IN (subquery)` and their negations.
    SemiJoin,
    UnionAll,
    Window,
}

impl Capability {
    pub const ALL: &'static [Capability] = &[
        Capability::Projection,
        Capability::Filter,
        Capability::Expressions,
        Capability::Limit,
        Capability::TopN,
        Capability::Aggregate,
        Capability::Distinct,
        Capability::InnerJoin,
        Capability::OuterJoin,
        Capability::SemiJoin,
        Capability::UnionAll,
        Capability::Window,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Capability::Projection => "projection",
            Capability::Filter => "filter",
            Capability::Expressions => "expressions",
            Capability::Limit => "limit",
            Capability::TopN => "top_n",
            Capability::Aggregate => "aggregate",
            Capability::Distinct => "distinct",
            Capability::InnerJoin => "inner_join",
            Capability::OuterJoin => "outer_join",
            Capability::SemiJoin => "semi_join",
            Capability::UnionAll => "union_all",
            Capability::Window => "window",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weaker_answer_wins() {
        assert_eq!(Support::Exact.and(|| Support::Superset), Support::Superset);
        assert_eq!(Support::Superset.and(|| Support::Exact), Support::Superset);
        assert_eq!(Support::Superset.and(|| Support::no("x")), Support::no("x"));
        assert_eq!(
            Support::no("x").and(|| panic!("not asked")),
            Support::no("x")
        );
    }
}

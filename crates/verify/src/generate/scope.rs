//! What an expression may name: the columns of a FROM clause, with what is known of their values.

use super::ast::{ColumnRef, Expr, Kind, Ty};
use crate::compare::Tolerance;
use crate::table::Bounds;

/// A relation of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub alias: String,
    /// The table behind it, if it is no derived table.
    pub table: Option<usize>,
    /// Which of its columns orders its rows totally.
    pub key: Option<usize>,
    pub columns: Vec<ScopeColumn>,
}

/// A column of it.
#[derive(Debug, Clone)]
pub(super) struct ScopeColumn {
    pub name: String,
    pub ty: Ty,
    pub tolerance: Tolerance,
    pub bounds: Bounds,
    /// Its index in the table.
    pub origin: Option<(usize, usize)>,
}

/// The relations of a FROM clause.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub relations: Vec<Relation>,
    /// Estimated.
    pub rows: f64,
}

impl Scope {
    /// Its exact columns for which `test` holds, each with the alias of its relation.
    pub fn columns(&self, test: impl Fn(&ScopeColumn) -> bool) -> Vec<(&str, &ScopeColumn)> {
        self.relations
            .iter()
            .flat_map(|r| r.columns.iter().map(move |c| (r.alias.as_str(), c)))
            .filter(|(_, c)| c.tolerance == Tolerance::Exact && test(c))
            .collect()
    }

    /// The keys of its tables, which order its rows totally; `None` if one has none, such as a
    /// derived table.
    pub fn keys(&self) -> Option<Vec<Expr>> {
        self.relations
            .iter()
            .map(|r| {
                let key = r.columns.get(r.key?)?;
                Some(column(&r.alias, key))
            })
            .collect()
    }
}

/// A reference to a column.
pub(super) fn column(alias: &str, column: &ScopeColumn) -> Expr {
    Expr::new(
        column.ty,
        Kind::Column(ColumnRef {
            relation: alias.to_owned(),
            name: column.name.clone(),
            tolerance: column.tolerance,
        }),
    )
}

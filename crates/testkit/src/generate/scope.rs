//! What an expression may name: the columns of a FROM clause, with what is known of their values.

use std::collections::HashMap;

use super::ast::{ColumnRef, Expr, Kind, Ty};
use crate::Value;
use crate::compare::Tolerance;
use crate::trap::{TrapTable, TrapType};

/// Columns of a table that queries may name: enough of the wide one.
const COLUMNS_MAX: usize = 16;

/// What is known of a table.
#[derive(Debug, Clone)]
pub(super) struct TableFacts {
    pub rows: usize,
    pub columns: Vec<ColumnFacts>,
}

/// What is known of a column.
#[derive(Debug, Clone)]
pub(super) struct ColumnFacts {
    pub name: String,
    pub ty: Ty,
    pub bounds: Bounds,
    /// Each value that is not NULL, as text, with how often it stands there.
    pub counts: HashMap<String, usize>,
    /// The values that are not NULL.
    pub values: Vec<Value>,
}

/// Between what a value lies, which keeps arithmetic from failing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bounds {
    /// Nothing is known.
    Unknown,
    /// Of an integer; of a date and a timestamp in days.
    Whole(i128, i128),
    /// A float that is finite, positive and of moderate size.
    Moderate,
}

impl TableFacts {
    pub fn of(table: &TrapTable) -> TableFacts {
        let columns = table
            .columns
            .iter()
            .enumerate()
            .take(COLUMNS_MAX)
            .map(|(n, column)| {
                let values: Vec<Value> = table
                    .rows
                    .iter()
                    .map(|row| row[n].clone())
                    .filter(|v| !v.is_null())
                    .collect();
                let mut counts = HashMap::new();
                for value in &values {
                    *counts.entry(value.to_string()).or_default() += 1;
                }
                ColumnFacts {
                    name: column.name.clone(),
                    ty: ty_of(column.ty),
                    bounds: bounds_of(column.ty, &values),
                    counts,
                    values,
                }
            })
            .collect();
        TableFacts {
            rows: table.rows.len(),
            columns,
        }
    }
}

fn ty_of(ty: TrapType) -> Ty {
    match ty {
        TrapType::Bool => Ty::Bool,
        TrapType::Int16 => Ty::Int2,
        TrapType::Int32 => Ty::Int4,
        TrapType::Int64 => Ty::Int8,
        TrapType::Float64 => Ty::Float,
        TrapType::Decimal(p, s) => Ty::Numeric(p.into(), s.into()),
        TrapType::Text | TrapType::Varchar(_) => Ty::Text,
        TrapType::Char(_) => Ty::Char,
        TrapType::Date => Ty::Date,
        TrapType::Timestamp => Ty::Timestamp,
        TrapType::TimestampTz => Ty::TimestampTz,
        TrapType::Bytes => Ty::Bytes,
        TrapType::Uuid => Ty::Uuid,
    }
}

const DAY: i64 = 86_400_000_000;

fn bounds_of(ty: TrapType, values: &[Value]) -> Bounds {
    if ty == TrapType::Float64 {
        let moderate = |v: &Value| matches!(v, Value::Float(x) if (1e-4..1e7).contains(x));
        return if values.iter().all(moderate) {
            Bounds::Moderate
        } else {
            Bounds::Unknown
        };
    }
    let whole = |v: &Value| match v {
        Value::Int(i) => Some(i128::from(*i)),
        Value::Date(days) => Some(i128::from(*days)),
        Value::Timestamp(t) | Value::TimestampTz(t) => Some(i128::from(t.div_euclid(DAY))),
        _ => None,
    };
    let numbers: Vec<i128> = values.iter().filter_map(whole).collect();
    match (numbers.iter().min(), numbers.iter().max()) {
        (Some(&low), Some(&high)) => Bounds::Whole(low, high),
        // An empty column cannot fail.
        _ if values.is_empty() => Bounds::Whole(0, 0),
        _ => Bounds::Unknown,
    }
}

/// A relation of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub alias: String,
    /// The table behind it, if it is no derived table.
    pub table: Option<usize>,
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

    /// The keys of its tables, which order its rows totally; `None` if one is a derived table.
    pub fn keys(&self) -> Option<Vec<Expr>> {
        self.relations
            .iter()
            .map(|r| {
                r.table?;
                let key = r.columns.first()?;
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

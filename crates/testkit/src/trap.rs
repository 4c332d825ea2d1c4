//! Trap data: tables whose rows hold what federation gets wrong.
//!
//! **Trap type**: a type that every source stores in its own way. **Trap table**: a name, columns
//! and rows, as data; its first column is always its key, an integer, unique and not null.
//! **Left out**: what a source cannot store, with the reason, as data too; a fixture stores NULL
//! in its place, and the oracle gets the same rows, so that both sides hold the same.

mod edges;
mod names;
mod sales;
mod universe;

pub use universe::universe;

use crate::{Seeded, Value};

/// A column's type, named after PostgreSQL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrapType {
    Bool,
    Int16,
    Int32,
    Int64,
    Float64,
    /// `numeric(precision, scale)`.
    Decimal(u8, u8),
    Text,
    /// `char(n)`: its values stand here without trailing blanks.
    Char(u32),
    Varchar(u32),
    Date,
    Timestamp,
    TimestampTz,
    Bytes,
    /// Its values are texts.
    Uuid,
}

/// A column of a trap table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrapColumn {
    pub name: String,
    pub ty: TrapType,
}

/// A table, as data.
#[derive(Debug, Clone)]
pub struct TrapTable {
    pub name: String,
    pub columns: Vec<TrapColumn>,
    pub rows: Vec<Vec<Value>>,
}

/// What a source cannot store.
pub struct LeftOut {
    pub what: &'static str,
    pub why: &'static str,
    pub applies: fn(TrapType, &Value) -> bool,
}

impl TrapTable {
    fn new(name: &str, columns: &[(&str, TrapType)]) -> TrapTable {
        TrapTable {
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|&(name, ty)| TrapColumn {
                    name: name.to_owned(),
                    ty,
                })
                .collect(),
            rows: Vec::new(),
        }
    }

    /// A row for each list of values, its key counted from 1.
    fn with_rows(mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> TrapTable {
        for values in rows {
            let key = Value::Int(i64::try_from(self.rows.len()).unwrap_or(i64::MAX) + 1);
            let mut row = vec![key];
            row.extend(values);
            assert_eq!(row.len(), self.columns.len(), "a row of {}", self.name);
            self.rows.push(row);
        }
        self
    }

    /// The table as a source holds it that leaves out `left_out`: NULL in their place. A type that
    /// is left out whole (its rule holds for NULL too) takes its columns with it.
    #[must_use]
    pub fn without(&self, left_out: &[LeftOut]) -> TrapTable {
        let kept: Vec<usize> = (0..self.columns.len())
            .filter(|&c| {
                !left_out
                    .iter()
                    .any(|rule| (rule.applies)(self.columns[c].ty, &Value::Null))
            })
            .collect();
        TrapTable {
            name: self.name.clone(),
            columns: kept.iter().map(|&c| self.columns[c].clone()).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| {
                    kept.iter()
                        .map(|&c| {
                            let ty = self.columns[c].ty;
                            if left_out.iter().any(|rule| (rule.applies)(ty, &row[c])) {
                                Value::Null
                            } else {
                                row[c].clone()
                            }
                        })
                        .collect()
                })
                .collect(),
        }
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

/// Every trap table: the edges of each type, odd names, and tables to join.
pub fn tables() -> Vec<TrapTable> {
    let mut tables = vec![
        edges::texts(),
        edges::numbers(),
        edges::times(),
        edges::others(),
        edges::empty(),
        edges::one_row(),
        names::odd(),
        names::wide(),
    ];
    tables.extend(sales::tables(&mut Seeded::new(sales::SEED)));
    tables
}

/// One table of [`tables`].
///
/// # Panics
/// If there is none of that name.
pub fn table(name: &str) -> TrapTable {
    tables()
        .into_iter()
        .find(|t| t.name == name)
        .unwrap_or_else(|| panic!("no trap table {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_column_s_type_and_every_key_is_unique() {
        for table in tables() {
            let mut keys = std::collections::HashSet::new();
            assert_eq!(table.columns[0].ty, TrapType::Int32);
            for row in &table.rows {
                let Value::Int(key) = row[0] else {
                    panic!("{}: a key is an integer", table.name)
                };
                assert!(keys.insert(key), "{}: key {key} stands twice", table.name);
                for (column, value) in table.columns.iter().zip(row) {
                    assert!(
                        fits(column.ty, value),
                        "{}.{}: {value}",
                        table.name,
                        column.name
                    );
                }
            }
        }
    }

    fn fits(ty: TrapType, value: &Value) -> bool {
        match (ty, value) {
            (_, Value::Null)
            | (TrapType::Bool, Value::Bool(_))
            | (TrapType::Int64, Value::Int(_))
            | (TrapType::Float64, Value::Float(_))
            | (TrapType::Text | TrapType::Uuid, Value::Text(_))
            | (TrapType::Date, Value::Date(_))
            | (TrapType::Timestamp, Value::Timestamp(_))
            | (TrapType::TimestampTz, Value::TimestampTz(_))
            | (TrapType::Bytes, Value::Bytes(_)) => true,
            (TrapType::Int16, Value::Int(i)) => i16::try_from(*i).is_ok(),
            (TrapType::Int32, Value::Int(i)) => i32::try_from(*i).is_ok(),
            (TrapType::Decimal(p, s), Value::Decimal(d)) => {
                d.scale() == usize::from(s) && d.precision() <= usize::from(p)
            }
            (TrapType::Char(n), Value::Text(t)) => {
                t.chars().count() <= n as usize && !t.ends_with(' ')
            }
            (TrapType::Varchar(n), Value::Text(t)) => t.chars().count() <= n as usize,
            _ => false,
        }
    }

    #[test]
    fn what_is_left_out_becomes_null_or_takes_its_column() {
        let rules = [
            LeftOut {
                what: "NaN",
                why: "a test",
                applies: |_, v| matches!(v, Value::Float(x) if x.is_nan()),
            },
            LeftOut {
                what: "decimals",
                why: "a test",
                applies: |ty, _| matches!(ty, TrapType::Decimal(..)),
            },
        ];
        let whole = table("numbers");
        let numbers = whole.without(&rules);
        assert!(numbers.column("d").is_none() && whole.column("d").is_some());
        let f = numbers.column("f").unwrap();
        assert!(
            numbers
                .rows
                .iter()
                .all(|r| !matches!(&r[f], Value::Float(x) if x.is_nan()))
        );
        assert_eq!(numbers.rows.len(), whole.rows.len());
    }
}

//! A SELECT under construction.

use std::collections::HashSet;

use arrow::datatypes::Schema;
use inflowave_connector_api::Scope;
use inflowave_types::Result;

use crate::Dialect;
use crate::aggregate::SortKey;
use crate::expr::{Cell, chained};
use crate::value::RawColumn;

/// Longer names are cut by PostgreSQL and refused by MySQL.
const NAME_BYTES_MAX: usize = 60;

/// A SELECT whose parts can still be added to. What stands in them is complete: names are quoted,
/// values are marks of the [`crate::binder::Binder`].
#[derive(Debug, Clone)]
pub(crate) struct Select {
    pub from: String,
    /// `from` is a join, to be put in parentheses where it becomes a right side.
    pub is_join: bool,
    pub wheres: Vec<String>,
    /// One for each column of the plan's schema.
    pub cells: Vec<Cell>,
    /// `Some` when rows are grouped; empty for one group of all rows.
    pub group_by: Option<Vec<String>>,
    pub has_window: bool,
    pub order_by: Vec<SortKey>,
    pub skip: u64,
    pub fetch: Option<u64>,
}

impl Select {
    pub fn new(from: String, cells: Vec<Cell>) -> Select {
        Select {
            from,
            is_join: false,
            wheres: Vec::new(),
            cells,
            group_by: None,
            has_window: false,
            order_by: Vec::new(),
            skip: 0,
            fetch: None,
        }
    }

    pub fn is_limited(&self) -> bool {
        self.skip > 0 || self.fetch.is_some()
    }

    /// Only FROM, WHERE, computed columns, and an order that no limit has used.
    pub fn is_plain(&self) -> bool {
        self.group_by.is_none() && !self.has_window && !self.is_limited()
    }

    /// The text, its columns under `names`, each as `read` gives it; `extra` are further columns.
    pub fn print(
        &self,
        d: &dyn Dialect,
        columns: &[String],
        names: &[String],
        extra: &[(String, String)],
    ) -> Result<String> {
        let mut items = Vec::with_capacity(columns.len().max(1));
        for (sql, name) in columns.iter().zip(names) {
            items.push(format!("{sql} AS {}", d.quote_ident(name)?));
        }
        for (sql, name) in extra {
            items.push(format!("{sql} AS {}", d.quote_ident(name)?));
        }
        if items.is_empty() {
            items.push("1".to_owned());
        }
        let mut sql = format!("SELECT {} FROM {}", items.join(", "), self.from);
        if !self.wheres.is_empty() {
            sql.push_str(" WHERE ");
            sql.push_str(&self.condition());
        }
        if let Some(keys) = self.group_by.as_ref().filter(|keys| !keys.is_empty()) {
            sql.push_str(" GROUP BY ");
            sql.push_str(&keys.join(", "));
        }
        if !self.order_by.is_empty() {
            let keys: Vec<String> = self
                .order_by
                .iter()
                .map(|k| d.order(&k.key, k.nullable, k.asc, k.nulls_first))
                .collect();
            sql.push_str(" ORDER BY ");
            sql.push_str(&keys.join(", "));
        }
        if self.is_limited() {
            sql.push_str(&d.limit(self.skip, self.fetch));
        }
        Ok(sql)
    }

    /// The condition of WHERE, in parentheses if it is more than one.
    pub fn condition(&self) -> String {
        chained(self.wheres.clone(), "AND")
    }

    /// This select as a derived table `alias`, with the same columns. The order of its rows is kept
    /// if `keep_order`.
    pub fn wrap(
        self,
        d: &dyn Dialect,
        alias: &str,
        schema: &Schema,
        keep_order: bool,
    ) -> Result<Select> {
        let names = names(schema);
        let columns: Vec<String> = self.cells.iter().map(|c| c.sql.clone()).collect();
        let mut hidden = Vec::new();
        let mut order_by = Vec::new();
        if keep_order {
            for (i, key) in self.order_by.iter().enumerate() {
                // No name of `names` looks like this.
                let name = format!("order {i}");
                hidden.push((key.key.clone(), name.clone()));
                order_by.push(SortKey {
                    key: format!("{alias}.{}", d.quote_ident(&name)?),
                    ..key.clone()
                });
            }
        }
        let text = self.print(d, &columns, &names, &hidden)?;
        let cells = self
            .cells
            .iter()
            .zip(&names)
            .map(|(cell, name)| {
                Ok(Cell {
                    sql: format!("{alias}.{}", d.quote_ident(name)?),
                    raw: cell.raw,
                    simple: true,
                    literal: None,
                })
            })
            .collect::<Result<_>>()?;
        let mut select = Select::new(format!("({text}) AS {alias}"), cells);
        select.order_by = order_by;
        Ok(select)
    }

    /// The columns as they leave the source.
    pub fn outputs(&self, d: &dyn Dialect, scope: &Scope) -> Vec<String> {
        self.cells
            .iter()
            .zip(&scope.facts)
            .map(|(cell, facts)| match cell.raw {
                true => d.read(&RawColumn {
                    sql: cell.sql.clone(),
                    facts: facts.clone(),
                }),
                false => cell.sql.clone(),
            })
            .collect()
    }
}

/// A name for each column: the field's where it is short and plain, and no other has it in any
/// case, else one of its number.
pub(crate) fn names(schema: &Schema) -> Vec<String> {
    let plain = |name: &str| {
        !name.is_empty()
            && name.len() <= NAME_BYTES_MAX
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let numbered: HashSet<String> = (0..schema.fields().len())
        .map(|i| format!("c{i}"))
        .collect();
    let mut taken = HashSet::new();
    schema
        .fields()
        .iter()
        .enumerate()
        .map(|(i, field)| {
            let folded = field.name().to_ascii_lowercase();
            if plain(field.name()) && !numbered.contains(&folded) && taken.insert(folded) {
                field.name().clone()
            } else {
                format!("c{i}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn names_are_unique_and_plain() {
        let fields: Vec<Field> = [
            "a",
            "A",
            "",
            "c9",
            "c1",
            "x y",
            "ż",
            "sum_1",
            &"l".repeat(61),
        ]
        .iter()
        .map(|name| Field::new(*name, DataType::Int32, true))
        .collect();
        assert_eq!(
            names(&Schema::new(fields)),
            ["a", "c1", "c2", "c9", "c4", "c5", "c6", "sum_1", "c8"]
        );
    }
}

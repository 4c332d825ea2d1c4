//! What is stored comes back: every value of every table to the last bit, and every hostile text as
//! a literal.

use super::Report;
use crate::Value;
use crate::compare::{Rule, Tolerance, TypeRule, Verdict, compare};
use crate::generate::render::{quoted, string};
use crate::oracle::{Side, World};
use crate::trap::{TrapTable, TrapType};
use crate::{ColumnType, OutputColumn, Rows};

pub(super) async fn run(world: &World, tables: &[TrapTable], report: &mut Report) {
    for settings in [
        &["SET inflowave.pushdown = on"][..],
        &["SET inflowave.pushdown = off"][..],
    ] {
        let mut side = world.side("ours", settings);
        for (n, table) in tables.iter().enumerate() {
            let sql = format!("SELECT * FROM {}", world.name(n));
            let rule = Rule {
                columns: vec![Tolerance::Identical; table.columns.len()],
                types: TypeRule::Exact,
                ..Rule::default()
            };
            let verdict = compare(&side.ask(&sql).await, &Ok(stored(table)), &rule, None);
            report.check(match verdict {
                Verdict::Different(difference) => Err(format!(
                    "{sql}\nleft is what comes back, right what was stored\n{difference}"
                )),
                _ => Ok(()),
            });
        }
        literals(world, tables, &mut side, report).await;
    }
}

/// The rows that went in.
fn stored(table: &TrapTable) -> Rows {
    Rows {
        columns: table
            .columns
            .iter()
            .map(|c| OutputColumn {
                name: c.name.clone(),
                ty: column_type(c.ty),
            })
            .collect(),
        rows: table.rows.clone(),
    }
}

fn column_type(ty: TrapType) -> ColumnType {
    match ty {
        TrapType::Bool => ColumnType::Bool,
        TrapType::Int16 => ColumnType::Int2,
        TrapType::Int32 => ColumnType::Int4,
        TrapType::Int64 => ColumnType::Int8,
        TrapType::Float64 => ColumnType::Float8,
        TrapType::Decimal(..) => ColumnType::Numeric,
        TrapType::Text | TrapType::Char(_) | TrapType::Varchar(_) | TrapType::Uuid => {
            ColumnType::Text
        }
        TrapType::Date => ColumnType::Date,
        TrapType::Timestamp => ColumnType::Timestamp,
        TrapType::TimestampTz => ColumnType::TimestampTz,
        TrapType::Bytes => ColumnType::Bytea,
    }
}

/// Each text of `texts` as a literal finds the rows that hold it, byte by byte, and no others.
async fn literals(world: &World, tables: &[TrapTable], side: &mut dyn Side, report: &mut Report) {
    let Some(index) = tables.iter().position(|t| t.name == "texts") else {
        return;
    };
    let table = &tables[index];
    let key = quoted(&table.columns[0].name);
    for (c, column) in table.columns.iter().enumerate().skip(1) {
        for row in &table.rows {
            let Value::Text(text) = &row[c] else { continue };
            let sql = format!(
                "SELECT {key} FROM {} WHERE {} = {}",
                world.name(index),
                quoted(&column.name),
                string(text)
            );
            let mut expected: Vec<i64> = table
                .rows
                .iter()
                .filter(|r| r[c] == row[c])
                .filter_map(|r| match r[0] {
                    Value::Int(key) => Some(key),
                    _ => None,
                })
                .collect();
            expected.sort_unstable();
            let found = side.ask(&sql).await.map(|rows| {
                let mut keys: Vec<i64> = rows
                    .rows
                    .iter()
                    .filter_map(|r| match r[0] {
                        Value::Int(key) => Some(key),
                        _ => None,
                    })
                    .collect();
                keys.sort_unstable();
                keys
            });
            report.check(match found {
                Ok(keys) if keys == expected => Ok(()),
                other => Err(format!(
                    "{sql}\nfound {other:?}, the rows that hold it are {expected:?}"
                )),
            });
        }
    }
}

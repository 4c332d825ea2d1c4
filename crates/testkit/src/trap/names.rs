//! Names that want quoting, and more columns than anyone expects.

use super::{TrapColumn, TrapTable, TrapType};
use crate::Value;

/// A reserved word in mixed case as a table, and columns whose names no fold and no quoting by
/// guess leaves whole.
pub(super) fn odd() -> TrapTable {
    TrapTable::new(
        "Order",
        &[
            ("select", TrapType::Int32),
            ("a\"b", TrapType::Int32),
            ("łąka", TrapType::Text),
            ("with space", TrapType::Int32),
            ("MiXeD", TrapType::Text),
            ("mixed_", TrapType::Int32),
            ("it's", TrapType::Int32),
            ("back`tick", TrapType::Int32),
            ("back\\slash", TrapType::Text),
            ("-- no comment", TrapType::Int32),
        ],
    )
    .with_rows((0..12i64).map(|n| {
        let text = ["x", "X", "y", "a'b", "\\' OR 1=1 --"];
        vec![
            if n == 3 {
                Value::Null
            } else {
                Value::Int(n % 4)
            },
            text.get(n as usize % 6)
                .map_or(Value::Null, |&t| Value::text(t)),
            Value::Int(n * 10),
            Value::text(format!("m{}", n % 3)),
            Value::Int(-n),
            Value::Int(n % 2),
            if n % 5 == 0 {
                Value::Null
            } else {
                Value::Int(n)
            },
            Value::text("a\\b"),
            Value::Int(7),
        ]
    }))
}

/// Columns of the wide table, its key included.
const WIDE_COLUMNS: usize = 500;

pub(super) fn wide() -> TrapTable {
    let mut table = TrapTable::new("wide", &[("id", TrapType::Int32)]);
    table.columns.extend((1..WIDE_COLUMNS).map(|n| TrapColumn {
        name: format!("c{n}"),
        ty: if n % 5 == 0 {
            TrapType::Varchar(8)
        } else {
            TrapType::Int32
        },
    }));
    table.with_rows((0..3usize).map(|row| {
        (1..WIDE_COLUMNS)
            .map(|n| match (n % 5, (n + row) % 11) {
                (_, 0) => Value::Null,
                (0, _) => Value::text(format!("r{row}c{n}")),
                _ => Value::Int((n * (row + 1)) as i64),
            })
            .collect()
    }))
}

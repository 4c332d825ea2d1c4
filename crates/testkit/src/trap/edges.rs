//! The edges of each type: texts that collations confuse, numbers at their bounds, times at the
//! ends of the calendar and in the hours of a clock change.

use super::{TrapTable, TrapType};
use crate::Value;

fn texts_of(values: &[&str]) -> Vec<Value> {
    std::iter::once(Value::Null)
        .chain(values.iter().map(|&t| Value::text(t)))
        .collect()
}

/// Each text once in `t`; `v` and `c` hold what fits of it, moved by a row, so that comparisons
/// between columns find both outcomes.
pub(super) fn texts() -> TrapTable {
    let values = texts_of(&[
        "A",
        "a",
        "a ",
        "a  ",
        " a",
        "",
        " ",
        "b",
        "B",
        "ab",
        "aB",
        "AB",
        "łąka",
        "ŁĄKA",
        "Łąka",
        "ląka",
        "zebra",
        "Zebra",
        "ż",
        "é",
        "e\u{301}",
        "straße",
        "STRASSE",
        "ﬁ",
        "ı",
        "I",
        "i",
        "%",
        "_",
        "a%b",
        "a_b",
        "axb",
        "a\\b",
        "\\",
        "\\\\",
        "\\'",
        "\\' OR 1=1 --",
        "'",
        "''",
        "a'b",
        "a''b",
        "\"",
        "a\"b",
        "`",
        "--",
        "/* x */",
        ";",
        "$1",
        "?",
        ":x",
        "{}",
        "\t",
        "a\tb",
        "a\nb",
        "😀",
        "a😀b",
        "👩‍👩‍👧",
        "日本",
        "0",
        "1",
        "10",
        "9",
        "-1",
        "1.5",
        "1e3",
        "NaN",
        "null",
        "NULL",
        "true",
        "2024-02-29",
        "\u{7f}",
        "\u{fffd}",
        "\u{10ffff}",
        "x\u{a0}",
        "aaaaaaaaaaaaaaaaaaaa",
    ]);
    let n = values.len();
    let fits = |value: &Value, length: usize, blanks: bool| match value {
        Value::Text(t) if t.chars().count() > length || (!blanks && t.ends_with(' ')) => {
            Value::text("a")
        }
        other => other.clone(),
    };
    TrapTable::new(
        "texts",
        &[
            ("id", TrapType::Int32),
            ("t", TrapType::Text),
            ("v", TrapType::Varchar(20)),
            ("c", TrapType::Char(10)),
        ],
    )
    .with_rows((0..n).map(|i| {
        let (v, c) = (&values[(i + i % 3) % n], &values[(i + i % 4) % n]);
        vec![values[i].clone(), fits(v, 20, true), fits(c, 10, false)]
    }))
}

pub(super) fn numbers() -> TrapTable {
    let i2 = [0, 1, -1, 2, 7, 100, i16::MAX, i16::MIN];
    let i4 = [0, 1, -1, 3, -7, 100, 65_536, i32::MAX, i32::MIN];
    let i8 = [
        0,
        1,
        -1,
        5,
        1 << 40,
        -(1 << 53) - 1,
        (1 << 53) + 1,
        i64::MAX,
        i64::MIN,
        12,
    ];
    let f = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        0.5,
        2.5,
        -2.5,
        1e15,
        1e-7,
        1e300,
        -1e300,
        f64::MIN_POSITIVE,
        9_007_199_254_740_993.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];
    let d = [
        "0.0000000000",
        "1.0000000000",
        "-1.0000000000",
        "0.1000000000",
        "2.5000000000",
        "-2.5000000000",
        "0.0000000001",
        "-0.0000000001",
        "9999999999999999999999999999.9999999999",
        "-9999999999999999999999999999.9999999999",
        "12345678901234567890.1234567890",
    ];
    let m = [
        "0.00",
        "1.00",
        "-1.00",
        "0.01",
        "99.95",
        "100.00",
        "-0.05",
        "9999999999.99",
        "-9999999999.99",
    ];
    let pick = |n: usize, period: usize| (n % (period + 1)).checked_sub(1);
    TrapTable::new(
        "numbers",
        &[
            ("id", TrapType::Int32),
            ("i2", TrapType::Int16),
            ("i4", TrapType::Int32),
            ("i8", TrapType::Int64),
            ("f", TrapType::Float64),
            ("d", TrapType::Decimal(38, 10)),
            ("m", TrapType::Decimal(12, 2)),
        ],
    )
    .with_rows((0..60).map(|n| {
        vec![
            pick(n, i2.len()).map_or(Value::Null, |i| Value::Int(i2[i].into())),
            pick(n / 2, i4.len()).map_or(Value::Null, |i| Value::Int(i4[i].into())),
            pick(n, i8.len()).map_or(Value::Null, |i| Value::Int(i8[i])),
            pick(n, f.len()).map_or(Value::Null, |i| Value::Float(f[i])),
            pick(n, d.len()).map_or(Value::Null, |i| Value::decimal(d[i])),
            pick(n / 3, m.len()).map_or(Value::Null, |i| Value::decimal(m[i])),
        ]
    }))
}

pub(super) fn times() -> TrapTable {
    let days = [
        "0001-01-01",
        "1582-10-15",
        "1899-12-31",
        "1900-02-28",
        "1969-12-31",
        "1970-01-01",
        "1999-12-31",
        "2000-02-29",
        "2023-12-31",
        "2024-01-01",
        "2024-02-28",
        "2024-02-29",
        "2024-03-01",
        "2024-03-31",
        "2024-10-27",
        "2024-12-30",
        "2038-01-19",
        "9999-12-31",
    ];
    // Central Europe changes its clocks on 2024-03-31 at 01:00 UTC and on 2024-10-27 at 01:00 UTC.
    let instants = [
        "0001-01-01 00:00:00",
        "1899-12-31 23:59:59.999999",
        "1969-12-31 23:59:59.999999",
        "1970-01-01 00:00:00",
        "1970-01-01 00:00:00.000001",
        "2024-02-29 00:00:00",
        "2024-02-29 23:59:59.999999",
        "2024-03-31 00:59:59.999999",
        "2024-03-31 01:00:00",
        "2024-03-31 02:30:00",
        "2024-03-31 03:00:00",
        "2024-10-27 00:30:00",
        "2024-10-27 01:30:00",
        "2024-10-27 02:30:00",
        "2024-12-30 12:00:00",
        "2024-12-31 23:59:59.5",
        "2025-01-01 00:00:00",
        "2038-01-19 03:14:07",
        "9999-12-31 23:59:59.999999",
    ];
    let pick = |n: usize, period: usize| (n % (period + 1)).checked_sub(1);
    TrapTable::new(
        "times",
        &[
            ("id", TrapType::Int32),
            ("d", TrapType::Date),
            ("ts", TrapType::Timestamp),
            ("tz", TrapType::TimestampTz),
        ],
    )
    .with_rows((0..60).map(|n| {
        vec![
            pick(n, days.len()).map_or(Value::Null, |i| Value::date(days[i])),
            pick(n, instants.len()).map_or(Value::Null, |i| Value::timestamp(instants[i])),
            pick(n + n / 7, instants.len())
                .map_or(Value::Null, |i| Value::timestamptz(instants[i])),
        ]
    }))
}

pub(super) fn others() -> TrapTable {
    let bytes: [&[u8]; 7] = [b"", b"\0", b"a", b"a\0b", b"\\x61", b"\xff\xfe", b"'"];
    let uuids = [
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12",
    ];
    TrapTable::new(
        "others",
        &[
            ("id", TrapType::Int32),
            ("b", TrapType::Bool),
            ("raw", TrapType::Bytes),
            ("u", TrapType::Uuid),
        ],
    )
    .with_rows((0..24).map(|n| {
        vec![
            [Value::Bool(true), Value::Bool(false), Value::Null][n % 3].clone(),
            bytes
                .get(n % 8)
                .map_or(Value::Null, |b| Value::Bytes(b.to_vec())),
            uuids.get(n % 5).map_or(Value::Null, |&u| Value::text(u)),
        ]
    }))
}

pub(super) fn empty() -> TrapTable {
    TrapTable::new("empty", &columns_of_small())
}

pub(super) fn one_row() -> TrapTable {
    TrapTable::new("one_row", &columns_of_small()).with_rows([vec![
        Value::Int(1),
        Value::text("one"),
        Value::decimal("1.50"),
        Value::Null,
    ]])
}

fn columns_of_small() -> [(&'static str, TrapType); 5] {
    [
        ("id", TrapType::Int32),
        ("n", TrapType::Int64),
        ("t", TrapType::Text),
        ("m", TrapType::Decimal(12, 2)),
        ("d", TrapType::Date),
    ]
}

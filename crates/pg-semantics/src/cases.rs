//! Statements and what PostgreSQL 15 answers them, word for word.
//!
//! `cases.txt` holds a statement a line, and behind `=>` the types of its columns and its rows
//! (joined by ` / `), or the SQLSTATE of its error behind `!`. All of it was written by
//! PostgreSQL. `differences.txt` holds, in the same form, what we answer otherwise, each with its
//! reason.

use crate::harness::{conditions, context, run};

const TABLE: &str = "create table t as select k, i2::int2 as i2, i4::int4 as i4, i8::int8 as i8, f4::float4 as f4, f8::float8 as f8, n::numeric(15,2) as n, n2::numeric(5,3) as n2, txt::text as txt, d::date as d, ts::timestamp as ts, tz::timestamptz as tz, b::boolean as b from (values \
    (1, 32767, 2147483647, 9223372036854775807, 0.1::float4, 0.1::float8, 12.35, 0.125, 'a1', '2024-01-15', '2024-01-15 10:20:30.5', '2024-01-15 10:20:30+00', true), \
    (2, -32768, -2147483648, -9223372036854775808, 1.5, 'NaN', -12.35, -1.5, 'łąka', '0001-01-01', '0001-01-01 00:00:00', '9999-12-31 23:59:59+00', false), \
    (3, 3, 3, 30, 1e10, '-0', 0.01, 0, '17', '2023-12-31', '9999-12-31 23:59:59.999999', '1969-12-31 23:59:59.5+00', null), \
    (4, 4, 5, 40, 'NaN', 'Infinity', null, null, 'B', '2024-12-31', null, null, true), \
    (5, null, null, null, null, null, null, null, null, null, null, null, null)) v(k, i2, i4, i8, f4, f8, n, n2, txt, d, ts, tz, b)";

/// Answers every statement of `cases`, and tells which answers are not the expected ones.
async fn answer(cases: &str) {
    let context = context();
    run(&context, TABLE).await.unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in cases
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let (sql, expected) = line.rsplit_once(" => ").unwrap();
        let got = match run(&context, sql).await {
            Ok(answer) => answer,
            Err(e) => {
                let code = format!("!{}", e.sqlstate());
                if code == expected {
                    code
                } else {
                    format!("{code} {e}")
                }
            }
        };
        count += 1;
        if got != expected {
            wrong.push(format!("{sql}\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} answers differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn we_answer_as_postgresql_does() {
    answer(include_str!("cases.txt")).await;
}

#[tokio::test]
async fn where_we_differ_is_written_down() {
    answer(include_str!("differences.txt")).await;
}

/// A source can use an index, and a file its statistics, only for a column that stands alone.
#[tokio::test]
async fn literals_move_to_the_type_of_the_column() {
    let context = context();
    run(&context, TABLE).await.unwrap();
    for (condition, planned) in [
        ("d <= '2024-01-15'", "t.d <= Date32(\"2024-01-15\")"),
        (
            "d <= date '1998-12-01' - interval '90' day",
            "t.d <= Date32(\"1998-09-02\")",
        ),
        (
            "d < date '1994-01-01' + interval '1' year",
            "t.d < Date32(\"1995-01-01\")",
        ),
        ("i4 = 5", "t.i4 = Int32(5)"),
        ("i8 = 5", "t.i8 = Int64(5)"),
        ("i2 = 5", "t.i2 = Int16(5)"),
        ("i4 = '5'", "t.i4 = Int32(5)"),
        ("i8 = 5.0", "t.i8 = Int64(5)"),
        ("n < 24", "t.n < Decimal128(24.00,15,2)"),
        (
            "n between 0.05 and 0.07",
            "t.n >= Decimal128(0.05,15,2) AND t.n <= Decimal128(0.07,15,2)",
        ),
        ("n = '12.35'", "t.n = Decimal128(12.35,15,2)"),
        ("txt = 'x'", "t.txt = Utf8View(\"x\")"),
        (
            "txt like 'a!%%' escape '!'",
            "t.txt LIKE Utf8View(\"a\\%%\")",
        ),
        (
            "k in (1, 2, 3, 4)",
            "t.k IN ([Int32(1), Int32(2), Int32(3), Int32(4)])",
        ),
        // A list in the statement is one that sources know.
        (
            "k = any('{1,2,3,4}')",
            "t.k IN ([Int32(1), Int32(2), Int32(3), Int32(4)])",
        ),
        (
            "txt <> all(array['a', 'b', 'c', 'd'])",
            "t.txt NOT IN ([Utf8View(\"a\"), Utf8View(\"b\"), Utf8View(\"c\"), Utf8View(\"d\")])",
        ),
        (
            "d >= any('{2024-01-15,2024-12-31}')",
            "t.d >= Date32(\"2024-01-15\") OR t.d >= Date32(\"2024-12-31\")",
        ),
        (
            "txt like any(array['a%', '%b'])",
            "t.txt LIKE Utf8View(\"a%\") OR t.txt LIKE Utf8View(\"%b\")",
        ),
        ("f8 > 0.5", "t.f8 > Float64(0.5)"),
        (
            "ts >= '2024-01-01'",
            "t.ts >= TimestampMicrosecond(1704067200000000, None)",
        ),
        ("b = 't'", "t.b"),
    ] {
        let sql = format!("select k from t where {condition}");
        assert_eq!(conditions(&context, &sql).await, planned, "{condition}");
    }
}

#[tokio::test]
async fn an_error_says_where_and_what_to_do() {
    let context = context();
    run(&context, TABLE).await.unwrap();
    for (sql, code, message, hint, position) in [
        (
            "select k,\n  txxt from t",
            "42703",
            "column \"txxt\" does not exist",
            Some("Perhaps you meant to reference the column \"t.txt\"."),
            Some(13),
        ),
        (
            "select k from t a, t b",
            "42702",
            "column reference \"k\" is ambiguous",
            None,
            Some(8),
        ),
        (
            "select z.k from t",
            "42P01",
            "missing FROM-clause entry for table \"z\"",
            None,
            Some(8),
        ),
        (
            "select txt, count(*) from t",
            "42803",
            "column \"t.txt\" must appear in the GROUP BY clause or be used in an aggregate function",
            None,
            Some(8),
        ),
        (
            "select k from t wher k = 1",
            "42601",
            "syntax error at or near \"k\"",
            None,
            Some(22),
        ),
        (
            "select 'łą' +",
            "42601",
            "syntax error at end of input",
            None,
            Some(14),
        ),
        (
            "select txt = 5 from t",
            "42883",
            "operator does not exist: text = integer",
            Some(
                "No operator matches the given name and argument types. You might need to add \
                 explicit type casts.",
            ),
            None,
        ),
        (
            "select nosuch(1)",
            "42883",
            "function nosuch does not exist",
            Some(
                "No function matches the given name and argument types. You might need to add \
                 explicit type casts.",
            ),
            Some(8),
        ),
        (
            "select i4 + 1 from t",
            "22003",
            "integer out of range",
            None,
            None,
        ),
        ("select 1 / 0", "22012", "division by zero", None, None),
        (
            "select '12abc'::int",
            "22P02",
            "invalid input syntax for type integer: \"12abc\"",
            None,
            None,
        ),
        (
            "select '2024-02-30'::date",
            "22008",
            "date/time field value out of range: \"2024-02-30\"",
            None,
            None,
        ),
        (
            "select (select k from t)",
            "21000",
            "more than one row returned by a subquery used as an expression",
            None,
            None,
        ),
    ] {
        let error = run(&context, sql).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), code, "{sql}");
        assert_eq!(error.message(), message, "{sql}");
        assert_eq!(error.hint(), hint, "{sql}");
        assert_eq!(error.position(), position, "{sql}");
    }
}

/// A chain of operators is typed in one walk: at 300 this took 20 seconds when each level asked
/// DataFusion for the types below it.
#[tokio::test]
async fn a_long_chain_is_planned() {
    let context = context();
    let sum = format!("select 1{}", " + 1".repeat(300));
    assert_eq!(run(&context, &sum).await.unwrap(), "integer: 301");
    let sum = format!("select 1.5{}", " + 0.5".repeat(60));
    assert_eq!(run(&context, &sum).await.unwrap(), "numeric: 31.5");
}

#[tokio::test]
async fn the_zone_of_the_session_reads_and_prints_instants() {
    let context = context();
    context
        .sql("set datafusion.execution.time_zone = 'Europe/Warsaw'")
        .await
        .unwrap();
    for (sql, answer) in [
        (
            "select timestamptz '2024-07-01 12:00'",
            "timestamp with time zone: 2024-07-01 12:00:00+02",
        ),
        (
            "select timestamptz '2024-07-01 12:00' = timestamptz '2024-07-01 10:00+00'",
            "boolean: t",
        ),
        (
            "select timestamptz '2024-07-01 22:30+00'::date",
            "date: 2024-07-02",
        ),
        (
            "select extract(hour from timestamptz '2024-07-01 22:30+00')",
            "numeric: 0",
        ),
        (
            "select date_trunc('day', timestamptz '2024-07-01 22:30+00')",
            "timestamp with time zone: 2024-07-02 00:00:00+02",
        ),
        // The day of the change has 23 hours.
        (
            "select timestamptz '2024-03-30 12:00' + interval '1 day'",
            "timestamp with time zone: 2024-03-31 12:00:00+02",
        ),
        (
            "select timestamptz '2024-03-30 12:00' + interval '24 hours'",
            "timestamp with time zone: 2024-03-31 13:00:00+02",
        ),
        (
            "select timestamp '2024-07-01 12:00'::timestamptz",
            "timestamp with time zone: 2024-07-01 12:00:00+02",
        ),
    ] {
        assert_eq!(run(&context, sql).await.unwrap(), answer, "{sql}");
    }
}

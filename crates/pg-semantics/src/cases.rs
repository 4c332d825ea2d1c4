//! Statements and what PostgreSQL 15 answers them, word for word.
//!
//! `cases.txt` holds a statement a line, and behind `=>` the types of its columns and its rows
//! (joined by ` / `), or the SQLSTATE of its error behind `!`. All of it was written by
//! PostgreSQL. `differences.txt` holds, in the same form, what we answer otherwise, each with its
//! reason.

use crate::harness::{context, run};

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
    for line in cases.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
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

//! Fragments through the dialect to the server: what is claimed as exact is exact.

use std::sync::Arc;

use datafusion_catalog::default_table_source::provider_as_source;
use datafusion_common::JoinType;
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion_functions_aggregate::expr_fn::{count, max, min, sum};
use inflowave_connector_api::{
    Fragment, Place, RemoteSource, RemoteTable, RemoteTableProvider, Scope, Support,
};
use mysql_async::prelude::Queryable;

use super::{Fixture, lines, run};
use crate::MySqlSource;

fn scan(table: RemoteTable) -> LogicalPlanBuilder {
    let source = provider_as_source(Arc::new(RemoteTableProvider::new(table)));
    LogicalPlanBuilder::scan("t", source, None).unwrap()
}

/// Runs a plan at the source.
async fn pushed(source: &Arc<MySqlSource>, plan: LogicalPlan) -> Vec<Vec<String>> {
    let query = source.compile(&Fragment::new(plan).unwrap()).unwrap();
    let text = query.text.clone();
    let batch = run(source, query).await;
    lines(&batch.unwrap_or_else(|e| panic!("{text}: {e:?}")))
}

fn support(
    source: &Arc<MySqlSource>,
    plan: &LogicalPlanBuilder,
    expr: &Expr,
    place: Place,
) -> Support {
    source.supports(expr, place, &Scope::of(plan.plan()))
}

/// Texts that a server may take for each other, or for SQL.
const TEXTS: &[&str] = &[
    "a",
    "A",
    "a ",
    " a",
    "ą",
    "ł",
    "łąka",
    "😀",
    "",
    " ",
    "b",
    "B",
    "ß",
    "ss",
    "a'b",
    "a''b",
    r"\' OR 1=1 -- ",
    r"\",
    "%",
    "a_b",
    "a%b",
];

async fn texts(f: &mut Fixture, collation: &str) {
    let charset = collation.split('_').next().unwrap();
    let create = format!(
        "CREATE TABLE t (k int primary key, v varchar(30) CHARACTER SET {charset} COLLATE {collation})"
    );
    f.run(&["DROP TABLE IF EXISTS t", &create]).await;
    for (k, text) in TEXTS.iter().enumerate() {
        if charset == "utf8mb4" || *text != "😀" {
            let insert = "INSERT INTO t VALUES (?, ?)";
            f.admin.exec_drop(insert, (k, *text)).await.unwrap();
        }
    }
    f.run(&["INSERT INTO t VALUES (99, NULL)"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_compared_as_we_compare_them() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    for collation in [
        "utf8mb4_general_ci",
        "utf8mb4_unicode_ci",
        "utf8mb4_bin",
        "utf8mb3_general_ci",
    ] {
        texts(&mut f, collation).await;
        let source = f.source();
        let table = f.table(&source, "t").await;
        for (k, text) in TEXTS.iter().enumerate() {
            let plan = scan(table.clone());
            let equal = col("t.v").eq(lit(*text));
            if collation.starts_with("utf8mb3") && *text == "😀" {
                let refused = support(&source, &plan, &equal, Place::Filter);
                assert!(matches!(refused, Support::No(_)));
                continue;
            }
            assert_eq!(
                support(&source, &plan, &equal, Place::Filter),
                Support::Exact
            );
            let plan = plan.filter(equal).unwrap().project([col("t.k")]).unwrap();
            let rows = pushed(&source, plan.build().unwrap()).await;
            assert_eq!(rows, [[k.to_string()]], "{collation}: {text}");
        }
    }
}

/// The server keeps answers of a subquery by the outer query's text as its collation compares it.
#[tokio::test(flavor = "multi_thread")]
async fn texts_with_and_without_a_partner() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(
        &["CREATE TABLE s (v varchar(30) COLLATE utf8mb4_unicode_ci, \
             w varchar(30) COLLATE utf8mb4_general_ci)"],
    )
    .await;
    for text in TEXTS.iter().skip(1).step_by(2) {
        let insert = "INSERT INTO s VALUES (?, ?)";
        f.admin.exec_drop(insert, (*text, *text)).await.unwrap();
    }
    for collation in ["utf8mb4_general_ci", "utf8mb4_bin"] {
        texts(&mut f, collation).await;
        let source = f.source();
        for (key, kind) in [
            ("s.v", JoinType::LeftSemi),
            ("s.w", JoinType::LeftSemi),
            ("s.v", JoinType::LeftAnti),
            ("s.w", JoinType::LeftAnti),
        ] {
            let partners = scan(f.table(&source, "s").await).alias("s").unwrap();
            let plan = scan(f.table(&source, "t").await)
                .join(
                    partners.build().unwrap(),
                    kind,
                    (vec!["t.v"], vec![key]),
                    None,
                )
                .and_then(|plan| plan.project([col("t.k")])?.build())
                .unwrap();
            let mut found: Vec<usize> = pushed(&source, plan)
                .await
                .iter()
                .map(|row| row[0].parse().unwrap())
                .collect();
            found.sort_unstable();
            let all = (0..TEXTS.len()).chain([99]);
            let expected: Vec<usize> = match kind {
                JoinType::LeftSemi => all.filter(|k| k % 2 == 1 && *k != 99).collect(),
                _ => all.filter(|k| k % 2 == 0 || *k == 99).collect(),
            };
            assert_eq!(found, expected, "{collation}: {kind} on {key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_are_grouped_and_sorted_as_bytes() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let mut sorted: Vec<&str> = TEXTS.to_vec();
    sorted.sort_unstable();
    for collation in ["utf8mb4_general_ci", "utf8mb4_bin"] {
        texts(&mut f, collation).await;
        let source = f.source();
        let table = f.table(&source, "t").await;
        let grouped = scan(table.clone())
            .aggregate([col("t.v")], [count(col("t.k"))])
            .unwrap();
        for (expr, place) in [
            (col("t.v"), Place::GroupKey),
            (col("t.v"), Place::SortKey),
            (min(col("t.v")), Place::Aggregate),
        ] {
            let plan = scan(table.clone());
            assert_eq!(support(&source, &plan, &expr, place), Support::Exact);
        }
        let mut rows = pushed(&source, grouped.build().unwrap()).await;
        rows.sort();
        let mut expected: Vec<Vec<String>> = sorted
            .iter()
            .map(|v| vec![(*v).to_owned(), "1".to_owned()])
            .collect();
        expected.push(vec!["NULL".to_owned(), "1".to_owned()]);
        expected.sort();
        assert_eq!(rows, expected, "{collation}");

        let ordered = scan(table.clone())
            .project([col("t.v")])
            .unwrap()
            .sort_with_limit([col("t.v").sort(true, false)], Some(5))
            .unwrap();
        let rows = pushed(&source, ordered.build().unwrap()).await;
        let first: Vec<Vec<String>> = sorted[..5].iter().map(|v| vec![(*v).to_owned()]).collect();
        assert_eq!(rows, first, "{collation}");

        let none: Vec<Expr> = Vec::new();
        let extremes = scan(table)
            .aggregate(none, [min(col("t.v")), max(col("t.v"))])
            .unwrap();
        let rows = pushed(&source, extremes.build().unwrap()).await;
        assert_eq!(rows, [[sorted[0], sorted[sorted.len() - 1]]], "{collation}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_dates() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&[
        "CREATE TABLE t (u int unsigned, b bigint unsigned, d decimal(12,2), p datetime(6), \
         y year, e enum('z','a'), g bit(1))",
        "INSERT INTO t VALUES (0, 18446744073709551615, 1.50, '2024-01-01', 1999, 'z', b'1'), \
         (4294967295, 0, -2.25, '2024-02-29 12:00:00.000001', 2099, 'a', b'0'), \
         (NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    ])
    .await;
    let source = f.source();
    let table = f.table(&source, "t").await;
    let decimal = |v| lit(datafusion_common::ScalarValue::Decimal128(Some(v), 20, 0));
    let year = |v: i16| col("t.y").eq(lit(v));
    for (filter, expected) in [
        (col("t.u").gt(lit(-1_i64)), 2),
        (col("t.b").gt(decimal(9_223_372_036_854_775_807)), 1),
        (year(99), 0),
        (year(1999), 1),
        (col("t.e").eq(lit("a")), 1),
        (col("t.g").eq(lit(true)), 1),
        (col("t.p").is_null(), 1),
    ] {
        let plan = scan(table.clone());
        match support(&source, &plan, &filter, Place::Filter) {
            Support::Exact => {
                let plan = plan.filter(filter.clone()).unwrap().build().unwrap();
                let rows = pushed(&source, plan).await;
                assert_eq!(rows.len(), expected, "{filter}");
            }
            other => panic!("{filter}: {other:?}"),
        }
    }
    let none: Vec<Expr> = Vec::new();
    let calls = [sum(col("t.d")), max(col("t.p")), max(col("t.b"))];
    for call in &calls {
        let plan = scan(table.clone());
        assert_eq!(
            support(&source, &plan, call, Place::Aggregate),
            Support::Exact,
            "{call}"
        );
    }
    let plan = scan(table).aggregate(none, calls).unwrap();
    assert_eq!(
        pushed(&source, plan.build().unwrap()).await,
        [[
            "-0.75",
            "2024-02-29T12:00:00.000001",
            "18446744073709551615"
        ]]
    );
}

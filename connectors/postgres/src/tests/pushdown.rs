//! Fragments compiled by the dialect and run: what is pushed gives our answer.

use std::sync::Arc;

use datafusion_catalog::default_table_source::provider_as_source;
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use inflowave_connector_api::{
    Fragment, Place, RemoteSource, RemoteTable, RemoteTableProvider, Scope, Support,
};

use super::{Live, live, shown};

fn scan(table: RemoteTable) -> LogicalPlan {
    let source = provider_as_source(Arc::new(RemoteTableProvider::new(table)));
    LogicalPlanBuilder::scan("t", source, None)
        .unwrap()
        .build()
        .unwrap()
}

async fn run(live: &Live, plan: LogicalPlan) -> Vec<Vec<String>> {
    let fragment = Fragment::new(plan).unwrap();
    let query = Arc::new(live.source.compile(&fragment).unwrap());
    shown(
        &live
            .run(Arc::clone(&query))
            .await
            .unwrap_or_else(|e| panic!("{e:?}: {}", query.text)),
    )
}

const TABLE: &str = "
    CREATE TYPE mood AS ENUM ('ok', 'bad');
    CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
    CREATE TABLE t (
        id int NOT NULL, c text COLLATE \"C\", i text COLLATE \"und-x-icu\", l text COLLATE nocase,
        ci citext, b char(4), m mood, u uuid, ip inet, nm name, o oid, n numeric, r int4range,
        j jsonb, ts timestamptz, v varbit);
    INSERT INTO t VALUES
        (1, 'a', 'a', 'a', 'a', 'a', 'ok', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1', 'a',
         1, 1.5, '[1,3)', '{\"a\":1}', '2024-01-01 00:00Z', B'101'),
        (2, 'A', 'A', 'A', 'A', 'A', 'bad', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1/8', 'A',
         4000000000, 1.50, '[2,3)', '{\"a\": 1}', '2024-01-01 01:00+01', B'1010'),
        (3, 'it''s \\'' OR 1=1 --', 'b ', 'b ', 'b ', 'b', 'ok', NULL, '::1', 'b', 3, 0, 'empty', 'null',
         'epoch', B''),
        (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)";

#[test]
fn a_scan_reads_every_column_as_it_is() {
    live("pushed_scan", |live| async move {
        live.sql(TABLE).await;
        let rows = run(&live, scan(live.table("t").await)).await;
        assert_eq!(rows.len(), 4);
        let row = rows.iter().find(|r| r[0] == "2").unwrap();
        assert_eq!(
            row[1..],
            [
                "A",
                "A",
                "A",
                "A",
                "A",
                "bad",
                "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                "10.0.0.1/8",
                "A",
                "4000000000",
                "1.5000000000000000",
                "[2,3)",
                "{\"a\": 1}",
                "2024-01-01T00:00:00Z",
                "1010"
            ]
        );
    });
}

#[test]
fn pushed_filters_keep_the_rows_that_we_would_keep() {
    live("pushed_filters", |live| async move {
        live.sql(TABLE).await;
        let scan = scan(live.table("t").await);
        let scope = Scope::of(&scan);
        let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        // What must be pushed exactly, and what may be pushed at all; with the ids that are ours.
        let cases: Vec<(bool, Expr, Vec<&str>)> = vec![
            (true, col("id").gt(lit(2)), vec!["3", "4"]),
            (true, col("c").eq(lit("a")), vec!["1"]),
            (true, col("c").eq(lit("it's \\' OR 1=1 --")), vec!["3"]),
            (true, col("c").lt(lit("a")), vec!["2"]),
            (true, col("i").eq(lit("A")), vec!["2"]),
            (true, col("i").not_eq(lit("b")), vec!["1", "2", "3"]),
            (true, col("b").eq(lit("a")), vec!["1"]),
            (true, col("j").is_null(), vec!["4"]),
            (true, col("r").is_not_null(), vec!["1", "2", "3"]),
            (false, col("i").lt(lit("a")), vec!["2"]),
            (false, col("l").eq(lit("a")), vec!["1"]),
            (false, col("l").not_eq(lit("a")), vec!["2", "3"]),
            (false, col("ci").eq(lit("a")), vec!["1"]),
            (false, col("b").eq(lit("a   ")), vec![]),
            (false, col("m").eq(lit("ok")), vec!["1", "3"]),
            (false, col("m").lt(lit("c")), vec!["2"]),
            (false, col("u").eq(lit(uuid)), vec!["1"]),
            (false, col("u").eq(lit(uuid.to_uppercase())), vec![]),
            (false, col("ip").eq(lit("10.0.0.1")), vec!["1"]),
            (false, col("ip").gt(lit("10.0.0.1/7")), vec!["2", "3"]),
            (false, col("nm").eq(lit("a")), vec!["1"]),
            (false, col("o").lt(lit(-1i64)), vec![]),
            (false, col("o").gt(lit(3i64)), vec!["2"]),
            (false, col("r").eq(lit("[1,3)")), vec!["1"]),
            (false, col("j").eq(lit("{\"a\": 1}")), vec!["1", "2"]),
            (false, col("v").gt(lit("101")), vec!["2"]),
        ];
        for (must, filter, wanted) in cases {
            let support = live.source.supports(&filter, Place::Filter, &scope);
            assert!(!must || support.is_exact(), "{filter}: {support:?}");
            if matches!(support, Support::No(_)) {
                continue;
            }
            let plan = LogicalPlanBuilder::from(scan.clone())
                .filter(filter.clone())
                .unwrap()
                .project(vec![col("id")])
                .unwrap()
                .build()
                .unwrap();
            let rows = run(&live, plan).await;
            let mut ids: Vec<&str> = rows.iter().map(|r| r[0].as_str()).collect();
            ids.sort_unstable();
            if support.is_exact() {
                assert_eq!(ids, wanted, "{filter}");
            } else {
                assert!(
                    wanted.iter().all(|id| ids.contains(id)),
                    "{filter}: {ids:?}"
                );
            }
        }
    });
}

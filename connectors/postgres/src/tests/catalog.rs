//! What the source tells of its tables.

use std::sync::Arc;

use inflowave_connector_api::{Collation, Source};

use super::live;

#[test]
fn schemas_and_tables_are_listed() {
    live("lists", |live| async move {
        live.sql(
            "CREATE TABLE a (x int); CREATE VIEW b AS SELECT * FROM a;
                  CREATE MATERIALIZED VIEW c AS SELECT * FROM a;
                  CREATE TABLE d (x int) PARTITION BY RANGE (x);
                  CREATE TABLE d1 PARTITION OF d FOR VALUES FROM (0) TO (10);
                  CREATE SEQUENCE s; CREATE INDEX i ON a (x); CREATE TYPE k AS (x int)",
        )
        .await;
        let schemas = live.source.schemas().await.unwrap();
        assert!(schemas.contains(&live.schema) && schemas.contains(&"public".to_owned()));
        assert!(
            !schemas
                .iter()
                .any(|s| s.starts_with("pg_") || s == "information_schema")
        );
        let tables = live.source.tables(&live.schema).await.unwrap();
        assert_eq!(tables, ["a", "b", "c", "d", "d1"]);
        assert_eq!(live.source.default_schema(), "public");
        assert_eq!(live.source.descriptor().name, "postgres");
    });
}

#[test]
fn a_column_keeps_its_collation_and_its_own_type() {
    live("collations", |live| async move {
        live.sql("CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                  CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
                  CREATE DOMAIN code AS char(4) COLLATE \"C\";
                  CREATE TABLE t (
                    c text COLLATE \"C\", p varchar(3) COLLATE \"POSIX\", u text COLLATE ucs_basic,
                    i text COLLATE \"und-x-icu\", l text COLLATE nocase, ci citext, d code,
                    n name, k int NOT NULL, j jsonb, a text[] COLLATE \"C\")")
            .await;
        let table = live.table("t").await;
        let got: Vec<(&str, Collation, bool)> = table
            .columns
            .iter()
            .map(|c| (c.native_type.as_str(), c.collation, c.field.is_nullable()))
            .collect();
        assert_eq!(
            got,
            [
                ("text", Collation::Binary, true),
                ("character varying(3)", Collation::Binary, true),
                ("text", Collation::Binary, true),
                ("text", Collation::Deterministic, true),
                ("text", Collation::Loose, true),
                ("public.citext", Collation::Loose, true),
                ("character(4)", Collation::Binary, true),
                ("name", Collation::Binary, true),
                ("integer", Collation::NotText, false),
                ("jsonb", Collation::Unknown, true),
                ("text[]", Collation::Binary, true),
            ]
        );
        assert!(table.columns.iter().all(|c| c.strictly_typed));
    });
}

#[test]
fn a_default_collation_is_the_databases() {
    live("default_collation", |live| async move {
        live.sql("CREATE TABLE t (x text)").await;
        let provider = live
            .ask("SELECT coalesce(to_jsonb(d)->>'datlocprovider', 'c') FROM pg_database d WHERE datname = current_database()")
            .await;
        let locale = live
            .ask("SELECT datcollate::text FROM pg_database WHERE datname = current_database()")
            .await;
        let wanted = match (provider.as_str(), locale.as_str()) {
            ("c", "C" | "POSIX") | ("b", _) => Collation::Binary,
            _ => Collation::Deterministic,
        };
        assert_eq!(live.table("t").await.columns[0].collation, wanted);
    });
}

#[test]
fn sizes_are_the_sum_of_the_partitions() {
    live("statistics", |live| async move {
        live.sql(
            "CREATE TABLE d (x int) PARTITION BY RANGE (x);
                  CREATE TABLE d1 PARTITION OF d FOR VALUES FROM (0) TO (100);
                  CREATE TABLE d2 PARTITION OF d FOR VALUES FROM (100) TO (1000);
                  CREATE TABLE fresh (x int);
                  CREATE VIEW v AS SELECT * FROM d;
                  INSERT INTO d SELECT generate_series(0, 999);
                  ANALYZE d; INSERT INTO fresh VALUES (1)",
        )
        .await;
        let d = live.table("d").await.statistics;
        assert_eq!(d.rows, Some(1000));
        assert!(d.bytes.unwrap() >= 8192 * 2);
        assert_eq!(live.table("fresh").await.statistics.rows, None);
        assert_eq!(live.table("v").await.statistics.rows, None);
        live.sql("TRUNCATE fresh").await;
        assert_eq!(live.table("fresh").await.statistics.rows, Some(0));
    });
}

#[test]
fn only_constraints_that_are_checked_are_believed() {
    live("constraints", |live| async move {
        live.sql(
            "CREATE TABLE p (x int NOT NULL); CREATE TABLE q (x int NOT NULL);
                  CREATE VIEW v AS SELECT * FROM p;
                  CREATE DOMAIN d AS int NOT NULL; CREATE TABLE r (x d);
                  CREATE FOREIGN DATA WRAPPER inflowave_test_wrapper;
                  CREATE SERVER inflowave_test_server FOREIGN DATA WRAPPER inflowave_test_wrapper;
                  CREATE FOREIGN TABLE f () INHERITS (q) SERVER inflowave_test_server",
        )
        .await;
        for (table, nullable) in [
            ("p", false),
            ("q", true),
            ("f", true),
            ("v", true),
            ("r", true),
        ] {
            let columns = live.table(table).await.columns;
            assert_eq!(columns[0].field.is_nullable(), nullable, "{table}");
        }
        assert_eq!(live.table("r").await.columns[0].native_type, "integer");
        assert_eq!(live.table("q").await.statistics.rows, None);
        live.sql("DROP FOREIGN DATA WRAPPER inflowave_test_wrapper CASCADE")
            .await;
    });
}

#[test]
fn opening_does_not_connect() {
    live("open", |live| async move {
        let source = super::open(&live.url, &[]).unwrap();
        assert_eq!(source.pool().size(), 0);
        source.ping().await.unwrap();
        assert_eq!(source.pool().size(), 1);
        let told = format!("{:?}", Arc::clone(&source));
        assert!(told.contains("crm"), "{told}");
    });
}

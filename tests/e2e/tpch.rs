//! The 22 TPC-H queries over four sources, compared row for row with PostgreSQL running them over
//! its own tables; and what each source was asked.

use std::fmt::Write;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Ident, ObjectName, ObjectNamePart, visit_relations_mut};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;
use inflowave_query_api::Session;
use inflowave_testkit::compare::{Rule, Tolerance, Verdict, compare};
use inflowave_testkit::provision::{CatalogSpec, MYSQL_ENV, Native, POSTGRES_ENV};
use inflowave_testkit::skip;

use crate::server;
use crate::tpch_data::{self as data, TABLES};

const SCALE: f64 = 0.01;

/// Which catalog holds a table: the schema is in the name already.
fn home(table: &str) -> [&'static str; 2] {
    match table {
        "lineitem" | "orders" => ["pg", "tpch"],
        "customer" | "nation" | "region" => ["maria", "tpch"],
        "supplier" => ["lite", "main"],
        _ => ["lake", "files"],
    }
}

/// The query with three-part names.
fn federated(sql: &str) -> String {
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
    let _ = visit_relations_mut(&mut statements, |relation: &mut ObjectName| {
        let name = relation.to_string();
        if let [ObjectNamePart::Identifier(table)] = relation.0.as_slice()
            && TABLES.contains(&name.as_str())
        {
            let [catalog, schema] = home(&name);
            let path = [Ident::new(catalog), Ident::new(schema), table.clone()];
            *relation = ObjectName(path.map(ObjectNamePart::Identifier).to_vec());
        }
        ControlFlow::<()>::Continue(())
    });
    statements[0].to_string()
}

async fn load(postgres: &str, mysql: &str, dir: &std::path::Path) -> Vec<(String, CatalogSpec)> {
    let (client, connection) = tokio_postgres::connect(postgres, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let pool = mysql_async::Pool::new(mysql);
    let mut maria = pool.get_conn().await.unwrap();
    let lite_path = dir.join("tpch.db");
    let mut lite = rusqlite::Connection::open(&lite_path).unwrap();
    let lake = dir.join("lake");
    std::fs::create_dir_all(&lake).unwrap();
    for table in TABLES {
        // The oracle has all of them; each of the others has its own.
        data::load_postgres(&client, "tpch", table, SCALE)
            .await
            .unwrap();
        match home(table)[0] {
            "maria" => data::load_mysql(&mut maria, "tpch", table, SCALE)
                .await
                .unwrap(),
            "lite" => data::load_sqlite(&mut lite, table, SCALE).unwrap(),
            "lake" => data::write_parquet(&lake, table, SCALE).unwrap(),
            _ => {}
        }
    }
    client.batch_execute("ANALYZE").await.unwrap();
    drop(maria);
    pool.disconnect().await.unwrap();
    let spec = |connector, params: &[(&str, String)], schema: &str| CatalogSpec {
        connector,
        params: params
            .iter()
            .map(|(k, v)| ((*k).to_owned(), v.clone()))
            .collect(),
        schema: schema.to_owned(),
    };
    let text = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    vec![
        (
            "pg".into(),
            spec("postgres", &[("url", postgres.to_owned())], "tpch"),
        ),
        (
            "maria".into(),
            spec("mysql", &[("url", mysql.to_owned())], "tpch"),
        ),
        (
            "lite".into(),
            spec("sqlite", &[("path", text(lite_path))], "main"),
        ),
        (
            "lake".into(),
            spec("files", &[("path", text(lake))], "files"),
        ),
    ]
}

/// What the sources were asked and what they were not, for the committed file.
async fn remote_queries(session: &mut dyn Session, sql: &str) -> String {
    let rows = server::texts(session, &format!("explain (federation) {sql}"))
        .await
        .unwrap();
    let mut out = String::new();
    for row in rows {
        let cell = |i: usize| row[i].as_deref().unwrap_or_default();
        if row[1].is_some() {
            writeln!(out, "{}: {}", cell(0), cell(1)).unwrap();
        } else {
            writeln!(
                out,
                "{}: not pushed: {}\n    because {}",
                cell(0),
                cell(3),
                cell(4)
            )
            .unwrap();
        }
    }
    out
}

#[test]
fn all_22_queries_over_four_sources_equal_postgresql() {
    let Ok(postgres) = std::env::var(POSTGRES_ENV) else {
        skip!("tpch", "INFLOWAVE_TEST_POSTGRES is not set");
    };
    let Ok(mysql) = std::env::var(MYSQL_ENV) else {
        skip!("tpch", "INFLOWAVE_TEST_MYSQL is not set");
    };
    server::run(async {
        let dir = tempfile::tempdir().unwrap();
        let service = server::service(load(&postgres, &mysql, dir.path()).await)
            .await
            .unwrap();
        let mut session = server::session(service.as_ref(), "pg").await;
        let native = Native::connect(&postgres).await.unwrap();
        native.run("SET search_path = tpch").await.unwrap();
        let mut asked = String::new();
        let mut wrong = Vec::new();
        for number in 1..=22 {
            let sql = data::query(number).unwrap();
            let ours = federated(&sql);
            let left = inflowave_testkit::ask(session.as_mut(), &ours)
                .await
                .map_err(Into::into);
            let right = native.ask(&sql).await;
            let width = right.as_ref().map_or(0, |r| r.columns.len());
            let rule = Rule {
                columns: vec![Tolerance::Quotient; width],
                ..Rule::default()
            };
            if let Ok(rows) = &right {
                assert!(
                    !rows.rows.is_empty(),
                    "q{number:02} has no rows at this scale"
                );
            }
            let verdict = compare(&left, &right, &rule, None);
            if verdict != Verdict::Same {
                wrong.push(format!("q{number:02}: {verdict:?}"));
            }
            writeln!(asked, "-- q{number:02}").unwrap();
            asked.push_str(&remote_queries(session.as_mut(), &ours).await);
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        expect_test::expect_file!["../fixtures/tpch/remote_queries.txt"].assert_eq(&asked);
    });
}

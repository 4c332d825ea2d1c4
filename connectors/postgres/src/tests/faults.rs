//! What goes wrong, and how it is told.

use std::net::TcpListener;

use arrow::datatypes::DataType;
use inflowave_connector_api::{RemoteSource, Source};

use super::{context, live, open, query, schema, whole};

#[test]
fn a_server_that_is_not_there_is_08001() {
    live("unreachable", |live| async move {
        // A port that was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let source = open(&format!("postgres://a:hunter2@127.0.0.1:{port}/db"), &[]).unwrap();
        let error = source.ping().await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "08001");
        let wanted = format!("catalog \"crm\": cannot reach PostgreSQL at 127.0.0.1:{port}: ");
        assert!(error.message().starts_with(&wanted), "{error}");
        assert!(error.message().contains("refused"), "{error}");
        assert!(error.hint().is_some() && error.is_retryable());
        assert!(!format!("{error:?}").contains("hunter2"));

        let source = open("postgres://a@no-such-host.invalid/db", &[]).unwrap();
        let error = source.schemas().await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "08001");
        assert!(
            error
                .message()
                .contains("cannot resolve the host \"no-such-host.invalid\"")
        );

        // One that takes the connection and says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let url = format!("postgres://a@127.0.0.1:{port}/db");
        let source = open(&url, &[("connect_timeout_ms", "50")]).unwrap();
        let error = source.tables("public").await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "08001");
        assert!(
            error.message().ends_with("no answer within 50 ms"),
            "{error}"
        );
        live.source.ping().await.unwrap();
    });
}

#[test]
fn a_refused_login_is_08004_and_leaks_nothing() {
    live("login", |live| async move {
        let mut url = url::Url::parse(&live.url).unwrap();
        url.set_path("/no such database");
        let error = open(url.as_str(), &[]).unwrap().ping().await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "08004");
        assert_eq!(
            error.message().split(": ").last(),
            Some("database \"no such database\" does not exist")
        );
        assert!(error.detail().unwrap().contains("(SQLSTATE 3D000)"));
        assert!(error.hint().is_some());

        url.set_username("inflowave_no_such_role").unwrap();
        let nobody = open(url.as_str(), &[("password", "hunter2")]).unwrap();
        let error = nobody.ping().await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "08004");
        assert!(
            error.detail().unwrap().contains("(SQLSTATE 28"),
            "{error:?}"
        );

        let role = "inflowave_test_login";
        live.sql(&format!(
            "DO $$ BEGIN CREATE ROLE {role} LOGIN PASSWORD 'hunter2'; EXCEPTION WHEN duplicate_object THEN END $$"
        ))
        .await;
        let mut url = url::Url::parse(&live.url).unwrap();
        url.set_username(role).unwrap();
        let right = open(url.as_str(), &[("password", "hunter2")]).unwrap();
        right.ping().await.unwrap();
        let wrong = open(url.as_str(), &[("password", "hunter3")]).unwrap();
        match wrong.ping().await {
            Err(error) => {
                assert_eq!(error.sqlstate().code(), "08004");
                assert!(
                    error.detail().unwrap().contains("(SQLSTATE 28P01)"),
                    "{error:?}"
                );
                assert!(error.hint().unwrap().contains("\"password\""));
                assert!(!format!("{error:?}").contains("hunter"));
                let none = open(url.as_str(), &[]).unwrap().ping().await.unwrap_err();
                assert_eq!(none.sqlstate().code(), "08004", "{none:?}");
                assert!(
                    none.message()
                        .ends_with("it asks for a password, and none is given")
                );
            }
            Ok(()) => super::skipped(
                "postgres, wrong password (the server trusts every login; pg_hba.conf must ask \
                 inflowave_test_login for scram-sha-256)",
            ),
        }
        drop(wrong);
        drop(right);
        live.sql(&format!("DROP ROLE {role}")).await;
    });
}

#[test]
fn a_changed_table_is_not_misread() {
    live("drift", |live| async move {
        live.sql("CREATE TABLE t (a int, b text NOT NULL); INSERT INTO t VALUES (1, 'x')")
            .await;
        let planned = whole(&live.table("t").await, "");
        for (change, told) in [
            (
                "ALTER TABLE t ALTER a TYPE bigint",
                "crm.S.t.a is of type int8 and was planned as Int32",
            ),
            (
                "ALTER TABLE t ALTER a TYPE text",
                "crm.S.t.a is of type text and was planned as Int32",
            ),
            (
                "ALTER TABLE t ALTER a TYPE int USING 1, ALTER b DROP NOT NULL; UPDATE t SET b = NULL",
                "crm.S.t.b was declared NOT NULL and holds NULL",
            ),
            (
                "ALTER TABLE t ALTER b TYPE numeric USING 1",
                "crm.S.t.b is of type numeric and was planned as Utf8View",
            ),
            ("ALTER TABLE t DROP b", "column \"b\" does not exist"),
            ("DROP TABLE t", "relation \"S.t\" does not exist"),
        ] {
            live.sql(change).await;
            let error = live.run(planned.clone()).await.unwrap_err();
            assert_eq!(error.sqlstate().code(), "42P16", "{change}: {error}");
            let told = told.replace("S.t", &format!("{}.t", live.schema));
            assert_eq!(
                error.message(),
                format!(
                    "catalog \"crm\": columns of a table have changed since they were read: {told}"
                )
            );
            assert_eq!(
                error.hint(),
                Some("Run REFRESH CATALOG crm and send the statement again.")
            );
        }
    });
}

#[test]
fn errors_of_the_source_keep_their_meaning() {
    live("errors", |live| async move {
        let int = || schema(&[DataType::Int32]);
        for (sql, code) in [
            ("SELECT 1 / (x - x) FROM generate_series(1, 3) x", "22012"),
            (
                "SELECT 2147483647 + x FROM generate_series(1, 3) x",
                "22003",
            ),
            ("SELECT 'a'::text::int", "22P02"),
            ("SELECT (SELECT x FROM generate_series(1, 2) x)", "21000"),
            ("SELECT nothing()", "HV000"),
        ] {
            let error = live.run(query(sql, int(), vec![])).await.unwrap_err();
            assert_eq!(error.sqlstate().code(), code, "{sql}: {error:?}");
            assert!(error.message().starts_with("catalog \"crm\": "), "{error}");
            assert!(error.detail().unwrap().starts_with("the source said "));
        }
        live.sql("CREATE TABLE t (x int)").await;
        let insert = format!("INSERT INTO {}.t VALUES (1) RETURNING x", live.schema);
        let error = live.run(query(&insert, int(), vec![])).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "25006");
        let rows = live.run(query("SELECT 7", int(), vec![])).await.unwrap();
        assert_eq!(super::shown(&rows), [["7"]]);
        assert_eq!(live.source.pool().size(), 1);
    });
}

#[test]
fn a_privilege_that_is_missing_is_named() {
    live("privilege", |live| async move {
        live.sql("CREATE TABLE t (x int);
                  DO $$ BEGIN CREATE ROLE inflowave_test_poor LOGIN PASSWORD 'hunter2'; EXCEPTION WHEN duplicate_object THEN END $$")
            .await;
        let query = whole(&live.table("t").await, "");
        let mut url = url::Url::parse(&live.url).unwrap();
        url.set_username("inflowave_test_poor").unwrap();
        let source = open(url.as_str(), &[("password", "hunter2")]).unwrap();
        let error = source.execute(query, context()).await.err().unwrap();
        assert_eq!(error.sqlstate().code(), "42501");
        drop(source);
        live.sql("DROP ROLE inflowave_test_poor").await;
    });
}

#[test]
fn sessions_are_read_only_and_set_up() {
    live("session", |live| async move {
        let settings = [
            ("default_transaction_read_only", "on"),
            ("standard_conforming_strings", "on"),
            ("client_encoding", "UTF8"),
            ("search_path", "pg_catalog"),
            ("TimeZone", "UTC"),
            ("DateStyle", "ISO, MDY"),
            ("IntervalStyle", "postgres"),
            ("statement_timeout", "0"),
            ("application_name", "inflowave"),
        ];
        for (name, value) in settings {
            let sql = format!("SELECT current_setting('{name}')");
            let rows = live
                .run(query(&sql, schema(&[DataType::Utf8View]), vec![]))
                .await
                .unwrap();
            assert_eq!(super::shown(&rows), [[value]], "{name}");
        }
    });
}

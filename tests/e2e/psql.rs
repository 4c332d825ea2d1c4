//! A real psql over the wire.

use std::process::{Command, Output};

use inflowave_testkit::provision::{CatalogSpec, Fixture, SqliteFixture};
use inflowave_testkit::{skip, trap};

use crate::server::{self, Listening};

struct Served {
    listening: Listening,
    _fixture: SqliteFixture,
    _dir: tempfile::TempDir,
}

impl Served {
    async fn start() -> Served {
        let mut fixture = SqliteFixture::new().unwrap();
        fixture.provision(&trap::tables()).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("rates.csv"),
            "code,rate\nEUR,1.50\nPLN,0.25\n",
        )
        .unwrap();
        let files = CatalogSpec {
            connector: "files",
            params: vec![("path".into(), dir.path().to_str().unwrap().into())],
            schema: "files".into(),
        };
        let service = server::service(vec![
            ("lite".into(), fixture.catalog()),
            ("lake".into(), files),
        ])
        .await
        .unwrap();
        Served {
            listening: Listening::start(service).await,
            _fixture: fixture,
            _dir: dir,
        }
    }

    async fn psql(&self, database: &str, sql: &str) -> Output {
        let (database, sql) = (database.to_owned(), sql.to_owned());
        let address = self.listening.address;
        tokio::task::spawn_blocking(move || {
            Command::new("psql")
                .args(["-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose"])
                .args(["-h", "127.0.0.1", "-p", &address.port().to_string()])
                .args(["-U", "tester", "-d", &database, "-c", &sql])
                .output()
                .unwrap()
        })
        .await
        .unwrap()
    }
}

fn there() -> bool {
    Command::new("psql").arg("--version").output().is_ok()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn psql_joins_and_sees_errors_with_code_and_position() {
    if !there() {
        skip!("psql", "it is not installed");
    }
    server::run(async {
        let served = Served::start().await;
        let rows = served
            .psql(
                "lake",
                "select code, rate * 2 from rates order by code; select 1 + 1",
            )
            .await;
        assert_eq!(out(&rows), "EUR|3\nPLN|0.5\n2\n", "{}", err(&rows));
        let wrong = served
            .psql("lake", "select code,\n  nosuch from rates")
            .await;
        let text = err(&wrong);
        assert!(text.contains("42703"), "{text}");
        let wrong = served.psql("lake", "select 1 +").await;
        let text = err(&wrong);
        assert!(text.contains("42601") && text.contains("LINE 1"), "{text}");
        let wrong = served.psql("nosuch", "select 1").await;
        assert!(
            err(&wrong).contains("catalog \"nosuch\" does not exist"),
            "{}",
            err(&wrong)
        );
        let show = served.psql("inflowave", "show catalogs").await;
        assert_eq!(out(&show), "inflowave\nlake\nlite\nsystem\n");
    });
}

#[test]
fn a_failed_transaction_says_so_until_it_ends() {
    if !there() {
        skip!("psql", "it is not installed");
    }
    server::run(async {
        let served = Served::start().await;
        let output = served.psql("lake", "begin; select 1/0; select 1").await;
        assert!(err(&output).contains("22012"), "{}", err(&output));
        let client = served.listening.connect("lake").await;
        client.simple_query("begin").await.unwrap();
        assert!(client.simple_query("select 1/0").await.is_err());
        let error = client.simple_query("select 1").await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "25P02");
        client.simple_query("rollback").await.unwrap();
        assert!(client.simple_query("select 1").await.is_ok());
    });
}

#[test]
fn a_statement_that_takes_too_long_is_canceled() {
    server::run(async {
        let served = Served::start().await;
        let client = served.listening.connect("lake").await;
        let endless = "select count(*) from generate_series(1, 1000000000000) g(v) where v = -1";
        client
            .simple_query("set statement_timeout = '200ms'")
            .await
            .unwrap();
        let error = client.simple_query(endless).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "57014");
        client
            .simple_query("set statement_timeout = 0")
            .await
            .unwrap();
        let token = client.cancel_token();
        let error = tokio::select! {
            result = client.simple_query(endless) => result.unwrap_err(),
            () = server::cancelling(&token) => unreachable!("the loop has no end"),
        };
        assert_eq!(error.code().unwrap().code(), "57014");
        // A request that was under way can still arrive, and no further one is sent.
        while let Err(error) = client.simple_query("select 1").await {
            assert_eq!(error.code().unwrap().code(), "57014");
        }
    });
}

#[test]
fn what_changes_nothing_is_told() {
    if !there() {
        skip!("psql", "it is not installed");
    }
    server::run(async {
        let served = Served::start().await;
        for (sql, told) in [
            (
                "begin; begin",
                "WARNING:  25001: there is already a transaction in progress",
            ),
            (
                "commit",
                "WARNING:  25P01: there is no transaction in progress",
            ),
            (
                "drop view if exists v",
                "NOTICE:  00000: view \"v\" does not exist, skipping",
            ),
            (
                "drop catalog if exists c",
                "NOTICE:  00000: catalog \"c\" does not exist, skipping",
            ),
            (
                "create view v as select 1; create view if not exists v as select 2",
                "NOTICE:  42P07: relation \"v\" already exists, skipping",
            ),
        ] {
            let output = served.psql("lake", sql).await;
            assert!(output.status.success(), "{sql}: {}", err(&output));
            assert_eq!(err(&output).trim_end(), told, "{sql}");
        }
    });
}

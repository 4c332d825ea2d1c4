//! What a transaction, and a statement, read while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use inflowave_query_api::Session;
use inflowave_testkit::provision::{Fixture, POSTGRES_ENV, PostgresFixture, SqliteFixture};
use inflowave_testkit::skip;

use crate::server::{self, error, lines};

/// A table of one column, `x`, with some rows.
async fn table(fixture: &PostgresFixture, name: &str, rows: usize) -> String {
    let there = fixture.table_name(name);
    let made = format!("CREATE TABLE {there} AS SELECT x FROM generate_series(1, {rows}) x");
    fixture.run(&made).await.unwrap();
    let schema = fixture.catalog().schema.replace('"', "\"\"");
    format!("source.\"{schema}\".{name}")
}

/// The only value of a query, and what the client is told beside it.
async fn told(session: &mut dyn Session, sql: &str) -> (String, Vec<String>) {
    let statement = session.split(sql).unwrap().remove(0);
    let prepared = session.prepare(&statement, None).await.unwrap();
    let mut portal = session.execute(prepared).await.unwrap();
    let mut value = String::new();
    while let Some(batch) = portal.next().await.unwrap() {
        value = arrow::util::display::array_value_to_string(batch.column(0), 0).unwrap();
    }
    let notices = portal.notices().into_iter();
    let told = notices.map(|n| format!("{} {}", n.sqlstate.code(), n.message));
    (value, told.collect())
}

#[test]
fn a_transaction_reads_one_state_where_the_source_has_one() {
    server::run(async {
        let Some(fixture) = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap() else {
            skip!("PostgreSQL", &format!("{POSTGRES_ENV} is not set"));
        };
        let (t, there) = (table(&fixture, "t", 3).await, fixture.table_name("t"));
        let lite = SqliteFixture::new().unwrap();
        let database = rusqlite::Connection::open(lite.path()).unwrap();
        database
            .execute_batch("CREATE TABLE s (x INTEGER); INSERT INTO s VALUES (1)")
            .unwrap();
        let catalogs = vec![
            ("source".to_owned(), fixture.catalog()),
            ("lite".to_owned(), lite.catalog()),
        ];
        let service = server::service(catalogs).await.unwrap();
        let mut session = server::session(service.as_ref(), "source").await;
        let s = session.as_mut();
        let count = &format!("select count(*) from {t}");
        let add = format!("INSERT INTO {there} VALUES (0)");

        // By default each statement reads what is there.
        lines(s, "begin").await;
        assert_eq!(
            lines(s, "show transaction_isolation").await,
            ["read committed"]
        );
        assert_eq!(lines(s, count).await, ["3"]);
        fixture.run(&add).await.unwrap();
        assert_eq!(lines(s, count).await, ["4"]);
        let late = error(s, "set transaction isolation level repeatable read").await;
        assert_eq!(late.sqlstate().code(), "25001");
        lines(s, "rollback").await;

        for begin in [
            "begin isolation level repeatable read, read only",
            "start transaction isolation level serializable",
            "begin; set transaction isolation level repeatable read",
            "set session characteristics as transaction isolation level repeatable read; begin",
        ] {
            lines(s, begin).await;
            let before = lines(s, count).await;
            fixture.run(&add).await.unwrap();
            assert_eq!(lines(s, count).await, before, "{begin}");
            // What is computed here is of the same state.
            lines(s, "set inflowave.pushdown = off").await;
            assert_eq!(lines(s, count).await, before, "{begin}");
            let twice = format!("select count(*) from {t} a join {t} b on a.x = b.x and a.x > 0");
            assert_eq!(lines(s, &twice).await, ["3"], "{begin}");
            lines(s, "set inflowave.pushdown = on").await;
            // An error does not end it, with a savepoint.
            lines(s, "savepoint a").await;
            assert_eq!(error(s, "select 1 / 0").await.sqlstate().code(), "22012");
            lines(s, "rollback to a").await;
            assert_eq!(lines(s, count).await, before, "{begin}");
            lines(s, "commit").await;
            assert_ne!(lines(s, count).await, before, "{begin}");
        }
        lines(s, "set default_transaction_isolation = 'read committed'").await;

        // A source that has no snapshots is told, once.
        lines(s, "begin isolation level repeatable read").await;
        assert_eq!(
            lines(s, "show transaction_isolation").await,
            ["repeatable read"]
        );
        let (one, notices) = told(s, "select count(*) from lite.main.s").await;
        assert_eq!(one, "1");
        assert_eq!(
            notices,
            [
                "01000 catalog \"lite\" has no snapshots: two queries of this transaction can read two states of it"
            ]
        );
        database.execute_batch("INSERT INTO s VALUES (2)").unwrap();
        assert_eq!(
            told(s, "select count(*) from lite.main.s").await,
            ("2".to_owned(), vec![])
        );
        assert_eq!(told(s, count).await.1, Vec::<String>::new());
        lines(s, "rollback").await;
        let holders = "select source from system.runtime.sources where snapshots";
        assert_eq!(lines(s, holders).await, ["source"]);

        // Without transactions at the source that nobody ends.
        drop(session);
        let idle = "SELECT 1 / (CASE count(*) WHEN 0 THEN 1 ELSE 0 END) FROM pg_stat_activity \
                    WHERE application_name = 'inflowave' AND state LIKE 'idle in transaction%'";
        let deadline = std::time::Instant::now() + server::DEADLINE;
        while fixture.run(idle).await.is_err() {
            assert!(std::time::Instant::now() < deadline, "a transaction stays");
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_statement_reads_a_source_in_one_state() {
    server::run(async {
        let Some(fixture) = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap() else {
            skip!("PostgreSQL", &format!("{POSTGRES_ENV} is not set"));
        };
        let fixture = Arc::new(fixture);
        let (here, there) = (
            table(&fixture, "a", 50).await,
            table(&fixture, "b", 50).await,
        );
        let service = server::service(vec![("source".to_owned(), fixture.catalog())])
            .await
            .unwrap();
        let mut session = server::session(service.as_ref(), "source").await;
        let s = session.as_mut();

        // A row goes from one table to the other and back, again and again.
        let over = Arc::new(AtomicBool::new(false));
        let moving = tokio::spawn({
            let (over, fixture) = (Arc::clone(&over), Arc::clone(&fixture));
            async move {
                let (a, b) = (fixture.table_name("a"), fixture.table_name("b"));
                let go = |from: &str, to: &str| {
                    format!(
                        "WITH gone AS (DELETE FROM {from} WHERE x = 1 RETURNING x) \
                         INSERT INTO {to} SELECT x + 1000 FROM gone"
                    )
                };
                let back = |from: &str, to: &str| {
                    format!(
                        "WITH gone AS (DELETE FROM {from} WHERE x = 1001 RETURNING x) \
                         INSERT INTO {to} SELECT x - 1000 FROM gone"
                    )
                };
                while !over.load(Ordering::Relaxed) {
                    fixture.run(&go(&a, &b)).await.unwrap();
                    fixture.run(&back(&b, &a)).await.unwrap();
                }
            }
        });
        lines(s, "set inflowave.pushdown = off").await;
        let all = format!(
            "select count(*) from (select x from {here} union all select x from {there}) u"
        );
        for _ in 0..200 {
            assert_eq!(lines(s, &all).await, ["100"]);
        }
        // Both answers of a verified statement are of one state, too.
        lines(s, "set inflowave.pushdown = verify").await;
        let one = format!("select sum(x) from {here}");
        for _ in 0..50 {
            lines(s, &one).await;
        }
        over.store(true, Ordering::Relaxed);
        moving.await.unwrap();
    });
}

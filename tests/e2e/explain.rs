//! `EXPLAIN`, the system tables and settings, over SQLite and files.

use inflowave_config::Limits;
use inflowave_testkit::provision::{Fixture, SqliteFixture};
use inflowave_testkit::trap;

use crate::server::{self, texts};

async fn with_sqlite() -> (SqliteFixture, Box<dyn inflowave_query_api::Session>) {
    let mut fixture = SqliteFixture::new().unwrap();
    fixture.provision(&trap::tables()).await.unwrap();
    let catalogs = vec![("lite".to_owned(), fixture.catalog())];
    let service = server::service(catalogs).await.unwrap();
    let session = server::session(service.as_ref(), "lite").await;
    (fixture, session)
}

fn cell(rows: &[Vec<Option<String>>], row: usize, column: usize) -> &str {
    rows[row][column].as_deref().unwrap_or("NULL")
}

#[test]
fn a_failed_name_suggests_the_nearest() {
    server::run(async {
        let (_fixture, mut session) = with_sqlite().await;
        let tables = texts(session.as_mut(), "show tables").await.unwrap();
        let first = tables
            .iter()
            .filter_map(|r| r[0].clone())
            .find(|t| t.len() > 3 && t.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
            .unwrap();
        let sql = format!("select * from {first}z");
        let error = texts(session.as_mut(), &sql).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "42P01");
        assert_eq!(
            error.hint().unwrap(),
            format!("Perhaps you meant the table \"{first}\".")
        );
        let error = texts(session.as_mut(), "select * from lit.main.x")
            .await
            .unwrap_err();
        assert_eq!(error.sqlstate().code(), "3D000");
        assert_eq!(
            error.hint(),
            Some("Perhaps you meant the catalog \"lite\".")
        );
        let sql = format!("select * from lite.mian.{first}");
        let error = texts(session.as_mut(), &sql).await.unwrap_err();
        assert!(
            ["3F000", "42P01"].contains(&error.sqlstate().code()),
            "{error:?}"
        );
    });
}

#[test]
fn remote_queries_and_queries_are_seen() {
    server::run(async {
        let (_fixture, mut session) = with_sqlite().await;
        let tables = texts(session.as_mut(), "show tables").await.unwrap();
        let name = tables[0][0].clone().unwrap().replace('"', "\"\"");
        let counted = texts(
            session.as_mut(),
            &format!("select count(*) from \"{name}\""),
        )
        .await
        .unwrap();
        assert_eq!(counted.len(), 1);
        let remote = texts(
            session.as_mut(),
            "select source, state, remote_query from system.runtime.remote_queries order by remote_query_id",
        )
        .await
        .unwrap();
        assert_eq!(cell(&remote, 0, 0), "lite");
        assert_eq!(cell(&remote, 0, 1), "finished");
        assert!(cell(&remote, 0, 2).contains("SELECT"), "{remote:?}");
        let queries = texts(
            session.as_mut(),
            "select state, rows, user_name from system.runtime.queries where query like 'select count%'",
        )
        .await
        .unwrap();
        assert_eq!(
            queries,
            [[
                Some("finished".into()),
                Some("1".into()),
                Some("tester".into())
            ]]
        );
    });
}

#[test]
fn what_may_not_run_does_not() {
    server::run(async {
        let (_fixture, mut session) = with_sqlite().await;
        for (sql, code) in [
            ("copy (select 1) to '/tmp/inflowave-stolen'", "42501"),
            (
                "copy (select 1) to program 'touch /tmp/inflowave-stolen'",
                "42501",
            ),
            ("insert into lite.main.x values (1)", "25006"),
            ("set datafusion.execution.batch_size = 1", "42704"),
            ("set inflowave.pushdown = perhaps", "22023"),
            ("select * from '/etc/passwd'", "42P01"),
            (
                "create external table t (a int) stored as parquet location '/etc'",
                "25006",
            ),
        ] {
            let error = texts(session.as_mut(), sql).await.unwrap_err();
            assert_eq!(error.sqlstate().code(), code, "{sql}: {error}");
        }
        assert!(!std::path::Path::new("/tmp/inflowave-stolen").exists());
    });
}

#[test]
fn verify_passes_where_nothing_differs() {
    server::run(async {
        let (_fixture, mut session) = with_sqlite().await;
        texts(session.as_mut(), "set inflowave.pushdown = verify")
            .await
            .unwrap();
        let tables = texts(session.as_mut(), "show tables").await.unwrap();
        let mut rows = 0;
        for table in &tables {
            let name = table[0].clone().unwrap().replace('"', "\"\"");
            let sql = format!("select * from \"{name}\"");
            rows += texts(session.as_mut(), &sql).await.unwrap().len();
        }
        assert!(rows > 100, "{rows}");
    });
}

#[test]
fn pushdown_is_switched_off_for_one_catalog_and_on_again() {
    server::run(async {
        let dir = tempfile::tempdir().unwrap();
        rusqlite::Connection::open(dir.path().join("a.db"))
            .unwrap()
            .execute_batch(
                "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y')",
            )
            .unwrap();
        let engine = server::keeping(dir.path(), Limits::default(), &[]).await;
        let mut session = server::session(&engine, "inflowave").await;
        let made = "create catalog lite using sqlite with (path = 'a.db', pushdown = 'off')";
        texts(session.as_mut(), made).await.unwrap();
        let sql = "select b from lite.main.t where a > 1 order by b limit 1";
        let explain = format!("explain (federation) {sql}");
        let rows = texts(session.as_mut(), &explain).await.unwrap();
        assert_eq!(cell(&rows, 0, 2), "columns: a, b");
        let reason = "pushdown is off for this catalog";
        assert!(
            rows[1..].iter().all(|r| r[4].as_deref() == Some(reason)),
            "{rows:?}"
        );
        assert!(rows.len() > 1, "{rows:?}");
        let answer = texts(session.as_mut(), sql).await.unwrap();
        assert_eq!(answer, [[Some("y".to_owned())]]);
        texts(session.as_mut(), "alter catalog lite set (pushdown = 'on')")
            .await
            .unwrap();
        let rows = texts(session.as_mut(), &explain).await.unwrap();
        assert!(cell(&rows, 0, 2).contains("filter"), "{rows:?}");
        assert_eq!(texts(session.as_mut(), sql).await.unwrap(), answer);
        let wrong = "alter catalog lite set (pushdown = 'perhaps')";
        let error = texts(session.as_mut(), wrong).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "22023");
        assert_eq!(error.hint(), Some("Valid is one of: on, off."));
        // Files have nothing to push: the parameter is none of theirs.
        let files = "create catalog lake using files with (path = '.', pushdown = 'off')";
        let error = texts(session.as_mut(), files).await.unwrap_err();
        assert!(error.message().contains("unknown parameter"), "{error:?}");
    });
}

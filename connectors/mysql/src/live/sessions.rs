//! Logins that fail, settings of a session, the pool, cancelling.

use arrow::datatypes::DataType;
use futures::StreamExt;
use inflowave_connector_api::{RemoteSource, Source};
use inflowave_types::Error;
use mysql_async::prelude::Queryable;
use std::sync::Arc;

use super::{Fixture, computed, context, fails, lines, open, run, start};

/// A query that yields rows without an end worth waiting for.
fn endless(f: &Fixture, mark: &str) -> String {
    let table = format!("`{}`.ten", f.database);
    let joined: Vec<_> = (0..9).map(|i| format!("{table} t{i}")).collect();
    format!(
        "SELECT /* {mark} */ t0.a, repeat('x', 1000) FROM {}",
        joined.join(" CROSS JOIN ")
    )
}

const TEN: &[&str] = &[
    "CREATE TABLE ten (a int)",
    "INSERT INTO ten VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
];

const ENDLESS_TYPES: &[DataType] = &[DataType::Int32, DataType::Utf8View];

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let source = open(&[
        ("url", "mysql://app@127.0.0.1:1/shop"),
        ("password", "hunter2"),
    ])
    .unwrap();
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001");
    assert_eq!(
        error.message(),
        "catalog \"shop\": cannot connect to 127.0.0.1:1"
    );
    assert!(error.hint().is_some());
    assert!(!format!("{error:?} {source:?}").contains("hunter2"));
    let error = source.schemas().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001");
    let query = computed("SELECT 1", &[DataType::Int64]);
    assert_eq!(fails(&source, query).await.sqlstate().code(), "08001");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_logins_leak_nothing() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let user = format!("u_{}", f.database);
    f.run(&[
        &format!("CREATE USER {user}@'%' IDENTIFIED BY 'right'"),
        &format!("GRANT SELECT ON {}.* TO {user}@'%'", f.database),
        "CREATE TABLE t (a int)",
        "CREATE DATABASE IF NOT EXISTS inflowave_closed",
        "CREATE TABLE IF NOT EXISTS inflowave_closed.t (a int)",
    ])
    .await;
    let url = |user: &str, database: &str| {
        let mut url = url::Url::parse(&f.url).unwrap();
        url.set_username(user).unwrap();
        url.set_password(None).unwrap();
        url.set_path(database);
        url.to_string()
    };
    let check = |error: &Error, state: &str| {
        assert_eq!(error.sqlstate().code(), state, "{error:?}");
        assert!(error.hint().is_some());
        assert!(!format!("{error:?}").contains("hunter2"));
    };
    let wrong = open(&[("url", &url(&user, &f.database)), ("password", "hunter2")]).unwrap();
    let error = wrong.ping().await.unwrap_err();
    check(&error, "08004");
    assert!(
        error.detail().unwrap().contains("Access denied"),
        "{error:?}"
    );
    let in_url = url(&user, &f.database).replace('@', ":hunter2@");
    check(
        &open(&[("url", &in_url)]).unwrap().ping().await.unwrap_err(),
        "08004",
    );
    let nowhere = open(&[("url", &url("root", "no_such_database"))]).unwrap();
    let error = nowhere.ping().await.unwrap_err();
    check(&error, "08004");
    assert!(error.message().contains("no_such_database"), "{error}");

    let right = open(&[("url", &url(&user, &f.database)), ("password", "right")]).unwrap();
    assert_eq!(right.tables(&f.database).await.unwrap(), ["t"]);
    let query = computed("SELECT a FROM inflowave_closed.t", &[DataType::Int32]);
    check(&fails(&right, query).await, "42501");
    f.run(&[
        &format!("DROP USER {user}@'%'"),
        "DROP DATABASE inflowave_closed",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_reads_and_means_what_we_mean() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(&["CREATE TABLE t (a int)"]).await;
    let source = f.source();
    let query = computed(
        r#"SELECT 'a' || 'b', '\', "x" FROM (SELECT 1 AS "x") AS t"#,
        &[DataType::Utf8View, DataType::Utf8View, DataType::Int64],
    );
    assert_eq!(
        lines(&run(&source, query).await.unwrap()),
        [["ab", "\\", "1"]]
    );
    let write = format!("INSERT INTO `{}`.t VALUES (1)", f.database);
    let error = fails(&source, computed(&write, &[])).await;
    assert!(error.detail().unwrap().contains("READ ONLY"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pool_has_a_limit_and_gives_sessions_again() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(TEN).await;
    let source = f.source_with(&[("pool_size_max", "1"), ("acquire_timeout_ms", "200")]);
    let held = start(&source, computed(&endless(&f, "held"), ENDLESS_TYPES))
        .await
        .unwrap();
    let error = fails(&source, computed("SELECT 1", &[DataType::Int64])).await;
    assert_eq!(error.sqlstate().code(), "53300");
    assert!(error.hint().unwrap().contains("pool_size_max"));
    drop(held);
    f.until_running("held", 0).await;
    // The one session is used again and again, and its statements do not pile up.
    let id = || computed("SELECT connection_id()", &[DataType::Int64]);
    let patient = f.source_with(&[("pool_size_max", "1")]);
    let first = lines(&run(&patient, id()).await.unwrap());
    for _ in 0..40 {
        assert_eq!(lines(&run(&patient, id()).await.unwrap()), first);
    }
    let open: Option<(String, u32)> = f
        .admin
        .query_first("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")
        .await
        .unwrap();
    assert!(open.unwrap().1 < 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_query_ends_at_the_source() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let source = f.source();
    let scan = context();
    let query = Arc::new(computed(
        "SELECT /* cancelled */ sleep(60)",
        &[DataType::Int64],
    ));
    let running = {
        let (source, scan) = (Arc::clone(&source), scan.clone());
        tokio::spawn(async move {
            let mut rows = source.execute(query, scan).await?;
            rows.next().await.expect("a row or an error")
        })
    };
    f.until_running("/* cancelled */", 1).await;
    scan.cancel.cancel();
    let error = running.await.unwrap().unwrap_err();
    assert_eq!(error.sqlstate().code(), "57014");
    f.until_running("/* cancelled */", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_stream_ends_with_the_reason() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(TEN).await;
    let source = f.source();
    let scan = context();
    let query = Arc::new(computed(&endless(&f, "in mid-stream"), ENDLESS_TYPES));
    let mut rows = source.execute(query, scan.clone()).await.unwrap();
    assert!(rows.next().await.unwrap().unwrap().num_rows() > 0);
    scan.cancel.cancel();
    let error = loop {
        match rows.next().await.expect("an error, not an end") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate().code(), "57014");
    assert!(rows.next().await.is_none());
    f.until_running("in mid-stream", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_stream_is_killed_and_not_drained() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(TEN).await;
    let source = f.source_with(&[("pool_size_max", "1")]);
    let began = std::time::Instant::now();
    let mut rows = start(&source, computed(&endless(&f, "abandoned"), ENDLESS_TYPES))
        .await
        .unwrap();
    assert!(rows.next().await.unwrap().is_ok());
    drop(rows);
    f.until_running("abandoned", 0).await;
    // The result would be a terabyte; the next query has the one place of the pool at once.
    let query = computed("SELECT 1", &[DataType::Int64]);
    assert_eq!(lines(&run(&source, query).await.unwrap()), [["1"]]);
    assert!(began.elapsed().as_secs() < 20);
    let sessions: Option<u32> = f
        .admin
        .exec_first(
            "SELECT count(*) FROM information_schema.processlist WHERE db = ? AND id <> connection_id()",
            (&f.database,),
        )
        .await
        .unwrap();
    assert_eq!(sessions, Some(1), "the killed session is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_connections_of_the_pool_are_replaced() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let source = f.source();
    let id = || computed("SELECT connection_id()", &[DataType::Int64]);
    for _ in 0..3 {
        let first = lines(&run(&source, id()).await.unwrap());
        f.admin
            .query_drop(format!("KILL CONNECTION {}", first[0][0]))
            .await
            .unwrap();
        let second = lines(&run(&source, id()).await.unwrap());
        assert_ne!(first, second);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_wait_for_the_first_row_ends_the_query() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    let source = f.source();
    let waiting = {
        let source = Arc::clone(&source);
        let query = computed("SELECT /* waiting */ sleep(60)", &[DataType::Int64]);
        tokio::spawn(async move { run(&source, query).await })
    };
    f.until_running("/* waiting */", 1).await;
    waiting.abort();
    f.until_running("/* waiting */", 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_is_never_a_clean_end() {
    let Some(mut f) = Fixture::new().await else {
        return;
    };
    f.run(TEN).await;
    let source = f.source();
    let mut rows = start(&source, computed(&endless(&f, "cut"), ENDLESS_TYPES))
        .await
        .unwrap();
    assert!(rows.next().await.unwrap().is_ok());
    let id: Option<u64> = f
        .admin
        .query_first(
            "SELECT id FROM information_schema.processlist \
             WHERE info LIKE '%/* cut */%' AND id <> connection_id()",
        )
        .await
        .unwrap();
    f.admin
        .query_drop(format!("KILL CONNECTION {}", id.unwrap()))
        .await
        .unwrap();
    let error = loop {
        match rows.next().await.expect("an error, not an end") {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate().code(), "08006", "{error:?}");
    source.ping().await.unwrap();
}

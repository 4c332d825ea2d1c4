//! Streaming, cancelling, and what becomes of the sessions.

use std::sync::Arc;

use arrow::datatypes::DataType;
use futures::{StreamExt, TryStreamExt};
use inflowave_connector_api::{BatchStream, RemoteSource, ScanContext, Snapshot, Source};

use super::{Live, context, live, open, query, schema, shown};

/// Sessions of a source that run something, found by its application name.
fn active(name: &str) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND state = 'active'"
    )
}

async fn pid(source: &Arc<crate::source::PostgresSource>) -> String {
    let sql = query(
        "SELECT pg_backend_pid()",
        schema(&[DataType::Int32]),
        vec![],
    );
    let stream = source.execute(sql, context()).await.unwrap();
    shown(&stream.try_collect::<Vec<_>>().await.unwrap())
        .remove(0)
        .remove(0)
}

/// A query that gives a row at once and then takes a minute.
const SLOW: &str = "SELECT x FROM generate_series(1, 100000) x
    UNION ALL SELECT 1 FROM pg_sleep(60)";

#[test]
fn a_cancel_ends_the_query_at_the_source() {
    live("cancel", |live| async move {
        let name = "inflowave_test_cancel";
        let source = open(
            &live.url,
            &[("application_name", name), ("pool_size_max", "1")],
        )
        .unwrap();
        let before = pid(&source).await;
        let ints = || schema(&[DataType::Int32]);

        // Before the first row.
        let scan = ScanContext {
            batch_rows: 10,
            runtime_filters: Vec::new(),
            ..context()
        };
        let asleep = query("SELECT 1 FROM pg_sleep(60)", ints(), vec![]);
        let started = tokio::spawn({
            let (source, scan) = (Arc::clone(&source), scan.clone());
            async move { source.execute(asleep, scan).await.map(drop) }
        });
        live.until(1, &active(name)).await;
        scan.cancel.cancel();
        let error = started.await.unwrap().unwrap_err();
        assert_eq!(error.sqlstate().code(), "57014");
        live.until(0, &active(name)).await;

        // Between rows.
        let scan = ScanContext {
            batch_rows: 10,
            runtime_filters: Vec::new(),
            ..context()
        };
        let mut stream = source
            .execute(query(SLOW, ints(), vec![]), scan.clone())
            .await
            .unwrap();
        assert_eq!(stream.next().await.unwrap().unwrap().num_rows(), 10);
        live.until(1, &active(name)).await;
        scan.cancel.cancel();
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.sqlstate().code(), "57014");
        assert!(stream.next().await.is_none());
        live.until(0, &active(name)).await;

        // The only session of the pool is still the first one: it was waited for, not replaced. The
        // stream is still held, and does not hold it back.
        assert_eq!(pid(&source).await, before);
        drop(stream);
    });
}

#[test]
fn dropping_a_stream_cancels_too() {
    live("dropped", |live| async move {
        let name = "inflowave_test_dropped";
        let source = open(
            &live.url,
            &[("application_name", name), ("pool_size_max", "2")],
        )
        .unwrap();
        let ints = || schema(&[DataType::Int32]);
        let scan = ScanContext {
            batch_rows: 10,
            runtime_filters: Vec::new(),
            ..context()
        };
        let mut stream = source
            .execute(query(SLOW, ints(), vec![]), scan)
            .await
            .unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        live.until(1, &active(name)).await;
        drop(stream);
        live.until(0, &active(name)).await;

        // One that is dropped while it starts.
        let asleep = query("SELECT 1 FROM pg_sleep(60)", ints(), vec![]);
        let mut starting = Box::pin(source.execute(asleep, context()));
        let watch = async {
            live.until(1, &active(name)).await;
        };
        tokio::select! {
            _ = &mut starting => panic!("it must not end"),
            () = watch => {}
        }
        drop(starting);
        live.until(0, &active(name)).await;
        assert!(pid(&source).await.parse::<i32>().is_ok());
        assert!(source.pool().size() <= 2);
    });
}

#[test]
fn a_slow_reader_holds_the_server_back() {
    live("slow_reader", |live| async move {
        let name = "inflowave_test_slow_reader";
        let source = open(&live.url, &[("application_name", name)]).unwrap();
        let sql = "SELECT x, repeat('x', 100) FROM generate_series(1, 1000000) x";
        let types = schema(&[DataType::Int32, DataType::Utf8View]);
        let scan = ScanContext {
            batch_rows: 1000,
            runtime_filters: Vec::new(),
            ..context()
        };
        let mut stream = source
            .execute(query(sql, types, vec![]), scan)
            .await
            .unwrap();
        let first = stream.next().await.unwrap().unwrap();
        assert_eq!(first.num_rows(), 1000);
        // The server waits for us to read: all buffers between are full, and they are bounded.
        let blocked = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'
             AND wait_event = 'ClientWrite'"
        );
        live.until(1, &blocked).await;
        let before = resident_kb();
        for _ in 0..200 {
            live.until(1, &blocked).await;
        }
        assert!(resident_kb() < before + 32 * 1024, "{before} kB grew");
        let mut rows = first.num_rows();
        while let Some(batch) = stream.try_next().await.unwrap() {
            assert!(batch.num_rows() <= 1000);
            rows += batch.num_rows();
        }
        assert_eq!(rows, 1_000_000);
        assert_eq!(source.pool().size(), 1);
    });
}

/// Resident memory of this process.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn batches_are_cut_by_rows_and_by_bytes() {
    live("batches", |live| async move {
        let ints = schema(&[DataType::Int32]);
        let sql = query("SELECT x FROM generate_series(1, 25) x", ints, vec![]);
        let scan = ScanContext {
            batch_rows: 10,
            runtime_filters: Vec::new(),
            ..context()
        };
        let stream = live.source.execute(sql, scan).await.unwrap();
        assert_eq!(sizes(stream).await, [10, 10, 5]);
        let sql = "SELECT repeat('x', 5 << 20) FROM generate_series(1, 5)";
        let sql = query(sql, schema(&[DataType::Utf8View]), vec![]);
        let stream = live.source.execute(sql, context()).await.unwrap();
        assert_eq!(sizes(stream).await, [2, 2, 1]);
    });
}

#[test]
fn a_lost_connection_is_08006_and_is_replaced() {
    live("lost", |live| async move {
        let name = "inflowave_test_lost";
        let source = open(&live.url, &[("application_name", name)]).unwrap();
        let kill = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '{name}'"
        );
        let ints = schema(&[DataType::Int32]);
        let scan = ScanContext {
            batch_rows: 10,
            runtime_filters: Vec::new(),
            ..context()
        };
        let mut stream = source
            .execute(query(SLOW, ints, vec![]), scan)
            .await
            .unwrap();
        assert!(stream.next().await.unwrap().is_ok());
        let killed: i64 = live.admin.query_one(&kill, &[]).await.unwrap().get(0);
        assert_eq!(killed, 1);
        let error = loop {
            match stream.next().await.expect("no clean end over partial rows") {
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.sqlstate().code(), "08006", "{error:?}");
        assert!(
            error
                .message()
                .starts_with("catalog \"crm\": lost the connection")
        );
        drop(stream);
        // A resting session that the server closes is replaced without a word.
        let first = pid(&source).await;
        live.admin.query_one(&kill, &[]).await.unwrap();
        assert_ne!(pid(&source).await, first);
    });
}

#[test]
fn a_full_pool_says_so() {
    live("full_pool", |live| async move {
        let more = [("pool_size_max", "1"), ("acquire_timeout_ms", "50")];
        let source = open(&live.url, &more).unwrap();
        let ints = schema(&[DataType::Int32]);
        let stream = source
            .execute(query(SLOW, ints, vec![]), context())
            .await
            .unwrap();
        let error = source.ping().await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "53300");
        assert_eq!(
            error.message(),
            "catalog \"crm\": all 1 connections were in use for 50 ms"
        );
        drop(stream);
        until_free(&live, &source).await;
    });
}

async fn sizes(stream: BatchStream) -> Vec<usize> {
    let batches: Vec<_> = stream.try_collect().await.unwrap();
    batches.iter().map(|b| b.num_rows()).collect()
}

async fn until_free(live: &Live, source: &Arc<crate::source::PostgresSource>) {
    let start = std::time::Instant::now();
    while source.ping().await.is_err() {
        assert!(start.elapsed() < super::PATIENCE);
    }
    live.source.ping().await.unwrap();
}

#[test]
fn scans_of_one_snapshot_read_one_state() {
    live("snapshot", |live| async move {
        let name = "inflowave_test_snapshot";
        let source = open(&live.url, &[("application_name", name)]).unwrap();
        let table = format!("{}.t", live.schema);
        live.admin
            .batch_execute(&format!("CREATE TABLE {table} AS SELECT 1 AS x"))
            .await
            .unwrap();
        let count = || {
            let sql = format!("SELECT count(*) FROM {table}");
            query(&sql, schema(&[DataType::Int64]), vec![])
        };
        let seen = |snapshot: &Option<Snapshot>| {
            let scan = ScanContext {
                snapshot: snapshot.clone(),
                ..context()
            };
            let (source, count) = (Arc::clone(&source), count());
            async move {
                let rows = source.execute(count, scan).await?.try_collect::<Vec<_>>();
                Ok::<_, inflowave_types::Error>(shown(&rows.await?).remove(0).remove(0))
            }
        };
        let add = format!("INSERT INTO {table} VALUES (2)");
        let snapshot = source.snapshot().await.unwrap();
        assert!(snapshot.is_some());
        live.admin.batch_execute(&add).await.unwrap();
        // Also in sessions that have served before.
        for _ in 0..3 {
            assert_eq!(seen(&snapshot).await.unwrap(), "1");
        }
        assert_eq!(seen(&None).await.unwrap(), "2");

        // Whoever ends the transaction that holds it ends it for all.
        let holder = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = '{name}' AND state = 'idle in transaction'"
        );
        live.admin.batch_execute(&holder).await.unwrap();
        let waiting = format!(
            "SELECT count(*) FROM pg_stat_activity
             WHERE application_name = '{name}' AND state = 'idle in transaction'"
        );
        live.until(0, &waiting).await;
        let error = seen(&snapshot).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), "40001", "{error:?}");
        assert!(error.message().contains("\"crm\""), "{error:?}");
        assert_eq!(seen(&None).await.unwrap(), "2");

        // A dropped one leaves no transaction behind.
        drop(snapshot);
        let other = source.snapshot().await.unwrap();
        drop(other);
        live.until(0, &waiting).await;
    });
}

//! Rows at the client's pace; a client that leaves ends its query.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::client::{Server, frame, query, reaches};
use super::fake::PAD;
use crate::Limits;

/// What the kernel may hold of an answer on both ends, generously, in bytes.
const SOCKET_BYTES_MAX: usize = 64 << 20;

#[tokio::test]
async fn a_query_waits_for_its_reader_and_a_stalled_one_is_let_go() {
    let limits = Limits {
        write_stall_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    let mut raw = server.session().await;
    // A terabyte, of which nothing is read.
    raw.query("rows 10000000 100").await;
    reaches(&server.fake.dropped, 1).await;
    let bytes = server.fake.batches.load(Ordering::Relaxed) * 100 * PAD;
    assert!(bytes < SOCKET_BYTES_MAX, "{bytes} bytes were asked for");
    reaches(&server.fake.sessions_dropped, 1).await;
}

#[tokio::test]
async fn a_slow_reader_gets_every_row() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    raw.query("rows 300 100").await;
    let mut rows = 0;
    loop {
        let (tag, body) = raw.message().await;
        match tag {
            b'D' => rows += 1,
            b'C' => assert_eq!(body, b"SELECT 30000\0"),
            b'Z' => break,
            b'T' => {}
            other => panic!("{other}"),
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(rows, 30_000);
}

#[tokio::test]
async fn first_rows_are_shown_while_the_query_goes_on() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    raw.query("wait 1 1").await;
    assert_eq!(raw.message().await.0, b'T');
    assert_eq!(raw.message().await.0, b'D');
    assert_eq!(*server.fake.dropped.borrow(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_query() {
    let server = Server::start().await;
    let mut closed = server.session().await;
    closed.query("wait").await;
    reaches(&server.fake.started, 1).await;
    drop(closed);
    reaches(&server.fake.dropped, 1).await;
    reaches(&server.fake.sessions_dropped, 1).await;

    let mut terminated = server.session().await;
    terminated.query("wait").await;
    reaches(&server.fake.started, 2).await;
    terminated.send(&frame(b'X', b"")).await;
    reaches(&server.fake.dropped, 2).await;
    assert_eq!(terminated.message().await.0, b'T');
    assert!(terminated.maybe_message().await.is_none());

    let mut planning = server.session().await;
    planning.query("stuck").await;
    planning.0.shutdown().await.unwrap();
    reaches(&server.fake.sessions_dropped, 3).await;

    let mut reading = server.session().await;
    reading.query("rows 10000000 100").await;
    reading.until(b'D').await;
    drop(reading);
    reaches(&server.fake.dropped, 3).await;
}

#[tokio::test]
async fn what_is_sent_ahead_is_kept_within_its_limit() {
    let limits = Limits {
        pipelined_bytes_max: 4 << 10,
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    let mut raw = server.session().await;
    // More than is read ahead while the first answer, larger than the sockets hold, is written.
    let filler = format!("rows 1 1 {}", "y".repeat(1000));
    let ahead: Vec<u8> = (0..100).flat_map(|_| query(&filler)).collect();
    raw.query("rows 300 100").await;
    raw.send(&ahead).await;
    let (tags, _) = raw.tags().await;
    assert_eq!(tags.len(), 30_003);
    for _ in 0..100 {
        assert_eq!(raw.tags().await.0, "TDCZ");
    }
}

//! Messages that are too long or none at all, and defects of the engine.

use super::client::{Server, field, frame, query};
use crate::Limits;

#[tokio::test]
async fn a_message_over_the_limit_is_refused_and_the_connection_goes_on() {
    let server = Server::start().await;
    let (mut raw, mut other) = (server.session().await, server.session().await);
    raw.query("begin").await;
    raw.until(b'Z').await;
    let long = query(&"y".repeat(64 << 20));
    raw.send(&long).await;
    let messages = raw.until(b'Z').await;
    assert_eq!(messages.len(), 2);
    assert_eq!(field(&messages[0], 'S'), "ERROR");
    assert_eq!(field(&messages[0], 'C'), "54000");
    assert_eq!(messages[1].1, b"E");
    raw.query("rollback").await;
    assert_eq!(raw.tags().await, ("CZ".to_owned(), 'I'));
    other.query("rows 1 1").await;
    assert_eq!(other.tags().await, ("TDCZ".to_owned(), 'I'));
}

#[tokio::test]
async fn a_long_message_of_the_extended_protocol_waits_for_its_sync() {
    let limits = Limits {
        message_bytes_max: 1000,
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    let mut raw = server.session().await;
    let long = [0; 2000];
    let bytes = [
        frame(b'P', &long),
        frame(b'B', &long),
        frame(b'd', &long),
        frame(b'S', b""),
    ];
    raw.send(&bytes.concat()).await;
    assert_eq!(raw.tags().await, ("EZ".to_owned(), 'I'));
    raw.send(&frame(b'd', &long)).await;
    raw.query("rows 1 1").await;
    assert_eq!(raw.tags().await, ("TDCZ".to_owned(), 'I'));
}

#[tokio::test]
async fn garbage_ends_the_connection_and_no_other() {
    let server = Server::start().await;
    let mut other = server.session().await;
    for bytes in [
        vec![0x16, 3, 1, 0, 0],
        b"p\0\0\0\x04".to_vec(),
        b"Q\0\0\0\0".to_vec(),
        b"Q\xff\xff\xff\xff".to_vec(),
        b"S\x7f\0\0\0".to_vec(),
        b"S\0\0\0\x05x".to_vec(),
        b"H\0\0\0\x05x".to_vec(),
        vec![0; 100_000],
    ] {
        let mut raw = server.session().await;
        raw.send(&bytes).await;
        assert_eq!(raw.fatal().await, "08P01");
    }
    other.query("rows 1 1").await;
    assert_eq!(other.tags().await, ("TDCZ".to_owned(), 'I'));
}

#[tokio::test]
async fn a_query_that_is_no_text_is_an_error() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    for (body, code) in [
        (&b"no end"[..], "08P01"),
        (b"a\0b\0", "08P01"),
        (b"\xff\0", "22021"),
    ] {
        raw.send(&frame(b'Q', body)).await;
        let messages = raw.until(b'Z').await;
        assert_eq!(field(&messages[0], 'C'), code);
        assert_eq!(field(&messages[0], 'S'), "ERROR");
    }
}

#[tokio::test]
async fn a_panic_ends_its_query_only() {
    let server = Server::start().await;
    let (mut raw, mut other) = (server.session().await, server.session().await);
    raw.query("panic 1 2").await;
    let messages = raw.until(b'Z').await;
    let tags: String = messages.iter().map(|m| m.0 as char).collect();
    assert_eq!(tags, "TDDEZ");
    assert_eq!(field(&messages[3], 'C'), "XX000");
    assert_eq!(
        field(&messages[3], 'M'),
        "query 7 failed by a defect of the server"
    );
    raw.query("rows 1 1").await;
    assert_eq!(raw.tags().await, ("TDCZ".to_owned(), 'I'));

    // Planning works on the session itself, whose state nobody knows afterwards.
    raw.query("rows 1 1; crash").await;
    assert_eq!(raw.fatal().await, "XX000");
    other.query("rows 1 1").await;
    assert_eq!(other.tags().await, ("TDCZ".to_owned(), 'I'));
}

//! Start-up: encryption refused, versions, cancel requests, what is no start-up at all.

use std::time::Duration;

use inflowave_types::SessionId;

use super::client::{Server, field, packet, startup};
use crate::Limits;

const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;
/// What the fake engine gives, as protocol 3.0 takes it.
const KEY: [u8; 4] = (-77_i32).to_be_bytes();

#[tokio::test]
async fn a_session_starts_with_its_settings_key_and_status() {
    let server = Server::start().await;
    let mut raw = server.connect().await;
    let words = [
        "user",
        "ann",
        "database",
        "crm",
        "application_name",
        "psql",
        "options",
        "-c a=b",
    ];
    raw.send(&startup(0, &words)).await;
    let messages = raw.until(b'Z').await;
    let expected: [(u8, &[u8]); 5] = [
        (b'R', b"\0\0\0\0"),
        (b'S', b"server_version\x0015.0\0"),
        (b'S', b"TimeZone\0UTC\0"),
        (b'K', b"\0\0\0\x01\xff\xff\xff\xb3"),
        (b'Z', b"I"),
    ];
    assert_eq!(messages, expected.map(|(tag, body)| (tag, body.to_vec())));
    let start = server.fake.starts.lock().unwrap()[0].clone();
    assert_eq!(
        (start.user.as_str(), start.database.as_deref()),
        ("ann", Some("crm"))
    );
    assert_eq!(start.application_name.as_deref(), Some("psql"));
    assert_eq!(start.settings, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(start.client, raw.0.local_addr().unwrap().to_string());
}

#[tokio::test]
async fn encryption_is_refused_once_each_and_the_session_starts() {
    let server = Server::start().await;
    let mut raw = server.connect().await;
    for code in [GSS, SSL] {
        raw.send(&packet(code, b"")).await;
        assert_eq!(raw.byte().await, b'N');
    }
    raw.send(&startup(0, &["user", "ann"])).await;
    assert_eq!(raw.tags().await, ("RSSKZ".to_owned(), 'I'));

    let mut raw = server.connect().await;
    raw.send(&packet(SSL, b"")).await;
    assert_eq!(raw.byte().await, b'N');
    raw.send(&packet(SSL, b"")).await;
    assert_eq!(raw.fatal().await, "0A000");
}

#[tokio::test]
async fn bytes_behind_an_encryption_request_are_refused() {
    let server = Server::start().await;
    for code in [SSL, GSS] {
        let mut raw = server.connect().await;
        let bytes = [packet(code, b""), startup(0, &["user", "eve"])].concat();
        raw.send(&bytes).await;
        assert_eq!(raw.fatal().await, "08P01");
    }
    assert!(server.fake.starts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_newer_protocol_is_negotiated_down() {
    let server = Server::start().await;
    for (minor, told, option) in [
        (1, b"\0\x03\0\0\0\0\0\0".to_vec(), false),
        (2, b"\0\x03\0\x02\0\0\0\x01_pq_.new\0".to_vec(), true),
        (9, b"\0\x03\0\x02\0\0\0\0".to_vec(), false),
    ] {
        let mut raw = server.connect().await;
        let words = ["user", "ann", "_pq_.new", "1"];
        let words = if option { &words[..] } else { &words[..2] };
        raw.send(&startup(minor, words)).await;
        assert_eq!(raw.message().await, (b'v', told));
        assert_eq!(raw.tags().await, ("RSSKZ".to_owned(), 'I'));
    }
}

#[tokio::test]
async fn protocol_3_2_has_a_longer_key() {
    let server = Server::start().await;
    let mut raw = server.connect().await;
    raw.send(&startup(2, &["user", "ann"])).await;
    let messages = raw.until(b'Z').await;
    let key = messages.iter().find(|m| m.0 == b'K').unwrap();
    assert_eq!(key.1.len(), 4 + 32);
    assert_eq!(key.1[4..8], KEY);
}

#[tokio::test]
async fn a_cancel_request_reaches_the_engine_and_gets_no_answer() {
    let server = Server::start().await;
    let mut raw = server.connect().await;
    raw.send(&packet(CANCEL, b"\0\0\0\x09\xff\xff\xff\xb3"))
        .await;
    assert!(raw.maybe_message().await.is_none());
    assert_eq!(
        *server.fake.cancelled.borrow(),
        Some((SessionId(9), KEY.to_vec()))
    );

    // A key of protocol 3.2 is longer.
    let mut raw = server.connect().await;
    raw.send(&packet(CANCEL, &[&[0, 0, 0, 9][..], &[1; 32]].concat()))
        .await;
    assert!(raw.maybe_message().await.is_none());
    assert_eq!(
        *server.fake.cancelled.borrow(),
        Some((SessionId(9), vec![1; 32]))
    );
}

#[tokio::test]
async fn the_driver_cancels_with_the_key_it_was_given() {
    let server = Server::start().await;
    let client = server.driver().await;
    client
        .cancel_token()
        .cancel_query(tokio_postgres::NoTls)
        .await
        .unwrap();
    let mut cancelled = server.fake.cancelled.subscribe();
    let seen = cancelled.wait_for(Option::is_some).await.unwrap().clone();
    assert_eq!(seen, Some((SessionId(1), KEY.to_vec())));
}

#[tokio::test]
async fn what_is_no_startup_is_refused() {
    let server = Server::start().await;
    for (bytes, code) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "08P01"),
        (vec![0xff; 64], "08P01"),
        (b"\0\0\0\x07\0\0\0".to_vec(), "08P01"),
        (packet(3 << 16, b"user\0ann"), "08P01"),
        (packet(3 << 16, b"user\0\xff\0\0"), "08P01"),
        (packet(2 << 16, b"user\0ann\0\0"), "0A000"),
        (packet(CANCEL, b"\0"), "08P01"),
        (startup(0, &["database", "crm"]), "28000"),
        (startup(0, &["user", "ann", "replication", "true"]), "0A000"),
        (
            startup(0, &["user", "ann", "options", "--nonsense"]),
            "42601",
        ),
        (startup(0, &["user", "ann", "database", "nowhere"]), "3D000"),
    ] {
        let mut raw = server.connect().await;
        raw.send(&bytes).await;
        assert_eq!(raw.fatal().await, code, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_silent_client_is_let_go() {
    let limits = Limits {
        startup_timeout: Duration::from_millis(20),
        handshakes_max: 1,
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    // Only one handshake runs at a time: the second starts once the first is let go.
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.send(&[0, 0]).await;
    assert!(first.maybe_message().await.is_none());
    assert!(second.maybe_message().await.is_none());
}

#[tokio::test]
async fn the_end_of_the_server_is_told_to_all() {
    let server = Server::start().await;
    let mut idle = server.session().await;
    let mut busy = server.session().await;
    let _silent = server.connect().await;
    busy.query("wait 1").await;
    busy.until(b'D').await;
    server.shutdown.cancel();
    assert_eq!(idle.fatal().await, "57P01");
    let message = busy.message().await;
    assert_eq!(field(&message, 'C'), "57P01");
    drop((idle, busy));
    assert_eq!(server.task.await.unwrap(), Ok(()));
    assert_eq!(*server.fake.dropped.borrow(), 1);
    assert_eq!(*server.fake.sessions_dropped.borrow(), 2);
}

#[tokio::test]
async fn who_says_nothing_gives_way_to_others() {
    let limits = Limits {
        handshakes_max: 2,
        handshake_patience: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    let mut silent = Vec::new();
    for _ in 0..5 {
        silent.push(server.connect().await);
    }
    let mut raw = server.session().await;
    raw.query("rows 1 1").await;
    assert_eq!(raw.tags().await, ("TDCZ".to_owned(), 'I'));
    assert!(silent[0].maybe_message().await.is_none());
}

//! Simple queries: rows, tags, errors, the transaction's status.

use tokio_postgres::SimpleQueryMessage;

use super::client::{Server, field, frame, query};
use super::fake::PAD;

#[tokio::test]
async fn a_driver_gets_rows_and_tags() {
    let server = Server::start().await;
    let client = server.driver().await;
    let messages = client
        .simple_query("rows 2 2; begin; rows 0; rollback")
        .await
        .unwrap();
    let mut shown = Vec::new();
    for message in &messages {
        shown.push(match message {
            SimpleQueryMessage::RowDescription(columns) => columns
                .iter()
                .map(|c| c.name())
                .collect::<Vec<_>>()
                .join(","),
            SimpleQueryMessage::Row(row) => {
                assert_eq!(row.get(1).map(str::len), Some(PAD));
                format!("{:?}", row.get(0))
            }
            SimpleQueryMessage::CommandComplete(n) => format!("done {n}"),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(
        shown,
        [
            "n,s",
            "Some(\"0\")",
            "Some(\"1\")",
            "None",
            "Some(\"3\")",
            "done 4",
            "done 0",
            "n,s",
            "done 0",
            "done 0",
        ]
    );
    let messages = client.simple_query(" ; ").await.unwrap();
    assert!(matches!(
        messages[..],
        [SimpleQueryMessage::CommandComplete(0)]
    ));
}

#[tokio::test]
async fn a_result_is_described_as_text_columns() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    raw.query("rows 1 1").await;
    let messages = raw.until(b'Z').await;
    assert_eq!(
        messages[0].1,
        b"\0\x02\
        n\0\0\0\0\0\0\0\0\0\0\x14\0\x08\xff\xff\xff\xff\0\0\
        s\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
    );
    assert_eq!(messages[2], (b'C', b"SELECT 1\0".to_vec()));
    raw.query("").await;
    assert_eq!(raw.tags().await, ("IZ".to_owned(), 'I'));
    raw.query("wide").await;
    let messages = raw.until(b'Z').await;
    assert_eq!(field(&messages[0], 'C'), "54011");
}

#[tokio::test]
async fn an_error_in_the_middle_ends_the_text() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    raw.query("rows 1 1;  fail 2 3; rows 1 1").await;
    let messages = raw.until(b'Z').await;
    let tags: String = messages.iter().map(|m| m.0 as char).collect();
    assert_eq!(tags, "TDCTDDDDDDEZ");
    let error = &messages[10];
    assert_eq!(field(error, 'S'), "ERROR");
    assert_eq!(field(error, 'V'), "ERROR");
    assert_eq!(field(error, 'C'), "22012");
    assert_eq!(field(error, 'M'), "division by zero");
    // Character 1 of its statement, which starts at character 11 from 0.
    assert_eq!(field(error, 'P'), "12");
    assert_eq!(server.fake.dropped.borrow().to_owned(), 2);

    raw.query("missing").await;
    let messages = raw.until(b'Z').await;
    assert_eq!(field(&messages[0], 'H'), "Did you mean \"u\"?");
    assert_eq!(field(&messages[0], 'P'), "9");
    raw.query("rows; x!").await;
    let messages = raw.until(b'Z').await;
    assert_eq!(messages.len(), 2);
    assert_eq!(
        (field(&messages[0], 'C'), field(&messages[0], 'P')),
        ("42601".into(), "8".into())
    );
}

#[tokio::test]
async fn the_status_byte_follows_the_transaction() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    for (sql, tags, status) in [
        ("begin", "CZ", 'T'),
        ("rows 1 1", "TDCZ", 'T'),
        ("fail 0", "TEZ", 'E'),
        ("rollback", "CZ", 'I'),
        ("begin; x!", "EZ", 'I'),
        ("begin; missing", "CEZ", 'E'),
        ("rollback; begin", "CCZ", 'T'),
        ("x!", "EZ", 'E'),
        ("rollback", "CZ", 'I'),
        ("fail 0", "TEZ", 'I'),
    ] {
        raw.query(sql).await;
        assert_eq!(raw.tags().await, (tags.to_owned(), status), "{sql}");
    }
}

#[tokio::test]
async fn a_changed_setting_is_reported_before_the_session_is_ready() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    raw.query("zone Asia/Tokyo").await;
    let messages = raw.until(b'Z').await;
    assert_eq!(messages[1], (b'S', b"TimeZone\0Asia/Tokyo\0".to_vec()));
    raw.query("zone Asia/Tokyo").await;
    assert_eq!(raw.tags().await, ("CZ".to_owned(), 'I'));
}

#[tokio::test]
async fn pipelined_queries_are_answered_in_their_order() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let bytes = [query("rows 1 1"), query("rows 2 1"), query("begin")].concat();
    raw.send(&bytes).await;
    assert_eq!(raw.tags().await, ("TDCZ".to_owned(), 'I'));
    assert_eq!(raw.tags().await, ("TDDCZ".to_owned(), 'I'));
    assert_eq!(raw.tags().await, ("CZ".to_owned(), 'T'));
}

#[tokio::test]
async fn what_belongs_to_no_statement_is_ignored() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    // What is left of a COPY is ignored, a Flush has nothing to do, a Sync answers alone.
    let rest = [
        frame(b'd', b"x"),
        frame(b'c', b""),
        frame(b'H', b""),
        frame(b'S', b""),
    ]
    .concat();
    raw.send(&rest).await;
    assert_eq!(raw.tags().await, ("Z".to_owned(), 'I'));
    raw.send(&frame(b'F', b"\0\0\0\0")).await;
    assert_eq!(raw.tags().await, ("EZ".to_owned(), 'I'));
}

//! The rules of the extended protocol, message by message; the answers and the words of errors are
//! those that PostgreSQL 15 gives to the same bytes.

use std::sync::atomic::Ordering;

use arrow::datatypes::DataType;

use super::client::{
    Server, bind, close, describe, execute, field, flush, frame, parse, query, shown, sync,
};
use super::fake::PAD;
use crate::Limits;

const ABORTED: &str =
    "25P02 current transaction is aborted, commands ignored until end of transaction block";

#[tokio::test]
async fn a_statement_is_prepared_bound_and_run() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let all = [
        parse("", "rows 2 2", &[]),
        bind("", "", &[], &[], &[]),
        describe('P', ""),
        execute("", 0),
    ];
    assert_eq!(raw.say(&all).await, "1 2 T D D D D C[SELECT 4] Z[I]");
    // The unnamed statement stays, its portal does not.
    let again = [bind("", "", &[], &[], &[]), execute("", 0)];
    assert_eq!(raw.say(&again).await, "2 D D D D C[SELECT 4] Z[I]");
    assert_eq!(
        raw.say(&[execute("", 0)]).await,
        "E[34000 portal \"\" does not exist] Z[I]"
    );
}

#[tokio::test]
async fn answers_wait_for_flush_or_sync_and_errors_do_not() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    raw.send(&[parse("a", "rows 1 1", &[]), flush()].concat())
        .await;
    assert_eq!(raw.message().await.0, b'1');
    raw.send(&parse("", "missing", &[])).await;
    assert_eq!(field(&raw.message().await, 'C'), "42P01");
    // All that follows is skipped, a query too.
    let skipped = [
        bind("", "a", &[], &[], &[]),
        query("rows 1 1"),
        close('S', "a"),
        flush(),
        frame(b'd', b"x"),
    ];
    assert_eq!(raw.say(&skipped).await, "Z[I]");
    assert_eq!(raw.say(&[describe('S', "a")]).await, "t T Z[I]");
}

#[tokio::test]
async fn a_description_tells_parameters_columns_and_formats() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let sent = [
        parse("", "echo $1:23 $2 $3", &[0, 1043, 705]),
        describe('S', ""),
        bind("", "", &[], &[None, None, None], &[1, 0, 1]),
        describe('P', ""),
        sync(),
    ];
    raw.send(&sent.concat()).await;
    let answer = raw.until(b'Z').await;
    assert_eq!(shown(&answer), "1 t T 2 T Z[I]");
    // int4, varchar as it was declared, and text where nothing tells.
    assert_eq!(answer[1].1, b"\0\x03\0\0\0\x17\0\0\x04\x13\0\0\0\x19");
    let columns = |formats: [u8; 3]| {
        [
            &b"\0\x03$1\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0"[..],
            &formats[..1],
            b"$2\0\0\0\0\0\0\0\0\0\x04\x13\xff\xff\xff\xff\xff\xff\0",
            &formats[1..2],
            b"$3\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0",
            &formats[2..],
        ]
        .concat()
    };
    assert_eq!(answer[2].1, columns([0, 0, 0]));
    assert_eq!(answer[4].1, columns([1, 0, 1]));
}

#[tokio::test]
async fn text_and_binary_stand_side_by_side_in_a_row() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let row = |results: &[i16]| {
        [
            parse("", "rows 1 1", &[]),
            bind("", "", &[], &[], results),
            execute("", 0),
            sync(),
        ]
        .concat()
    };
    let pad = "x".repeat(PAD);
    for (results, first) in [
        (&[1, 0][..], &b"\0\0\0\x08\0\0\0\0\0\0\0\0"[..]),
        (&[1], b"\0\0\0\x08\0\0\0\0\0\0\0\0"),
        (&[0, 1], b"\0\0\0\x010"),
        (&[], b"\0\0\0\x010"),
    ] {
        raw.send(&row(results)).await;
        let answer = raw.until(b'Z').await;
        let expected = [b"\0\x02", first, b"\0\0\x03\xe8", pad.as_bytes()].concat();
        assert_eq!(answer[2], (b'D', expected), "{results:?}");
    }
}

#[tokio::test]
async fn values_reach_the_engine_beside_their_declared_types() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let numeric: &[u8] = b"\0\x02\0\0\0\0\0\x02\0\x01\x13\x88";
    let values = [Some(&b" 42"[..]), Some(numeric), Some(b"\0\0\0\x07"), None];
    let all = [
        parse("", "echo $1:23 $2 $3", &[0, 1700, 23, 1043]),
        bind("", "", &[0, 1, 1, 0], &values, &[]),
        execute("", 0),
        sync(),
    ];
    raw.send(&all.concat()).await;
    let answer = raw.until(b'Z').await;
    assert_eq!(shown(&answer), "1 2 D C[SELECT 1] Z[I]");
    let row = b"\0\x03\0\0\0\x0242\0\0\0\x041.50\0\0\0\x017";
    assert_eq!(answer[2].1, row);
    let parameters = server.fake.parameters.lock().unwrap().clone().unwrap();
    let types = |columns: Vec<&DataType>| columns.into_iter().cloned().collect::<Vec<_>>();
    let declared = parameters.declared.iter().map(|f| f.data_type()).collect();
    // The fourth is the client's alone.
    assert_eq!(
        types(declared),
        [
            DataType::Int32,
            DataType::Decimal128(38, 16),
            DataType::Int32,
            DataType::Utf8
        ]
    );
    let values = parameters
        .values
        .columns()
        .iter()
        .map(|c| c.data_type())
        .collect();
    // A text is still to be cast, a numeric has its own scale.
    assert_eq!(
        types(values),
        [
            DataType::Utf8,
            DataType::Decimal128(38, 2),
            DataType::Int32,
            DataType::Utf8
        ]
    );
}

#[tokio::test]
async fn an_empty_statement_has_no_data() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let all = [
        parse("", " ; ", &[]),
        describe('S', ""),
        bind("", "", &[], &[], &[]),
        describe('P', ""),
        execute("", 0),
        execute("", 0),
    ];
    assert_eq!(raw.say(&all).await, "1 t n 2 n I I Z[I]");
    let begin = [
        parse("", "begin", &[]),
        describe('S', ""),
        bind("", "", &[], &[], &[0, 1]),
        execute("", 0),
    ];
    assert_eq!(raw.say(&begin).await, "1 t n 2 C[BEGIN] Z[T]");
}

#[tokio::test]
async fn one_text_is_one_statement() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    assert_eq!(
        raw.say(&[parse("", "rows 1 1; rows 1 1", &[])]).await,
        "E[42601 cannot insert multiple commands into a prepared statement] Z[I]"
    );
    raw.send(&[parse("", "  rows!", &[]), sync()].concat())
        .await;
    let answer = raw.until(b'Z').await;
    assert_eq!(field(&answer[0], 'P'), "7");
    // A position counts from the start of the text, not of its statement.
    raw.send(&[parse("", "  missing", &[]), sync()].concat())
        .await;
    let answer = raw.until(b'Z').await;
    assert_eq!(field(&answer[0], 'P'), "11");
    assert_eq!(
        raw.say(&[parse("", "rows $1", &[0, 0])]).await,
        "E[42P18 could not determine data type of parameter $2] Z[I]"
    );
    assert_eq!(
        raw.say(&[parse("", "rows 1", &[23, 25]), describe('S', "")])
            .await,
        "1 t T Z[I]"
    );
    assert_eq!(
        raw.say(&[parse("", "echo $1", &[999_999])]).await,
        "E[42704 type with OID 999999 does not exist] Z[I]"
    );
    raw.send(&[frame(b'P', b"\0\xff\0\0\0"), sync()].concat())
        .await;
    assert!(shown(&raw.until(b'Z').await).starts_with("E[22021 "));
}

#[tokio::test]
async fn names_are_taken_once_and_must_exist() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let bound = |statement| bind("", statement, &[], &[], &[]);
    assert_eq!(raw.say(&[parse("a", "rows 1 1", &[])]).await, "1 Z[I]");
    let taken = "E[42P05 prepared statement \"a\" already exists] Z[I]";
    assert_eq!(raw.say(&[parse("a", "rows 1 1", &[])]).await, taken);
    // Another error of the statement comes first.
    let missing = "E[42P01 relation \"t\" does not exist] Z[I]";
    assert_eq!(raw.say(&[parse("a", "missing", &[])]).await, missing);
    let unknown = "E[26000 prepared statement \"b\" does not exist] Z[I]";
    assert_eq!(raw.say(&[bound("b")]).await, unknown);
    assert_eq!(raw.say(&[describe('S', "b")]).await, unknown);
    let unnamed = "E[26000 unnamed prepared statement does not exist] Z[I]";
    assert_eq!(raw.say(&[bound("")]).await, unnamed);
    let portal = "E[34000 portal \"p\" does not exist] Z[I]";
    assert_eq!(raw.say(&[describe('P', "p")]).await, portal);
    assert_eq!(raw.say(&[execute("p", 0)]).await, portal);
    let closed = [close('S', "a"), close('S', "a"), close('P', "p")];
    assert_eq!(raw.say(&closed).await, "3 3 3 Z[I]");
    assert_eq!(raw.say(&[parse("a", "rows 1 1", &[])]).await, "1 Z[I]");
    // A failed Parse takes the unnamed statement with it, a named one stays.
    assert_eq!(raw.say(&[parse("", "rows 1 1", &[])]).await, "1 Z[I]");
    let failed = raw.say(&[parse("", "rows!", &[])]).await;
    assert!(failed.starts_with("E[42601 "), "{failed}");
    assert_eq!(raw.say(&[bound("")]).await, unnamed);
    // So does a simple query.
    assert_eq!(raw.say(&[parse("", "rows 1 1", &[])]).await, "1 Z[I]");
    assert_eq!(raw.ask("rows 1 1").await, "T D C[SELECT 1] Z[I]");
    assert_eq!(raw.say(&[bound("")]).await, unnamed);
    assert_eq!(raw.say(&[bound("a")]).await, "2 Z[I]");
}

#[tokio::test]
async fn sql_ends_prepared_statements_too() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let prepared = |name| parse(name, "rows 1 1", &[]);
    let all = [prepared("a"), prepared("b"), prepared("c"), prepared("")];
    assert_eq!(raw.say(&all).await, "1 1 1 1 Z[I]");
    let unknown = "E[26000 prepared statement \"x\" does not exist] Z[I]";
    let sql = |sql| {
        [
            parse("q", sql, &[]),
            bind("", "q", &[], &[], &[]),
            execute("", 0),
        ]
    };
    assert_eq!(
        raw.say(&sql("deallocate x")).await,
        format!("1 2 {unknown}")
    );
    assert_eq!(raw.say(&[close('S', "q")]).await, "3 Z[I]");
    assert_eq!(
        raw.say(&sql("deallocate a")).await,
        "1 2 C[DEALLOCATE] Z[I]"
    );
    assert_eq!(
        raw.say(&[prepared("a"), describe('S', "b")]).await,
        "1 t T Z[I]"
    );
    assert_eq!(raw.say(&[close('S', "q")]).await, "3 Z[I]");
    // All but the unnamed one, and the one that says so.
    assert_eq!(
        raw.say(&sql("deallocate all")).await,
        "1 2 C[DEALLOCATE] Z[I]"
    );
    assert_eq!(raw.say(&[describe('S', "")]).await, "t T Z[I]");
    for name in ["a", "b", "c", "q"] {
        let answer = raw.say(&[describe('S', name)]).await;
        assert!(answer.starts_with("E[26000"), "{name}: {answer}");
    }
    raw.say(&[prepared("a")]).await;
    assert_eq!(raw.ask("deallocate a").await, "C[DEALLOCATE] Z[I]");
    assert_eq!(raw.ask("deallocate x").await, unknown);
}

#[tokio::test]
async fn a_bind_fits_its_statement() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let ones: [Option<&[u8]>; 2] = [Some(b"1"), Some(b"2")];
    assert_eq!(
        raw.say(&[parse("n", "echo $1:23 $2:23", &[])]).await,
        "1 Z[I]"
    );
    assert_eq!(
        raw.say(&[bind("", "n", &[], &ones[..1], &[])]).await,
        "E[08P01 bind message supplies 1 parameters, but prepared statement \"n\" requires 2] Z[I]"
    );
    assert_eq!(
        raw.say(&[
            parse("", "echo $1 $2", &[]),
            bind("", "", &[], &ones[..1], &[])
        ])
        .await,
        "1 E[08P01 bind message supplies 1 parameters, but prepared statement \"\" requires 2] Z[I]"
    );
    assert_eq!(
        raw.say(&[bind("", "n", &[0, 0, 0], &ones, &[])]).await,
        "E[08P01 bind message has 3 parameter formats but 2 parameters] Z[I]"
    );
    assert_eq!(
        raw.say(&[bind("", "n", &[], &ones, &[0, 0, 0])]).await,
        "E[08P01 bind message has 3 result formats but query has 2 columns] Z[I]"
    );
    for unknown in [
        bind("", "n", &[2], &ones, &[]),
        bind("", "n", &[], &ones, &[2]),
    ] {
        assert_eq!(
            raw.say(&[unknown]).await,
            "E[22023 unsupported format code: 2] Z[I]"
        );
    }
    assert_eq!(
        raw.say(&[bind("", "n", &[1], &ones, &[])]).await,
        "E[08P01 insufficient data left in message] Z[I]"
    );
    assert_eq!(
        raw.say(&[bind("", "n", &[1, 0], &[Some(&b"12345"[..]), None], &[])])
            .await,
        "E[22P03 incorrect binary data format in bind parameter 1] Z[I]"
    );
    assert_eq!(
        raw.say(&[
            parse("", "echo $1", &[]),
            bind("", "", &[], &[Some(&b"a\xc3("[..])], &[])
        ])
        .await,
        "1 E[22021 invalid byte sequence for encoding \"UTF8\": 0xc3 0x28] Z[I]"
    );
    server.fake.altered.store(true, Ordering::Relaxed);
    raw.say(&[parse("t", "rows 1 1", &[])]).await;
    assert_eq!(
        raw.say(&[bind("", "t", &[], &[], &[])]).await,
        "E[0A000 cached plan must not change result type] Z[I]"
    );
}

#[tokio::test]
async fn a_message_that_is_none_is_an_error_up_to_sync() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    for (message, error) in [
        (frame(b'D', b"x\0"), "invalid DESCRIBE message subtype 120"),
        (frame(b'C', b"x\0"), "invalid CLOSE message subtype 120"),
        (frame(b'E', b"\0\0\0\0\0x"), "invalid message format"),
        (frame(b'E', b"\0\0\0"), "insufficient data left in message"),
        (frame(b'E', b"abc"), "invalid string in message"),
        (
            frame(b'B', b"\0n\0\0\0\0\x02\0\0\0\x01"),
            "insufficient data left in message",
        ),
        (
            frame(b'B', b"\0n\0\0\0\0\x01\xff\xff\xff\xfe\0\0"),
            "insufficient data left in message",
        ),
        (
            frame(b'P', b"\0x\0\xff\xff\0\0\0\x17"),
            "insufficient data left in message",
        ),
    ] {
        let answer = raw.say(&[message, parse("", "rows 1 1", &[])]).await;
        assert_eq!(answer, format!("E[08P01 {error}] Z[I]"));
    }
}

#[tokio::test]
async fn a_failed_transaction_takes_its_end_only() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let bound = |statement| bind("", statement, &[], &[], &[]);
    raw.say(&[parse("a", "rows 1 1", &[]), parse("n", "echo $1:23", &[])])
        .await;
    assert_eq!(
        raw.ask("begin; fail 0").await,
        "C[BEGIN] T E[22012 division by zero] Z[E]"
    );
    // The engine's own words, then the front end's.
    assert_eq!(
        raw.say(&[parse("", "rows 1", &[])]).await,
        "E[25P02 aborted] Z[E]"
    );
    assert_eq!(raw.say(&[bound("a")]).await, "E[25P02 aborted] Z[E]");
    let aborted = format!("E[{ABORTED}] Z[E]");
    assert_eq!(raw.say(&[describe('S', "a")]).await, aborted);
    let bad: &[Option<&[u8]>] = &[Some(b"x")];
    assert_eq!(raw.say(&[bind("", "n", &[1], bad, &[])]).await, aborted);
    assert_eq!(
        raw.say(&[parse("", "", &[]), bound("")]).await,
        format!("1 {aborted}")
    );
    let end = [
        parse("r", "rollback", &[]),
        describe('S', "r"),
        bound("r"),
        describe('P', ""),
        execute("", 0),
        execute("", 0),
    ];
    assert_eq!(
        raw.say(&end).await,
        "1 t n 2 n C[ROLLBACK] E[34000 portal \"\" does not exist] Z[I]"
    );
}

#[tokio::test]
async fn what_a_connection_keeps_has_limits() {
    let limits = Limits {
        portals_max: 1,
        portal_bytes_max: 20,
        name_bytes_max: 3,
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    let mut raw = server.session().await;
    let prepared = |name| parse(name, "rows 1 1", &[]);
    assert_eq!(raw.say(&[prepared("b")]).await, "1 Z[I]");
    let bound = |portal| bind(portal, "b", &[], &[], &[]);
    assert_eq!(
        raw.say(&[bound("p"), bound("q")]).await,
        "2 E[53400 a connection can have at most 1 portals at once] Z[I]"
    );
    assert_eq!(raw.say(&[bound(""), bound("")]).await, "2 2 Z[I]");
    let long = "E[54000 a name of 4 bytes exceeds the limit of 3 bytes] Z[I]";
    assert_eq!(raw.say(&[prepared("long")]).await, long);
    assert_eq!(raw.say(&[bound("long")]).await, long);
    let value: &[Option<&[u8]>] = &[Some(b"0123456789")];
    assert_eq!(
        raw.say(&[parse("", "echo $1", &[]), bind("", "", &[], value, &[])])
            .await,
        "1 E[53400 the values of the portals of a connection can take at most 20 bytes] Z[I]"
    );
}

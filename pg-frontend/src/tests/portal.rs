//! Portals that are read in parts: limits of rows, ends, transactions, and what runs meanwhile.

use std::sync::atomic::Ordering;

use super::client::{
    Raw, Server, bind, close, describe, execute, field, flush, frame, parse, query, reaches, shown,
    sync,
};
use crate::Limits;

fn bound(portal: &str, statement: &str) -> Vec<u8> {
    bind(portal, statement, &[], &[], &[])
}

/// A session with the statement `a`, of five rows in batches of one.
async fn prepared(server: &Server) -> Raw {
    let mut raw = server.session().await;
    assert_eq!(raw.say(&[parse("a", "rows 5 1", &[])]).await, "1 Z[I]");
    raw
}

#[tokio::test]
async fn a_limit_suspends_and_each_turn_counts_its_own_rows() {
    let server = Server::start().await;
    let mut raw = prepared(&server).await;
    let turns = [
        bound("", "a"),
        execute("", 2),
        execute("", 2),
        execute("", 2),
        execute("", 2),
        execute("", 0),
    ];
    assert_eq!(
        raw.say(&turns).await,
        "2 D D s D D s D C[SELECT 1] C[SELECT 0] C[SELECT 0] Z[I]"
    );
    // The exact number does not see the end; less than one is no limit.
    let exact = [bound("", "a"), execute("", 5), execute("", 1)];
    assert_eq!(raw.say(&exact).await, "2 D D D D D s C[SELECT 0] Z[I]");
    let negative = [bound("", "a"), execute("", -1)];
    assert_eq!(raw.say(&negative).await, "2 D D D D D C[SELECT 5] Z[I]");
}

#[tokio::test]
async fn rows_come_in_their_order_whatever_the_batches() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let mut sent = vec![parse("", "rows 3 4", &[]), bind("", "", &[], &[], &[1, 0])];
    sent.extend((0..3).map(|_| execute("", 5)));
    sent.push(sync());
    raw.send(&sent.concat()).await;
    let answer = raw.until(b'Z').await;
    assert_eq!(
        shown(&answer),
        "1 2 D D D D D s D D D D D s D D C[SELECT 2] Z[I]"
    );
    let rows = answer.iter().filter(|m| m.0 == b'D');
    let numbers = rows.map(|(_, body)| match body[2..6] {
        [0, 0, 0, 8] => Some(i64::from_be_bytes(body[6..14].try_into().unwrap())),
        _ => None,
    });
    let expected = (0..12).map(|n| (n % 3 != 2).then_some(n));
    assert!(numbers.eq(expected));
}

#[tokio::test]
async fn a_statement_without_rows_runs_once() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let run = |sql| {
        [
            parse("", sql, &[]),
            bound("", ""),
            execute("", 1),
            execute("", 1),
        ]
    };
    let once = "E[55000 portal \"\" cannot be run]";
    assert_eq!(
        raw.say(&run("zone UTC")).await,
        format!("1 2 C[SET] {once} Z[I]")
    );
    assert_eq!(
        raw.say(&run("begin")).await,
        format!("1 2 C[BEGIN] {once} Z[E]")
    );
    assert_eq!(raw.ask("rollback").await, "C[ROLLBACK] Z[I]");
    assert_eq!(raw.say(&run("show 1 1")).await, "1 2 D s C[SHOW] Z[I]");
    // A setting takes effect when its portal runs, and is told before the session is ready.
    assert_eq!(
        raw.say(&[parse("", "zone Asia/Tokyo", &[]), bound("", "")])
            .await,
        "1 2 Z[I]"
    );
    assert_eq!(
        raw.say(&[bound("", ""), execute("", 0)]).await,
        "2 C[SET] S Z[I]"
    );
}

#[tokio::test]
async fn a_row_is_shown_in_the_zone_of_its_turn() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let turns = [
        parse("", "begin", &[]),
        bound("", ""),
        execute("", 0),
        parse("m", "moments 1 3", &[]),
        bound("m", "m"),
        execute("m", 1),
        parse("", "zone Asia/Tokyo", &[]),
        bound("", ""),
        execute("", 0),
        execute("m", 0),
        sync(),
    ];
    raw.send(&turns.concat()).await;
    let answer = raw.until(b'Z').await;
    let rows = answer.iter().filter(|m| m.0 == b'D');
    let texts: Vec<_> = rows
        .map(|m| std::str::from_utf8(&m.1[6..]).unwrap())
        .collect();
    let (utc, tokyo) = ("1970-01-01 00:00:00+00", "1970-01-01 09:00:00+09");
    assert_eq!(texts, [utc, tokyo, tokyo]);
}

#[tokio::test]
async fn portals_end_at_sync_outside_of_a_block_and_with_it() {
    let server = Server::start().await;
    let mut raw = prepared(&server).await;
    let gone = "E[34000 portal \"p\" does not exist] Z[I]";
    assert_eq!(
        raw.say(&[bound("p", "a"), execute("p", 1)]).await,
        "2 D s Z[I]"
    );
    reaches(&server.fake.dropped, 1).await;
    assert_eq!(raw.say(&[execute("p", 1)]).await, gone);

    // A block that begins keeps what is open, its end does not.
    let begin = [
        bound("p", "a"),
        execute("p", 1),
        parse("", "begin", &[]),
        bound("", ""),
        execute("", 0),
    ];
    assert_eq!(raw.say(&begin).await, "2 D s 1 2 C[BEGIN] Z[T]");
    assert_eq!(raw.say(&[execute("p", 1)]).await, "D s Z[T]");
    let taken = "E[42P03 cursor \"p\" already exists] Z[E]";
    assert_eq!(raw.say(&[bound("p", "a")]).await, taken);
    assert_eq!(raw.ask("rollback").await, "C[ROLLBACK] Z[I]");
    let commit = [
        parse("b", "begin", &[]),
        bound("", "b"),
        execute("", 0),
        bound("p", "a"),
        execute("p", 1),
        parse("c", "commit", &[]),
        bound("", "c"),
        execute("", 0),
        execute("p", 1),
    ];
    assert_eq!(
        raw.say(&commit).await,
        format!("1 2 C[BEGIN] 2 D s 1 2 C[COMMIT] {gone}")
    );
}

#[tokio::test]
async fn a_simple_query_takes_the_place_of_the_unnamed_portal() {
    let server = Server::start().await;
    let mut raw = prepared(&server).await;
    raw.ask("begin").await;
    let open = [
        bound("p", "a"),
        bound("", "a"),
        execute("p", 1),
        execute("", 1),
    ];
    assert_eq!(raw.say(&open).await, "2 2 D s D s Z[T]");
    assert_eq!(raw.ask("rows 1 1").await, "T D C[SELECT 1] Z[T]");
    assert_eq!(raw.say(&[execute("p", 1)]).await, "D s Z[T]");
    let gone = "E[34000 portal \"\" does not exist] Z[E]";
    assert_eq!(raw.say(&[execute("", 1)]).await, gone);
    raw.ask("rollback").await;
    // Outside of a block it ends all portals, and so does a block that it ends and begins.
    raw.send(&[bound("p", "a"), execute("p", 1), query("rows 1 1")].concat())
        .await;
    assert_eq!(shown(&raw.until(b'Z').await), "2 D s T D C[SELECT 1] Z[I]");
    assert_eq!(
        raw.say(&[execute("p", 1)]).await,
        "E[34000 portal \"p\" does not exist] Z[I]"
    );
    raw.ask("begin").await;
    raw.say(&[bound("p", "a")]).await;
    assert_eq!(raw.ask("commit; begin").await, "C[COMMIT] C[BEGIN] Z[T]");
    assert_eq!(
        raw.say(&[execute("p", 1)]).await,
        "E[34000 portal \"p\" does not exist] Z[E]"
    );
}

#[tokio::test]
async fn a_portal_of_a_failed_transaction_can_only_be_closed() {
    let server = Server::start().await;
    let mut raw = prepared(&server).await;
    raw.ask("begin").await;
    assert_eq!(
        raw.say(&[bound("p", "a"), execute("p", 1)]).await,
        "2 D s Z[T]"
    );
    assert!(
        raw.say(&[parse("", "rows!", &[])])
            .await
            .starts_with("E[42601")
    );
    // What it ran has ended at once.
    reaches(&server.fake.dropped, 2).await;
    let aborted = "E[25P02 current transaction is aborted, commands ignored until end of \
        transaction block] Z[E]";
    assert_eq!(raw.say(&[execute("p", 1)]).await, aborted);
    assert_eq!(raw.say(&[describe('P', "p")]).await, aborted);
    let closed = [close('P', "p"), execute("p", 1)];
    let gone = "3 E[34000 portal \"p\" does not exist] Z[E]";
    assert_eq!(raw.say(&closed).await, gone);
}

#[tokio::test]
async fn an_error_while_a_portal_runs_fails_its_transaction() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let run = [
        parse("", "  fail 2 1", &[]),
        bound("", ""),
        execute("", 1),
        execute("", 0),
        execute("", 0),
    ];
    raw.ask("begin").await;
    raw.send(&[run.concat(), sync()].concat()).await;
    let answer = raw.until(b'Z').await;
    assert_eq!(shown(&answer), "1 2 D s D E[22012 division by zero] Z[E]");
    assert_eq!(field(&answer[5], 'P'), "3");
    raw.ask("rollback").await;
    let panic = [parse("", "panic 1 2", &[]), bound("", ""), execute("", 0)];
    assert_eq!(
        raw.say(&panic).await,
        "1 2 D D E[XX000 query 7 failed by a defect of the server] Z[I]"
    );
    assert_eq!(raw.ask("rows 1 1").await, "T D C[SELECT 1] Z[I]");
    raw.send(&[parse("", "crash", &[]), sync()].concat()).await;
    assert_eq!(raw.fatal().await, "XX000");
}

#[tokio::test]
async fn a_suspended_portal_asks_for_no_more_than_it_sends() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let turns = [
        parse("", "rows 1000000 10", &[]),
        bound("", ""),
        execute("", 15),
        flush(),
    ];
    raw.send(&turns.concat()).await;
    raw.until(b's').await;
    assert_eq!(server.fake.batches.load(Ordering::Relaxed), 2);
    raw.send(&[execute("", 5), flush()].concat()).await;
    raw.until(b's').await;
    assert_eq!(server.fake.batches.load(Ordering::Relaxed), 2);
    assert_eq!(raw.say(&[close('P', "")]).await, "3 Z[I]");
    reaches(&server.fake.dropped, 1).await;
}

#[tokio::test]
async fn a_client_that_leaves_or_stalls_ends_its_portals() {
    let limits = Limits {
        write_stall_timeout: std::time::Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Server::with(limits).await;
    let run = |sql, rows_max| [parse("", sql, &[]), bound("", ""), execute("", rows_max)].concat();
    let mut waits = server.session().await;
    waits.send(&run("wait 1 1", 0)).await;
    // Its first row comes while it runs, without a Flush.
    assert_eq!(shown(&waits.until(b'D').await), "1 2 D");
    drop(waits);
    reaches(&server.fake.dropped, 1).await;
    let mut suspended = server.session().await;
    suspended
        .send(&[run("wait 1 1", 1), flush()].concat())
        .await;
    suspended.until(b's').await;
    suspended.send(&frame(b'X', b"")).await;
    reaches(&server.fake.dropped, 2).await;
    let mut stalls = server.session().await;
    stalls.send(&run("rows 10000000 100", 0)).await;
    reaches(&server.fake.dropped, 3).await;
    reaches(&server.fake.sessions_dropped, 3).await;

    let mut stuck = server.session().await;
    stuck.send(&parse("", "stuck", &[])).await;
    drop(stuck);
    reaches(&server.fake.sessions_dropped, 4).await;
}

#[tokio::test]
async fn the_end_of_the_server_is_told_in_the_middle_of_a_portal() {
    let server = Server::start().await;
    let mut raw = server.session().await;
    let run = [parse("", "wait 1 1", &[]), bound("", ""), execute("", 0)];
    raw.send(&run.concat()).await;
    raw.until(b'D').await;
    server.shutdown.cancel();
    assert_eq!(raw.fatal().await, "57P01");
    reaches(&server.fake.dropped, 1).await;
}

#[tokio::test]
async fn many_messages_ahead_are_answered_in_their_order() {
    let server = Server::start().await;
    let mut raw = prepared(&server).await;
    let one = [bound("", "a"), execute("", 0)].concat();
    raw.send(&[one.repeat(200), sync()].concat()).await;
    let expected = "2 D D D D D C[SELECT 5] ".repeat(200) + "Z[I]";
    assert_eq!(shown(&raw.until(b'Z').await), expected);
}

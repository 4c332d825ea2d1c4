//! SIGKILL in the middle of CREATE and DROP: what was acknowledged is there, nothing is half, the
//! server starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use inflowave_testkit::Seeded;

use crate::command::binary;
use crate::process::{Serving, column, command};
use crate::server;

/// Times that the server is killed.
const ROUNDS: u32 = 20;
/// Statements before the kill, at most; the seed chooses.
const STATEMENTS_MAX: u64 = 24;
/// All rounds together.
const TIME_MAX: Duration = Duration::from_secs(240);

/// What a client knows: for each object, whether it was acknowledged to be there. Of the statement
/// that was on its way when the server died nothing is known.
#[derive(Default)]
struct Known {
    objects: BTreeMap<String, bool>,
    unknown: Vec<String>,
}

fn provision(dir: &Path) {
    rusqlite::Connection::open(dir.join("shop.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY) STRICT; INSERT INTO t VALUES (7)",
        )
        .unwrap();
    std::fs::write(
        dir.join("inflowave.toml"),
        "[server]\nfile_roots = ['.']\n[catalog.fixed]\nconnector = 'sqlite'\npath = 'shop.db'\n",
    )
    .unwrap();
}

/// The statements on one object, and what they make of it: its existence.
fn statement(seeded: &mut Seeded, known: &Known) -> (String, Vec<(String, bool)>) {
    let there = |name: &str| known.objects.get(name) == Some(&true);
    let n = seeded.below(6);
    let (catalog, view) = (format!("c{n}"), format!("v{n}"));
    match seeded.below(3) {
        0 if there(&catalog) => (
            format!("drop catalog {catalog} cascade"),
            vec![(catalog, false), (view, false)],
        ),
        0 | 1 if !there(&catalog) => (
            format!("create catalog {catalog} using sqlite with (path = 'shop.db')"),
            vec![(catalog, true)],
        ),
        _ if there(&view) => (format!("drop view {view}"), vec![(view, false)]),
        _ if there(&catalog) => (
            format!("create view {view} as select id from {catalog}.main.t"),
            vec![(view, true)],
        ),
        _ => ("select 1".to_owned(), Vec::new()),
    }
}

/// Sends statements until the server is gone, and takes down what it acknowledged.
async fn work(serving: &Serving, seeded: &mut Seeded, known: &mut Known, done: &AtomicU32) {
    let client = serving.connect().await;
    known.unknown.clear();
    loop {
        let (sql, effects) = statement(seeded, known);
        match client.simple_query(&sql).await {
            Ok(_) => known.objects.extend(effects),
            Err(e) if e.as_db_error().is_some() => panic!("{sql}: {e:?}"),
            Err(_) => {
                known.unknown = effects.into_iter().map(|(name, _)| name).collect();
                return;
            }
        }
        done.fetch_add(1, Ordering::SeqCst);
    }
}

/// What the server has must be what was acknowledged, but for the statement that nobody answered.
async fn compare(serving: &Serving, known: &mut Known) {
    let client = serving.connect().await;
    let mut found = column(&client, "show catalogs").await;
    found.retain(|c| c.starts_with('c'));
    found.extend(column(&client, "show tables from inflowave.public").await);
    for (name, there) in &known.objects {
        if !known.unknown.contains(name) {
            assert_eq!(
                found.contains(name),
                *there,
                "{name} was acknowledged as {}; found {found:?}",
                if *there { "made" } else { "dropped" }
            );
        }
    }
    // A catalog and its view go together or stay together: there is no half of a CASCADE.
    let now: BTreeMap<String, bool> = known
        .objects
        .keys()
        .chain(&known.unknown)
        .map(|name| (name.clone(), found.contains(name)))
        .collect();
    for name in &found {
        assert_eq!(now.get(name), Some(&true), "{name} came from nowhere");
        let sql = match name.strip_prefix('v') {
            Some(n) => {
                assert!(found.contains(&format!("c{n}")), "{name} stands on nothing");
                format!("select id from inflowave.public.{name}")
            }
            None => format!("select id from {name}.main.t"),
        };
        assert_eq!(column(&client, &sql).await, ["7"], "{sql}");
    }
    known.objects = now;
}

/// A start that ends after a moment, wherever it is by then.
fn killed_at_start(dir: &Path, moment: Duration) {
    let mut child = command(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let at = Instant::now() + moment;
    while Instant::now() < at {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_command_beside_the_server_reads_what_it_keeps_and_does_not_write() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path());
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(async {
        let client = serving.connect().await;
        let make = "create catalog made using sqlite with (path = 'shop.db');
                    create view seven as select id from made.main.t";
        client.batch_execute(make).await.unwrap();
        // A driver prepares first: the view is made when it executes, and once.
        let make = client.prepare("create view eight as select 8 as n").await;
        let make = make.unwrap();
        let tables = "show tables from inflowave.public";
        assert_eq!(column(&client, tables).await, ["seven"]);
        client.execute(&make, &[]).await.unwrap();
        assert_eq!(column(&client, tables).await, ["eight", "seven"]);
        client.simple_query("begin").await.unwrap();
        let drop = client.execute("drop view eight", &[]).await;
        assert_eq!(drop.unwrap_err().code().unwrap().code(), "25001");
        client.simple_query("rollback").await.unwrap();
        client.execute("drop view eight", &[]).await.unwrap();
    });
    let sql = |text: &str| {
        let output = Command::new(binary())
            .args(["sql", text, "--format", "csv", "--config"])
            .arg(dir.path().join("inflowave.toml"))
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let (rows, errors) = sql("select * from inflowave.public.seven");
    assert_eq!(rows, "id\n7\n", "{errors}");
    let (_, errors) = sql("drop view seven");
    assert!(
        errors.contains("25006") && errors.contains("metastore.db"),
        "{errors}"
    );
    // A second server does not start, and says what to do.
    let error = Serving::start(dir.path(), &[]).err().unwrap();
    assert!(error.contains("locked by another process"), "{error}");
    assert!(error.contains(&serving.child.id().to_string()), "{error}");
    // Without the server the command is the writer.
    drop(serving);
    let (_, errors) = sql("drop view seven");
    assert!(!errors.contains("ERROR"), "{errors}");
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = tempfile::tempdir().unwrap();
    provision(dir.path());
    let started = Instant::now();
    let mut seeded = Seeded::new(9);
    let mut known = Known::default();
    let mut statements = 0;
    for round in 0..ROUNDS {
        assert!(started.elapsed() < TIME_MAX, "round {round} began too late");
        // Once while it starts: the first time while it makes its tables.
        killed_at_start(dir.path(), Duration::from_millis(u64::from(round) * 4));
        let mut serving = Serving::start(dir.path(), &[])
            .unwrap_or_else(|e| panic!("round {round}: the server did not start: {e}"));
        let done = Arc::new(AtomicU32::new(0));
        // After so many statements, and then a moment that grows with the round: from the first
        // byte of the next statement to its answer.
        let after = u32::try_from(1 + seeded.below(STATEMENTS_MAX)).unwrap();
        let moment = Duration::from_micros(u64::from(round) * 400);
        let pid = serving.child.id();
        let killer = std::thread::spawn({
            let done = Arc::clone(&done);
            move || {
                let deadline = Instant::now() + server::DEADLINE;
                while done.load(Ordering::SeqCst) < after && Instant::now() < deadline {
                    std::thread::yield_now();
                }
                let at = Instant::now() + moment;
                while Instant::now() < at {
                    std::hint::spin_loop();
                }
                Command::new("kill")
                    .args(["-9", &pid.to_string()])
                    .status()
                    .unwrap()
            }
        });
        server::run(async {
            compare(&serving, &mut known).await;
            work(&serving, &mut seeded, &mut known, &done).await;
        });
        assert!(killer.join().unwrap().success());
        serving.child.wait().unwrap();
        statements += done.load(Ordering::SeqCst);
    }
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(compare(&serving, &mut known));
    println!("{ROUNDS} kills after {statements} acknowledged statements");
    assert!(
        statements > ROUNDS,
        "only {statements} statements were acknowledged"
    );
}

//! Statements that are nearly right: those of our own tests and of the recorded clients, changed by a
//! seed at random places. Whatever comes of it, it is an answer or an error that PostgreSQL has, in
//! time, and the session goes on.
//!
//! `INFLOWAVE_MUTATIONS` is how many seconds it runs at most, `INFLOWAVE_SEED` the seed of the first statement.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use futures::FutureExt;
use inflowave_testkit::Seeded;
use inflowave_testkit::provision::CatalogSpec;

use crate::server::{self, DEADLINE};

const SECONDS: u64 = 40;
/// The same statements on every machine that is fast enough.
const STATEMENTS: u64 = 20_000;
const SEED: u64 = 5;
/// Bytes of a statement that is changed, at most.
const STATEMENT_MAX: usize = 1500;

const TABLES: &str = "
    create table t (k integer, i2 integer, i4 integer, i8 integer, f4 real, f8 real, n real, n2 real, \
        txt text, d text, ts text, tz text, b integer);
    insert into t values (1, 1, 2, 3, 1.5, 2.5, 3.25, 1.125, 'a1', '2024-02-29', '2024-02-29 12:30:00', null, 1),
        (2, -1, -2147483648, 9223372036854775807, -0.0, 1e300, -1, 0, 'łąka', null, null, null, 0),
        (3, null, null, null, null, null, null, null, null, null, null, null, null);
    create table customers (id integer primary key, name text not null, balance real, since text, note text);
    insert into customers values (1, 'Ann', 10.5, '2024-01-01', 'says \"hi\"'), (2, 'Béla', 1200, null, '');
    create table orders (id integer primary key, customer integer);
    insert into orders values (1, 1), (2, 1), (3, 4)";

/// What may stand where a value stood.
const VALUES: &[&str] = &[
    "NULL",
    "0",
    "-1",
    "1e308",
    "9223372036854775807",
    "-9223372036854775808",
    "99999999999999999999999",
    "''",
    "'NaN'",
    "'infinity'",
    "'{'",
    "'{1,2}'",
    "'[1]'",
    "'\\'",
    "'%'",
    "'294276-12-31'",
    "'4714-01-01 BC'",
    "true",
    "(select 1)",
    "(select k from t)",
    "array[1,2]",
    "array[]::int[]",
    "row(1,2)",
    "interval '1 month'",
    "date '2024-02-29'",
    "'1'::jsonb",
    "'{\"a\": [1]}'::jsonb",
    "t",
    "t.k",
    "k",
    "txt",
];

/// What may stand where anything else stood.
const PIECES: &[&str] = &[
    "::int",
    "::text",
    "::date",
    "::numeric(3,1)",
    "::jsonb",
    "::int[]",
    "::regclass",
    "::interval",
    "is null",
    "and",
    "or",
    "not",
    "=",
    "<>",
    "<",
    "||",
    "->",
    "->>",
    "~",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "(",
    ")",
    ",",
    ";",
    "distinct",
    "order by 1",
    "limit 1",
    "offset 2",
    "group by 1",
    "having count(*) > 1",
    "over ()",
    "over (order by k)",
    "filter (where true)",
    "at time zone 'Europe/Warsaw'",
    "collate \"C\"",
    "union all select 1",
    "in (1, null)",
    "between 1 and 2",
    "from t",
    "from t, customers",
    "left join orders o on true",
    "cross join lateral (select k) l",
    "where exists (select 1)",
    "with ordinality",
    "generate_series(1, 3)",
    "unnest(array[1,2])",
    "count(*)",
    "sum(k)",
    "max(txt)",
    "coalesce(",
    "case when",
    "then",
    "else",
    "end",
    "$1",
    "*",
];

/// Every statement that is known, as PostgreSQL's users write them.
fn statements() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let cases = read("../crates/pg-semantics/src/cases.txt");
    let mut all: Vec<String> = cases
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(" => ")?.0.to_owned()))
        .collect();
    for script in std::fs::read_dir(root.join("psql")).unwrap() {
        let text = std::fs::read_to_string(script.unwrap().path()).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with(['\\', '-']));
        let text = lines.collect::<Vec<_>>().join("\n");
        all.extend(text.split(';').map(str::trim).map(str::to_owned));
    }
    for line in read("corpus/corpus.jsonl").lines() {
        let recorded: serde_json::Value = serde_json::from_str(line).unwrap();
        all.push(recorded["sql"].as_str().unwrap_or_default().to_owned());
    }
    // A file's order is not the machine's.
    all.retain(|sql| !sql.is_empty() && sql.len() <= STATEMENT_MAX && !sql.contains("pg_sleep"));
    all.sort();
    all.dedup();
    all
}

/// Words, texts, numbers, and every other character by itself; blanks go with what stands before.
fn pieces(sql: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let alike = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let mut end = match first {
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |at| at + 2),
            c if alike(c) => rest.find(|c| !alike(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        end += rest[end..].len() - rest[end..].trim_start().len();
        pieces.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    pieces
}

fn mutated(statements: &[String], seed: u64) -> String {
    let mut seeded = Seeded::new(seed);
    let mut all = pieces(&seeded.pick(statements));
    for _ in 0..seeded.weighted(&[0, 6, 2, 1]) {
        let at = seeded.below(all.len() as u64) as usize;
        let other = |seeded: &mut Seeded| pieces(&seeded.pick(statements));
        let values: Vec<usize> = (0..all.len())
            .filter(|at| all[*at].starts_with(|c: char| c == '\'' || c.is_ascii_digit()))
            .collect();
        match seeded.below(16) {
            // Most often only a value changes, so that it is the meaning that goes wrong.
            8.. if !values.is_empty() => {
                let at = seeded.pick(&values);
                all[at] = format!(" {} ", seeded.pick(VALUES));
            }
            0 if all.len() > 1 => drop(all.remove(at)),
            1 => all.insert(at, all[at].clone()),
            2 => {
                let with = seeded.below(all.len() as u64) as usize;
                all.swap(at, with);
            }
            3 => all.insert(at, format!(" {} ", seeded.pick(PIECES))),
            4 => {
                let other = other(&mut seeded);
                all[at] = format!(" {} ", seeded.pick(&other));
            }
            5 => {
                let other = other(&mut seeded);
                let from = seeded.below(other.len() as u64) as usize;
                all.truncate(at + 1);
                all.extend_from_slice(&other[from..]);
            }
            6 => {
                let end = at + seeded.below((all.len() - at) as u64) as usize;
                all.insert(end + 1, ") ".to_owned());
                all.insert(at, " (".to_owned());
            }
            _ => all[at] = format!(" {} ", seeded.pick(PIECES)),
        }
    }
    all.concat()
}

#[test]
fn nearly_right_statements_are_answered_or_refused() {
    let number = |name: &str, default| match std::env::var(name) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => default,
    };
    let (seconds, seed) = (
        number("INFLOWAVE_MUTATIONS", SECONDS),
        number("INFLOWAVE_SEED", SEED),
    );
    let statements = statements();
    assert!(statements.len() > 3000, "{}", statements.len());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("main.db");
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(TABLES)
        .unwrap();
    let spec = CatalogSpec {
        connector: "sqlite",
        params: vec![("path".to_owned(), path.display().to_string())],
        schema: "main".to_owned(),
    };
    server::run(async {
        let service = server::service(vec![("src".to_owned(), spec)])
            .await
            .unwrap();
        let end = Instant::now() + Duration::from_secs(seconds);
        let (mut asked, mut answered, mut failed) = (0_u64, 0_u64, Vec::new());
        let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
        while asked < STATEMENTS && (Instant::now() < end || asked == 0) {
            // A session of its own for some, so that none suffers long from a SET of another.
            let mut session = server::session(service.as_ref(), "src").await;
            let prepare = "set search_path = main, public; set statement_timeout = '10s'";
            server::texts(session.as_mut(), prepare).await.unwrap();
            for _ in 0..20 {
                let sql = mutated(&statements, seed + asked);
                asked += 1;
                let answer = AssertUnwindSafe(server::texts(session.as_mut(), &sql)).catch_unwind();
                let answer = tokio::time::timeout(DEADLINE, answer).await;
                let mut fails = |what: &str| {
                    failed.push(format!("{}: {what}\n    {sql}", seed + asked - 1));
                };
                match answer {
                    Ok(Ok(Ok(_))) => answered += 1,
                    Ok(Ok(Err(error))) if error.sqlstate().code() == "XX000" => {
                        fails(error.message());
                    }
                    Ok(Ok(Err(error))) => *refused.entry(error.sqlstate().code()).or_default() += 1,
                    Ok(Err(_)) => {
                        fails("a panic");
                        break;
                    }
                    Err(_) => {
                        fails("no end");
                        break;
                    }
                }
            }
        }
        // One that is left whole is an answer: otherwise nothing was tried.
        assert!(answered > 0, "nothing of {asked} was answered");
        eprintln!("{asked} statements, {answered} answered, {refused:?}");
        assert!(
            failed.is_empty(),
            "{} of {asked}:\n{}",
            failed.len(),
            failed.join("\n")
        );
    });
}

//! Real clients: each folder of `tests/clients` makes the same calls of PostgreSQL and of us, over the
//! same tables, and compares what it gets. pgbench and postgres_fdw need no script of their own.

use std::path::{Path, PathBuf};
use std::process::Command;

use inflowave_testkit::skip;

use crate::access::Certificates;
use crate::process::Serving;
use crate::psql_catalog::Both;
use crate::psql_scripts::ROWS;
use crate::server;

const PYTHON_ENV: &str = "INFLOWAVE_TEST_PYTHON";
/// The Python of dbt's own environment.
const DBT_ENV: &str = "INFLOWAVE_TEST_DBT";
const PSQL18_ENV: &str = "INFLOWAVE_TEST_PSQL18";
const NODE_ENV: &str = "INFLOWAVE_TEST_NODE_MODULES";
const PGJDBC_ENV: &str = "INFLOWAVE_TEST_PGJDBC";
const PSQLODBC_ENV: &str = "INFLOWAVE_TEST_PSQLODBC";

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// The tables of `shared/known.py`, with keys, indexes and comments.
const SHOP: &str = include_str!("../clients/shared/shop.sql");

/// Runs a command behind which the URLs of PostgreSQL and of ours are put; it has to succeed.
fn run(name: &'static str, command: impl FnOnce() -> Option<Command>) {
    over(&[ROWS], name, command);
}

/// The same for what `shared/known.py` runs.
fn known(name: &'static str, command: impl FnOnce() -> Option<Command>) {
    over(&[ROWS, SHOP], name, command);
}

fn over(tables: &[&str], name: &'static str, command: impl FnOnce() -> Option<Command>) {
    let Some(mut command) = command() else {
        skip!(name, "its driver is not installed");
    };
    server::run(async {
        let Some(both) = Both::start(name).await else {
            skip!(name, "psql or PostgreSQL is not there");
        };
        for sql in tables {
            both.execute(sql).await;
        }
        command.args([both.url.clone(), both.ours("crm")]);
        finish(name, command).await;
        both.end().await;
    });
}

async fn finish(name: &str, mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    print!("{name}: {text}");
    text
}

fn python(folder: &str) -> Option<Command> {
    python_of(PYTHON_ENV, folder)
}

fn python_of(environment: &str, folder: &str) -> Option<Command> {
    let mut command = Command::new(std::env::var(environment).ok()?);
    command
        .env("PYTHONPATH", clients().join("shared"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(clients().join(folder).join("client.py"));
    Some(command)
}

#[test]
fn psycopg() {
    run("psycopg", || python("psycopg"));
}

#[test]
fn psycopg2() {
    run("psycopg2", || python("psycopg2"));
}

#[test]
fn asyncpg() {
    run("asyncpg", || python("asyncpg"));
}

#[test]
fn pg8000() {
    run("pg8000", || python("pg8000"));
}

#[test]
fn sqlalchemy() {
    run("sqlalchemy", || python("sqlalchemy"));
}

#[test]
fn adbc() {
    run("adbc", || python("adbc"));
}

#[test]
fn node() {
    run("node", || {
        let mut command = Command::new("node");
        command
            .env("NODE_PATH", std::env::var(NODE_ENV).ok()?)
            .arg(clients().join("node/client.js"));
        Some(command)
    });
}

#[test]
fn pgjdbc() {
    run("pgjdbc", || {
        let mut command = Command::new("java");
        command
            .arg("-cp")
            .arg(std::env::var(PGJDBC_ENV).ok()?)
            .arg(clients().join("pgjdbc/Client.java"));
        Some(command)
    });
}

#[test]
fn grafana() {
    known("grafana", || python("grafana"));
}

#[test]
fn pg_dump() {
    known("pg_dump", || {
        let mut command = python("pg_dump")?;
        command.env("PG_DUMP", program("pg_dump")?);
        Some(command)
    });
}

#[test]
fn psqlodbc() {
    known("psqlodbc", || {
        let mut command = python("psqlodbc")?;
        command.env("PSQLODBC", std::env::var(PSQLODBC_ENV).ok()?);
        Some(command)
    });
}

#[test]
fn metabase() {
    known("metabase", || python("metabase"));
}

#[test]
fn npgsql() {
    known("npgsql", || python("npgsql"));
}

#[test]
fn dbt() {
    known("dbt", || python_of(DBT_ENV, "dbt"));
}

#[test]
fn psql18() {
    known("psql18", || {
        let mut command = python("psql18")?;
        command.env("PSQL18", std::env::var(PSQL18_ENV).ok()?);
        Some(command)
    });
}

/// TLS from the first byte, which libpq has since PostgreSQL 17.
#[test]
fn libpq_18_tls() {
    let Ok(python) = std::env::var(PYTHON_ENV) else {
        skip!("libpq_18_tls", "psycopg is not installed");
    };
    let dir = tempfile::tempdir().unwrap();
    let certificates = Certificates::new(dir.path());
    certificates.sign("server", "server");
    std::fs::write(
        dir.path().join("inflowave.toml"),
        "[access]\nsuperuser = 'tester'\nrules = ['hostssl all all 127.0.0.1/32 trust']\n\
         [tls]\ncertificate = 'server.crt'\nkey = 'server.key'\n",
    )
    .unwrap();
    let serving = Serving::start(dir.path(), &[]).unwrap();
    let mut command = Command::new(python);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(clients().join("psql18/tls.py"))
        .arg(format!("postgres://tester@{}/inflowave", serving.address))
        .arg(dir.path().join("ca.crt"));
    server::run(async {
        finish("libpq_18_tls", command).await;
    });
}

/// The newest of PostgreSQL's own programs.
fn program(name: &str) -> Option<PathBuf> {
    let fixed = Path::new("/usr/lib/postgresql/15/bin").join(name);
    match fixed.exists() {
        true => Some(fixed),
        false => Command::new(name)
            .arg("--version")
            .output()
            .ok()
            .map(|_| name.into()),
    }
}

/// The table that `pgbench -S` reads lies in PostgreSQL, and is read through us in each of the three ways
/// to send a statement.
#[test]
fn pgbench() {
    let Some(pgbench) = program("pgbench") else {
        skip!("pgbench", "pgbench is not there");
    };
    server::run(async {
        let Some(both) = Both::start("pgbench").await else {
            skip!("pgbench", "psql or PostgreSQL is not there");
        };
        both.execute(
            "create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84));
             insert into pgbench_accounts select g, 1, 0, '' from generate_series(1, 100000) g;
             create table pgbench_branches (bid int primary key, bbalance int, filler char(88));
             insert into pgbench_branches values (1, 0, '')",
        )
        .await;
        for mode in ["simple", "extended", "prepared"] {
            let mut command = Command::new(&pgbench);
            command
                .args(["-n", "-S", "-t", "50", "-c", "2", "-s", "1", "-M", mode])
                .arg(both.ours("crm"));
            let printed = finish("pgbench", command).await;
            assert!(
                printed.contains("number of transactions actually processed: 100/100"),
                "{printed}"
            );
        }
        both.end().await;
    });
}

/// A PostgreSQL that reads our tables as foreign ones: schema, conditions, joins, cursors.
#[test]
fn postgres_fdw() {
    server::run(async {
        let Some(both) = Both::start("postgres_fdw").await else {
            skip!("postgres_fdw", "psql or PostgreSQL is not there");
        };
        both.execute(ROWS).await;
        let port = both.address().port();
        both.execute(&format!(
            "create extension postgres_fdw;
             create server ours foreign data wrapper postgres_fdw
                 options (host '127.0.0.1', port '{port}', dbname 'crm', fetch_size '2');
             alter server ours options (add fdw_startup_cost '100000');
             create user mapping for postgres server ours
                 options (user 'tester', password_required 'false');
             create schema far; create schema far_sales;
             import foreign schema public from server ours into far;
             import foreign schema sales from server ours into far_sales"
        ))
        .await;
        for (far, near) in [
            (
                "select * from far.customers order by id",
                "select * from customers order by id",
            ),
            (
                "select count(*), max(balance) from far.customers",
                "select count(*), max(balance) from customers",
            ),
            (
                "select name from far.customers where id > 1 and balance > 0",
                "select name from customers where id > 1 and balance > 0",
            ),
            (
                "select c.name, o.id from far.customers c join far_sales.orders o on o.customer = c.id order by 2 limit 2",
                "select c.name, o.id from customers c join sales.orders o on o.customer = c.id order by 2 limit 2",
            ),
            (
                "select n.name from far.customers n join customers m on m.id = n.id and m.name = n.name order by 1",
                "select name from customers order by 1",
            ),
            (
                "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute \
                 where attrelid = 'far.customers'::regclass and attnum > 0 order by attnum",
                "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute \
                 where attrelid = 'customers'::regclass and attnum > 0 order by attnum",
            ),
        ] {
            let (far_rows, near_rows) = (both.ask(far).await, both.ask(near).await);
            assert!(!near_rows.is_empty());
            assert_eq!(far_rows, near_rows, "{far}");
        }
        // The join has gone through us, and through us to its source.
        let plan = both.ask(
            "explain (verbose, costs off) select c.name, o.id from far.customers c \
             join far_sales.orders o on o.customer = c.id",
        );
        let plan = plan.await.join("\n");
        assert!(plan.contains("INNER JOIN sales.orders"), "{plan}");
        both.end().await;
    });
}

/// What clients sent to a real PostgreSQL, sent to it and to us: `corpus/README.md`.
#[test]
fn corpus() {
    let Ok(python) = std::env::var(PYTHON_ENV) else {
        skip!("corpus", "psycopg is not installed");
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    server::run(async {
        let fixture = std::fs::read_to_string(folder.join("fixture.sql")).unwrap();
        let Some(both) = Both::named("corpus", "corpus", &fixture).await else {
            skip!("corpus", "psql or PostgreSQL is not there");
        };
        let mut command = Command::new(python);
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(folder.join("replay.py"))
            .args([both.url.clone(), both.ours_of("postgres", "corpus")]);
        finish("corpus", command).await;
        both.end().await;
    });
}

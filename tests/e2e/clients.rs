//! Real drivers in other languages: each script of `tests/clients` makes the same calls of PostgreSQL
//! and of us, and compares what it gets.

use std::path::Path;
use std::process::Command;

use inflowave_pg_frontend as pg;
use inflowave_testkit::provision::POSTGRES_ENV;
use inflowave_testkit::skip;
use tokio_util::sync::CancellationToken;

use crate::server;

const PYTHON_ENV: &str = "INFLOWAVE_TEST_PYTHON";

fn run(script: &str) {
    let (Ok(python), Ok(postgres)) = (std::env::var(PYTHON_ENV), std::env::var(POSTGRES_ENV))
    else {
        skip!(
            script,
            format!("{PYTHON_ENV} or {POSTGRES_ENV} is not set").as_str()
        );
    };
    server::run(async {
        let service = server::service(Vec::new()).await.unwrap();
        let listener = pg::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shutdown = CancellationToken::new();
        let _guard = shutdown.clone().drop_guard();
        let limits = pg::Limits::default();
        tokio::spawn(pg::serve(
            listener,
            service,
            pg::Door::open(),
            limits,
            shutdown,
        ));
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("clients")
            .join(script);
        let ours = format!("postgres://tester@127.0.0.1:{port}/inflowave");
        let output = tokio::task::spawn_blocking(move || {
            Command::new(python)
                .arg(file)
                .args([postgres, ours])
                .output()
                .unwrap()
        });
        let output = output.await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{errors}");
        print!("{script}: {text}");
    });
}

#[test]
fn psycopg_3() {
    run("psycopg_3.py");
}

#[test]
fn asyncpg() {
    run("asyncpg_0.py");
}

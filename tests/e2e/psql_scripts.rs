//! What people type: each script of `tests/psql` is run by psql against this server and against
//! PostgreSQL 15, over the same tables, and prints the same: values, tags, and the SQLSTATE of errors.

use std::path::Path;
use std::process::Command;

use inflowave_testkit::skip;

use crate::psql_catalog::Both;
use crate::server;

pub const ROWS: &str = "
    insert into customers (id, name, balance, since, note) values
        (1, 'Ann', 10.50, '2024-01-01', 'says \"hi\", and leaves'),
        (2, 'Béla', 1200, '2024-01-02', ''),
        (3, 'C\\D', null, '2024-01-03', null),
        (4, 'D' || chr(9) || 'D', -0.01, null, 'two' || chr(10) || 'lines');
    insert into sales.orders values (1, 1), (2, 1), (3, 4)";

/// What psql prints of a script, errors and notices among the rest.
fn printed(url: &str, script: &Path) -> String {
    let output = Command::new("sh")
        .arg("-c")
        .arg("exec psql -X -e -v VERBOSITY=sqlstate -d \"$0\" -f \"$1\" 2>&1")
        .args([url.as_ref(), script.as_os_str()])
        // So that the name of the file and its lines, which stand before errors, are the same.
        .current_dir(script.parent().unwrap())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn compare(name: &'static str) {
    server::run(async {
        let Some(both) = Both::start(name).await else {
            skip!(name, "psql or PostgreSQL is not there");
        };
        both.execute(ROWS).await;
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("psql")
            .join(format!("{name}.sql"));
        let (theirs, ours) = (both.url.clone(), both.ours("crm"));
        let (expected, found) = tokio::task::spawn_blocking(move || {
            (printed(&theirs, &script), printed(&ours, &script))
        })
        .await
        .unwrap();
        both.end().await;
        assert!(expected.lines().count() > 20, "{expected}");
        if let Some((line, (theirs, ours))) = (1_usize..)
            .zip(expected.lines().zip(found.lines()))
            .find(|(_, (theirs, ours))| theirs != ours)
        {
            let from = line.saturating_sub(6);
            let part = |text: &str| {
                let lines = text.lines().skip(from).take(12);
                lines.collect::<Vec<_>>().join("\n")
            };
            panic!(
                "{name}, line {line} of what is printed:\nPostgreSQL: {theirs}\nours:       {ours}\n\
                 --- PostgreSQL\n{}\n--- ours\n{}",
                part(&expected),
                part(&found)
            );
        }
        assert_eq!(expected.lines().count(), found.lines().count());
    });
}

#[test]
fn prepared() {
    compare("prepared");
}

#[test]
fn cursors() {
    compare("cursors");
}

#[test]
fn copy() {
    compare("copy");
}

#[test]
fn format() {
    compare("format");
}

#[test]
fn rows() {
    compare("rows");
}

#[test]
fn texts() {
    compare("texts");
}

#[test]
fn grouping() {
    compare("grouping");
}

#[test]
fn settings() {
    compare("settings");
}

#[test]
fn transactions() {
    compare("transactions");
}

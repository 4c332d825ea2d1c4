//! What an operator reads: the log of the real binary, and `system.runtime.queries` beside it.

use std::path::Path;

use serde_json::Value;

use crate::process::{Serving, column, command};
use crate::server;

fn configure(dir: &Path, log: &str) {
    let connection = rusqlite::Connection::open(dir.join("shop.db")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE numbers (n INTEGER) STRICT; INSERT INTO numbers VALUES (1), (2), (3)",
        )
        .unwrap();
    let text = format!(
        "{log}\n[server]\ndata_dir = \"data\"\n[catalog.shop]\nconnector = \"sqlite\"\npath = \"shop.db\"\n"
    );
    std::fs::write(dir.join("inflowave.toml"), text).unwrap();
}

/// The lines of a log in JSON; each has to be an object.
fn events(printed: &[u8]) -> Vec<Value> {
    String::from_utf8_lossy(printed)
        .lines()
        .filter(|line| !line.starts_with("listening for"))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

#[test]
fn every_query_ends_with_one_line_that_says_how() {
    let dir = tempfile::tempdir().unwrap();
    configure(
        dir.path(),
        "[log]\nformat = \"json\"\nfilter = \"warn,inflowave=info\"",
    );
    let serving = Serving::start(dir.path(), &[("INFLOWAVE_LOG", "")]).unwrap();
    let ids = server::run(async {
        let client = serving.connect().await;
        column(&client, "select n from shop.main.numbers where n > 1").await;
        assert!(
            client
                .simple_query("select 1 / (n - 1) from shop.main.numbers")
                .await
                .is_err()
        );
        assert!(client.simple_query("select nosuch").await.is_err());
        // What is refused before it is a query: while it is read, and while a driver prepares it.
        assert!(client.simple_query("select 'nosuch' from").await.is_err());
        assert!(client.prepare("select nosuch + $1").await.is_err());
        column(
            &client,
            "select query_id from system.runtime.queries where query like '%shop%' or query like '%nosuch%' order by 1",
        )
        .await
    });
    let printed = serving.kill();
    let events = events(&printed);
    let ended = |id: &str| -> &Value {
        let id: u64 = id.parse().unwrap();
        let of: Vec<&Value> = events.iter().filter(|e| e["query_id"] == id).collect();
        assert_eq!(of.len(), 1, "{of:?}");
        assert_eq!(of[0]["message"], "query ended");
        of[0]
    };
    let good = ended(&ids[0]);
    assert_eq!(good["outcome"], "finished");
    assert_eq!(good["level"], "INFO");
    assert_eq!(
        (&good["rows"], &good["source_rows"]),
        (&2.into(), &2.into())
    );
    assert_eq!(good["user"], "tester");
    assert_eq!(good["protocol"], "postgres");
    assert!(good["elapsed_us"].as_u64() >= good["first_row_us"].as_u64());
    assert!(good["first_row_us"].as_u64() >= good["planned_us"].as_u64());
    assert!(good["planned_us"].as_u64() > Some(0));
    for (id, sqlstate) in [(&ids[2], "42703"), (&ids[3], "42601"), (&ids[4], "42703")] {
        let failed = ended(id);
        assert_eq!(
            (&failed["outcome"], &failed["sqlstate"]),
            (&"failed".into(), &sqlstate.into())
        );
    }
    let failed = ended(&ids[1]);
    assert_eq!(
        (&failed["outcome"], &failed["sqlstate"]),
        (&"failed".into(), &"22012".into())
    );
    assert_eq!(failed["error"], "division by zero");
    assert_eq!(ended(&ids[2])["sqlstate"], "42703");
    // What a statement says can be data.
    let text = String::from_utf8(printed).unwrap();
    assert!(!text.contains("numbers where"), "{text}");
    assert_eq!(text.matches("division by zero").count(), 1, "{text}");
}

#[test]
fn texts_are_written_where_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "[log]\nstatements = true");
    let variables = [("INFLOWAVE_LOG", ""), ("INFLOWAVE_LOG_FORMAT", "json")];
    let serving = Serving::start(dir.path(), &variables).unwrap();
    server::run(async {
        let client = serving.connect().await;
        column(&client, "select 41 + 1").await;
    });
    let events = events(&serving.kill());
    let texts: Vec<&Value> = events.iter().map(|e| &e["statement"]).collect();
    assert!(texts.contains(&&"select 41 + 1".into()), "{events:?}");
}

#[test]
fn a_wrong_log_is_said_with_the_choices() {
    for (log, expected) in [
        (
            "[log]\nformat = \"xml\"",
            "Valid is one of \"text\", \"json\".",
        ),
        ("[log]\nfilter = \"inflowave=loud\"", "log.filter: "),
        ("[log]\nlevel = \"info\"", "unknown key \"level\" in [log]"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        configure(dir.path(), log);
        let output = command(dir.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{log}: {said}");
        assert!(
            said.contains(expected) && said.contains("inflowave.toml"),
            "{log}: {said}"
        );
    }
}

#[test]
fn the_table_of_queries_has_phases_rows_and_bytes() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "");
    let serving = Serving::start(dir.path(), &[]).unwrap();
    server::run(async {
        let client = serving.connect().await;
        column(&client, "select n from shop.main.numbers where n > 1").await;
        let row = column(
            &client,
            "select concat_ws(' ', state, protocol, rows, source_rows, bytes > 0, source_bytes > 0,
                    parse_us > 0, planned_us > 0, first_row_us >= planned_us, elapsed_us >= first_row_us)
             from system.runtime.queries where query like 'select n from%'",
        )
        .await;
        assert_eq!(row, ["finished postgres 2 2 t t t t t t"]);
        // The table is read while the query that asks is planned.
        let own = column(
            &client,
            "select concat_ws(' ', state, ended is null, first_row_us is null, elapsed_us > 0)
             from system.runtime.queries where query like 'select concat_ws%elapsed_us > 0%'",
        )
        .await;
        assert_eq!(own, ["planning t t t"]);
    });
}

#[test]
fn a_name_cannot_break_a_line_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let forger =
        "[access]\nsuperuser = \"ana\\nERROR forged\"\nrules = ['host all all 127.0.0.1/32 trust']";
    configure(dir.path(), &format!("[log]\nformat = \"text\"\n{forger}"));
    let serving = Serving::start(dir.path(), &[("INFLOWAVE_LOG", "")]).unwrap();
    server::run(async {
        let mut forging = tokio_postgres::Config::new();
        forging
            .host("127.0.0.1")
            .port(serving.address.port())
            .user("ana\nERROR forged")
            .dbname("inflowave");
        let (client, connection) = forging.connect(tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        column(&client, "select 1").await;
    });
    let printed = String::from_utf8(serving.kill()).unwrap();
    assert!(printed.contains(r#"user="ana\nERROR forged""#), "{printed}");
    assert!(
        !printed.lines().any(|l| l.starts_with("ERROR forged")),
        "{printed}"
    );
}

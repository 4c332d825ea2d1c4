//! A planted secret: what the server writes and shows is searched for it, byte by byte.

use std::path::Path;

use tokio_postgres::{Client, SimpleQueryMessage};

use crate::process::{Serving, column};
use crate::server;

/// Nothing else has this text in it.
const SECRET: &str = "pl4nted-S3cret@/7f";
/// As it stands in a URL.
const ENCODED: &str = "pl4nted-S3cret%40%2F7f";
/// A secret in clear, which is refused.
const CLEAR: &str = "cl3ar-S3cret-7f";

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

fn clean(what: &str, bytes: &[u8]) {
    for text in [SECRET, ENCODED, CLEAR] {
        assert!(!contains(bytes, text), "{what} holds the secret {text}");
    }
}

fn files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Everything that a statement says, errors with all their parts.
async fn said(client: &Client, sql: &str) -> String {
    match client.simple_query(sql).await {
        Ok(messages) => messages
            .iter()
            .filter_map(|m| match m {
                SimpleQueryMessage::Row(row) => {
                    let cells = (0..row.len()).map(|i| row.get(i).unwrap_or("-"));
                    Some(cells.collect::<Vec<_>>().join("|"))
                }
                _ => None,
            })
            .collect::<Vec<_>>()
            .join("\n"),
        Err(e) => format!("{e:?}"),
    }
}

async fn tables_are_clean(client: &Client) {
    for table in column(client, "show tables from system.runtime").await {
        let rows = said(client, &format!("select * from system.runtime.{table}")).await;
        clean(&format!("system.runtime.{table}"), rows.as_bytes());
    }
}

#[test]
fn a_secret_is_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("inflowave.toml"),
        "[server]\ndata_dir = 'data'\nfile_roots = ['.']\nurl_roots = ['s3://b', 'az://c', 'http://127.0.0.1:1', 'postgres://', 'mysql://']\n[secrets]\nfile_roots = ['keys']\n",
    )
    .unwrap();
    std::fs::create_dir(dir.path().join("keys")).unwrap();
    std::fs::write(dir.path().join("keys/crm"), SECRET).unwrap();
    std::fs::write(dir.path().join("keys/sas"), format!("sv=1&sig={SECRET}")).unwrap();
    let variables = [("INFLOWAVE_PLANTED", SECRET)];
    let mut printed = Vec::new();
    for round in 0..2 {
        let serving = Serving::start(dir.path(), &variables).unwrap();
        server::run(async {
            let client = serving.connect().await;
            let url = "postgres://app@127.0.0.1:1/d";
            let with = |rest: &str| format!("using postgres with (url = '{url}', {rest})");
            for sql in [
                format!("create catalog if not exists a {}", with("password = '${env:INFLOWAVE_PLANTED}'")),
                format!("create catalog if not exists b {}", with("password = '${file:keys/crm}'")),
                "create catalog if not exists c using postgres with (url = 'postgres://app:${env:INFLOWAVE_PLANTED}@127.0.0.1:1/d')".to_owned(),
                "create catalog if not exists d using mysql with (url = 'mysql://app:${file:keys/crm}@127.0.0.1:1/d')".to_owned(),
                "alter catalog a set (password = '${file:keys/crm}')".to_owned(),
                "create catalog if not exists e using files with (path = 's3://b/x', access_key_id = '${env:INFLOWAVE_PLANTED}', secret_access_key = '${file:keys/crm}', endpoint = 'http://127.0.0.1:1', allow_http = true, retries_max = 1)".to_owned(),
                "create catalog if not exists f using files with (path = 'az://c/x', account = 'acc', sas_token = '${file:keys/sas}', endpoint = 'http://127.0.0.1:1', allow_http = true, retries_max = 1)".to_owned(),
            ] {
                client.simple_query(&sql).await.unwrap();
            }
            // Refused ones, and with slips of the pen. What a client sent may come back to it in
            // no error, and to others in no table.
            for sql in [
                format!(
                    "create catalog x {}",
                    with(&format!("password = '{CLEAR}'"))
                ),
                format!("create catalog x {}", with(&format!("pasword = '{CLEAR}'"))),
                format!("create catalog x {}", with(&format!("password '{CLEAR}'"))),
                format!("create catalog x using postgrs with (password = '{CLEAR}')"),
                format!("create catalog x using postgres with (url = 'postgres://u:{CLEAR}@h/d')"),
                format!("create catalog x using postgres with (url = 'u:{CLEAR}@h/d')"),
                format!(
                    "create catalog x using postgres with (url = 'postgres://u@h/d?password={CLEAR}')"
                ),
                format!(
                    "create catalog x using mysql with (url = 'mysql://u@h/d?password={CLEAR}')"
                ),
                format!("alter catalog a set (password = '{CLEAR}')"),
                format!("create catalog x using files with (path = 'https://h/x?sig={CLEAR}')"),
                format!("create catalog x using files with (path = 's3://u:{CLEAR}@b/x')"),
                format!(
                    "create catalog x using files with (path = 'az://c/x', account = 'a', sas_token = 'sig={CLEAR}')"
                ),
                format!("alter catalog nosuch set (password = '{CLEAR}')"),
            ] {
                let answer = said(&client, &sql).await;
                clean(&sql.replace(CLEAR, "*"), answer.as_bytes());
                assert!(answer.contains("SqlState"), "{answer}");
            }
            for catalog in ["a", "b", "c", "d", "e", "f"] {
                for sql in [
                    format!("select * from {catalog}.public.t"),
                    format!("select * from {catalog}.files.t"),
                    format!("explain (federation) select * from {catalog}.public.t"),
                    format!("show tables from {catalog}.public"),
                    format!("refresh catalog {catalog}"),
                ] {
                    clean(&sql, said(&client, &sql).await.as_bytes());
                }
            }
            tables_are_clean(&client).await;
            // The statements are there to be read, only without.
            let shown = column(
                &client,
                "select query from system.runtime.queries where query like 'CREATE CATALOG%'",
            )
            .await;
            assert!(shown.len() > 10, "{shown:?}");
            assert!(
                shown
                    .iter()
                    .any(|q| q.contains("password = '${env:INFLOWAVE_PLANTED}'")),
                "{shown:?}"
            );
            assert!(
                shown.iter().any(|q| q.contains("password = '***'")),
                "{shown:?}"
            );
            // The spill files, and the log of the store, are on the disk now.
            let sort = "select count(*) from (select cast(value as text) t from generate_series(1, 10000) g(value) order by 1) s";
            assert_eq!(column(&client, sort).await, ["10000"]);
        });
        // Killed, so that the store's log is not tidied away before it is read.
        let mut found = Vec::new();
        let output = serving.kill();
        files(&dir.path().join("data"), &mut found);
        assert!(
            found.iter().any(|f| f.ends_with("metastore.db-wal")),
            "{found:?}"
        );
        for file in &found {
            clean(&file.display().to_string(), &std::fs::read(file).unwrap());
        }
        let wal = std::fs::read(dir.path().join("data/metastore.db-wal")).unwrap();
        let base = std::fs::read(dir.path().join("data/metastore.db")).unwrap();
        // The search itself finds what is there.
        assert!(
            contains(&wal, "${file:keys/crm}") || contains(&base, "${file:keys/crm}"),
            "round {round}: the reference is not in the store"
        );
        printed.extend(output);
    }
    clean("the output of the process", &printed);
    assert!(contains(&printed, "listening"));
}

/// With `allow_literals` the store holds it, since it must survive a restart; nothing shows it.
#[test]
fn a_secret_in_clear_is_taken_where_it_is_allowed_and_shown_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let config = "[server]\ndata_dir = 'data'\nurl_roots = ['postgres://', 'mysql://']\n[secrets]\nallow_literals = true\n";
    std::fs::write(dir.path().join("inflowave.toml"), config).unwrap();
    let mut printed = Vec::new();
    for _ in 0..2 {
        let serving = Serving::start(dir.path(), &[]).unwrap();
        server::run(async {
            let client = serving.connect().await;
            for sql in [
                format!(
                    "create catalog if not exists a using postgres with (url = 'postgres://u@127.0.0.1:1/d', password = '{CLEAR}')"
                ),
                format!(
                    "create catalog if not exists b using mysql with (url = 'mysql://u:{CLEAR}@127.0.0.1:1/d')"
                ),
            ] {
                client.simple_query(&sql).await.unwrap();
            }
            for catalog in ["a", "b"] {
                let answer = said(&client, &format!("select * from {catalog}.public.t")).await;
                clean(catalog, answer.as_bytes());
                assert!(answer.contains("E08001"), "{answer}");
            }
            tables_are_clean(&client).await;
        });
        printed.extend(serving.kill());
    }
    clean("the output of the process", &printed);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in ["metastore.db", "metastore.db-wal"] {
            let file = dir.path().join("data").join(file);
            let mode = std::fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "others can read the store");
        }
    }
}

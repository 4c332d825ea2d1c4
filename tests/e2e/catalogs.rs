//! Catalogs by SQL: made, changed, dropped, and there again after a restart.

use std::path::Path;

use inflowave_config::Limits;
use inflowave_engine::Engine;
use inflowave_query_api::Session;
use inflowave_testkit::provision::{CatalogSpec, POSTGRES_ENV};
use inflowave_testkit::skip;

use crate::server::{self, error, lines};

/// A SQLite file with one row.
fn database(path: &Path, value: &str) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, name TEXT) STRICT;
             INSERT INTO t VALUES (1, '{value}')"
        ))
        .unwrap();
}

async fn started(dir: &Path) -> (Engine, Box<dyn Session>) {
    let engine = server::keeping(dir, Limits::default(), &[]).await;
    let session = server::session(&engine, "inflowave").await;
    (engine, session)
}

#[test]
fn a_catalog_is_made_changed_renamed_dropped_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    database(&dir.path().join("one.db"), "one");
    database(&dir.path().join("two.db"), "two");
    server::run(async {
        let (engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        let create = "create catalog shop using sqlite with (path = 'one.db', pool_size_max = 3)";
        lines(s, create).await;
        assert_eq!(lines(s, "select name from shop.main.t").await, ["one"]);
        assert_eq!(error(s, create).await.sqlstate().code(), "42P04");
        lines(
            s,
            "create catalog if not exists shop using sqlite with (path = 'two.db')",
        )
        .await;
        assert_eq!(lines(s, "select name from shop.main.t").await, ["one"]);

        lines(s, "alter catalog shop set (path = 'two.db')").await;
        assert_eq!(lines(s, "select name from shop.main.t").await, ["two"]);
        // A change that cannot be opened changes nothing.
        for (sql, code) in [
            ("alter catalog shop set (path = '/etc/passwd')", "42501"),
            ("alter catalog shop set (pool_size_max = 0)", "22023"),
            ("alter catalog shop set (nosuch = 'x')", "22023"),
        ] {
            assert_eq!(error(s, sql).await.sqlstate().code(), code, "{sql}");
        }
        assert_eq!(lines(s, "select name from shop.main.t").await, ["two"]);
        // What was not named stays.
        lines(s, "alter catalog shop set (busy_timeout_ms = 10)").await;
        assert_eq!(lines(s, "select name from shop.main.t").await, ["two"]);

        lines(
            s,
            "create catalog other using sqlite with (path = 'one.db')",
        )
        .await;
        let taken = error(s, "alter catalog shop rename to other").await;
        assert_eq!(taken.sqlstate().code(), "42P04");
        lines(s, "alter catalog shop rename to \"The Shop\"").await;
        assert_eq!(
            lines(s, "select name from \"The Shop\".main.t").await,
            ["two"]
        );
        assert_eq!(
            error(s, "select * from shop.main.t")
                .await
                .sqlstate()
                .code(),
            "3D000"
        );
        lines(s, "drop catalog other").await;
        assert_eq!(
            lines(s, "show catalogs").await,
            ["The Shop", "inflowave", "system"]
        );
        drop(engine);
    });
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        assert_eq!(
            lines(s, "show catalogs").await,
            ["The Shop", "inflowave", "system"]
        );
        assert_eq!(
            lines(s, "select name from \"The Shop\".main.t").await,
            ["two"]
        );
        lines(s, "drop catalog \"The Shop\"").await;
        lines(s, "drop catalog if exists \"The Shop\"").await;
        assert_eq!(
            error(s, "drop catalog \"The Shop\"")
                .await
                .sqlstate()
                .code(),
            "3D000"
        );
    });
}

#[test]
fn what_is_wrong_is_said_with_the_choices_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    database(&outside.path().join("x.db"), "x");
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        let outside = outside.path().display();
        for (sql, code, hint) in [
            (
                "create catalog a using sqlit with (path = 'x')",
                "42704",
                "\"sqlite\"",
            ),
            ("create catalog a using sqlite", "22023", "path"),
            (
                "create catalog a using sqlite with (pat = 'x')",
                "22023",
                "path, pool_size_max",
            ),
            (
                "create catalog a using sqlite with (path = 'x', pool_size_max = 0)",
                "22023",
                "from 1 to 256",
            ),
            (
                &format!("create catalog a using sqlite with (path = '{outside}/x.db')"),
                "42501",
                "file_roots",
            ),
            (
                "create catalog a using files with (path = '../x')",
                "42501",
                "file_roots",
            ),
            (
                "create catalog a using files with (path = 'data/metastore.db')",
                "42501",
                "data_dir",
            ),
            (
                "create catalog a using postgres with (url = 'postgres://u@127.0.0.1/d', password = 'hunter2')",
                "22023",
                "${env:",
            ),
            (
                "create catalog a using postgres with (url = 'postgres://u:hunter2@127.0.0.1/d')",
                "22023",
                "${env:",
            ),
            (
                "create catalog a using mysql with (url = 'mysql://u@127.0.0.1/d', password = '${env:PATH}')",
                "42501",
                "INFLOWAVE_",
            ),
            (
                "create catalog a using mysql with (url = 'mysql://u@127.0.0.1/${env:INFLOWAVE_X}')",
                "42501",
                "password of a URL",
            ),
            (
                "create catalog a using postgres with (url = 'mysql://u@h/d')",
                "22023",
                "postgres://",
            ),
            (
                "create catalog system using files with (path = 'x')",
                "42P04",
                "server's own",
            ),
            ("drop catalog inflowave", "42501", "always there"),
            ("alter catalog system rename to x", "42501", "always there"),
            (
                "alter catalog nosuch set (path = 'x')",
                "3D000",
                "valid choices",
            ),
            ("refresh catalog nosuch", "3D000", "valid choices"),
        ] {
            let e = error(s, sql).await;
            assert_eq!(e.sqlstate().code(), code, "{sql}: {e:?}");
            assert!(e.hint().is_some_and(|h| h.contains(hint)), "{sql}: {e:?}");
            assert!(!format!("{e:?}").contains("hunter2"), "{e:?}");
        }
        let e = error(
            s,
            "create catalog a using sqlite with (path = 'x', pat = 'y')",
        )
        .await;
        assert_eq!(e.position(), Some(49), "{e:?}");
        assert_eq!(lines(s, "show catalogs").await, ["inflowave", "system"]);
        assert_eq!(
            lines(
                s,
                "select count(*) from system.runtime.queries where query like '%hun' || 'ter2%'"
            )
            .await,
            ["0"]
        );
    });
}

#[test]
fn a_source_that_is_down_hurts_nobody_and_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    database(&dir.path().join("up.db"), "up");
    let states = "select source, origin, state, reason is null, checked_at is not null \
                  from system.runtime.sources order by source";
    let later = dir.path().join("later.db");
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        lines(s, "create catalog up using sqlite with (path = 'up.db')").await;
        lines(
            s,
            "create catalog later using sqlite with (path = 'later.db')",
        )
        .await;
    });
    // It is down at start too.
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        assert_eq!(
            lines(s, states).await,
            ["later|sql|unavailable|f|t", "up|sql|available|t|t"]
        );
        let e = error(s, "select * from later.main.t").await;
        assert_eq!(e.sqlstate().code(), "08001", "{e:?}");
        assert!(e.message().contains("\"later\""), "{e:?}");
        let e = error(s, "select * from up.main.t, later.main.t").await;
        assert_eq!(e.sqlstate().code(), "08001", "{e:?}");
        assert_eq!(lines(s, "select name from up.main.t").await, ["up"]);
        database(&later, "now");
        assert_eq!(lines(s, "select name from later.main.t").await, ["now"]);
        assert_eq!(
            lines(s, states).await,
            ["later|sql|available|t|t", "up|sql|available|t|t"]
        );
    });
}

#[test]
fn a_secret_that_is_gone_makes_its_catalog_unavailable_until_it_is_back() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    std::fs::write(&key, "hunter2\n").unwrap();
    let reason = "select reason from system.runtime.sources where state = 'unavailable'";
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        // Nothing listens on port 1.
        lines(
            s.as_mut(),
            "create catalog crm using postgres with (url = 'postgres://u@127.0.0.1:1/d', password = '${file:key}')",
        )
        .await;
        let refused = lines(s.as_mut(), reason).await.remove(0);
        assert!(refused.contains("127.0.0.1:1"), "{refused}");
    });
    std::fs::remove_file(&key).unwrap();
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        let gone = lines(s, reason).await.remove(0);
        assert!(gone.contains("${file:key}"), "{gone}");
        let e = error(s, "select * from crm.public.t").await;
        assert_eq!(e.sqlstate().code(), "08001", "{e:?}");
        assert!(
            e.message().contains("catalog \"crm\" is unavailable"),
            "{e:?}"
        );
        std::fs::write(&key, "hunter2").unwrap();
        let e = error(s, "select * from crm.public.t").await;
        assert!(e.message().contains("127.0.0.1:1"), "{e:?}");
        lines(s, "drop catalog crm").await;
    });
}

#[test]
fn a_configured_catalog_wins_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    database(&dir.path().join("one.db"), "configured");
    database(&dir.path().join("two.db"), "sql");
    let configured = CatalogSpec {
        connector: "sqlite",
        params: vec![(
            "path".into(),
            dir.path().join("one.db").to_str().unwrap().into(),
        )],
        schema: "main".into(),
    };
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        lines(
            s.as_mut(),
            "create catalog shop using sqlite with (path = 'two.db')",
        )
        .await;
    });
    server::run(async {
        let configured = [("shop", configured)];
        let engine = server::keeping(dir.path(), Limits::default(), &configured).await;
        let mut s = server::session(&engine, "shop").await;
        let s = s.as_mut();
        assert_eq!(lines(s, "select name from t").await, ["configured"]);
        let states = "select origin, state, reason from system.runtime.sources order by state";
        let states = lines(s, states).await;
        assert_eq!(states[0], "configuration|available|-");
        assert!(
            states[1].starts_with("sql|shadowed|") && states[1].contains("inflowave.toml"),
            "{states:?}"
        );
        for sql in [
            "drop catalog shop",
            "alter catalog shop set (path = 'x')",
            "alter catalog shop rename to y",
        ] {
            let e = error(s, sql).await;
            assert_eq!(e.sqlstate().code(), "42501", "{e:?}");
            assert!(e.message().contains("inflowave.toml"), "{e:?}");
        }
        let e = error(s, "create catalog shop using sqlite with (path = 'two.db')").await;
        assert_eq!(e.sqlstate().code(), "42P04");
        assert!(e.hint().unwrap().contains("inflowave.toml"), "{e:?}");
        assert_eq!(
            lines(s, "show catalogs").await,
            ["inflowave", "shop", "system"]
        );
    });
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        assert_eq!(
            lines(s.as_mut(), "select name from shop.main.t").await,
            ["sql"]
        );
    });
}

#[test]
fn it_is_refused_in_a_transaction_and_runs_after_it() {
    let dir = tempfile::tempdir().unwrap();
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        for sql in [
            "create catalog a using sqlite with (path = 'x.db')",
            "create view v as select 1 as a",
            "comment on catalog system is 'x'",
        ] {
            lines(s, "begin").await;
            let e = error(s, sql).await;
            assert_eq!(e.sqlstate().code(), "25001", "{e:?}");
            assert!(e.hint().is_some());
            assert_eq!(error(s, "select 1").await.sqlstate().code(), "25P02");
            lines(s, "rollback").await;
            lines(s, sql).await;
        }
    });
}

#[test]
fn refresh_reads_a_sources_columns_anew() {
    let dir = tempfile::tempdir().unwrap();
    database(&dir.path().join("shop.db"), "one");
    server::run(async {
        let limits = Limits {
            metadata_ttl_s: 3600,
            ..Limits::default()
        };
        let engine = server::keeping(dir.path(), limits, &[]).await;
        let mut s = server::session(&engine, "inflowave").await;
        let s = s.as_mut();
        lines(
            s,
            "create catalog shop using sqlite with (path = 'shop.db')",
        )
        .await;
        lines(s, "select * from shop.main.t").await;
        rusqlite::Connection::open(dir.path().join("shop.db"))
            .unwrap()
            .execute_batch("ALTER TABLE t ADD COLUMN price INTEGER; UPDATE t SET price = 7")
            .unwrap();
        let e = error(s, "select price from shop.main.t").await;
        assert_eq!(e.sqlstate().code(), "42703");
        lines(s, "refresh catalog shop").await;
        assert_eq!(lines(s, "select price from shop.main.t").await, ["7"]);
    });
}

#[test]
fn a_second_server_on_the_same_folder_is_told() {
    let dir = tempfile::tempdir().unwrap();
    server::run(async {
        let (_engine, _s) = started(dir.path()).await;
        let data = dir.path().join("data");
        let e = inflowave_metastore::Metastore::open(&data, inflowave_engine::METASTORE_DOMAINS);
        assert_eq!(e.unwrap_err().sqlstate().code(), "55006");
    });
}

/// A source behind a network, with a user that has a password.
#[test]
fn a_postgres_catalog_logs_in_by_reference_and_its_types_go_through_a_view() {
    let Ok(url) = std::env::var(POSTGRES_ENV) else {
        skip!("a postgres catalog by SQL", POSTGRES_ENV);
    };
    let dir = tempfile::tempdir().unwrap();
    server::run(async {
        let (native, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let role = format!("role_{}", std::process::id());
        let secret = "p@ss/w?rd#1";
        std::fs::write(dir.path().join("key"), secret).unwrap();
        let setup = format!(
            "CREATE ROLE {role} LOGIN PASSWORD '{secret}'; CREATE SCHEMA {role} AUTHORIZATION {role};
             CREATE TABLE {role}.t (a varchar(10), b char(3), c numeric(10,2), d uuid, e jsonb);
             INSERT INTO {role}.t VALUES ('x', 'y', 1.5, '00000000-0000-0000-0000-000000000001', '{{}}');
             GRANT SELECT ON {role}.t TO {role}"
        );
        native.batch_execute(&setup).await.unwrap();
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        let (_, place) = url.rsplit_once('@').unwrap();
        let create = format!(
            "create catalog crm using postgres with (url = 'postgres://{role}:${{file:key}}@{place}')"
        );
        lines(s, &create).await;
        lines(s, &format!("create view v as select * from crm.{role}.t")).await;
        assert_eq!(
            lines(s, "show columns from v").await,
            [
                "a|character varying(10)|YES",
                "b|character(3)|YES",
                "c|numeric(10,2)|YES",
                "d|uuid|YES",
                "e|jsonb|YES"
            ]
        );
        let direct = lines(s, &format!("select * from crm.{role}.t")).await;
        assert_eq!(lines(s, "select * from v where b = 'y'").await, direct);
        let change = format!("ALTER TABLE {role}.t ALTER a TYPE varchar(20)");
        native.batch_execute(&change).await.unwrap();
        lines(s, "refresh catalog crm").await;
        let e = error(s, "select a from v").await;
        assert_eq!(e.sqlstate().code(), "42P16", "{e:?}");
        assert!(e.message().contains("character varying(20)"), "{e:?}");
        let teardown = format!("DROP SCHEMA {role} CASCADE; DROP ROLE {role}");
        native.batch_execute(&teardown).await.unwrap();
    });
}

/// Hands what comes to `port` on to `to`, until it is dropped.
async fn proxy(port: u16, to: String) -> tokio::task::JoinHandle<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .unwrap();
    tokio::spawn(async move {
        let mut open = tokio::task::JoinSet::new();
        while let Ok((mut near, _)) = listener.accept().await {
            let to = to.clone();
            open.spawn(async move {
                if let Ok(mut far) = tokio::net::TcpStream::connect(&to).await {
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    })
}

#[test]
fn a_server_that_listens_later_goes_away_and_comes_back() {
    let Ok(url) = std::env::var(POSTGRES_ENV) else {
        skip!("a postgres server that listens later", POSTGRES_ENV);
    };
    let dir = tempfile::tempdir().unwrap();
    database(&dir.path().join("up.db"), "up");
    server::run(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let (login, place) = url.rsplit_once('@').unwrap();
        let (server, database) = place.rsplit_once('/').unwrap();
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        lines(s, "create catalog up using sqlite with (path = 'up.db')").await;
        lines(
            s,
            &format!("create catalog pg using postgres with (url = '{login}@127.0.0.1:{port}/{database}')"),
        )
        .await;
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let table = format!("listens_later_{}", std::process::id());
        let made = format!("create table {table} as select 1 as n");
        client.batch_execute(&made).await.unwrap();
        let query = &format!("select count(*) from pg.public.{table}");
        let state = "select state from system.runtime.sources where source = 'pg'";
        for _ in 0..2 {
            let e = error(s, query).await;
            assert_eq!(e.sqlstate().code(), "08001", "{e:?}");
            assert!(e.message().contains("\"pg\""), "{e:?}");
            lines(s, "refresh catalog pg").await;
            assert_eq!(lines(s, state).await, ["unavailable"]);
            assert_eq!(lines(s, "select name from up.main.t").await, ["up"]);

            let proxy = proxy(port, server.to_owned()).await;
            assert_ne!(lines(s, query).await, ["0"]);
            assert_eq!(lines(s, state).await, ["available"]);
            // The listener and all connections go.
            proxy.abort();
            let _ = proxy.await;
            lines(s, "refresh catalog pg").await;
        }
        let dropped = format!("drop table {table}");
        client.batch_execute(&dropped).await.unwrap();
    });
}

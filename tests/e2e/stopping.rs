//! Queries that end before their time: a person at psql cancels, a source dies. What ran at the
//! source is gone afterwards, and nobody takes a part of an answer for the whole.

use std::process::{Command, Output, Stdio};
use std::time::Instant;

use futures::TryStreamExt;
use inflowave_testkit::provision::{
    Fixture, MYSQL_ENV, MySqlCollation, MySqlFixture, POSTGRES_ENV, PostgresFixture,
};
use inflowave_testkit::skip;
use tokio_postgres::SimpleQueryMessage;

use crate::server::{self, DEADLINE, Listening};

/// A source with three relations: `quick` has a row, `asleep` gives none for a minute, `stalled` gives
/// many and then none for a minute.
async fn postgres() -> Option<Box<dyn Fixture>> {
    let fixture = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap()?;
    let create =
        |name: &str, query: &str| format!("CREATE VIEW {} AS {query}", fixture.table_name(name));
    let rows = "SELECT x FROM generate_series(1, 100000) x UNION ALL SELECT 1 FROM pg_sleep(60)";
    fixture.run(&create("stalled", rows)).await.unwrap();
    let row = "SELECT 1 AS x FROM pg_sleep(60)";
    fixture.run(&create("asleep", row)).await.unwrap();
    fixture
        .run(&create("quick", "SELECT 1 AS x"))
        .await
        .unwrap();
    Some(Box::new(fixture))
}

async fn mariadb() -> Option<Box<dyn Fixture>> {
    let fixture = MySqlFixture::from_env(MySqlCollation::Binary)
        .await
        .unwrap()?;
    let create =
        |name: &str, query: &str| format!("CREATE VIEW {} AS {query}", fixture.table_name(name));
    // No UNION: MariaDB would collect all of its rows first.
    let rows = "SELECT if(seq > 50000, sleep(60), seq) AS x FROM seq_1_to_50010";
    fixture.run(&create("stalled", rows)).await.unwrap();
    fixture
        .run(&create("asleep", "SELECT sleep(60) AS x"))
        .await
        .unwrap();
    fixture
        .run(&create("quick", "SELECT 1 AS x"))
        .await
        .unwrap();
    Some(Box::new(fixture))
}

/// The relation of the only catalog, `source`.
fn relation(fixture: &dyn Fixture, name: &str) -> String {
    format!(
        "source.\"{}\".{name}",
        fixture.catalog().schema.replace('"', "\"\"")
    )
}

async fn listening(fixture: &dyn Fixture) -> Listening {
    let catalogs = vec![("source".to_owned(), fixture.catalog())];
    Listening::start(server::service(catalogs).await.unwrap()).await
}

/// Waits until the source runs a query over the relation, or none. What else it is asked, such as
/// whether a session is well, does not count.
async fn until_running(fixture: &dyn Fixture, relation: &str, wanted: bool) {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let running = fixture.running_queries().await.unwrap();
        if running.iter().any(|sql| sql.contains(relation)) == wanted {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{relation}: {wanted} was expected, these run: {running:?}"
        );
        tokio::task::yield_now().await;
    }
}

/// What psql says to a person who presses Ctrl-C once the source runs the query.
async fn interrupted(fixture: &dyn Fixture, listening: &Listening, name: &str) -> Output {
    let psql = Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose"])
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &listening.address.port().to_string(),
        ])
        .args(["-U", "tester", "-d", "source"])
        .args(["-c", &format!("SELECT x FROM {}", relation(fixture, name))])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until_running(fixture, name, true).await;
    let id = psql.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(sent.success());
    tokio::task::spawn_blocking(move || psql.wait_with_output().unwrap())
        .await
        .unwrap()
}

async fn a_cancel_reaches(fixture: &dyn Fixture) {
    let listening = listening(fixture).await;
    for name in ["asleep", "stalled"] {
        let output = interrupted(fixture, &listening, name).await;
        let said = String::from_utf8_lossy(&output.stderr);
        let all = format!("{name}: {} {said}", output.status);
        assert!(said.contains("57014"), "{all}");
        let why = "canceling statement due to user request";
        assert!(said.contains(why), "{all}");
        assert_eq!(output.status.code(), Some(1), "{name}");
        until_running(fixture, name, false).await;
    }
}

#[test]
fn a_cancel_in_psql_ends_the_query_at_postgresql() {
    if Command::new("psql").arg("--version").output().is_err() {
        skip!("psql", "it is not installed");
    }
    server::run(async {
        match postgres().await {
            Some(fixture) => a_cancel_reaches(fixture.as_ref()).await,
            None => skip!("PostgreSQL", &format!("{POSTGRES_ENV} is not set")),
        }
    });
}

#[test]
fn a_cancel_in_psql_ends_the_query_at_mariadb() {
    if Command::new("psql").arg("--version").output().is_err() {
        skip!("psql", "it is not installed");
    }
    server::run(async {
        match mariadb().await {
            Some(fixture) => a_cancel_reaches(fixture.as_ref()).await,
            None => skip!("MariaDB", &format!("{MYSQL_ENV} is not set")),
        }
    });
}

/// The source ends every session in the middle of a result.
async fn a_death_is_told(fixture: &mut dyn Fixture) {
    let listening = listening(fixture).await;
    let client = listening.connect("source").await;
    let sql = format!("SELECT x FROM {}", relation(fixture, "stalled"));
    let mut rows = Box::pin(client.simple_query_raw(&sql).await.unwrap());
    let mut seen = 0;
    while seen < 1000 {
        match rows.try_next().await.unwrap() {
            Some(SimpleQueryMessage::Row(_)) => seen += 1,
            Some(_) => {}
            None => panic!("the result ended after {seen} rows"),
        }
    }
    let other = listening.connect("inflowave").await;
    until_running(fixture, "stalled", true).await;
    assert!(fixture.restart().await.unwrap());
    let error = loop {
        match rows.try_next().await {
            Ok(Some(SimpleQueryMessage::CommandComplete(_)) | None) => {
                panic!("a part of the rows ended as the whole would")
            }
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "08006", "{error:?}");
    assert!(error.message().contains("\"source\""), "{error:?}");
    drop(rows);

    // The others go on, and so does this session, over a new connection to the source.
    let sql = format!("SELECT x FROM {}", relation(fixture, "quick"));
    for client in [&other, &client] {
        assert!(client.simple_query("SELECT 1").await.is_ok());
        assert!(client.simple_query(&sql).await.is_ok());
    }
}

#[test]
fn postgresql_dies_in_the_middle_of_a_result() {
    server::run(async {
        match postgres().await {
            Some(mut fixture) => a_death_is_told(fixture.as_mut()).await,
            None => skip!("PostgreSQL", &format!("{POSTGRES_ENV} is not set")),
        }
    });
}

#[test]
fn mariadb_dies_in_the_middle_of_a_result() {
    server::run(async {
        match mariadb().await {
            Some(mut fixture) => a_death_is_told(fixture.as_mut()).await,
            None => skip!("MariaDB", &format!("{MYSQL_ENV} is not set")),
        }
    });
}

#[test]
fn a_cancel_means_the_portal_that_is_read() {
    server::run(async {
        let listening = Listening::start(server::service(Vec::new()).await.unwrap()).await;
        let mut client = listening.connect("inflowave").await;
        let token = client.cancel_token();
        let transaction = client.transaction().await.unwrap();
        // Two batches of rows, and no more for a very long time.
        let sql = "SELECT v FROM generate_series(1, 1000000000000) g(v) WHERE v <= 20000";
        let statement = transaction.prepare(sql).await.unwrap();
        let portal = transaction.bind(&statement, &[]).await.unwrap();
        let rows = transaction.query_portal(&portal, 10).await.unwrap();
        assert_eq!(rows.len(), 10);
        assert!(transaction.simple_query("SELECT 1").await.is_ok());
        let error = tokio::select! {
            result = transaction.query_portal(&portal, 100_000) => result.unwrap_err(),
            () = server::cancelling(&token) => unreachable!("the loop has no end"),
        };
        assert_eq!(error.code().unwrap().code(), "57014");
        drop(transaction);
        // A request that was under way can still arrive, and no further one is sent.
        while let Err(error) = client.simple_query("ROLLBACK; SELECT 1").await {
            assert_eq!(error.code().unwrap().code(), "57014");
        }
    });
}

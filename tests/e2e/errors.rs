//! Errors are PostgreSQL's: each statement of `fixtures/errors.sql` fails here and in PostgreSQL 15 with
//! one SQLSTATE, at one position.

use std::path::Path;

use inflowave_testkit::skip;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::{Client, NoTls};

use crate::psql_catalog::Both;
use crate::server;

/// What the file says of a difference.
#[derive(Clone, Copy, PartialEq)]
enum Marked {
    Nothing,
    Position,
    Code,
}

/// The SQLSTATE, and where in the text: 0 for nowhere.
async fn error(client: &Client, sql: &str) -> Option<(String, u32)> {
    let error = client.simple_query(sql).await.err()?;
    let error = error.as_db_error().unwrap();
    let position = match error.position() {
        Some(ErrorPosition::Original(at)) => *at,
        _ => 0,
    };
    Some((error.code().code().to_owned(), position))
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[test]
fn errors_have_postgresqls_sqlstate_and_position() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/errors.sql");
    let text = std::fs::read_to_string(file).unwrap();
    server::run(async {
        let Some(both) = Both::start("errors").await else {
            skip!("errors", "psql or PostgreSQL is not there");
        };
        // Sources are read only.
        both.read_only().await;
        let (theirs, ours) = (connect(&both.url).await, connect(&both.ours("crm")).await);
        let (mut count, mut placed, mut exact, mut coded) = (0, 0, 0, 0);
        let mut wrong = Vec::new();
        for line in text
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            let marks = [("code ", Marked::Position), ("differs ", Marked::Code)];
            let marked = marks.into_iter().find(|(mark, _)| line.starts_with(mark));
            let (marked, sql) = match marked {
                Some((mark, marked)) => (marked, &line[mark.len()..]),
                None => (Marked::Nothing, line),
            };
            let expected = error(&theirs, sql).await;
            let Some((code, position)) = expected else {
                wrong.push(format!("{sql}\n    PostgreSQL has no error"));
                continue;
            };
            count += 1;
            placed += usize::from(position > 0);
            let found = error(&ours, sql).await;
            // What is marked as different has to be: so the marks go when the differences do.
            let same = match (&found, marked) {
                (Some((c, p)), Marked::Nothing) => *c == code && *p == position,
                (Some((c, p)), Marked::Position) => *c == code && *p != position,
                (Some((c, _)), Marked::Code) => *c != code,
                (None, marked) => marked == Marked::Code,
            };
            exact += usize::from(same && marked == Marked::Nothing);
            coded += usize::from(same && marked == Marked::Position);
            if !same {
                wrong.push(format!(
                    "{sql}\n    PostgreSQL {code} {position}, ours {found:?}"
                ));
            }
        }
        both.end().await;
        println!(
            "{count} errors: {exact} with PostgreSQL's SQLSTATE and position, {coded} more with its SQLSTATE"
        );
        assert!(
            exact >= 80 && placed >= 40,
            "{exact} of {count} errors, {placed} with a position"
        );
        assert!(
            wrong.is_empty(),
            "{} of {count}:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
    });
}

/// What a failed query gave is not all: its cursor never ends as if it were.
#[test]
fn a_cursor_whose_query_failed_does_not_end_cleanly() {
    server::run(async {
        let service = server::service(Vec::new()).await.unwrap();
        for scroll in ["", "scroll"] {
            let mut session = server::session(service.as_ref(), "inflowave").await;
            let session = session.as_mut();
            let declare = format!(
                "begin; declare z {scroll} cursor with hold for \
                 select 1 / (g - 20000) from generate_series(1, 30000) g; commit"
            );
            server::texts(session, &declare).await.unwrap();
            assert_eq!(server::lines(session, "fetch 2 from z").await, ["0", "0"]);
            for _ in 0..2 {
                let error = server::error(session, "fetch all from z").await;
                assert_eq!(error.sqlstate().code(), "22012", "{scroll}: {error:?}");
            }
        }
    });
}

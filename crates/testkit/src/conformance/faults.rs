//! What goes wrong at a source is told: with its SQLSTATE, a hint, and no secret.

use std::time::Duration;

use inflowave_query_api::{QueryService, SessionStart};
use inflowave_types::{Error, Result};

use super::{CATALOG, Report};
use crate::generate::render::quoted;
use crate::oracle::{Opener, Side, World};
use crate::provision::{Broken, Fixture};
use crate::trap::{self, TrapTable};
use crate::{Rows, ask};

/// How long a source may go on with a query whose client is gone.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(10);

/// Tables that are broken on the way.
pub(super) fn tables() -> Vec<TrapTable> {
    ["to_drop", "to_change"]
        .into_iter()
        .map(|name| TrapTable {
            name: name.to_owned(),
            ..trap::table("one_row")
        })
        .collect()
}

pub(super) async fn run(
    fixture: &mut dyn Fixture,
    world: &World,
    tables: &[TrapTable],
    open: &Opener,
    report: &mut Report,
) {
    for broken in fixture.broken() {
        let what = broken.what;
        let outcome = refused(&broken, open).await;
        report.check(outcome.map_err(|e| format!("{what}: {e}")));
    }
    report.check(dropped_portal(fixture, world, tables).await);
    report.check(restarted(fixture, world, tables).await);
    report.check(changed(fixture, world, tables).await);
    report.check(dropped(fixture, world, tables).await);
}

/// Opens what cannot be opened, or else reads from it, and looks at the error.
async fn refused(broken: &Broken, open: &Opener) -> Result<(), String> {
    let opened = open(vec![(CATALOG.to_owned(), broken.spec.clone())]).await;
    let error = match opened {
        Err(error) => error,
        Ok(service) => {
            let name = format!(
                "{}.{}.{}",
                quoted(CATALOG),
                quoted(&broken.spec.schema),
                quoted("sales")
            );
            match query(service.as_ref(), &format!("SELECT * FROM {name}")).await {
                Err(error) => error,
                Ok(_) => return Err("a query gave rows".to_owned()),
            }
        }
    };
    told(&error, broken.sqlstates)?;
    let all = format!(
        "{} {} {} {error:?}",
        error.message(),
        error.detail().unwrap_or_default(),
        error.hint().unwrap_or_default()
    );
    match broken.secrets.iter().find(|s| all.contains(s.as_str())) {
        Some(_) => Err(format!("the error holds a secret: {}", error.message())),
        None => Ok(()),
    }
}

fn told(error: &Error, sqlstates: &[&str]) -> Result<(), String> {
    let code = error.sqlstate().code();
    if !sqlstates.contains(&code) {
        return Err(format!(
            "SQLSTATE {code}, not one of {sqlstates:?}: {error}"
        ));
    }
    match error.hint() {
        Some(hint) if hint.ends_with('.') => Ok(()),
        Some(hint) => Err(format!("the hint of {code} is no sentence: {hint}")),
        None => Err(format!("{code} has no hint: {error}")),
    }
}

/// A query in a session of its own.
async fn query(service: &dyn QueryService, sql: &str) -> Result<Rows> {
    let mut session = service.open_session(start()).await?;
    ask(session.as_mut(), sql).await
}

fn start() -> SessionStart {
    SessionStart {
        user: "tester".to_owned(),
        client: "in process".to_owned(),
        protocol: "command",
        ..SessionStart::default()
    }
}

fn name(world: &World, tables: &[TrapTable], table: &str) -> Result<String, String> {
    tables
        .iter()
        .position(|t| t.name == table)
        .map(|n| world.name(n))
        .ok_or_else(|| format!("no table {table}"))
}

/// A client that goes away in the middle of its rows leaves nothing running at the source.
async fn dropped_portal(
    fixture: &dyn Fixture,
    world: &World,
    tables: &[TrapTable],
) -> Result<(), String> {
    let text = |e: Error| format!("a query that is dropped: {e}");
    let sales = name(world, tables, "sales")?;
    let sql = format!(
        "SELECT a.id FROM {sales} AS a JOIN {sales} AS b ON a.qty = b.qty JOIN {sales} AS c ON b.rank = c.rank"
    );
    let mut session = world.service.open_session(start()).await.map_err(text)?;
    let statement = session.split(&sql).map_err(text)?.remove(0);
    let prepared = session.prepare(&statement, None).await.map_err(text)?;
    let mut portal = session.execute(prepared).await.map_err(text)?;
    let first = portal.next().await.map_err(text)?;
    if first.is_none() {
        return Err("a query that is dropped: it has no rows".to_owned());
    }
    drop(portal);
    drop(session);
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let until = tokio::time::Instant::now() + CANCEL_TIMEOUT;
    loop {
        let running = fixture.running_queries().await.map_err(text)?;
        if running.is_empty() {
            return Ok(());
        }
        if tokio::time::Instant::now() > until {
            return Err(format!(
                "still running after its client has gone: {running:?}"
            ));
        }
        tick.tick().await;
    }
}

/// After its sessions have been ended, a source answers again: at once, or after one error that
/// says so.
async fn restarted(
    fixture: &mut dyn Fixture,
    world: &World,
    tables: &[TrapTable],
) -> Result<(), String> {
    let sql = format!("SELECT count(*) FROM {}", name(world, tables, "sales")?);
    let mut side = world.side("ours", &[]);
    side.ask(&sql)
        .await
        .map_err(|e| format!("before a restart: {}", e.message))?;
    if !fixture
        .restart()
        .await
        .map_err(|e| format!("restart: {e}"))?
    {
        return Ok(());
    }
    match side.ask(&sql).await {
        Ok(_) => Ok(()),
        Err(e) if ["08006", "57P01"].contains(&e.sqlstate.as_str()) => side
            .ask(&sql)
            .await
            .map(|_| ())
            .map_err(|e| format!("twice after a restart: {} {}", e.sqlstate, e.message)),
        Err(e) => Err(format!("after a restart: {} {}", e.sqlstate, e.message)),
    }
}

/// A column of another type than the plan's is an error, or is read anew: never misread.
async fn changed(
    fixture: &mut dyn Fixture,
    world: &World,
    tables: &[TrapTable],
) -> Result<(), String> {
    let table = trap::table("one_row");
    let sql = format!("SELECT n FROM {}", name(world, tables, "to_change")?);
    let mut session = world
        .service
        .open_session(start())
        .await
        .map_err(|e| format!("a changed column: {e}"))?;
    ask(session.as_mut(), &sql)
        .await
        .map_err(|e| format!("before a column changes: {e}"))?;
    let table = TrapTable {
        name: "to_change".to_owned(),
        ..table
    };
    fixture
        .change_column(&table, "n")
        .await
        .map_err(|e| format!("a changed column: {e}"))?;
    match ask(session.as_mut(), &sql).await {
        Err(error) => told(&error, &["0A000", "42P16", "42804", "XX001"])
            .map_err(|e| format!("a changed column: {e}")),
        Ok(rows) if rows.rows == [[crate::Value::text("x")]] => Ok(()),
        Ok(rows) => Err(format!("a changed column is misread: {:?}", rows.rows)),
    }
}

/// A table that is gone is named, with a hint.
async fn dropped(
    fixture: &mut dyn Fixture,
    world: &World,
    tables: &[TrapTable],
) -> Result<(), String> {
    let text = |e: Error| format!("a dropped table: {e}");
    let sql = format!("SELECT * FROM {}", name(world, tables, "to_drop")?);
    let mut session = world.service.open_session(start()).await.map_err(text)?;
    ask(session.as_mut(), &sql).await.map_err(text)?;
    fixture.drop_table("to_drop").await.map_err(text)?;
    match ask(session.as_mut(), &sql).await {
        Ok(rows) => Err(format!(
            "a dropped table still has {} rows",
            rows.rows.len()
        )),
        Err(error) => {
            told(&error, &["42P01", "42P16", "58P01"])
                .map_err(|e| format!("a dropped table: {e}"))?;
            if error.message().contains("to_drop") {
                Ok(())
            } else {
                Err(format!(
                    "the error about a dropped table does not name it: {error}"
                ))
            }
        }
    }
}

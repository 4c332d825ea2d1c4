//! `inflowave sql`: one statement, in process.

use std::path::Path;
use std::sync::Arc;

use inflowave_config::Config;
use inflowave_engine::Runtimes;
use inflowave_metastore::Metastore;
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_telemetry as telemetry;
use inflowave_types::{Error, Result};

use crate::assembly;
use crate::output::{self, Format, Printer};

pub async fn sql(
    runtimes: Runtimes,
    text: &str,
    config: Option<&Path>,
    database: Option<String>,
    format: Format,
) -> Result<()> {
    let (config, metastore) = match config {
        Some(path) => {
            let config = Config::read(path)?;
            let metastore = assembly::metastore_or_reader(&config)?;
            (config, metastore)
        }
        None => {
            let config = Config {
                server: inflowave_config::Server {
                    data_dir: std::env::temp_dir().join("inflowave"),
                    ..Config::default().server
                },
                ..Config::default()
            };
            (
                config,
                Arc::new(Metastore::in_memory(&assembly::domains())?),
            )
        }
    };
    assembly::start_log(&config, telemetry::COMMAND_FILTER)?;
    let user = assembly::own_user();
    let access = assembly::access_of_command(&config, &metastore, &user)?;
    let engine = assembly::engine(runtimes, &config, metastore, Some(access)).await?;
    let mut session = engine
        .open_session(SessionStart {
            user,
            database,
            application_name: Some("inflowave sql".to_owned()),
            client: "in process".to_owned(),
            protocol: "command",
            ..SessionStart::default()
        })
        .await?;
    for statement in session.split(text)? {
        run(session.as_mut(), &statement, format).await?;
    }
    Ok(())
}

/// Runs one statement and prints its rows as they come.
pub async fn run(
    session: &mut dyn Session,
    statement: &inflowave_query_api::Statement,
    format: Format,
) -> Result<()> {
    let prepared = session.prepare(statement, None).await?;
    if prepared.copy.is_some() {
        return Err(
            Error::unsupported("COPY needs a client of the Postgres wire")
                .with_hint("Run its query with --format csv instead."),
        );
    }
    let schema = prepared.schema.clone();
    let mut portal = session.execute(prepared).await?;
    let Some(schema) = schema else {
        while portal.next().await?.is_some() {}
        output::note(&portal.tag());
        return Ok(());
    };
    let mut printer = Printer::new(format, &schema, &session.reported_settings())?;
    while let Some(batch) = portal.next().await? {
        printer.batch(&batch)?;
    }
    printer.end()
}

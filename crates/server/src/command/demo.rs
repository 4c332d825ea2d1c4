//! `inflowave demo`: the same server over shipped sample data.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use inflowave_config::Config;
use inflowave_engine::Runtimes;
use inflowave_pg_frontend as pg;
use inflowave_pg_frontend::encode::{TextFormat, text};
use inflowave_query_api::{QueryService, Session, SessionStart};
use inflowave_telemetry as telemetry;
use inflowave_types::Result;

use crate::output::{self, Format};
use crate::showcase::SHOWCASE;
use crate::{assembly, demo_data};

/// The configuration of the demo, as a user would write it.
const CONFIG: &str = r#"[server]
# CREATE CATALOG may read files here.
file_roots = ["."]
url_roots = ["postgres://127.0.0.1", "postgres://localhost", "mysql://127.0.0.1", "mysql://localhost"]

[catalog.shop]
connector = "sqlite"
path      = "shop.db"

[catalog.files]
connector = "files"
path      = "files"
"#;

pub async fn demo(
    runtimes: Runtimes,
    once: bool,
    data_dir: Option<PathBuf>,
    listen: SocketAddr,
) -> Result<()> {
    let dir = data_dir.unwrap_or_else(|| std::env::temp_dir().join("inflowave-demo"));
    output::note(&format!("writing sample data to {}", dir.display()));
    demo_data::write(&dir)?;
    let config = Config::parse(CONFIG, &dir)?;
    assembly::start_log(&config, telemetry::COMMAND_FILTER)?;
    let engine = assembly::engine(
        runtimes,
        &config,
        assembly::metastore_or_reader(&config)?,
        None,
    )
    .await?;
    show(&engine, &dir).await?;
    if once {
        return Ok(());
    }
    output::line("");
    output::line(&format!(
        "connect with: psql -h {} -p {} -d shop",
        listen.ip(),
        listen.port()
    ));
    assembly::serve(engine, &config, pg::Door::open(), listen).await
}

async fn show(engine: &dyn QueryService, dir: &Path) -> Result<()> {
    let mut session = engine
        .open_session(SessionStart {
            user: "demo".to_owned(),
            database: Some("shop".to_owned()),
            application_name: Some("inflowave demo".to_owned()),
            client: "in process".to_owned(),
            protocol: "command",

            ..SessionStart::default()
        })
        .await?;
    output::line(&format!(
        "{} queries over {} (SQLite) and {} (Parquet, CSV)\n",
        SHOWCASE.len(),
        dir.join("shop.db").display(),
        dir.join("files").display()
    ));
    for (index, showcase) in SHOWCASE.iter().enumerate() {
        output::line(&format!("{}. {}", index + 1, showcase.title));
        output::line(&format!("   {}\n", showcase.what));
        output::line(&format!("{};\n", showcase.sql));
        let started = Instant::now();
        for statement in session.split(showcase.sql)? {
            super::sql::run(session.as_mut(), &statement, Format::Table).await?;
        }
        output::line(&format!("time: {} ms\n", started.elapsed().as_millis()));
        explain(session.as_mut(), showcase.sql).await?;
        output::line("");
    }
    Ok(())
}

/// `EXPLAIN (FEDERATION)`, a line for each fact: its rows are too wide for a terminal.
async fn explain(session: &mut dyn Session, sql: &str) -> Result<()> {
    output::line("explain (federation):");
    let mut cell = String::new();
    for statement in session.split(&format!("explain (federation) {sql}"))? {
        let prepared = session.prepare(&statement, None).await?;
        let mut portal = session.execute(prepared).await?;
        while let Some(batch) = portal.next().await? {
            for row in 0..batch.num_rows() {
                let mut value = |name: &str| -> Result<Option<String>> {
                    let Some(column) = batch.column_by_name(name) else {
                        return Ok(None);
                    };
                    cell.clear();
                    let there = text::cell(column, row, &TextFormat::default(), &mut cell)?;
                    Ok(there.then(|| cell.clone()))
                };
                let source = value("source")?.unwrap_or_default();
                if let Some(query) = value("remote_query")? {
                    output::line(&format!("  {source} runs: {query}"));
                    let rows = value("estimated_rows")?.unwrap_or_else(|| "unknown".to_owned());
                    output::line(&format!("    rows estimated: {rows}"));
                }
                if let (Some(what), Some(why)) = (value("not_pushed")?, value("reason")?) {
                    output::line(&format!("    stays here: {what}\n      because {why}"));
                }
            }
        }
    }
    Ok(())
}

//! `inflowave check`: reads the configuration, connects to every source, says one line of each.

use std::path::Path;
use std::time::{Duration, Instant};

use inflowave_config::{Catalog, Config};
use inflowave_engine::{Engine, Runtimes};
use inflowave_telemetry as telemetry;
use inflowave_types::{Error, Result, SqlState};

use crate::{assembly, configured, output};

/// How long a source may take to answer, in all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// # Errors
/// The configuration's; `08001` if any source fails, after every one has been asked.
pub async fn check(runtimes: Runtimes, config: &Path) -> Result<()> {
    let path = config.display().to_string();
    let config = Config::read(config)?;
    assembly::start_log(&config, telemetry::COMMAND_FILTER)?;
    assembly::rules(&config)?;
    assembly::tls(&config)?;
    let engine = assembly::bare(runtimes, &config)?;
    let answers = config.catalogs.iter().map(|c| ask(&engine, &config, c));
    let answers = futures::future::join_all(answers).await;
    let width = |text: fn(&Catalog) -> &str| {
        let widths = config.catalogs.iter().map(|c| text(c).chars().count());
        widths.max().unwrap_or(0)
    };
    let (names, connectors) = (width(|c| &c.name), width(|c| &c.connector));
    let mut failed = 0;
    for (catalog, answer) in config.catalogs.iter().zip(&answers) {
        let start = format!("{:names$}  {:connectors$}", catalog.name, catalog.connector);
        match answer {
            Ok(time) => output::line(&format!("{start}  ok      {} ms", time.as_millis())),
            Err(error) => {
                failed += 1;
                let (state, message) = (error.sqlstate(), error.message());
                output::line(&format!("{start}  failed  {state}: {message}"));
                if let Some(hint) = error.hint() {
                    output::line(&format!("{:1$}hint: {hint}", "", names + connectors + 12));
                }
            }
        }
    }
    match (config.catalogs.len(), failed) {
        (0, _) => output::note(&format!("{path} names no catalog")),
        (_, 0) => {}
        (all, failed) => {
            return Err(Error::new(
                SqlState::ConnectionUnableToEstablish,
                format!("{failed} of {all} sources cannot be used"),
            ));
        }
    }
    Ok(())
}

/// Opens a catalog and has its source answer; the time that took.
async fn ask(engine: &Engine, config: &Config, catalog: &Catalog) -> Result<Duration> {
    let started = Instant::now();
    let answered = async {
        configured::check(config, catalog, &inflowave_bundle::connectors())?;
        assembly::open(engine, config, catalog).await?;
        let sources = engine.catalogs().sources();
        let source = sources.into_iter().find(|(name, _)| *name == catalog.name);
        match source {
            Some((_, source)) => source.ping().await,
            None => Err(Error::internal("a catalog that was opened is not there")),
        }
    };
    match tokio::time::timeout(ANSWER_TIMEOUT, answered).await {
        Ok(answer) => answer.map(|()| started.elapsed()),
        Err(_) => Err(Error::new(
            SqlState::ConnectionUnableToEstablish,
            format!(
                "catalog \"{}\" gave no answer within {} s",
                catalog.name,
                ANSWER_TIMEOUT.as_secs()
            ),
        )),
    }
}

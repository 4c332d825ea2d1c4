//! `inflowave verify`: random queries over the user's own tables, pushed against local.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use inflowave_config::Config;
use inflowave_engine::Runtimes;
use inflowave_telemetry as telemetry;
use inflowave_types::{Error, Result, SqlState};
use inflowave_verify::run::{self, Ended, Options};

use crate::{assembly, output};

/// What to verify, as the command line says it.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The configuration file.
    #[arg(long, default_value = "inflowave.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// Only tables of these catalogs; without it, of every one.
    #[arg(long = "catalog", value_name = "NAME")]
    pub catalogs: Vec<String>,
    /// Only these tables: TABLE, SCHEMA.TABLE or CATALOG.SCHEMA.TABLE.
    #[arg(long = "table", value_name = "NAME")]
    pub tables: Vec<String>,
    /// How many queries.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..), value_name = "N")]
    pub queries: u64,
    /// The seed of the first query, each further one has the next; without it, another each time.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Tables with more rows are left out, and named: a local answer reads whole tables.
    #[arg(long, default_value_t = 50_000, value_name = "ROWS")]
    pub max_rows: usize,
    /// When to stop asking, in seconds.
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    pub time_limit: u64,
    /// How long one answer may take, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..), value_name = "SECONDS")]
    pub query_timeout: u64,
}

/// # Errors
/// The configuration's; `XX001` if answers differ; `08006` if a source kept failing; `57014` if
/// nothing was compared; those of [`run::run`].
pub async fn verify(runtimes: Runtimes, asked: Verify) -> Result<()> {
    let config = Config::read(&asked.config)?;
    assembly::start_log(&config, telemetry::COMMAND_FILTER)?;
    let metastore = assembly::metastore_or_reader(&config)?;
    let engine = assembly::engine(runtimes, &config, metastore, None).await?;
    let seed = asked.seed.unwrap_or_else(|| {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(1, |d| d.as_secs())
    });
    let options = Options {
        catalogs: asked.catalogs.clone(),
        tables: asked.tables.clone(),
        queries: asked.queries,
        seed,
        rows_max: asked.max_rows,
        time_limit: Duration::from_secs(asked.time_limit),
        query_timeout: Duration::from_secs(asked.query_timeout),
        stop: Arc::default(),
    };
    let stop = Arc::clone(&options.stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            output::note("ending after this query; once more ends at once");
            stop.store(true, Ordering::Relaxed);
            // The first one took the signal from the system.
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(130);
        }
    });
    let report = run::run(&engine, &options, &mut output::note).await?;
    let again = again(&asked);
    for line in report.shown(&again).lines() {
        output::line(line);
    }
    if let Ended::SourceFailed(message) = &report.ended {
        return Err(Error::new(SqlState::ConnectionFailure, message.clone()));
    }
    match report.differences() {
        // Nothing was found because nothing was looked at.
        0 if report.compared() == 0 => Err(Error::new(
            SqlState::QueryCanceled,
            "no answers could be compared",
        )
        .with_hint("Raise --time-limit or --query-timeout, or name smaller tables with --table.")),
        0 => Ok(()),
        n => Err(Error::new(
            SqlState::DataCorrupted,
            format!(
                "pushdown changed the answer of {n} of {} queries",
                report.queries
            ),
        )
        .with_hint("See above what to do.")),
    }
}

/// The command that ran, without its seed and number of queries.
fn again(asked: &Verify) -> String {
    let quoted = |text: &str| match text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
    {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    };
    let path = |path: &Path| quoted(&path.display().to_string());
    let mut command = format!("inflowave verify --config {}", path(&asked.config));
    for (option, names) in [("--catalog", &asked.catalogs), ("--table", &asked.tables)] {
        for name in names {
            command.push_str(&format!(" {option} {}", quoted(name)));
        }
    }
    command.push_str(&format!(" --max-rows {}", asked.max_rows));
    command
}

//! The binary `inflowave`: wiring, no logic.
//!
//! **Owns**: the command line, the two runtimes, putting connectors, engine and front ends together.
//! **Start reading at**: [`Cli`], then [`assembly`].

mod assembly;
mod command;
mod configured;
mod demo_data;
mod output;
mod showcase;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use inflowave_types::{Error, Result, SqlState};

/// Federated SQL: many databases, seen as one Postgres database.
#[derive(Parser)]
#[command(name = "inflowave", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the configured catalogs over the Postgres wire.
    ///
    /// Connect with: psql -h 127.0.0.1 -p 5480 -d CATALOG
    Serve {
        /// The configuration file.
        #[arg(long, default_value = "inflowave.toml")]
        config: PathBuf,
        /// Where the server writes; overrides server.data_dir.
        #[arg(long)]
        data_dir: Option<PathBuf>,
        /// Where the Postgres wire listens; overrides server.pg_listen. Port 0 takes a free port.
        #[arg(long)]
        pg_listen: Option<std::net::SocketAddr>,
    },
    /// Serve shipped sample data: SQLite, Parquet and CSV, no outside server.
    Demo {
        /// Run the showcase queries, print them with their results, and end.
        #[arg(long)]
        once: bool,
        /// Where the sample data is written.
        #[arg(long)]
        data_dir: Option<PathBuf>,
        /// Where the Postgres wire listens. Port 0 takes a free port.
        #[arg(long, default_value = "127.0.0.1:5480")]
        pg_listen: std::net::SocketAddr,
    },
    /// Read the configuration and connect to every source; one line each.
    ///
    /// Exit status 1 if the configuration is invalid or any source cannot be used.
    Check {
        /// The configuration file.
        #[arg(long, default_value = "inflowave.toml")]
        config: PathBuf,
    },
    /// Ask random queries of your own tables, pushed and local, and compare the answers.
    ///
    /// Exit status 1 if any differ; each difference is made as small as it goes.
    Verify(command::Verify),
    /// Run one statement, in process.
    Sql {
        /// The statement, or several separated by semicolons.
        statement: String,
        /// The configuration file; without one there are only the server's own catalogs, and what
        /// the statement makes ends with it.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The default catalog.
        #[arg(long, short)]
        database: Option<String>,
        /// Form of the result on standard output.
        #[arg(long, value_enum, default_value_t = output::Format::Table)]
        format: output::Format,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("INFLOWAVE_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,inflowave=info")),
        )
        .with_writer(std::io::stderr)
        .init();
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let threads =
        |e: std::io::Error| Error::new(SqlState::IoError, format!("cannot start threads: {e}"));
    let io = tokio::runtime::Builder::new_multi_thread()
        .thread_name("inflowave-io")
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(threads)?;
    let cpu = inflowave_engine::Runtimes::cpu()?;
    let runtimes = inflowave_engine::Runtimes {
        io: io.handle().clone(),
        cpu: cpu.handle().clone(),
    };
    let result = io.block_on(async {
        match cli.command {
            Command::Serve {
                config,
                data_dir,
                pg_listen,
            } => command::serve(runtimes, &config, data_dir, pg_listen).await,
            Command::Demo {
                once,
                data_dir,
                pg_listen,
            } => command::demo(runtimes, once, data_dir, pg_listen).await,
            Command::Check { config } => command::check(runtimes, &config).await,
            Command::Verify(asked) => command::verify(runtimes, asked).await,
            Command::Sql {
                statement,
                config,
                database,
                format,
            } => command::sql(runtimes, &statement, config.as_deref(), database, format).await,
        }
    });
    // A query that does not yield must not hold up the end of the process.
    cpu.shutdown_background();
    io.shutdown_background();
    result
}

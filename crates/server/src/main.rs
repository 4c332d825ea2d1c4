//! The binary `inflowave`: wiring, no logic.
//!
//! **Owns**: the command line, the two runtimes, putting connectors, engine and front ends together.
//! **Start reading at**: [`cli`], then [`assembly`].

mod assembly;
mod cli;
mod command;
mod configured;
mod demo_data;
mod output;
mod showcase;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command};
use inflowave_types::{Error, Result, SqlState};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// Bytes of stack of each thread that speaks to clients and sources: statements are held and dropped there.
const IO_STACK_BYTES: usize = 16 << 20;

fn run(command: Command) -> Result<()> {
    if let Command::Completions { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "inflowave", &mut script);
        output::line(String::from_utf8_lossy(&script).trim_end());
        return Ok(());
    }
    let threads =
        |e: std::io::Error| Error::new(SqlState::IoError, format!("cannot start threads: {e}"));
    let io = tokio::runtime::Builder::new_multi_thread()
        .thread_name("inflowave-io")
        .worker_threads(2)
        .thread_stack_size(IO_STACK_BYTES)
        .enable_all()
        .build()
        .map_err(threads)?;
    let cpu = inflowave_engine::Runtimes::cpu()?;
    let runtimes = inflowave_engine::Runtimes {
        io: io.handle().clone(),
        cpu: cpu.handle().clone(),
    };
    let result = io.block_on(async {
        match command {
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
            // It needs no runtime, and has been answered.
            Command::Completions { .. } => Ok(()),
        }
    });
    // A query that does not yield must not hold up the end of the process.
    cpu.shutdown_background();
    io.shutdown_background();
    result
}

//! `cargo xtask`: the project's own commands.
//!
//! **Owns**: the one command that passes the tests, the house rules (`tidy`), the start and stop of
//! the real servers that tests speak to, the writing of what is made of the code (`docs`).
//! **Never**: anything that the product needs; the server does not know this crate.
//! **Start reading at**: [`test_run`], then [`tidy`].

// Its output is its purpose.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod docs;
mod output;
mod services;
mod test_run;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own commands", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Format, tidy, lints, then all tests against real servers, which it starts and stops
    Test {
        /// A skipped or ignored test is a failure (what CI runs)
        #[arg(long)]
        strict: bool,
        /// Start no server; tests that need one are skipped
        #[arg(long, conflicts_with = "strict")]
        no_services: bool,
    },
    /// The house rules: floors, lints, module docs, registered sources, length of files
    Tidy,
    /// Write the reference in docs, and the tables of the README, anew from the code
    Docs,
    /// The real servers of the tests, on loopback ports of their own
    Services { action: services::Action },
}

fn main() -> ExitCode {
    let root = root();
    let result = match Cli::parse().command {
        Command::Test {
            strict,
            no_services,
        } => test_run::run(&root, strict, !no_services),
        Command::Tidy => tidy::run(&root),
        Command::Docs => docs::run(&root),
        Command::Services { action } => services::run(&root, action),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder. Asked for at run time: one build folder may serve several checkouts.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    here.as_deref()
        .and_then(Path::parent)
        .and_then(Path::parent)
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

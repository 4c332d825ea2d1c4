//! The command line, and what it teaches.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::command::Verify;
use crate::output::Format;

/// Federated SQL: many databases, seen as one Postgres database.
///
/// Ask in PostgreSQL's SQL with names of three parts (catalog.schema.table). Each source is asked
/// for what it provably computes with the same answer; the rest is computed here.
#[derive(Parser)]
#[command(
    name = "inflowave",
    version,
    arg_required_else_help = true,
    after_help = BEGIN
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const BEGIN: &str = "\
Where to begin:
  inflowave demo --once      See it: queries over sample data, and what each source was asked
  inflowave demo             The same as a server, for psql -h 127.0.0.1 -p 5480 -d shop

Your own sources stand in inflowave.toml:
  [catalog.crm]
  connector = \"postgres\"
  url       = \"postgres://app@127.0.0.1:5432/crm\"
  password  = \"${env:CRM_PASSWORD}\"

  inflowave check            Is every source there?
  inflowave verify           Do pushed and local answers agree over your own tables?
  inflowave serve            For psql, drivers and tools that speak to Postgres
  inflowave sql --config inflowave.toml \"SELECT count(*) FROM crm.public.customers\"

Each command says more, with examples: inflowave serve --help
INFLOWAVE_LOG=debug tells on standard error what happens; the default is warn,inflowave=info.";

#[derive(Subcommand)]
pub enum Command {
    /// Serve the configured catalogs over the Postgres wire.
    ///
    /// The database that a client connects to is its default catalog; every other one is there by
    /// its name. A source that is down does not stop the server. It ends on SIGTERM or Ctrl-C.
    #[command(after_help = "\
Examples:
  inflowave serve
  inflowave serve --config /etc/inflowave.toml --data-dir /var/lib/inflowave
  inflowave serve --pg-listen 127.0.0.1:0

Then:
  psql -h 127.0.0.1 -p 5480 -d crm")]
    Serve {
        /// The configuration file.
        #[arg(long, default_value = "inflowave.toml", value_name = "FILE")]
        config: PathBuf,
        /// Where the server writes; overrides server.data_dir.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Where the Postgres wire listens; overrides server.pg_listen. Port 0 takes a free port.
        #[arg(long, value_name = "ADDRESS")]
        pg_listen: Option<SocketAddr>,
    },
    /// Serve shipped sample data: SQLite, Parquet and CSV, no outside server.
    ///
    /// First it runs queries that cross its sources, and prints each with its result and with what
    /// every source was asked.
    #[command(after_help = "\
Examples:
  inflowave demo --once
  inflowave demo --data-dir ./demo --pg-listen 127.0.0.1:5433

Then:
  psql -h 127.0.0.1 -p 5480 -d shop")]
    Demo {
        /// Run the showcase queries, print them with their results, and end.
        #[arg(long)]
        once: bool,
        /// Where the sample data is written; a folder for temporary files by default.
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
        /// Where the Postgres wire listens. Port 0 takes a free port.
        #[arg(long, default_value = "127.0.0.1:5480", value_name = "ADDRESS")]
        pg_listen: SocketAddr,
    },
    /// Read the configuration and connect to every source; one line each.
    ///
    /// Exit status 1 if the configuration is invalid or any source cannot be used.
    #[command(after_help = "\
Examples:
  inflowave check
  inflowave check --config /etc/inflowave.toml")]
    Check {
        /// The configuration file.
        #[arg(long, default_value = "inflowave.toml", value_name = "FILE")]
        config: PathBuf,
    },
    /// Ask random queries of your own tables, pushed and local, and compare the answers.
    ///
    /// Each query is answered twice: with work pushed into the sources, and with all of it done
    /// here. A difference is made as small as it goes and printed with its seed, both answers and
    /// what each source was sent. Sources are only read. Two statements share no snapshot, so a
    /// difference counts only if the local answers before and after the pushed one are equal; what
    /// changes meanwhile is told as unsettled.
    ///
    /// Exit status 1 if answers differ, or if nothing could be asked.
    #[command(after_help = "\
Examples:
  inflowave verify
  inflowave verify --config /etc/inflowave.toml --catalog crm --queries 5000 --time-limit 3600
  inflowave verify --table public.orders --table public.customers --max-rows 200000
  inflowave verify --seed 4711 --queries 1")]
    Verify(Verify),
    /// Run one statement, in process.
    ///
    /// No server is needed; one that runs over the same configuration is not disturbed.
    #[command(after_help = "\
Examples:
  inflowave sql \"SELECT 1 + 1\"
  inflowave sql --config inflowave.toml \"SHOW CATALOGS\"
  inflowave sql --config inflowave.toml -d crm --format csv \"SELECT * FROM customers LIMIT 10\"
  inflowave sql --config inflowave.toml \"EXPLAIN (FEDERATION) SELECT count(*) FROM crm.public.customers\"")]
    Sql {
        /// The statement, or several separated by semicolons.
        statement: String,
        /// The configuration file; without one there are only the server's own catalogs, and what
        /// the statement makes ends with it.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// The default catalog.
        #[arg(long, short, value_name = "CATALOG")]
        database: Option<String>,
        /// Form of the result on standard output.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print a script that completes these commands in a shell.
    #[command(after_help = "\
Examples:
  inflowave completions bash > ~/.local/share/bash-completion/completions/inflowave
  inflowave completions zsh > ~/.zfunc/_inflowave
  inflowave completions fish > ~/.config/fish/completions/inflowave.fish

In one bash only:
  source <(inflowave completions bash)")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    /// The words of an example, up to what is the shell's.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut quoted) = (vec![String::new()], false);
        for c in line.chars() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => break,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|w| !w.is_empty());
        words
    }

    #[test]
    fn every_command_has_examples_and_each_is_understood() {
        let mut command = Cli::command();
        command.build();
        let mut examples = 0;
        for sub in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let help = sub.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{} has no example", sub.get_name()));
            let own = format!("  inflowave {}", sub.get_name());
            let lines: Vec<&str> = help.lines().filter(|l| l.starts_with(&own)).collect();
            assert!(lines.len() >= 2, "{}", sub.get_name());
            for line in lines {
                let parsed = Cli::try_parse_from(words(line.trim()));
                assert!(parsed.is_ok(), "{line}: {}", parsed.err().unwrap());
                examples += 1;
            }
        }
        assert!(examples >= 15, "{examples}");
    }

    #[test]
    fn what_the_first_page_shows_is_understood() {
        let lines = BEGIN.lines().filter_map(|l| l.strip_prefix("  inflowave "));
        let mut seen = 0;
        for line in lines {
            // What it is for stands behind two blanks.
            let shown = line.split("   ").next().unwrap();
            let parsed = Cli::try_parse_from(words(&format!("inflowave {shown}")));
            assert!(parsed.is_ok(), "{line}");
            seen += 1;
        }
        assert_eq!(seen, 6);
        // The configuration that it shows is one.
        let config: Vec<&str> = BEGIN
            .lines()
            .skip_while(|l| !l.contains("[catalog"))
            .take_while(|l| !l.is_empty())
            .collect();
        let config = config.join("\n").replace("${env:CRM_PASSWORD}", "secret");
        let config = inflowave_config::Config::parse(&config, std::path::Path::new(".")).unwrap();
        let connectors = inflowave_bundle::connectors();
        crate::configured::check(&config, &config.catalogs[0], &connectors).unwrap();
    }

    #[test]
    fn every_shell_gets_a_script_that_knows_the_commands() {
        for shell in <clap_complete::Shell as clap::ValueEnum>::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "inflowave", &mut script);
            let script = String::from_utf8(script).unwrap();
            for word in ["verify", "completions", "max-rows", "pg-listen"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}

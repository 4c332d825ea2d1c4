//! The proof of bounded memory: a large result to a psql that reads slowly, and to
//! `inflowave sql --format csv`, from PostgreSQL and from Parquet.
//!
//! Each case has a process of its own, whose peak (`VmHWM` of `/proc/PID/status`) is read while it
//! runs. psql without a cursor collects a whole result before it prints, so that a slow reader of
//! its output would slow nothing down: what is slow here is its connection ([`slow`]).

pub mod process;
mod slow;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::data::{self, SCHEMA};
use crate::reader::copy;
use crate::report;

use process::{Server, Watch};

/// The bound, in kilobytes as the kernel counts them.
pub const PEAK_KB_MAX: u64 = 512 * 1024;

pub struct Proof {
    pub binary: PathBuf,
    pub folder: PathBuf,
    pub postgres: String,
    pub rows: u64,
    pub bytes_per_second: u64,
}

/// What a case came to.
#[derive(Debug)]
pub struct Peak {
    pub source: &'static str,
    pub client: String,
    pub time: Duration,
    /// Before the query; `None` for a process that does nothing else.
    pub idle_kb: Option<u64>,
    pub peak_kb: u64,
}

impl Peak {
    pub fn holds(&self) -> bool {
        self.peak_kb < PEAK_KB_MAX
    }
}

impl Proof {
    /// # Errors
    /// If a client does not get every row.
    pub fn run(&self, only: &str) -> Result<Vec<Peak>> {
        let config = self.folder.join("inflowave.toml");
        std::fs::write(&config, self.config())?;
        let mut peaks = Vec::new();
        for (source, table) in [
            ("PostgreSQL", format!("pg.{SCHEMA}.invoices")),
            ("Parquet", "parquet.files.invoices".to_owned()),
        ] {
            let sql = format!("select * from {table}");
            if source.contains(only) || "psql".contains(only) {
                peaks.push(self.psql(source, &sql, &config)?);
            }
            if source.contains(only) || "csv".contains(only) {
                peaks.push(self.command(source, &sql, &config)?);
            }
        }
        Ok(peaks)
    }

    /// A server, and a psql behind a slow connection.
    fn psql(&self, source: &'static str, sql: &str, config: &Path) -> Result<Peak> {
        report::note(&format!("{source} to a slow psql"));
        let server = Server::start(&self.binary, config)?;
        let watch = Watch::of(server.pid())?;
        let idle_kb = watch.peak_kb();
        let port = slow::connection(server.address(), self.bytes_per_second)?;
        let started = Instant::now();
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-U", "bench"])
            .args(["-p", &port.to_string(), "-d", "pg", "-c", sql]);
        let rows = copy::lines(&mut psql)?;
        let time = started.elapsed();
        let peak_kb = watch.end();
        self.all_rows(rows)?;
        Ok(Peak {
            source,
            client: format!("psql at {} MB/s", self.bytes_per_second / 1_000_000),
            time,
            idle_kb: Some(idle_kb),
            peak_kb,
        })
    }

    /// `inflowave sql --format csv`, its output counted as fast as it comes.
    fn command(&self, source: &'static str, sql: &str, config: &Path) -> Result<Peak> {
        report::note(&format!("{source} to inflowave sql --format csv"));
        let started = Instant::now();
        let mut command = Command::new(&self.binary);
        command.args(["sql", "--format", "csv", "--config"]);
        command.arg(config).arg(sql);
        let child = copy::start(&mut command)?;
        let watch = Watch::of(child.id())?;
        let rows = copy::count(child)?;
        let time = started.elapsed();
        let peak_kb = watch.end();
        // The first line names the columns.
        self.all_rows(rows.saturating_sub(1))?;
        Ok(Peak {
            source,
            client: "inflowave sql --format csv".to_owned(),
            time,
            idle_kb: None,
            peak_kb,
        })
    }

    fn all_rows(&self, rows: u64) -> Result<()> {
        if rows == self.rows {
            return Ok(());
        }
        Err(format!("{rows} rows of {} came", self.rows).into())
    }

    /// As a user would write it, with no limit of its own.
    fn config(&self) -> String {
        format!(
            "[server]\npg_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\n\n\
             [catalog.pg]\nconnector = \"postgres\"\nurl = {:?}\n\n\
             [catalog.parquet]\nconnector = \"files\"\npath = {:?}\n",
            self.folder.join("server"),
            self.postgres,
            data::parquet_folder(&self.folder)
        )
    }
}

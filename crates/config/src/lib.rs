//! `inflowave.toml`: read, resolve, check.
//!
//! **Owns**: the settings of the server and the catalogs as configured.
//! **Never**: I/O beyond reading files and the environment; what a connector's parameters mean.
//! **Start reading at**: [`Config`], then [`KEYS`].

mod keys;
mod raw;
mod reference;
mod secrets;
mod urls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use inflowave_types::{Error, Result, Secret, SqlState};

pub use keys::{KEYS, Key, KeyKind, SECTIONS, Section};
pub use secrets::{Piece, Secrets, pieces, roots_hint, under};
pub use urls::{below, is_url_root, server_below, servers_hint, url_roots_hint};

/// Everything configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    pub server: Server,
    pub access: Access,
    pub tls: Tls,
    pub secrets: Secrets,
    pub log: Log,
    pub catalogs: Vec<Catalog>,
    /// The folder of the configuration file: relative paths start here.
    pub base_dir: PathBuf,
    /// The configuration file itself, if it was read from one.
    pub file: Option<PathBuf>,
}

/// `[server]`.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where the Postgres wire listens.
    pub pg_listen: SocketAddr,
    /// Where the server keeps what it writes: the metastore, spill files.
    pub data_dir: PathBuf,
    /// The folders below which a catalog that is made by SQL may read files. Catalogs of the
    /// configuration are free.
    pub file_roots: Vec<PathBuf>,
    /// The URLs below which a catalog that is made by SQL may read files and reach services: a
    /// scheme (`s3://`), a bucket (`s3://lake`), a server (`https://data.example.com`), or a path
    /// there. Catalogs of the configuration are free.
    pub url_roots: Vec<String>,
    pub limits: Limits,
}

/// `[access]`.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// A role that is always there and may do everything.
    pub superuser: Option<String>,
    /// Its password, references not resolved.
    pub superuser_password: Option<Secret>,
    /// Who has to prove what, in order; in the words of `pg_hba.conf`.
    pub rules: Vec<String>,
}

/// `[tls]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub client_authorities: Option<PathBuf>,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// What is written: a level, or `target=level`, separated by commas. Empty is the choice of the
    /// server, or of the command.
    pub filter: String,
    /// Whether the texts of statements are written; they can hold data.
    pub statements: bool,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// `[limits]`. Every one has a default; none is unlimited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Memory of all running queries together, in bytes.
    pub memory_bytes_max: u64,
    /// Spill files of all running queries together, in bytes.
    pub spill_bytes_max: u64,
    /// Connections at once.
    pub sessions_max: usize,
    /// Of them, for superusers only.
    pub sessions_reserved: usize,
    /// The text of one statement, in bytes.
    pub statement_bytes_max: usize,
    /// How deep expressions, subqueries and parentheses may nest.
    pub statement_depth_max: usize,
    /// How long the columns of a source's table are believed, in seconds.
    pub metadata_ttl_s: u64,
    /// Rows per Arrow batch.
    pub batch_rows: usize,
    /// Finished queries kept in `system.runtime.queries`.
    pub history_rows_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            memory_bytes_max: 1 << 30,
            spill_bytes_max: 10 << 30,
            sessions_max: 200,
            sessions_reserved: 3,
            statement_bytes_max: 16 << 20,
            statement_depth_max: 200,
            metadata_ttl_s: 30,
            batch_rows: 8192,
            history_rows_max: 1000,
        }
    }
}

/// `[catalog.NAME]`.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// Its parameters, references resolved. Any of them may be a secret: only the connector's
    /// specs tell, so that all are kept as one.
    pub params: Vec<(String, Secret)>,
    /// The line of the file where its section begins, from 1.
    pub line: usize,
    /// The line of each parameter, and of `connector`.
    pub lines: BTreeMap<String, usize>,
}

impl Default for Config {
    /// A server without catalogs.
    fn default() -> Self {
        Config {
            server: Server {
                pg_listen: ([127, 0, 0, 1], 5480).into(),
                data_dir: PathBuf::from("inflowave-data"),
                file_roots: Vec::new(),
                url_roots: Vec::new(),
                limits: Limits::default(),
            },
            access: Access::default(),
            tls: Tls::default(),
            secrets: Secrets::default(),
            log: Log::default(),
            catalogs: Vec::new(),
            base_dir: PathBuf::from("."),
            file: None,
        }
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// `F0000` naming file, line, key and the valid choices; `58P01` if there is no such file.
    pub fn read(path: &Path) -> Result<Config> {
        let text = std::fs::read_to_string(path).map_err(|e| {
            Error::new(
                SqlState::UndefinedFile,
                format!("cannot read configuration file \"{}\": {e}", path.display()),
            )
            .with_hint("Name the file with --config FILE.")
        })?;
        let base_dir = path.parent().filter(|p| !p.as_os_str().is_empty());
        let config = Config::parse(&text, base_dir.unwrap_or(Path::new(".")))
            .map_err(|e| e.context(path.display()))?;
        Ok(Config {
            file: Some(path.to_owned()),
            ..config
        })
    }

    /// A line of the file, for messages: `inflowave.toml: line 7`.
    pub fn place(&self, line: usize) -> String {
        match &self.file {
            Some(file) => format!("{}: line {line}", file.display()),
            None => format!("line {line}"),
        }
    }

    /// The text that a value's references mean.
    ///
    /// # Errors
    /// `F0000` for a reference that cannot be resolved.
    pub fn resolve(&self, value: &Secret) -> Result<Secret> {
        reference::resolve(value.reveal(), &self.base_dir)
    }

    /// Checks the text of a configuration.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, base_dir: &Path) -> Result<Config> {
        raw::parse(text, base_dir)
    }
}

pub(crate) fn config_error(message: impl Into<String>) -> Error {
    Error::new(SqlState::ConfigFileError, message)
}

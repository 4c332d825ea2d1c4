//! The real binary as a server: started, spoken to over the wire, killed.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::command::binary;

/// What a configuration needs to believe the client of these tests.
const TRUSTING: &str =
    "[access]\nsuperuser = 'tester'\nrules = ['host all all 127.0.0.1/32 trust']\n";

/// A running `inflowave serve`; killed when dropped.
pub struct Serving {
    pub child: Child,
    pub address: SocketAddr,
    output: Option<JoinHandle<Vec<u8>>>,
    errors: Option<JoinHandle<Vec<u8>>>,
}

impl Serving {
    /// Starts over `DIR/inflowave.toml`, and waits until it listens.
    ///
    /// # Errors
    /// What it printed, if it ended instead.
    pub fn start(dir: &Path, variables: &[(&str, &str)]) -> Result<Serving, String> {
        let config = dir.join("inflowave.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        if !text.contains("[access]") {
            std::fs::write(&config, format!("{text}\n{TRUSTING}")).unwrap();
        }
        let mut child = command(dir)
            .envs(variables.iter().copied())
            .env("INFLOWAVE_LOG", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| e.to_string())?;
        // Read on a thread of its own, so that the process never waits for this one.
        let mut stderr = child.stderr.take().ok_or("no standard error")?;
        let errors = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            bytes
        });
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut line = String::new();
        let _ = stdout.read_line(&mut line);
        let Some(address) = line
            .trim()
            .strip_prefix("listening for the Postgres wire on ")
            .and_then(|a| a.parse().ok())
        else {
            let _ = child.kill();
            let _ = child.wait();
            let errors = errors.join().unwrap_or_default();
            return Err(format!("{line}{}", String::from_utf8_lossy(&errors)));
        };
        let output = std::thread::spawn(move || {
            let mut bytes = line.into_bytes();
            let _ = stdout.read_to_end(&mut bytes);
            bytes
        });
        Ok(Serving {
            child,
            address,
            output: Some(output),
            errors: Some(errors),
        })
    }

    /// As [`TRUSTING`] lets it.
    pub async fn connect(&self) -> Client {
        let port = self.address.port();
        let place = format!("host=127.0.0.1 port={port} user=tester dbname=inflowave");
        let (client, connection) = tokio_postgres::connect(&place, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// SIGKILL, and everything that it printed.
    pub fn kill(mut self) -> Vec<u8> {
        self.end();
        let mut all = Vec::new();
        for printed in [self.output.take(), self.errors.take()] {
            all.extend(printed.map(|t| t.join().unwrap()).unwrap_or_default());
        }
        all
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.end();
    }
}

/// `inflowave serve` over `DIR/inflowave.toml`.
pub fn command(dir: &Path) -> Command {
    let mut command = Command::new(binary());
    command
        .arg("serve")
        .arg("--config")
        .arg(dir.join("inflowave.toml"))
        .args(["--pg-listen", "127.0.0.1:0"]);
    command
}

/// The first column of a statement's rows.
pub async fn column(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await;
    let messages = messages.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    messages
        .iter()
        .filter_map(|m| match m {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("-").to_owned()),
            _ => None,
        })
        .collect()
}

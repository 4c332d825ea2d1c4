//! PostgreSQL by psql's COPY: as text, nothing decoded, lines counted. What no client can beat.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use async_trait::async_trait;

use super::{Answer, Reader};
use crate::Result;

const BUFFER_BYTES: usize = 1 << 16;

pub struct Copy {
    url: String,
    sql: String,
}

impl Copy {
    pub fn open(url: &str, sql: String) -> Box<dyn Reader> {
        Box::new(Copy {
            url: url.to_owned(),
            sql,
        })
    }
}

#[async_trait]
impl Reader for Copy {
    fn name(&self) -> &'static str {
        "psql COPY"
    }

    async fn read(&mut self) -> Result<Answer> {
        let mut command = Command::new("psql");
        let copy = format!("copy ({}) to stdout", self.sql);
        command.args(["-X", "-q", "-d", &self.url, "-c", &copy]);
        let rows = tokio::task::spawn_blocking(move || lines(&mut command)).await??;
        Ok(Answer { rows, sum: None })
    }
}

/// Runs a command to its end and counts the lines of its output.
///
/// # Errors
/// If it cannot be started, or does not end well.
pub fn lines(command: &mut Command) -> Result<u64> {
    count(start(command)?)
}

/// Starts a command whose output goes into a pipe.
///
/// # Errors
/// If it cannot be started.
pub fn start(command: &mut Command) -> Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start {:?}: {e}", command.get_program()).into())
}

/// Counts the lines of its output until it ends.
///
/// # Errors
/// If it does not end well.
pub fn count(mut child: Child) -> Result<u64> {
    let mut out = child.stdout.take().ok_or("no pipe to read from")?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut lines = 0;
    loop {
        match out.read(&mut buffer)? {
            0 => break,
            n => lines += buffer[..n].iter().filter(|b| **b == b'\n').count() as u64,
        }
    }
    let status = child.wait()?;
    if status.success() {
        Ok(lines)
    } else {
        Err(format!("the command whose output is counted ended with {status}").into())
    }
}

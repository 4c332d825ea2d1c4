//! Processes: the server, and how much memory one has needed.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Result;

/// How often the peak is read: it only grows, so that what is missed is the growth of one moment
/// before the end.
const EVERY: Duration = Duration::from_millis(20);

/// A running `inflowave serve`, killed when it is dropped.
pub struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// # Errors
    /// If it ends before it listens.
    pub fn start(binary: &Path, config: &Path) -> Result<Server> {
        let mut child = Command::new(binary)
            .args(["serve", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // It logs every query, as it does for users; who reads the figures does not want to.
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().ok_or("no pipe from the server")?;
        let mut server = Server {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        for line in BufReader::new(out).lines() {
            let line = line?;
            if line.starts_with("listening") {
                let address = line.split_whitespace().next_back().unwrap_or_default();
                server.address = address.parse()?;
                return Ok(server);
            }
        }
        Err("the server ended before it listened".into())
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the peak of a process again and again until it is ended or dropped.
pub struct Watch {
    peak_kb: Arc<AtomicU64>,
    running: Sender<()>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub fn of(pid: u32) -> Result<Watch> {
        let first = peak_kb(pid).ok_or("there is no such process")?;
        let highest = Arc::new(AtomicU64::new(first));
        let (running, end) = channel::<()>();
        let seen = Arc::clone(&highest);
        let thread = std::thread::spawn(move || {
            loop {
                let ended = end.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout);
                // A process that has ended has no memory left to tell of.
                if let Some(kb) = peak_kb(pid) {
                    seen.fetch_max(kb, Ordering::Relaxed);
                }
                if ended {
                    return;
                }
            }
        });
        Ok(Watch {
            peak_kb: highest,
            running,
            thread,
        })
    }

    pub fn peak_kb(&self) -> u64 {
        self.peak_kb.load(Ordering::Relaxed)
    }

    /// Reads once more and stops; the highest that was seen.
    pub fn end(self) -> u64 {
        drop(self.running);
        let _ = self.thread.join();
        self.peak_kb.load(Ordering::Relaxed)
    }
}

/// What the process has in memory now, in kilobytes.
pub fn resident_kb(pid: u32) -> Option<u64> {
    status(pid, "VmRSS:")
}

fn peak_kb(pid: u32) -> Option<u64> {
    status(pid, "VmHWM:")
}

fn status(pid: u32, name: &str) -> Option<u64> {
    parse(
        &std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?,
        name,
    )
}

fn parse(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_found_in_the_status_of_a_process() {
        let status = "Name:\tinflowave\nVmPeak:\t  900 kB\nVmHWM:\t   31244 kB\nVmRSS:\t 5 kB\n";
        assert_eq!(parse(status, "VmHWM:"), Some(31_244));
        assert_eq!(parse(status, "VmRSS:"), Some(5));
        assert_eq!(parse("Name:\tkthread\n", "VmHWM:"), None);
    }
}

//! What one query brings along: whether it pushes, who watches, what cancels it.

use std::fmt::{self, Debug};
use std::str::FromStr;
use std::sync::Arc;

use inflowave_types::{Error, QueryId};
use tokio_util::sync::CancellationToken;

use crate::Snapshots;

/// `SET inflowave.pushdown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pushdown {
    /// Sources do what they provably can.
    #[default]
    On,
    /// Sources only give their columns; everything else runs here.
    Off,
    /// Both are run, and a difference is an error.
    Verify,
}

impl Pushdown {
    pub const NAMES: [&'static str; 3] = ["on", "off", "verify"];
}

impl FromStr for Pushdown {
    type Err = ();

    fn from_str(s: &str) -> Result<Self, ()> {
        match s {
            "on" => Ok(Pushdown::On),
            "off" => Ok(Pushdown::Off),
            "verify" => Ok(Pushdown::Verify),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Pushdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Pushdown::On => "on",
            Pushdown::Off => "off",
            Pushdown::Verify => "verify",
        })
    }
}

/// Set as an extension of the session configuration that a query is planned and run with.
#[derive(Clone)]
pub struct FederationContext {
    pub query_id: QueryId,
    /// `On` or `Off` here; `Verify` is two plans, made by the engine.
    pub pushdown: Pushdown,
    /// Fires when the query is cancelled.
    pub cancel: CancellationToken,
    /// The runtime on which drivers do their I/O.
    pub io: tokio::runtime::Handle,
    /// Rows per batch at most.
    pub batch_rows: usize,
    pub observer: Arc<dyn RemoteObserver>,
    /// The states of the sources that are read.
    pub snapshots: Arc<Snapshots>,
}

impl Debug for FederationContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FederationContext")
            .field("query_id", &self.query_id)
            .field("pushdown", &self.pushdown)
            .finish_non_exhaustive()
    }
}

/// A remote query that begins.
#[derive(Debug, Clone, Copy)]
pub struct RemoteStart<'a> {
    pub query_id: QueryId,
    pub catalog: &'a str,
    pub text: &'a str,
}

/// Sees the remote queries of this server, for `system.runtime.remote_queries`.
pub trait RemoteObserver: Send + Sync {
    /// A remote query begins; the answer names it in the other calls.
    fn started(&self, start: RemoteStart<'_>) -> u64;
    /// A batch arrived.
    fn received(&self, remote_id: u64, rows: usize, bytes: usize);
    /// It ended: completely, with an error, or because nobody wanted more rows.
    fn finished(&self, remote_id: u64, outcome: Result<bool, &Error>);
}

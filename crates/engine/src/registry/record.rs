//! What is kept of a session, a query, a remote query.

use std::time::{Duration, Instant, SystemTime};

use inflowave_query_api::TransactionStatus;
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};

/// Bytes of a statement's text that are kept.
const TEXT_BYTES_MAX: usize = 8192;

/// An open session.
#[derive(Debug, Clone)]
pub struct SessionRecord {
    pub id: SessionId,
    pub user: String,
    pub database: String,
    pub application_name: String,
    pub client: String,
    pub protocol: &'static str,
    pub started: SystemTime,
    /// The query that it runs now.
    pub query: Option<QueryId>,
    /// That one, or the one that it ran last.
    pub last_query: Option<QueryId>,
    pub status: TransactionStatus,
    pub transaction_started: Option<SystemTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryState {
    Planning,
    Running,
    Finished,
    Failed,
    Canceled,
}

impl QueryState {
    pub fn name(self) -> &'static str {
        match self {
            QueryState::Planning => "planning",
            QueryState::Running => "running",
            QueryState::Finished => "finished",
            QueryState::Failed => "failed",
            QueryState::Canceled => "canceled",
        }
    }

    pub(super) fn ended(self) -> bool {
        !matches!(self, QueryState::Planning | QueryState::Running)
    }
}

/// A statement, running or ended.
#[derive(Debug, Clone)]
pub struct QueryRecord {
    pub id: QueryId,
    pub session: SessionId,
    pub user: String,
    pub protocol: &'static str,
    pub text: String,
    pub state: QueryState,
    pub started: SystemTime,
    pub ended: Option<SystemTime>,
    pub phases: Phases,
    /// Rows delivered.
    pub rows: u64,
    /// Bytes delivered, in Arrow.
    pub bytes: u64,
    /// Rows that its remote queries gave.
    pub source_rows: u64,
    /// Bytes that its remote queries gave, in Arrow.
    pub source_bytes: u64,
    pub sqlstate: Option<SqlState>,
    pub error: Option<String>,
}

/// How long the parts of a query took, by a clock that never goes back. All but the first count
/// from the moment at which the query got its id.
#[derive(Debug, Clone, Copy)]
pub struct Phases {
    pub(super) begun: Instant,
    /// Reading the text, before there was an id; nothing where a prepared statement runs again.
    pub parse: Duration,
    /// Until it was planned.
    pub planned: Option<Duration>,
    /// Until its first rows were there.
    pub first_row: Option<Duration>,
    /// Until its end.
    pub total: Option<Duration>,
}

impl Phases {
    pub(super) fn begin(parse: Duration) -> Self {
        Phases {
            begun: Instant::now(),
            parse,
            planned: None,
            first_row: None,
            total: None,
        }
    }

    /// Until its end, or until now.
    pub fn elapsed(&self) -> Duration {
        self.total.unwrap_or_else(|| self.begun.elapsed())
    }
}

/// A fragment run at a source.
#[derive(Debug, Clone)]
pub struct RemoteRecord {
    pub id: u64,
    pub query: QueryId,
    pub catalog: String,
    pub text: String,
    pub state: QueryState,
    pub started: SystemTime,
    pub ended: Option<SystemTime>,
    pub rows: u64,
    /// In Arrow, as received.
    pub bytes: u64,
    pub error: Option<String>,
}

/// The state that an end means, and what is kept of its error. `Ok(false)` is an end before the
/// last row that nobody has called an error: the client asked for no more.
pub(super) fn end(outcome: Result<bool, &Error>) -> (QueryState, Option<String>) {
    match outcome {
        Ok(true) => (QueryState::Finished, None),
        Ok(false) => (QueryState::Canceled, None),
        Err(e) if e.sqlstate() == SqlState::QueryCanceled => {
            (QueryState::Canceled, Some(e.to_string()))
        }
        Err(e) => (QueryState::Failed, Some(e.to_string())),
    }
}

/// A text of which not more is kept than is read.
pub(super) fn shortened(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut end = TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

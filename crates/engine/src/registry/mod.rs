//! What the server does now and did lately: sessions, queries, remote queries.
//!
//! Everything here is bounded: ended queries beyond the limit are forgotten, oldest first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::SystemTime;

use inflowave_federation::{RemoteObserver, RemoteStart};
use inflowave_query_api::SessionStart;
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

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

    fn ended(self) -> bool {
        !matches!(self, QueryState::Planning | QueryState::Running)
    }
}

/// A statement, running or ended.
#[derive(Debug, Clone)]
pub struct QueryRecord {
    pub id: QueryId,
    pub session: SessionId,
    pub user: String,
    pub text: String,
    pub state: QueryState,
    pub started: SystemTime,
    pub ended: Option<SystemTime>,
    /// Rows delivered.
    pub rows: u64,
    pub sqlstate: Option<SqlState>,
    pub error: Option<String>,
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

/// All of it.
#[derive(Debug)]
pub struct Registry {
    sessions_max: usize,
    history_rows_max: usize,
    session_ids: AtomicU32,
    query_ids: AtomicU64,
    remote_ids: AtomicU64,
    sessions: Mutex<BTreeMap<SessionId, Open>>,
    queries: Mutex<History<QueryRecord>>,
    remote: Mutex<History<RemoteRecord>>,
}

#[derive(Debug)]
struct Open {
    record: SessionRecord,
    secret: i32,
    cancel: Option<CancellationToken>,
}

impl Registry {
    pub(crate) fn new(sessions_max: usize, history_rows_max: usize) -> Self {
        Registry {
            sessions_max,
            history_rows_max,
            session_ids: AtomicU32::new(1),
            query_ids: AtomicU64::new(1),
            remote_ids: AtomicU64::new(1),
            sessions: Mutex::default(),
            queries: Mutex::default(),
            remote: Mutex::default(),
        }
    }

    /// Open sessions, by id.
    pub fn sessions(&self) -> Vec<SessionRecord> {
        let sessions = self.sessions.lock();
        sessions.values().map(|open| open.record.clone()).collect()
    }

    /// Running and lately ended queries, by id.
    pub fn queries(&self) -> Vec<QueryRecord> {
        self.queries.lock().rows.values().cloned().collect()
    }

    /// Their remote queries, by id.
    pub fn remote_queries(&self) -> Vec<RemoteRecord> {
        self.remote.lock().rows.values().cloned().collect()
    }

    pub(crate) fn open_session(
        &self,
        start: &SessionStart,
        database: &str,
    ) -> Result<(SessionId, i32)> {
        let mut sessions = self.sessions.lock();
        if sessions.len() >= self.sessions_max {
            return Err(Error::new(
                SqlState::TooManyConnections,
                format!("sorry, too many clients already: {}", self.sessions_max),
            )
            .with_hint("Raise limits.sessions_max, or close connections.")
            .retryable());
        }
        let id = SessionId(self.session_ids.fetch_add(1, Ordering::Relaxed));
        let secret = secret(id);
        let record = SessionRecord {
            id,
            user: start.user.clone(),
            database: database.to_owned(),
            application_name: start.application_name.clone().unwrap_or_default(),
            client: start.client.clone(),
            protocol: start.protocol,
            started: SystemTime::now(),
            query: None,
        };
        sessions.insert(
            id,
            Open {
                record,
                secret,
                cancel: None,
            },
        );
        Ok((id, secret))
    }

    pub(crate) fn close_session(&self, id: SessionId) {
        if let Some(open) = self.sessions.lock().remove(&id)
            && let Some(cancel) = open.cancel
        {
            cancel.cancel();
        }
    }

    pub(crate) fn set_application_name(&self, id: SessionId, name: &str) {
        if let Some(open) = self.sessions.lock().get_mut(&id) {
            name.clone_into(&mut open.record.application_name);
        }
    }

    pub(crate) fn cancel(&self, id: SessionId, secret: i32) {
        if let Some(open) = self.sessions.lock().get(&id)
            && open.secret == secret
            && let Some(cancel) = &open.cancel
        {
            cancel.cancel();
        }
    }

    pub(crate) fn begin_query(
        &self,
        session: SessionId,
        text: &str,
        cancel: &CancellationToken,
    ) -> QueryId {
        let id = QueryId(self.query_ids.fetch_add(1, Ordering::Relaxed));
        let mut user = String::new();
        if let Some(open) = self.sessions.lock().get_mut(&session) {
            open.record.query = Some(id);
            open.cancel = Some(cancel.clone());
            user.clone_from(&open.record.user);
        }
        let record = QueryRecord {
            id,
            session,
            user,
            text: shortened(text),
            state: QueryState::Planning,
            started: SystemTime::now(),
            ended: None,
            rows: 0,
            sqlstate: None,
            error: None,
        };
        self.queries.lock().insert(id.0, record);
        id
    }

    /// An id, and that `cancel` ends what the session does now, which is no query yet.
    pub(crate) fn interruptible(&self, session: SessionId, cancel: &CancellationToken) -> QueryId {
        if let Some(open) = self.sessions.lock().get_mut(&session) {
            open.cancel = Some(cancel.clone());
        }
        QueryId(self.query_ids.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn running(&self, id: QueryId) {
        self.queries
            .lock()
            .update(id.0, |q| q.state = QueryState::Running);
    }

    /// Idempotent: the first end counts.
    pub(crate) fn end_query(&self, id: QueryId, rows: u64, outcome: Result<bool, &Error>) {
        let mut session = None;
        self.queries.lock().update(id.0, |q| {
            if q.state.ended() {
                return;
            }
            session = Some(q.session);
            q.rows = rows;
            q.ended = Some(SystemTime::now());
            (q.state, q.error) = end(outcome);
            q.sqlstate = outcome.err().map(Error::sqlstate);
        });
        let Some(session) = session else { return };
        if let Some(open) = self.sessions.lock().get_mut(&session)
            && open.record.query == Some(id)
        {
            open.record.query = None;
            open.cancel = None;
        }
        self.queries.lock().ended(id.0, self.history_rows_max);
    }
}

impl RemoteObserver for Registry {
    fn started(&self, start: RemoteStart<'_>) -> u64 {
        let id = self.remote_ids.fetch_add(1, Ordering::Relaxed);
        let record = RemoteRecord {
            id,
            query: start.query_id,
            catalog: start.catalog.to_owned(),
            text: shortened(start.text),
            state: QueryState::Running,
            started: SystemTime::now(),
            ended: None,
            rows: 0,
            bytes: 0,
            error: None,
        };
        self.remote.lock().insert(id, record);
        id
    }

    fn received(&self, remote_id: u64, rows: usize, bytes: usize) {
        self.remote.lock().update(remote_id, |r| {
            r.rows += rows as u64;
            r.bytes += bytes as u64;
        });
    }

    fn finished(&self, remote_id: u64, outcome: Result<bool, &Error>) {
        let mut remote = self.remote.lock();
        remote.update(remote_id, |r| {
            r.ended = Some(SystemTime::now());
            (r.state, r.error) = end(outcome);
        });
        remote.ended(remote_id, self.history_rows_max);
    }
}

fn end(outcome: Result<bool, &Error>) -> (QueryState, Option<String>) {
    match outcome {
        Ok(true) => (QueryState::Finished, None),
        Ok(false) => (QueryState::Canceled, None),
        Err(e) if e.sqlstate() == SqlState::QueryCanceled => {
            (QueryState::Canceled, Some(e.to_string()))
        }
        Err(e) => (QueryState::Failed, Some(e.to_string())),
    }
}

/// Rows by id, the ended ones forgotten in the order in which they ended.
#[derive(Debug)]
struct History<T> {
    rows: BTreeMap<u64, T>,
    ended: VecDeque<u64>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        History {
            rows: BTreeMap::new(),
            ended: VecDeque::new(),
        }
    }
}

impl<T> History<T> {
    fn insert(&mut self, id: u64, row: T) {
        self.rows.insert(id, row);
    }

    fn update(&mut self, id: u64, change: impl FnOnce(&mut T)) {
        if let Some(row) = self.rows.get_mut(&id) {
            change(row);
        }
    }

    fn ended(&mut self, id: u64, rows_max: usize) {
        self.ended.push_back(id);
        while self.ended.len() > rows_max {
            if let Some(oldest) = self.ended.pop_front() {
                self.rows.remove(&oldest);
            }
        }
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let mut end = TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

/// What only the client of the session knows; from the hasher's random keys.
fn secret(id: SessionId) -> i32 {
    use std::hash::{BuildHasher, RandomState};
    let bits = RandomState::new().hash_one(id);
    i32::from_le_bytes([
        bits as u8,
        (bits >> 8) as u8,
        (bits >> 16) as u8,
        (bits >> 24) as u8,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_is_bounded_and_running_queries_stay() {
        let registry = Registry::new(1, 2);
        let start = SessionStart::default();
        let (session, _) = registry.open_session(&start, "inflowave").unwrap();
        assert_eq!(
            registry
                .open_session(&start, "inflowave")
                .unwrap_err()
                .sqlstate()
                .code(),
            "53300"
        );
        let cancel = CancellationToken::new();
        let running = registry.begin_query(session, "select 0", &cancel);
        for _ in 0..4 {
            let id = registry.begin_query(session, "select 1", &cancel);
            registry.end_query(id, 1, Ok(true));
            registry.end_query(id, 9, Ok(true));
        }
        let queries = registry.queries();
        assert_eq!(queries.len(), 3);
        assert_eq!(queries[0].id, running);
        assert_eq!(queries[2].rows, 1);
    }

    #[test]
    fn only_the_right_secret_cancels() {
        let registry = Registry::new(1, 2);
        let start = SessionStart::default();
        let (session, secret) = registry.open_session(&start, "inflowave").unwrap();
        let cancel = CancellationToken::new();
        registry.begin_query(session, "select 1", &cancel);
        registry.cancel(session, secret.wrapping_add(1));
        assert!(!cancel.is_cancelled());
        registry.cancel(session, secret);
        assert!(cancel.is_cancelled());
    }
}

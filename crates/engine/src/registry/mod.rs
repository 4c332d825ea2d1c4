//! What the server does now and did lately: sessions, queries, remote queries.
//!
//! Everything here is bounded: ended queries beyond the limit are forgotten, oldest first.

mod history;
mod log;
mod record;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arrow::array::RecordBatch;
use inflowave_federation::{RemoteObserver, RemoteStart};
use inflowave_query_api::{SessionStart, Terminate, TransactionStatus};
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};
use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use tokio_util::sync::CancellationToken;

use crate::authority::RoleInfo;
use history::History;
pub use record::{Phases, QueryRecord, QueryState, RemoteRecord, SessionRecord};
use record::{end, shortened};

/// All of it.
#[derive(Debug)]
pub struct Registry {
    sessions_max: usize,
    /// Of them, for superusers only.
    sessions_reserved: usize,
    history_rows_max: usize,
    log_statements: bool,
    session_ids: AtomicU32,
    query_ids: AtomicU64,
    remote_ids: AtomicU64,
    sessions: Mutex<BTreeMap<SessionId, Open>>,
    queries: Mutex<History<QueryRecord>>,
    remote: Mutex<History<RemoteRecord>>,
}

/// Bytes of a cancel key, and of its short form.
const CANCEL_KEY: usize = 32;
const SHORT_KEY: usize = 4;
type CancelKey = [u8; CANCEL_KEY];

#[derive(Debug)]
struct Open {
    record: SessionRecord,
    key: CancelKey,
    cancel: Option<CancellationToken>,
    terminate: Terminate,
}

impl Registry {
    pub(crate) fn new(sessions_max: usize, history_rows_max: usize) -> Self {
        Registry {
            sessions_max,
            sessions_reserved: 0,
            history_rows_max,
            log_statements: false,
            session_ids: AtomicU32::new(1),
            query_ids: AtomicU64::new(1),
            remote_ids: AtomicU64::new(1),
            sessions: Mutex::default(),
            queries: Mutex::default(),
            remote: Mutex::default(),
        }
    }

    pub(crate) fn reserving(self, sessions_reserved: usize) -> Self {
        Registry {
            sessions_reserved: sessions_reserved.min(self.sessions_max),
            ..self
        }
    }

    /// Writes the texts of statements to the log, too.
    pub(crate) fn logging_statements(self, log_statements: bool) -> Self {
        Registry {
            log_statements,
            ..self
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
        role: &RoleInfo,
    ) -> Result<(SessionId, CancelKey)> {
        let mut sessions = self.sessions.lock();
        let unreserved = self.sessions_max - self.sessions_reserved;
        if sessions.len() < self.sessions_max && sessions.len() >= unreserved && !role.superuser {
            return Err(Error::new(
                SqlState::TooManyConnections,
                "remaining connection slots are reserved for superusers",
            )
            .with_hint("Raise limits.sessions_max, or close connections.")
            .retryable());
        }
        if let Some(limit) = role.connection_limit.filter(|_| !role.superuser) {
            let own = sessions
                .values()
                .filter(|open| open.record.user == role.name);
            if own.count() >= limit as usize {
                return Err(Error::new(
                    SqlState::TooManyConnections,
                    format!("too many connections for role \"{}\"", role.name),
                )
                .with_hint(format!(
                    "Its limit is {limit}: ALTER ROLE .. CONNECTION LIMIT."
                ))
                .retryable());
            }
        }
        if sessions.len() >= self.sessions_max {
            return Err(Error::new(
                SqlState::TooManyConnections,
                format!("sorry, too many clients already: {}", self.sessions_max),
            )
            .with_hint("Raise limits.sessions_max, or close connections.")
            .retryable());
        }
        let id = SessionId(self.session_ids.fetch_add(1, Ordering::Relaxed));
        let key = key()?;
        let record = SessionRecord {
            id,
            user: start.user.clone(),
            database: database.to_owned(),
            application_name: start.application_name.clone().unwrap_or_default(),
            client: start.client.clone(),
            protocol: start.protocol,
            started: SystemTime::now(),
            query: None,
            last_query: None,
            status: TransactionStatus::Idle,
            transaction_started: None,
        };
        sessions.insert(
            id,
            Open {
                record,
                key,
                cancel: None,
                terminate: start.terminate.clone(),
            },
        );
        Ok((id, key))
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

    /// A session's transaction, as others see it.
    pub(crate) fn set_status(&self, id: SessionId, status: TransactionStatus) {
        if let Some(open) = self.sessions.lock().get_mut(&id)
            && open.record.status != status
        {
            let record = &mut open.record;
            if status == TransactionStatus::Idle {
                record.transaction_started = None;
            } else if record.status == TransactionStatus::Idle {
                record.transaction_started = Some(SystemTime::now());
            }
            record.status = status;
        }
    }

    /// Cancels what a session runs now; `false` if there is no such session.
    pub fn interrupt(&self, id: SessionId) -> bool {
        let sessions = self.sessions.lock();
        let Some(open) = sessions.get(&id) else {
            return false;
        };
        if let Some(cancel) = &open.cancel {
            cancel.cancel();
        }
        true
    }

    /// Ends a session, as its front end can; `false` if there is no such session.
    pub fn terminate(&self, id: SessionId) -> bool {
        let sessions = self.sessions.lock();
        let Some(open) = sessions.get(&id) else {
            return false;
        };
        open.terminate.call();
        true
    }

    pub(crate) fn cancel(&self, id: SessionId, key: &[u8]) {
        if let Some(open) = self.sessions.lock().get(&id)
            && (key == open.key || key == &open.key[..SHORT_KEY])
            && let Some(cancel) = &open.cancel
        {
            cancel.cancel();
        }
    }

    pub(crate) fn begin_query(
        &self,
        session: SessionId,
        text: &str,
        parse: Duration,
        cancel: &CancellationToken,
    ) -> QueryId {
        let id = QueryId(self.query_ids.fetch_add(1, Ordering::Relaxed));
        let (mut user, mut protocol) = (String::new(), "");
        if let Some(open) = self.sessions.lock().get_mut(&session) {
            open.record.query = Some(id);
            open.record.last_query = Some(id);
            open.cancel = Some(cancel.clone());
            user.clone_from(&open.record.user);
            protocol = open.record.protocol;
        }
        let record = QueryRecord {
            id,
            session,
            user,
            protocol,
            text: shortened(text),
            state: QueryState::Planning,
            started: SystemTime::now(),
            ended: None,
            phases: Phases::begin(parse),
            rows: 0,
            bytes: 0,
            source_rows: 0,
            source_bytes: 0,
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

    /// A session has several queries where portals are read in turns: from here on a cancel means
    /// this one.
    pub(crate) fn continues(&self, session: SessionId, id: QueryId, cancel: &CancellationToken) {
        if let Some(open) = self.sessions.lock().get_mut(&session)
            && open.record.query != Some(id)
        {
            open.record.query = Some(id);
            open.cancel = Some(cancel.clone());
        }
    }

    pub(crate) fn planned(&self, id: QueryId) {
        self.queries.lock().update(id.0, |q| {
            q.phases.planned = Some(q.phases.begun.elapsed());
        });
    }

    pub(crate) fn running(&self, id: QueryId) {
        self.queries
            .lock()
            .update(id.0, |q| q.state = QueryState::Running);
    }

    pub(crate) fn delivered(&self, id: QueryId, batch: &RecordBatch) {
        self.queries.lock().update(id.0, |q| {
            if batch.num_rows() > 0 && q.phases.first_row.is_none() {
                q.phases.first_row = Some(q.phases.begun.elapsed());
            }
            q.rows += batch.num_rows() as u64;
            q.bytes += batch.get_array_memory_size() as u64;
        });
    }

    /// Idempotent: the first end counts, and is written to the log.
    pub(crate) fn end_query(&self, id: QueryId, outcome: Result<bool, &Error>) {
        let mut ended = None;
        self.queries.lock().update(id.0, |q| {
            if q.state.ended() {
                return;
            }
            q.ended = Some(SystemTime::now());
            q.phases.total = Some(q.phases.begun.elapsed());
            (q.state, q.error) = end(outcome);
            q.sqlstate = outcome.err().map(Error::sqlstate);
            ended = Some(q.clone());
        });
        let Some(record) = ended else { return };
        if let Some(open) = self.sessions.lock().get_mut(&record.session)
            && open.record.query == Some(id)
        {
            open.record.query = None;
            open.cancel = None;
        }
        self.queries.lock().ended(id.0, self.history_rows_max);
        log::ended(&record, self.log_statements);
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
        let mut query = None;
        self.remote.lock().update(remote_id, |r| {
            r.rows += rows as u64;
            r.bytes += bytes as u64;
            query = Some(r.query);
        });
        let Some(query) = query else { return };
        self.queries.lock().update(query.0, |q| {
            q.source_rows += rows as u64;
            q.source_bytes += bytes as u64;
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

/// What only the client of a session knows.
fn key() -> Result<CancelKey> {
    let mut key = [0; CANCEL_KEY];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| Error::internal("the system gave no random numbers"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, Unrestricted};

    fn role() -> RoleInfo {
        RoleInfo {
            superuser: true,
            ..Unrestricted.role("ann").unwrap()
        }
    }

    #[test]
    fn history_is_bounded_and_running_queries_stay() {
        let registry = Registry::new(1, 2);
        let start = SessionStart::default();
        let (session, _) = registry.open_session(&start, "inflowave", &role()).unwrap();
        assert_eq!(
            registry
                .open_session(&start, "inflowave", &role())
                .unwrap_err()
                .sqlstate()
                .code(),
            "53300"
        );
        let cancel = CancellationToken::new();
        let running = registry.begin_query(session, "select 0", Duration::ZERO, &cancel);
        for _ in 0..4 {
            let id = registry.begin_query(session, "select 1", Duration::ZERO, &cancel);
            registry.end_query(id, Ok(true));
            registry.end_query(id, Ok(false));
        }
        let queries = registry.queries();
        assert_eq!(queries.len(), 3);
        assert_eq!(queries[0].id, running);
        assert_eq!(queries[2].state, QueryState::Finished);
    }

    #[test]
    fn only_the_right_secret_cancels() {
        let registry = Registry::new(1, 2);
        let start = SessionStart::default();
        let (session, key) = registry.open_session(&start, "inflowave", &role()).unwrap();
        let cancel = CancellationToken::new();
        registry.begin_query(session, "select 1", Duration::ZERO, &cancel);
        let mut other = key;
        other[3] ^= 1;
        for wrong in [&other[..], &other[..4], &key[..5], &[]] {
            registry.cancel(session, wrong);
            assert!(!cancel.is_cancelled());
        }
        registry.cancel(session, &key[..4]);
        assert!(cancel.is_cancelled());
    }
}

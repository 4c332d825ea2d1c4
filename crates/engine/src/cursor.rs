//! Cursors: queries that SQL reads in parts.
//!
//! A cursor runs from its `DECLARE` on, at the pace of its reader. It goes forward only, and what has
//! been read is not kept, unless it is declared with `SCROLL` ([`scroll`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::memory_pool::MemoryPool;
use inflowave_query_api::{Notice, Portal};
use inflowave_types::{Error, QueryId, Result, SqlState};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::engine::Shared;
use crate::run::{self, Running};
use crate::transaction::Change;

pub(crate) use self::direction::{Declare, Fetch};
use self::direction::{Direction, Steps};
use self::scroll::{Kept, Walk};

mod direction;
mod scroll;

/// Cursors that a session has open at once. Each holds a running query.
const CURSORS_MAX: usize = 100;

/// An open cursor, as `pg_cursors` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorInfo {
    pub name: String,
    /// The statement that declared it.
    pub statement: String,
    pub hold: bool,
    pub binary: bool,
    pub scroll: bool,
    pub declared: SystemTime,
}

#[derive(Clone)]
pub(crate) struct Cursor {
    pub info: CursorInfo,
    pub schema: SchemaRef,
    /// Savepoints that were open when it was declared.
    level: usize,
    state: Arc<tokio::sync::Mutex<State>>,
}

/// How far a cursor is.
struct State {
    source: Source,
    /// What is left of the batch that came last.
    rest: Option<RecordBatch>,
    /// The row that it stands on, as a batch of one.
    current: Option<RecordBatch>,
    /// Rows up to the one that it stands on, that one with them.
    position: u64,
    /// What has been read, of one that goes both ways.
    kept: Option<Kept>,
}

/// The query of a cursor. Once it has failed it fails each time: what has come is not all.
struct Source {
    /// `None` once it has ended; what it held ends with it, not with the cursor.
    running: Option<Running>,
    failed: Option<Error>,
}

impl Source {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let Some(running) = &mut self.running else {
            return Ok(None);
        };
        let next = running.next().await;
        match &next {
            Ok(Some(_)) => {}
            Ok(None) => self.running = None,
            Err(error) => self.fail(error.clone()),
        }
        next
    }

    fn fail(&mut self, error: Error) {
        self.running = None;
        self.failed = Some(error);
    }
}

/// The cursors of a session.
#[derive(Default)]
pub(crate) struct Cursors(HashMap<String, Cursor>);

impl Cursors {
    /// # Errors
    /// `34000`.
    pub fn get(&self, name: &str) -> Result<&Cursor> {
        self.0.get(name).ok_or_else(|| unknown(name))
    }

    /// Is there room for one of this name?
    ///
    /// # Errors
    /// `42P03`, `53400`.
    pub fn vacant(&self, name: &str) -> Result<()> {
        if self.0.contains_key(name) {
            return Err(Error::new(
                SqlState::DuplicateCursor,
                format!("cursor \"{name}\" already exists"),
            ));
        }
        if self.0.len() >= CURSORS_MAX {
            return Err(Error::new(
                SqlState::ConfigurationLimitExceeded,
                format!("a session can have at most {CURSORS_MAX} cursors at once"),
            )
            .with_hint("Close cursors that are not used any more."));
        }
        Ok(())
    }

    /// `savepoints` are open, or there is no transaction.
    pub fn open(
        &mut self,
        info: CursorInfo,
        schema: SchemaRef,
        savepoints: Option<usize>,
        running: Running,
        pool: &Arc<dyn MemoryPool>,
    ) {
        let state = State {
            kept: info.scroll.then(|| Kept::new(pool)),
            source: Source {
                running: Some(running),
                failed: None,
            },
            rest: None,
            current: None,
            position: 0,
        };
        let name = info.name.clone();
        let cursor = Cursor {
            info,
            schema,
            level: savepoints.unwrap_or(HELD),
            state: Arc::new(tokio::sync::Mutex::new(state)),
        };
        self.0.insert(name, cursor);
    }

    /// One, or all.
    ///
    /// # Errors
    /// `34000`.
    pub fn close(&mut self, name: Option<&str>) -> Result<()> {
        match name {
            None => self.0.clear(),
            Some(name) => {
                self.0.remove(name).ok_or_else(|| unknown(name))?;
            }
        }
        Ok(())
    }

    /// Follows the transaction: a cursor ends with what it was declared in. One that is held
    /// outlives its transaction, if that is committed.
    pub fn follow(&mut self, change: Change) {
        let outlived = |c: &Cursor| c.level == HELD;
        match change {
            Change::None | Change::Began | Change::Saved => {}
            Change::Committed => {
                self.0.retain(|_, c| outlived(c) || c.info.hold);
                for cursor in self.0.values_mut() {
                    cursor.level = HELD;
                }
            }
            Change::RolledBack => self.0.retain(|_, c| outlived(c)),
            Change::BackTo(savepoint) => {
                self.0.retain(|_, c| outlived(c) || c.level <= savepoint);
            }
            Change::Released(open) => {
                for cursor in self.0.values_mut().filter(|c| !outlived(c)) {
                    cursor.level = cursor.level.min(open);
                }
            }
        }
    }

    /// Sorted by name.
    pub fn infos(&self) -> Vec<CursorInfo> {
        let mut infos: Vec<CursorInfo> = self.0.values().map(|c| c.info.clone()).collect();
        infos.sort_by(|a, b| a.name.cmp(&b.name));
        infos
    }
}

/// The level of a cursor that has outlived its transaction.
const HELD: usize = usize::MAX;

fn unknown(name: &str) -> Error {
    Error::new(
        SqlState::InvalidCursorName,
        format!("cursor \"{name}\" does not exist"),
    )
    .with_hint("A cursor ends with its transaction, unless it was declared WITH HOLD.")
}

/// A `FETCH` or a `MOVE` that runs.
pub(crate) struct Fetching {
    shared: Arc<Shared>,
    query_id: QueryId,
    cursor: Arc<tokio::sync::Mutex<State>>,
    cancel: CancellationToken,
    timeout: Option<Duration>,
    direction: Direction,
    /// Rows are counted and not given.
    moves: bool,
    steps: Option<Steps>,
    /// The same, of a cursor that goes both ways.
    walk: Option<Walk>,
    begun: Instant,
    rows: u64,
    ended: bool,
    notices: Arc<Mutex<Vec<Notice>>>,
}

/// What a `FETCH` runs with.
pub(crate) struct Turn {
    pub shared: Arc<Shared>,
    pub query_id: QueryId,
    pub cancel: CancellationToken,
    pub timeout: Option<Duration>,
    pub notices: Arc<Mutex<Vec<Notice>>>,
}

impl Fetching {
    pub fn start(turn: Turn, cursor: &Cursor, fetch: &Fetch) -> Fetching {
        turn.shared.registry.running(turn.query_id);
        Fetching {
            shared: turn.shared,
            query_id: turn.query_id,
            cursor: Arc::clone(&cursor.state),
            cancel: turn.cancel,
            timeout: turn.timeout,
            direction: fetch.direction,
            moves: fetch.moves,
            steps: None,
            walk: None,
            begun: Instant::now(),
            rows: 0,
            ended: false,
            notices: turn.notices,
        }
    }

    /// The next rows of its own: `None` at the end of its turn.
    async fn turn(&mut self) -> Result<Option<RecordBatch>> {
        let mut state = self.cursor.lock().await;
        let state = &mut *state;
        if let Some(kept) = &mut state.kept {
            let (position, source) = (&mut state.position, &mut state.source);
            let mut walk = match self.walk {
                Some(walk) => walk,
                None => kept.walk(self.direction, position, source).await?,
            };
            let given = kept.step(&mut walk, position, source).await;
            self.walk = Some(walk);
            return given;
        }
        let steps = match &mut self.steps {
            Some(steps) => steps,
            none => none.insert(self.direction.steps(state.position, state.is_behind())?),
        };
        if steps.again {
            steps.again = false;
            return Ok(state.current.clone());
        }
        while steps.skip > 0 {
            let Some(batch) = state.pull(steps.skip).await? else {
                let last = steps.last.take().filter(|_| steps.gives_last);
                if last.is_some() {
                    state.current.clone_from(&last);
                }
                return Ok(last);
            };
            steps.skip -= batch.num_rows() as u64;
            if steps.gives_last {
                steps.last = state.current.clone();
            }
        }
        if steps.take == 0 {
            return Ok(None);
        }
        let batch = state.pull(steps.take).await?;
        if let Some(batch) = &batch {
            steps.take -= batch.num_rows() as u64;
        }
        Ok(batch)
    }

    fn end(&mut self, outcome: Result<bool, &Error>) {
        self.ended = true;
        self.shared.registry.end_query(self.query_id, outcome);
    }
}

impl State {
    /// At most `rows` rows; `None` when there are no more.
    async fn pull(&mut self, rows: u64) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.rest.take().filter(|b| b.num_rows() > 0) {
                let most = usize::try_from(rows).unwrap_or(usize::MAX);
                let n = batch.num_rows().min(most);
                if n < batch.num_rows() {
                    self.rest = Some(batch.slice(n, batch.num_rows() - n));
                }
                let taken = batch.slice(0, n);
                self.current = Some(taken.slice(n - 1, 1));
                self.position += n as u64;
                return Ok(Some(taken));
            }
            match self.source.next().await {
                Ok(Some(batch)) => self.rest = Some(batch),
                Ok(None) => {
                    self.current = None;
                    return Ok(None);
                }
                Err(error) => {
                    self.current = None;
                    return Err(error);
                }
            }
        }
    }

    /// Has a turn met the end?
    fn is_behind(&self) -> bool {
        self.source.running.is_none() && self.current.is_none()
    }
}

#[async_trait]
impl Portal for Fetching {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.ended {
            return Ok(None);
        }
        let cancel = self.cancel.clone();
        loop {
            let left = self.timeout.map(|t| t.saturating_sub(self.begun.elapsed()));
            let turned = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(run::canceled()),
                turned = self.turn() => turned,
                () = run::elapsed(left) => Err(run::timed_out()),
            };
            match turned {
                Ok(Some(batch)) => {
                    self.rows += batch.num_rows() as u64;
                    if self.moves {
                        continue;
                    }
                    self.shared.registry.delivered(self.query_id, &batch);
                    return Ok(Some(batch));
                }
                Ok(None) => {
                    self.end(Ok(true));
                    return Ok(None);
                }
                Err(error) => {
                    self.end(Err(&error));
                    return Err(error);
                }
            }
        }
    }

    fn tag(&self) -> String {
        let verb = if self.moves { "MOVE" } else { "FETCH" };
        format!("{verb} {}", self.rows)
    }

    fn notices(&self) -> Vec<Notice> {
        self.notices.lock().clone()
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Ok(false));
        }
    }
}

//! A statement that runs: a task on the CPU runtime, and the portal that reads from it.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::physical_plan::execute_stream;
use futures::{FutureExt, Stream, StreamExt};
use inflowave_federation::Pushdown;
use inflowave_query_api::{Notice, Portal};
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::ddl;
use crate::engine::Shared;
use crate::explain;
use crate::extension::Command;
use crate::plan::{Context, Planned};
use crate::verify::Fingerprint;

/// Batches that wait between the query and the client, at most.
const BATCHES_WAITING_MAX: usize = 2;

/// What a portal runs.
pub(crate) enum Work {
    /// Rows that are there already, with their command tag.
    Done(Option<RecordBatch>, String),
    Query(Planned),
    /// Both plans; the rows are those of the first.
    Verify {
        on: Planned,
        off: Planned,
    },
    Analyze(Planned),
    Ddl(Arc<ddl::Statement>),
    Command(Arc<dyn Command>),
}

/// The last message is `None` or an error, so that a task that dies is never taken for the end.
type Item = Result<Option<RecordBatch>>;

pub(crate) struct Running {
    shared: Arc<Shared>,
    session: SessionId,
    query_id: QueryId,
    receiver: mpsc::Receiver<Item>,
    rows: u64,
    ended: bool,
    tag: Option<String>,
    /// What a tag that counts rows begins with.
    verb: &'static str,
    notices: Arc<Mutex<Vec<Notice>>>,
    cancel: CancellationToken,
    _guard: DropGuard,
}

impl Running {
    pub fn start(context: Context, work: Work) -> Running {
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
        let shared = Arc::clone(&context.shared);
        let (session, query_id) = (context.session, context.query_id);
        let (cancel, notices) = (context.cancel.clone(), Arc::clone(&context.notices));
        shared.registry.running(query_id);
        let tag = match &work {
            Work::Done(_, tag) => Some(tag.clone()),
            Work::Analyze(_) => Some("EXPLAIN".to_owned()),
            Work::Ddl(statement) => Some(statement.tag().to_owned()),
            Work::Command(command) => Some(command.tag().to_owned()),
            _ => None,
        };
        let timeout = context.settings.statement_timeout();
        let cpu = shared.runtimes.cpu.clone();
        let token = cancel.clone();
        cpu.spawn(async move {
            let work = AssertUnwindSafe(run(&context, work, &sender)).catch_unwind();
            let outcome = tokio::select! {
                outcome = work => outcome.unwrap_or_else(|_| Err(died(query_id))),
                () = token.cancelled() => Err(canceled()),
                () = elapsed(timeout) => Err(timed_out()),
            };
            // Nobody listens any more when the portal was dropped.
            let _ = sender.send(outcome.map(|()| None)).await;
        });
        Running {
            shared,
            session,
            query_id,
            receiver,
            rows: 0,
            ended: false,
            tag,
            verb: "SELECT",
            notices,
            _guard: cancel.clone().drop_guard(),
            cancel,
        }
    }

    /// With another word in its command tag.
    pub fn counting(mut self, verb: &'static str) -> Running {
        self.verb = verb;
        self
    }

    fn end(&mut self, outcome: Result<bool, &Error>) {
        self.ended = true;
        self.shared.registry.end_query(self.query_id, outcome);
    }
}

#[async_trait]
impl Portal for Running {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.ended {
            return Ok(None);
        }
        self.shared
            .registry
            .continues(self.session, self.query_id, &self.cancel);
        // A cancelled client is answered at once, while its task drains.
        let item = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Some(Err(canceled())),
            item = self.receiver.recv() => item,
        };
        match item.unwrap_or_else(|| Err(died(self.query_id))) {
            Ok(Some(batch)) => {
                self.rows += batch.num_rows() as u64;
                self.shared.registry.delivered(self.query_id, &batch);
                Ok(Some(batch))
            }
            Ok(None) => {
                self.end(Ok(true));
                Ok(None)
            }
            Err(error) => {
                self.end(Err(&error));
                Err(error)
            }
        }
    }

    fn tag(&self) -> String {
        self.tag
            .clone()
            .unwrap_or_else(|| format!("{} {}", self.verb, self.rows))
    }

    fn notices(&self) -> Vec<Notice> {
        self.notices.lock().clone()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Ok(false));
        }
    }
}

/// A statement that has had its effect: its tag is all there is of it.
pub(crate) struct Told {
    tag: &'static str,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Told {
    pub fn new(tag: &'static str, notices: Arc<Mutex<Vec<Notice>>>) -> Told {
        Told { tag, notices }
    }
}

#[async_trait]
impl Portal for Told {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        Ok(None)
    }

    fn tag(&self) -> String {
        self.tag.to_owned()
    }

    fn notices(&self) -> Vec<Notice> {
        self.notices.lock().clone()
    }
}

async fn run(context: &Context, work: Work, sender: &mpsc::Sender<Item>) -> Result<()> {
    match work {
        Work::Done(rows, _) => {
            if let Some(rows) = rows {
                deliver(sender, rows).await?;
            }
            Ok(())
        }
        Work::Ddl(statement) => ddl::run(context, &statement).await,
        Work::Command(command) => {
            let notices = command.run(&context.view).await?;
            context.tell(notices);
            Ok(())
        }
        Work::Query(planned) => {
            let mut batches = batches(context, &planned)?;
            while let Some(batch) = batches.next().await {
                deliver(sender, batch?).await?;
            }
            Ok(())
        }
        Work::Verify { on, off } => {
            let mut pushed = Fingerprint::of(&on)?;
            let mut rows = batches(context, &on)?;
            while let Some(batch) = rows.next().await {
                let batch = batch?;
                pushed.add(&batch)?;
                deliver(sender, batch).await?;
            }
            let mut local = Fingerprint::of(&on)?;
            let mut rows = batches(context, &off)?;
            while let Some(batch) = rows.next().await {
                local.add(&batch?)?;
            }
            pushed.compare(&local)
        }
        Work::Analyze(planned) => {
            let mut rows = batches(context, &planned)?;
            while let Some(batch) = rows.next().await {
                batch?;
            }
            deliver(sender, explain::analyzed(&planned)?).await
        }
    }
}

/// Waits for a client that reads slowly.
async fn deliver(sender: &mpsc::Sender<Item>, batch: RecordBatch) -> Result<()> {
    sender.send(Ok(Some(batch))).await.map_err(|_| canceled())
}

type Batches = Pin<Box<dyn Stream<Item = Result<RecordBatch>> + Send>>;

fn batches(context: &Context, planned: &Planned) -> Result<Batches> {
    let stream = execute_stream(Arc::clone(&planned.plan), Arc::clone(&planned.task))
        .map_err(|e| context.error(&e))?;
    let (context, schema) = (context.clone(), Arc::clone(&planned.schema));
    Ok(Box::pin(stream.map(move |batch| {
        renamed(batch.map_err(|e| context.error(&e))?, &schema)
    })))
}

fn renamed(batch: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    use arrow::array::RecordBatchOptions;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (_, columns, _) = batch.into_parts();
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
        .map_err(|e| Error::internal(format!("rows of another schema than was planned: {e}")))
}

/// Never, without a timeout.
pub(crate) async fn elapsed(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
}

pub(crate) fn canceled() -> Error {
    Error::new(
        SqlState::QueryCanceled,
        "canceling statement due to user request",
    )
}

pub(crate) fn timed_out() -> Error {
    Error::new(
        SqlState::QueryCanceled,
        "canceling statement due to statement timeout",
    )
    .with_hint("Raise statement_timeout, or set it to 0.")
}

/// What a client sees of a panic: the query's id, by which the log has the rest.
pub(crate) fn died(query_id: QueryId) -> Error {
    Error::internal(format!("internal error in query {query_id}"))
        .with_hint("The server's log names the query and the cause.")
}

/// Which pushdown the plans of a statement are made with.
pub(crate) fn first(pushdown: Pushdown) -> Pushdown {
    match pushdown {
        Pushdown::Off => Pushdown::Off,
        Pushdown::On | Pushdown::Verify => Pushdown::On,
    }
}

//! One remote query: prepared, bound, streamed row by row into batches, cancelled when nobody
//! wants it any more.
//!
//! A task on the I/O runtime owns the session and hands batches over a channel of one place, so
//! that a reader that waits makes the server wait. The task says when it is done; a channel that
//! closes without that word is an error, never the end of the rows.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use datafusion_common::ScalarValue;
use futures::stream;
use inflowave_connector_api::{BatchStream, RemoteQuery, ScanContext};
use inflowave_types::{Error, Result, SqlState};
use mysql_async::prelude::Queryable;
use mysql_async::{BinaryProtocol, Params, QueryResult, Value};
use tokio::sync::mpsc;

use crate::client::{Client, Lease};
use crate::decode::ColumnSink;
use crate::session::Session;

/// A batch is handed on when its values take this much, however few its rows are.
const BATCH_BYTES: usize = 8 << 20;

/// What the task tells the stream.
enum Message {
    /// The first row can be asked for.
    Open,
    Batch(RecordBatch),
    Failed(Error),
    Done,
}

/// Starts `query` and waits until the source has begun to answer it.
///
/// # Errors
/// As of [`Client::acquire`] and of the server; `57014` if it was cancelled.
pub async fn execute(
    client: Client,
    query: Arc<RemoteQuery>,
    context: ScanContext,
) -> Result<BatchStream> {
    let (sender, mut receiver) = mpsc::channel(1);
    let io = client.io().clone();
    io.spawn(drive(client, query, context, sender));
    match receiver.recv().await {
        Some(Message::Open) => Ok(Box::pin(batches(receiver))),
        Some(Message::Failed(error)) => Err(error),
        _ => Err(broken_off()),
    }
}

fn batches(
    receiver: mpsc::Receiver<Message>,
) -> impl futures::Stream<Item = Result<RecordBatch>> + Send {
    stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Message::Batch(batch)) => Some((Ok(batch), Some(receiver))),
            Some(Message::Failed(error)) => Some((Err(error), None)),
            Some(Message::Done) => None,
            Some(Message::Open) | None => Some((Err(broken_off()), None)),
        }
    })
}

fn broken_off() -> Error {
    Error::internal("the task that reads from the source ended before its work did")
}

/// The task: from a free session to the last batch.
async fn drive(
    client: Client,
    query: Arc<RemoteQuery>,
    context: ScanContext,
    sender: mpsc::Sender<Message>,
) {
    let mut lease = None;
    let outcome = tokio::select! {
        biased;
        () = context.cancel.cancelled() => Err(Some(cancelled(&client))),
        () = sender.closed() => Err(None),
        result = read(&client, &query, &context, &sender, &mut lease) => result.map_err(Some),
    };
    let failure = match outcome {
        Ok(()) => {
            // Back into the pool before the reader has taken the last batch.
            drop(lease);
            let _ = sender.send(Message::Done).await;
            return;
        }
        Err(failure) => failure,
    };
    // The user is answered while the source is settled.
    let tell = async {
        if let Some(error) = failure {
            let _ = sender.send(Message::Failed(error)).await;
        }
    };
    let settle = async {
        let Some(mut lease) = lease else { return };
        if lease.session().is_ok_and(|session| !session.clean) {
            tracing::debug!(
                catalog = client.catalog(),
                query_id = context.query_id.0,
                "cancelling at the source"
            );
            lease.kill().await;
        }
    };
    tokio::join!(tell, settle);
}

/// Runs the query. The session stands in `slot` from when it runs something, so that whoever drops
/// this future can kill that.
async fn read(
    client: &Client,
    query: &RemoteQuery,
    context: &ScanContext,
    sender: &mpsc::Sender<Message>,
    slot: &mut Option<Lease>,
) -> Result<()> {
    let params: Vec<Value> = query.params.iter().map(bound).collect::<Result<_>>()?;
    // Prepared, for the rows then come in binary: in text a FLOAT has lost digits.
    let (lease, statement) = client.prepared(&query.text).await?;
    let session = slot.insert(lease).session()?;
    session.clean = false;
    let running = |session: &mut Session, e: &mysql_async::Error| {
        // After an error of the server nothing more comes, and the session may be used again.
        session.clean = matches!(e, mysql_async::Error::Server(_));
        client.speaker().running(e)
    };
    let executed = session
        .conn()?
        .exec_iter(&statement, Params::from(params))
        .await;
    let rows = match executed {
        Ok(rows) => rows,
        Err(e) => return Err(running(session, &e)),
    };
    match forward(client, rows, query, context, sender).await {
        Ok(()) => {}
        Err(Stop::Source(e)) => return Err(running(session, &e)),
        Err(Stop::Ours(error)) => return Err(error),
    }
    // Kept statements would pile up at the server: each of these texts is seen about once.
    let closed = session.conn()?.close(statement).await;
    session.clean = closed.is_ok();
    Ok(())
}

/// Who broke off the reading.
enum Stop {
    Source(mysql_async::Error),
    Ours(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Ours(error)
    }
}

async fn forward(
    client: &Client,
    mut rows: QueryResult<'_, '_, BinaryProtocol>,
    query: &RemoteQuery,
    context: &ScanContext,
    sender: &mpsc::Sender<Message>,
) -> Result<(), Stop> {
    let mut batch = BatchMaker::new(client, &rows, query)?;
    send(sender, Message::Open).await?;
    let rows_max = context.batch_rows.max(1);
    loop {
        let row = rows.next().await.map_err(Stop::Source)?;
        let Some(row) = row else { break };
        batch.push(&row)?;
        if batch.rows >= rows_max || batch.bytes >= BATCH_BYTES {
            send(sender, Message::Batch(batch.finish()?)).await?;
        }
    }
    if batch.rows > 0 {
        send(sender, Message::Batch(batch.finish()?)).await?;
    }
    Ok(())
}

/// Hands on a message; the reader having gone shows in [`drive`], which drops this future.
async fn send(sender: &mpsc::Sender<Message>, message: Message) -> Result<()> {
    let sent = sender.send(message).await;
    sent.map_err(|_| Error::internal("nobody reads the rows any more"))
}

/// Gathers rows.
struct BatchMaker<'a> {
    query: &'a RemoteQuery,
    sinks: Vec<ColumnSink>,
    rows: usize,
    /// Of texts and bytes; other values are small.
    bytes: usize,
}

impl<'a> BatchMaker<'a> {
    fn new(
        client: &Client,
        rows: &QueryResult<'_, '_, BinaryProtocol>,
        query: &'a RemoteQuery,
    ) -> Result<BatchMaker<'a>> {
        let fields = query.schema.fields();
        let columns = rows.columns_ref();
        // A plan that needs no column still has rows to count: its SQL selects a constant.
        if !fields.is_empty() && fields.len() != columns.len() {
            return Err(client
                .speaker()
                .say(
                    SqlState::InvalidTableDefinition,
                    format!(
                        "the source sends {} columns where {} were planned",
                        columns.len(),
                        fields.len()
                    ),
                )
                .with_hint(
                    "The table changed after the statement was planned; run the statement again.",
                ));
        }
        let mapping = client.settings().mapping;
        let sinks = fields
            .iter()
            .zip(columns)
            .enumerate()
            .map(|(i, (field, column))| {
                let origin = query.origins.get(i).cloned().flatten();
                ColumnSink::new(column, field, origin, mapping)
            })
            .collect::<Result<_>>()?;
        Ok(BatchMaker {
            query,
            sinks,
            rows: 0,
            bytes: 0,
        })
    }

    fn push(&mut self, row: &mysql_async::Row) -> Result<()> {
        for (i, sink) in self.sinks.iter_mut().enumerate() {
            let value = row.as_ref(i).unwrap_or(&Value::NULL);
            if let Value::Bytes(bytes) = value {
                self.bytes += bytes.len();
            }
            sink.push(value)?;
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        let arrays = self.sinks.iter_mut().map(ColumnSink::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new_with_options(Arc::clone(&self.query.schema), arrays, &options)
            .map_err(|e| Error::internal(format!("a batch does not fit its schema: {e}")))
    }
}

/// A bound value. Only what the driver sends without loss: the dialect writes decimals, dates and
/// bytes into the text.
fn bound(value: &ScalarValue) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::NULL);
    }
    Ok(match value {
        ScalarValue::Boolean(Some(v)) => Value::Int(i64::from(*v)),
        ScalarValue::Int8(Some(v)) => Value::Int(i64::from(*v)),
        ScalarValue::Int16(Some(v)) => Value::Int(i64::from(*v)),
        ScalarValue::Int32(Some(v)) => Value::Int(i64::from(*v)),
        ScalarValue::Int64(Some(v)) => Value::Int(*v),
        ScalarValue::UInt64(Some(v)) => Value::UInt(*v),
        ScalarValue::Float64(Some(v)) if v.is_finite() => Value::Double(*v),
        ScalarValue::Utf8(Some(v))
        | ScalarValue::LargeUtf8(Some(v))
        | ScalarValue::Utf8View(Some(v)) => Value::Bytes(v.clone().into_bytes()),
        other => {
            return Err(Error::internal(format!(
                "a {} cannot be bound at this source",
                other.data_type()
            )));
        }
    })
}

fn cancelled(client: &Client) -> Error {
    client
        .speaker()
        .say(SqlState::QueryCanceled, "the query was cancelled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_would_lose_digits_are_not_bound() {
        assert_eq!(bound(&ScalarValue::Int64(Some(7))).unwrap(), Value::Int(7));
        assert_eq!(bound(&ScalarValue::Utf8View(None)).unwrap(), Value::NULL);
        assert_eq!(
            bound(&ScalarValue::Utf8View(Some("a'b".to_owned()))).unwrap(),
            Value::Bytes(b"a'b".to_vec())
        );
        assert!(bound(&ScalarValue::Decimal128(Some(1), 10, 2)).is_err());
        assert!(bound(&ScalarValue::Float64(Some(f64::NAN))).is_err());
    }
}

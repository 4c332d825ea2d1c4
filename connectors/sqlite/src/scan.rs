//! Running a remote query: a thread of its own steps SQLite and sends batches through a channel
//! that holds few, so that a slow reader holds the query back.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use datafusion_common::ScalarValue;
use futures::{FutureExt, Stream};
use inflowave_connector_api::{BatchStream, RemoteQuery, ScanContext};
use inflowave_types::{Error, Result, SqlState};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Statement};
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::decode::BatchBuilder;
use crate::pool::{Lease, Pool, StopOnDrop};
use crate::{error, schema, types, value};

/// Batches between SQLite's thread and the reader.
const BATCHES_AHEAD_MAX: usize = 2;

/// `None` tells the end, so that a thread that dies is not taken for one.
type Message = Result<Option<RecordBatch>>;

/// Starts `query`. The stream ends it when it is dropped.
///
/// # Errors
/// `53300`, `57014` while it waits for a connection; all else comes through the stream.
pub async fn start(
    pool: &Arc<Pool>,
    query: Arc<RemoteQuery>,
    context: ScanContext,
) -> Result<BatchStream> {
    let permit = tokio::select! {
        permit = pool.permit() => permit?,
        () = context.cancel.cancelled() => return Err(cancelled()),
    };
    let (sender, receiver) = mpsc::channel(BATCHES_AHEAD_MAX);
    let dropped = StopOnDrop::default();
    let stop = stop_signal(&dropped, &context.cancel);
    let (owner, rows_max) = (Arc::clone(pool), context.batch_rows.max(1));
    pool.io().spawn_blocking(move || {
        let end = owner
            .connection(permit, stop)
            .and_then(|lease| run(&lease, &owner, &query, rows_max, &sender));
        // The connection is back in the pool before the reader learns of the end.
        // The connection is back in the pool before the reader learns of the end.
        // A reader that is gone needs no end.
        let _ = sender.blocking_send(end.map(|()| None));
    });
    Ok(Box::pin(Rows {
        receiver,
        cancelled: Box::pin(context.cancel.cancelled_owned()),
        _dropped: dropped,
        ended: false,
    }))
}

fn stop_signal(
    dropped: &StopOnDrop,
    cancel: &CancellationToken,
) -> impl Fn() -> bool + Send + 'static {
    let (dropped, cancel) = (dropped.flag(), cancel.clone());
    move || dropped.load(Ordering::Relaxed) || cancel.is_cancelled()
}

fn cancelled() -> Error {
    Error::new(SqlState::QueryCanceled, "query cancelled")
}

/// Runs the query to its end, or until nobody reads any more.
fn run(
    lease: &Lease,
    pool: &Pool,
    query: &RemoteQuery,
    rows_max: usize,
    sender: &mpsc::Sender<Message>,
) -> Result<()> {
    let catalog = pool.catalog();
    let told = |e: rusqlite::Error| error::from_sqlite(catalog, &e);
    let connection = lease.get();
    let mut statement = connection.prepare_cached(&query.text).map_err(told)?;
    bind(&mut statement, catalog, &query.params)?;
    let width = query.schema.fields().len();
    let mut builder = BatchBuilder::new(Arc::clone(&query.schema), labels(query), pool.rules())?;
    let mut rows = statement.raw_query();
    let mut checked = false;
    while let Some(row) = rows.next().map_err(told)? {
        // Only the first step makes SQLite look whether the tables have changed.
        if !std::mem::replace(&mut checked, true) {
            check_columns(row.as_ref(), catalog, query)?;
        }
        for index in 0..width {
            let value = row.get_ref(index).map_err(told)?;
            if let Err(error) = builder.append(index, value) {
                return Err(located(error, connection, catalog, query, index, value));
            }
        }
        builder.end_row();
        if builder.is_full(rows_max) && sender.blocking_send(builder.finish().map(Some)).is_err() {
            return Ok(());
        }
    }
    if !builder.is_empty() {
        // A failure means that the reader is gone.
        let _ = sender.blocking_send(builder.finish().map(Some));
    }
    Ok(())
}

/// The statement must still give what was planned: SQLite has no plan of its own that could be
/// out of date, so a changed table is only seen here.
fn check_columns(statement: &Statement<'_>, catalog: &str, query: &RemoteQuery) -> Result<()> {
    let columns = statement.columns();
    let width = query.schema.fields().len();
    if width > 0 && columns.len() != width {
        return Err(Error::internal(format!(
            "a query of catalog \"{catalog}\" gives {} columns, not {width}",
            columns.len()
        )));
    }
    for ((column, field), origin) in columns
        .iter()
        .zip(query.schema.fields())
        .zip(&query.origins)
    {
        // Only a column that is passed through has a declared type.
        let (Some((table, name)), Some(declared)) = (origin, column.decl_type()) else {
            continue;
        };
        if types::map(declared).data_type != *field.data_type() {
            return Err(error::drifted(
                catalog,
                &format!("column {table}.{name} is now declared {declared}"),
            ));
        }
    }
    Ok(())
}

fn bind(statement: &mut Statement<'_>, catalog: &str, params: &[ScalarValue]) -> Result<()> {
    if statement.parameter_count() != params.len() {
        return Err(Error::internal(format!(
            "a query of catalog \"{catalog}\" takes {} parameters, not {}",
            statement.parameter_count(),
            params.len()
        )));
    }
    for (index, param) in params.iter().enumerate() {
        statement
            .raw_bind_parameter(index + 1, bound(param)?)
            .map_err(|e| error::from_sqlite(catalog, &e))?;
    }
    Ok(())
}

/// A value as SQLite is told it: times as the text that columns hold.
fn bound(param: &ScalarValue) -> Result<Value> {
    use ScalarValue as S;
    let integer = |n: Option<i64>| n.map_or(Value::Null, Value::Integer);
    Ok(match param {
        S::Null => Value::Null,
        S::Boolean(b) => integer(b.map(i64::from)),
        S::Int8(n) => integer(n.map(i64::from)),
        S::Int16(n) => integer(n.map(i64::from)),
        S::Int32(n) => integer(n.map(i64::from)),
        S::Int64(n) => integer(*n),
        S::UInt8(n) => integer(n.map(i64::from)),
        S::UInt16(n) => integer(n.map(i64::from)),
        S::UInt32(n) => integer(n.map(i64::from)),
        S::Float32(x) => x.map_or(Value::Null, |x| Value::Real(x.into())),
        S::Float64(x) => x.map_or(Value::Null, Value::Real),
        S::Utf8(t) | S::Utf8View(t) | S::LargeUtf8(t) => t.clone().map_or(Value::Null, Value::Text),
        S::Binary(b) | S::BinaryView(b) | S::LargeBinary(b) => {
            b.clone().map_or(Value::Null, Value::Blob)
        }
        S::Date32(d) => d.map_or(Value::Null, |d| Value::Text(value::date_text(d))),
        S::Time64Microsecond(t) => t.map_or(Value::Null, |t| Value::Text(value::time_text(t))),
        S::TimestampMicrosecond(t, _) => {
            t.map_or(Value::Null, |t| Value::Text(value::timestamp_text(t)))
        }
        other => {
            return Err(Error::internal(format!(
                "a parameter of type {} for sqlite",
                other.data_type()
            )));
        }
    })
}

/// What messages call each column: where it is read from, or how the query names it.
fn labels(query: &RemoteQuery) -> Vec<String> {
    let fields = query.schema.fields().iter();
    fields
        .enumerate()
        .map(|(index, field)| match query.origins.get(index) {
            Some(Some((table, column))) => format!("{table}.{column}"),
            _ => field.name().clone(),
        })
        .collect()
}

/// Adds the rowid of a row that holds the value, if there is one to be found.
fn located(
    error: Error,
    connection: &Connection,
    catalog: &str,
    query: &RemoteQuery,
    index: usize,
    value: ValueRef<'_>,
) -> Error {
    let Some(Some((table, column))) = query.origins.get(index) else {
        return error;
    };
    let Some(table) = table.strip_prefix(&format!("{catalog}.{}.", schema::SCHEMA)) else {
        return error;
    };
    let column = schema::quoted(column);
    let sql = format!(
        "SELECT rowid FROM main.{} WHERE typeof({column}) = typeof(?1) AND {column} IS ?1 LIMIT 1",
        schema::quoted(table)
    );
    match connection.query_row(&sql, [ToSqlOutput::Borrowed(value)], |row| {
        row.get::<_, i64>(0)
    }) {
        Ok(rowid) => error.with_detail(format!("The row has rowid {rowid}.")),
        Err(_) => error,
    }
}

/// The reader's end.
struct Rows {
    receiver: mpsc::Receiver<Message>,
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    _dropped: StopOnDrop,
    ended: bool,
}

impl Stream for Rows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = if self.cancelled.poll_unpin(cx).is_ready() {
            Some(Err(cancelled()))
        } else {
            match self.receiver.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(Some(batch)))) => Some(Ok(batch)),
                Poll::Ready(Some(Ok(None))) => None,
                Poll::Ready(Some(Err(error))) => Some(Err(error)),
                Poll::Ready(None) => Some(Err(Error::internal(
                    "the thread of a sqlite query ended before its rows",
                ))),
            }
        };
        if !matches!(next, Some(Ok(_))) {
            self.ended = true;
            // The thread may wait for room in the channel: it learns here that it need not.
            self.receiver.close();
        }
        Poll::Ready(next)
    }
}

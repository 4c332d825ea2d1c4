//! A remote query as a stream of record batches.
//!
//! Back-pressure: the driver's connection task hands over what one read of the socket gave, holds
//! one such piece back when nobody takes it, and then reads no further (`poll_read` in the
//! driver's `connection.rs`); the kernel's buffers fill and the server waits. So a slow consumer
//! costs a batch and a few kilobytes, whatever the size of the result.
//!
//! The statement is prepared first and not sent in one go: the driver asks the server about types
//! that it does not know, and would wait for that answer behind rows that nobody takes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{RecordBatch, RecordBatchOptions};
use futures::Stream;
use inflowave_connector_api::{BatchStream, RemoteQuery, ScanContext};
use inflowave_types::{Error, Result, SqlState};
use tokio::runtime::Handle;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Client, Row, RowStream, Statement};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::bind::{Bound, bind};
use crate::client::{Exported, Pool, Running};
use crate::decode::{Decode, Flaw, decoder};
use crate::error::{Site, cancelled, is_gone};
use crate::types::{cast, is_readable};

/// A batch is handed over early when its rows have this many bytes on the wire.
const BATCH_BYTES_MAX: usize = 8 << 20;

/// What a scan needs of its source.
#[derive(Clone)]
pub(crate) struct Scanner {
    pub pool: Arc<Pool>,
    /// Sessions that hold a snapshot. They are others than those of scans, so that who holds one and
    /// waits for a scan cannot wait for itself.
    pub holders: Arc<Pool>,
    pub site: Arc<Site>,
    pub io: Handle,
    pub numeric_as_text: bool,
}

impl Scanner {
    pub(crate) async fn scan(
        &self,
        query: Arc<RemoteQuery>,
        context: ScanContext,
    ) -> Result<BatchStream> {
        let params = bind(&query.params)?;
        let cancel = context.cancel.clone();
        // Whichever way this ends, dropping what `start` holds cancels at the source.
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(cancelled()),
            started = self.start(query, params, context) => started,
        }
    }

    /// The state of now; `None` from a server that does not export it.
    pub(crate) async fn snapshot(&self) -> Result<Option<Exported>> {
        let session = self.holders.get().await?;
        Exported::open(Running::new(session, self.io.clone()), &self.site).await
    }

    /// Begins to read the state that the query is asked of, if it is of one.
    async fn begin(
        &self,
        running: &mut Running,
        context: &ScanContext,
    ) -> std::result::Result<(), Failure> {
        let Some(snapshot) = &context.snapshot else {
            return Ok(());
        };
        // The catalog can have become one of another kind of source since.
        let Some(exported) = snapshot.held::<Exported>() else {
            return Err(Failure::Ours(self.site.replaced()));
        };
        match running.begin(&exported.import()).await {
            Ok(_) => Ok(()),
            Err(error) if is_gone(&error) => Err(Failure::Driver(error)),
            Err(error) => Err(Failure::Ours(exported.unreadable(&self.site, &error))),
        }
    }

    async fn start(
        &self,
        query: Arc<RemoteQuery>,
        params: Vec<Bound>,
        context: ScanContext,
    ) -> Result<BatchStream> {
        let types: Vec<Type> = params.iter().map(|p| p.ty.clone()).collect();
        let (running, statement) = loop {
            let session = self.pool.get().await?;
            let used = session.used;
            let mut running = Running::new(session, self.io.clone());
            let prepared = match self.begin(&mut running, &context).await {
                Ok(()) => self.prepare(&running, &query, &types).await,
                Err(failure) => Err(failure),
            };
            match prepared {
                Ok(statement) => break (running, statement),
                Err(Failure::Driver(error)) => {
                    running.failed();
                    // The server closed the session while it rested; nothing has run in it yet.
                    if used && is_gone(&error) {
                        continue;
                    }
                    return Err(self.site.querying(&error));
                }
                Err(Failure::Ours(error)) => {
                    running.finished();
                    return Err(error);
                }
            }
        };
        let decoders = Columns::new(&query, &statement, &self.site)?;
        let rows = match client(&running)?.query_raw(&statement, params).await {
            Ok(rows) => rows,
            Err(error) => {
                running.failed();
                return Err(self.failure(&error, &context));
            }
        };
        Ok(Box::pin(Scan {
            rows: Some(Box::pin(rows)),
            running: Some(running),
            columns: decoders,
            cancel: Box::pin(context.cancel.clone().cancelled_owned()),
            scanner: self.clone(),
            query,
            context,
        }))
    }

    /// Prepares the query, with casts for the columns that can be read as text only.
    async fn prepare(
        &self,
        running: &Running,
        query: &RemoteQuery,
        types: &[Type],
    ) -> Result<Statement, Failure> {
        let client = client(running).map_err(Failure::Ours)?;
        let statement = client.prepare_typed(&query.text, types).await?;
        let columns = statement.columns();
        let fields = query.schema.fields();
        if fields.is_empty() {
            return Ok(statement);
        }
        if columns.len() != fields.len() {
            return Err(Failure::Ours(self.site.changed(format_args!(
                "{} columns were planned, the source has {}",
                fields.len(),
                columns.len()
            ))));
        }
        let mut casts = vec![None; fields.len()];
        for (index, (column, field)) in columns.iter().zip(fields).enumerate() {
            let target = field.data_type();
            if is_readable(column.type_(), target, self.numeric_as_text) {
                continue;
            }
            casts[index] = cast(column.type_(), target);
            if casts[index].is_none() {
                return Err(Failure::Ours(self.site.changed(format_args!(
                    "{} is of type {} and was planned as {target}",
                    named(query, index),
                    column.type_()
                ))));
            }
        }
        if casts.iter().all(Option::is_none) {
            return Ok(statement);
        }
        Ok(client
            .prepare_typed(&with_casts(&query.text, &casts), types)
            .await?)
    }

    fn failure(&self, error: &tokio_postgres::Error, context: &ScanContext) -> Error {
        let by_us = context.cancel.is_cancelled()
            && error.code() == Some(&tokio_postgres::error::SqlState::QUERY_CANCELED);
        if by_us {
            cancelled()
        } else {
            self.site.querying(error)
        }
    }
}

/// A subquery keeps the order of its rows when only columns are chosen from it.
fn with_casts(text: &str, casts: &[Option<&str>]) -> String {
    let list =
        |item: &dyn Fn(usize) -> String| (0..casts.len()).map(item).collect::<Vec<_>>().join(", ");
    let output = list(&|i| match casts[i] {
        Some(ty) => format!("q.c{i}::{ty}"),
        None => format!("q.c{i}"),
    });
    format!(
        "SELECT {output} FROM ({text}) AS q ({})",
        list(&|i| format!("c{i}"))
    )
}

enum Failure {
    Driver(tokio_postgres::Error),
    Ours(Error),
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Failure::Driver(error)
    }
}

fn client(running: &Running) -> Result<&Client> {
    running
        .client()
        .ok_or_else(|| Error::internal("a running query without a session"))
}

/// A column of the output as messages name it.
fn named(query: &RemoteQuery, index: usize) -> String {
    match query.origins.get(index) {
        Some(Some((table, column))) => format!("{table}.{column}"),
        _ => match query.schema.fields().get(index) {
            Some(field) => format!("the computed column \"{}\"", field.name()),
            None => format!("column {}", index + 1),
        },
    }
}

/// The rows of one running query.
struct Scan {
    // In this order: the session settles only when nothing keeps the driver from reading on to the
    // end of the query. Both are `None` at the end.
    rows: Option<Pin<Box<RowStream>>>,
    running: Option<Running>,
    columns: Columns,
    cancel: Pin<Box<WaitForCancellationFutureOwned>>,
    scanner: Scanner,
    query: Arc<RemoteQuery>,
    context: ScanContext,
}

impl Stream for Scan {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let cancel_fired = this.rows.is_some() && this.cancel.as_mut().poll(cx).is_ready();
        if cancel_fired {
            this.stop();
            return Poll::Ready(Some(Err(cancelled())));
        }
        loop {
            let Some(rows) = &mut this.rows else {
                return Poll::Ready(None);
            };
            let full = this.columns.rows >= this.context.batch_rows.max(1)
                || this.columns.bytes >= BATCH_BYTES_MAX;
            if full {
                return Poll::Ready(Some(this.columns.batch(&this.query)));
            }
            match rows.as_mut().poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(row))) => {
                    if let Err(error) = this.columns.push(&row, &this.query, &this.scanner.site) {
                        this.stop();
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    if let Some(running) = this.end() {
                        running.failed();
                    }
                    let error = this.scanner.failure(&error, &this.context);
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => {
                    if let Some(running) = this.end() {
                        running.finished();
                    }
                    return Poll::Ready(match this.columns.rows {
                        0 => None,
                        _ => Some(this.columns.batch(&this.query)),
                    });
                }
            }
        }
    }
}

impl Scan {
    /// Ends the stream on our side; the query is cancelled.
    fn stop(&mut self) {
        drop(self.end());
    }

    /// Ends the stream; what becomes of the query is for the caller to say.
    fn end(&mut self) -> Option<Running> {
        self.rows = None;
        self.running.take()
    }
}

/// A batch being filled.
struct Columns {
    decoders: Vec<Box<dyn Decode>>,
    rows: usize,
    bytes: usize,
}

impl Columns {
    fn new(query: &RemoteQuery, statement: &Statement, site: &Site) -> Result<Columns> {
        let fields = query.schema.fields();
        let decoders = fields
            .iter()
            .zip(statement.columns())
            .enumerate()
            .map(|(index, (field, column))| {
                decoder(column.type_(), field.data_type()).ok_or_else(|| {
                    site.changed(format_args!(
                        "{} cannot be read as {}",
                        named(query, index),
                        field.data_type()
                    ))
                })
            })
            .collect::<Result<_>>()?;
        Ok(Columns {
            decoders,
            rows: 0,
            bytes: 0,
        })
    }

    fn push(&mut self, row: &Row, query: &RemoteQuery, site: &Site) -> Result<()> {
        for (index, decoder) in self.decoders.iter_mut().enumerate() {
            let Raw(value) = row.try_get(index).map_err(|e| site.lost(e))?;
            match value {
                Some(bytes) => decoder
                    .value(bytes)
                    .map_err(|flaw| flawed(flaw, query, index))?,
                None if query.schema.field(index).is_nullable() => decoder.null(),
                None => {
                    return Err(site.changed(format_args!(
                        "{} was declared NOT NULL and holds NULL",
                        named(query, index)
                    )));
                }
            }
        }
        self.rows += 1;
        self.bytes += row.raw_size_bytes();
        Ok(())
    }

    fn batch(&mut self, query: &RemoteQuery) -> Result<RecordBatch> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let arrays = self.decoders.iter_mut().map(|d| d.finish()).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&query.schema), arrays, &options)
            .map_err(|e| Error::internal(format!("a batch does not fit its schema: {e}")))
    }
}

fn flawed(flaw: Flaw, query: &RemoteQuery, index: usize) -> Error {
    let error = Error::new(
        flaw.sqlstate,
        format!(
            "value {} of {} {}",
            flaw.value,
            named(query, index),
            flaw.reason
        ),
    );
    match flaw.sqlstate {
        SqlState::NumericValueOutOfRange if flaw.reason.ends_with("numeric(38,16)") => {
            error.with_hint("Give the catalog the parameter numeric = 'text' to read it as text.")
        }
        SqlState::DatetimeFieldOverflow | SqlState::FeatureNotSupported => {
            error.with_hint("Leave the row out, or read the column through a view that casts it.")
        }
        _ => error,
    }
}

/// The bytes of a value of any type.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_are_put_around_the_query() {
        assert_eq!(
            with_casts("SELECT 1", &[None, Some("pg_catalog.text")]),
            "SELECT q.c0, q.c1::pg_catalog.text FROM (SELECT 1) AS q (c0, c1)"
        );
    }
}

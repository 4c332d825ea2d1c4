//! A statement that runs: its rows as they come, at the client's pace, for both protocols.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::FutureExt;
use inflowave_query_api::{Portal, Prepared};
use inflowave_types::{Error, QueryId, Result};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::{Connection, Ended, defect, race};
use crate::copy::CopyWriter;
use crate::encode::{CopyEncoder, RowEncoder, TextFormat};
use crate::format::Columns;
use crate::message;

/// A statement's error is told and the connection goes on; the other kind ends it.
pub enum Failure {
    /// With the place of the statement in the text that the client sent, in characters.
    Statement(Error, u32),
    Connection(Ended),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Statement(error, 0)
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        Failure::Connection(ended)
    }
}

impl Failure {
    /// Says where the statement stands whose error this is.
    pub fn at(self, offset: u32) -> Self {
        match self {
            Failure::Statement(error, _) => Failure::Statement(error, offset),
            other => other,
        }
    }
}

/// A started statement. Dropping it cancels what it runs.
pub struct Running {
    portal: Box<dyn Portal>,
    query_id: QueryId,
    output: Output,
    /// What is left of the batch that came last.
    rest: Option<Rest>,
}

/// What becomes of the rows.
enum Output {
    /// There are none.
    Nothing,
    Rows(Arc<Columns>),
    Copy(CopyWriter),
}

struct Rest {
    batch: RecordBatch,
    rows: Encoder,
    /// What `rows` was made for.
    format: TextFormat,
    next: usize,
}

enum Encoder {
    Rows(RowEncoder),
    Copy(CopyEncoder),
}

impl Output {
    fn encoder(&self, batch: &RecordBatch, format: &TextFormat) -> Result<Option<Encoder>> {
        Ok(match self {
            Output::Nothing => None,
            Output::Rows(columns) => Some(Encoder::Rows(RowEncoder::new(batch, columns, format)?)),
            Output::Copy(copy) => Some(Encoder::Copy(copy.encoder(batch, format)?)),
        })
    }
}

/// What one turn of a statement has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub rows: usize,
    /// The statement has no more rows.
    pub ended: bool,
}

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    pub async fn start(
        &mut self,
        prepared: Prepared,
        columns: Option<Arc<Columns>>,
    ) -> Result<Running, Failure> {
        let query_id = prepared.query_id;
        let copy = prepared.copy.clone().map(CopyWriter::new).transpose()?;
        let execute = self.session.execute(prepared);
        let portal = race(self.reader, &self.shutdown, execute).await??;
        let output = match (copy, columns) {
            (Some(copy), _) => {
                copy.begin(&mut self.writer.buf)?;
                Output::Copy(copy)
            }
            (None, Some(columns)) => Output::Rows(columns),
            (None, None) => Output::Nothing,
        };
        Ok(Running {
            portal,
            query_id,
            output,
            rest: None,
        })
    }

    /// Sends rows to the end of the statement, or up to `limit` of them. A limit that is the exact
    /// number of rows does not see their end, as in PostgreSQL.
    pub async fn send(
        &mut self,
        running: &mut Running,
        limit: Option<usize>,
    ) -> Result<Sent, Failure> {
        let format = TextFormat::of_settings(&self.session.reported_settings());
        let mut rows = 0;
        loop {
            if let Some(rest) = &mut running.rest {
                if rest.format != format
                    && let Some(encoder) = running.output.encoder(&rest.batch, &format)?
                {
                    rest.rows = encoder;
                    rest.format = format.clone();
                }
                while rest.next < rest.batch.num_rows() && limit != Some(rows) {
                    let out = &mut self.writer.buf;
                    match (&mut rest.rows, &mut running.output) {
                        (Encoder::Copy(encoder), Output::Copy(copy)) => {
                            copy.append(encoder, rest.next, out)?;
                        }
                        (Encoder::Rows(encoder), _) => encoder.append(rest.next, out)?,
                        (Encoder::Copy(_), _) => {}
                    }
                    rest.next += 1;
                    rows += 1;
                    if self.writer.is_full() {
                        self.flush().await?;
                    }
                }
            }
            if matches!(running.output, Output::Rows(_)) && limit == Some(rows) {
                return Ok(Sent { rows, ended: false });
            }
            running.rest = None;
            let Some(batch) = self.next(running).await? else {
                if let Output::Copy(copy) = &mut running.output {
                    copy.end(&mut self.writer.buf);
                }
                return Ok(Sent { rows, ended: true });
            };
            if let Some(encoder) = running.output.encoder(&batch, &format)? {
                running.rest = Some(Rest {
                    rows: encoder,
                    format: format.clone(),
                    batch,
                    next: 0,
                });
            }
        }
    }

    /// The command tag of a statement that has ended, once its client has been told what stands
    /// beside the answer.
    pub fn finish(&mut self, running: Running) -> String {
        for notice in running.portal.notices() {
            message::notice(&mut self.writer.buf, &notice);
        }
        running.portal.tag()
    }

    /// The next batch. What is encoded already goes out first where the query makes us wait, so
    /// that a slow query shows its first rows, and always once the buffer is full.
    async fn next(&mut self, running: &mut Running) -> Result<Option<RecordBatch>, Failure> {
        if self.writer.is_full() {
            self.flush().await?;
        }
        let query_id = running.query_id;
        let mut next = pin!(AssertUnwindSafe(running.portal.next()).catch_unwind());
        let caught = match futures::poll!(next.as_mut()) {
            std::task::Poll::Ready(caught) => caught,
            std::task::Poll::Pending => {
                self.flush().await?;
                race(self.reader, &self.shutdown, next).await?
            }
        };
        let batch = caught.unwrap_or_else(|_| {
            tracing::error!(query_id = query_id.0, "a query panicked");
            Err(defect(format!(
                "query {query_id} failed by a defect of the server"
            )))
        })?;
        Ok(batch)
    }
}

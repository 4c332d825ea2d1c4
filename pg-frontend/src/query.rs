//! The simple query protocol: a text, its statements one after the other, their rows as they come.

use std::panic::AssertUnwindSafe;
use std::pin::pin;

use arrow::array::RecordBatch;
use futures::FutureExt;
use inflowave_query_api::{Portal, Statement};
use inflowave_types::{Error, QueryId, Result, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::connection::{Connection, Ended, defect, race};
use crate::encode::{RowEncoder, TextFormat};
use crate::message;

/// A statement's error is told and the connection goes on; the other kind ends it.
enum Failure {
    Statement(Error),
    Connection(Ended),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Statement(error)
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        Failure::Connection(ended)
    }
}

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    /// Runs the statements of a `Query` message; the first error skips those after it.
    pub async fn simple_query(&mut self, body: &[u8]) -> Result<(), Ended> {
        let statements = match query_text(body).and_then(|sql| self.session.split(sql)) {
            Ok(statements) => statements,
            Err(error) => {
                self.fail(&error, 0);
                return Ok(());
            }
        };
        if statements.is_empty() {
            message::empty_query(&mut self.writer.buf);
        }
        for statement in &statements {
            match self.statement(statement).await {
                Ok(()) => {}
                Err(Failure::Statement(error)) => {
                    self.fail(&error, statement.offset);
                    break;
                }
                Err(Failure::Connection(ended)) => return Err(ended),
            }
        }
        Ok(())
    }

    async fn statement(&mut self, statement: &Statement) -> Result<(), Failure> {
        let prepare = self.session.prepare(statement, None);
        let prepared = race(self.reader, &self.shutdown, prepare).await??;
        let query_id = prepared.query_id;
        let columns = prepared.schema.as_ref().map(|s| s.fields().len());
        if let Some(schema) = &prepared.schema {
            message::row_description(&mut self.writer.buf, schema)?;
        }
        let execute = self.session.execute(prepared);
        let mut portal = race(self.reader, &self.shutdown, execute).await??;
        let format = TextFormat::of_settings(&self.session.reported_settings());
        while let Some(batch) = self.next(&mut *portal, query_id).await? {
            if let Some(columns) = columns {
                self.rows(&batch, columns, &format).await?;
            }
        }
        message::command_complete(&mut self.writer.buf, &portal.tag());
        Ok(())
    }

    /// The next batch. What is encoded already goes out first where the query makes us wait, so
    /// that a slow query shows its first rows, and always once the buffer is full.
    async fn next(
        &mut self,
        portal: &mut dyn Portal,
        query_id: QueryId,
    ) -> Result<Option<RecordBatch>, Failure> {
        if self.writer.is_full() {
            self.flush().await?;
        }
        let mut next = pin!(AssertUnwindSafe(portal.next()).catch_unwind());
        let caught = match futures::poll!(next.as_mut()) {
            std::task::Poll::Ready(caught) => caught,
            std::task::Poll::Pending => {
                self.flush().await?;
                race(self.reader, &self.shutdown, next).await?
            }
        };
        let batch = caught.unwrap_or_else(|_| {
            tracing::error!(query = %query_id, "a query panicked");
            Err(defect(format!(
                "query {query_id} failed by a defect of the server"
            )))
        })?;
        Ok(batch)
    }

    /// Encodes a batch, waiting for the socket whenever the buffer is full.
    async fn rows(
        &mut self,
        batch: &RecordBatch,
        columns: usize,
        format: &TextFormat,
    ) -> Result<(), Failure> {
        if batch.num_columns() != columns {
            return Err(Error::internal(format!(
                "a batch of {} columns came for a result of {columns}",
                batch.num_columns()
            ))
            .into());
        }
        let rows = RowEncoder::text(batch, format)?;
        for row in 0..batch.num_rows() {
            rows.append(row, &mut self.writer.buf)?;
            if self.writer.is_full() {
                self.flush().await?;
            }
        }
        Ok(())
    }
}

/// The one string of a `Query` message.
fn query_text(body: &[u8]) -> Result<&str> {
    let text = body
        .strip_suffix(b"\0")
        .filter(|text| !text.contains(&0))
        .ok_or_else(|| Error::new(SqlState::ProtocolViolation, "invalid string in message"))?;
    std::str::from_utf8(text).map_err(|e| {
        let at = e.valid_up_to();
        let bytes: Vec<String> = text[at..]
            .iter()
            .take(e.error_len().unwrap_or(4))
            .map(|b| format!("0x{b:02x}"))
            .collect();
        Error::new(
            SqlState::CharacterNotInRepertoire,
            format!(
                "invalid byte sequence for encoding \"UTF8\": {}",
                bytes.join(" ")
            ),
        )
        .with_hint("Set the client's encoding to UTF8.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_one_string_in_utf8() {
        assert_eq!(query_text("żaba\0".as_bytes()), Ok("żaba"));
        assert_eq!(query_text(b"\0"), Ok(""));
        for (body, code) in [
            (&b"x"[..], "08P01"),
            (b"", "08P01"),
            (b"x\0y\0", "08P01"),
            (b"x\xffy\0", "22021"),
            (b"x\xc5\0", "22021"),
        ] {
            assert_eq!(query_text(body).unwrap_err().sqlstate().code(), code);
        }
        let error = query_text(b"ab\xc3(\0").unwrap_err();
        assert_eq!(
            error.message(),
            "invalid byte sequence for encoding \"UTF8\": 0xc3"
        );
    }
}

//! The simple query protocol: a text, its statements one after the other.

use std::sync::Arc;

use inflowave_query_api::{Statement, TransactionStatus};
use inflowave_types::Result;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::RuntimeFlavor;

use crate::body::Body;
use crate::connection::{Connection, Ended, race};
use crate::format::Columns;
use crate::message;
use crate::run::Failure;

/// Statements of one message that run without a pause for others.
const TOGETHER: usize = 32;
/// Bytes of a message that is read where all connections are served.
const SHORT_BYTES: usize = 16 << 10;

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    /// Runs the statements of a `Query` message; the first error skips those after it.
    pub async fn simple_query(&mut self, body: &[u8]) -> Result<(), Ended> {
        self.forget_unnamed();
        let ran = self.statements(body).await;
        self.session.end_together(ran.is_err());
        match ran {
            Ok(()) => {}
            Err(Failure::Statement(error, offset)) => self.fail(&error, offset),
            Err(Failure::Connection(ended)) => return Err(ended),
        }
        if self.session.transaction_status() == TransactionStatus::Idle {
            self.extended.end_transaction();
        }
        Ok(())
    }

    async fn statements(&mut self, body: &[u8]) -> Result<(), Failure> {
        let text = query_text(body)?;
        let statements = beside_others(text.len(), || self.session.split(text))?;
        if statements.is_empty() {
            message::empty_query(&mut self.writer.buf);
        }
        if statements.len() > 1 {
            self.session.begin_together();
        }
        for (at, statement) in statements.iter().enumerate() {
            // Statements that wait for nothing would keep the others of this thread waiting.
            if at % TOGETHER == TOGETHER - 1 {
                tokio::task::yield_now().await;
            }
            let ran = self.statement(statement).await;
            ran.map_err(|failure| failure.at(statement.offset))?;
        }
        Ok(())
    }

    async fn statement(&mut self, statement: &Statement) -> Result<(), Failure> {
        let before = self.session.transaction_status();
        let prepare = self.session.prepare(statement, None);
        let prepared = race(self.reader, &self.shutdown, prepare).await??;
        let columns = match (&prepared.schema, prepared.binary) {
            (None, _) => None,
            (Some(schema), true) => Some(Columns::binary(schema.clone())?),
            (Some(schema), false) => Some(Columns::text(schema.clone())?),
        };
        let columns = columns.map(Arc::new);
        if let Some(columns) = &columns {
            message::row_description(&mut self.writer.buf, columns);
        }
        let mut running = self.start(prepared, columns).await?;
        self.send(&mut running, None).await?;
        let tag = self.finish(running);
        message::command_complete(&mut self.writer.buf, &tag);
        self.settle(before);
        Ok(())
    }
}

/// Works on a message of this length; other connections of this thread move to another one meanwhile,
/// if it takes long and there are others.
fn beside_others<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let flavor = tokio::runtime::Handle::current().runtime_flavor();
    match bytes > SHORT_BYTES && flavor == RuntimeFlavor::MultiThread {
        true => tokio::task::block_in_place(work),
        false => work(),
    }
}

/// The one string of a `Query` message.
fn query_text(body: &[u8]) -> Result<&str> {
    let mut body = Body::new(body);
    let text = body.string()?;
    body.end()?;
    Ok(text)
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
    }
}

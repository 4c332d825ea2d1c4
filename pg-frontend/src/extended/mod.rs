//! The extended query protocol: statements that are prepared once, portals that are read in parts.
//!
//! A statement is what `Parse` leaves, and the session keeps it; a portal is what `Bind` makes of it
//! with values. Statements live until they are closed, portals to the end of their transaction, which outside of a block is
//! the next `Sync`. After an error all is ignored up to `Sync`.

mod bind;
mod portal;
mod statement;

use std::collections::HashMap;
use std::sync::Arc;

use inflowave_query_api::TransactionStatus;
use inflowave_types::{Error, Result, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};

use self::portal::BoundPortal;
use self::statement::PreparedStatement;
use crate::body::Body;
use crate::connection::{Connection, Ended};
use crate::format::Columns;
use crate::limits::Limits;
use crate::message;
use crate::run::Failure;

/// The portals that a connection keeps between messages, by name; the empty name is the unnamed one.
/// Prepared statements are the session's: SQL can name them, too.
#[derive(Default)]
pub struct Extended {
    portals: HashMap<String, BoundPortal>,
}

impl Extended {
    /// Portals end with their transaction, whatever they still run.
    pub fn end_transaction(&mut self) {
        self.portals.clear();
    }

    /// After an error: outside of a block it has ended the transaction; in a block, portals can
    /// only be closed.
    pub fn fail(&mut self, status: TransactionStatus) {
        if status == TransactionStatus::Idle {
            self.end_transaction();
        }
        for portal in self.portals.values_mut() {
            portal.fail();
        }
    }
}

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    /// Answers a message of the extended protocol; `false` after an error.
    pub async fn extended_message(&mut self, tag: u8, body: &[u8]) -> Result<bool, Ended> {
        let body = Body::new(body);
        let answered = match tag {
            b'P' => self.parse(body).await,
            b'B' => self.bind(body).await,
            b'E' => self.execute(body).await,
            b'D' => self.describe(body).map_err(Failure::from),
            _ => self.close(body).map_err(Failure::from),
        };
        match answered {
            Ok(()) => Ok(true),
            Err(Failure::Statement(error, offset)) => {
                self.fail(&error, offset);
                Ok(false)
            }
            Err(Failure::Connection(ended)) => Err(ended),
        }
    }

    /// A simple query takes the place of the unnamed statement and the unnamed portal.
    pub fn forget_unnamed(&mut self) {
        self.session.forget("");
        self.extended.portals.remove("");
    }

    /// A prepared statement, whoever prepared it.
    fn prepared(&self, name: &str) -> Result<Arc<PreparedStatement>> {
        let Some(named) = self.session.named(name) else {
            let message = match name {
                "" => "unnamed prepared statement does not exist".to_owned(),
                name => format!("prepared statement \"{name}\" does not exist"),
            };
            return Err(Error::new(SqlState::InvalidSqlStatementName, message));
        };
        let attached = named.attached.clone();
        match attached.map(|a| a.downcast::<PreparedStatement>()) {
            Some(Ok(prepared)) => Ok(prepared),
            _ => PreparedStatement::of_named(&named).map(Arc::new),
        }
    }

    /// Portals end where a statement has ended the transaction that was `before`.
    pub fn settle(&mut self, before: TransactionStatus) {
        let now = self.session.transaction_status();
        if before != TransactionStatus::Idle && now == TransactionStatus::Idle {
            self.extended.end_transaction();
        }
    }

    /// What was found out at `Parse` and `Bind` is told; nothing is planned again.
    fn describe(&mut self, mut body: Body<'_>) -> Result<()> {
        let kind = body.u8()?;
        let name = body.string()?;
        body.end()?;
        let status = self.session.transaction_status();
        let columns = match kind {
            b'S' => {
                let statement = self.prepared(name)?;
                // PostgreSQL tells nothing of a result that it could not give now.
                runnable(status, &statement.columns)?;
                message::parameter_description(&mut self.writer.buf, statement.oids());
                statement.columns.clone()
            }
            b'P' => match self.extended.portals.get(name) {
                Some(portal) => {
                    runnable(status, &portal.columns)?;
                    portal.columns.clone()
                }
                // The cursors of SQL are portals.
                None => {
                    let cursor = self.session.cursor(name).ok_or_else(|| no_portal(name))?;
                    let columns = Some(Columns::of_cursor(&cursor)?);
                    runnable(status, &columns)?;
                    columns.map(Arc::new)
                }
            },
            other => return Err(bad_subtype("DESCRIBE", other)),
        };
        let out = &mut self.writer.buf;
        match columns {
            Some(columns) => message::row_description(out, &columns),
            None => message::no_data(out),
        }
        Ok(())
    }

    /// Closing what does not exist is no error.
    fn close(&mut self, mut body: Body<'_>) -> Result<()> {
        let kind = body.u8()?;
        let name = body.string()?;
        body.end()?;
        match kind {
            b'S' => self.session.forget(name),
            b'P' => drop(self.extended.portals.remove(name)),
            other => return Err(bad_subtype("CLOSE", other)),
        }
        message::close_complete(&mut self.writer.buf);
        Ok(())
    }
}

fn runnable<T>(status: TransactionStatus, columns: &Option<T>) -> Result<()> {
    match status {
        TransactionStatus::Failed if columns.is_some() => Err(aborted()),
        _ => Ok(()),
    }
}

/// The name of a statement or a portal that is to be kept.
fn name<'a>(body: &mut Body<'a>, limits: &Limits) -> Result<&'a str> {
    let name = body.string()?;
    if name.len() > limits.name_bytes_max {
        return Err(Error::new(
            SqlState::ProgramLimitExceeded,
            format!(
                "a name of {} bytes exceeds the limit of {} bytes",
                name.len(),
                limits.name_bytes_max
            ),
        ));
    }
    Ok(name)
}

fn aborted() -> Error {
    Error::new(
        SqlState::InFailedSqlTransaction,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
    .with_hint("Send ROLLBACK.")
}

fn no_portal(name: &str) -> Error {
    Error::new(
        SqlState::InvalidCursorName,
        format!("portal \"{name}\" does not exist"),
    )
}

fn bad_subtype(message: &str, subtype: u8) -> Error {
    Error::new(
        SqlState::ProtocolViolation,
        format!("invalid {message} message subtype {subtype}"),
    )
}

//! `Execute`: a portal starts with its first one and goes on with each further one.

use std::sync::Arc;

use inflowave_query_api::{Prepared, TransactionStatus};
use inflowave_types::{Error, SqlState};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{aborted, no_portal};
use crate::body::Body;
use crate::connection::Connection;
use crate::format::Columns;
use crate::message;
use crate::run::{Failure, Running};

/// A statement with its values, started or not.
pub struct BoundPortal {
    /// `None` for a statement without rows.
    pub columns: Option<Arc<Columns>>,
    /// Where its statement starts in the text that the client sent, in characters.
    pub offset: u32,
    /// What it takes of the connection's limit.
    pub bytes: usize,
    pub state: State,
}

pub enum State {
    /// The statement is empty.
    Empty,
    Bound(Prepared),
    Running(Running),
    /// With its command tag.
    Ended(String),
    /// It ran when its transaction failed, or was bound before.
    Failed,
}

impl BoundPortal {
    /// What it runs is cancelled; the name stays taken until the end of the transaction.
    pub fn fail(&mut self) {
        if !matches!(self.state, State::Empty) {
            self.state = State::Failed;
        }
    }
}

impl<R, W> Connection<'_, R, W>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    pub async fn execute(&mut self, mut body: Body<'_>) -> Result<(), Failure> {
        let name = body.string()?;
        let rows_max = body.i32()?;
        body.end()?;
        // Zero and less are no limit.
        let limit = usize::try_from(rows_max).ok().filter(|n| *n > 0);
        let Some(mut portal) = self.extended.portals.remove(name) else {
            return Err(no_portal(name).into());
        };
        let before = self.session.transaction_status();
        let ran = self.turn(name, &mut portal, limit).await;
        if ran.is_err() {
            portal.fail();
        }
        let offset = portal.offset;
        self.extended.portals.insert(name.to_owned(), portal);
        if ran.is_ok() {
            self.settle(before);
        }
        ran.map_err(|failure| failure.at(offset))
    }

    /// Runs a portal up to `limit` rows.
    async fn turn(
        &mut self,
        name: &str,
        portal: &mut BoundPortal,
        limit: Option<usize>,
    ) -> Result<(), Failure> {
        let mut running = match std::mem::replace(&mut portal.state, State::Failed) {
            State::Bound(prepared) => self.start(prepared, portal.columns.clone()).await?,
            State::Running(running) => running,
            State::Empty => {
                portal.state = State::Empty;
                message::empty_query(&mut self.writer.buf);
                return Ok(());
            }
            State::Ended(tag) if portal.columns.is_some() => {
                message::command_complete(&mut self.writer.buf, &counting(&tag, 0));
                portal.state = State::Ended(tag);
                return Ok(());
            }
            // A statement without rows takes effect once.
            State::Ended(_) | State::Failed => {
                if self.session.transaction_status() == TransactionStatus::Failed {
                    return Err(aborted().into());
                }
                let message = format!("portal \"{name}\" cannot be run");
                return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message).into());
            }
        };
        // The data of a copy is not counted in rows.
        let limit = limit.filter(|_| portal.columns.is_some());
        let sent = self.send(&mut running, limit).await?;
        if !sent.ended {
            message::portal_suspended(&mut self.writer.buf);
            portal.state = State::Running(running);
            return Ok(());
        }
        // What it held ends here, not with the portal.
        let mut tag = self.finish(running);
        if portal.columns.is_some() {
            tag = counting(&tag, sent.rows);
        }
        message::command_complete(&mut self.writer.buf, &tag);
        portal.state = State::Ended(tag);
        Ok(())
    }
}

/// A tag counts the rows of its own `Execute`, where it counts rows.
fn counting(tag: &str, rows: usize) -> String {
    match tag.rsplit_once(' ') {
        Some((verb, count)) if count.parse::<u64>().is_ok() => format!("{verb} {rows}"),
        _ => tag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_counts_the_rows_of_its_turn() {
        assert_eq!(counting("SELECT 5", 2), "SELECT 2");
        assert_eq!(counting("SHOW", 2), "SHOW");
        assert_eq!(counting("CREATE TABLE", 2), "CREATE TABLE");
    }
}

//! A session with a query in it: whatever happens to the query, the session comes back idle or
//! not at all.

use std::time::Duration;

use deadpool::managed::Object;
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::pool::Pooled;

/// How long a cancelled query may take to end before its connection is given up.
const SETTLE_MAX: Duration = Duration::from_secs(10);

/// Dropping it cancels the query at the source, and the session returns to the pool only when the
/// query has really ended.
pub(crate) struct Running {
    session: Option<Pooled>,
    io: Handle,
    /// It ends before the session is given back.
    in_transaction: bool,
}

impl Running {
    pub(crate) fn new(session: Pooled, io: Handle) -> Running {
        Running {
            session: Some(session),
            io,
            in_transaction: false,
        }
    }

    /// Runs statements that begin a transaction.
    pub(crate) async fn begin(
        &mut self,
        sql: &str,
    ) -> Result<Vec<SimpleQueryMessage>, tokio_postgres::Error> {
        self.in_transaction = true;
        match self.client() {
            Some(client) => client.simple_query(sql).await,
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn client(&self) -> Option<&Client> {
        self.session.as_ref().map(|session| &session.client)
    }

    /// The query has ended at the source and its last row was read.
    pub(crate) fn finished(mut self) {
        if let Some(session) = self.session.take()
            && self.in_transaction
        {
            self.io.spawn(roll_back(session));
        }
    }

    /// The source itself ended the query with an error.
    pub(crate) fn failed(mut self) {
        if let Some(mut session) = self.session.take() {
            session.suspect = true;
            if self.in_transaction {
                self.io.spawn(roll_back(session));
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.io.spawn(settle(session, self.in_transaction));
        }
    }
}

/// Gives back a session whose query has ended, without its transaction.
async fn roll_back(mut session: Pooled) {
    session.suspect = true;
    match timeout(SETTLE_MAX, session.client.batch_execute("ROLLBACK")).await {
        Ok(Ok(())) => session.suspect = false,
        _ => drop(Object::take(session)),
    }
}

async fn settle(mut session: Pooled, in_transaction: bool) {
    session.suspect = true;
    if let Err(error) = session.cancel().await {
        tracing::debug!(%error, "a query at PostgreSQL could not be cancelled");
    }
    // Its answer comes after the end of the query.
    match timeout(SETTLE_MAX, session.check()).await {
        Ok(Ok(())) if in_transaction => roll_back(session).await,
        Ok(Ok(())) => session.suspect = false,
        _ => drop(Object::take(session)),
    }
}

//! One state of the database: exported by a transaction that waits, read by others.

use inflowave_types::{Error, Result};
use tokio_postgres::SimpleQueryMessage;

use super::running::Running;
use crate::error::Site;

/// The server's timeout would end the wait.
const EXPORT: &str = "\
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT pg_export_snapshot()";

/// Others can read the state while this is held.
pub(crate) struct Exported {
    id: String,
    /// `None` at the end.
    transaction: Option<Running>,
}

impl Exported {
    /// `None` from a server that does not export its state: a standby of some kinds, or what only
    /// speaks like PostgreSQL.
    ///
    /// # Errors
    /// `08006`, and others of the server.
    pub(crate) async fn open(mut running: Running, site: &Site) -> Result<Option<Exported>> {
        match running.begin(EXPORT).await {
            Ok(answer) => {
                let id = answer.iter().find_map(|message| match message {
                    SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                    _ => None,
                });
                Ok(id.filter(|id| is_id(id)).map(|id| Exported {
                    id,
                    transaction: Some(running),
                }))
            }
            Err(error) => {
                running.failed();
                if refuses(&error) {
                    tracing::debug!(%error, "PostgreSQL exports no snapshot");
                    return Ok(None);
                }
                Err(site.querying(&error))
            }
        }
    }

    /// What begins a transaction that reads the state.
    pub(crate) fn import(&self) -> String {
        format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{}'",
            self.id
        )
    }

    /// A query could not begin to read the state: the transaction that holds it has ended.
    pub(crate) fn unreadable(&self, site: &Site, error: &tokio_postgres::Error) -> Error {
        match refuses(error) {
            true => site.forgotten(error),
            false => site.querying(error),
        }
    }
}

impl Drop for Exported {
    fn drop(&mut self) {
        // It runs nothing that would have to be cancelled.
        if let Some(transaction) = self.transaction.take() {
            transaction.finished();
        }
    }
}

/// `00000003-0000001B-1`: it is printed into a statement.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// The statement was understood and cannot be done; the connection stands.
fn refuses(error: &tokio_postgres::Error) -> bool {
    let code = error.code().map_or("", |code| code.code());
    ["0A", "22", "25", "42", "55"]
        .iter()
        .any(|class| code.starts_with(class))
}

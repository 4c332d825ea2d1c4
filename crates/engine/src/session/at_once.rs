//! Statements that change the session: they are done when they begin.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use inflowave_query_api::TransactionStatus;
use inflowave_types::{Error, Result, SqlState};

use super::EngineSession;
use super::planning::{Step, warning};
use crate::cursor::{CursorInfo, Fetch, Fetching, Turn};
use crate::plan::Context;
use crate::run::{Running, Work};
use crate::settings::Settings;
use crate::statement::{Discard, Scope};

impl EngineSession {
    fn discard(&mut self, what: Discard) -> Result<&'static str> {
        Ok(match what {
            Discard::All => {
                if self.transaction.status() != TransactionStatus::Idle {
                    return Err(Error::new(
                        SqlState::ActiveSqlTransaction,
                        "DISCARD ALL cannot run inside a transaction block",
                    )
                    .with_hint("Send COMMIT or ROLLBACK first."));
                }
                self.reset_all()?;
                self.prepared.lock().deallocate(None)?;
                self.cursors.lock().close(None)?;
                "DISCARD ALL"
            }
            Discard::Plans => "DISCARD PLANS",
            Discard::Sequences => "DISCARD SEQUENCES",
            Discard::Temporary => "DISCARD TEMP",
        })
    }

    fn reset_all(&mut self) -> Result<()> {
        self.settings.change(Scope::Session, |s| {
            s.reset_all();
            Ok(())
        })
    }

    pub(super) fn declare(
        &mut self,
        mut context: Context,
        info: CursorInfo,
        schema: SchemaRef,
        work: Work,
    ) -> Result<()> {
        let idle = self.transaction.status() == TransactionStatus::Idle;
        let savepoints = (!idle).then(|| self.transaction.savepoints());
        // The timeout is that of each FETCH.
        let spec = Settings::find("statement_timeout")?;
        context.settings.force(spec, "0".to_owned());
        let mut cursors = self.cursors.lock();
        cursors.vacant(&info.name)?;
        let running = Running::start(context, work);
        let pool = &self.shared.base.runtime_env().memory_pool;
        cursors.open(info, schema, savepoints, running, pool);
        Ok(())
    }

    pub(super) fn fetch(&self, context: &Context, fetch: &Fetch) -> Result<Fetching> {
        let turn = Turn {
            shared: Arc::clone(&self.shared),
            query_id: context.query_id,
            cancel: context.cancel.clone(),
            timeout: context.settings.statement_timeout(),
            notices: Arc::clone(&context.notices),
        };
        let cursors = self.cursors.lock();
        Ok(Fetching::start(turn, cursors.get(&fetch.cursor)?, fetch))
    }

    /// A statement that is done when it begins: its command tag.
    pub(super) fn at_once(&mut self, context: &Context, step: Step) -> Result<&'static str> {
        match step {
            Step::Set { name, value, scope } => {
                if scope == Scope::Local && self.transaction.status() == TransactionStatus::Idle {
                    context.tell([warning(
                        SqlState::NoActiveSqlTransaction,
                        "SET LOCAL can only be used in transaction blocks",
                    )]);
                }
                self.set(&name, value.as_deref(), scope)
            }
            Step::Reset(name) => self.reset(&name, Scope::Session),
            Step::ResetAll => self.reset_all().map(|()| "RESET"),
            Step::Transaction(command) => {
                let notice = self.transaction.notice(&command);
                context.tell(notice);
                self.transact(&command)
            }
            Step::Deallocate(name) => {
                self.prepared.lock().deallocate(name.as_deref())?;
                Ok(match name {
                    Some(_) => "DEALLOCATE",
                    None => "DEALLOCATE ALL",
                })
            }
            Step::Discard(what) => self.discard(what),
            Step::Prepare(name, statement) => {
                self.prepared.lock().keep(&name, *statement)?;
                Ok("PREPARE")
            }
            Step::Close(name) => {
                self.cursors.lock().close(name.as_deref())?;
                Ok(match name {
                    Some(_) => "CLOSE CURSOR",
                    None => "CLOSE CURSOR ALL",
                })
            }
            Step::Lock(tables) => {
                context.tell(tables.iter().map(|table| {
                    warning(
                        SqlState::Warning,
                        format!("\"{table}\" is not locked in its source"),
                    )
                }));
                Ok("LOCK TABLE")
            }
            Step::Listen(tag) => Ok(tag),
            Step::Run(_) | Step::Declare(..) | Step::Fetch(_) => {
                Err(Error::internal("a statement that takes its time"))
            }
        }
    }
}

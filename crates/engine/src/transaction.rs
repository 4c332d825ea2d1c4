//! Transactions as clients see them: their status, and the names that they can go back to.
//!
//! Sources are read only, so that nothing is to be undone: a transaction is acknowledged, an error
//! fails it, and a savepoint is where a failed one goes on. From `REPEATABLE READ` on it reads each
//! source that has snapshots in one state: the one in which it was first read.

use std::sync::Arc;

use inflowave_federation::Snapshots;
use inflowave_query_api::{Notice, Severity, TransactionStatus};
use inflowave_types::{Error, Result, SqlState};

use crate::isolation::{Isolation, Modes};
use crate::words::Words;

/// Savepoints of one transaction, at most.
const SAVEPOINTS_MAX: usize = 1000;

/// A statement that begins, ends or divides a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Begin(Modes),
    /// `START TRANSACTION`
    Start(Modes),
    /// `SET TRANSACTION`
    Set(Modes),
    /// `SET SESSION CHARACTERISTICS AS TRANSACTION`
    SetDefault(Modes),
    Commit,
    Rollback,
    Savepoint(String),
    Release(String),
    RollbackTo(String),
}

/// What a command has changed, for what lives as long as a transaction or a savepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    Began,
    Committed,
    RolledBack,
    /// A savepoint was set.
    Saved,
    /// So many savepoints are left.
    Released(usize),
    /// Back to this savepoint, which is still there.
    BackTo(usize),
}

impl Command {
    /// The command that begins with this word; `None` for another statement.
    pub fn parse(words: &Words) -> Option<Result<Command>> {
        Some(match words.upper(0).as_str() {
            "BEGIN" => {
                let named = matches!(words.upper(1).as_str(), "WORK" | "TRANSACTION");
                Modes::parse(words, 1 + usize::from(named)).map(Command::Begin)
            }
            "START" => match words.upper(1).as_str() {
                "TRANSACTION" => Modes::parse(words, 2).map(Command::Start),
                _ => Err(words.unexpected(1)),
            },
            "SET" => return set(words),
            "COMMIT" | "END" => Ok(Command::Commit),
            "ROLLBACK" | "ABORT" => rollback(words),
            "SAVEPOINT" => name(words, 1).map(Command::Savepoint),
            "RELEASE" => {
                let at = if words.upper(1) == "SAVEPOINT" { 2 } else { 1 };
                name(words, at).map(Command::Release)
            }
            _ => return None,
        })
    }

    /// May it run in a failed transaction?
    pub fn recovers(&self) -> bool {
        matches!(
            self,
            Command::Commit | Command::Rollback | Command::RollbackTo(_)
        )
    }
}

/// `SET [SESSION | LOCAL] TRANSACTION ..`, `SET SESSION CHARACTERISTICS AS TRANSACTION ..`, and the
/// setting that means the same; `None` for another setting.
fn set(words: &Words) -> Option<Result<Command>> {
    let scoped = matches!(words.upper(1).as_str(), "SESSION" | "LOCAL");
    let at = 1 + usize::from(scoped);
    match words.upper(at).as_str() {
        "TRANSACTION" => Some(Modes::parse_some(words, at + 1).map(Command::Set)),
        "CHARACTERISTICS" => Some(match (words.upper(at + 1), words.upper(at + 2)) {
            (r#as, transaction) if r#as == "AS" && transaction == "TRANSACTION" => {
                Modes::parse_some(words, at + 3).map(Command::SetDefault)
            }
            _ => Err(words.unexpected(at + 1)),
        }),
        _ => None,
    }
}

/// `ROLLBACK [WORK | TRANSACTION] [TO [SAVEPOINT] name]`
fn rollback(words: &Words) -> Result<Command> {
    let mut at = 1;
    if matches!(words.upper(at).as_str(), "WORK" | "TRANSACTION") {
        at += 1;
    }
    if words.upper(at) != "TO" {
        return Ok(Command::Rollback);
    }
    at += 1;
    if words.upper(at) == "SAVEPOINT" {
        at += 1;
    }
    name(words, at).map(Command::RollbackTo)
}

fn name(words: &Words, at: usize) -> Result<String> {
    let (name, end) = words.name_from(at)?;
    words.end(end)?;
    Ok(name)
}

/// The transaction of a session.
#[derive(Debug)]
pub(crate) struct Transaction {
    status: TransactionStatus,
    /// The oldest first.
    savepoints: Vec<String>,
    isolation: Isolation,
    /// A query of it was planned.
    has_read: bool,
    /// The states that it reads, where they are fixed.
    snapshots: Option<Arc<Snapshots>>,
}

impl Default for Transaction {
    fn default() -> Self {
        Transaction {
            status: TransactionStatus::Idle,
            savepoints: Vec::new(),
            isolation: Isolation::default(),
            has_read: false,
            snapshots: None,
        }
    }
}

impl Transaction {
    /// Savepoints that are open.
    pub fn savepoints(&self) -> usize {
        self.savepoints.len()
    }

    pub fn status(&self) -> TransactionStatus {
        self.status
    }

    /// Of the transaction that runs; `None` outside of one.
    pub fn isolation(&self) -> Option<Isolation> {
        (self.status != TransactionStatus::Idle).then_some(self.isolation)
    }

    /// What a query reads: states of its own, or those of the transaction.
    pub fn snapshots(&mut self) -> Arc<Snapshots> {
        if self.status == TransactionStatus::Idle {
            return Snapshots::of_statement();
        }
        self.has_read = true;
        if !self.isolation.fixes_states() {
            return Snapshots::of_statement();
        }
        let snapshots = self.snapshots.get_or_insert_with(Snapshots::of_transaction);
        Arc::clone(snapshots)
    }

    /// After an error; outside of a transaction it changes nothing.
    pub fn fail(&mut self) {
        if self.status == TransactionStatus::InTransaction {
            self.status = TransactionStatus::Failed;
        }
    }

    /// What PostgreSQL says of a command that changes nothing.
    pub fn notice(&self, command: &Command) -> Option<Notice> {
        let is_idle = self.status == TransactionStatus::Idle;
        let (sqlstate, message) = match command {
            Command::Begin(_) | Command::Start(_) if !is_idle => (
                SqlState::ActiveSqlTransaction,
                "there is already a transaction in progress",
            ),
            Command::Commit | Command::Rollback if is_idle => (
                SqlState::NoActiveSqlTransaction,
                "there is no transaction in progress",
            ),
            Command::Set(_) if is_idle => (
                SqlState::NoActiveSqlTransaction,
                "SET TRANSACTION can only be used in transaction blocks",
            ),
            _ => return None,
        };
        Some(Notice {
            severity: Severity::Warning,
            sqlstate,
            message: message.to_owned(),
        })
    }

    /// The command's tag. `default` is the isolation of a transaction that does not name one.
    ///
    /// # Errors
    /// `25P01` for a savepoint outside of a transaction, `3B001` for one that is not there, `25001`
    /// for another isolation once it has read.
    pub fn run(&mut self, command: &Command, default: Isolation) -> Result<(&'static str, Change)> {
        match command {
            Command::Begin(modes) | Command::Start(modes) => {
                let tag = match command {
                    Command::Start(_) => "START TRANSACTION",
                    _ => "BEGIN",
                };
                if self.status == TransactionStatus::Idle {
                    self.status = TransactionStatus::InTransaction;
                    self.isolation = modes.isolation.unwrap_or(default);
                    return Ok((tag, Change::Began));
                }
                self.set(*modes)?;
                Ok((tag, Change::None))
            }
            Command::Set(modes) => {
                if self.status != TransactionStatus::Idle {
                    self.set(*modes)?;
                }
                Ok(("SET", Change::None))
            }
            // The session keeps it.
            Command::SetDefault(_) => Ok(("SET", Change::None)),
            Command::Commit if self.status != TransactionStatus::Failed => {
                *self = Transaction::default();
                Ok(("COMMIT", Change::Committed))
            }
            Command::Commit | Command::Rollback => {
                *self = Transaction::default();
                Ok(("ROLLBACK", Change::RolledBack))
            }
            Command::Savepoint(name) => {
                self.open("SAVEPOINT")?;
                if self.savepoints.len() >= SAVEPOINTS_MAX {
                    return Err(Error::new(
                        SqlState::ProgramLimitExceeded,
                        format!("a transaction can have at most {SAVEPOINTS_MAX} savepoints"),
                    )
                    .with_hint("Release those that are done with."));
                }
                self.savepoints.push(name.clone());
                Ok(("SAVEPOINT", Change::Saved))
            }
            Command::Release(name) => {
                self.open("RELEASE SAVEPOINT")?;
                let at = self.place(name)?;
                self.savepoints.truncate(at);
                Ok(("RELEASE", Change::Released(at)))
            }
            Command::RollbackTo(name) => {
                self.open("ROLLBACK TO SAVEPOINT")?;
                let at = self.place(name)?;
                self.savepoints.truncate(at + 1);
                self.status = TransactionStatus::InTransaction;
                Ok(("ROLLBACK", Change::BackTo(at)))
            }
        }
    }

    fn set(&mut self, modes: Modes) -> Result<()> {
        match modes.isolation {
            Some(isolation) if isolation != self.isolation && self.has_read => Err(Error::new(
                SqlState::ActiveSqlTransaction,
                "SET TRANSACTION ISOLATION LEVEL must be called before any query",
            )
            .with_hint("Say it in BEGIN, or right behind it.")),
            Some(isolation) => {
                self.isolation = isolation;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// # Errors
    /// `25P01` outside of a transaction.
    pub fn open(&self, command: &str) -> Result<()> {
        if self.status != TransactionStatus::Idle {
            return Ok(());
        }
        Err(Error::new(
            SqlState::NoActiveSqlTransaction,
            format!("{command} can only be used in transaction blocks"),
        )
        .with_hint("Send BEGIN first."))
    }

    fn place(&self, name: &str) -> Result<usize> {
        let place = self.savepoints.iter().rposition(|s| s == name);
        place.ok_or_else(|| {
            Error::new(
                SqlState::InvalidSavepoint,
                format!("savepoint \"{name}\" does not exist"),
            )
            .with_hint("A savepoint ends with its transaction, and with an older one.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(transaction: &mut Transaction, command: &Command) -> Result<&'static str> {
        transaction
            .run(command, Isolation::default())
            .map(|(tag, _)| tag)
    }

    fn save(name: &str) -> Command {
        Command::Savepoint(name.to_owned())
    }

    #[test]
    fn a_failed_transaction_goes_on_at_a_savepoint() {
        let mut transaction = Transaction::default();
        let error = run(&mut transaction, &save("a")).unwrap_err();
        assert_eq!(error.sqlstate().code(), "25P01");
        run(&mut transaction, &Command::Begin(Modes::default())).unwrap();
        for name in ["a", "b", "a"] {
            run(&mut transaction, &save(name)).unwrap();
        }
        transaction.fail();
        assert_eq!(transaction.status(), TransactionStatus::Failed);
        let back = Command::RollbackTo("b".to_owned());
        assert_eq!(run(&mut transaction, &back), Ok("ROLLBACK"));
        assert_eq!(transaction.status(), TransactionStatus::InTransaction);
        // The later "a" is gone, the earlier one is still there.
        let release = Command::Release("a".to_owned());
        assert_eq!(run(&mut transaction, &release), Ok("RELEASE"));
        assert_eq!(
            run(&mut transaction, &release)
                .unwrap_err()
                .sqlstate()
                .code(),
            "3B001"
        );
        transaction.fail();
        assert_eq!(run(&mut transaction, &Command::Commit), Ok("ROLLBACK"));
        assert_eq!(transaction.status(), TransactionStatus::Idle);
    }
}

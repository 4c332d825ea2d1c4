//! What every protocol asks of the engine.
//!
//! **Owns**: [`QueryService`], [`Session`], [`Description`], [`NamedStatement`], [`Parameters`],
//! [`Prepared`], [`Portal`], [`CopyOut`], [`Notice`], [`WireType`], [`Authenticator`]: a statement has
//! one plan, one identity and one query id whichever way it came.
//! **Never**: the engine, DataFusion, a protocol. Arrow only.
//! **Start reading at**: [`Session`].

mod auth;
mod copy;
mod wire_type;

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, SchemaRef};
use async_trait::async_trait;
use inflowave_types::{QueryId, Result, SessionId, SqlState};

pub use auth::{Attempt, Authenticator, Exchange, Method, PasswordCheck, TlsPeer, TrustLoopback};
pub use copy::{CopyFormat, CopyOut, CsvForm, TextForm};
pub use wire_type::{WireType, element, element_of};

/// The engine, as a front end sees it.
#[async_trait]
pub trait QueryService: Send + Sync + 'static {
    /// Opens a session, one for each connection.
    ///
    /// # Errors
    /// `3D000` for an unknown database, `53300` beyond the limit of sessions.
    async fn open_session(&self, start: SessionStart) -> Result<Box<dyn Session>>;

    /// Cancels what a session runs now, if `key` is [`Session::cancel_key`], or its first four bytes,
    /// which is all that protocol 3.0 takes. Unknown ids are ignored, as PostgreSQL does.
    fn cancel(&self, session: SessionId, key: &[u8]);
}

/// What a client says of itself when it connects.
#[derive(Debug, Clone, Default)]
pub struct SessionStart {
    pub user: String,
    /// The default catalog; the server's own (`inflowave`) when empty.
    pub database: Option<String>,
    pub application_name: Option<String>,
    /// `127.0.0.1:50412`, or `in process`.
    pub client: String,
    /// The protocol, for `system.runtime.sessions`: `postgres`, `command`.
    pub protocol: &'static str,
    /// Settings given at start-up (`DateStyle`, `TimeZone`, ..), as name and value.
    pub settings: Vec<(String, String)>,
    /// Ends the connection: for `pg_terminate_backend`.
    pub terminate: Terminate,
}

/// Ends a connection from elsewhere; one that the front end does not give does nothing.
#[derive(Clone, Default)]
pub struct Terminate(Option<Arc<dyn Fn() + Send + Sync>>);

impl Terminate {
    pub fn new(end: impl Fn() + Send + Sync + 'static) -> Self {
        Terminate(Some(Arc::new(end)))
    }

    pub fn call(&self) {
        if let Some(end) = &self.0 {
            end();
        }
    }
}

impl std::fmt::Debug for Terminate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Terminate")
    }
}

/// PostgreSQL's transaction status, as `ReadyForQuery` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionStatus {
    Idle,
    InTransaction,
    Failed,
}

/// One connection's state: settings, default catalog, transaction status.
#[async_trait]
pub trait Session: Send {
    fn id(&self) -> SessionId;

    /// What a client must know to cancel (`BackendKeyData`).
    fn cancel_key(&self) -> [u8; 32];

    fn transaction_status(&self) -> TransactionStatus;

    /// The settings that PostgreSQL reports to clients (`ParameterStatus`), with their values now.
    fn reported_settings(&mut self) -> Vec<(String, String)>;

    /// How long the session may do nothing, as it stands now; `None` is for ever.
    fn idle_timeout(&self) -> Option<Duration>;

    /// The prepared statement of this name, whoever prepared it; the empty name is the unnamed one.
    fn named(&self, name: &str) -> Option<Arc<NamedStatement>>;

    /// Keeps a prepared statement; the unnamed one takes the place of the one before.
    ///
    /// # Errors
    /// `42P05` for a name that is taken, `53400` beyond what a session can keep.
    fn keep(&mut self, name: &str, statement: NamedStatement) -> Result<()>;

    /// Ends a prepared statement; one that is not there is no error.
    fn forget(&mut self, name: &str);

    /// What a cursor gives that SQL has declared.
    fn cursor(&self, name: &str) -> Option<CursorView>;

    /// Splits the text of a simple query into statements.
    ///
    /// # Errors
    /// `42601` with position; `54001` and `54000` for a text too deep or too long.
    fn split(&self, sql: &str) -> Result<Vec<Statement>>;

    /// Finds the types of a statement's parameters and output without starting anything: there is
    /// no query id, and nothing runs afterwards. A front end asks once, when a client prepares.
    /// While it works, [`QueryService::cancel`] and `statement_timeout` end it.
    ///
    /// `hints[i]` is what the client declared for `$i+1`, as its Arrow field (with
    /// `inflowave_types::PgType` in its metadata where Arrow cannot tell), or `None` where it
    /// leaves the type to the statement. There may be fewer hints than parameters, and more.
    ///
    /// # Errors
    /// PostgreSQL's, with position where there is one: `42P18` for a parameter whose type nothing
    /// tells, `25P02` in a failed transaction for all but its end. The session's transaction is
    /// failed, if it is in one.
    async fn describe(
        &mut self,
        statement: &Statement,
        hints: &[Option<FieldRef>],
    ) -> Result<Description>;

    /// Plans a statement with the values of its parameters; `None` for one that has none, and for
    /// every statement of a simple query.
    ///
    /// # Errors
    /// PostgreSQL's, with position where there is one: `42P02` for a parameter without a value,
    /// `22P02` and its like for a text that is no value of its type. The session's transaction is
    /// then failed, if it is in one.
    async fn prepare(
        &mut self,
        statement: &Statement,
        parameters: Option<Parameters>,
    ) -> Result<Prepared>;

    /// Starts a prepared statement. The portal lives until it is dropped; dropping it before its
    /// end cancels what it runs.
    async fn execute(&mut self, prepared: Prepared) -> Result<Box<dyn Portal>>;

    /// The transaction is failed from here on, if the session is in one: called by the front end
    /// when a portal ends with an error.
    fn fail_transaction(&mut self);

    /// Several statements of one text follow: outside of a transaction of their own they are one, so
    /// that an error takes back what those before it have set.
    fn begin_together(&mut self) {}

    /// They have ended, with an error or without.
    fn end_together(&mut self, _failed: bool) {}
}

/// One statement of a text, parsed by the engine; opaque to front ends.
#[derive(Clone)]
pub struct Statement {
    /// Its own text, trimmed, without the semicolon.
    pub sql: String,
    /// Where it starts in the whole text, in characters from 0: errors count from there.
    pub offset: u32,
    /// The engine's syntax tree.
    pub parsed: Arc<dyn Any + Send + Sync>,
}

/// What a statement takes and gives, known before it has values.
#[derive(Debug, Clone)]
pub struct Description {
    /// One field for each parameter, from `$1` to the highest that the statement names. A type
    /// that was hinted at stays as it was.
    pub parameters: Vec<FieldRef>,
    /// As [`Prepared::schema`].
    pub schema: Option<SchemaRef>,
}

/// A prepared statement. SQL (`PREPARE`) and the messages of a protocol share their names.
#[derive(Clone)]
pub struct NamedStatement {
    /// `None` for an empty text.
    pub statement: Option<Statement>,
    pub description: Description,
    /// Made by `PREPARE`.
    pub from_sql: bool,
    /// As `pg_prepared_statements` shows it.
    pub text: String,
    pub prepared: SystemTime,
    /// What a front end keeps with it.
    pub attached: Option<Arc<dyn Any + Send + Sync>>,
}

/// What a cursor gives.
#[derive(Debug, Clone)]
pub struct CursorView {
    pub schema: SchemaRef,
    /// All its columns in binary, whatever the protocol would ask for.
    pub binary: bool,
}

/// The values of a statement's parameters.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// The type of each parameter as the client knows it: what [`Session::describe`] gave, and
    /// after that what the client declared of parameters that the statement does not name.
    pub declared: Vec<FieldRef>,
    /// One row; column i is the value of `$i+1` and belongs to `declared[i]`. Any value may be
    /// NULL. A column is one of
    ///
    /// - the declared Arrow type: the value came in binary, or as the text of a type whose values
    ///   are kept as texts. Of those (`json`, `uuid`, ..) only the encoding has been checked, so
    ///   PostgreSQL's input rules apply to them still;
    /// - a decimal of the value's own precision and scale, where a decimal is declared and the
    ///   value came in binary: `numeric` has no scale of its own in PostgreSQL;
    /// - `Utf8`, where another type is declared and the value came as text: it is cast with
    ///   PostgreSQL's input rules of that type.
    pub values: RecordBatch,
}

/// A planned statement. Dropping it ends the query that it began.
pub struct Prepared {
    pub query_id: QueryId,
    /// The output fields, in the order and with the names that a client sees (names may repeat);
    /// `None` for a statement that returns no rows (`SET`). An Arrow type that PostgreSQL tells
    /// apart further carries it in its metadata (`inflowave_types::PgType`).
    pub schema: Option<SchemaRef>,
    /// Its rows are no result but the data of a `COPY .. TO STDOUT`; [`Prepared::schema`] is then
    /// `None`.
    pub copy: Option<CopyOut>,
    /// Its rows come from a binary cursor.
    pub binary: bool,
    /// The engine's plan.
    pub plan: Box<dyn Any + Send>,
}

/// A running statement.
#[async_trait]
pub trait Portal: Send {
    /// The next rows, or `None` at the end. After an error nothing follows.
    async fn next(&mut self) -> Result<Option<RecordBatch>>;

    /// The command tag, valid after the end: `SELECT 5`, `SET`.
    fn tag(&self) -> String;

    /// What the client is told beside the answer, valid after the end.
    fn notices(&self) -> Vec<Notice> {
        Vec::new()
    }
}

/// What a client is told beside the answer; nothing has failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    pub sqlstate: SqlState,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Notice,
    Warning,
}

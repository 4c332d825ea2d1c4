//! An engine whose statements are instructions: `rows 3 100`, `fail 2`, `wait`, `panic`.
//!
//! `echo $1 $2:23` gives back its parameters; a number after a colon is the OID of a type that the
//! statement itself tells.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use inflowave_query_api::{
    CursorView, Description, NamedStatement, Parameters, Portal, Prepared, QueryService, Session,
    SessionStart, Statement, TransactionStatus,
};
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};
use tokio::sync::watch;

use crate::oid;

/// The bytes of a text of `rows`.
pub const PAD: usize = 1000;

/// What tests see of the engine.
pub struct Fake {
    pub starts: Mutex<Vec<SessionStart>>,
    /// The last cancel request.
    pub cancelled: watch::Sender<Option<(SessionId, Vec<u8>)>>,
    /// Portals that were started, and those that were dropped since.
    pub started: watch::Sender<usize>,
    pub dropped: watch::Sender<usize>,
    pub sessions_dropped: watch::Sender<usize>,
    /// Batches that portals gave.
    pub batches: AtomicUsize,
    /// The values that came with the last statement that had any.
    pub parameters: Mutex<Option<Parameters>>,
    /// Tables have changed since they were described.
    pub altered: AtomicBool,
    sessions: AtomicU32,
}

impl Fake {
    pub fn new() -> Arc<Fake> {
        Arc::new(Fake {
            starts: Mutex::default(),
            cancelled: watch::Sender::new(None),
            started: watch::Sender::new(0),
            dropped: watch::Sender::new(0),
            sessions_dropped: watch::Sender::new(0),
            batches: AtomicUsize::new(0),
            parameters: Mutex::default(),
            altered: AtomicBool::new(false),
            sessions: AtomicU32::new(0),
        })
    }
}

/// [`QueryService`] over a shared [`Fake`].
pub struct Service(pub Arc<Fake>);

#[async_trait]
impl QueryService for Service {
    async fn open_session(&self, start: SessionStart) -> Result<Box<dyn Session>> {
        if start.database.as_deref() == Some("nowhere") {
            let message = "database \"nowhere\" does not exist";
            return Err(Error::new(SqlState::InvalidCatalogName, message));
        }
        self.0.starts.lock().unwrap().push(start);
        Ok(Box::new(FakeSession {
            id: self.0.sessions.fetch_add(1, Ordering::Relaxed) + 1,
            status: TransactionStatus::Idle,
            zone: "UTC".to_owned(),
            named: HashMap::new(),
            fake: Arc::clone(&self.0),
        }))
    }

    fn cancel(&self, session: SessionId, key: &[u8]) {
        self.0.cancelled.send_replace(Some((session, key.to_vec())));
    }
}

struct FakeSession {
    id: u32,
    status: TransactionStatus,
    zone: String,
    named: HashMap<String, Arc<NamedStatement>>,
    fake: Arc<Fake>,
}

impl Drop for FakeSession {
    fn drop(&mut self) {
        self.fake.sessions_dropped.send_modify(|n| *n += 1);
    }
}

#[async_trait]
impl Session for FakeSession {
    fn id(&self) -> SessionId {
        SessionId(self.id)
    }

    fn cancel_key(&self) -> [u8; 32] {
        let mut key = [9; 32];
        key[..4].copy_from_slice(&(-77_i32).to_be_bytes());
        key
    }

    fn transaction_status(&self) -> TransactionStatus {
        self.status
    }

    fn reported_settings(&mut self) -> Vec<(String, String)> {
        vec![
            ("server_version".to_owned(), "15.0".to_owned()),
            ("TimeZone".to_owned(), self.zone.clone()),
        ]
    }

    fn idle_timeout(&self) -> Option<Duration> {
        None
    }

    fn named(&self, name: &str) -> Option<Arc<NamedStatement>> {
        self.named.get(name).cloned()
    }

    fn keep(&mut self, name: &str, statement: NamedStatement) -> Result<()> {
        if self.named.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Error::new(SqlState::DuplicatePreparedStatement, message));
        }
        self.named.insert(name.to_owned(), Arc::new(statement));
        Ok(())
    }

    fn forget(&mut self, name: &str) {
        self.named.remove(name);
    }

    fn cursor(&self, name: &str) -> Option<CursorView> {
        (name == "cursor").then(|| CursorView {
            schema: schema(),
            binary: false,
        })
    }

    fn split(&self, sql: &str) -> Result<Vec<Statement>> {
        if let Some(at) = sql.find('!') {
            return Err(
                Error::new(SqlState::SyntaxError, "syntax error at or near \"!\"")
                    .with_position(at as u32 + 1),
            );
        }
        let mut offset = 0;
        let mut statements = Vec::new();
        for part in sql.split(';') {
            let text = part.trim();
            if !text.is_empty() {
                statements.push(Statement {
                    sql: text.to_owned(),
                    offset: offset + part.find(text).unwrap_or(0) as u32,
                    parsed: Arc::new(()),
                });
            }
            offset += part.len() as u32 + 1;
        }
        Ok(statements)
    }

    async fn describe(
        &mut self,
        statement: &Statement,
        hints: &[Option<FieldRef>],
    ) -> Result<Description> {
        let words = self.words(statement)?;
        let hint = |i: usize| hints.get(i).cloned().flatten();
        let mut parameters = Vec::new();
        for (i, word) in words.iter().filter(|w| w.starts_with('$')).enumerate() {
            let told = word.split_once(':').map(|(_, oid)| oid.parse().unwrap());
            let told = told.map(|oid| oid::parameter(oid, i + 1).unwrap().unwrap());
            let text = || Arc::new(Field::new(format!("${}", i + 1), DataType::Utf8View, true));
            parameters.push(hint(i).or(told).unwrap_or_else(text));
        }
        let schema = self.planned(&words, &parameters).await?;
        Ok(Description { parameters, schema })
    }

    async fn prepare(
        &mut self,
        statement: &Statement,
        parameters: Option<Parameters>,
    ) -> Result<Prepared> {
        let words = self.words(statement)?;
        let declared = parameters.as_ref().map_or(&[][..], |p| &p.declared);
        let mut schema = self.planned(&words, declared).await?;
        if self.fake.altered.load(Ordering::Relaxed) && schema.is_some() {
            schema = Some(Arc::new(Schema::new(vec![Field::new(
                "n",
                DataType::Int32,
                true,
            )])));
        }
        let echo = match (&parameters, words[0].as_str(), &mut schema) {
            (Some(parameters), "echo", Some(schema)) => {
                let named = words.iter().filter(|w| w.starts_with('$')).count();
                let batch = echo(parameters, named)?;
                *schema = batch.schema();
                Some(batch)
            }
            _ => None,
        };
        if parameters.is_some() {
            *self.fake.parameters.lock().unwrap() = parameters;
        }
        Ok(Prepared {
            query_id: QueryId(7),
            schema,
            copy: None,
            binary: false,
            plan: Box::new((words, echo)),
        })
    }

    async fn execute(&mut self, prepared: Prepared) -> Result<Box<dyn Portal>> {
        let (words, echo): (Vec<String>, Option<RecordBatch>) = *prepared.plan.downcast().unwrap();
        match words[0].as_str() {
            "begin" => self.status = TransactionStatus::InTransaction,
            "rollback" | "commit" => self.status = TransactionStatus::Idle,
            "zone" => self.zone = words[1].clone(),
            "deallocate" if words[1] == "all" => self.named.retain(|name, _| name.is_empty()),
            "deallocate" => {
                let name = &words[1];
                self.named.remove(name).ok_or_else(|| {
                    let message = format!("prepared statement \"{name}\" does not exist");
                    Error::new(SqlState::InvalidSqlStatementName, message)
                })?;
            }
            _ => {}
        }
        self.fake.started.send_modify(|n| *n += 1);
        let number = |i: usize| words.get(i).and_then(|w| w.parse().ok()).unwrap_or(0);
        Ok(Box::new(FakePortal {
            left: number(1),
            rows: number(2),
            sent: 0,
            verb: words[0].clone(),
            echo,
            fake: Arc::clone(&self.fake),
        }))
    }

    fn fail_transaction(&mut self) {
        if self.status == TransactionStatus::InTransaction {
            self.status = TransactionStatus::Failed;
        }
    }
}

impl FakeSession {
    /// The verb and what follows; only the end of a transaction can run in a failed one.
    fn words(&self, statement: &Statement) -> Result<Vec<String>> {
        let mut words: Vec<String> = statement.sql.split(' ').map(str::to_owned).collect();
        words[0] = words[0].to_lowercase();
        if words[0] == "start" {
            words[0] = "begin".to_owned();
        }
        let ends = ["rollback", "commit"].contains(&words[0].as_str());
        if self.status == TransactionStatus::Failed && !ends {
            return Err(Error::new(SqlState::InFailedSqlTransaction, "aborted"));
        }
        Ok(words)
    }

    async fn planned(
        &mut self,
        words: &[String],
        parameters: &[FieldRef],
    ) -> Result<Option<SchemaRef>> {
        Ok(match words[0].as_str() {
            "missing" => {
                self.fail_transaction();
                return Err(
                    Error::new(SqlState::UndefinedTable, "relation \"t\" does not exist")
                        .with_hint("Did you mean \"u\"?")
                        .with_position(9),
                );
            }
            "stuck" => std::future::pending().await,
            "crash" => panic!("a defect in planning"),
            "begin" | "rollback" | "commit" | "zone" | "deallocate" => None,
            "wide" => Some(wide()),
            "moments" => Some(moments(0).schema()),
            "echo" => Some(Arc::new(Schema::new(parameters.to_vec()))),
            _ => Some(schema()),
        })
    }
}

/// The values that the statement names as their declared types; a decimal keeps its own scale.
fn echo(parameters: &Parameters, named: usize) -> Result<RecordBatch> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    let values = parameters.declared.iter().zip(parameters.values.columns());
    for (declared, value) in values.take(named) {
        let value = match value.data_type().is_decimal() {
            true => Arc::clone(value),
            false => {
                cast(value, declared.data_type()).map_err(|e| Error::internal(e.to_string()))?
            }
        };
        let field = declared.as_ref().clone();
        fields.push(field.with_data_type(value.data_type().clone()));
        columns.push(value);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|e| Error::internal(e.to_string()))
}

struct FakePortal {
    verb: String,
    echo: Option<RecordBatch>,
    left: usize,
    rows: usize,
    sent: usize,
    fake: Arc<Fake>,
}

impl Drop for FakePortal {
    fn drop(&mut self) {
        self.fake.dropped.send_modify(|n| *n += 1);
    }
}

#[async_trait]
impl Portal for FakePortal {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.echo.take() {
            self.sent = 1;
            return Ok(Some(batch));
        }
        if self.left > 0 {
            self.left -= 1;
            self.fake.batches.fetch_add(1, Ordering::Relaxed);
            let rows = self.rows.max(1);
            self.sent += rows;
            if self.verb == "moments" {
                return Ok(Some(moments(rows)));
            }
            return Ok(Some(batch(self.sent - rows, rows)));
        }
        match self.verb.as_str() {
            "fail" => {
                Err(Error::new(SqlState::DivisionByZero, "division by zero").with_position(1))
            }
            "wait" => std::future::pending().await,
            "panic" => panic!("a defect in an operator"),
            _ => Ok(None),
        }
    }

    fn tag(&self) -> String {
        match self.verb.as_str() {
            "begin" | "rollback" | "commit" => self.verb.to_uppercase(),
            "zone" => "SET".to_owned(),
            "show" => "SHOW".to_owned(),
            "deallocate" => "DEALLOCATE".to_owned(),
            _ => format!("SELECT {}", self.sent),
        }
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("n", DataType::Int64, true),
        Field::new("s", DataType::Utf8View, true),
    ]))
}

fn wide() -> SchemaRef {
    let field = |i| Field::new(format!("c{i}"), DataType::Int64, true);
    Arc::new(Schema::new((0..1665).map(field).collect::<Vec<_>>()))
}

/// Numbers from `first` on, every third NULL, beside a long text.
fn batch(first: usize, rows: usize) -> RecordBatch {
    let pad = "x".repeat(PAD);
    let numbers = (first..first + rows).map(|n| (n % 3 != 2).then_some(n as i64));
    let numbers: ArrayRef = Arc::new(numbers.collect::<Int64Array>());
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec![pad.as_str(); rows]));
    RecordBatch::try_new(schema(), vec![numbers, texts]).unwrap()
}

/// The start of 1970 in UTC, again and again.
fn moments(rows: usize) -> RecordBatch {
    let at = TimestampMicrosecondArray::from(vec![0; rows]).with_timezone("UTC");
    RecordBatch::try_from_iter([("at", Arc::new(at) as ArrayRef)]).unwrap()
}

//! One connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, SchemaRef};
use async_trait::async_trait;
use inflowave_federation::{Pushdown, Snapshots};
use inflowave_pg_semantics::parameters::{self, Argument};
use inflowave_query_api::{
    Description, Forget, Notice, Parameters, Portal, Prepared, Session, SessionStart, Severity,
    Statement, TransactionStatus,
};
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};
use tokio_util::sync::CancellationToken;

use crate::StatementView;
use crate::engine::Shared;
use crate::explain;
use crate::isolation::{Isolation, Modes};
use crate::plan::Context;
use crate::registry::Registry;
use crate::run::{self, Running, Work};
use crate::settings::Settings;
use crate::statement::{self, Bounds, Discard, Explain, Kind};
use crate::transaction::{self, Transaction};

/// Holds only what differs from the base that all sessions share.
pub(crate) struct EngineSession {
    shared: Arc<Shared>,
    id: SessionId,
    secret: i32,
    database: String,
    settings: Settings,
    transaction: Transaction,
    /// Microseconds that reading the last text took, until a query takes them over.
    parse_us: AtomicU64,
}

/// What `Prepared::plan` holds.
struct Ready {
    context: Context,
    step: Step,
    begun: Begun,
}

/// A query that has been planned. Dropped before it runs, it ends in the registry all the same.
struct Begun {
    registry: Arc<Registry>,
    query_id: QueryId,
    runs: bool,
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.runs {
            self.registry.end_query(self.query_id, Ok(false));
        }
    }
}

enum Step {
    Run(Work),
    Set { name: String, value: Option<String> },
    ResetAll,
    Transaction(transaction::Command),
    Deallocate(Option<String>),
    Discard(Discard),
}

impl EngineSession {
    pub fn open(shared: Arc<Shared>, start: SessionStart) -> Result<EngineSession> {
        let database = match &start.database {
            // libpq sends the user's name when a person named no database.
            Some(name) if *name == start.user && shared.catalogs.exists(name).is_err() => {
                crate::catalog::OWN.to_owned()
            }
            Some(name) if !name.is_empty() => name.clone(),
            _ => crate::catalog::OWN.to_owned(),
        };
        shared.catalogs.exists(&database)?;
        let mut settings = Settings::default();
        for (name, value) in &start.settings {
            settings.set(name, value)?;
        }
        if let Some(name) = &start.application_name {
            settings.set("application_name", name)?;
        }
        settings.force(Settings::find("session_authorization")?, start.user.clone());
        let (id, secret) = shared.registry.open_session(&start, &database)?;
        Ok(EngineSession {
            shared,
            id,
            secret,
            database,
            settings,
            transaction: Transaction::default(),
            parse_us: AtomicU64::new(0),
        })
    }

    /// Its command tag.
    fn set(&mut self, name: &str, value: Option<&str>) -> Result<&'static str> {
        match value {
            Some(value) => {
                let spec = self.settings.set(name, value)?;
                match spec.name {
                    "application_name" => {
                        self.shared.registry.set_application_name(self.id, value);
                    }
                    "transaction_isolation" => {
                        let isolation = value.parse().ok();
                        let command = transaction::Command::Set(Modes { isolation });
                        return self.transact(&command);
                    }
                    _ => {}
                }
            }
            None => self.settings.reset(Settings::find(name)?),
        }
        Ok("SET")
    }

    /// Its command tag.
    fn transact(&mut self, command: &transaction::Command) -> Result<&'static str> {
        let default = self.settings.default_isolation();
        let tag = self.transaction.run(command, default)?;
        if let transaction::Command::SetDefault(Modes {
            isolation: Some(isolation),
        }) = command
        {
            let name = isolation.to_string();
            self.settings.set("default_transaction_isolation", &name)?;
        }
        Ok(tag)
    }

    /// What `SHOW transaction_isolation` tells is the transaction's.
    fn show_isolation(&mut self) -> Result<()> {
        let default = self.settings.default_isolation();
        let isolation = self.transaction.isolation().unwrap_or(default);
        let spec = Settings::find("transaction_isolation")?;
        self.settings.force(spec, isolation.to_string());
        Ok(())
    }

    fn discard(&mut self, what: Discard) -> Result<(&'static str, Option<Forget>)> {
        Ok(match what {
            Discard::All => {
                if self.transaction.status() != TransactionStatus::Idle {
                    return Err(Error::new(
                        SqlState::ActiveSqlTransaction,
                        "DISCARD ALL cannot run inside a transaction block",
                    )
                    .with_hint("Send COMMIT or ROLLBACK first."));
                }
                self.settings.reset_all();
                ("DISCARD ALL", Some(Forget::All))
            }
            Discard::Plans => ("DISCARD PLANS", None),
            Discard::Sequences => ("DISCARD SEQUENCES", None),
            Discard::Temporary => ("DISCARD TEMP", None),
        })
    }

    fn context(
        &self,
        query_id: QueryId,
        cancel: &CancellationToken,
        statement: &Statement,
        snapshots: Arc<Snapshots>,
    ) -> Context {
        let view = StatementView {
            shared: Arc::clone(&self.shared),
            settings: self.settings.clone(),
            database: self.database.clone(),
            session: self.id,
        };
        let extensions = self.shared.extensions.iter();
        Context {
            shared: Arc::clone(&self.shared),
            settings: self.settings.clone(),
            database: self.database.clone(),
            session: self.id,
            overlays: extensions.filter_map(|e| e.overlay(&view)).collect(),
            query_id,
            cancel: cancel.clone(),
            notices: Arc::default(),
            snapshots,
            sql: statement.sql.as_str().into(),
        }
    }

    /// What is registered can be read by others: no secret is in it.
    fn shown(&self, kind: &Kind, statement: &Statement) -> String {
        match kind {
            Kind::Ddl(ddl) => ddl.shown(&self.shared.catalogs, &statement.sql),
            _ => statement.sql.clone(),
        }
    }

    /// A statement that did not become a query is one all the same for who looks at what failed.
    fn failed_early(&self, shown: &str, parse: Duration, error: &Error) {
        let registry = &self.shared.registry;
        let query_id = registry.begin_query(self.id, shown, parse, &CancellationToken::new());
        registry.end_query(query_id, Err(error));
    }

    fn runnable(&mut self, kind: &Kind) -> Result<()> {
        let recovers = matches!(kind, Kind::Transaction(command) if command.recovers());
        if self.transaction.status() == TransactionStatus::Failed && !recovers {
            return Err(Error::new(
                SqlState::InFailedSqlTransaction,
                "current transaction is aborted, commands ignored until end of transaction block",
            )
            .with_hint("Send ROLLBACK."));
        }
        if let Kind::Ddl(statement) = kind
            && self.transaction.status() != TransactionStatus::Idle
        {
            self.fail_transaction();
            return Err(statement.in_transaction());
        }
        Ok(())
    }
}

/// Runs `work` where the stacks are large: planning can be deep and slow. A cancel and the
/// session's timeout end it.
async fn on_cpu<T: Send + 'static>(
    context: &Context,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let timeout = context.settings.statement_timeout();
    let task = context.shared.runtimes.cpu.spawn(work);
    let abort = task.abort_handle();
    let outcome = tokio::select! {
        outcome = task => outcome.unwrap_or_else(|_| Err(run::died(context.query_id))),
        () = context.cancel.cancelled() => Err(run::canceled()),
        () = run::elapsed(timeout) => Err(run::timed_out()),
    };
    abort.abort();
    outcome
}

/// What a statement takes and gives.
async fn describe(
    context: &Context,
    kind: Kind,
    hints: &[Option<FieldRef>],
) -> Result<Description> {
    let (explained, parameters) = match kind {
        Kind::Query(ast) => {
            let (parameters, schema) = context.describe(*ast, hints).await?;
            return Ok(Description {
                parameters,
                schema: Some(schema),
            });
        }
        Kind::Explain(how, mut ast) => {
            let (types, _) = context.describe((*ast).clone(), hints).await?;
            let unset: Vec<Argument> = types
                .iter()
                .map(|t| Argument {
                    text: None,
                    declared: Some(Arc::clone(t)),
                })
                .collect();
            parameters::bind(&mut ast, &unset)?;
            (Kind::Explain(how, ast), types)
        }
        other => (other, Vec::new()),
    };
    let (_, schema) = plan(context, explained).await?;
    Ok(Description { parameters, schema })
}

/// The values of parameters, put into the syntax tree.
fn bind(kind: &mut Kind, parameters: Option<&Parameters>) -> Result<()> {
    let arguments = match parameters {
        Some(p) => parameters::arguments(&p.declared, &p.values)?,
        None => Vec::new(),
    };
    match kind {
        Kind::Query(ast) | Kind::Explain(_, ast) => parameters::bind(ast, &arguments),
        _ => Ok(()),
    }
}

/// Plans a statement; runs on the CPU runtime.
async fn plan(context: &Context, kind: Kind) -> Result<(Step, Option<SchemaRef>)> {
    let work = match kind {
        Kind::Query(ast) => {
            let pushdown = context.settings.pushdown();
            let planned = context.plan((*ast).clone(), run::first(pushdown)).await?;
            let schema = Arc::clone(&planned.schema);
            let work = if pushdown == Pushdown::Verify {
                let off = context.plan(*ast, Pushdown::Off).await?;
                Work::Verify { on: planned, off }
            } else {
                Work::Query(planned)
            };
            return Ok((Step::Run(work), Some(schema)));
        }
        Kind::Explain(how, ast) => {
            let pushdown = run::first(context.settings.pushdown());
            let planned = context.plan(*ast, pushdown).await?;
            match how {
                Explain::Plan => done(explain::plan(&planned)?, "EXPLAIN"),
                Explain::Federation { json } => done(
                    explain::federation(context, &planned, pushdown, json)?,
                    "EXPLAIN",
                ),
                Explain::Analyze => {
                    let schema = explain::plan(&planned)?.schema();
                    return Ok((Step::Run(Work::Analyze(planned)), Some(schema)));
                }
            }
        }
        Kind::Show(show) => {
            let rows = show
                .rows(
                    &context.shared.catalogs,
                    &context.database,
                    &context.settings,
                )
                .await?;
            done(rows, "SHOW")
        }
        Kind::Set { name, value } => return Ok((Step::Set { name, value }, None)),
        Kind::ResetAll => return Ok((Step::ResetAll, None)),
        Kind::Transaction(t) => return Ok((Step::Transaction(t), None)),
        Kind::Deallocate(name) => return Ok((Step::Deallocate(name), None)),
        Kind::Discard(what) => return Ok((Step::Discard(what), None)),
        Kind::Ddl(statement) => Work::Ddl(statement),
    };
    let schema = match &work {
        Work::Done(Some(rows), _) => Some(rows.schema()),
        _ => None,
    };
    Ok((Step::Run(work), schema))
}

/// A transaction that promises one state reads a source that cannot give one.
fn no_snapshot(catalog: &str) -> Notice {
    Notice {
        severity: Severity::Warning,
        sqlstate: SqlState::Warning,
        message: format!(
            "catalog \"{catalog}\" has no snapshots: two queries of this transaction can read two states of it"
        ),
    }
}

fn done(rows: RecordBatch, tag: &str) -> Work {
    Work::Done(Some(rows), tag.to_owned())
}

#[async_trait]
impl Session for EngineSession {
    fn id(&self) -> SessionId {
        self.id
    }

    fn cancel_secret(&self) -> i32 {
        self.secret
    }

    fn transaction_status(&self) -> TransactionStatus {
        self.transaction.status()
    }

    fn reported_settings(&self) -> Vec<(String, String)> {
        self.settings.reported()
    }

    fn split(&self, sql: &str) -> Result<Vec<Statement>> {
        let begun = Instant::now();
        let bounds = Bounds {
            bytes_max: self.shared.limits.statement_bytes_max,
            depth_max: self.shared.limits.statement_depth_max,
        };
        let statements = statement::split(sql, bounds);
        let us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        match &statements {
            Ok(_) => self.parse_us.store(us, Ordering::Relaxed),
            Err(error) => {
                let shown = statement::unread(sql);
                self.failed_early(&shown, Duration::from_micros(us), error);
            }
        }
        statements
    }

    async fn describe(
        &mut self,
        statement: &Statement,
        hints: &[Option<FieldRef>],
    ) -> Result<Description> {
        let kind = statement::kind(statement)?.clone();
        self.runnable(&kind)?;
        let cancel = CancellationToken::new();
        let query_id = self.shared.registry.interruptible(self.id, &cancel);
        // Nothing is read.
        let snapshots = Snapshots::of_statement();
        let context = self.context(query_id, &cancel, statement, snapshots);
        let hints = hints.to_vec();
        let described = on_cpu(&context, {
            let context = context.clone();
            async move { describe(&context, kind, &hints).await }
        });
        let described = described.await;
        if let Err(error) = &described {
            // It will not come to a query, whose end would tell of it.
            let shown = self.shown(statement::kind(statement)?, statement);
            let parse = Duration::from_micros(self.parse_us.swap(0, Ordering::Relaxed));
            self.failed_early(&shown, parse, error);
            self.fail_transaction();
        }
        described
    }

    async fn prepare(
        &mut self,
        statement: &Statement,
        parameters: Option<Parameters>,
    ) -> Result<Prepared> {
        let mut kind = statement::kind(statement)?.clone();
        self.runnable(&kind)?;
        let cancel = CancellationToken::new();
        let registry = Arc::clone(&self.shared.registry);
        let shown = self.shown(&kind, statement);
        let parse = Duration::from_micros(self.parse_us.swap(0, Ordering::Relaxed));
        let query_id = registry.begin_query(self.id, &shown, parse, &cancel);
        let snapshots = match &kind {
            Kind::Query(_) | Kind::Explain(..) => self.transaction.snapshots(),
            _ => Snapshots::of_statement(),
        };
        let context = self.context(query_id, &cancel, statement, snapshots);
        let planned = on_cpu(&context, {
            let context = context.clone();
            async move {
                bind(&mut kind, parameters.as_ref())?;
                plan(&context, kind).await
            }
        });
        match planned.await {
            Ok((step, schema)) => {
                if self
                    .transaction
                    .isolation()
                    .is_some_and(Isolation::fixes_states)
                {
                    let without = context.snapshots.without();
                    let mut notices = context.notices.lock();
                    notices.extend(without.iter().map(|catalog| no_snapshot(catalog)));
                }
                registry.planned(query_id);
                let begun = Begun {
                    registry,
                    query_id,
                    runs: false,
                };
                Ok(Prepared {
                    query_id,
                    schema,
                    plan: Box::new(Ready {
                        context,
                        step,
                        begun,
                    }),
                })
            }
            Err(error) => {
                registry.end_query(query_id, Err(&error));
                self.fail_transaction();
                Err(error)
            }
        }
    }

    async fn execute(&mut self, prepared: Prepared) -> Result<Box<dyn Portal>> {
        let Ready {
            context,
            step,
            mut begun,
        } = *prepared
            .plan
            .downcast::<Ready>()
            .map_err(|_| Error::internal("a statement that this engine did not prepare"))?;
        if let Step::Run(Work::Ddl(ddl)) = &step
            && self.transaction.status() != TransactionStatus::Idle
        {
            let error = ddl.in_transaction();
            let registry = &self.shared.registry;
            registry.end_query(prepared.query_id, Err(&error));
            self.fail_transaction();
            return Err(error);
        }
        // From here on the portal ends the query.
        begun.runs = true;
        let done = match step {
            Step::Run(work) => return Ok(Box::new(Running::start(context, work))),
            Step::Set { name, value } => self.set(&name, value.as_deref()).map(|t| (t, None)),
            Step::ResetAll => {
                self.settings.reset_all();
                Ok(("RESET", None))
            }
            Step::Transaction(command) => {
                context
                    .notices
                    .lock()
                    .extend(self.transaction.notice(&command));
                self.transact(&command).map(|tag| (tag, None))
            }
            Step::Deallocate(Some(name)) => Ok(("DEALLOCATE", Some(Forget::Named(name)))),
            Step::Deallocate(None) => Ok(("DEALLOCATE ALL", Some(Forget::All))),
            Step::Discard(what) => self.discard(what),
        };
        let done = done.and_then(|done| self.show_isolation().map(|()| done));
        match done {
            Ok((tag, forgets)) => {
                let work = Work::Done(None, tag.to_owned());
                Ok(Box::new(Running::start(context, work).forgetting(forgets)))
            }
            Err(error) => {
                let registry = &self.shared.registry;
                registry.end_query(prepared.query_id, Err(&error));
                self.fail_transaction();
                Err(error)
            }
        }
    }

    fn fail_transaction(&mut self) {
        self.transaction.fail();
    }
}

impl Drop for EngineSession {
    fn drop(&mut self) {
        self.shared.registry.close_session(self.id);
    }
}

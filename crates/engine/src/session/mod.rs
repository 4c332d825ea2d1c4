//! One connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arrow::datatypes::FieldRef;
use async_trait::async_trait;
use inflowave_federation::Snapshots;
use inflowave_query_api::{
    CursorView, Description, NamedStatement, Parameters, Portal, Prepared, Session, SessionStart,
    Statement, TransactionStatus,
};
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use self::planning::{Named, Step, Stepped};
use crate::StatementView;
use crate::authority::{Object, Privilege, RoleInfo, denied};
use crate::cursor::Cursors;
use crate::ddl;
use crate::engine::Shared;
use crate::isolation::{Isolation, Modes};
use crate::overlay::Assignment;
use crate::plan::Context;
use crate::prepared::PreparedStatements;
use crate::registry::Registry;
use crate::run::{self, Running, Work};
use crate::scoped::ScopedSettings;
use crate::settings::{self, Settings};
use crate::statement::{self, Bounds, Kind, Scope};
use crate::transaction::{self, Transaction};

mod at_once;
mod planning;

/// Holds only what differs from the base that all sessions share.
pub(crate) struct EngineSession {
    shared: Arc<Shared>,
    id: SessionId,
    key: [u8; 32],
    database: String,
    /// Who has proved to be it.
    user: String,
    settings: ScopedSettings,
    transaction: Transaction,
    prepared: Arc<Mutex<PreparedStatements>>,
    cursors: Arc<Mutex<Cursors>>,
    /// What functions have set, until the session takes it over.
    assigned: Arc<Mutex<Vec<Assignment>>>,
    /// As the registry has it.
    application_name: String,
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
        let role = role(&shared, &start, &database)?;
        let mut settings = Settings::default();
        for (name, value) in &start.settings {
            if settings.set(name, value)? == "role" {
                return Err(
                    Error::unsupported("a role cannot be set at the start of a session")
                        .with_hint("Send SET ROLE."),
                );
            }
        }
        if let Some(name) = &start.application_name {
            settings.set("application_name", name)?;
        }
        settings.force(Settings::find("session_authorization")?, start.user.clone());
        settings.start(&shared.catalogs.default_schema(&database));
        let (id, key) = shared.registry.open_session(&start, &database, &role)?;
        let mut session = EngineSession {
            shared,
            id,
            key,
            database,
            user: start.user.clone(),
            settings: ScopedSettings::new(settings),
            transaction: Transaction::default(),
            prepared: Arc::default(),
            cursors: Arc::default(),
            assigned: Arc::default(),
            application_name: start.application_name.unwrap_or_default(),
            parse_us: AtomicU64::new(0),
        };
        session.settle()?;
        Ok(session)
    }

    /// Its command tag.
    fn set(&mut self, name: &str, value: Option<&str>, scope: Scope) -> Result<&'static str> {
        let Some(value) = value else {
            self.reset(name, scope)?;
            return Ok("SET");
        };
        if scope == Scope::Local && self.transaction.status() == TransactionStatus::Idle {
            // Right or wrong, it ends where it begins.
            self.settings.now().check(name, value)?;
            return Ok("SET");
        }
        self.may_become(name, value)?;
        let spelled = self.settings.change(scope, |s| s.set(name, value))?;
        if spelled == "transaction_isolation" {
            let isolation = value.parse().ok();
            return self.transact(&transaction::Command::Set(Modes { isolation }));
        }
        Ok("SET")
    }

    fn reset(&mut self, name: &str, scope: Scope) -> Result<&'static str> {
        self.settings.change(scope, |s| s.reset(name))?;
        Ok("RESET")
    }

    /// May the session be what it wants to be?
    fn may_become(&self, setting: &str, role: &str) -> Result<()> {
        let authority = &self.shared.authority;
        let (is_role, is_session) = (
            setting.eq_ignore_ascii_case("role"),
            setting.eq_ignore_ascii_case("session_authorization"),
        );
        if !(is_role || is_session) || (is_role && role == settings::NO_ROLE) {
            return Ok(());
        }
        if authority.restricts() && authority.role(role).is_none() {
            return Err(Error::new(
                SqlState::InvalidParameterValue,
                format!("role \"{role}\" does not exist"),
            ));
        }
        let denied = |what: String| Err(Error::new(SqlState::InsufficientPrivilege, what));
        if is_role && !authority.is_member(self.settings.now().user(), role) {
            return denied(format!("permission denied to set role \"{role}\""));
        }
        let own = role == self.user;
        if is_session && !own && !authority.is_superuser(&self.user) {
            return denied("permission denied to set session authorization".to_owned());
        }
        Ok(())
    }

    /// Its command tag.
    fn transact(&mut self, command: &transaction::Command) -> Result<&'static str> {
        let default = self.settings.now().default_isolation();
        let (tag, change) = self.transaction.run(command, default)?;
        self.settings.follow(change);
        self.cursors.lock().follow(change);
        if let transaction::Command::SetDefault(Modes {
            isolation: Some(isolation),
        }) = command
        {
            let name = isolation.to_string();
            self.settings.change(Scope::Session, |s| {
                s.set("default_transaction_isolation", &name)
            })?;
        }
        Ok(tag)
    }

    /// What `SHOW transaction_isolation` tells is the transaction's, and the registry knows the
    /// session by its name.
    fn settle(&mut self) -> Result<()> {
        let default = self.settings.now().default_isolation();
        let isolation = self.transaction.isolation().unwrap_or(default).to_string();
        let spec = Settings::find("transaction_isolation")?;
        self.settings.change(Scope::Session, |s| {
            s.force(spec, isolation.clone());
            Ok(())
        })?;
        let role = self.settings.now().role().to_owned();
        let superuser = self.shared.authority.is_superuser(&role);
        let spec = Settings::find("is_superuser")?;
        self.settings.change(Scope::Session, |s| {
            s.force(spec, if superuser { "on" } else { "off" }.to_owned());
            Ok(())
        })?;
        let registry = &self.shared.registry;
        registry.set_status(self.id, self.transaction.status());
        let (_, name) = self.settings.now().show("application_name")?;
        if name != self.application_name {
            self.shared.registry.set_application_name(self.id, &name);
            self.application_name = name;
        }
        Ok(())
    }

    /// Takes over what functions have set. It was checked when they ran.
    fn take_over(&mut self) {
        let assigned = std::mem::take(&mut *self.assigned.lock());
        for Assignment { name, value, local } in assigned {
            let scope = if local { Scope::Local } else { Scope::Session };
            let set = self.set(&name, Some(&value), scope);
            if let Err(error) = set.and_then(|_| self.settle()) {
                tracing::warn!(%error, setting = name, "a setting was not taken over");
            }
        }
    }

    /// What the statement names of the session.
    fn named_by(&self, kind: &Kind, must_be_there: bool) -> Result<Named> {
        let mut named = Named::default();
        match kind {
            Kind::Execute(execute) => {
                let prepared = self.prepared.lock();
                named.prepared = Some(Arc::clone(prepared.named(&execute.name)?));
            }
            Kind::Fetch(fetch) => {
                named.cursor = self.cursor(&fetch.cursor);
                if must_be_there && named.cursor.is_none() {
                    self.cursors.lock().get(&fetch.cursor)?;
                }
            }
            Kind::Declare(declare) if must_be_there => {
                if !declare.hold {
                    self.transaction.open("DECLARE CURSOR")?;
                }
                self.cursors.lock().vacant(&declare.name)?;
            }
            Kind::Lock(_) => self.transaction.open("LOCK TABLE")?,
            _ => {}
        }
        Ok(named)
    }

    fn context(
        &self,
        query_id: QueryId,
        cancel: &CancellationToken,
        statement: &Statement,
        snapshots: Arc<Snapshots>,
    ) -> Context {
        let settings = self.settings.now();
        let view = StatementView {
            shared: Arc::clone(&self.shared),
            settings: settings.clone(),
            database: self.database.clone(),
            session: self.id,
            prepared: Arc::clone(&self.prepared),
            cursors: Arc::clone(&self.cursors),
            assigned: Arc::clone(&self.assigned),
        };
        let extensions = self.shared.extensions.iter();
        Context {
            shared: Arc::clone(&self.shared),
            settings: settings.clone(),
            database: self.database.clone(),
            session: self.id,
            role: view.role().into(),
            view: view.clone(),
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
            Kind::Command(command) => command.shown(&statement.sql),
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
        let tag = match kind {
            Kind::Ddl(statement) => statement.tag(),
            Kind::Command(command) => command.tag(),
            _ => return Ok(()),
        };
        if self.transaction.status() != TransactionStatus::Idle {
            self.fail_transaction();
            return Err(ddl::in_transaction(tag));
        }
        Ok(())
    }
}

/// The role that opens a session.
///
/// # Errors
/// `28000` for a user that is not there or may not connect; `42501` for a catalog that it may not use.
fn role(shared: &Shared, start: &SessionStart, database: &str) -> Result<RoleInfo> {
    let authority = &shared.authority;
    let Some(role) = authority.role(&start.user) else {
        return Err(Error::new(
            SqlState::InvalidAuthorization,
            format!("role \"{}\" does not exist", start.user),
        ));
    };
    if !role.login {
        return Err(Error::new(
            SqlState::InvalidAuthorization,
            format!("role \"{}\" is not permitted to log in", role.name),
        ));
    }
    let catalog = Object::Catalog(database.to_owned());
    if !shared.allows(&role.name, Privilege::Usage, &catalog) {
        return Err(denied(Privilege::Usage, &catalog));
    }
    Ok(role)
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

#[async_trait]
impl Session for EngineSession {
    fn id(&self) -> SessionId {
        self.id
    }

    fn cancel_key(&self) -> [u8; 32] {
        self.key
    }

    fn transaction_status(&self) -> TransactionStatus {
        self.transaction.status()
    }

    fn reported_settings(&mut self) -> Vec<(String, String)> {
        self.take_over();
        self.settings.now().reported()
    }

    fn idle_timeout(&self) -> Option<Duration> {
        let in_transaction = self.transaction.status() != TransactionStatus::Idle;
        self.settings.now().idle_timeout(in_transaction)
    }

    fn named(&self, name: &str) -> Option<Arc<NamedStatement>> {
        self.prepared.lock().get(name).cloned()
    }

    fn keep(&mut self, name: &str, statement: NamedStatement) -> Result<()> {
        self.prepared.lock().keep(name, statement)
    }

    fn forget(&mut self, name: &str) {
        self.prepared.lock().forget(name);
    }

    fn cursor(&self, name: &str) -> Option<CursorView> {
        let cursors = self.cursors.lock();
        let cursor = cursors.get(name).ok()?;
        Some(CursorView {
            schema: Arc::clone(&cursor.schema),
            binary: cursor.info.binary,
        })
    }

    fn split(&self, sql: &str) -> Result<Vec<Statement>> {
        let begun = Instant::now();
        let bounds = Bounds {
            bytes_max: self.shared.limits.statement_bytes_max,
            depth_max: self.shared.limits.statement_depth_max,
        };
        let statements = statement::split(sql, bounds, &self.shared.extensions);
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
        self.take_over();
        let kind = statement::kind(statement)?.clone();
        self.runnable(&kind)?;
        let named = self.named_by(&kind, false)?;
        let cancel = CancellationToken::new();
        let query_id = self.shared.registry.interruptible(self.id, &cancel);
        // Nothing is read.
        let snapshots = Snapshots::of_statement();
        let context = self.context(query_id, &cancel, statement, snapshots);
        let hints = hints.to_vec();
        let described = on_cpu(&context, {
            let context = context.clone();
            async move { planning::describe(&context, kind, named, &hints).await }
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
        self.take_over();
        let mut kind = statement::kind(statement)?.clone();
        self.runnable(&kind)?;
        let named = match self.named_by(&kind, true) {
            Ok(named) => named,
            Err(error) => {
                let shown = self.shown(&kind, statement);
                self.failed_early(&shown, Duration::ZERO, &error);
                self.fail_transaction();
                return Err(error);
            }
        };
        let cancel = CancellationToken::new();
        let registry = Arc::clone(&self.shared.registry);
        let shown = self.shown(&kind, statement);
        let parse = Duration::from_micros(self.parse_us.swap(0, Ordering::Relaxed));
        let query_id = registry.begin_query(self.id, &shown, parse, &cancel);
        let snapshots = match &kind {
            Kind::Query(_)
            | Kind::Explain(..)
            | Kind::Copy(_)
            | Kind::Declare(_)
            | Kind::Execute(_) => self.transaction.snapshots(),
            _ => Snapshots::of_statement(),
        };
        let context = self.context(query_id, &cancel, statement, snapshots);
        let planned = on_cpu(&context, {
            let context = context.clone();
            async move {
                planning::bind(&mut kind, parameters.as_ref())?;
                planning::plan(&context, kind, named).await
            }
        });
        match planned.await {
            Ok(Stepped {
                step,
                schema,
                copy,
                binary,
            }) => {
                if self
                    .transaction
                    .isolation()
                    .is_some_and(Isolation::fixes_states)
                {
                    let without = context.snapshots.without();
                    context.tell(without.iter().map(|catalog| planning::no_snapshot(catalog)));
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
                    copy,
                    binary,
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
        let changes = match &step {
            Step::Run(Work::Ddl(statement)) => Some(statement.tag()),
            Step::Run(Work::Command(command)) => Some(command.tag()),
            _ => None,
        };
        if let Some(tag) = changes
            && self.transaction.status() != TransactionStatus::Idle
        {
            let error = ddl::in_transaction(tag);
            let registry = &self.shared.registry;
            registry.end_query(prepared.query_id, Err(&error));
            self.fail_transaction();
            return Err(error);
        }
        // From here on the portal ends the query.
        begun.runs = true;
        let copies = prepared.copy.is_some();
        let done: Result<Box<dyn Portal>> = match step {
            Step::Run(work) => {
                let verb = if copies { "COPY" } else { "SELECT" };
                return Ok(Box::new(Running::start(context, work).counting(verb)));
            }
            Step::Declare(info, schema, work) => {
                let notices = Arc::clone(&context.notices);
                let declared = self.declare(context, info, schema, work);
                // Its query goes on; what ends here is the statement that began it.
                declared.map(|()| Box::new(run::Told::new("DECLARE CURSOR", notices)) as _)
            }
            Step::Fetch(fetch) => self.fetch(&context, &fetch).map(|f| Box::new(f) as _),
            step => {
                let done = self.at_once(&context, step);
                let done = done.and_then(|tag| self.settle().map(|()| tag));
                done.map(|tag| {
                    let work = Work::Done(None, tag.to_owned());
                    Box::new(Running::start(context, work)) as _
                })
            }
        };
        if let Err(error) = &done {
            let registry = &self.shared.registry;
            registry.end_query(prepared.query_id, Err(error));
            self.fail_transaction();
        }
        done
    }

    fn fail_transaction(&mut self) {
        self.transaction.fail();
        let registry = &self.shared.registry;
        registry.set_status(self.id, self.transaction.status());
    }

    fn begin_together(&mut self) {
        let idle = self.transaction.status() == TransactionStatus::Idle;
        self.settings.begin_together(idle);
    }

    fn end_together(&mut self, failed: bool) {
        self.settings.end_together(failed);
    }
}

impl Drop for EngineSession {
    fn drop(&mut self) {
        self.shared.registry.close_session(self.id);
    }
}

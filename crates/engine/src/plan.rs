//! From a syntax tree to a physical plan.

use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::execution::TaskContext;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast;
use inflowave_federation::{FederationContext, Pushdown, RemoteObserver, Snapshots};
use inflowave_pg_semantics::parameters;
use inflowave_query_api::Notice;
use inflowave_types::{Error, QueryId, Result, SessionId, SqlState};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::engine::Shared;
use crate::lookup::{self, Found, SEARCHED};
use crate::names;
use crate::overlay::{self, Overlays, StatementView};
use crate::place;
use crate::settings::Settings;
use crate::views;
use crate::words;

/// Everything that one statement is planned and run with; owned, so that it can move to the CPU
/// runtime.
#[derive(Clone)]
pub(crate) struct Context {
    pub shared: Arc<Shared>,
    pub settings: Settings,
    pub database: String,
    pub session: SessionId,
    /// With whose privileges it reads: the current role, or the owner of the view that is planned.
    pub role: Arc<str>,
    pub view: StatementView,
    pub overlays: Overlays,
    pub query_id: QueryId,
    pub cancel: CancellationToken,
    /// What the client is told at the end.
    pub notices: Arc<Mutex<Vec<Notice>>>,
    /// The states of the sources that it reads.
    pub snapshots: Arc<Snapshots>,
    /// The statement's own text, for positions in errors.
    pub sql: Arc<str>,
}

/// A statement ready to be planned.
pub(crate) struct Readied {
    pub statement: DfStatement,
    pub state: SessionState,
    /// The tables and views that it names, with their schemas; those of overlays are left out.
    pub references: Vec<TableReference>,
    /// What its names without a schema mean; offered to the planner last.
    pub found: Found,
}

/// A statement ready to run.
#[derive(Clone)]
pub(crate) struct Planned {
    pub plan: Arc<dyn ExecutionPlan>,
    /// The optimized logical plan, before the cut.
    pub logical: Arc<LogicalPlan>,
    pub task: Arc<TaskContext>,
    /// The plan's fields under the names that a client sees.
    pub schema: SchemaRef,
}

impl Context {
    /// Tells the client, if it wants to be told.
    pub fn tell(&self, notices: impl IntoIterator<Item = Notice>) {
        let wanted = notices.into_iter();
        let wanted = wanted.filter(|n| self.settings.wants(n.severity));
        self.notices.lock().extend(wanted);
    }

    pub fn error(&self, error: &DataFusionError) -> Error {
        let told = inflowave_pg_semantics::to_error(error, &self.sql);
        if told.sqlstate() == SqlState::InternalError {
            tracing::error!(query_id = self.query_id.0, cause = %error, "internal error");
        }
        told
    }

    /// An error of a statement that does not run yet: PostgreSQL tells its place.
    pub fn planning_error(&self, error: &DataFusionError) -> Error {
        place::placed(self.error(error), &self.sql)
    }

    /// # Errors
    /// PostgreSQL's, with position where there is one.
    pub async fn plan(&self, statement: ast::Statement, pushdown: Pushdown) -> Result<Planned> {
        let (logical, told, state) = self.logical(statement.clone(), pushdown).await?;
        let plan = state
            .query_planner()
            .create_physical_plan(&logical, &state)
            .await
            .map_err(|e| self.planning_error(&e))?;
        let schema = renamed(&typed(&plan.schema(), &told), &statement);
        Ok(Planned {
            plan,
            logical: Arc::new(logical),
            task: state.task_ctx(),
            schema,
        })
    }

    /// The types of a statement's parameters (`declared` where the client said them) and its
    /// output fields, from its analysed plan: nothing is optimized and nothing runs.
    ///
    /// # Errors
    /// As [`Context::plan`]; `42P18` for a parameter of which nothing is known.
    pub async fn describe(
        &self,
        mut statement: ast::Statement,
        declared: &[Option<FieldRef>],
    ) -> Result<(Vec<FieldRef>, SchemaRef)> {
        let count = parameters::count(&statement)?.max(declared.len());
        let declared = parameters::open(&mut statement, declared)?;
        let (plan, _) = self.analysed(statement.clone(), Pushdown::Off).await?;
        let types =
            parameters::deduced(&plan, &declared, count).map_err(|e| self.planning_error(&e))?;
        Ok((types, renamed(plan.schema().as_arrow(), &statement)))
    }

    /// The optimized logical plan, before the cut, and its fields before it was optimized.
    pub async fn logical(
        &self,
        statement: ast::Statement,
        pushdown: Pushdown,
    ) -> Result<(LogicalPlan, SchemaRef, SessionState)> {
        let (plan, state) = self.analysed(statement, pushdown).await?;
        let told = Arc::new(plan.schema().as_arrow().clone());
        for extension in &self.shared.extensions {
            extension
                .analysed(&plan)
                .map_err(|e| e.context(extension.name()))?;
        }
        let plan = state
            .optimizer()
            .optimize(plan, &state, |_, _| {})
            .map_err(|e| self.planning_error(&e))?;
        Ok((plan, told, state))
    }

    /// The plan with PostgreSQL's types and meaning, before anything is optimized.
    async fn analysed(
        &self,
        statement: ast::Statement,
        pushdown: Pushdown,
    ) -> Result<(LogicalPlan, SessionState)> {
        let original = statement.clone();
        let Readied {
            statement,
            mut state,
            references,
            found,
        } = self.ready(statement, pushdown).await?;
        self.check(&original, &references).await?;
        views::expand(self, &mut state, &references, pushdown).await?;
        found.offer(&mut state, &self.database);
        let plan = state
            .statement_to_plan(statement)
            .await
            .map_err(|e| self.planning_error(&e))?;
        allowed(&plan).map_err(|e| self.planning_error(&e))?;
        let plan = state
            .analyzer()
            .execute_and_check(plan, state.config_options(), |_, _| {})
            .map_err(|e| self.planning_error(&e))?;
        Ok((plan, state))
    }

    /// May what a statement names be read, and is it there?
    ///
    /// # Errors
    /// `42501`, before its source is asked; `3D000`, `42P01` and its like.
    pub async fn check(
        &self,
        statement: &ast::Statement,
        references: &[TableReference],
    ) -> Result<()> {
        let catalogs = &self.shared.catalogs;
        for reference in references {
            let [catalog, schema, _] = self.full(reference);
            catalogs.exists(&catalog)?;
            self.may_name(&catalog, &schema)?;
            let checked = catalogs.check(&self.database, reference).await;
            checked.map_err(|e| self.at_relation(e, reference.table()))?;
        }
        let partly = self.may_read(references)?;
        if !partly.is_empty() {
            self.may_read_columns(statement, &partly).await?;
        }
        Ok(())
    }

    /// Says where the name of a relation stands that is not there.
    fn at_relation(&self, error: Error, table: &str) -> Error {
        match words::relation_position(&self.sql, table) {
            Some(position) if error.position().is_none() => error.with_position(position),
            _ => error,
        }
    }

    /// Makes a tree ready for DataFusion's planner, and finds out what its names mean. Whether its
    /// tables are there is not asked yet.
    pub async fn ready(
        &self,
        mut statement: ast::Statement,
        pushdown: Pushdown,
    ) -> Result<Readied> {
        names::disambiguate(&mut statement);
        inflowave_pg_semantics::prepare(&mut statement)?;
        let mut state = self.state(pushdown);
        let called = overlay::names(&statement);
        for overlay in self.overlays.iter() {
            overlay.ready(&called).await?;
        }
        let statement = DfStatement::Statement(Box::new(statement));
        let mut references = state
            .resolve_table_references(&statement)
            .map_err(|e| self.planning_error(&e))?;
        // `generate_series(1, 3)` stands where a table does.
        references.retain(|reference| {
            !matches!(reference, TableReference::Bare { table }
                if state.table_functions().contains_key(table.as_ref()))
        });
        let catalogs = &self.shared.catalogs;
        let (database, overlays) = (&self.database, &self.overlays);
        let nameable = |schema: &str| self.may_name(database, schema).is_ok();
        let settings = &self.settings;
        let found = lookup::find(
            settings, catalogs, database, overlays, &nameable, references,
        );
        let (references, found) = found.await?;
        let references = overlay::lay(overlays, catalogs, database, &mut state, references)?;
        Ok(Readied {
            statement,
            state,
            references,
            found,
        })
    }

    /// The full name of a relation that is there.
    ///
    /// # Errors
    /// `42P01` and its like.
    pub async fn relation(&self, path: &[String]) -> Result<String> {
        let reference = match path {
            [t] => TableReference::bare(t.as_str()),
            [s, t] => TableReference::partial(s.as_str(), t.as_str()),
            [c, s, t] => TableReference::full(c.as_str(), s.as_str(), t.as_str()),
            _ => {
                return Err(Error::new(
                    SqlState::SyntaxError,
                    format!("improper relation name: {}", path.join(".")),
                ));
            }
        };
        let catalogs = &self.shared.catalogs;
        let (database, overlays) = (&self.database, &self.overlays);
        let named = vec![reference];
        let nameable = |schema: &str| self.may_name(database, schema).is_ok();
        let settings = &self.settings;
        let found = lookup::find(settings, catalogs, database, overlays, &nameable, named);
        let (references, _) = found.await?;
        let mut state = self.state(Pushdown::Off);
        let others = overlay::lay(overlays, catalogs, database, &mut state, references.clone())?;
        for reference in &others {
            let [catalog, schema, _] = self.full(reference);
            self.may_name(&catalog, &schema)?;
            catalogs.check(database, reference).await?;
        }
        self.may_read(&others)?;
        Ok(references
            .first()
            .map_or_else(String::new, ToString::to_string))
    }

    /// The shared base with this session's differences.
    pub fn state(&self, pushdown: Pushdown) -> SessionState {
        let mut state = self.shared.base.clone();
        let federation = FederationContext {
            query_id: self.query_id,
            pushdown,
            cancel: self.cancel.clone(),
            io: self.shared.runtimes.io.clone(),
            batch_rows: self.shared.limits.batch_rows,
            observer: Arc::clone(&self.shared.registry) as Arc<dyn RemoteObserver>,
            snapshots: Arc::clone(&self.snapshots),
        };
        let config = state.config_mut();
        config.set_extension(Arc::new(federation));
        let options = config.options_mut();
        options.catalog.default_catalog.clone_from(&self.database);
        SEARCHED.clone_into(&mut options.catalog.default_schema);
        options.execution.time_zone = Some(self.settings.time_zone().to_owned());
        for overlay in self.overlays.iter() {
            overlay.configure(options);
        }
        // It keeps the options as they are now, for what is computed while planning.
        state.mark_start_execution();
        state
    }
}

/// The nodes that a client's statement may be planned to. Statements are allowed by their syntax
/// already; this catches what a planner makes of them.
pub(crate) fn allowed(plan: &LogicalPlan) -> datafusion::common::Result<()> {
    plan.apply_with_subqueries(|node| match node {
        LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::Extension(_) => Err(DataFusionError::NotImplemented(format!(
            "{} is not supported",
            node.display()
        ))),
        _ => Ok(TreeNodeRecursion::Continue),
    })?;
    Ok(())
}

/// The fields of what runs, with PostgreSQL's types as they were told before it was optimized: an
/// optimizer can lose what it does not know.
fn typed(runs: &SchemaRef, told: &SchemaRef) -> Schema {
    if runs.fields().len() != told.fields().len() {
        return runs.as_ref().clone();
    }
    let fields = runs.fields().iter().zip(told.fields());
    let fields = fields.map(|(runs, told)| {
        let metadata = told.metadata().clone();
        match runs.metadata() == &metadata {
            true => Arc::clone(runs),
            false => Arc::new(runs.as_ref().clone().with_metadata(metadata)),
        }
    });
    Schema::new(fields.collect::<Vec<FieldRef>>())
}

fn renamed(schema: &Schema, statement: &ast::Statement) -> SchemaRef {
    let names = names::output(statement, schema.fields().len());
    let fields: Vec<Arc<Field>> = schema
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| match name {
            Some(name) if name != *field.name() => Arc::new(field.as_ref().clone().with_name(name)),
            _ => Arc::clone(field),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

//! What a statement is planned to: on the CPU runtime, with nothing of the session but what is in
//! its context.

use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::physical_plan::execute_stream;
use datafusion::sql::sqlparser::ast;
use futures::TryStreamExt;
use inflowave_federation::Pushdown;
use inflowave_pg_semantics::parameters::{self, Argument};
use inflowave_query_api::{
    CopyOut, CursorView, Description, NamedStatement, Notice, Parameters, Severity, Statement,
};
use inflowave_types::{Error, Result, SqlState};

use crate::cursor::{CursorInfo, Fetch};
use crate::explain;
use crate::plan::Context;
use crate::prepared::{Execute, Prepare};
use crate::run::{self, Work};
use crate::statement::{Discard, Explain, Kind, Scope};
use crate::transaction;

/// What is left to do of a planned statement.
pub(super) enum Step {
    Run(Work),
    Set {
        name: String,
        value: Option<String>,
        scope: Scope,
    },
    Reset(String),
    ResetAll,
    Transaction(transaction::Command),
    Deallocate(Option<String>),
    Discard(Discard),
    Prepare(String, Box<NamedStatement>),
    Declare(CursorInfo, SchemaRef, Work),
    Fetch(Fetch),
    Close(Option<String>),
    /// Tables that are there.
    Lock(Vec<String>),
    Listen(&'static str),
}

/// A planned statement, and what its client sees of it.
pub(super) struct Stepped {
    pub step: Step,
    pub schema: Option<SchemaRef>,
    pub copy: Option<CopyOut>,
    pub binary: bool,
}

impl From<Step> for Stepped {
    fn from(step: Step) -> Self {
        Stepped {
            step,
            schema: None,
            copy: None,
            binary: false,
        }
    }
}

/// What a statement names of its session.
#[derive(Clone, Default)]
pub(super) struct Named {
    /// What an `EXECUTE` executes.
    pub prepared: Option<Arc<NamedStatement>>,
    /// What a `FETCH` reads; `None` if there is no such cursor.
    pub cursor: Option<CursorView>,
}

/// What a statement takes and gives.
pub(super) async fn describe(
    context: &Context,
    kind: Kind,
    named: Named,
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
        Kind::Execute(_) => {
            let schema = named.prepared.and_then(|n| n.description.schema.clone());
            return Ok(without_parameters(schema));
        }
        Kind::Fetch(fetch) => {
            let schema = named.cursor.map(|c| c.schema).filter(|_| !fetch.moves);
            return Ok(without_parameters(schema));
        }
        // They are read when they run, and their parameters are not those of a message.
        Kind::Copy(_) | Kind::Declare(_) | Kind::Prepare(_) => {
            return Ok(without_parameters(None));
        }
        other => (other, Vec::new()),
    };
    let planned = plan(context, explained, named).await?;
    Ok(Description {
        parameters,
        schema: planned.schema,
    })
}

fn without_parameters(schema: Option<SchemaRef>) -> Description {
    Description {
        parameters: Vec::new(),
        schema,
    }
}

/// The values of parameters, put into the syntax tree.
pub(super) fn bind(kind: &mut Kind, parameters: Option<&Parameters>) -> Result<()> {
    let arguments = match parameters {
        Some(p) => parameters::arguments(&p.declared, &p.values)?,
        None => Vec::new(),
    };
    match kind {
        Kind::Query(ast) | Kind::Explain(_, ast) => parameters::bind(ast, &arguments),
        Kind::Copy(copy) => parameters::bind(&mut copy.query, &arguments),
        Kind::Declare(declare) => parameters::bind(&mut declare.query, &arguments),
        _ => Ok(()),
    }
}

pub(super) async fn plan(context: &Context, kind: Kind, named: Named) -> Result<Stepped> {
    let work = match kind {
        Kind::Query(ast) => return query(context, *ast).await,
        Kind::Execute(execute) => {
            let prepared = named.prepared.ok_or_else(|| {
                Error::internal("an EXECUTE without the statement that it executes")
            })?;
            let kind = executed(context, &execute, &prepared).await?;
            return Box::pin(plan(context, kind, Named::default())).await;
        }
        Kind::Copy(copy) => {
            let mut planned = query(context, *copy.query).await?;
            let Some(schema) = planned.schema.take() else {
                return Err(Error::internal("a query without rows"));
            };
            let fields = schema.fields().iter();
            let columns: Vec<String> = fields.map(|f| f.name().clone()).collect();
            let format = copy.options.form(&columns)?;
            planned.copy = Some(CopyOut { schema, format });
            return Ok(planned);
        }
        Kind::Declare(declare) => {
            let planned = query(context, *declare.query).await?;
            let (Step::Run(work), Some(schema)) = (planned.step, planned.schema) else {
                return Err(Error::internal("a query without rows"));
            };
            let info = CursorInfo {
                name: declare.name,
                statement: context.sql.to_string(),
                hold: declare.hold,
                binary: declare.binary,
                scroll: declare.scroll,
                declared: SystemTime::now(),
            };
            return Ok(Step::Declare(info, schema, work).into());
        }
        Kind::Fetch(fetch) => {
            let binary = named.cursor.as_ref().is_some_and(|c| c.binary);
            let schema = named.cursor.map(|c| c.schema).filter(|_| !fetch.moves);
            return Ok(Stepped {
                step: Step::Fetch(fetch),
                schema,
                copy: None,
                binary,
            });
        }
        Kind::Prepare(prepare) => {
            let (name, statement) = prepared(context, *prepare).await?;
            return Ok(Step::Prepare(name, Box::new(statement)).into());
        }
        Kind::Lock(tables) => {
            let mut names = Vec::new();
            for path in &tables {
                names.push(context.relation(path).await?);
            }
            return Ok(Step::Lock(names).into());
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
                    let mut stepped = Stepped::from(Step::Run(Work::Analyze(planned)));
                    stepped.schema = Some(schema);
                    return Ok(stepped);
                }
            }
        }
        Kind::Show(show) => {
            show.allowed(context)?;
            let rows = show
                .rows(
                    &context.shared.catalogs,
                    &context.database,
                    &context.settings,
                )
                .await?;
            done(rows, "SHOW")
        }
        Kind::Set { name, value, scope } => return Ok(Step::Set { name, value, scope }.into()),
        Kind::Reset(name) => return Ok(Step::Reset(name).into()),
        Kind::ResetAll => return Ok(Step::ResetAll.into()),
        Kind::Transaction(t) => return Ok(Step::Transaction(t).into()),
        Kind::Deallocate(name) => return Ok(Step::Deallocate(name).into()),
        Kind::Discard(what) => return Ok(Step::Discard(what).into()),
        Kind::Close(name) => return Ok(Step::Close(name).into()),
        Kind::Listen(tag) => return Ok(Step::Listen(tag).into()),
        Kind::Ddl(statement) => Work::Ddl(statement),
        Kind::Command(command) => Work::Command(command),
    };
    let schema = match &work {
        Work::Done(Some(rows), _) => Some(rows.schema()),
        _ => None,
    };
    let mut stepped = Stepped::from(Step::Run(work));
    stepped.schema = schema;
    Ok(stepped)
}

async fn query(context: &Context, ast: ast::Statement) -> Result<Stepped> {
    let pushdown = context.settings.pushdown();
    let planned = context.plan(ast.clone(), run::first(pushdown)).await?;
    let schema = Arc::clone(&planned.schema);
    let work = if pushdown == Pushdown::Verify {
        let off = context.plan(ast, Pushdown::Off).await?;
        Work::Verify { on: planned, off }
    } else {
        Work::Query(planned)
    };
    let mut stepped = Stepped::from(Step::Run(work));
    stepped.schema = Some(schema);
    Ok(stepped)
}

/// What `PREPARE` keeps.
async fn prepared(context: &Context, prepare: Prepare) -> Result<(String, NamedStatement)> {
    let hints = match prepare.types.as_slice() {
        [] => Vec::new(),
        types => {
            let nulls = parameters::nulls(types);
            let (_, schema) = context.describe(nulls, &[]).await?;
            schema
                .fields()
                .iter()
                .map(|f| Some(Arc::clone(f)))
                .collect()
        }
    };
    let (parameters, schema) = context.describe((*prepare.query).clone(), &hints).await?;
    let statement = Statement {
        sql: prepare.sql,
        offset: 0,
        parsed: Arc::new(Kind::Query(prepare.query)),
    };
    let named = NamedStatement {
        statement: Some(statement),
        description: Description {
            parameters,
            schema: Some(schema),
        },
        from_sql: true,
        text: context.sql.to_string(),
        prepared: SystemTime::now(),
        attached: None,
    };
    Ok((prepare.name, named))
}

/// The statement that an `EXECUTE` means, with its values.
async fn executed(context: &Context, execute: &Execute, prepared: &NamedStatement) -> Result<Kind> {
    let types = &prepared.description.parameters;
    if execute.arguments.len() != types.len() {
        return Err(Error::new(
            SqlState::SyntaxError,
            format!(
                "wrong number of parameters for prepared statement \"{}\"",
                execute.name
            ),
        )
        .with_detail(format!(
            "Expected {} parameters but got {}.",
            types.len(),
            execute.arguments.len()
        )));
    }
    let Some(statement) = &prepared.statement else {
        return Err(Error::unsupported(
            "an empty statement cannot be executed by SQL",
        ));
    };
    let mut kind = crate::statement::kind(statement)?.clone();
    let values = match types.as_slice() {
        [] => Vec::new(),
        types => {
            let row = parameters::assigned(&execute.arguments, types)?;
            let row = one_row(context, row).await?;
            parameters::arguments(types, &row)?
        }
    };
    match &mut kind {
        Kind::Query(ast) | Kind::Explain(_, ast) => parameters::bind(ast, &values)?,
        Kind::Execute(_) => {
            return Err(Error::unsupported(
                "a prepared EXECUTE cannot be executed by SQL",
            ));
        }
        _ => {}
    }
    Ok(kind)
}

/// Runs a query of one row.
async fn one_row(context: &Context, ast: ast::Statement) -> Result<RecordBatch> {
    let planned = context.plan(ast, Pushdown::Off).await?;
    let schema = planned.plan.schema();
    let rows = execute_stream(planned.plan, planned.task).map_err(|e| context.error(&e))?;
    let batches: Vec<RecordBatch> = rows.try_collect().await.map_err(|e| context.error(&e))?;
    arrow::compute::concat_batches(&schema, &batches)
        .map_err(|e| Error::internal(format!("the values of an EXECUTE: {e}")))
}

/// A transaction that promises one state reads a source that cannot give one.
pub(super) fn no_snapshot(catalog: &str) -> Notice {
    warning(
        SqlState::Warning,
        format!(
            "catalog \"{catalog}\" has no snapshots: two queries of this transaction can read two states of it"
        ),
    )
}

pub(super) fn warning(sqlstate: SqlState, message: impl Into<String>) -> Notice {
    Notice {
        severity: Severity::Warning,
        sqlstate,
        message: message.into(),
    }
}

fn done(rows: RecordBatch, tag: &str) -> Work {
    Work::Done(Some(rows), tag.to_owned())
}

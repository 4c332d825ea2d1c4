//! Runs one statement in a session of this crate, and shows its rows as PostgreSQL's psql would.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::catalog::Session;
use datafusion::common::config::Dialect;
use datafusion::common::{DataFusionError, Result as DfResult, ScalarValue};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::common::collect;
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Ident, SelectItem, SetExpr, Statement as SqlStatement,
};
use inflowave_types::{Error, PgType};

use crate::cast::{cast_scalar, pg_type};
use crate::{configure, prepare, register, to_error, types};

pub(crate) fn context() -> SessionContext {
    let config = configure(SessionConfig::new().with_target_partitions(2));
    let builder = SessionStateBuilder::new()
        .with_config(config)
        .with_query_planner(Arc::new(Planner))
        .with_default_features();
    SessionContext::new_with_state(register(builder).build())
}

/// Completes a plan before it is planned, as the federation's planner does.
#[derive(Debug)]
struct Planner;

#[async_trait::async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let plan = crate::local::complete(plan.clone())?;
        DefaultPhysicalPlanner::default()
            .create_physical_plan(&plan, session)
            .await
    }
}

/// The types of the columns, and the rows: columns joined by `|`, rows by ` / `, NULL as nothing.
pub(crate) async fn run(context: &SessionContext, sql: &str) -> Result<String, Error> {
    let told = |e| to_error(&e, sql);
    let plan = plan(context, sql).await.map_err(told)?;
    let frame = context.execute_logical_plan(plan).await.map_err(told)?;
    let stream = frame.execute_stream().await.map_err(told)?;
    let schema = stream.schema();
    let batches = collect(stream).await.map_err(told)?;
    let state = context.state();
    let mut lines = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let mut shown = Vec::new();
            for column in batch.columns() {
                let value = ScalarValue::try_from_array(column, row).map_err(told)?;
                shown.push(text(&value, state.config_options()).map_err(told)?);
            }
            lines.push(shown.join("|"));
        }
    }
    let names: Vec<_> = schema.fields().iter().map(type_name).collect();
    let rows = if lines.is_empty() {
        "(none)".to_owned()
    } else {
        lines.join(" / ")
    };
    Ok(format!("{}: {rows}", names.join(",")))
}

/// Plans a statement as the engine does: prepared, and each output column with a name of its own.
pub(crate) async fn plan(context: &SessionContext, sql: &str) -> DfResult<LogicalPlan> {
    let state = context.state();
    let mut statement = state.sql_to_statement(sql, &Dialect::PostgreSQL)?;
    if let Statement::Statement(statement) = &mut statement {
        prepare(statement).map_err(|e| DataFusionError::External(Box::new(e)))?;
        if let SqlStatement::Query(query) = statement.as_mut() {
            name_columns(&mut query.body);
        }
    }
    state.statement_to_plan(statement).await
}

fn name_columns(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for (at, item) in select.projection.iter_mut().enumerate() {
                if let SelectItem::UnnamedExpr(expr) = item
                    && !matches!(
                        expr,
                        SqlExpr::Identifier(_) | SqlExpr::CompoundIdentifier(_)
                    )
                {
                    *item = SelectItem::ExprWithAlias {
                        expr: expr.clone(),
                        alias: Ident::new(format!("c{at}")),
                    };
                }
            }
        }
        SetExpr::SetOperation { left, .. } => name_columns(left),
        _ => {}
    }
}

fn type_name(field: &FieldRef) -> String {
    if let (Some(tag), DataType::List(_)) = (pg_type(field), field.data_type()) {
        let metadata = [(PgType::KEY.to_owned(), tag.to_string())].into();
        let item = Field::new("", DataType::Utf8View, true).with_metadata(metadata);
        return format!("{}[]", type_name(&Arc::new(item)));
    }
    match pg_type(field) {
        Some(PgType::Varchar(_)) => "character varying".to_owned(),
        Some(PgType::Bpchar(None)) => "bpchar".to_owned(),
        Some(PgType::Bpchar(_)) => "character".to_owned(),
        Some(other) => other.to_string(),
        None => types::name(field.data_type()),
    }
}

fn text(
    value: &ScalarValue,
    config: &datafusion::config::ConfigOptions,
) -> datafusion::common::Result<String> {
    if let ScalarValue::Boolean(Some(v)) = value {
        return Ok(if *v { "t" } else { "f" }.to_owned());
    }
    let field = Arc::new(Field::new("", DataType::Utf8View, true));
    Ok(match cast_scalar(value, &field, config)? {
        ScalarValue::Utf8View(Some(text)) => text,
        _ => String::new(),
    })
}

/// The conditions of a statement as they are after optimization, each on a line.
pub(crate) async fn conditions(context: &SessionContext, sql: &str) -> String {
    let plan = plan(context, sql).await.unwrap();
    let plan = context.state().optimize(&plan).unwrap();
    let mut lines = Vec::new();
    for line in plan.display_indent().to_string().lines() {
        if let Some((_, condition)) = line.split_once("Filter: ") {
            lines.push(condition.to_owned());
        }
    }
    lines.join("\n")
}

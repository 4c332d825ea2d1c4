//! What a session takes from this crate.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::{DFSchema, config::Dialect};
use datafusion::execution::config::SessionConfig;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, expr::ScalarFunction};
use datafusion::optimizer::analyzer::resolve_grouping_function::ResolveGroupingFunction;
use datafusion::optimizer::{Analyzer, Optimizer, OptimizerRule};
use datafusion::sql::sqlparser::ast::BinaryOperator;
use inflowave_types::PgType;

use crate::analyze::{Correlated, Lateral, Multiset, Refused, ThreeValued, plan_deferred};
use crate::cast::pg_type;
use crate::functions::ArrayFunction;
use crate::inference::PushDownFilter;
use crate::result_type::ResultTypes;
use crate::{PgAnalyzer, PgTypePlanner, aggregates, functions, physical};

/// DataFusion's settings under which SQL text means what it means in PostgreSQL.
///
/// The session's time zone is `datafusion.execution.time_zone` (none is UTC): it decides how
/// timestamptz is read, printed and taken apart, never how it is kept.
pub fn configure(config: SessionConfig) -> SessionConfig {
    let mut config = config;
    let options = config.options_mut();
    options.sql_parser.dialect = Dialect::PostgreSQL;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.map_string_types_to_utf8view = true;
    options.sql_parser.enable_ident_normalization = true;
    options.sql_parser.collect_spans = true;
    options.sql_parser.default_null_ordering = "nulls_max".to_owned();
    options.optimizer.expand_views_at_output = false;
    // DataFusion 55.2 panics where one of the groups it keeps has a NULL for its key.
    options.optimizer.enable_topk_aggregation = false;
    options.execution.time_zone = Some("UTC".to_owned());
    // DataFusion 55.2 compares what both plans know of NULL, and they differ where a cast of a NOT
    // NULL column is grouped: `SELECT DISTINCT CAST(id AS bigint)` would fail.
    options.execution.skip_physical_aggregate_schema_check = true;
    config
}

/// Adds PostgreSQL's types, operators, functions and aggregates to DataFusion's default features,
/// in place of what has another meaning there.
pub fn register(mut builder: SessionStateBuilder) -> SessionStateBuilder {
    // Later planners are asked only if earlier ones have no answer.
    builder
        .expr_planners()
        .get_or_insert_with(Vec::new)
        .insert(0, Arc::new(PgExprPlanner));
    let scalars = builder.scalar_functions().get_or_insert_with(Vec::new);
    scalars.retain(|f| !functions::is_withheld(f.name()));
    scalars.extend(functions::all());
    builder
        .aggregate_functions()
        .get_or_insert_with(Vec::new)
        .extend(aggregates::all());
    *builder.analyzer() = Some(Analyzer::with_rules(vec![
        Arc::new(ResolveGroupingFunction::new()),
        Arc::new(PgAnalyzer),
        Arc::new(ThreeValued),
        Arc::new(Multiset),
        // The types of arrays that the next ones take apart.
        Arc::new(ResultTypes),
        Arc::new(Lateral),
        Arc::new(Correlated),
        Arc::new(ResultTypes),
        Arc::new(Refused),
    ]));
    let ours: Arc<dyn OptimizerRule + Send + Sync> = Arc::new(PushDownFilter::default());
    let rules = Optimizer::new()
        .rules
        .into_iter()
        // It adds up sums of groups, and the sum of a bigint has another type than one of integers.
        .filter(|rule| rule.name() != "single_distinct_aggregation_to_group_by")
        .map(|rule| match rule.name() == ours.name() {
            true => Arc::clone(&ours),
            false => rule,
        });
    let builder = builder
        .with_optimizer_rules(rules.collect())
        .with_physical_optimizer_rules(physical::rules());
    builder.with_type_planner(Arc::new(PgTypePlanner))
}

/// `extract` is numeric, `^` is power, and operators that DataFusion cannot type wait for the analyzer.
#[derive(Debug)]
struct PgExprPlanner;

impl ExprPlanner for PgExprPlanner {
    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        Ok(PlannerResult::Planned(Expr::ScalarFunction(
            ScalarFunction::new_udf(functions::extract_udf(), args),
        )))
    }

    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        match expr.op {
            BinaryOperator::PGExp | BinaryOperator::BitwiseXor => {
                Ok(PlannerResult::Planned(Expr::ScalarFunction(
                    ScalarFunction::new_udf(functions::power_udf(), vec![expr.left, expr.right]),
                )))
            }
            BinaryOperator::Arrow => Ok(json_call(
                functions::json_operators::GET,
                expr.left,
                expr.right,
            )),
            BinaryOperator::LongArrow => Ok(json_call(
                functions::json_operators::GET_TEXT,
                expr.left,
                expr.right,
            )),
            BinaryOperator::HashArrow => Ok(json_call(
                functions::json_operators::PATH_GET,
                expr.left,
                expr.right,
            )),
            BinaryOperator::HashLongArrow => Ok(json_call(
                functions::json_operators::PATH_TEXT,
                expr.left,
                expr.right,
            )),
            BinaryOperator::HashMinus => Ok(json_call(
                functions::json_operators::DELETE_PATH,
                expr.left,
                expr.right,
            )),
            BinaryOperator::Question => Ok(json_call(
                functions::json_operators::HAS,
                expr.left,
                expr.right,
            )),
            BinaryOperator::QuestionPipe => Ok(json_call(
                functions::json_operators::HAS_ANY,
                expr.left,
                expr.right,
            )),
            BinaryOperator::QuestionAnd => Ok(json_call(
                functions::json_operators::HAS_ALL,
                expr.left,
                expr.right,
            )),
            BinaryOperator::AtArrow if is_json(&expr, schema) => Ok(json_call(
                functions::json_operators::CONTAINS,
                expr.left,
                expr.right,
            )),
            BinaryOperator::ArrowAt if is_json(&expr, schema) => Ok(json_call(
                functions::json_operators::CONTAINS,
                expr.right,
                expr.left,
            )),
            BinaryOperator::StringConcat if is_json(&expr, schema) => Ok(json_call(
                functions::json_operators::CONCAT,
                expr.left,
                expr.right,
            )),
            BinaryOperator::Minus if is_json(&expr, schema) => Ok(json_call(
                functions::json_operators::DELETE,
                expr.left,
                expr.right,
            )),
            // There are no ranges here: what contains and overlaps else are arrays.
            BinaryOperator::AtArrow => {
                Ok(array_call(ArrayFunction::Contains, expr.left, expr.right))
            }
            BinaryOperator::ArrowAt => {
                Ok(array_call(ArrayFunction::Contains, expr.right, expr.left))
            }
            BinaryOperator::PGOverlap => {
                Ok(array_call(ArrayFunction::Overlaps, expr.left, expr.right))
            }
            _ => Ok(plan_deferred(expr, schema)),
        }
    }
}

/// Is one of the sides a `jsonb`?
fn is_json(expr: &RawBinaryExpr, schema: &DFSchema) -> bool {
    [&expr.left, &expr.right].into_iter().any(|side| {
        side.to_field(schema)
            .is_ok_and(|(_, field)| pg_type(&field) == Some(PgType::Jsonb))
    })
}

fn json_call(function: &str, left: Expr, right: Expr) -> PlannerResult<RawBinaryExpr> {
    match functions::plain(function) {
        Some(function) => {
            let call = ScalarFunction::new_udf(function, vec![left, right]);
            PlannerResult::Planned(Expr::ScalarFunction(call))
        }
        None => PlannerResult::Original(RawBinaryExpr {
            op: BinaryOperator::Arrow,
            left,
            right,
        }),
    }
}

fn array_call(function: ArrayFunction, left: Expr, right: Expr) -> PlannerResult<RawBinaryExpr> {
    let call = ScalarFunction::new_udf(function.udf(), vec![left, right]);
    PlannerResult::Planned(Expr::ScalarFunction(call))
}

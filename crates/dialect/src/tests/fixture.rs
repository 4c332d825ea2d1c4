//! Tables, plans, and a printer of what a dialect answers to them.

use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use async_trait::async_trait;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_expr::function::AccumulatorArgs;
use datafusion_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Expr, LogicalPlan, LogicalPlanBuilder, Signature,
    Volatility,
};
use inflowave_connector_api::{
    BatchStream, Collation, Descriptor, Fragment, Place, RemoteColumn, RemoteQuery, RemoteSource,
    RemoteTable, RemoteTableProvider, ScanContext, Scope, Source, Support, Table, TableName,
    TableStatistics,
};
use inflowave_types::{Error, PgType, Result};

use crate::{Dialect, compile, operator, supports};

#[derive(Debug)]
struct Nothing;

#[async_trait]
impl Source for Nothing {
    fn descriptor(&self) -> &'static Descriptor {
        &Descriptor {
            name: "nothing",
            doc: "",
            tried_with: "nothing",
            params: &[],
            capabilities: &[],
            snapshots: false,
        }
    }
    fn default_schema(&self) -> &str {
        "s"
    }
    async fn schemas(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn tables(&self, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn table(self: Arc<Self>, _: &str, _: &str) -> Result<Option<Table>> {
        Ok(None)
    }
    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl RemoteSource for Nothing {
    fn supports(&self, _: &Expr, _: Place, _: &Scope) -> Support {
        Support::no("nothing")
    }
    fn supports_node(&self, _: &LogicalPlan) -> Support {
        Support::no("nothing")
    }
    fn compile(&self, _: &Fragment) -> Result<RemoteQuery> {
        Err(Error::internal("nothing"))
    }
    async fn execute(&self, _: Arc<RemoteQuery>, _: ScanContext) -> Result<BatchStream> {
        Err(Error::internal("nothing"))
    }
}

/// A nullable column that is strictly typed.
pub fn column(name: &str, data_type: DataType, native: &str, collation: Collation) -> RemoteColumn {
    RemoteColumn {
        field: Arc::new(Field::new(name, data_type, true)),
        native_type: native.to_owned(),
        collation,
        strictly_typed: true,
    }
}

pub fn not_null(mut column: RemoteColumn) -> RemoteColumn {
    column.field = Arc::new(column.field.as_ref().clone().with_nullable(false));
    column
}

pub fn untyped(mut column: RemoteColumn) -> RemoteColumn {
    column.strictly_typed = false;
    column
}

pub fn of_pg_type(mut column: RemoteColumn, pg_type: PgType) -> RemoteColumn {
    let metadata = [(PgType::KEY.to_owned(), pg_type.to_string())];
    column.field = Arc::new(column.field.as_ref().clone().with_metadata(metadata.into()));
    column
}

pub const TEXT: DataType = DataType::Utf8View;
pub const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// `sum` with the types of PostgreSQL.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum(Signature);

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        "sum"
    }
    fn signature(&self) -> &Signature {
        &self.0
    }
    fn return_type(&self, given: &[DataType]) -> datafusion_common::Result<DataType> {
        Ok(match &given[0] {
            DataType::Int16 | DataType::Int32 => DataType::Int64,
            DataType::Int64 => DataType::Decimal128(38, 0),
            DataType::Decimal128(_, s) => DataType::Decimal128(38, *s),
            DataType::Decimal256(_, s) => DataType::Decimal256(76, *s),
            other => other.clone(),
        })
    }
    fn accumulator(&self, _: AccumulatorArgs) -> datafusion_common::Result<Box<dyn Accumulator>> {
        datafusion_common::internal_err!("never run")
    }
}

/// Tables of one source, by name.
pub struct Fixture {
    context: SessionContext,
}

/// All columns of one table, of any name.
pub fn scan(name: &str, columns: Vec<RemoteColumn>) -> LogicalPlanBuilder {
    let provider = RemoteTableProvider::new(RemoteTable {
        source: Arc::new(Nothing),
        catalog: "crm".to_owned(),
        name: TableName {
            schema: "main".to_owned(),
            table: name.to_owned(),
        },
        columns,
        statistics: TableStatistics::default(),
    });
    let source = datafusion::datasource::provider_as_source(Arc::new(provider));
    LogicalPlanBuilder::scan("t", source, None).unwrap()
}

impl Fixture {
    pub fn new(tables: &[(&str, Vec<RemoteColumn>)]) -> Fixture {
        let source: Arc<dyn RemoteSource> = Arc::new(Nothing);
        let config = SessionConfig::new()
            .set_bool("datafusion.sql_parser.parse_float_as_decimal", true)
            .set_bool("datafusion.sql_parser.enable_ident_normalization", false)
            .set_bool("datafusion.sql_parser.map_string_types_to_utf8view", true);
        let state = SessionStateBuilder::new()
            .with_config(config)
            .with_default_features()
            .build();
        let context = SessionContext::new_with_state(state);
        context.register_udaf(AggregateUDF::from(Sum(Signature::numeric(
            1,
            Volatility::Immutable,
        ))));
        for (name, columns) in tables {
            let provider = RemoteTableProvider::new(RemoteTable {
                source: Arc::clone(&source),
                catalog: "crm".to_owned(),
                name: TableName {
                    schema: "s".to_owned(),
                    table: (*name).to_owned(),
                },
                columns: columns.clone(),
                statistics: TableStatistics::default(),
            });
            let name = datafusion_common::TableReference::bare(*name);
            context.register_table(name, Arc::new(provider)).unwrap();
        }
        Fixture { context }
    }

    pub fn plan(&self, sql: &str) -> LogicalPlan {
        let plan = futures::executor::block_on(self.context.state().create_logical_plan(sql));
        self.context.state().optimize(&plan.unwrap()).unwrap()
    }

    /// The remote query with its parameters, or what the dialect does not take of the plan.
    pub fn show(&self, d: &dyn Dialect, sql: &str) -> String {
        show(d, &self.plan(sql))
    }
}

pub fn show(d: &dyn Dialect, plan: &LogicalPlan) -> String {
    let mut refused = Vec::new();
    refusals(d, plan, &mut refused);
    if !refused.is_empty() {
        return refused.join("\n") + "\n";
    }
    let query = compile(d, &Fragment::new(plan.clone()).unwrap()).unwrap();
    let mut out = query.text + "\n";
    for (i, param) in query.params.iter().enumerate() {
        writeln!(out, "{}: {param}", i + 1).unwrap();
    }
    out
}

/// What stands in the way of running the whole plan.
fn refusals(d: &dyn Dialect, plan: &LogicalPlan, out: &mut Vec<String>) {
    let mut ask = |what: String, answer: Support| match answer {
        Support::No(reason) => out.push(format!("NO {what}: {reason}")),
        Support::Exact => {}
        Support::Superset => panic!("nothing is a superset"),
    };
    let inputs: Vec<Scope> = plan.inputs().into_iter().map(Scope::of).collect();
    ask(
        plan.display()
            .to_string()
            .split(':')
            .next()
            .unwrap()
            .to_owned(),
        operator(d, plan),
    );
    let mut expr = |e: &Expr, place, scope: &Scope| {
        ask(e.human_display().to_string(), supports(d, e, place, scope));
    };
    match plan {
        LogicalPlan::Filter(f) => expr(&f.predicate, Place::Filter, &inputs[0]),
        LogicalPlan::Projection(p) => {
            for e in &p.expr {
                expr(e, Place::Projection, &inputs[0]);
            }
        }
        LogicalPlan::Aggregate(a) => {
            for e in &a.group_expr {
                expr(e, Place::GroupKey, &inputs[0]);
            }
            for e in &a.aggr_expr {
                expr(e, Place::Aggregate, &inputs[0]);
            }
        }
        LogicalPlan::Sort(s) => {
            for e in &s.expr {
                expr(&e.expr, Place::SortKey, &inputs[0]);
            }
        }
        LogicalPlan::Window(w) => {
            for e in &w.window_expr {
                expr(e, Place::Window, &inputs[0]);
            }
        }
        LogicalPlan::Join(j) => {
            let scope = Scope::join(&inputs[0], &inputs[1]).unwrap();
            for (l, r) in &j.on {
                let equal = l.clone().eq(r.clone());
                expr(&equal, Place::JoinCondition, &scope);
            }
            if let Some(filter) = &j.filter {
                expr(filter, Place::JoinCondition, &scope);
            }
        }
        _ => {}
    }
    for input in plan.inputs() {
        refusals(d, input, out);
    }
}

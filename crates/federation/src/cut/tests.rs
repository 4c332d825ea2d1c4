//! SQL in, fragments out: over two made-up sources `a` and `b` that can do all but what holds a
//! column named `x`, and that are a superset for columns named `s`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use async_trait::async_trait;
use datafusion::common::TableReference;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;
use expect_test::{Expect, expect};
use inflowave_connector_api::{
    BatchStream, Capability, Collation, Descriptor, Fragment, Place, RemoteColumn, RemoteQuery,
    RemoteSource, RemoteTable, RemoteTableProvider, ScanContext, Scope, Source, Support, Table,
    TableName, TableStatistics,
};
use inflowave_types::{Error, Result};

use crate::{Pushdown, explain};

#[derive(Debug)]
struct Fake(&'static Descriptor);

static ALL: Descriptor = Descriptor {
    name: "fake",
    doc: "",
    tried_with: "nothing",
    params: &[],
    capabilities: Capability::ALL,
    snapshots: false,
};

static COLUMNS_ONLY: Descriptor = Descriptor {
    capabilities: &[Capability::Projection],
    snapshots: false,
    ..ALL
};

#[async_trait]
impl Source for Fake {
    fn descriptor(&self) -> &'static Descriptor {
        self.0
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
impl RemoteSource for Fake {
    fn supports(&self, expr: &Expr, place: Place, _: &Scope) -> Support {
        let names: Vec<_> = expr
            .column_refs()
            .into_iter()
            .map(|c| c.name.as_str())
            .collect();
        if names.contains(&"x") {
            Support::no("x is not for it")
        } else if names.contains(&"s") && place == Place::Filter {
            Support::Superset
        } else {
            Support::Exact
        }
    }
    fn supports_node(&self, _: &LogicalPlan) -> Support {
        Support::Exact
    }
    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery> {
        let text = fragment.plan().display_indent().to_string();
        let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" < ");
        if text.contains("Int64(77)") {
            return Err(Error::internal("77 cannot be written"));
        }
        Ok(RemoteQuery {
            text,
            params: Vec::new(),
            schema: fragment.schema(),
            origins: fragment.origins(),
        })
    }
    async fn execute(&self, _: Arc<RemoteQuery>, _: ScanContext) -> Result<BatchStream> {
        Err(Error::internal("never run"))
    }
}

/// `a.s.t`, `a.s.u`, `b.s.v`, `b.s.w` and `c.s.only` (a source that gives columns only), each with
/// the columns k, n, x, s.
fn context() -> SessionContext {
    let context = SessionContext::new();
    let (a, b, c) = (
        Arc::new(Fake(&ALL)),
        Arc::new(Fake(&ALL)),
        Arc::new(Fake(&COLUMNS_ONLY)),
    );
    for (source, name) in [(&a, "t"), (&a, "u"), (&b, "v"), (&b, "w"), (&c, "only")] {
        let columns = ["k", "n", "x", "s"].map(|column| RemoteColumn {
            field: Arc::new(Field::new(column, DataType::Int64, true)),
            native_type: "bigint".into(),
            collation: Collation::NotText,
            strictly_typed: true,
        });
        let table = RemoteTable {
            source: Arc::clone(source) as Arc<dyn RemoteSource>,
            catalog: match name {
                "t" | "u" => "a",
                "v" | "w" => "b",
                _ => "c",
            }
            .into(),
            name: TableName {
                schema: "s".into(),
                table: name.into(),
            },
            columns: columns.to_vec(),
            statistics: TableStatistics::default(),
        };
        context
            .register_table(
                TableReference::bare(name),
                Arc::new(RemoteTableProvider::new(table)),
            )
            .unwrap();
    }
    context
}

async fn check(sql: &str, expect: Expect) {
    check_with(sql, Pushdown::On, expect).await;
}

async fn check_with(sql: &str, pushdown: Pushdown, expect: Expect) {
    let plan = context()
        .sql(sql)
        .await
        .unwrap()
        .into_optimized_plan()
        .unwrap();
    let names = plan.schema().field_names();
    let plan = super::cut(plan, pushdown).unwrap();
    assert_eq!(
        plan.schema().field_names(),
        names,
        "the cut changed the schema"
    );
    let rows: Vec<String> = explain(&plan)
        .unwrap()
        .into_iter()
        .map(|row| match row.remote_query {
            Some(query) => format!("{}: {query}", row.source),
            None => format!(
                "  not {}: {}",
                row.not_pushed.unwrap_or_default(),
                row.reason.unwrap_or_default()
            ),
        })
        .collect();
    let local = plan.display_indent().to_string();
    let local: Vec<_> = local
        .lines()
        .filter(|l| !l.contains("RemoteScan"))
        .collect();
    expect.assert_eq(&format!("{}\n--\n{}\n", rows.join("\n"), local.join("\n")));
}

#[tokio::test]
async fn a_whole_query_of_one_source_is_one_fragment() {
    check(
        "select n, count(*) as c from t where k > 5 group by n",
        expect![[r#"
            a: Projection: t.n, count(Int64(1)) AS count(*) AS c < Aggregate: groupBy=[[t.n]], aggr=[[count(Int64(1))]] < Projection: t.n < Filter: t.k > Int64(5) < TableScan: t projection=[k, n]
            --

        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_refused_stays_and_only_its_columns_come() {
    check(
        "select n, x + 1 as y from t where k > 5 and x < 3",
        expect![[r#"
            a: Filter: t.k > Int64(5) < TableScan: t projection=[k, n, x]
              not t.x < 3: x is not for it
            --
            Projection: t.n, t.x + Int64(1) AS y
              Filter: t.x < Int64(3)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_can_fail_is_not_pushed_beside_a_condition_that_stays() {
    check(
        "select n from t where x = 1 and 10 / k > 2",
        expect![[r#"
            a: TableScan: t projection=[k, n, x]
              not t.x = 1: x is not for it
              not 10 / t.k > 2: it can fail on rows that another condition, checked here, leaves out
            --
            Projection: t.n
              Filter: t.x = Int64(1) AND Int64(10) / t.k > Int64(2)
        "#]],
    )
    .await;
    check(
        "select n from t where n = 1 and 10 / k > 2",
        expect![[r#"
            a: Projection: t.n < Filter: t.n = Int64(1) AND Int64(10) / t.k > Int64(2) < TableScan: t projection=[k, n]
            --

        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_its_source_cannot_compile_runs_here() {
    check(
        "select n from t where k = 77",
        expect![[r#"
            a: TableScan: t projection=[k, n]
              not the query as a whole: 77 cannot be written
            --
            Projection: t.n
              Filter: t.k = Int64(77)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn nothing_is_pushed_above_a_superset() {
    check(
        "select count(*) from t where s = 1",
        expect![[r#"
            a: Filter: t.s = Int64(1) < TableScan: t projection=[s]
              not t.s = 1: pushed and checked again here: the source keeps more rows than we do
            --
            Projection: count(Int64(1)) AS count(*)
              Aggregate: groupBy=[[]], aggr=[[count(Int64(1))]]
                Projection:
                  Filter: t.s = Int64(1)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_limit_stays_above_a_residual() {
    check(
        "select n from t where x = 1 limit 3",
        expect![[r#"
            a: TableScan: t projection=[n, x]
              not t.x = 1: x is not for it
            --
            Projection: t.n
              Limit: skip=0, fetch=3
                Filter: t.x = Int64(1)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_limit_is_pushed_once_and_a_sort_stands_here_too() {
    check(
        "select n from t limit 3 offset 2",
        expect![[r#"
            a: Limit: skip=2, fetch=3 < TableScan: t projection=[n]
            --

        "#]],
    )
    .await;
    check(
        "select n from t order by n limit 3",
        expect![[r#"
            a: Sort: t.n ASC NULLS LAST, fetch=3 < TableScan: t projection=[n]
            --
            Sort: t.n ASC NULLS LAST, fetch=3
        "#]],
    )
    .await;
}

#[tokio::test]
async fn relations_of_one_source_are_brought_together() {
    check(
        "select t.n, u.n as un, v.n as vn from t, v, u where t.k = v.k and t.n = u.n and v.x > 1",
        expect![[r#"
            a: Inner Join: t.n = u.n < TableScan: t projection=[k, n] < TableScan: u projection=[n]
            b: TableScan: v projection=[k, n, x]
              not v.x > 1: x is not for it
            --
            Projection: t.n, u.n AS un, v.n AS vn
              Projection: t.n, v.n, u.n
                Inner Join: t.k = v.k
                  Filter: v.x > Int64(1)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_refused_filter_does_not_keep_relations_apart() {
    check(
        "select t.n, u.n as un, v.n as vn from t, v, u where t.k = v.k and t.n = u.n and t.x > 1 and u.k = 2",
        expect![[r#"
            a: Inner Join: t.n = u.n < TableScan: t projection=[k, n, x] < Filter: u.k = Int64(2) < TableScan: u projection=[k, n]
              not t.x > 1: x is not for it
            b: TableScan: v projection=[k, n]
            --
            Projection: t.n, u.n AS un, v.n AS vn
              Projection: t.n, v.n, u.n
                Inner Join: t.k = v.k
                  Filter: t.x > Int64(1)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn no_cross_join_is_pushed() {
    check(
        "select t.n, u.n as un from t, u",
        expect![[r#"
            a: TableScan: t projection=[n]
              not inner join on : a join without equal keys stays here
            a: TableScan: u projection=[n]
            --
            Projection: t.n, u.n AS un
              Cross Join:
        "#]],
    )
    .await;
}

#[tokio::test]
async fn semi_joins_and_unions_of_one_source() {
    check(
        "select n from t where k in (select k from u where n = 1) union all select n from u",
        expect![[r#"
            a: Union < Projection: t.n < LeftSemi Join: t.k = __correlated_sq_1.k < TableScan: t projection=[k, n] < SubqueryAlias: __correlated_sq_1 < Projection: u.k < Filter: u.n = Int64(1) < TableScan: u projection=[k, n] < TableScan: u projection=[n]
            --

        "#]],
    )
    .await;
}

#[tokio::test]
async fn scalar_subqueries_are_cut_by_themselves() {
    check(
        "select n from t where k = (select max(k) from v)",
        expect![[r#"
            b: Aggregate: groupBy=[[]], aggr=[[max(v.k)]] < TableScan: v projection=[k]
            a: TableScan: t projection=[k, n]
              not t.k = (<subquery>): it holds a subquery that runs by itself
            --
            Projection: t.n
              Filter: t.k = (<subquery>)
                Subquery:
        "#]],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_declared_is_never_pushed() {
    check(
        "select n from only where k = 1 limit 2",
        expect![[r#"
            c: TableScan: only projection=[k, n]
              not only.k = 1: fake does not run this: filter
            --
            Projection: only.n
              Limit: skip=0, fetch=2
                Filter: only.k = Int64(1)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn off_reads_columns_and_nothing_else() {
    check_with(
        "select n from t where k = 1 limit 2",
        Pushdown::Off,
        expect![[r#"
            a: TableScan: t projection=[k, n]
            --
            Projection: t.n
              Limit: skip=0, fetch=2
                Filter: t.k = Int64(1)
        "#]],
    )
    .await;
}

#[tokio::test]
async fn volatile_expressions_stay() {
    check(
        "select n from t where random() < 0.5 and k = 1",
        expect![[r#"
            a: Filter: t.k = Int64(1) < TableScan: t projection=[k, n]
              not random() < 0.5: it is volatile: each row must get its value here
            --
            Projection: t.n
              Filter: random() < Float64(0.5)
        "#]],
    )
    .await;
}

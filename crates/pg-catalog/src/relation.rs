//! A relation of `pg_catalog` or `information_schema` as the planner sees it: its rows are made
//! when it is scanned.

use std::fmt::{self, Debug};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::memory::MemorySourceConfig;
use datafusion::catalog::{
    MemTable, Session, TableFunction, TableFunctionArgs, TableFunctionImpl, TableProvider,
};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{
    BinaryExpr, Expr, Operator, TableProviderFilterPushDown, TableType,
};
use datafusion::physical_plan::ExecutionPlan;
use inflowave_types::{Error, SqlState};

use crate::data::{KEYWORDS, Keyword, RelationSpec};
use crate::functions::raised;
use crate::rows::{self, Wanted};
use crate::snapshot::Snapshot;
use crate::value;

pub(crate) struct Relation {
    spec: &'static RelationSpec,
    catalog: String,
    snapshot: Arc<Snapshot>,
    schema: SchemaRef,
}

impl Relation {
    pub fn new(spec: &'static RelationSpec, catalog: &str, snapshot: Arc<Snapshot>) -> Self {
        Relation {
            spec,
            catalog: catalog.to_owned(),
            snapshot: Arc::clone(&snapshot),
            schema: value::schema(spec, snapshot.has_system_columns()),
        }
    }
}

impl Debug for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            self.catalog, self.spec.schema, self.spec.name
        )
    }
}

#[async_trait]
impl TableProvider for Relation {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        match self.spec.kind {
            "v" => TableType::View,
            _ => TableType::Base,
        }
    }

    /// A condition on what tells the table saves asking for the columns of all of them.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DfResult<Vec<TableProviderFilterPushDown>> {
        let filters = filters.iter();
        Ok(filters
            .map(|f| match constants(f) {
                Some((column, _)) if rows::FILTERS.contains(&column) => {
                    TableProviderFilterPushDown::Inexact
                }
                _ => TableProviderFilterPushDown::Unsupported,
            })
            .collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let mut wanted = Wanted::default();
        for (column, values) in filters.iter().filter_map(constants) {
            wanted.only(column, values);
        }
        if let Some(projection) = projection {
            let columns = projection.iter().filter_map(|i| self.spec.columns.get(*i));
            let columns = columns.map(|c| c.name);
            wanted.columns(columns);
        }
        let batch = rows::rows(self.spec, &self.catalog, &self.snapshot, &wanted)
            .await
            .map_err(raised)?;
        let schema = self.schema();
        let batch = match schema.fields().len() > self.spec.columns.len() {
            true => with_system_columns(&batch, self.spec.oid, &schema)?,
            false => batch,
        };
        Ok(MemorySourceConfig::try_new_exec(
            &[vec![batch]],
            schema,
            projection.cloned(),
        )?)
    }
}

fn with_system_columns(batch: &RecordBatch, oid: u32, schema: &SchemaRef) -> DfResult<RecordBatch> {
    // `FrozenTransactionId`: written before all that can be running.
    const FROZEN: i64 = 2;
    let mut columns = batch.columns().to_vec();
    for value in [i64::from(oid), FROZEN] {
        columns.push(Arc::new(Int64Array::from(vec![value; batch.num_rows()])));
    }
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// `pg_timezone_names()`, which gives the rows of the view of its name.
pub(crate) fn time_zones() -> Arc<TableFunction> {
    let function = Arc::new(TimeZones);
    Arc::new(TableFunction::new(TimeZones::NAME.to_owned(), function))
}

#[derive(Debug)]
struct TimeZones;

impl TimeZones {
    const NAME: &'static str = "pg_timezone_names";
}

impl TableFunctionImpl for TimeZones {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> DfResult<Arc<dyn TableProvider>> {
        no_arguments(Self::NAME, &args)?;
        let rows = rows::time_zones().map_err(raised)?;
        Ok(Arc::new(MemTable::try_new(
            rows.schema(),
            vec![vec![rows]],
        )?))
    }
}

/// `pg_get_keywords()`.
pub(crate) fn keywords() -> Arc<TableFunction> {
    let function = Arc::new(Keywords);
    Arc::new(TableFunction::new(Keywords::NAME.to_owned(), function))
}

#[derive(Debug)]
struct Keywords;

impl Keywords {
    const NAME: &'static str = "pg_get_keywords";
}

impl TableFunctionImpl for Keywords {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> DfResult<Arc<dyn TableProvider>> {
        no_arguments(Self::NAME, &args)?;
        let text = |of: fn(&Keyword) -> &'static str| -> ArrayRef {
            Arc::new(StringViewArray::from_iter_values(KEYWORDS.iter().map(of)))
        };
        let bare: ArrayRef = Arc::new(BooleanArray::from_iter(
            KEYWORDS.iter().map(|k| Some(k.bare_label)),
        ));
        let columns = vec![
            text(|k| k.word),
            text(|k| k.category),
            bare,
            text(|k| k.category_text),
            text(|k| k.bare_label_text),
        ];
        let names = [
            ("word", "text"),
            ("catcode", "char"),
            ("barelabel", "bool"),
            ("catdesc", "text"),
            ("baredesc", "text"),
        ];
        let fields = names.map(|(name, type_name)| value::field(name, type_name, true));
        let schema = Arc::new(Schema::new(fields.to_vec()));
        let rows = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        Ok(Arc::new(MemTable::try_new(schema, vec![vec![rows]])?))
    }
}

fn no_arguments(name: &str, args: &TableFunctionArgs<'_, '_>) -> DfResult<()> {
    match args.exprs().is_empty() {
        true => Ok(()),
        false => Err(raised(Error::new(
            SqlState::UndefinedFunction,
            format!("function {name} takes no arguments"),
        ))),
    }
}

/// `column = constant` or `column IN (constants)`.
fn constants(filter: &Expr) -> Option<(&str, Vec<&ScalarValue>)> {
    match filter {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: Operator::Eq,
            right,
        }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(column), Expr::Literal(value, _))
            | (Expr::Literal(value, _), Expr::Column(column)) => Some((&column.name, vec![value])),
            _ => None,
        },
        Expr::InList(InList {
            expr,
            list,
            negated: false,
        }) => {
            let Expr::Column(column) = expr.as_ref() else {
                return None;
            };
            let values = list.iter().map(|e| match e {
                Expr::Literal(value, _) => Some(value),
                _ => None,
            });
            Some((&column.name, values.collect::<Option<_>>()?))
        }
        _ => None,
    }
}

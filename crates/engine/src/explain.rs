//! `EXPLAIN`, `EXPLAIN ANALYZE`, `EXPLAIN (FEDERATION)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use inflowave_federation::{ExplainRow, Pushdown, cut, explain};
use inflowave_types::{Error, PgType, Result};

use crate::plan::{Context, Planned};
use crate::show::texts;

/// One row a line, as PostgreSQL's.
pub(crate) fn plan(planned: &Planned) -> Result<RecordBatch> {
    lines(
        &DisplayableExecutionPlan::new(planned.plan.as_ref())
            .indent(false)
            .to_string(),
    )
}

/// With the figures of the run that has ended.
pub(crate) fn analyzed(planned: &Planned) -> Result<RecordBatch> {
    lines(
        &DisplayableExecutionPlan::with_metrics(planned.plan.as_ref())
            .indent(false)
            .to_string(),
    )
}

fn lines(text: &str) -> Result<RecordBatch> {
    texts(&["QUERY PLAN"], [text.lines().map(str::to_owned).collect()])
}

/// A row for each remote fragment and each refusal.
pub(crate) fn federation(
    context: &Context,
    planned: &Planned,
    pushdown: Pushdown,
    json: bool,
) -> Result<RecordBatch> {
    let plan =
        cut::cut(planned.logical.as_ref().clone(), pushdown).map_err(|e| context.error(&e))?;
    let rows = explain(&plan).map_err(|e| context.error(&e))?;
    if json {
        return as_json(&rows);
    }
    let text = |get: fn(&ExplainRow) -> Option<&str>| -> ArrayRef {
        Arc::new(rows.iter().map(get).collect::<StringViewArray>())
    };
    let number = |get: fn(&ExplainRow) -> Option<u64>| -> ArrayRef {
        let values = rows.iter().map(|r| i64::try_from(get(r)?).ok());
        Arc::new(values.collect::<Int64Array>())
    };
    let columns: [(&str, ArrayRef); 7] = [
        ("source", text(|r| Some(&r.source))),
        ("remote_query", text(|r| r.remote_query.as_deref())),
        ("pushed", text(|r| r.pushed.as_deref())),
        ("not_pushed", text(|r| r.not_pushed.as_deref())),
        ("reason", text(|r| r.reason.as_deref())),
        ("estimated_rows", number(|r| r.estimated_rows)),
        ("estimated_bytes", number(|r| r.estimated_bytes)),
    ];
    RecordBatch::try_from_iter(columns).map_err(|e| Error::internal(e.to_string()))
}

fn as_json(rows: &[ExplainRow]) -> Result<RecordBatch> {
    let rows: Vec<_> = rows
        .iter()
        .map(|r| {
            serde_json::json!({
                "source": r.source,
                "remote_query": r.remote_query,
                "pushed": r.pushed,
                "not_pushed": r.not_pushed,
                "reason": r.reason,
                "estimated_rows": r.estimated_rows,
                "estimated_bytes": r.estimated_bytes,
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&rows).map_err(|e| Error::internal(e.to_string()))?;
    let field = Field::new("QUERY PLAN", DataType::Utf8View, false)
        .with_metadata([(PgType::KEY.to_owned(), PgType::Json.to_string())].into());
    RecordBatch::try_new(
        Arc::new(Schema::new(vec![field])),
        vec![Arc::new(StringViewArray::from_iter_values([text]))],
    )
    .map_err(|e| Error::internal(e.to_string()))
}

//! `system.runtime`: what the server does, as tables. The first user of [`Extension`].

use std::fmt::{self, Debug};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringViewArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use inflowave_connector_api::{Capability, Connector};
use inflowave_types::{Error, Result};
use parking_lot::Mutex;

use crate::catalog::comment::Target;
use crate::{Catalogs, Extension, Registry, SystemTable};

pub(crate) struct Runtime {
    pub registry: Arc<Registry>,
    pub connectors: Vec<Arc<dyn Connector>>,
    /// Set once the catalogs are there: they hold these tables themselves.
    pub catalogs: Mutex<Weak<Catalogs>>,
}

impl Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Runtime")
    }
}

#[derive(Debug)]
pub(crate) struct RuntimeTables(pub Arc<Runtime>);

impl Extension for RuntimeTables {
    fn name(&self) -> &'static str {
        "runtime"
    }

    fn system_tables(&self) -> Vec<Arc<dyn SystemTable>> {
        TABLES
            .iter()
            .map(|spec| {
                Arc::new(RuntimeTable {
                    spec,
                    runtime: Arc::clone(&self.0),
                }) as Arc<dyn SystemTable>
            })
            .collect()
    }
}

struct Spec {
    name: &'static str,
    columns: &'static [(&'static str, Kind)],
    rows: fn(&Runtime) -> Vec<ArrayRef>,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int,
    BigInt,
    Boolean,
    Time,
}

use Kind::{BigInt, Boolean, Int, Text, Time};

const TABLES: &[Spec] = &[
    Spec {
        name: "queries",
        columns: &[
            ("query_id", BigInt),
            ("session_id", Int),
            ("user_name", Text),
            ("protocol", Text),
            ("state", Text),
            ("query", Text),
            ("started", Time),
            ("ended", Time),
            ("parse_us", BigInt),
            ("planned_us", BigInt),
            ("first_row_us", BigInt),
            ("elapsed_us", BigInt),
            ("rows", BigInt),
            ("bytes", BigInt),
            ("source_rows", BigInt),
            ("source_bytes", BigInt),
            ("sqlstate", Text),
            ("error", Text),
        ],
        rows: queries,
    },
    Spec {
        name: "remote_queries",
        columns: &[
            ("remote_query_id", BigInt),
            ("query_id", BigInt),
            ("source", Text),
            ("state", Text),
            ("remote_query", Text),
            ("started", Time),
            ("ended", Time),
            ("rows", BigInt),
            ("bytes", BigInt),
            ("error", Text),
        ],
        rows: remote_queries,
    },
    Spec {
        name: "sessions",
        columns: &[
            ("session_id", Int),
            ("user_name", Text),
            ("database", Text),
            ("application_name", Text),
            ("client", Text),
            ("protocol", Text),
            ("started", Time),
            ("query_id", BigInt),
        ],
        rows: sessions,
    },
    Spec {
        name: "sources",
        columns: &[
            ("source", Text),
            ("connector", Text),
            ("default_schema", Text),
            ("origin", Text),
            ("state", Text),
            ("reason", Text),
            ("checked_at", Time),
            ("snapshots", Boolean),
        ],
        rows: sources,
    },
    Spec {
        name: "comments",
        columns: &[
            ("object_type", Text),
            ("catalog", Text),
            ("schema", Text),
            ("relation", Text),
            ("column_name", Text),
            ("comment", Text),
        ],
        rows: comments,
    },
    Spec {
        name: "connectors",
        columns: &[
            ("connector", Text),
            ("doc", Text),
            ("parameter", Text),
            ("parameter_doc", Text),
            ("required", Boolean),
            ("default_value", Text),
            ("example", Text),
        ],
        rows: connectors,
    },
    Spec {
        name: "capabilities",
        columns: &[
            ("connector", Text),
            ("capability", Text),
            ("pushed", Boolean),
        ],
        rows: capabilities,
    },
];

struct RuntimeTable {
    spec: &'static Spec,
    runtime: Arc<Runtime>,
}

impl Debug for RuntimeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RuntimeTable({})", self.spec.name)
    }
}

#[async_trait]
impl SystemTable for RuntimeTable {
    fn schema_name(&self) -> &'static str {
        "runtime"
    }

    fn name(&self) -> &'static str {
        self.spec.name
    }

    fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> = self
            .spec
            .columns
            .iter()
            .map(|(name, kind)| {
                let data_type = match kind {
                    Text => DataType::Utf8View,
                    Int => DataType::Int32,
                    BigInt => DataType::Int64,
                    Boolean => DataType::Boolean,
                    Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                };
                Field::new(*name, data_type, true)
            })
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// Whether a source is there is asked when somebody wants to know.
    async fn refresh(&self) {
        let catalogs = self.runtime.catalogs.lock().upgrade();
        if let Some(catalogs) = catalogs.filter(|_| self.spec.name == "sources") {
            catalogs.probe().await;
        }
    }

    fn rows(&self) -> Result<RecordBatch> {
        RecordBatch::try_new(self.schema(), (self.spec.rows)(&self.runtime))
            .map_err(|e| Error::internal(format!("system.runtime.{}: {e}", self.spec.name)))
    }
}

fn queries(runtime: &Runtime) -> Vec<ArrayRef> {
    let rows = runtime.registry.queries();
    vec![
        bigints(rows.iter().map(|r| Some(r.id.0))),
        ints(rows.iter().map(|r| r.session.0)),
        texts(rows.iter().map(|r| Some(r.user.as_str()))),
        texts(rows.iter().map(|r| Some(r.protocol))),
        texts(rows.iter().map(|r| Some(r.state.name()))),
        texts(rows.iter().map(|r| Some(r.text.as_str()))),
        times(rows.iter().map(|r| Some(r.started))),
        times(rows.iter().map(|r| r.ended)),
        durations(rows.iter().map(|r| Some(r.phases.parse))),
        durations(rows.iter().map(|r| r.phases.planned)),
        durations(rows.iter().map(|r| r.phases.first_row)),
        durations(rows.iter().map(|r| Some(r.phases.elapsed()))),
        bigints(rows.iter().map(|r| Some(r.rows))),
        bigints(rows.iter().map(|r| Some(r.bytes))),
        bigints(rows.iter().map(|r| Some(r.source_rows))),
        bigints(rows.iter().map(|r| Some(r.source_bytes))),
        texts(rows.iter().map(|r| r.sqlstate.map(|s| s.code()))),
        texts(rows.iter().map(|r| r.error.as_deref())),
    ]
}

fn remote_queries(runtime: &Runtime) -> Vec<ArrayRef> {
    let rows = runtime.registry.remote_queries();
    vec![
        bigints(rows.iter().map(|r| Some(r.id))),
        bigints(rows.iter().map(|r| Some(r.query.0))),
        texts(rows.iter().map(|r| Some(r.catalog.as_str()))),
        texts(rows.iter().map(|r| Some(r.state.name()))),
        texts(rows.iter().map(|r| Some(r.text.as_str()))),
        times(rows.iter().map(|r| Some(r.started))),
        times(rows.iter().map(|r| r.ended)),
        bigints(rows.iter().map(|r| Some(r.rows))),
        bigints(rows.iter().map(|r| Some(r.bytes))),
        texts(rows.iter().map(|r| r.error.as_deref())),
    ]
}

fn sessions(runtime: &Runtime) -> Vec<ArrayRef> {
    let rows = runtime.registry.sessions();
    vec![
        ints(rows.iter().map(|r| r.id.0)),
        texts(rows.iter().map(|r| Some(r.user.as_str()))),
        texts(rows.iter().map(|r| Some(r.database.as_str()))),
        texts(rows.iter().map(|r| Some(r.application_name.as_str()))),
        texts(rows.iter().map(|r| Some(r.client.as_str()))),
        texts(rows.iter().map(|r| Some(r.protocol))),
        times(rows.iter().map(|r| Some(r.started))),
        bigints(rows.iter().map(|r| r.query.map(|q| q.0))),
    ]
}

fn sources(runtime: &Runtime) -> Vec<ArrayRef> {
    let catalogs = runtime.catalogs.lock().upgrade();
    let rows = catalogs.map_or_else(Vec::new, |c| c.states());
    vec![
        texts(rows.iter().map(|r| Some(r.name.as_str()))),
        texts(rows.iter().map(|r| Some(r.connector.as_str()))),
        texts(rows.iter().map(|r| r.default_schema.as_deref())),
        texts(rows.iter().map(|r| Some(r.origin.name()))),
        texts(rows.iter().map(|r| Some(r.state))),
        texts(rows.iter().map(|r| r.reason.as_deref())),
        times(rows.iter().map(|r| r.checked)),
        booleans(rows.iter().map(|r| r.snapshots)),
    ]
}

fn comments(runtime: &Runtime) -> Vec<ArrayRef> {
    let catalogs = runtime.catalogs.lock().upgrade();
    let kept = catalogs.map(|c| c.kept()).unwrap_or_default();
    let rows = &kept.comments;
    let part = |text: fn(&Target) -> &str| {
        let parts = rows.iter().map(move |c| text(&c.target));
        texts(parts.map(|text| Some(text).filter(|t| !t.is_empty())))
    };
    vec![
        texts(rows.iter().map(|c| Some(c.object_type.as_str()))),
        part(|t| &t.catalog),
        part(|t| &t.schema),
        part(|t| &t.relation),
        part(|t| &t.column),
        texts(rows.iter().map(|c| Some(c.text.as_str()))),
    ]
}

fn connectors(runtime: &Runtime) -> Vec<ArrayRef> {
    let rows: Vec<_> = runtime
        .connectors
        .iter()
        .map(|c| c.descriptor())
        .flat_map(|d| d.all_params().map(move |p| (d, p)))
        .collect();
    vec![
        texts(rows.iter().map(|(d, _)| Some(d.name))),
        texts(rows.iter().map(|(d, _)| Some(d.doc))),
        texts(rows.iter().map(|(_, p)| Some(p.name))),
        texts(rows.iter().map(|(_, p)| Some(p.doc))),
        booleans(rows.iter().map(|(_, p)| p.required)),
        texts(rows.iter().map(|(_, p)| p.default)),
        texts(rows.iter().map(|(_, p)| Some(p.example))),
    ]
}

fn capabilities(runtime: &Runtime) -> Vec<ArrayRef> {
    let rows: Vec<_> = runtime
        .connectors
        .iter()
        .map(|c| c.descriptor())
        .flat_map(|d| Capability::ALL.iter().map(move |c| (d, *c)))
        .collect();
    vec![
        texts(rows.iter().map(|(d, _)| Some(d.name))),
        texts(rows.iter().map(|(_, c)| Some(c.name()))),
        booleans(rows.iter().map(|(d, c)| d.capabilities.contains(c))),
    ]
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringViewArray>())
}

fn ints(values: impl Iterator<Item = u32>) -> ArrayRef {
    Arc::new(
        values
            .map(|v| i32::try_from(v).ok())
            .collect::<Int32Array>(),
    )
}

fn bigints(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(
        values
            .map(|v| i64::try_from(v?).ok())
            .collect::<Int64Array>(),
    )
}

/// In microseconds.
fn durations(values: impl Iterator<Item = Option<Duration>>) -> ArrayRef {
    bigints(values.map(|v| u64::try_from(v?.as_micros()).ok()))
}

fn booleans(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<BooleanArray>())
}

fn times(values: impl Iterator<Item = Option<SystemTime>>) -> ArrayRef {
    let micros = |t: SystemTime| i64::try_from(t.duration_since(UNIX_EPOCH).ok()?.as_micros()).ok();
    Arc::new(
        values
            .map(|v| v.and_then(micros))
            .collect::<TimestampMicrosecondArray>()
            .with_timezone("UTC"),
    )
}

//! Against a real server: `INFLOWAVE_TEST_POSTGRES` is the URL of one where the user may create
//! schemas, roles and extensions. Each test works in a schema of its own and drops it.

mod catalog;
mod faults;
mod pushdown;
mod running;
mod shapes;
mod values;

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::ScalarValue;
use futures::TryStreamExt;
use inflowave_connector_api::{
    OpenContext, Params, RemoteQuery, RemoteSource, RemoteTable, ScanContext, Source, Table,
};
use inflowave_types::{QueryId, Result, Secret};
use tokio_postgres::{Client, NoTls};
use tokio_util::sync::CancellationToken;

use crate::params::{SPECS, Settings};
use crate::source::PostgresSource;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A schema of the test's own, a session beside the connector's, and the source.
pub(super) struct Live {
    pub url: String,
    pub schema: String,
    pub admin: Client,
    pub source: Arc<PostgresSource>,
}

/// Runs a test, or says that there is no server for it.
pub(super) fn live<F, T>(name: &str, test: F)
where
    F: FnOnce(Arc<Live>) -> T,
    T: Future<Output = ()> + Send + 'static,
{
    let Ok(url) = std::env::var("INFLOWAVE_TEST_POSTGRES") else {
        skipped("postgres (INFLOWAVE_TEST_POSTGRES is not set)");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let schema = format!("inflowave_test_{name}");
        let admin = connect(&url).await;
        let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        admin.batch_execute(&drop).await.unwrap();
        admin
            .batch_execute(&format!(
                "CREATE SCHEMA {schema}; SET search_path = {schema}, public"
            ))
            .await
            .unwrap();
        let live = Arc::new(Live {
            source: open(&url, &[]).unwrap(),
            url,
            schema,
            admin,
        });
        let outcome = tokio::spawn(test(Arc::clone(&live))).await;
        live.admin.batch_execute(&drop).await.unwrap();
        if let Err(error) = outcome {
            std::panic::resume_unwind(error.into_panic());
        }
    });
}

pub(super) fn skipped(what: &str) {
    println!("skipped: {what}");
}

pub(super) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(super) fn open(url: &str, more: &[(&str, &str)]) -> Result<Arc<PostgresSource>> {
    let given = [("url", url)].into_iter().chain(more.iter().copied());
    let params = Params::check(SPECS, given.map(|(k, v)| (k.to_owned(), Secret::new(v))))?;
    let context = OpenContext {
        catalog: "crm".into(),
        io: tokio::runtime::Handle::current(),
        base_dir: ".".into(),
    };
    Ok(Arc::new(PostgresSource::new(
        Settings::read(&params)?,
        context,
    )))
}

pub(super) fn context() -> ScanContext {
    ScanContext {
        query_id: QueryId(1),
        snapshot: None,
        cancel: CancellationToken::new(),
        batch_rows: 8192,
        runtime_filters: Vec::new(),
    }
}

/// A query whose output columns come from nowhere.
pub(super) fn query(text: &str, schema: SchemaRef, params: Vec<ScalarValue>) -> Arc<RemoteQuery> {
    Arc::new(RemoteQuery {
        text: text.into(),
        params,
        origins: vec![None; schema.fields().len()],
        schema,
    })
}

/// A schema of nullable fields `c0`, `c1`, ..
pub(super) fn schema(types: &[arrow::datatypes::DataType]) -> SchemaRef {
    let field =
        |(i, t): (usize, &arrow::datatypes::DataType)| Field::new(format!("c{i}"), t.clone(), true);
    Arc::new(Schema::new(
        types.iter().enumerate().map(field).collect::<Vec<_>>(),
    ))
}

/// What a fragment over a whole table is compiled to.
pub(super) fn whole(table: &RemoteTable, more: &str) -> Arc<RemoteQuery> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let names: Vec<String> = table
        .columns
        .iter()
        .map(|c| quoted(c.field.name()))
        .collect();
    Arc::new(RemoteQuery {
        text: format!(
            "SELECT {} FROM {}.{} {more}",
            names.join(", "),
            quoted(&table.name.schema),
            quoted(&table.name.table)
        ),
        params: vec![],
        schema: table.schema(),
        origins: table
            .columns
            .iter()
            .map(|c| {
                Some((
                    format!("{}.{}", table.catalog, table.name),
                    c.field.name().clone(),
                ))
            })
            .collect(),
    })
}

impl Live {
    pub async fn sql(&self, text: &str) {
        self.admin.batch_execute(text).await.unwrap();
    }

    pub async fn table(&self, name: &str) -> RemoteTable {
        remote(&self.source, &self.schema, name).await
    }

    pub async fn run(&self, query: Arc<RemoteQuery>) -> Result<Vec<RecordBatch>> {
        let stream = self.source.execute(query, context()).await?;
        stream.try_collect().await
    }

    /// One text of the server.
    pub async fn ask(&self, text: &str) -> String {
        let row = self.admin.query_one(text, &[]).await.unwrap();
        row.get(0)
    }

    /// Waits until a count of the server is as wanted.
    pub async fn until(&self, wanted: i64, count: &str) {
        let start = Instant::now();
        loop {
            let got: i64 = self.admin.query_one(count, &[]).await.unwrap().get(0);
            if got == wanted {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{got} and not {wanted}: {count}"
            );
            tokio::task::yield_now().await;
        }
    }
}

pub(super) async fn remote(source: &Arc<PostgresSource>, schema: &str, name: &str) -> RemoteTable {
    match Arc::clone(source).table(schema, name).await.unwrap() {
        Some(Table::Remote(table)) => table,
        other => panic!("{name} is {other:?}"),
    }
}

/// Every value of the batches as text, by row.
pub(super) fn shown(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|c| ArrayFormatter::try_new(c, &options).unwrap())
            .collect();
        rows.extend(
            (0..batch.num_rows())
                .map(|row| columns.iter().map(|c| c.value(row).to_string()).collect()),
        );
    }
    rows
}

//! Tests against a real server, named by `INFLOWAVE_TEST_MYSQL` (`mysql://root@127.0.0.1:3306/`).
//! Each makes a database of its own and drops it.

mod names;
mod pushed;
mod queries;
mod sessions;
mod values;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use futures::TryStreamExt;
use inflowave_connector_api::{
    BatchStream, OpenContext, Params, RemoteQuery, RemoteSource, RemoteTable, ScanContext, Source,
    Table,
};
use inflowave_types::{Error, QueryId, Result, Secret};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use tokio_util::sync::CancellationToken;

use crate::MySqlSource;
use crate::params::SPECS;

const VARIABLE: &str = "INFLOWAVE_TEST_MYSQL";

/// A database of one test, and a connection of its own to it.
struct Fixture {
    url: String,
    database: String,
    admin: Conn,
}

impl Fixture {
    /// `None` where no server is named.
    #[allow(clippy::print_stdout)] // What was skipped must be seen.
    async fn new() -> Option<Fixture> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(given) = std::env::var(VARIABLE) else {
            println!("skipped: mysql ({VARIABLE} is not set)");
            return None;
        };

        // The variable may name a database; each test has its own.
        let mut url = url::Url::parse(&given).unwrap();
        url.set_path("");
        let url = String::from(url);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let database = format!("inflowave_{}_{number}", std::process::id());
        let mut admin = Conn::new(Opts::from_url(&url).unwrap()).await.unwrap();
        for sql in [
            format!("CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"),
            format!("USE {database}"),
            "SET NAMES utf8mb4".to_owned(),
        ] {
            admin.query_drop(sql).await.unwrap();
        }
        Some(Fixture {
            url,
            database,
            admin,
        })
    }

    /// Runs statements of the test's set-up.
    async fn run(&mut self, statements: &[&str]) {
        for sql in statements {
            self.admin.query_drop(*sql).await.unwrap();
        }
    }

    async fn is_mariadb(&mut self) -> bool {
        let version: Option<String> = self.admin.query_first("SELECT VERSION()").await.unwrap();
        version.unwrap().contains("MariaDB")
    }

    /// The url with the test's database in it.
    fn database_url(&self) -> String {
        format!("{}/{}", self.url.trim_end_matches('/'), self.database)
    }

    fn source(&self) -> Arc<MySqlSource> {
        self.source_with(&[])
    }

    fn source_with(&self, further: &[(&str, &str)]) -> Arc<MySqlSource> {
        let url = self.database_url();
        let mut given = vec![("url", url.as_str())];
        given.extend(further);
        open(&given).unwrap()
    }

    async fn table(&self, source: &Arc<MySqlSource>, table: &str) -> RemoteTable {
        match Arc::clone(source).table(&self.database, table).await {
            Ok(Some(Table::Remote(table))) => table,
            other => panic!("{table}: {other:?}"),
        }
    }

    /// All of a table, as text.
    async fn read(&self, source: &Arc<MySqlSource>, table: &str) -> Result<Vec<Vec<String>>> {
        let table = self.table(source, table).await;
        let query = select(&table, "ORDER BY 1");
        Ok(lines(&run(source, query).await?))
    }

    /// Queries of others that hold `mark`, as the server lists them.
    async fn running(&mut self, mark: &str) -> usize {
        let sql = "SELECT count(*) FROM information_schema.processlist \
                   WHERE info LIKE ? AND id <> connection_id()";
        let found: Option<usize> = self
            .admin
            .exec_first(sql, (format!("%{mark}%"),))
            .await
            .unwrap();
        found.unwrap()
    }

    /// Waits until so many queries hold `mark`, by asking again.
    async fn until_running(&mut self, mark: &str, count: usize) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while self.running(mark).await != count {
            assert!(
                std::time::Instant::now() < deadline,
                "{mark} does not come to {count}"
            );
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let (url, database) = (self.url.clone(), self.database.clone());
        // A panicking test drops its database too, so this brings a runtime of its own.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let mut admin = Conn::new(Opts::from_url(&url).unwrap()).await.unwrap();
                let sql = format!("DROP DATABASE IF EXISTS {database}");
                admin.query_drop(sql).await.unwrap();
                admin.disconnect().await.unwrap();
            });
        })
        .join();
        assert!(dropped.is_ok() || std::thread::panicking());
    }
}

fn open(given: &[(&str, &str)]) -> Result<Arc<MySqlSource>> {
    let given = given
        .iter()
        .map(|(k, v)| ((*k).to_owned(), Secret::new(*v)));
    let context = OpenContext {
        catalog: "shop".to_owned(),
        io: tokio::runtime::Handle::current(),
        base_dir: PathBuf::from("."),
    };
    MySqlSource::new(&Params::check(SPECS, given)?, context).map(Arc::new)
}

fn context() -> ScanContext {
    ScanContext {
        query_id: QueryId(1),
        snapshot: None,
        cancel: CancellationToken::new(),
        batch_rows: 8192,
        runtime_filters: Vec::new(),
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Every column of a table, as a plan without pushdown reads it.
fn select(table: &RemoteTable, tail: &str) -> RemoteQuery {
    let names: Vec<_> = table
        .columns
        .iter()
        .map(|c| quoted(c.field.name()))
        .collect();
    let name = format!("{}.{}", table.catalog, table.name);
    RemoteQuery {
        text: format!(
            "SELECT {} FROM {}.{} {tail}",
            names.join(", "),
            quoted(&table.name.schema),
            quoted(&table.name.table)
        ),
        params: Vec::new(),
        schema: table.schema(),
        origins: table
            .columns
            .iter()
            .map(|c| Some((name.clone(), c.field.name().clone())))
            .collect(),
    }
}

/// A query whose columns are computed.
fn computed(text: &str, types: &[DataType]) -> RemoteQuery {
    let fields: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(i, t)| Field::new(format!("c{i}"), t.clone(), true))
        .collect();
    RemoteQuery {
        text: text.to_owned(),
        params: Vec::new(),
        origins: vec![None; types.len()],
        schema: Arc::new(Schema::new(fields)),
    }
}

async fn start(source: &Arc<MySqlSource>, query: RemoteQuery) -> Result<BatchStream> {
    source.execute(Arc::new(query), context()).await
}

async fn run(source: &Arc<MySqlSource>, query: RemoteQuery) -> Result<RecordBatch> {
    let schema: SchemaRef = Arc::clone(&query.schema);
    let batches: Vec<RecordBatch> = start(source, query).await?.try_collect().await?;
    Ok(concat_batches(&schema, &batches).unwrap())
}

async fn fails(source: &Arc<MySqlSource>, query: RemoteQuery) -> Error {
    run(source, query).await.expect_err("the query must fail")
}

fn lines(batch: &RecordBatch) -> Vec<Vec<String>> {
    let cell = |column: &arrow::array::ArrayRef, row| {
        if column.is_null(row) {
            "NULL".to_owned()
        } else {
            array_value_to_string(column, row).unwrap()
        }
    };
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|c| cell(c, row)).collect())
        .collect()
}

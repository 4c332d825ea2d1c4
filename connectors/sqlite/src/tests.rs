//! The connector over files made here: what is listed, what is read, what fails and how.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion_catalog::default_table_source::DefaultTableSource;
use datafusion_common::ScalarValue;
use datafusion_expr::{Expr, LogicalPlanBuilder, col, lit};
use futures::StreamExt;
use inflowave_connector_api::{
    BatchStream, Collation, Connector, Fragment, OpenContext, Params, Place, RemoteQuery,
    RemoteTable, RemoteTableProvider, ScanContext, Scope, Source, Support, Table,
};
use inflowave_types::{Error, PgType, QueryId, Result, Secret};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::SqliteConnector;
use crate::schema::quoted;

struct Db {
    folder: TempDir,
    source: Arc<dyn Source>,
}

impl Db {
    fn path(&self) -> PathBuf {
        self.folder.path().join("crm.db")
    }

    fn alter(&self, sql: &str) {
        rusqlite::Connection::open(self.path())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    }

    async fn table(&self, name: &str) -> RemoteTable {
        match Arc::clone(&self.source).table("main", name).await.unwrap() {
            Some(Table::Remote(table)) => table,
            other => panic!("{other:?}"),
        }
    }
}

/// A catalog `crm` over a file made by `sql`.
async fn db(sql: &str) -> Db {
    let folder = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(folder.path().join("crm.db"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    let source = open(folder.path(), &[("path", "crm.db")]).await;
    Db { folder, source }
}

async fn open(base: &Path, params: &[(&str, &str)]) -> Arc<dyn Source> {
    let given = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
    let params = Params::check(SqliteConnector.descriptor().params, given).unwrap();
    let context = OpenContext {
        catalog: "crm".to_owned(),
        io: tokio::runtime::Handle::current(),
        base_dir: base.to_owned(),
    };
    SqliteConnector.open(params, context).await.unwrap()
}

fn context(batch_rows: usize) -> ScanContext {
    ScanContext {
        query_id: QueryId(1),
        snapshot: None,
        cancel: CancellationToken::new(),
        batch_rows,
        runtime_filters: Vec::new(),
    }
}

/// A scan of all columns, as the printer of fragments would write it.
fn scan_of(table: &RemoteTable) -> RemoteQuery {
    let names = table.columns.iter().map(|c| c.field.name());
    let list: Vec<String> = names.clone().map(|n| quoted(n)).collect();
    RemoteQuery {
        text: format!(
            "SELECT {} FROM main.{}",
            list.join(", "),
            quoted(&table.name.table)
        ),
        params: Vec::new(),
        schema: table.schema(),
        origins: names
            .map(|n| Some((format!("crm.{}", table.name), n.clone())))
            .collect(),
    }
}

fn query(text: &str, fields: Vec<Field>) -> RemoteQuery {
    RemoteQuery {
        text: text.to_owned(),
        params: Vec::new(),
        origins: vec![None; fields.len()],
        schema: Arc::new(Schema::new(fields)),
    }
}

async fn run(table: &RemoteTable, query: RemoteQuery, context: ScanContext) -> BatchStream {
    table
        .source
        .execute(Arc::new(query), context)
        .await
        .unwrap()
}

async fn read(table: &RemoteTable, query: RemoteQuery) -> Result<Vec<RecordBatch>> {
    let stream = run(table, query, context(1000)).await;
    stream.collect::<Vec<_>>().await.into_iter().collect()
}

async fn one_batch(db: &Db, name: &str) -> RecordBatch {
    let table = db.table(name).await;
    let batches = read(&table, scan_of(&table)).await.unwrap();
    assert_eq!(batches.len(), 1);
    batches.into_iter().next().unwrap()
}

async fn failure(sql: &str) -> Error {
    let db = db(sql).await;
    let table = db.table("t").await;
    read(&table, scan_of(&table)).await.unwrap_err()
}

fn texts(batch: &RecordBatch, column: usize) -> Vec<Option<&str>> {
    batch.column(column).as_string_view().iter().collect()
}

#[tokio::test]
async fn every_type_comes_back() {
    let db = db(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, b BOOLEAN, d DATE, ts DATETIME, tz TIMESTAMPTZ,
             n DECIMAL(10,2), f REAL, s TEXT, v VARCHAR(5), c CHAR(4), j JSON, x BLOB, u, big NUMERIC(40,1));
         INSERT INTO t VALUES (1, 1, '2024-02-29', '2024-02-29 12:00:00.5', '2024-02-29T12:00:00+02:00',
             12.5, 1, 'łąka', 'abc', 'ab  ', 5, x'00ff', 7, '1234567890123456789012345678901234567.5');
         INSERT INTO t(id) VALUES (2);
         INSERT INTO t(id, n, u, f) VALUES (9223372036854775807, '-0.05', 'seven', -0.0);",
    )
    .await;
    let batch = one_batch(&db, "t").await;
    assert_eq!(batch.num_rows(), 3);
    let ids = batch.column(0).as_primitive::<Int64Type>();
    assert_eq!(ids.values().to_vec(), [1, 2, i64::MAX]);
    assert!(batch.column(1).as_boolean().value(0));
    assert_eq!(
        batch.column(2).as_primitive::<Date32Type>().value(0),
        19_782
    );
    let at = |column: usize| {
        batch
            .column(column)
            .as_primitive::<TimestampMicrosecondType>()
            .value(0)
    };
    assert_eq!(at(3), 1_709_208_000_500_000);
    assert_eq!(at(4), 1_709_200_800_000_000);
    let numbers = batch.column(5).as_primitive::<Decimal128Type>();
    assert_eq!((numbers.value(0), numbers.value(2)), (1250, -5));
    let doubles = batch.column(6).as_primitive::<Float64Type>();
    assert_eq!(doubles.value(0), 1.0);
    assert_eq!(texts(&batch, 7), [Some("łąka"), None, None]);
    assert_eq!(texts(&batch, 8)[0], Some("abc"));
    assert_eq!(texts(&batch, 9)[0], Some("ab"));
    assert_eq!(texts(&batch, 10)[0], Some("5"));
    assert_eq!(batch.column(11).as_binary_view().value(0), [0, 255]);
    assert_eq!(texts(&batch, 12), [Some("7"), None, Some("seven")]);
    assert_eq!(batch.column(13).data_type(), &DataType::Decimal256(40, 1));
    for column in 1..batch.num_columns() {
        assert!(batch.column(column).is_null(1), "column {column}");
    }
    let field = batch.schema_ref().field(8).clone();
    assert_eq!(field.metadata()[PgType::KEY], "varchar(5)");
}

#[tokio::test]
async fn what_does_not_fit_is_an_error_with_table_column_row_and_value() {
    let error = failure("CREATE TABLE t (c INTEGER); INSERT INTO t VALUES (1), ('abc');").await;
    assert_eq!(error.sqlstate().code(), "22P02");
    assert_eq!(
        error.message(),
        "value 'abc' (text) of column crm.main.t.c is not an integer"
    );
    assert_eq!(error.detail(), Some("The row has rowid 2."));
    for (declared, value, code) in [
        ("INTEGER", "1.5", "XX001"),
        ("INTEGER", "x'01'", "XX001"),
        ("BOOLEAN", "2", "XX001"),
        ("BOOLEAN", "'true'", "22P02"),
        ("DATE", "'2024-02-30'", "22008"),
        ("DATE", "20240101", "XX001"),
        ("DATETIME", "'yesterday'", "22007"),
        ("DECIMAL(4,2)", "100", "22003"),
        ("DECIMAL(4,2)", "0.125", "22003"),
        ("DECIMAL(4,2)", "'many'", "22P02"),
        ("REAL", "'x'", "22P02"),
        ("TEXT", "x'ff'", "XX001"),
        ("TEXT", "CAST(x'ff' AS TEXT)", "22021"),
        ("BLOB", "'x'", "22P02"),
        ("UUID", "x'00'", "XX001"),
    ] {
        let sql = format!("CREATE TABLE t (c {declared}); INSERT INTO t VALUES ({value});");
        let error = failure(&sql).await;
        assert_eq!(error.sqlstate().code(), code, "{declared} {value}: {error}");
        assert!(error.message().contains("crm.main.t.c"), "{error}");
    }
    let long =
        failure("CREATE TABLE t (c INTEGER); INSERT INTO t SELECT printf('%.*c', 1000, 'x');")
            .await;
    assert!(long.message().len() < 200, "{long}");
}

#[tokio::test]
async fn a_null_that_cannot_be_is_an_error() {
    let db = db("CREATE TABLE t (c INTEGER); INSERT INTO t VALUES (NULL);").await;
    let table = db.table("t").await;
    let not_null = vec![Field::new("c", DataType::Int64, false)];
    let error = read(&table, query("SELECT c FROM t", not_null))
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate().code(), "XX001");
}

#[tokio::test]
async fn hostile_names_and_values_are_only_names_and_values() {
    let names = [
        "a\"b", "a'b", "a\\b", "a b", "select", "Größe", "x;--", "`y`", "łąka", "%",
    ];
    let list: Vec<String> = names
        .iter()
        .map(|n| format!("{} TEXT", quoted(n)))
        .collect();
    let db = db(&format!(
        "CREATE TABLE {} ({});",
        quoted("t\"; DROP TABLE x;--"),
        list.join(", ")
    ))
    .await;
    let table = "t\"; DROP TABLE x;--";
    let hostile = "\\' OR 1=1 -- '' \" \\\\ `";
    let marks = vec!["?1"; names.len()].join(", ");
    rusqlite::Connection::open(db.path())
        .unwrap()
        .execute(
            &format!("INSERT INTO {} VALUES ({marks})", quoted(table)),
            [hostile],
        )
        .unwrap();
    assert_eq!(db.source.tables("main").await.unwrap(), [table]);
    let remote = db.table(table).await;
    let read_back: Vec<&str> = remote
        .columns
        .iter()
        .map(|c| c.field.name().as_str())
        .collect();
    assert_eq!(read_back, names);
    let mut by_value = scan_of(&remote);
    by_value.text += " WHERE \"a b\" = ?1";
    by_value.params = vec![ScalarValue::Utf8View(Some(hostile.to_owned()))];
    let batches = read(&remote, by_value).await.unwrap();
    assert_eq!(batches[0].num_rows(), 1);
    assert_eq!(texts(&batches[0], 9), [Some(hostile)]);
}

#[tokio::test]
async fn five_hundred_columns_are_read() {
    let names: Vec<String> = (0..500).map(|n| format!("c{n}")).collect();
    let values: Vec<String> = (0..500).map(|n| n.to_string()).collect();
    let db = db(&format!(
        "CREATE TABLE wide ({} INT); INSERT INTO wide VALUES ({});",
        names.join(" INT, "),
        values.join(", ")
    ))
    .await;
    let batch = one_batch(&db, "wide").await;
    assert_eq!(batch.num_columns(), 500);
    assert_eq!(batch.column(499).as_primitive::<Int64Type>().value(0), 499);
}

#[tokio::test]
async fn the_catalog_tells_collations_strictness_and_rows() {
    let db = db(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, b TEXT, n TEXT COLLATE NOCASE,
             r TEXT COLLATE RTRIM, c CHAR(3), f REAL NOT NULL);
         CREATE TABLE strict (id INT PRIMARY KEY, s TEXT, a ANY) STRICT;
         CREATE TABLE descending (id INTEGER PRIMARY KEY DESC);
         CREATE TABLE \"WITHOUT\" (id INTEGER PRIMARY KEY, v INT) WITHOUT ROWID;
         CREATE VIEW v AS SELECT b, n || 'x' AS e, count(*) AS k FROM t GROUP BY 1, 2;
         INSERT INTO t(id, f) VALUES (1, 1), (70, 2);",
    )
    .await;
    let names = db.source.tables("main").await.unwrap();
    assert_eq!(names, ["WITHOUT", "descending", "strict", "t", "v"]);
    assert!(db.source.tables("public").await.unwrap().is_empty());
    assert_eq!(db.source.schemas().await.unwrap(), ["main"]);

    let t = db.table("t").await;
    use Collation::{Binary, Loose, NotText, Unknown};
    let collations: Vec<_> = t.columns.iter().map(|c| c.collation).collect();
    assert_eq!(
        collations,
        [NotText, Binary, Loose, Loose, Unknown, NotText]
    );
    let strict: Vec<_> = t.columns.iter().map(|c| c.strictly_typed).collect();
    assert_eq!(strict, [true, false, false, false, false, false]);
    assert!(!t.columns[0].field.is_nullable() && !t.columns[5].field.is_nullable());
    assert_eq!(t.statistics.rows, Some(70));

    let s = db.table("strict").await;
    let strict: Vec<_> = s.columns.iter().map(|c| c.strictly_typed).collect();
    assert_eq!(strict, [true, true, false]);
    assert!(!db.table("descending").await.columns[0].strictly_typed);
    assert!(!db.table("WITHOUT").await.columns[0].strictly_typed);

    let v = db.table("v").await;
    assert_eq!(v.columns[0].native_type, "TEXT");
    assert!(
        v.columns
            .iter()
            .all(|c| c.field.is_nullable() && !c.strictly_typed)
    );
    assert!(v.columns[..2].iter().all(|c| c.collation == Unknown));

    db.alter("ANALYZE");
    assert_eq!(db.table("t").await.statistics.rows, Some(2));
    assert_eq!(db.table("WITHOUT").await.statistics.rows, None);
    assert!(
        Arc::clone(&db.source)
            .table("main", "nope")
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        Arc::clone(&db.source)
            .table("main", "sqlite_schema")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn utf16_keeps_equality_only() {
    let db =
        db("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (s TEXT); INSERT INTO t VALUES ('łąka');")
            .await;
    assert_eq!(
        db.table("t").await.columns[0].collation,
        Collation::Deterministic
    );
    assert_eq!(texts(&one_batch(&db, "t").await, 0), [Some("łąka")]);
}

#[tokio::test]
async fn views_of_expressions_are_read() {
    let db = db(
        "CREATE TABLE t (a INT, s TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);
         CREATE VIEW v AS SELECT a, a + 1 AS next, count(*) OVER () AS k, s || '!' AS e, a * 1.5 AS h FROM t;",
    )
    .await;
    let batch = one_batch(&db, "v").await;
    assert_eq!(batch.num_rows(), 2);
    assert_eq!(batch.column(0).data_type(), &DataType::Int64);
    assert_eq!(texts(&batch, 3), [Some("x!"), None]);
}

#[tokio::test]
async fn an_empty_table_gives_no_rows() {
    let db = db("CREATE TABLE t (a INT);").await;
    let table = db.table("t").await;
    assert_eq!(table.statistics.rows, Some(0));
    assert!(read(&table, scan_of(&table)).await.unwrap().is_empty());
}

#[tokio::test]
async fn rows_without_columns_are_counted() {
    let db = db("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2), (3);").await;
    let table = db.table("t").await;
    let batches = read(&table, query("SELECT 1 FROM t", Vec::new()))
        .await
        .unwrap();
    assert_eq!((batches[0].num_columns(), batches[0].num_rows()), (0, 3));
}

/// A view of so many rows that its end is never seen unless it is read to it.
fn endless(rows: u64) -> String {
    format!(
        "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < {rows}) SELECT i FROM n; CREATE TABLE t (a INT);"
    )
}

#[tokio::test]
async fn a_million_rows_stream_in_small_batches() {
    let db = db(&endless(1_000_000)).await;
    let table = db.table("t").await;
    let fields = vec![Field::new("i", DataType::Int64, true)];
    let mut stream = run(&table, query("SELECT i FROM v", fields), context(4096)).await;
    let (mut rows, mut sum) = (0, 0_i64);
    while let Some(batch) = stream.next().await {
        let batch = batch.unwrap();
        assert!(batch.num_rows() <= 4096);
        rows += batch.num_rows();
        sum += batch
            .column(0)
            .as_primitive::<Int64Type>()
            .values()
            .iter()
            .sum::<i64>();
    }
    assert_eq!((rows, sum), (1_000_000, 500_000_500_000));
}

#[tokio::test]
async fn wide_values_make_small_batches() {
    let db = db(
        "CREATE TABLE t (s TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 \
         FROM n WHERE i < 20) INSERT INTO t SELECT printf('%.*c', 1000000, 'x') FROM n;",
    )
    .await;
    let table = db.table("t").await;
    let batches = read(&table, scan_of(&table)).await.unwrap();
    assert!(batches.len() >= 4, "{}", batches.len());
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 20);
}

#[tokio::test]
async fn cancel_ends_a_query_that_gives_no_row() {
    let db = db(&endless(u64::MAX >> 2)).await;
    let table = db.table("t").await;
    let context = context(100);
    let cancel = context.cancel.clone();
    let fields = vec![Field::new("n", DataType::Int64, true)];
    let counting = query("SELECT count(*) FROM v", fields);
    let mut stream = run(&table, counting, context).await;
    let reader = tokio::spawn(async move { (stream.next().await, stream.next().await) });
    cancel.cancel();
    let (first, second) = reader.await.unwrap();
    assert_eq!(first.unwrap().unwrap_err().sqlstate().code(), "57014");
    assert!(second.is_none());
}

#[tokio::test]
async fn a_dropped_stream_gives_its_connection_back() {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("crm.db")).unwrap();
    connection.execute_batch(&endless(u64::MAX >> 2)).unwrap();
    let params = [
        ("path", "crm.db"),
        ("pool_size_max", "1"),
        ("pool_timeout_ms", "20000"),
    ];
    let source = open(folder.path(), &params).await;
    let Some(Table::Remote(table)) = Arc::clone(&source).table("main", "t").await.unwrap() else {
        panic!("no table");
    };
    let fields = || vec![Field::new("i", DataType::Int64, true)];
    let mut streaming = run(&table, query("SELECT i FROM v", fields()), context(10)).await;
    assert_eq!(streaming.next().await.unwrap().unwrap().num_rows(), 10);
    drop(streaming);
    drop(
        run(
            &table,
            query("SELECT count(*) FROM v", fields()),
            context(10),
        )
        .await,
    );
    // With one connection, this answers only once both have ended.
    source.ping().await.unwrap();
}

#[tokio::test]
async fn a_full_pool_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("crm.db")).unwrap();
    connection.execute_batch(&endless(u64::MAX >> 2)).unwrap();
    let params = [
        ("path", "crm.db"),
        ("pool_size_max", "1"),
        ("pool_timeout_ms", "20"),
    ];
    let source = open(folder.path(), &params).await;
    let Some(Table::Remote(table)) = Arc::clone(&source).table("main", "t").await.unwrap() else {
        panic!("no table");
    };
    let fields = vec![Field::new("i", DataType::Int64, true)];
    let _held = run(&table, query("SELECT i FROM v", fields), context(10)).await;
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "53300");
}

#[tokio::test]
async fn a_missing_file_fails_when_asked_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let source = open(folder.path(), &[("path", "absent.db")]).await;
    for error in [
        source.ping().await.unwrap_err(),
        source.schemas().await.unwrap_err(),
        source.tables("main").await.unwrap_err(),
        Arc::clone(&source).table("main", "t").await.unwrap_err(),
    ] {
        assert_eq!(error.sqlstate().code(), "08001");
        assert!(
            error.message().contains("crm") && error.message().contains("absent.db"),
            "{error}"
        );
        assert!(error.hint().is_some());
    }
    std::fs::write(
        folder.path().join("absent.db"),
        "this is no database, but a text file",
    )
    .unwrap();
    let error = source.ping().await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001");
    // It comes back without another open.
    std::fs::remove_file(folder.path().join("absent.db")).unwrap();
    let connection = rusqlite::Connection::open(folder.path().join("absent.db")).unwrap();
    connection.execute_batch("CREATE TABLE t (a INT)").unwrap();
    assert_eq!(source.tables("main").await.unwrap(), ["t"]);
}

#[tokio::test]
async fn a_replaced_file_is_read_anew() {
    let db = db("CREATE TABLE old (a INT);").await;
    assert_eq!(db.source.tables("main").await.unwrap(), ["old"]);
    let fresh = db.folder.path().join("fresh.db");
    rusqlite::Connection::open(&fresh)
        .unwrap()
        .execute_batch("CREATE TABLE new (a INT)")
        .unwrap();
    std::fs::rename(fresh, db.path()).unwrap();
    assert_eq!(db.source.tables("main").await.unwrap(), ["new"]);
}

#[tokio::test]
async fn a_changed_table_is_never_misread() {
    let db = db("CREATE TABLE t (a INT, b INT); INSERT INTO t VALUES (1, 2);").await;
    let table = db.table("t").await;
    assert_eq!(read(&table, scan_of(&table)).await.unwrap().len(), 1);
    db.alter("ALTER TABLE t DROP COLUMN b");
    let error = read(&table, scan_of(&table)).await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "42P16", "{error}");
    assert!(error.hint().is_some());
    db.alter("ALTER TABLE t ADD COLUMN b TEXT; UPDATE t SET b = '2'");
    let error = read(&table, scan_of(&table)).await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "42P16", "{error}");
    db.alter("DROP TABLE t");
    let error = read(&table, scan_of(&table)).await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "42P16", "{error}");
}

#[tokio::test]
async fn nothing_can_be_written_or_attached() {
    let db = db("CREATE TABLE t (a INT);").await;
    let table = db.table("t").await;
    let other = db.folder.path().join("other.db");
    for sql in [
        "INSERT INTO t VALUES (1) RETURNING a".to_owned(),
        "DELETE FROM t RETURNING a".to_owned(),
        format!("ATTACH '{}' AS o", other.display()),
        "SELECT load_extension('x')".to_owned(),
    ] {
        let fields = vec![Field::new("a", DataType::Int64, true)];
        assert!(read(&table, query(&sql, fields)).await.is_err(), "{sql}");
    }
    assert!(!other.exists());
    assert!(read(&table, scan_of(&table)).await.unwrap().is_empty());
}

#[tokio::test]
async fn times_and_texts_are_bound_as_columns_hold_them() {
    let db = db("CREATE TABLE t (d DATE, ts DATETIME, x BLOB);
         INSERT INTO t VALUES ('2024-02-29', '2024-02-29 12:00:00.000000', x'0102');")
    .await;
    let table = db.table("t").await;
    let mut bound = scan_of(&table);
    bound.text += " WHERE d = ?1 AND ts = ?2 AND x = ?3 AND ?4 IS NULL";
    bound.params = vec![
        ScalarValue::Date32(Some(19_782)),
        ScalarValue::TimestampMicrosecond(Some(1_709_208_000_000_000), None),
        ScalarValue::Binary(Some(vec![1, 2])),
        ScalarValue::Utf8(None),
    ];
    let batches = read(&table, bound).await.unwrap();
    assert_eq!(batches[0].num_rows(), 1);
    assert_eq!(
        batches[0].schema_ref().field(1).data_type(),
        &DataType::Timestamp(TimeUnit::Microsecond, None)
    );
}

/// `filter` over all columns of a table, as the source prints and runs it.
async fn pushed(table: &RemoteTable, filter: Expr) -> Result<Vec<RecordBatch>> {
    let provider = Arc::new(RemoteTableProvider::new(table.clone()));
    let plan =
        LogicalPlanBuilder::scan("t", Arc::new(DefaultTableSource::new(provider)), None).unwrap();
    let scope = Scope::of(&plan.clone().build().unwrap());
    let answer = table.source.supports(&filter, Place::Filter, &scope);
    assert_eq!(answer, Support::Exact, "{filter}");
    let plan = plan.filter(filter).unwrap().build().unwrap();
    let fragment = Fragment::new(plan).unwrap();
    read(table, table.source.compile(&fragment).unwrap()).await
}

#[tokio::test]
async fn a_pushed_filter_reads_as_strictly_as_a_scan() {
    let db = db(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, s TEXT COLLATE NOCASE, d DATE, ts DATETIME, u);
         INSERT INTO t VALUES (1, 10, 'a', '2024-01-01', '2024-01-01T00:00', 5),
                              (2, 20, 'A', '2024-01-02', '2024-01-02 00:00:00.5', '5'),
                              (3, NULL, NULL, NULL, NULL, NULL);",
    )
    .await;
    let table = db.table("t").await;
    let ids = async |filter: Expr| {
        let batches = pushed(&table, filter).await.unwrap();
        let ids = |b: &RecordBatch| b.column(0).as_primitive::<Int64Type>().values().to_vec();
        batches.iter().flat_map(ids).collect::<Vec<_>>()
    };
    let view = |s: &str| lit(ScalarValue::Utf8View(Some(s.to_owned())));
    assert_eq!(ids(col("n").gt(lit(10_i64))).await, [2]);
    assert_eq!(ids(col("s").eq(view("a"))).await, [1]);
    assert_eq!(ids(col("u").eq(view("5"))).await, [1, 2]);
    assert_eq!(
        ids(col("d").lt(lit(ScalarValue::Date32(Some(19_724))))).await,
        [1]
    );
    let moment = ScalarValue::TimestampMicrosecond(Some(1_704_067_200_000_000), None);
    assert_eq!(ids(col("ts").eq(lit(moment))).await, [1]);

    db.alter("UPDATE t SET n = 'ten' WHERE id = 1");
    let local = read(&table, scan_of(&table)).await.unwrap_err();
    let remote = pushed(&table, col("n").gt(lit(10_i64))).await.unwrap_err();
    assert_eq!(remote.sqlstate(), local.sqlstate());
    assert_eq!(remote.message(), local.message());
}

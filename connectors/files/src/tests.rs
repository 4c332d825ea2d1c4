//! The connector over folders made here: which tables there are, what is read, what fails and how.

mod parquet;
mod server;
mod store;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date64Array, DictionaryArray, Float64Array, Int8Array,
    Int32Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray, StructArray,
    TimestampNanosecondArray, UInt8Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, TimeUnit};
use arrow::util::pretty::pretty_format_batches;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::{collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use inflowave_connector_api::{Connector, OpenContext, Params, Source, Table};
use inflowave_types::{Error, PgType, Result, Secret};
use tempfile::TempDir;

use crate::FilesConnector;

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = fs::File::create(self.path(name)).unwrap();
        let small = WriterProperties::builder()
            .set_max_row_group_row_count(Some(100))
            .build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(small)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    async fn open(&self, params: &[(&str, &str)]) -> Arc<dyn Source> {
        let given = params
            .iter()
            .map(|(n, v)| ((*n).to_owned(), Secret::new(*v)));
        let params = Params::check(FilesConnector.descriptor().params, given).unwrap();
        FilesConnector.open(params, self.context()).await.unwrap()
    }

    fn context(&self) -> OpenContext {
        OpenContext {
            catalog: "lake".to_owned(),
            io: tokio::runtime::Handle::current(),
            base_dir: self.0.path().to_owned(),
        }
    }
}

async fn tables(source: &Arc<dyn Source>) -> Vec<String> {
    source.tables("files").await.unwrap()
}

async fn table(source: &Arc<dyn Source>, name: &str) -> Result<Arc<dyn TableProvider>> {
    match Arc::clone(source).table("files", name).await? {
        Some(Table::Native(provider)) => Ok(provider),
        other => panic!("{name}: {other:?}"),
    }
}

fn session(provider: Arc<dyn TableProvider>) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(2);
    let session = SessionContext::new_with_config(config);
    session.register_table("t", provider).unwrap();
    session
}

async fn query(provider: Arc<dyn TableProvider>, sql: &str) -> Result<Vec<RecordBatch>, Error> {
    let frame = session(provider).sql(sql).await.unwrap();
    frame.collect().await.map_err(|e| match e.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<Error>() {
            Some(error) => error.clone(),
            None => panic!("{inner}"),
        },
        other => panic!("{other}"),
    })
}

async fn all(source: &Arc<dyn Source>, name: &str) -> Result<Vec<RecordBatch>> {
    query(table(source, name).await?, "SELECT * FROM t").await
}

fn rows(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::num_rows).sum()
}

/// The cells as text, a row a line, sorted.
fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let table = pretty_format_batches(batches).unwrap().to_string();
    let mut lines: Vec<String> = table
        .lines()
        .filter(|l| l.starts_with('|'))
        .skip(1)
        .map(|l| {
            let cells: Vec<&str> = l.trim_matches('|').split('|').map(str::trim).collect();
            cells.join(",")
        })
        .collect();
    lines.sort();
    lines
}

fn types(provider: &Arc<dyn TableProvider>) -> Vec<DataType> {
    provider
        .schema()
        .fields()
        .iter()
        .map(|f| f.data_type().clone())
        .collect()
}

fn ints(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn micros() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

#[tokio::test]
async fn a_folder_gives_its_files_and_subfolders_as_tables() {
    let folder = Folder::new();
    folder.write("customers.csv", "id,name\n1,Ann\n");
    folder.write("events.jsonl", "{\"a\":1}\n");
    folder.parquet("readings/a.parquet", vec![("x", ints([1, 2]))]);
    folder.parquet("readings/deeper/b.parquet", vec![("x", ints([3]))]);
    folder.write("orders.csv", "id\n1\n");
    folder.write("orders.json", "{\"id\":2}");
    folder.write("notes.txt", "nothing");
    folder.write(".hidden.csv", "a\n1\n");
    folder.write("_temporary/part.csv", "a\n1\n");
    folder.write("empty/readme.md", "nothing");
    let source = folder.open(&[("path", ".")]).await;
    let expected = [
        "customers",
        "events",
        "orders.csv",
        "orders.json",
        "readings",
    ];
    assert_eq!(tables(&source).await, expected);
    assert_eq!(source.schemas().await.unwrap(), ["files"]);
    assert_eq!(source.default_schema(), "files");
    assert!(source.tables("public").await.unwrap().is_empty());
    assert_eq!(rows(&all(&source, "readings").await.unwrap()), 3);
    assert_eq!(lines(&all(&source, "customers").await.unwrap()), ["1,Ann"]);
    assert_eq!(lines(&all(&source, "orders.json").await.unwrap()), ["2"]);
}

#[tokio::test]
async fn only_names_of_the_list_are_tables() {
    let folder = Folder::new();
    folder.write("in/a.csv", "x\n1\n");
    folder.write("secret.csv", "x\n1\n");
    let source = folder.open(&[("path", "in")]).await;
    for name in [
        "../secret",
        "../secret.csv",
        "a.csv",
        "/etc/passwd",
        ".",
        "",
        "A",
    ] {
        let found = Arc::clone(&source).table("files", name).await.unwrap();
        assert!(found.is_none(), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_inside_only() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    folder.write("in/a.csv", "x\n1\n");
    folder.write("outside/b.csv", "x\n1\n");
    let base = folder.0.path();
    symlink(base.join("in/a.csv"), base.join("in/same.csv")).unwrap();
    symlink(base.join("outside/b.csv"), base.join("in/b.csv")).unwrap();
    symlink(base.join("outside"), base.join("in/linked")).unwrap();
    fs::create_dir(base.join("in/loop")).unwrap();
    symlink(base.join("in"), base.join("in/loop/again")).unwrap();
    symlink(base.join("nowhere"), base.join("in/gone.csv")).unwrap();
    let source = folder.open(&[("path", "in")]).await;
    assert_eq!(tables(&source).await, ["a", "loop", "same"]);
}

#[tokio::test]
async fn a_file_or_a_pattern_is_one_table() {
    let folder = Folder::new();
    for name in [
        "readings-1.csv",
        "readings-2.csv",
        "other.csv",
        "deep/readings-3.csv",
    ] {
        folder.write(name, "x\n1\n");
    }
    let source = folder.open(&[("path", "other.csv")]).await;
    assert_eq!(tables(&source).await, ["other"]);
    let source = folder.open(&[("path", "readings-*.csv")]).await;
    assert_eq!(tables(&source).await, ["readings"]);
    assert_eq!(rows(&all(&source, "readings").await.unwrap()), 2);
    let source = folder
        .open(&[("path", "**/*.csv"), ("table", "everything")])
        .await;
    assert_eq!(tables(&source).await, ["everything"]);
    assert_eq!(rows(&all(&source, "everything").await.unwrap()), 4);
    let source = folder.open(&[("path", "deep/*.csv")]).await;
    assert_eq!(tables(&source).await, ["deep"]);
    let source = folder.open(&[("path", "none-*.csv")]).await;
    let error = all(&source, "none").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "58P01");
}

#[tokio::test]
async fn what_is_missing_says_so() {
    let folder = Folder::new();
    let source = folder.open(&[("path", "absent")]).await;
    let error = source.tables("files").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "08001");
    assert!(
        error.message().contains("lake") && error.message().contains("absent"),
        "{error}"
    );
    assert_eq!(source.ping().await.unwrap_err().sqlstate().code(), "08001");
    let error = Arc::clone(&source).table("files", "t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "58P01");
    folder.write("absent/t.csv", "a\n1\n");
    assert_eq!(tables(&source).await, ["t"]);
}

#[tokio::test]
async fn bad_parameters_name_what_is_valid() {
    let folder = Folder::new();
    for (name, value) in [("delimiter", "ab"), ("delimiter", "\""), ("path", "a/[")] {
        let given = [("path", "x"), (name, value)];
        let given = given
            .iter()
            .map(|(n, v)| ((*n).to_owned(), Secret::new(*v)));
        let params = Params::check(FilesConnector.descriptor().params, given).unwrap();
        let error = FilesConnector
            .open(params, folder.context())
            .await
            .unwrap_err();
        assert_eq!(error.sqlstate().code(), "22023");
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn csv_types_are_inferred() {
    let folder = Folder::new();
    folder.write(
        "t.csv",
        "i,f,b,d,ts,tz,zip,s,big,none,\"quoted, name\"\r\n\
         1,1.5,true,2024-02-29,2024-02-29 12:00:00.25,2024-02-29T12:00:00+02:00,00501,\"a \"\"b\"\"\nc\",9223372036854775808,,x\r\n\
         -2,3,FALSE,0001-01-01,2024-01-01,1970-01-01 00:00:00Z,10001,,1,,\r\n",
    );
    let source = folder.open(&[("path", "t.csv")]).await;
    let provider = table(&source, "t").await.unwrap();
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    use DataType::{Boolean, Date32, Float64, Int64, Utf8View as Text};
    let expected = [
        Int64,
        Float64,
        Boolean,
        Date32,
        micros(),
        utc,
        Text,
        Text,
        Text,
        Text,
        Text,
    ];
    assert_eq!(types(&provider), expected);
    assert_eq!(provider.schema().field(10).name(), "quoted, name");
    let batches = query(provider, "SELECT i, f, b, d, ts, tz, zip, big FROM t")
        .await
        .unwrap();
    assert_eq!(
        lines(&batches),
        [
            "-2,3.0,false,0001-01-01,2024-01-01T00:00:00,1970-01-01T00:00:00Z,10001,1",
            "1,1.5,true,2024-02-29,2024-02-29T12:00:00.250,2024-02-29T10:00:00Z,00501,9223372036854775808",
        ]
    );
    let provider = table(&source, "t").await.unwrap();
    let batches = query(provider, "SELECT s FROM t WHERE none IS NULL AND i = 1")
        .await
        .unwrap();
    assert_eq!(batches[0].column(0).as_string_view().value(0), "a \"b\"\nc");
}

#[tokio::test]
async fn csv_options_are_followed() {
    let folder = Folder::new();
    folder.write("t.csv", "1;\\N;x\n2;;\n");
    folder.write("tabs.tsv", "a\tb\n1\tx,y\n");
    let params = [
        ("path", "t.csv"),
        ("header", "false"),
        ("delimiter", ";"),
        ("null_string", "\\N"),
    ];
    let source = folder.open(&params).await;
    let provider = table(&source, "t").await.unwrap();
    let names: Vec<String> = provider
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    assert_eq!(names, ["column_1", "column_2", "column_3"]);
    let sql = "SELECT column_1, column_2 IS NULL, column_3 = '' FROM t";
    assert_eq!(
        lines(&query(provider, sql).await.unwrap()),
        ["1,true,false", "2,false,true"]
    );
    let source = folder.open(&[("path", "tabs.tsv")]).await;
    assert_eq!(lines(&all(&source, "tabs").await.unwrap()), ["1,x,y"]);
}

#[tokio::test]
async fn a_later_value_that_does_not_fit_names_file_line_column_and_value() {
    let folder = Folder::new();
    let mut text = "id,price\n".to_owned();
    for row in 0..300 {
        text += &format!("{row},1.5\n");
    }
    text += "300,\"two\nlines\"\n";
    folder.write("t.csv", &text);
    let source = folder
        .open(&[("path", "t.csv"), ("infer_rows", "100")])
        .await;
    let error = all(&source, "t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "22P02");
    let message = error.message();
    assert!(
        message.contains("t.csv\", line 302, column \"price\": 'two"),
        "{message}"
    );
    assert!(error.hint().unwrap().contains("infer_rows"));
    // A column that is not read does not fail, and one that is read in full is text.
    let provider = table(&source, "t").await.unwrap();
    let batches = query(provider, "SELECT count(id) FROM t").await.unwrap();
    assert_eq!(
        batches[0].column(0).as_primitive::<Int64Type>().value(0),
        301
    );
    let source = folder.open(&[("path", "t.csv")]).await;
    assert_eq!(rows(&all(&source, "t").await.unwrap()), 301);
}

#[tokio::test]
async fn a_broken_csv_file_names_file_and_line() {
    let folder = Folder::new();
    let cases: [(&str, &[u8], &str, &str); 5] = [
        (
            "short",
            b"a,b\n1,2\n3\n",
            "XX001",
            "line 3: 1 fields where 2 are expected",
        ),
        (
            "long",
            b"a,b\n1,2,3\n",
            "XX001",
            "line 2: 3 fields where 2 are expected",
        ),
        (
            "open",
            b"a,b\n1,2\n3,\"x\n4,5\n",
            "XX001",
            "line 3: a quote is not closed",
        ),
        (
            "bytes",
            b"a,b\n1,\xff\n",
            "22021",
            "line 2, column \"b\": not valid UTF-8",
        ),
        ("twice", b"a,a\n1,2\n", "42701", "two columns \"a\""),
    ];
    for (name, content, code, text) in cases {
        folder.write(&format!("{name}.csv"), content);
        let source = folder.open(&[("path", &format!("{name}.csv"))]).await;
        let error = all(&source, name).await.unwrap_err();
        assert_eq!(error.sqlstate().code(), code, "{name}: {error}");
        assert!(error.message().contains(text), "{error}");
        assert!(error.message().contains(&format!("{name}.csv")), "{error}");
    }
}

#[tokio::test]
async fn csv_files_are_united_by_the_names_of_their_headers() {
    let folder = Folder::new();
    folder.write("t/1.csv", "a,b\n1,x\n");
    folder.write("t/2.csv", "b,a,c\ny,2.5,2024-01-01\n");
    folder.write("t/3.csv", "");
    let source = folder.open(&[("path", ".")]).await;
    let provider = table(&source, "t").await.unwrap();
    assert_eq!(
        types(&provider),
        [DataType::Float64, DataType::Utf8View, DataType::Date32]
    );
    assert_eq!(
        lines(&all(&source, "t").await.unwrap()),
        ["1.0,x,", "2.5,y,2024-01-01"]
    );
}

#[tokio::test]
async fn csv_files_that_change_are_not_misread() {
    let folder = Folder::new();
    folder.write("t/1.csv", "a,b\n1,2\n");
    let source = folder.open(&[("path", ".")]).await;
    let provider = table(&source, "t").await.unwrap();
    folder.write("t/1.csv", "b,a\n2,1\n");
    folder.write("t/2.csv", "a,b\n3,4\n");
    assert_eq!(
        lines(
            &query(Arc::clone(&provider), "SELECT * FROM t")
                .await
                .unwrap()
        ),
        ["1,2", "3,4"]
    );
    folder.write("t/1.csv", "b\n2\n");
    let error = query(provider, "SELECT * FROM t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "42P16", "{error}");
}

#[tokio::test]
async fn json_lines_are_read_without_losing_a_digit() {
    let folder = Folder::new();
    folder.write(
        "t.ndjson",
        "\u{feff}{\"i\":1,\"f\":2,\"b\":true,\"s\":\"2024-01-01\",\"o\":{\"x\":[1, 12345678901234567890]},\"m\":1}\n\
         \n\
         {\"f\":1.5,\"s\":\"ł\\u0105ka\",\"m\":\"x\",\"big\":12345678901234567890,\"i\":null}\r\n",
    );
    let source = folder.open(&[("path", "t.ndjson")]).await;
    let provider = table(&source, "t").await.unwrap();
    use DataType::{Boolean, Float64, Int64, Utf8View as Text};
    assert_eq!(
        types(&provider),
        [Int64, Float64, Boolean, Text, Text, Text, Text]
    );
    let json = |i: usize| {
        provider
            .schema()
            .field(i)
            .metadata()
            .get(PgType::KEY)
            .cloned()
    };
    assert_eq!(json(3), None);
    assert_eq!(json(4).as_deref(), Some("json"));
    assert_eq!(
        lines(
            &query(Arc::clone(&provider), "SELECT i, f, s, o, m, big FROM t")
                .await
                .unwrap()
        ),
        [
            ",1.5,łąka,,\"x\",12345678901234567890",
            "1,2.0,2024-01-01,{\"x\":[1, 12345678901234567890]},1,",
        ]
    );
}

#[tokio::test]
async fn a_broken_json_line_names_file_and_line() {
    let folder = Folder::new();
    let good = "{\"a\":1}\n".repeat(150);
    for (bad, code) in [
        ("{\"a\":1", "XX001"),
        ("{\"a\":1.5}", "22P02"),
        ("{\"a\":\"5\"}", "22P02"),
        ("[1]", "XX001"),
    ] {
        folder.write("t.json", format!("{good}{bad}\n"));
        let source = folder
            .open(&[("path", "t.json"), ("infer_rows", "100")])
            .await;
        let error = all(&source, "t").await.unwrap_err();
        assert_eq!(error.sqlstate().code(), code, "{bad}: {error}");
        assert!(error.message().contains("t.json\", line 151"), "{error}");
    }
}

#[tokio::test]
async fn partitions_of_text_files_are_columns_too() {
    let folder = Folder::new();
    folder.write("t/city=%C5%81%C3%B3d%C5%BA/1.csv", "a\n1\n");
    folder.write("t/city=Bonn/1.csv", "a\n2\n");
    let source = folder.open(&[("path", ".")]).await;
    let provider = table(&source, "t").await.unwrap();
    let batches = query(Arc::clone(&provider), "SELECT city, a + 1 FROM t")
        .await
        .unwrap();
    assert_eq!(lines(&batches), ["Bonn,3", "Łódź,2"]);
    let batches = query(
        Arc::clone(&provider),
        "SELECT city FROM t WHERE city = 'Bonn'",
    )
    .await
    .unwrap();
    assert_eq!(lines(&batches), ["Bonn"]);
    let batches = query(provider, "SELECT count(*) FROM t").await.unwrap();
    assert_eq!(lines(&batches), ["2"]);
}

#[tokio::test]
async fn files_of_two_formats_are_no_table() {
    let folder = Folder::new();
    folder.write("t/1.csv", "a\n1\n");
    folder.write("t/2.json", "{\"a\":1}\n");
    let source = folder.open(&[("path", ".")]).await;
    let error = all(&source, "t").await.unwrap_err();
    assert_eq!(error.sqlstate().code(), "42P16");
    assert!(error.message().contains("1.csv") && error.message().contains("2.json"));
}

#[tokio::test]
async fn hostile_names_are_names() {
    let folder = Folder::new();
    let names = ["a b", "a%20b", "a#b?", "ł'\"ąka", "*star*"];
    for name in names {
        folder.write(&format!("in/{name}.csv"), "x\n1\n");
        folder.parquet(
            &format!("in/{name} p/{name}.parquet"),
            vec![("x\"'; --", ints([1]))],
        );
    }
    let source = folder.open(&[("path", "in")]).await;
    assert_eq!(tables(&source).await.len(), 10);
    for name in names {
        assert_eq!(lines(&all(&source, name).await.unwrap()), ["1"], "{name}");
        assert_eq!(
            lines(&all(&source, &format!("{name} p")).await.unwrap()),
            ["1"],
            "{name}"
        );
    }
    // Wildcards in the name of a file that is there are no pattern.
    let source = folder.open(&[("path", "in/*star*.csv")]).await;
    assert_eq!(tables(&source).await, ["*star*"]);
}

#[tokio::test]
async fn statistics_and_pruning_of_parquet_are_datafusions() {
    let folder = Folder::new();
    let times = TimestampNanosecondArray::from_iter_values((0..1000).map(|s| s * 1_000_000_000));
    folder.parquet(
        "t.parquet",
        vec![("id", ints(0..1000)), ("ts", Arc::new(times) as ArrayRef)],
    );
    let source = folder.open(&[("path", "t.parquet")]).await;
    let provider = table(&source, "t").await.unwrap();
    let session = session(provider);
    for filter in ["id >= 950", "ts >= TIMESTAMP '1970-01-01 00:15:50'"] {
        let frame = session
            .sql(&format!("SELECT id, ts FROM t WHERE {filter}"))
            .await
            .unwrap();
        let plan = frame.create_physical_plan().await.unwrap();
        let batches = collect(Arc::clone(&plan), session.task_ctx())
            .await
            .unwrap();
        assert_eq!(rows(&batches), 50, "{filter}");
        let metrics = datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(
            plan.as_ref(),
        );
        let shown = metrics.indent(true).to_string();
        assert!(
            shown.contains("row_groups_pruned_statistics=10 total → 1 matched"),
            "{filter}: {shown}"
        );
    }
}

/// NaN is greater than every number, and the statistics of a row group do not know of it.
#[tokio::test]
async fn nan_is_found_although_statistics_leave_it_out() {
    let folder = Folder::new();
    let values = (0..1000).map(|n| match n {
        5 => -f64::NAN,
        500 => f64::NAN,
        700 => -0.0,
        n => f64::from(n) - 700.5,
    });
    let values = Float64Array::from_iter_values(values);
    folder.parquet(
        "t.parquet",
        vec![("id", ints(0..1000)), ("f", Arc::new(values) as ArrayRef)],
    );
    let source = folder.open(&[("path", "t.parquet")]).await;
    let provider = table(&source, "t").await.unwrap();
    for (sql, expected) in [
        (
            "SELECT id FROM t WHERE f > 1000.0 ORDER BY id",
            vec!["5", "500"],
        ),
        (
            "SELECT id FROM t WHERE f <> 0.0 AND f >= 2000.0 ORDER BY id",
            vec!["5", "500"],
        ),
        ("SELECT id FROM t WHERE f = 0.0", vec!["700"]),
        ("SELECT id FROM t WHERE f < -700.0", vec!["0"]),
        (
            "SELECT id FROM t WHERE f = 'NaN' ORDER BY id",
            vec!["5", "500"],
        ),
        (
            "SELECT count(*) FROM t GROUP BY f ORDER BY count(*) DESC LIMIT 1",
            vec!["2"],
        ),
        (
            "SELECT f FROM t ORDER BY f DESC LIMIT 3",
            vec!["298.5", "NaN", "NaN"],
        ),
    ] {
        let batches = query(Arc::clone(&provider), sql).await.unwrap();
        assert_eq!(lines(&batches), expected, "{sql}");
    }
}

#[tokio::test]
async fn large_text_files_come_in_bounded_batches() {
    let folder = Folder::new();
    let line = format!("1,{}\n", "x".repeat(100_000));
    folder.write("t.csv", format!("a,b\n{}", line.repeat(300)));
    let source = folder.open(&[("path", "t.csv")]).await;
    let batches = all(&source, "t").await.unwrap();
    assert_eq!(rows(&batches), 300);
    assert!(batches.len() >= 3, "{}", batches.len());
}

//! `inflowave verify`: it finds nothing where nothing is wrong, and finds and shrinks what is.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::logical_expr::{Expr, LogicalPlan};
use inflowave_config::Limits;
use inflowave_connector_api::{
    BatchStream, Collation, Connector, Descriptor, Fragment, OpenContext, Params, Place,
    RemoteQuery, RemoteSource, ScanContext, Scope, Source, Support, Table,
};
use inflowave_query_api::QueryService;
use inflowave_testkit::provision::{
    CatalogSpec, FilesFixture, Fixture, MYSQL_ENV, MySqlCollation, MySqlFixture, POSTGRES_ENV,
    PostgresFixture, SqliteFixture, skipped,
};
use inflowave_testkit::trap;
use inflowave_types::Result;
use inflowave_verify::run::{Ended, Options, Report, run};

use crate::command::binary;
use crate::server;

const SEED: u64 = 20_261_126;

fn options(queries: u64) -> Options {
    Options {
        catalogs: Vec::new(),
        tables: Vec::new(),
        queries,
        seed: SEED,
        rows_max: 10_000,
        time_limit: Duration::from_secs(600),
        query_timeout: Duration::from_secs(60),
        stop: Arc::default(),
    }
}

async fn verified(service: &dyn QueryService, queries: u64) -> Report {
    let report = run(service, &options(queries), &mut |_| {}).await.unwrap();
    println!("{}", report.shown("inflowave verify"));
    report
}

/// Every query ran, most have rows, and nothing differs.
fn assert_clean(report: &Report, queries: u64) {
    let shown = report.shown("inflowave verify");
    assert!(report.findings.is_empty(), "{shown}");
    assert!(report.unsettled.is_empty(), "{shown}");
    assert!(
        report.not_compared.values().sum::<u64>() * 50 <= queries,
        "{shown}"
    );
    assert_eq!(
        (report.queries, &report.ended),
        (queries, &Ended::AllQueries)
    );
    assert!(report.with_rows * 2 > queries, "{shown}");
}

#[test]
fn over_trap_data_in_sqlite_it_finds_nothing() {
    server::run(async {
        let mut fixture = SqliteFixture::new().unwrap();
        fixture.provision(&trap::tables()).await.unwrap();
        let catalogs = vec![("lite".to_owned(), fixture.catalog())];
        let service = server::service(catalogs).await.unwrap();
        let report = verified(service.as_ref(), 100).await;
        assert_clean(&report, 100);
        assert_eq!(report.tables.len(), trap::tables().len());
        assert!(report.pushed * 2 > report.queries, "{}", report.pushed);
    });
}

#[test]
fn over_trap_data_in_files_it_finds_nothing() {
    server::run(async {
        let mut fixture = FilesFixture::new().unwrap();
        fixture.provision(&trap::tables()).await.unwrap();
        let catalogs = vec![("lake".to_owned(), fixture.catalog())];
        let service = server::service(catalogs).await.unwrap();
        let report = verified(service.as_ref(), 100).await;
        assert_clean(&report, 100);
        // It says that no source was asked to compute anything.
        assert_eq!((report.pushed, report.columns_only), (0, 0));
        assert_eq!(report.no_source, 100);
    });
}

#[test]
fn across_every_source_that_is_there_it_finds_nothing() {
    server::run(async {
        let mut fixtures: Vec<(&str, Box<dyn Fixture>)> = vec![
            ("lite", Box::new(SqliteFixture::strict().unwrap())),
            ("lake", Box::new(FilesFixture::new().unwrap())),
        ];
        match PostgresFixture::from_env(POSTGRES_ENV).await.unwrap() {
            Some(fixture) => fixtures.push(("pg", Box::new(fixture))),
            None => skipped(
                "verify over PostgreSQL",
                "INFLOWAVE_TEST_POSTGRES is not set",
            ),
        }
        match MySqlFixture::from_env(MySqlCollation::default())
            .await
            .unwrap()
        {
            Some(fixture) => fixtures.push(("my", Box::new(fixture))),
            None => skipped("verify over MariaDB", &format!("{MYSQL_ENV} is not set")),
        }
        let mut catalogs: Vec<(String, CatalogSpec)> = Vec::new();
        for (name, fixture) in &mut fixtures {
            fixture.provision(&trap::tables()).await.unwrap();
            catalogs.push(((*name).to_owned(), fixture.catalog()));
        }
        let schemas: Vec<String> = catalogs.iter().map(|(_, c)| c.schema.clone()).collect();
        let service = server::service(catalogs).await.unwrap();
        // Other tests load tables into the same servers: only ours are asked of.
        let tables = trap::tables();
        let named = schemas
            .iter()
            .flat_map(|s| tables.iter().map(move |t| format!("{s}.{}", t.name)));
        let asked = Options {
            tables: named.collect(),
            ..options(150)
        };
        let report = run(service.as_ref(), &asked, &mut |_| {}).await.unwrap();
        println!("{}", report.shown("inflowave verify"));
        assert_clean(&report, 150);
        assert_eq!(report.tables.len(), tables.len() * schemas.len());
    });
}

/// SQLite with a promise that it does not keep.
struct Wrong(Lie);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lie {
    /// `NOCASE` is said to compare as we do.
    Collation,
    /// NULLs are said to stand where the statement says.
    Nulls,
}

#[async_trait]
impl Connector for Wrong {
    fn descriptor(&self) -> &'static Descriptor {
        sqlite().descriptor()
    }

    async fn open(&self, params: Params, context: OpenContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(WrongSource {
            lie: self.0,
            inner: sqlite().open(params, context).await?,
            remote: OnceLock::new(),
        }))
    }
}

fn sqlite() -> Arc<dyn Connector> {
    inflowave_bundle::connectors()
        .into_iter()
        .find(|c| c.descriptor().name == "sqlite")
        .unwrap()
}

#[derive(Debug)]
struct WrongSource {
    lie: Lie,
    inner: Arc<dyn Source>,
    /// The same source as the one that runs fragments, known once it has described a table.
    remote: OnceLock<Arc<dyn RemoteSource>>,
}

impl WrongSource {
    fn remote(&self) -> &Arc<dyn RemoteSource> {
        self.remote.get().unwrap()
    }
}

#[async_trait]
impl Source for WrongSource {
    fn descriptor(&self) -> &'static Descriptor {
        self.inner.descriptor()
    }
    fn default_schema(&self) -> &str {
        self.inner.default_schema()
    }
    async fn schemas(&self) -> Result<Vec<String>> {
        self.inner.schemas().await
    }
    async fn tables(&self, schema: &str) -> Result<Vec<String>> {
        self.inner.tables(schema).await
    }
    async fn ping(&self) -> Result<()> {
        self.inner.ping().await
    }
    async fn table(self: Arc<Self>, schema: &str, table: &str) -> Result<Option<Table>> {
        let found = Arc::clone(&self.inner).table(schema, table).await?;
        let Some(Table::Remote(mut remote)) = found else {
            return Ok(found);
        };
        let _ = self.remote.set(Arc::clone(&remote.source));
        if self.lie == Lie::Collation {
            for column in &mut remote.columns {
                if column.collation == Collation::Loose {
                    column.collation = Collation::Binary;
                }
            }
        }
        remote.source = self;
        Ok(Some(Table::Remote(remote)))
    }
}

#[async_trait]
impl RemoteSource for WrongSource {
    fn supports(&self, expr: &Expr, place: Place, scope: &Scope) -> Support {
        self.remote().supports(expr, place, scope)
    }
    fn supports_node(&self, node: &LogicalPlan) -> Support {
        self.remote().supports_node(node)
    }
    fn compile(&self, fragment: &Fragment) -> Result<RemoteQuery> {
        let mut query = self.remote().compile(fragment)?;
        if self.lie == Lie::Nulls {
            query.text = query
                .text
                .replace(" NULLS LAST", "")
                .replace(" NULLS FIRST", "");
        }
        Ok(query)
    }
    async fn execute(&self, query: Arc<RemoteQuery>, context: ScanContext) -> Result<BatchStream> {
        self.remote().execute(query, context).await
    }
}

/// A file whose names are compared without regard to case, and have NULLs among them.
fn people(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, age INTEGER) STRICT;
             CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER, place TEXT) STRICT;",
        )
        .unwrap();
    let names = ["ann", "Ann", "ANN", "bob", "Bob", "eve"];
    for n in 0..60i64 {
        let name = names.get(n as usize % 8).copied();
        let age = (n % 7 != 0).then_some(n % 13);
        connection
            .execute("INSERT INTO people VALUES (?1, ?2, ?3)", (n, name, age))
            .unwrap();
        connection
            .execute(
                "INSERT INTO visits VALUES (?1, ?2, ?3)",
                (n, n % 20, names[n as usize % 6]),
            )
            .unwrap();
    }
}

/// Verifies the people through a connector that lies.
async fn lied_to(lie: Lie) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("people.db");
    people(&path);
    let engine = server::engine_of(Limits::default(), vec![Arc::new(Wrong(lie))]).unwrap();
    let spec = CatalogSpec {
        connector: "sqlite",
        params: vec![("path".to_owned(), path.display().to_string())],
        schema: "main".to_owned(),
    };
    server::open(&engine, "lite", &spec).await.unwrap();
    verified(&engine, 150).await
}

#[test]
fn a_collation_that_is_not_what_it_claims_is_found_and_shrunk() {
    server::run(async {
        let report = lied_to(Lie::Collation).await;
        assert!(!report.findings.is_empty());
        // A plain comparison of the column is what is left of at least one.
        let smallest = report
            .findings
            .iter()
            .min_by_key(|f| f.shrunk.len())
            .unwrap();
        let (query, words) = (&smallest.shrunk, smallest.shrunk.split_whitespace().count());
        assert!(query.contains(".name") && words <= 14, "{words}: {query}");
        assert!(
            query.starts_with("SELECT ") && !query.contains(" JOIN "),
            "{query}"
        );
        let shown = smallest.answers.as_ref().unwrap();
        assert!(shown.difference.contains("rows against") || shown.difference.contains("only "));
        // What was sent is what went wrong: the column as it is.
        let (source, sent) = &smallest.remote[0];
        assert_eq!(source, "lite");
        assert!(
            sent.contains("\"name\"") && !sent.contains("COLLATE"),
            "{sent}"
        );
        // One seed alone shows it again.
        let text = report.shown("inflowave verify --config x");
        let again = format!(
            "again:     inflowave verify --config x --seed {} --queries 1\n",
            smallest.seed
        );
        assert!(text.contains(&again), "{text}");
        assert!(text.contains("set pushdown = \"off\" for lite"), "{text}");
    });
}

#[test]
fn nulls_in_another_place_are_found_and_shrunk() {
    server::run(async {
        let report = lied_to(Lie::Nulls).await;
        let shrunk: Vec<&String> = report.findings.iter().map(|f| &f.shrunk).collect();
        // The place of NULLs changes what a window counts, or which rows a limit keeps.
        let small = shrunk.iter().min_by_key(|s| s.len()).unwrap();
        assert!(
            small.contains("ORDER BY") && small.contains(".age"),
            "{small}"
        );
        assert!(small.split_whitespace().count() <= 20, "{small}");
    });
}

#[test]
fn without_a_lie_the_same_tables_are_clean() {
    server::run(async {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("people.db");
        people(&path);
        let spec = CatalogSpec {
            connector: "sqlite",
            params: vec![("path".to_owned(), path.display().to_string())],
            schema: "main".to_owned(),
        };
        let service = server::service(vec![("lite".to_owned(), spec)])
            .await
            .unwrap();
        assert_clean(&verified(service.as_ref(), 150).await, 150);
    });
}

struct Ran {
    code: Option<i32>,
    out: String,
    errors: String,
}

fn program(dir: &Path, args: &[&str]) -> Ran {
    let output = Command::new(binary())
        .args(["verify", "--config"])
        .arg(dir.join("inflowave.toml"))
        .args(args)
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

fn configured(dir: &Path) {
    std::fs::write(
        dir.join("places.csv"),
        "place,city\nann,Oslo\nBob,Rome\neve,\n",
    )
    .unwrap();
    std::fs::write(
        dir.join("inflowave.toml"),
        "[catalog.lite]\nconnector = 'sqlite'\npath = 'people.db'\n\
         [catalog.lists]\nconnector = 'files'\npath = 'places.csv'\n\
         [catalog.gone]\nconnector = 'postgres'\nurl = 'postgres://u:hunter2@127.0.0.1:1/x'\n",
    )
    .unwrap();
}

#[test]
fn the_program_says_what_it_asked_and_ends_with_0() {
    let dir = tempfile::tempdir().unwrap();
    people(&dir.path().join("people.db"));
    configured(dir.path());
    let ran = program(dir.path(), &["--seed", "7", "--queries", "60"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    assert!(
        ran.out.starts_with(
            "3 tables with 123 rows: lists.files.places (3), lite.main.people (60), lite.main.visits (60)\n"
        ),
        "{}",
        ran.out
    );
    let dead = "left out: catalog gone cannot be read: 08001: ";
    assert!(ran.out.contains(dead), "{}", ran.out);
    assert!(
        ran.out.contains("60 of 60 queries from seed 7 in "),
        "{}",
        ran.out
    );
    assert!(
        ran.out.ends_with("no difference in 60 queries\n"),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("hunter2") && !ran.errors.contains("hunter2"));
    // One seed twice is the same run but for its time.
    let timeless = |out: &str| {
        let lines = out
            .lines()
            .map(|l| l.split(" in ").next().unwrap_or(l).to_owned());
        lines.collect::<Vec<_>>()
    };
    let again = program(dir.path(), &["--seed", "7", "--queries", "60"]);
    assert_eq!(timeless(&ran.out), timeless(&again.out));
}

#[test]
fn over_the_demo_the_program_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Command::new(binary())
        .args(["demo", "--once", "--data-dir"])
        .arg(dir.path())
        .output()
        .unwrap();
    assert!(demo.status.success());
    std::fs::write(
        dir.path().join("inflowave.toml"),
        "[catalog.shop]\nconnector = 'sqlite'\npath = 'shop.db'\n\
         [catalog.files]\nconnector = 'files'\npath = 'files'\n",
    )
    .unwrap();
    let ran = program(dir.path(), &["--seed", "1", "--queries", "60"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    for table in [
        "shop.main.customers",
        "shop.main.invoices",
        "files.files.readings",
    ] {
        assert!(ran.out.contains(table), "{}", ran.out);
    }
    assert!(
        ran.out.contains("60 of 60 queries from seed 1 in "),
        "{}",
        ran.out
    );
    assert!(
        ran.out.ends_with("no difference in 60 queries\n"),
        "{}",
        ran.out
    );
}

#[test]
fn the_program_names_what_is_too_large_and_what_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    people(&dir.path().join("people.db"));
    configured(dir.path());
    let ran = program(
        dir.path(),
        &["--seed", "7", "--queries", "5", "--max-rows", "59"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.errors);
    for table in ["people", "visits"] {
        let line = format!("left out: lite.main.{table} has more than 59 rows (--max-rows)\n");
        assert!(ran.out.contains(&line), "{}", ran.out);
    }
    let ran = program(dir.path(), &["--catalog", "lit"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.errors
            .contains("ERROR:  3D000: catalog \"lit\" does not exist")
            && ran.errors.contains("HINT:  The catalogs are: ")
            && ran.errors.contains("lite"),
        "{}",
        ran.errors
    );
    let ran = program(
        dir.path(),
        &["--table", "main.persons", "--catalog", "lite"],
    );
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.errors
            .contains("ERROR:  42P01: table \"main.persons\" does not exist")
            && ran.errors.contains("lite.main.people"),
        "{}",
        ran.errors
    );
    // What looked at nothing does not say that all is well.
    let ran = program(
        dir.path(),
        &["--catalog", "lite", "--queries", "1", "--time-limit", "0"],
    );
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.errors);
    let ran = program(dir.path(), &["--table", "people", "--max-rows", "3"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.errors.contains("there is no table to ask of"),
        "{}",
        ran.errors
    );
}

/// An index that does not know all rows of its table, as a damaged file has it: what is pushed
/// uses it, what is read whole does not.
fn damaged(path: &Path) {
    people(path);
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch("CREATE INDEX by_person ON visits (person); PRAGMA writable_schema = ON;")
        .unwrap();
    let row: (i64, String) = connection
        .query_row(
            "SELECT rootpage, sql FROM sqlite_schema WHERE name = 'by_person'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    connection
        .execute("DELETE FROM sqlite_schema WHERE name = 'by_person'", [])
        .unwrap();
    drop(connection);
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .execute_batch("INSERT INTO visits SELECT id + 1000, person, place FROM visits;")
        .unwrap();
    connection
        .execute_batch("PRAGMA writable_schema = ON;")
        .unwrap();
    connection
        .execute(
            "INSERT INTO sqlite_schema VALUES ('index', 'by_person', 'visits', ?1, ?2)",
            row,
        )
        .unwrap();
}

#[test]
fn the_program_finds_a_source_s_wrong_answer_shrinks_it_and_ends_with_1() {
    let dir = tempfile::tempdir().unwrap();
    damaged(&dir.path().join("people.db"));
    configured(dir.path());
    let ran = program(
        dir.path(),
        &["--seed", "1", "--queries", "150", "--catalog", "lite"],
    );
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.errors);
    assert!(
        ran.errors
            .contains("ERROR:  XX001: pushdown changed the answer of "),
        "{}",
        ran.errors
    );
    let lines: Vec<&str> = ran.out.lines().collect();
    let at = |start: &str| {
        let found = lines.iter().find_map(|l| l.strip_prefix(start));
        found.unwrap_or_else(|| panic!("no line {start}: {}", ran.out))
    };
    assert_eq!(
        lines[0],
        "DIFFERENCE: pushed and local answers are not the same"
    );
    let shrunk = at("shrunk to: ");
    assert!(shrunk.split_whitespace().count() <= 28, "{shrunk}");
    assert!(
        at("sent:      to lite: ").contains("\"person\""),
        "{}",
        ran.out
    );
    at("pushed:    ");
    at("local:     ");
    // The line that says how to see it again does show it.
    let again: Vec<&str> = at("again:     ").split_whitespace().collect();
    assert_eq!(again[..2], ["inflowave", "verify"]);
    let output = Command::new(binary()).args(&again[1..]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("shrunk to: {shrunk}\n")), "{text}");
    // What it says to do helps: nothing is pushed there any more, and the answers agree.
    at("what now:  ");
    std::fs::write(
        dir.path().join("inflowave.toml"),
        "[catalog.lite]\nconnector = 'sqlite'\npath = 'people.db'\npushdown = 'off'\n",
    )
    .unwrap();
    let ran = program(dir.path(), &["--seed", "1", "--queries", "60"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.errors);
    assert!(ran.out.contains(": pushed 0, columns only "), "{}", ran.out);
}

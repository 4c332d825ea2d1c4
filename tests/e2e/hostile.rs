//! Strings and names that want to be SQL, through every SQL source: the same rows, never SQL.

use inflowave_query_api::{QueryService, Session};
use inflowave_testkit::provision::{
    Fixture, MYSQL_ENV, MySqlCollation, MySqlFixture, POSTGRES_ENV, PostgresFixture, SqliteFixture,
};
use inflowave_testkit::trap::{TrapColumn, TrapTable, TrapType};
use inflowave_testkit::{Seeded, Value, skip};

use crate::server::{self, texts};

/// Pieces from which strings are put together, by hand and by seed.
const PIECES: [&str; 18] = [
    "'", "''", "\\'", "\\\\", "\\", "\"", "\"\"", "`", "``", "--", "/*", "*/", ";", " OR 1=1 ",
    "$1", "?", ":a", "ł",
];

fn strings() -> Vec<String> {
    let mut strings: Vec<String> = PIECES.iter().map(|p| (*p).to_owned()).collect();
    strings.extend(
        [
            "\\' OR 1=1 --",
            "a''b",
            "'); DROP TABLE t; --",
            "x' UNION SELECT 1 --",
            "%",
            "_",
            "$$",
            "E'\\x27'",
            "{}",
            "%s",
            "\u{feff}",
            "a\nb",
            "\t",
        ]
        .map(str::to_owned),
    );
    let mut seeded = Seeded::new(42);
    for _ in 0..60 {
        let length = 2 + seeded.below(5);
        strings.push((0..length).map(|_| seeded.pick(&PIECES)).collect());
    }
    strings.sort();
    strings.dedup();
    strings
}

fn table(strings: &[String]) -> TrapTable {
    let column = |name: &str, ty| TrapColumn {
        name: name.to_owned(),
        ty,
    };
    TrapTable {
        name: "t'); DROP TABLE \"x\"; -- `\\".to_owned(),
        columns: vec![
            column("id", TrapType::Int32),
            column("s'; -- \"q\" `b` \\", TrapType::Text),
        ],
        rows: strings
            .iter()
            .enumerate()
            .map(|(n, s)| {
                vec![
                    Value::Int(i64::try_from(n).unwrap()),
                    Value::text(s.as_str()),
                ]
            })
            .collect(),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Each string finds its own row, pushed and local, as a value and as a name of an output column.
async fn check(fixture: &mut dyn Fixture) {
    let strings = strings();
    let table = table(&strings);
    fixture
        .provision(std::slice::from_ref(&table))
        .await
        .unwrap();
    let spec = fixture.catalog();
    let name = format!("src.{}.{}", quoted(&spec.schema), quoted(&table.name));
    let column = quoted(&table.columns[1].name);
    let service = server::service(vec![("src".to_owned(), spec)])
        .await
        .unwrap();
    let mut session = server::session(service.as_ref(), "src").await;
    let mut pushed = 0;
    for (id, string) in strings.iter().enumerate() {
        let literal = string.replace('\'', "''");
        let sql = format!("select id, {column} from {name} where {column} = '{literal}'");
        let expected = vec![vec![Some(id.to_string()), Some(string.clone())]];
        for pushdown in ["on", "off"] {
            let set = format!("set inflowave.pushdown = {pushdown}");
            texts(session.as_mut(), &set).await.unwrap();
            let rows = texts(session.as_mut(), &sql).await.unwrap();
            assert_eq!(rows, expected, "{pushdown}: {sql}");
        }
        pushed += usize::from(filtered(session.as_mut(), &sql).await);
        let alias = quoted(string);
        let sql =
            format!("select max(id) as {alias} from {name} group by id having max(id) = {id}");
        let rows = texts(session.as_mut(), &sql).await.unwrap();
        assert_eq!(rows, [[Some(id.to_string())]], "{sql}");
    }
    assert_eq!(pushed, strings.len(), "every comparison reaches the source");
    assert!(service_goes_on(service.as_ref(), &name, strings.len()).await);
}

async fn filtered(session: &mut dyn Session, sql: &str) -> bool {
    texts(session, "set inflowave.pushdown = on").await.unwrap();
    let rows = texts(session, &format!("explain (federation) {sql}"))
        .await
        .unwrap();
    rows[0][1].as_deref().unwrap_or_default().contains("WHERE")
}

async fn service_goes_on(service: &dyn QueryService, name: &str, rows: usize) -> bool {
    let mut session = server::session(service, "src").await;
    let counted = texts(session.as_mut(), &format!("select count(*) from {name}"))
        .await
        .unwrap();
    counted == [[Some(rows.to_string())]]
}

#[test]
fn sqlite_takes_no_text_for_sql() {
    server::run(async {
        check(&mut SqliteFixture::new().unwrap()).await;
    });
}

#[test]
fn postgres_takes_no_text_for_sql() {
    server::run(async {
        let Some(mut fixture) = PostgresFixture::from_env(POSTGRES_ENV).await.unwrap() else {
            skip!("postgres", "INFLOWAVE_TEST_POSTGRES is not set");
        };
        check(&mut fixture).await;
    });
}

#[test]
fn mysql_takes_no_text_for_sql() {
    server::run(async {
        let Some(mut fixture) = MySqlFixture::from_env(MySqlCollation::default())
            .await
            .unwrap()
        else {
            skip!("mysql", format!("{MYSQL_ENV} is not set").as_str());
        };
        check(&mut fixture).await;
    });
}

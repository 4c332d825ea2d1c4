//! Names and values come back equal, whatever they hold, from a real SQLite.

use datafusion_common::{Column, ScalarValue};
use datafusion_expr::{Expr, LogicalPlanBuilder, lit};
use inflowave_connector_api::{Collation, Fragment};
use proptest::prelude::*;
use rusqlite::Connection;

use super::fixture::{TEXT, column, scan};
use crate::binder::Binder;
use crate::pattern::{self, PatternPart};
use crate::{Dialect, MySql, Postgres, Sqlite, compile, compile_inline};

const PARTS: &[&str] = &[
    "'", "''", "\\'", "\\\\", "\\", "\"", "\"\"", "`", "--", "/*", "*/", ";", "$1", "?", "?1", "%",
    "_", "\n", "\t", " ", "ą", "🦀", "x", "OR 1=1", ")", "E'", "\u{1}", "\u{7f}",
];

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(PARTS), 0..8).prop_map(|p| p.concat()),
        "[^\\x00]{0,12}",
    ]
}

fn connection() -> &'static Connection {
    thread_local! {
        static CONNECTION: &'static Connection =
            Box::leak(Box::new(Connection::open_in_memory().unwrap()));
    }
    CONNECTION.with(|c| *c)
}

/// The value printed inline and bound, read back.
fn round_trip(text: &str) -> [String; 2] {
    let d = Sqlite::default();
    let mut binder = Binder::default();
    let mark = binder.bind(&ScalarValue::from(text)).unwrap();
    let select = format!("SELECT {mark}");
    let connection = connection();
    let inline = binder.finish_inline(&d, &select).unwrap();
    let inline = connection.query_row(&inline, [], |r| r.get(0)).unwrap();
    let (sql, params) = binder.finish(&d, &select).unwrap();
    let params: Vec<String> = params
        .iter()
        .map(|p| crate::value::text_of(p).unwrap().to_owned())
        .collect();
    let bound = connection
        .query_row(&sql, rusqlite::params_from_iter(params), |r| r.get(0))
        .unwrap();
    [inline, bound]
}

/// The text of a standard or escape string literal of PostgreSQL, or of MySQL's forms, read by the
/// rules of their manuals under both settings of each session.
fn read_back(sql: &str, backslash_escapes: bool) -> Option<String> {
    if let Some(hex) = sql.strip_prefix("CONVERT(X'") {
        let hex = hex.strip_suffix("' USING utf8mb4)")?;
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect();
        return String::from_utf8(bytes).ok();
    }
    let (body, escapes) = match sql.strip_prefix('E') {
        Some(body) => (body, true),
        None => (sql, backslash_escapes),
    };
    let body = body.strip_prefix('\'')?.strip_suffix('\'')?;
    let mut out = String::new();
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => out.push(chars.next().filter(|c| *c == '\'')?),
            '\\' if escapes => out.push(chars.next().filter(|c| *c == '\\')?),
            c => out.push(c),
        }
    }
    Some(out)
}

/// LIKE by its definition.
fn matches(text: &[char], parts: &[PatternPart]) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((PatternPart::Any, rest)) => (0..=text.len()).any(|n| matches(&text[n..], rest)),
        Some((PatternPart::One, rest)) => !text.is_empty() && matches(&text[1..], rest),
        Some((PatternPart::Char(c), rest)) => text.first() == Some(c) && matches(&text[1..], rest),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        rng_seed: proptest::test_runner::RngSeed::Fixed(55),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn values_come_back_from_sqlite(text in hostile()) {
        prop_assert_eq!(round_trip(&text), [text.clone(), text]);
    }

    #[test]
    fn a_query_over_hostile_names_and_values_finds_its_row(
        table in hostile(),
        name in hostile(),
        value in hostile(),
    ) {
        prop_assume!(!table.is_empty() && !name.is_empty() && !table.starts_with("sqlite_"));
        let d = Sqlite::default();
        let (t, c) = (d.quote_ident(&table).unwrap(), d.quote_ident(&name).unwrap());
        let connection = connection();
        connection.execute_batch(&format!("CREATE TABLE main.{t} ({c} TEXT)")).unwrap();
        connection
            .execute(&format!("INSERT INTO main.{t} VALUES (?1), ('other')"), [&value])
            .unwrap();
        let column = column(&name, TEXT, "TEXT", Collation::Binary);
        let plan = scan(&table, vec![column])
            .filter(Expr::Column(Column::from_name(&name)).eq(lit(value.as_str())))
            .and_then(LogicalPlanBuilder::build)
            .unwrap();
        let fragment = Fragment::new(plan).unwrap();
        let bound = compile(&d, &fragment).unwrap();
        prop_assert_eq!(&bound.params, &[ScalarValue::from(value.as_str())]);
        let rows: Vec<String> = connection
            .prepare(&bound.text)
            .and_then(|mut s| s.query_map([&value], |r| r.get(0))?.collect())
            .unwrap();
        let inline = compile_inline(&d, &fragment).unwrap();
        prop_assert!(inline.params.is_empty());
        let inline: Vec<String> = connection
            .prepare(&inline.text)
            .and_then(|mut s| s.query_map([], |r| r.get(0))?.collect())
            .unwrap();
        connection.execute_batch(&format!("DROP TABLE main.{t}")).unwrap();
        let wanted = match value.as_str() {
            "other" => vec![value.clone(), value],
            _ => vec![value],
        };
        prop_assert_eq!(&rows, &wanted);
        prop_assert_eq!(&inline, &wanted);
    }

    #[test]
    fn glob_matches_what_like_does_here(text in "[a%_*?^!ąA\\\\\\[\\]-]{0,8}", like in "[a%_*?^!ąA\\[\\]-]{0,8}") {
        let parts = pattern::parse(&like).unwrap();
        let sql = "SELECT ?1 GLOB ?2";
        let found: bool = connection()
            .query_row(sql, [&text, &pattern::glob(&parts)], |r| r.get(0))
            .unwrap();
        let text: Vec<char> = text.chars().collect();
        prop_assert_eq!(found, matches(&text, &parts));
    }

    #[test]
    fn literals_mean_the_same_under_every_setting(text in hostile()) {
        for d in [&Postgres::default() as &dyn Dialect, &MySql::default()] {
            let sql = d.quote_text(&text).unwrap();
            for escapes in [false, true] {
                prop_assert_eq!(read_back(&sql, escapes), Some(text.clone()), "{}", sql);
            }
        }
    }

    #[test]
    fn names_come_back_from_sqlite(name in hostile()) {
        prop_assume!(!name.is_empty());
        let d = Sqlite::default();
        let quoted = d.quote_ident(&name).unwrap();
        let connection = connection();
        connection
            .execute_batch(&format!("CREATE TEMP TABLE {quoted} ({quoted} TEXT); INSERT INTO {quoted} VALUES ('v')"))
            .unwrap();
        let mut statement = connection.prepare(&format!("SELECT t0.{quoted} FROM {quoted} AS t0")).unwrap();
        prop_assert_eq!(statement.column_names(), [name.as_str()]);
        let value: String = statement.query_row([], |r| r.get(0)).unwrap();
        prop_assert_eq!(value, "v");
        drop(statement);
        connection.execute_batch(&format!("DROP TABLE {quoted}")).unwrap();
    }
}

#[test]
fn nul_is_refused() {
    assert!(Binder::default().bind(&ScalarValue::from("a\0b")).is_err());
    for d in [
        &Postgres::default() as &dyn Dialect,
        &MySql::default(),
        &Sqlite::default(),
    ] {
        let error = d.quote_text("a\0b").unwrap_err();
        assert_eq!(error.sqlstate().code(), "22021");
        assert!(d.quote_ident("a\0b").is_err());
    }
}

#[test]
fn names_are_doubled() {
    assert_eq!(
        Postgres::default().quote_ident("a\"b").unwrap(),
        "\"a\"\"b\""
    );
    assert_eq!(MySql::default().quote_ident("a`b\"").unwrap(), "`a``b\"`");
}

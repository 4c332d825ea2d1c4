//! Names and values come back equal, whatever they hold, from a real SQLite.

use datafusion_common::ScalarValue;
use proptest::prelude::*;
use rusqlite::Connection;

use crate::binder::Binder;
use crate::{Dialect, MySql, Postgres, Sqlite};

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

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        rng_seed: proptest::test_runner::RngSeed::Fixed(55),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn values_come_back_from_sqlite(text in hostile()) {
        prop_assert_eq!(round_trip(&text), [text.clone(), text]);
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
    for d in [&Postgres::default() as &dyn Dialect, &MySql::default(), &Sqlite::default()] {
        let error = d.quote_text("a\0b").unwrap_err();
        assert_eq!(error.sqlstate().code(), "22021");
        assert!(d.quote_ident("a\0b").is_err());
    }
}

#[test]
fn names_are_doubled() {
    assert_eq!(Postgres::default().quote_ident("a\"b").unwrap(), "\"a\"\"b\"");
    assert_eq!(MySql::default().quote_ident("a`b\"").unwrap(), "`a``b\"`");
}

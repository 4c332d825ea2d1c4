//! A fuzz target for a bounded time in every run: any text is taken apart into statements of it, or
//! refused with an error that PostgreSQL has. For longer: `cargo bolero test -p inflowave-engine
//! fuzz::NAME`.

use std::time::Duration;

use bolero::check;
use inflowave_types::SqlState;

use crate::statement::{Bounds, Kind, kind, split};

const TIME: Duration = Duration::from_secs(6);
const BOUNDS: Bounds = Bounds {
    bytes_max: 4096,
    depth_max: 50,
};

/// What statements are made of.
const PIECES: &[&str] = &[
    "select",
    "from",
    "where",
    "group by",
    "order by",
    "limit",
    "with",
    "recursive",
    "as",
    "(",
    ")",
    ",",
    ";",
    "*",
    "+",
    "-",
    "::",
    ".",
    "=",
    "<>",
    "~",
    "||",
    "->>",
    "[",
    "]",
    ":",
    "$1",
    "$0",
    "$99999999999",
    "1",
    "1e400",
    "0x1F",
    "1_000",
    "'a'",
    "'",
    "E'\\",
    "U&'\\00e9'",
    "$$",
    "$a$",
    "\"",
    "\"q\"",
    "a",
    "b.c",
    "interval",
    "array",
    "row",
    "case",
    "when",
    "end",
    "cast",
    "any",
    "exists",
    "not",
    "null",
    "is",
    "in",
    "between",
    "like",
    "escape",
    "similar to",
    "at time zone",
    "collate",
    "operator(pg_catalog.+)",
    "over",
    "partition by",
    "filter",
    "lateral",
    "values",
    "union all",
    "except",
    "distinct on",
    "grouping sets",
    "fetch",
    "first",
    "for update",
    "into",
    "only",
    "tablesample",
    "explain",
    "analyze",
    "verbose",
    "prepare",
    "execute",
    "deallocate",
    "declare",
    "cursor",
    "scroll",
    "hold",
    "move",
    "forward",
    "backward",
    "all",
    "close",
    "copy",
    "to stdout",
    "csv",
    "binary",
    "set",
    "local",
    "session",
    "transaction",
    "reset",
    "show",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "release",
    "isolation level",
    "discard",
    "lock table",
    "listen",
    "unlisten",
    "create",
    "or replace",
    "view",
    "catalog",
    "drop",
    "alter",
    "refresh",
    "comment on",
    "if exists",
    "cascade",
    "grant",
    "revoke",
    "role",
    "insert",
    "update",
    "delete",
    "merge",
    "--",
    "/*",
    "*/",
    "\n",
    "\t",
    "\u{0}",
    "\u{feff}",
    "łąka",
    "🦀",
    "\\",
    "?",
    "@",
    "#",
    "%",
    "^",
    "!",
    "&",
    "|",
    "{",
    "}",
];

fn taken_apart(sql: &str) {
    match split(sql, BOUNDS, &[]) {
        Ok(statements) => {
            for statement in statements {
                let rest: String = sql.chars().skip(statement.offset as usize).collect();
                assert!(rest.starts_with(&statement.sql), "{sql:?}");
                let kind = kind(&statement).unwrap();
                if let Kind::Query(query) = kind {
                    let _ = inflowave_pg_semantics::prepare(&mut query.as_ref().clone());
                }
            }
        }
        Err(error) => {
            assert_ne!(
                error.sqlstate(),
                SqlState::InternalError,
                "{sql:?}: {error:?}"
            );
            let characters = sql.chars().count();
            let position = error.position().unwrap_or(1) as usize;
            assert!(
                (1..=characters + 1).contains(&position),
                "{sql:?}: {error:?}"
            );
        }
    }
}

/// What stands first in most statements of [`PIECES`] that are not queries.
const BEGINNINGS: &[&str] = &[
    "",
    "",
    "select 1",
    "prepare a",
    "prepare a (int) as",
    "execute a",
    "declare a",
    "declare a cursor for",
    "fetch",
    "copy a",
    "copy (select 1) to stdout",
    "copy a to stdout (",
    "set a",
    "set local a =",
    "set session",
    "show",
    "reset",
    "begin",
    "start transaction",
    "savepoint a",
    "rollback to",
    "release",
    "lock table a",
    "explain",
    "explain (",
    "discard",
    "deallocate",
    "close",
    "listen",
    "unlisten",
    "create view a",
    "create or replace view a as",
    "create catalog a",
    "create catalog a using",
    "alter catalog a",
    "drop catalog",
    "drop view",
    "refresh catalog",
    "comment on column a.b",
    "comment on table a is",
    "table a",
    "with a as (",
    "values (",
];

/// Half of all words are of these.
const COMMON: &[&str] = &[
    "(", ")", ",", "as", "a", "1", "'a'", "=", ".", "for", "to", "*",
];

#[test]
fn any_words_are_statements_or_refused() {
    check!()
        .with_test_time(TIME)
        .with_type::<(u8, Vec<(u8, bool, bool)>)>()
        .for_each(|(beginning, words)| {
            let mut sql = BEGINNINGS[usize::from(*beginning) % BEGINNINGS.len()].to_owned();
            sql.push(' ');
            for (word, common, close) in words {
                let of = if *common { COMMON } else { PIECES };
                sql.push_str(of[usize::from(*word) % of.len()]);
                sql.push_str(if *close { "" } else { " " });
            }
            taken_apart(&sql);
        });
}

#[test]
fn any_bytes_are_statements_or_refused() {
    check!()
        .with_test_time(TIME / 2)
        .for_each(|bytes: &[u8]| taken_apart(&String::from_utf8_lossy(bytes)));
}

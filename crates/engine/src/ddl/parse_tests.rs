//! Our grammar: what it takes, and where it says that something is wrong.

use super::*;
use crate::statement::{self, Bounds, Kind};

const BOUNDS: Bounds = Bounds {
    bytes_max: 1 << 20,
    depth_max: 100,
};

fn parsed(sql: &str) -> Statement {
    let mut all = statement::split(sql, BOUNDS, &[]).unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    match statement::kind(&all.remove(0)).unwrap() {
        Kind::Ddl(statement) => statement.as_ref().clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

fn wrong(sql: &str) -> (&'static str, Option<u32>, String) {
    let error = statement::split(sql, BOUNDS, &[])
        .map(|_| ())
        .expect_err(sql);
    (
        error.sqlstate().code(),
        error.position(),
        error.message().to_owned(),
    )
}

#[test]
fn catalogs_are_read() {
    let Statement::CreateCatalog {
        name,
        if_not_exists,
        connector,
        options,
    } = parsed(
        "create catalog if not exists \"My CRM\" using postgres with (URL = 'it''s', pool_size_max = 3, x = true)",
    )
    else {
        panic!("no catalog");
    };
    assert_eq!((name.as_str(), if_not_exists), ("My CRM", true));
    assert_eq!(connector, "postgres");
    let got: Vec<_> = options
        .iter()
        .map(|o| (o.key.as_str(), o.value.reveal(), o.position))
        .collect();
    assert_eq!(
        got,
        [
            ("url", "it's", Some(60)),
            ("pool_size_max", "3", Some(75)),
            ("x", "true", Some(94)),
        ]
    );
    assert!(matches!(
        parsed("ALTER CATALOG a RENAME TO b"),
        Statement::RenameCatalog { name, to } if name == "a" && to == "b"
    ));
    assert!(matches!(
        parsed("drop catalog if exists a cascade"),
        Statement::DropCatalog {
            if_exists: true,
            behavior: Behavior::Cascade,
            ..
        }
    ));
    assert!(
        matches!(parsed("refresh catalog A"), Statement::RefreshCatalog { name } if name == "a")
    );
}

#[test]
fn views_and_comments_are_read() {
    let Statement::CreateView {
        name,
        columns,
        text,
        or_replace,
        ..
    } = parsed("create or replace view inflowave.public.v (a, \"B\") as  select 1, ';' -- x\n ;")
    else {
        panic!("no view");
    };
    assert_eq!((name.as_str(), or_replace), ("v", true));
    assert_eq!(columns, ["a", "B"]);
    assert_eq!(text, "select 1, ';'");
    assert!(matches!(
        parsed("drop view public.v restrict"),
        Statement::DropView { name, behavior: Behavior::Restrict, .. } if name == "v"
    ));
    assert!(matches!(
        parsed("comment on column a.b.c.d is 'x'"),
        Statement::Comment { object: Object::Column, path, text: Some(_) } if path.len() == 4
    ));
    assert!(matches!(
        parsed("comment on catalog a is null"),
        Statement::Comment {
            object: Object::Catalog,
            text: None,
            ..
        }
    ));
}

#[test]
fn errors_have_their_place_and_repeat_no_text() {
    assert_eq!(wrong("create catalog a with (x = 1)").1, Some(18));
    assert_eq!(wrong("create catalog a using b with (x 1)").1, Some(34));
    assert_eq!(
        wrong("create catalog a using b with (x = 1, x = 2)").1,
        Some(39)
    );
    assert_eq!(wrong("select 1; create catalog a using b x").1, Some(36));
    assert_eq!(wrong("alter catalog a drop x").1, Some(17));
    assert_eq!(wrong("create view a.b as select 1").1, Some(13));
    assert_eq!(
        wrong("create view v as insert into t values (1)").0,
        "25006"
    );
    assert_eq!(wrong("create view v as select 1 +").0, "42601");
    assert_eq!(wrong("create view v as").0, "42601");
    assert_eq!(wrong("comment on index a is 'x'").1, Some(12));
    assert_eq!(wrong("comment on column a is 'x'").0, "42601");
    let long = "x".repeat(64);
    assert_eq!(wrong(&format!("create catalog {long} using b")).0, "42622");
    for sql in [
        "create catalog a using b with (password 'hunter2')",
        "create catalog a using b 'hunter2'",
        "create catalog a using b with (password = = 'hunter2')",
        "alter catalog a set (password) 'hunter2'",
        "create catalog a using b with (password = 'x') 'hunter2'",
    ] {
        let (code, position, message) = wrong(sql);
        assert_eq!(code, "42601", "{sql}");
        assert!(position.is_some(), "{sql}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn what_is_not_ours_stays_as_it_was() {
    assert_eq!(wrong("create table t (a int)").0, "25006");
    assert_eq!(wrong("drop table t").0, "25006");
    assert_eq!(wrong("create temp view v as select 1").0, "0A000");
}

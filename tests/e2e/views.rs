//! Views and comments: planned as a subquery, kept with their text, checked against their sources.

use std::path::Path;

use inflowave_config::Limits;
use inflowave_engine::Engine;
use inflowave_query_api::Session;

use crate::server::{self, error, lines};

/// A server over a SQLite file and a CSV file, without belief in old columns.
async fn started(dir: &Path) -> (Engine, Box<dyn Session>) {
    let limits = Limits {
        metadata_ttl_s: 0,
        ..Limits::default()
    };
    let engine = server::keeping(dir, limits, &[]).await;
    let session = server::session(&engine, "inflowave").await;
    (engine, session)
}

fn write(dir: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(dir.join("shop.db")).unwrap();
    connection.execute_batch(sql).unwrap();
}

async fn provisioned(dir: &Path) -> (Engine, Box<dyn Session>) {
    write(
        dir,
        "CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, name TEXT, price INTEGER) STRICT;
         INSERT INTO item VALUES (1, 'bolt', 7), (2, 'nut', 2), (3, 'Nail', NULL)",
    );
    std::fs::create_dir_all(dir.join("lake")).unwrap();
    std::fs::write(dir.join("lake/sales.csv"), "item,n\n1,10\n1,5\n2,4\n").unwrap();
    let (engine, mut s) = started(dir).await;
    let shop = "create catalog shop using sqlite with (path = 'shop.db')";
    lines(s.as_mut(), shop).await;
    let lake = "create catalog lake using files with (path = 'lake')";
    lines(s.as_mut(), lake).await;
    (engine, s)
}

#[test]
fn a_view_answers_as_its_query_does_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let query = "select i.name, sum(s.n) as n, sum(s.n) / 2 as half, count(*), 1 / 3.0 \
                 from shop.main.item i join lake.files.sales s on s.item = i.id group by i.name";
    let view = "select * from inflowave.public.sold order by name";
    let wanted = server::run(async {
        let (engine, mut s) = provisioned(dir.path()).await;
        let s = s.as_mut();
        let wanted = lines(s, &format!("select * from ({query}) q order by name")).await;
        lines(s, &format!("create view sold (article, total) as {query}")).await;
        let twice = error(s, "create view sold as select 1").await;
        assert_eq!(twice.sqlstate().code(), "42P07");
        lines(s, "create view if not exists sold as select 1").await;
        lines(s, &format!("create or replace view sold as {query}")).await;
        assert_eq!(lines(s, view).await, wanted);
        // Its own name is that of the relation, as with any table.
        assert_eq!(
            lines(s, "select sold.name, x.n from sold join public.sold x using (name) where x.half > 2 order by 1").await,
            ["bolt|15"]
        );
        assert_eq!(lines(s, "show tables").await, ["sold"]);
        // The digits of a numeric are tested elsewhere.
        let columns = lines(s, "show columns from sold").await;
        let kinds: Vec<_> = columns
            .iter()
            .map(|c| c.split('(').next().unwrap())
            .collect();
        assert_eq!(
            kinds,
            [
                "name|text|YES",
                "n|numeric",
                "half|numeric",
                "count|bigint|YES",
                "?column?|numeric"
            ]
        );
        drop(engine);
        wanted
    });
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        assert_eq!(lines(s.as_mut(), view).await, wanted);
        // In another catalog its name is not known without its own.
        let mut other = server::session(&_engine, "shop").await;
        assert_eq!(lines(other.as_mut(), view).await, wanted);
        let e = error(other.as_mut(), "select * from sold").await;
        assert_eq!(e.sqlstate().code(), "42P01");
        assert_eq!(e.hint(), Some("There is a view inflowave.public.sold."));
    });
}

#[test]
fn names_in_a_view_mean_what_they_meant_where_it_was_made() {
    let dir = tempfile::tempdir().unwrap();
    server::run(async {
        let (engine, _s) = provisioned(dir.path()).await;
        let mut shop = server::session(&engine, "shop").await;
        let create = "create view cheap as select id, name from item where price < 5";
        lines(shop.as_mut(), create).await;
        let mut lake = server::session(&engine, "lake").await;
        let rows = lines(lake.as_mut(), "select * from inflowave.public.cheap").await;
        assert_eq!(rows, ["2|nut"]);
        // Its filter is pushed into the source, and so is one from outside.
        let plan = lines(
            lake.as_mut(),
            "explain (federation) select name from inflowave.public.cheap where id > 1",
        )
        .await;
        assert_eq!(plan.len(), 1, "{plan:?}");
        assert!(
            plan[0].contains("\"price\" < ") && plan[0].contains("\"id\" > "),
            "{plan:?}"
        );
    });
}

#[test]
fn views_stand_on_views_and_on_catalogs() {
    let dir = tempfile::tempdir().unwrap();
    server::run(async {
        let (_engine, mut s) = provisioned(dir.path()).await;
        let s = s.as_mut();
        lines(s, "create view a as select id, price from shop.main.item").await;
        lines(s, "create view b as select id, price * 2 as twice from a").await;
        lines(s, "create view c as select sum(twice) as n from b").await;
        lines(s, "create view apart as select 1 as x").await;
        assert_eq!(lines(s, "select * from c").await, ["18"]);
        for (sql, views) in [
            ("drop view a", "public.b, inflowave.public.c"),
            ("drop view b", "public.c"),
            (
                "drop catalog shop",
                "public.a, inflowave.public.b, inflowave.public.c",
            ),
            ("alter catalog shop rename to x", "public.a"),
        ] {
            let e = error(s, sql).await;
            assert_eq!(e.sqlstate().code(), "2BP01", "{sql}: {e:?}");
            assert!(e.detail().unwrap().contains(views), "{sql}: {e:?}");
        }
        let e = error(
            s,
            "create or replace view a as select n as id, n as price from c",
        )
        .await;
        assert_eq!(e.sqlstate().code(), "42P17", "{e:?}");
        let e = error(s, "create or replace view a as select id from a").await;
        assert_eq!(e.sqlstate().code(), "42P17", "{e:?}");
        let e = error(
            s,
            "create or replace view a as select id from shop.main.item",
        )
        .await;
        assert_eq!(e.sqlstate().code(), "42P16", "{e:?}");
        lines(s, "create or replace view a as select 1 as new, price, id from shop.main.item where id < 3").await;
        assert_eq!(lines(s, "select * from c").await, ["18"]);
        lines(s, "drop view b cascade").await;
        assert_eq!(lines(s, "show tables").await, ["a", "apart"]);
        lines(s, "drop catalog shop cascade").await;
        assert_eq!(lines(s, "show tables").await, ["apart"]);
        assert_eq!(error(s, "drop view a").await.sqlstate().code(), "42P01");
        lines(s, "drop view if exists a").await;
    });
}

#[test]
fn a_view_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    server::run(async {
        let (_engine, mut s) = provisioned(dir.path()).await;
        let s = s.as_mut();
        for (sql, code) in [
            (
                "create view v as select nosuch from shop.main.item",
                "42703",
            ),
            ("create view v as select * from shop.main.nosuch", "42P01"),
            ("create view v as select 1 as a, 2 as a", "42701"),
            ("create view v (a, b) as select 1", "42601"),
            ("create view v as select $1 as a", "42P02"),
            ("create view v (a, a) as select 1 as x, 2 as y", "42701"),
            (
                "create view v (a, b, c, d, e, f) as select * from shop.main.item x, shop.main.item y",
                "42701",
            ),
            ("create view shop.main.v as select 1", "42601"),
            ("drop view nosuch", "42P01"),
        ] {
            let e = error(s, sql).await;
            assert_eq!(e.sqlstate().code(), code, "{sql}: {e:?}");
        }
        assert!(lines(s, "show tables").await.is_empty());
        // Names of its own make two columns of one name into two.
        lines(
            s,
            "create view two (a, b) as select 1, 2 union all select 3, 4",
        )
        .await;
        assert_eq!(
            lines(s, "select b, a from two order by a").await,
            ["2|1", "4|3"]
        );
        lines(s, "create or replace view two as select null as a").await;
        assert_eq!(lines(s, "show columns from two").await, ["a|text|YES"]);
        lines(s, "drop view two").await;
        // Each reads the one before twice: the plans multiply.
        lines(s, "create view v0 as select 1 as x").await;
        let mut last = None;
        for n in 1..40 {
            let before = n - 1;
            let sql = format!(
                "create view v{n} as select a.x from v{before} a join v{before} b on a.x = b.x"
            );
            if let Err(e) = server::texts(s, &sql).await {
                last = Some(e);
                break;
            }
        }
        assert_eq!(last.unwrap().sqlstate().code(), "54001");
    });
}

#[test]
fn a_source_that_changed_is_an_error_and_never_another_answer() {
    let dir = tempfile::tempdir().unwrap();
    server::run(async {
        let (_engine, mut s) = provisioned(dir.path()).await;
        let s = s.as_mut();
        lines(
            s,
            "create view prices as select id, price from shop.main.item",
        )
        .await;
        lines(s, "create view names as select name from shop.main.item").await;
        lines(s, "create view everything as select * from shop.main.item").await;
        lines(s, "create view both as select * from shop.main.item union all select * from shop.main.item").await;
        // A column more is none of their business, but where a star means all of them.
        write(dir.path(), "ALTER TABLE item ADD COLUMN note TEXT");
        assert_eq!(lines(s, "select count(*) from prices").await, ["3"]);
        assert_eq!(
            lines(s, "select * from everything where id = 1").await,
            ["1|bolt|7"]
        );
        let e = error(s, "select * from both").await;
        assert_eq!(e.sqlstate().code(), "42P16", "{e:?}");
        assert!(e.message().contains("\"note\""), "{e:?}");
        // The same columns in another order: found by their names.
        write(
            dir.path(),
            "DROP TABLE item; CREATE TABLE item (price INTEGER, id INTEGER NOT NULL PRIMARY KEY, name TEXT) STRICT;
             INSERT INTO item VALUES (7, 1, 'bolt')",
        );
        assert_eq!(lines(s, "select * from everything").await, ["1|bolt|7"]);
        let e = error(s, "select * from both").await;
        assert!(e.message().contains("another order"), "{e:?}");
        // Another type.
        write(
            dir.path(),
            "DROP TABLE item; CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, name TEXT, price TEXT) STRICT;
             INSERT INTO item VALUES (1, 'bolt', '7')",
        );
        let e = error(s, "select * from prices").await;
        assert_eq!(e.sqlstate().code(), "42P16", "{e:?}");
        let message = e.message();
        for part in [
            "view \"prices\"",
            "\"price\"",
            "shop.main.item",
            "bigint",
            "text",
        ] {
            assert!(message.contains(part), "{message}");
        }
        assert!(e.hint().unwrap().contains("CREATE OR REPLACE VIEW"));
        assert!(e.position().is_none());
        assert_eq!(lines(s, "select * from names").await, ["bolt"]);
        // A column less.
        write(dir.path(), "ALTER TABLE item DROP COLUMN price");
        let e = error(s, "select * from prices").await;
        assert_eq!(e.sqlstate().code(), "42P16", "{e:?}");
        assert!(e.message().contains("no longer there"), "{e:?}");
        // Made again, it fits again.
        lines(
            s,
            "create or replace view prices as select id, 0 as price from shop.main.item",
        )
        .await;
        assert_eq!(lines(s, "select * from prices").await, ["1|0"]);
    });
}

#[test]
fn comments_are_kept_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let all = "select object_type, catalog, schema, relation, column_name, comment \
               from system.runtime.comments order by 1, 2, 3, 4, 5";
    server::run(async {
        let (_engine, mut s) = provisioned(dir.path()).await;
        let s = s.as_mut();
        lines(s, "create view v as select 1 as one").await;
        lines(s, "comment on catalog shop is 'the ''old'' shop'").await;
        lines(s, "comment on table shop.main.item is 'what is sold'").await;
        lines(s, "comment on column shop.main.item.price is 'in cents'").await;
        lines(s, "comment on view v is 'one'").await;
        lines(s, "comment on column inflowave.public.v.one is 'gone soon'").await;
        lines(s, "comment on column inflowave.public.v.one is null").await;
        for (sql, code) in [
            ("comment on catalog nosuch is 'x'", "3D000"),
            ("comment on table shop.main.nosuch is 'x'", "42P01"),
            ("comment on column shop.main.item.nosuch is 'x'", "42703"),
            ("comment on view shop.main.item is 'x'", "42809"),
            ("comment on table inflowave.public.v is 'x'", "42809"),
        ] {
            let e = error(s, sql).await;
            assert_eq!(e.sqlstate().code(), code, "{sql}: {e:?}");
        }
    });
    server::run(async {
        let (_engine, mut s) = started(dir.path()).await;
        let s = s.as_mut();
        assert_eq!(
            lines(s, all).await,
            [
                "catalog|shop|-|-|-|the 'old' shop",
                "column|shop|main|item|price|in cents",
                "table|shop|main|item|-|what is sold",
                "view|inflowave|public|v|-|one",
            ]
        );
        lines(s, "alter catalog shop rename to store").await;
        assert_eq!(lines(s, all).await[0], "catalog|store|-|-|-|the 'old' shop");
        lines(s, "drop catalog store").await;
        lines(s, "drop view v").await;
        assert!(lines(s, all).await.is_empty());
    });
}

/// A view is where it is said to be, or there is none.
#[test]
fn a_view_is_not_made_in_another_schema_than_it_is_said() {
    server::run(async {
        let dir = tempfile::tempdir().unwrap();
        let shop = dir.path().join("shop.db");
        drop(rusqlite::Connection::open(&shop).unwrap());
        let spec = inflowave_testkit::provision::CatalogSpec {
            connector: "sqlite",
            params: vec![("path".to_owned(), shop.display().to_string())],
            schema: "main".to_owned(),
        };
        let engine = server::keeping(dir.path(), Limits::default(), &[("shop", spec)]).await;
        let mut session = server::session(&engine, "shop").await;
        for sql in ["create view public.v as select 1 a", "drop view public.v"] {
            let error = error(session.as_mut(), sql).await;
            assert_eq!(error.sqlstate().code(), "0A000", "{error:?}");
        }
        let mut own = server::session(&engine, "inflowave").await;
        let own = own.as_mut();
        server::texts(own, "create view public.v as select 1 a")
            .await
            .unwrap();
        assert_eq!(lines(own, "select a from public.v").await, ["1"]);
        server::texts(own, "drop view public.v").await.unwrap();
    });
}

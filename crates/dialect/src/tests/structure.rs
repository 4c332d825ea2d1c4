//! How nodes of a plan become clauses, shown in PostgreSQL's dialect.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use datafusion_expr::col;
use expect_test::{Expect, expect};
use inflowave_connector_api::{Collation, Place, Scope, Support};

use super::fixture::{Fixture, TEXT, column, not_null};
use crate::{MySql, Postgres, Sqlite, supports};

fn fixture() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(tables);
    &FIXTURE
}

fn tables() -> Fixture {
    let table = || {
        vec![
            not_null(column("id", DataType::Int64, "bigint", Collation::NotText)),
            column("n", DataType::Int32, "integer", Collation::NotText),
            column("name", TEXT, "text", Collation::Binary),
        ]
    };
    Fixture::new(&[("a", table()), ("b", table()), ("c", table())])
}

fn check(sql: &str, expected: Expect) {
    expected.assert_eq(&fixture().show(&Postgres::default(), sql));
}

#[test]
fn columns_filter_and_limit() {
    check(
        "SELECT name, id FROM a WHERE n > 5 AND name = 'x' OFFSET 3 LIMIT 7",
        expect![[r#"
        SELECT t0."name" AS "name", t0."id" AS "id" FROM "s"."a" AS t0 WHERE ((t0."n" > 5) AND (t0."name" = $1::text)) LIMIT 7 OFFSET 3
        1: x
    "#]],
    );
    check(
        "SELECT count(*) FROM a",
        expect![[r#"
        SELECT COUNT(*) AS "c0" FROM "s"."a" AS t0
    "#]],
    );
    check(
        "SELECT 1 AS one, n, n AS again, 'x''y' AS t FROM a",
        expect![[r#"
        SELECT 1::bigint AS "one", t0."n" AS "n", t0."n" AS "again", $1::text AS "t" FROM "s"."a" AS t0
        1: x'y
    "#]],
    );
    check(
        "SELECT * FROM (SELECT * FROM a ORDER BY n LIMIT 5) WHERE id > 1",
        expect![[r#"
        SELECT t1."id" AS "id", t1."n" AS "n", t1."name" AS "name" FROM (SELECT t0."id" AS "id", t0."n" AS "n", t0."name" AS "name", t0."n" AS "order 0" FROM "s"."a" AS t0 ORDER BY t0."n" ASC NULLS LAST LIMIT 5) AS t1 WHERE (t1."id" > 1::bigint) ORDER BY t1."order 0" ASC NULLS LAST
    "#]],
    );
    check(
        "SELECT id FROM (SELECT * FROM a ORDER BY n LIMIT 10) OFFSET 2 LIMIT 3",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."a" AS t0 ORDER BY t0."n" ASC NULLS LAST LIMIT 3 OFFSET 2
    "#]],
    );
}

#[test]
fn aggregates() {
    check(
        "SELECT n, count(*), count(name), count(DISTINCT id), max(id), sum(id) FILTER (WHERE n > 0) FROM a GROUP BY n",
        expect![[r#"
        SELECT t0."n" AS "n", COUNT(*) AS "c1", COUNT(t0."name") AS "c2", COUNT(DISTINCT t0."id") AS "c3", MAX(t0."id") AS "c4", SUM(t0."id") FILTER (WHERE (t0."n" > 0)) AS "c5" FROM "s"."a" AS t0 GROUP BY t0."n"
    "#]],
    );
    check(
        "SELECT count(*) AS c FROM a GROUP BY n HAVING count(*) > 1 ORDER BY c DESC LIMIT 3",
        expect![[r#"
        SELECT t1."c0" AS "c" FROM (SELECT COUNT(*) AS "c0" FROM "s"."a" AS t0 GROUP BY t0."n") AS t1 WHERE (t1."c0" > 1::bigint) ORDER BY t1."c0" DESC NULLS FIRST LIMIT 3
    "#]],
    );
    check(
        "SELECT DISTINCT name FROM a",
        expect![[r#"
        SELECT t0."name" AS "name" FROM "s"."a" AS t0 GROUP BY t0."name"
    "#]],
    );
    check(
        "SELECT 1 AS one FROM (SELECT max(n) AS m FROM a) WHERE m > 0",
        expect![[r#"
        SELECT 1::bigint AS "one" FROM (SELECT MAX(t0."n") AS "c0" FROM "s"."a" AS t0) AS t1 WHERE (t1."c0" > 0)
    "#]],
    );
    check(
        "SELECT avg(n) FROM a",
        expect![[r#"
        NO avg(a.n): the digits of avg are not ours at the source
    "#]],
    );
    check(
        "SELECT CASE WHEN n > 1 THEN 'x' ELSE name END AS k, min(name) FROM a GROUP BY 1",
        expect![[r#"
        SELECT ((CASE WHEN (t0."n" > 1) THEN $1::text ELSE t0."name" END) COLLATE "C") AS "k", MIN(t0."name") AS "c1" FROM "s"."a" AS t0 GROUP BY ((CASE WHEN (t0."n" > 1) THEN $1::text ELSE t0."name" END) COLLATE "C")
        1: x
    "#]],
    );
}

#[test]
fn joins() {
    check(
        "SELECT a.name, b.name FROM a JOIN b ON a.id = b.id AND a.n < b.n WHERE b.n > 2",
        expect![[r#"
        SELECT t0."name" AS "name", t1."name" AS "c1" FROM "s"."a" AS t0 JOIN "s"."b" AS t1 ON ((t0."id" = t1."id") AND (t0."n" < t1."n")) WHERE (t1."n" > 2)
    "#]],
    );
    check(
        "SELECT a.name, x.name FROM a LEFT JOIN (SELECT * FROM b WHERE n = 1) x ON a.id = x.id WHERE a.n = 2",
        expect![[r#"
        SELECT t0."name" AS "name", t1."name" AS "c1" FROM "s"."a" AS t0 LEFT JOIN "s"."b" AS t1 ON ((t0."id" = t1."id") AND (t1."n" = 1)) WHERE (t0."n" = 2)
    "#]],
    );
    check(
        "SELECT a.id, x.k FROM a LEFT JOIN (SELECT id, 7 AS k FROM b) x ON a.id = x.id",
        expect![[r#"
        SELECT t0."id" AS "id", t2."k" AS "k" FROM "s"."a" AS t0 LEFT JOIN (SELECT t1."id" AS "id", 7::bigint AS "k" FROM "s"."b" AS t1) AS t2 ON (t0."id" = t2."id")
    "#]],
    );
    check(
        "SELECT a.id, b.id, c.id FROM a LEFT JOIN (b JOIN c ON b.id = c.id) ON a.id = b.id",
        expect![[r#"
        SELECT t0."id" AS "id", t1."id" AS "c1", t2."id" AS "c2" FROM "s"."a" AS t0 LEFT JOIN ("s"."b" AS t1 JOIN "s"."c" AS t2 ON (t1."id" = t2."id")) ON (t0."id" = t1."id")
    "#]],
    );
    check(
        "SELECT a.id, x.id FROM a FULL JOIN (SELECT * FROM b WHERE n = 1) x ON a.id = x.id",
        expect![[r#"
        SELECT t0."id" AS "id", t2."id" AS "c1" FROM "s"."a" AS t0 FULL JOIN (SELECT t1."id" AS "id" FROM "s"."b" AS t1 WHERE (t1."n" = 1)) AS t2 ON (t0."id" = t2."id")
    "#]],
    );
    check(
        "SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.n > a.n)",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."a" AS t0 WHERE EXISTS (SELECT 1 FROM "s"."b" AS t1 WHERE ((t0."id" = t1."id") AND (t1."n" > t0."n")))
    "#]],
    );
    check(
        "SELECT id FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.id = a.id AND b.n = 3)",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."a" AS t0 WHERE (NOT EXISTS (SELECT 1 FROM "s"."b" AS t1 WHERE ((t1."n" = 3) AND (t0."id" = t1."id"))))
    "#]],
    );
    check(
        "SELECT id FROM a WHERE n IN (SELECT n FROM b GROUP BY n HAVING count(*) > 1)",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."a" AS t0 WHERE EXISTS (SELECT 1 FROM (SELECT t1."n" AS "n", COUNT(*) AS "c1" FROM "s"."b" AS t1 GROUP BY t1."n") AS t2 WHERE ((t2."c1" > 1::bigint) AND (t0."n" = t2."n")))
    "#]],
    );
    check(
        "SELECT id FROM a WHERE n NOT IN (SELECT n FROM b)",
        expect![[r#"
        NO LeftAnti Join: NOT IN over a subquery that can give NULL is computed here
    "#]],
    );
    check(
        "SELECT id FROM a INTERSECT SELECT id FROM b",
        expect![[r#"
        SELECT t1."id" AS "id" FROM (SELECT t0."id" AS "id" FROM "s"."a" AS t0 GROUP BY t0."id") AS t1 WHERE EXISTS (SELECT 1 FROM "s"."b" AS t2 WHERE (t1."id" = t2."id"))
    "#]],
    );
    check(
        "SELECT n FROM a EXCEPT SELECT n FROM b",
        expect![[r#"
        NO LeftAnti Join: PostgreSQL joins by IS NOT DISTINCT FROM without an index or a hash table
    "#]],
    );
}

#[test]
fn unions_and_windows() {
    check(
        "SELECT id, name FROM a UNION ALL (SELECT id, 'x' FROM b ORDER BY n LIMIT 2)",
        expect![[r#"
        SELECT t3."id" AS "id", t3."name" AS "name" FROM (SELECT t0."id" AS "id", t0."name" AS "name" FROM "s"."a" AS t0 UNION ALL SELECT t2."id" AS "id", t2."name" AS "name" FROM (SELECT t1."id" AS "id", $1::text AS "name" FROM "s"."b" AS t1 ORDER BY t1."n" ASC NULLS LAST LIMIT 2) AS t2) AS t3
        1: x
    "#]],
    );
    check(
        "SELECT max(id) FROM (SELECT id FROM a UNION ALL SELECT id FROM b)",
        expect![[r#"
        SELECT MAX(t2."id") AS "c0" FROM (SELECT t0."id" AS "id" FROM "s"."a" AS t0 UNION ALL SELECT t1."id" AS "id" FROM "s"."b" AS t1) AS t2
    "#]],
    );
    check(
        "SELECT id, row_number() OVER (PARTITION BY n ORDER BY id DESC), sum(id) OVER (ORDER BY id) FROM a",
        expect![[r#"
        SELECT t1."id" AS "id", ROW_NUMBER() OVER (PARTITION BY t1."n" ORDER BY t1."id" DESC NULLS FIRST) AS "c1", t1."c2" AS "c2" FROM (SELECT t0."id" AS "id", t0."n" AS "n", SUM(t0."id") OVER (ORDER BY t0."id" ASC NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS "c2" FROM "s"."a" AS t0) AS t1
    "#]],
    );
    check(
        "SELECT * FROM (SELECT id, rank() OVER (ORDER BY n) r FROM a) WHERE r < 3",
        expect![[r#"
        SELECT t1."id" AS "id", t1."c1" AS "r" FROM (SELECT t0."id" AS "id", RANK() OVER (ORDER BY t0."n" ASC NULLS LAST) AS "c1" FROM "s"."a" AS t0) AS t1 WHERE (t1."c1" < 3::bigint)
    "#]],
    );
}

#[test]
fn null_order_and_limits_of_the_others() {
    let sql = "SELECT id FROM a ORDER BY n, id DESC OFFSET 2";
    let f = fixture();
    expect![[r#"
        SELECT t0.`id` AS `id` FROM `s`.`a` AS t0 ORDER BY (t0.`n` IS NULL) ASC, t0.`n` ASC, t0.`id` DESC LIMIT 18446744073709551615 OFFSET 2
    "#]].assert_eq(&f.show(&MySql::default(), sql));
    expect![[r#"
        NO a.n: a column of the type Int32 is computed here
    "#]]
    .assert_eq(&f.show(&Sqlite::default(), sql));
    let sql = "SELECT id FROM a ORDER BY n DESC NULLS LAST LIMIT 2";
    expect![[r#"
        SELECT t0.`id` AS `id` FROM `s`.`a` AS t0 ORDER BY t0.`n` DESC LIMIT 2
    "#]]
    .assert_eq(&f.show(&MySql::default(), sql));
}

#[test]
fn a_long_chain_is_a_balanced_tree_and_a_deep_expression_is_refused() {
    let chain = vec!["n = 1"; 5000].join(" OR n <> 2 AND ");
    let body = move || {
        let f = fixture();
        let shown = f.show(
            &Sqlite::default(),
            &format!("SELECT id FROM a WHERE {chain}"),
        );
        let depth = shown.chars().fold((0i32, 0i32), |(now, max), c| match c {
            '(' => (now + 1, max.max(now + 1)),
            ')' => (now - 1, max),
            _ => (now, max),
        });
        assert!(depth.1 < 10, "{depth:?}");
        let mut deep = col("n");
        for _ in 0..300 {
            deep = deep.is_null().is_true();
        }
        let scope = Scope::of(&f.plan("SELECT n FROM a"));
        assert_eq!(
            supports(&Postgres::default(), &deep, Place::Filter, &scope),
            Support::no("an expression nested deeper than 200 levels is computed here")
        );
    };
    let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(body);
    thread.unwrap().join().unwrap();
}

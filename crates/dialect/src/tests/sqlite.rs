//! What SQLite is asked, and what it is not.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use expect_test::{Expect, expect};
use inflowave_connector_api::Collation;
use inflowave_types::PgType;

use super::fixture::{Fixture, TEXT, TIMESTAMP, column, not_null, of_pg_type, untyped};
use crate::Sqlite;

fn fixture() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(tables);
    &FIXTURE
}

fn tables() -> Fixture {
    use Collation::{Binary, Deterministic, Loose, NotText, Unknown};
    let columns = vec![
        not_null(column("id", DataType::Int64, "INTEGER", NotText)),
        untyped(column("n", DataType::Int64, "INT", NotText)),
        untyped(column("r", DataType::Float64, "REAL", NotText)),
        untyped(column(
            "d",
            DataType::Decimal128(10, 2),
            "DECIMAL(10,2)",
            NotText,
        )),
        untyped(column("b", DataType::Boolean, "BOOLEAN", NotText)),
        column("strict", TEXT, "TEXT", Binary),
        untyped(column("txt", TEXT, "TEXT", Binary)),
        untyped(column("nocase", TEXT, "TEXT", Loose)),
        untyped(of_pg_type(
            column("ch", TEXT, "CHAR(5)", Unknown),
            PgType::Bpchar(Some(5)),
        )),
        untyped(column("u16", TEXT, "TEXT", Deterministic)),
        untyped(column("day", DataType::Date32, "DATE", NotText)),
        untyped(column("at", TIMESTAMP, "DATETIME", NotText)),
    ];
    Fixture::new(&[("t", columns.clone()), ("v", columns)])
}

fn check(sql: &str, expected: Expect) {
    expected.assert_eq(&fixture().show(&Sqlite::default(), sql));
}

#[test]
fn columns_are_checked_where_they_are_computed_with() {
    check(
        "SELECT n, r, d, b, txt FROM t WHERE id = 5 AND n > 3 AND r < 1.5 AND b",
        expect![[r#"
        NO t.id = 5 AND t.n > 3 AND t.r < 1.500000000000000 AND t.b: a cast from Float64 to Decimal128(30, 15) is computed here
    "#]],
    );
    check(
        "SELECT id FROM t WHERE strict = 'x' AND txt >= 'y' AND nocase = 'z' AND nocase IN ('a', 'b', 'c', 'd') AND ch = 'q'",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."t" AS t0 WHERE ((t0."strict" = ?1) AND ((inflowave_text(t0."txt", 's.t.txt') COLLATE BINARY) >= ?2) AND ((inflowave_text(t0."nocase", 's.t.nocase') COLLATE BINARY) = ?3) AND ((inflowave_text(t0."nocase", 's.t.nocase') COLLATE BINARY) IN (?4, ?5, ?6, ?7)) AND ((rtrim(inflowave_text(t0."ch", 's.t.ch'), ' ') COLLATE BINARY) = ?8))
        1: x
        2: y
        3: z
        4: a
        5: b
        6: c
        7: d
        8: q
    "#]],
    );
    check(
        "SELECT id FROM t WHERE u16 = 'x' AND u16 < 'y'",
        expect![[r#"
        NO t.u16 = x AND t.u16 < y: a SQLite database in UTF-16 orders texts otherwise
    "#]],
    );
    check(
        "SELECT id FROM t WHERE d IS NULL AND n IS NOT NULL",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."t" AS t0 WHERE ((t0."d" IS NULL) AND (inflowave_int(t0."n", 's.t.n') IS NOT NULL))
    "#]],
    );
    check(
        "SELECT id FROM t WHERE d > 5",
        expect![[r#"
        NO t.d > 5.00: SQLite computes decimals as floats
    "#]],
    );
    check(
        "SELECT id FROM t WHERE day >= DATE '1995-01-01' AND at < TIMESTAMP '1995-01-01 10:00:00'",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."t" AS t0 WHERE ((inflowave_date(t0."day", 's.t.day') >= '1995-01-01') AND (inflowave_timestamp(t0."at", 's.t.at') < '1995-01-01 10:00:00.000000'))
    "#]],
    );
    check(
        "SELECT nocase, n, count(*), max(day), min(txt) FROM t GROUP BY nocase, n",
        expect![[r#"
        SELECT (inflowave_text(t0."nocase", 's.t.nocase') COLLATE BINARY) AS "nocase", inflowave_int(t0."n", 's.t.n') AS "n", COUNT(*) AS "c2", MAX(inflowave_date(t0."day", 's.t.day')) AS "c3", MIN((inflowave_text(t0."txt", 's.t.txt') COLLATE BINARY)) AS "c4" FROM "s"."t" AS t0 GROUP BY (inflowave_text(t0."nocase", 's.t.nocase') COLLATE BINARY), inflowave_int(t0."n", 's.t.n')
    "#]],
    );
    check(
        "SELECT id, day FROM t ORDER BY nocase DESC, day LIMIT 3",
        expect![[r#"
        SELECT t0."id" AS "id", t0."day" AS "day" FROM "s"."t" AS t0 ORDER BY (inflowave_text(t0."nocase", 's.t.nocase') COLLATE BINARY) DESC NULLS FIRST, inflowave_date(t0."day", 's.t.day') ASC NULLS LAST LIMIT 3
    "#]],
    );
    check(
        "SELECT t.id FROM t JOIN v ON t.nocase = v.txt AND t.day = v.day",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."t" AS t0 JOIN "s"."v" AS t1 ON (((inflowave_text(t0."nocase", 's.t.nocase') COLLATE BINARY) = (inflowave_text(t1."txt", 's.v.txt') COLLATE BINARY)) AND (inflowave_date(t0."day", 's.t.day') = inflowave_date(t1."day", 's.v.day')))
    "#]],
    );
    check(
        "SELECT n, d FROM t UNION ALL SELECT n, d FROM v",
        expect![[r#"
        NO Union: in a union, d: SQLite computes decimals as floats
    "#]],
    );
}

#[test]
fn arithmetic_and_functions() {
    check(
        "SELECT n / 3, n % 5, n / id, n + 1, sum(n) OVER () FROM t",
        expect![[r#"
        NO t.n / t.id: a division by zero is NULL in SQLite: it needs a constant divisor above 0
        NO t.n + 1: unchecked arithmetic over integers is computed here
        NO sum(t.n) ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING: a sum of SQLite fails where it leaves 64 bits, ours does not
    "#]],
    );
    check(
        "SELECT extract(year FROM day), CAST(day AS TIMESTAMP(6)), substr(txt, 2), coalesce(txt, 'x') FROM t",
        expect![[r#"
        SELECT CAST(substr(inflowave_date(t0."day", 's.t.day'), 1, 4) AS INTEGER) AS "c0", (inflowave_date(t0."day", 's.t.day') || ' 00:00:00.000000') AS "c1", substr(inflowave_text(t0."txt", 's.t.txt'), 2) AS "c2", (CASE WHEN (inflowave_text(t0."txt", 's.t.txt') IS NOT NULL) THEN inflowave_text(t0."txt", 's.t.txt') ELSE ?1 END) AS "c3" FROM "s"."t" AS t0
        1: x
    "#]],
    );
    check(
        "SELECT substr(strict, 2, 1), strict || 'x' FROM t",
        expect![[r#"
            SELECT substr(inflowave_text(t0."strict", 's.t.strict'), 2, 1) AS "c0", (t0."strict" || ?1) AS "c1" FROM "s"."t" AS t0
            1: x
        "#]],
    );
    check(
        "SELECT id FROM t WHERE txt LIKE 'a%b_c*[d' AND strict LIKE '%x'",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."t" AS t0 WHERE ((inflowave_text(t0."txt", 's.t.txt') GLOB ?1) AND (inflowave_text(t0."strict", 's.t.strict') GLOB ?2))
        1: a*b?c[*][[]d
        2: *x
    "#]],
    );
}

#[test]
fn whole_decimals_are_integers() {
    check(
        "SELECT id FROM t WHERE CAST(n AS DECIMAL(30, 2)) = 7.00",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."t" AS t0 WHERE (inflowave_int(t0."n", 's.t.n') = 7)
    "#]],
    );
    check(
        "SELECT id FROM t WHERE CAST(n AS DECIMAL(30, 2)) > 5.5",
        expect![[r#"
        NO t.n > 5.50: SQLite computes decimals as floats
    "#]],
    );
    check(
        "SELECT sum(CAST(n AS DECIMAL(30, 2))) FROM t",
        expect![[r#"
        NO sum(t.n): a sum of SQLite fails where it leaves 64 bits, ours does not
    "#]],
    );
    check(
        "SELECT id FROM t WHERE CAST(n AS DOUBLE) > r",
        expect![[r#"
        SELECT t0."id" AS "id" FROM "s"."t" AS t0 WHERE (CAST(inflowave_int(t0."n", 's.t.n') AS REAL) > inflowave_real(t0."r", 's.t.r'))
    "#]],
    );
}

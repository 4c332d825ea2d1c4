//! What MySQL and MariaDB are asked, and what they are not.

use std::sync::LazyLock;

use arrow::datatypes::DataType;
use expect_test::{Expect, expect};
use inflowave_connector_api::Collation;

use super::fixture::{Fixture, TEXT, TIMESTAMP, column, not_null};
use crate::MySql;

fn fixture() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(tables);
    &FIXTURE
}

fn tables() -> Fixture {
    use Collation::{Binary, Loose, NotText, Unknown};
    let columns = vec![
        not_null(column("i", DataType::Int32, "int(11)", NotText)),
        column("l", DataType::Int64, "bigint(20)", NotText),
        column(
            "big",
            DataType::Decimal128(20, 0),
            "bigint(20) unsigned",
            NotText,
        ),
        column("y", DataType::Int16, "year(4)", NotText),
        column("d", DataType::Decimal128(15, 2), "decimal(15,2)", NotText),
        column(
            "wide",
            DataType::Decimal256(60, 20),
            "decimal(60,20)",
            NotText,
        ),
        column("f", DataType::Float64, "double", NotText),
        column("b", DataType::Boolean, "tinyint(1)", NotText),
        column("ci", TEXT, "varchar(25) collate utf8mb4_general_ci", Loose),
        column(
            "latin",
            TEXT,
            "varchar(25) collate latin1_swedish_ci",
            Unknown,
        ),
        column("bin", TEXT, "varchar(25) collate utf8mb4_nopad_bin", Binary),
        column("long", TEXT, "longtext collate utf8mb4_general_ci", Loose),
        column("bits", TEXT, "bit(8)", Unknown),
        column("day", DataType::Date32, "date", NotText),
        column("at", TIMESTAMP, "datetime(6)", NotText),
    ];
    Fixture::new(&[("t", columns.clone()), ("v", columns)])
}

fn check(sql: &str, expected: Expect) {
    let d = MySql {
        is_mariadb: true,
        ..MySql::default()
    };
    expected.assert_eq(&fixture().show(&d, sql));
}

#[test]
fn text_is_compared_as_bytes() {
    check(
        "SELECT i FROM t WHERE ci = 'x' AND ci <> 'y' AND ci > 'z'",
        expect![[r#"
        SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE (((t0.`ci` = ?) AND (CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY) = CAST(? AS BINARY))) AND (CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY) > CAST(? AS BINARY)))
        1: x
        2: x
        3: z
    "#]],
    );
    check(
        "SELECT i FROM t WHERE ci IN ('a', 'b', 'c', 'd') AND latin = 'ą' AND latin <> 'a' AND bin = 'x'",
        expect![[r#"
        SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE (((t0.`ci` IN (?, ?, ?, ?)) AND (CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY) IN (CAST(? AS BINARY), CAST(? AS BINARY), CAST(? AS BINARY), CAST(? AS BINARY)))) AND (CAST(CONVERT(t0.`latin` USING utf8mb4) AS BINARY) = CAST(? AS BINARY)) AND (CAST(CONVERT(t0.`latin` USING utf8mb4) AS BINARY) <> CAST(? AS BINARY)) AND (t0.`bin` = ?))
        1: a
        2: b
        3: c
        4: d
        5: a
        6: b
        7: c
        8: d
        9: ą
        10: a
        11: x
    "#]],
    );
    check(
        "SELECT t.i FROM t JOIN v ON t.ci = v.ci AND t.bin = v.latin",
        expect![[r#"
        SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 JOIN `s`.`v` AS t1 ON (((t0.`ci` = t1.`ci`) AND (CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY) = CAST(CONVERT(t1.`ci` USING utf8mb4) AS BINARY))) AND (CAST(CONVERT(t0.`bin` USING utf8mb4) AS BINARY) = CAST(CONVERT(t1.`latin` USING utf8mb4) AS BINARY)))
    "#]],
    );
    check(
        "SELECT ci, bin, count(*) FROM t GROUP BY ci, bin",
        expect![[r#"
        SELECT MIN(t0.`ci`) AS `ci`, t0.`bin` AS `bin`, COUNT(*) AS `c2` FROM `s`.`t` AS t0 GROUP BY CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY), t0.`bin`
    "#]],
    );
    check(
        "SELECT DISTINCT long FROM t",
        expect![[r#"
        NO t.long: MariaDB sorts and groups texts by their first 1024 bytes only (max_sort_length)
    "#]],
    );
    check(
        "SELECT i FROM t ORDER BY ci, long LIMIT 2",
        expect![[r#"
        NO t.long: MariaDB sorts and groups texts by their first 1024 bytes only (max_sort_length)
    "#]],
    );
    check(
        "SELECT min(ci), count(DISTINCT ci) FROM t",
        expect![[r#"
        SELECT CONVERT(MIN(CAST(CONVERT(t1.`alias2` USING utf8mb4) AS BINARY)) USING utf8mb4) AS `c0`, COUNT(t1.`alias1`) AS `c1` FROM (SELECT MIN(t0.`ci`) AS `alias1`, CONVERT(MIN(CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY)) USING utf8mb4) AS `alias2` FROM `s`.`t` AS t0 GROUP BY CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY)) AS t1
    "#]],
    );
    check(
        "SELECT i FROM t WHERE ci LIKE 'a_%' AND bits = '1'",
        expect![[r#"
        NO t.bits = 1 AND t.ci LIKE a_%: a column of the type bit is text here and something else in MariaDB
    "#]],
    );
    check(
        "SELECT coalesce(ci, latin), ci || 'x', substr(ci, 1, 2) FROM t",
        expect![[r#"
        SELECT (CASE WHEN (t0.`ci` IS NOT NULL) THEN (CONVERT(t0.`ci` USING utf8mb4) COLLATE utf8mb4_bin) ELSE (CONVERT(t0.`latin` USING utf8mb4) COLLATE utf8mb4_bin) END) AS `c0`, CONCAT((CONVERT(t0.`ci` USING utf8mb4) COLLATE utf8mb4_bin), (CONVERT(? USING utf8mb4) COLLATE utf8mb4_bin)) AS `c1`, SUBSTRING(CONVERT(t0.`ci` USING utf8mb4), 1, 2) AS `c2` FROM `s`.`t` AS t0
        1: x
    "#]],
    );
    check(
        "SELECT ci, i FROM t UNION ALL SELECT latin, i FROM v",
        expect![[r#"
        SELECT t2.`ci` AS `ci`, t2.`i` AS `i` FROM (SELECT (CONVERT(t0.`ci` USING utf8mb4) COLLATE utf8mb4_bin) AS `ci`, t0.`i` AS `i` FROM `s`.`t` AS t0 UNION ALL SELECT (CONVERT(t1.`latin` USING utf8mb4) COLLATE utf8mb4_bin) AS `ci`, t1.`i` AS `i` FROM `s`.`v` AS t1) AS t2
    "#]],
    );
}

#[test]
fn mariadb_keeps_no_answer_of_a_subquery_by_a_text() {
    check(
        "SELECT i FROM t WHERE EXISTS (SELECT 1 FROM v WHERE v.ci = t.ci)",
        expect![[r#"
            SET STATEMENT optimizer_switch='subquery_cache=off' FOR SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE EXISTS (SELECT 1 FROM `s`.`v` AS t1 WHERE ((t0.`ci` = t1.`ci`) AND (CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY) = CAST(CONVERT(t1.`ci` USING utf8mb4) AS BINARY))))
        "#]],
    );
    check(
        "SELECT i FROM t WHERE NOT EXISTS (SELECT 1 FROM v WHERE v.i = t.i AND v.bin < t.ci)",
        expect![[r#"
            SET STATEMENT optimizer_switch='subquery_cache=off' FOR SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE (NOT EXISTS (SELECT 1 FROM `s`.`v` AS t1 WHERE ((t0.`i` = t1.`i`) AND (CAST(CONVERT(t1.`bin` USING utf8mb4) AS BINARY) < CAST(CONVERT(t0.`ci` USING utf8mb4) AS BINARY)))))
        "#]],
    );
    check(
        "SELECT i FROM t WHERE NOT EXISTS (SELECT 1 FROM v WHERE v.l = t.l AND v.ci = 'x')",
        expect![[r#"
            SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE (NOT EXISTS (SELECT 1 FROM `s`.`v` AS t1 WHERE (((t1.`ci` = ?) AND (CAST(CONVERT(t1.`ci` USING utf8mb4) AS BINARY) = CAST(? AS BINARY))) AND (t0.`l` = t1.`l`))))
            1: x
            2: x
        "#]],
    );
    let sql = "SELECT i FROM t WHERE NOT EXISTS (SELECT 1 FROM v WHERE v.bin = t.bin)";
    let shown = fixture().show(&MySql::default(), sql);
    expect![[r#"
        SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE (NOT EXISTS (SELECT 1 FROM `s`.`v` AS t1 WHERE ((t0.`bin` = t1.`bin`) AND (CAST(CONVERT(t0.`bin` USING utf8mb4) AS BINARY) = CAST(CONVERT(t1.`bin` USING utf8mb4) AS BINARY)))))
    "#]].assert_eq(&shown);
}

#[test]
fn numbers() {
    check(
        "SELECT i FROM t WHERE l = -5 AND big = 7 AND y = 5 AND d > 1.5 AND f < CAST(-2.5 AS DOUBLE) AND b",
        expect![[r#"
        SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE ((t0.`l` = (-5)) AND (t0.`big` = 7) AND ((t0.`y` + 0) = 5) AND (t0.`d` > 1.50) AND (t0.`f` < (-2.5e0)) AND (t0.`b` <> 0))
    "#]],
    );
    check(
        "SELECT d * d - d, wide * wide, d * (1 - d) * (1 + d) FROM t",
        expect![[r#"
        NO t.wide * t.wide: a decimal of 120 digits with 40 behind the point is more than MariaDB has
    "#]],
    );
    check(
        "SELECT i / 3, i / l, i % 0, i + 1, d / 2 FROM t",
        expect![[r#"
        NO t.i / t.l: a division by zero is NULL in MariaDB: it needs a constant divisor above 0
        NO t.i % 0: a division by zero is NULL in MariaDB: it needs a constant divisor above 0
        NO t.i + 1: unchecked arithmetic over integers is computed here
        NO t.d / Int64(2): the digits of a quotient of decimals are not ours at the source
    "#]],
    );
    check(
        "SELECT b, sum(i) AS si, sum(l) AS sl, sum(d) AS sd, sum(i) FILTER (WHERE b) AS sf, count(*) FILTER (WHERE b) AS cf FROM t GROUP BY b",
        expect![[r#"
        SELECT MIN((t0.`b` <> 0)) AS `b`, CAST(SUM(t0.`i`) AS SIGNED) AS `si`, SUM(t0.`l`) AS `sl`, SUM(t0.`d`) AS `sd`, CAST(SUM(CASE WHEN (t0.`b` <> 0) THEN t0.`i` END) AS SIGNED) AS `sf`, COUNT(CASE WHEN (t0.`b` <> 0) THEN 1 END) AS `cf` FROM `s`.`t` AS t0 GROUP BY (t0.`b` <> 0)
    "#]],
    );
    check(
        "SELECT sum(wide) FROM t",
        expect![[r#"
        NO sum(t.wide): a sum of more than 65 digits is cut by MariaDB
    "#]],
    );
    check(
        "SELECT i FROM t WHERE f = 'NaN'::double",
        expect![[r#"
        NO t.f = NaN: MariaDB has no NaN and no infinity
    "#]],
    );
}

#[test]
fn a_null_has_a_type() {
    check(
        "SELECT DISTINCT CAST(NULL AS BIGINT) AS n, CAST(NULL AS TIMESTAMP(6)) AS ts FROM t",
        expect![[r#"
            SELECT MIN(t1.`key 0`) AS `n`, MIN(t1.`key 1`) AS `ts` FROM (SELECT CAST(NULL AS SIGNED) AS `n`, CAST(NULL AS DATETIME(6)) AS `ts`, CAST(NULL AS SIGNED) AS `key 0`, CAST(NULL AS DATETIME(6)) AS `key 1` FROM `s`.`t` AS t0) AS t1 GROUP BY t1.`key 0`, t1.`key 1`
        "#]],
    );
    check(
        "SELECT sum(CAST(NULL AS DECIMAL(16, 4))) AS d FROM t",
        expect![[r#"
            SELECT SUM(CAST(NULL AS DECIMAL(16, 4))) AS `d` FROM `s`.`t` AS t0
        "#]],
    );
}

#[test]
fn times_and_structure() {
    check(
        "SELECT i FROM t WHERE day < DATE '1995-01-01' AND at >= TIMESTAMP '1995-01-01 00:00:00'",
        expect![[r#"
        SELECT t0.`i` AS `i` FROM `s`.`t` AS t0 WHERE ((t0.`day` < DATE '1995-01-01') AND (t0.`at` >= TIMESTAMP '1995-01-01 00:00:00.000000'))
    "#]],
    );
    check(
        "SELECT extract(year FROM day) AS y, count(*) FROM t GROUP BY 1",
        expect![[r#"
        SELECT MIN(EXTRACT(YEAR FROM t0.`day`)) AS `y`, COUNT(*) AS `c1` FROM `s`.`t` AS t0 GROUP BY EXTRACT(YEAR FROM t0.`day`)
    "#]],
    );
    check(
        "SELECT t.i FROM t FULL JOIN v ON t.i = v.i",
        expect![[r#"
        NO Full Join: MariaDB has no full join
    "#]],
    );
    check(
        "SELECT l FROM t INTERSECT SELECT l FROM v",
        expect![[r#"
        SELECT t1.`l` AS `l` FROM (SELECT t0.`l` AS `l` FROM `s`.`t` AS t0 GROUP BY t0.`l`) AS t1 WHERE EXISTS (SELECT 1 FROM `s`.`v` AS t2 WHERE (t1.`l` <=> t2.`l`))
    "#]],
    );
}

#[test]
fn incomplete_dates_that_are_null_here_are_compared_here() {
    let d = MySql {
        zero_dates_null: true,
        ..MySql::default()
    };
    let shown = fixture().show(&d, "SELECT i FROM t WHERE day < DATE '1995-01-01'");
    assert_eq!(
        shown,
        "NO t.day < 1995-01-01: dates that are not complete are read as NULL: compared here\n"
    );
}

//! What PostgreSQL is asked, and what it is not.

use std::sync::LazyLock;

use arrow::datatypes::{DataType, TimeUnit};
use expect_test::{Expect, expect};
use inflowave_connector_api::Collation;
use inflowave_types::PgType;

use super::fixture::{Fixture, TEXT, TIMESTAMP, column, of_pg_type};
use crate::Postgres;

fn fixture() -> &'static Fixture {
    static FIXTURE: LazyLock<Fixture> = LazyLock::new(tables);
    &FIXTURE
}

fn tables() -> Fixture {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    use Collation::{Binary, Deterministic, Loose, NotText, Unknown};
    let columns = vec![
        column("i2", DataType::Int16, "smallint", NotText),
        column("i", DataType::Int32, "integer", NotText),
        column("l", DataType::Int64, "bigint", NotText),
        column("oid", DataType::Int64, "oid", NotText),
        column("d", DataType::Decimal128(15, 2), "numeric(15,2)", NotText),
        column("f", DataType::Float64, "double precision", NotText),
        column("b", DataType::Boolean, "boolean", NotText),
        column("bin", TEXT, "character varying(9)", Binary),
        column("det", TEXT, "text", Deterministic),
        column("loose", TEXT, "text", Loose),
        column("ch", TEXT, "character(5)", Deterministic),
        of_pg_type(column("u", TEXT, "uuid", Unknown), PgType::Uuid),
        of_pg_type(column("js", TEXT, "jsonb", Unknown), PgType::Jsonb),
        of_pg_type(column("ip", TEXT, "inet", Unknown), PgType::Inet),
        column("mood", TEXT, "mood", Unknown),
        column("day", DataType::Date32, "date", NotText),
        column("at", TIMESTAMP, "timestamp without time zone", NotText),
        column("atz", utc, "timestamp with time zone", NotText),
        column("bytes", DataType::BinaryView, "bytea", NotText),
    ];
    Fixture::new(&[("t", columns.clone()), ("v", columns)])
}

fn check(sql: &str, expected: Expect) {
    expected.assert_eq(&fixture().show(&Postgres::default(), sql));
}

#[test]
fn text_is_compared_as_bytes() {
    check(
        "SELECT i FROM t WHERE bin = 'x' AND bin < 'y' AND det = 'x' AND det IN ('p', 'q') AND det <> 'z'",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE ((t0."bin" = $1::text) AND (t0."bin" < $2::text) AND (t0."det" = $1::text) AND ((t0."det" = $3::text) OR (t0."det" = $4::text)) AND (t0."det" <> $5::text))
        1: x
        2: y
        3: p
        4: q
        5: z
    "#]],
    );
    check(
        "SELECT i FROM t WHERE det >= 'x' AND loose = 'x' AND loose <> 'y' AND loose IN ('a', 'b', 'c', 'd')",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE (((t0."det" COLLATE "C") >= $1::text) AND ((t0."loose" = $1::text) AND ((t0."loose" COLLATE "C") = $1::text)) AND ((t0."loose" COLLATE "C") <> $2::text) AND ((t0."loose" IN ($3::text, $4::text, $5::text, $6::text)) AND ((t0."loose" COLLATE "C") IN ($3::text, $4::text, $5::text, $6::text))))
        1: x
        2: y
        3: a
        4: b
        5: c
        6: d
    "#]],
    );
    check(
        "SELECT i FROM t WHERE ch = 'x' AND ch <> 'y ' AND ch > 'a'",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE ((t0."ch" = $1::text::bpchar) AND ((t0."ch"::text COLLATE "C") > $2::text))
        1: x
        2: a
    "#]],
    );
    check(
        "SELECT i FROM t WHERE mood = 'ok' AND ip = '1.2.3.4'",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE (((t0."mood"::text COLLATE "C") = $1::text) AND ((textin(inet_out(t0."ip")) COLLATE "C") = $2::text))
        1: ok
        2: 1.2.3.4
    "#]],
    );
    check(
        "SELECT i FROM t WHERE u = '0a2b4c6d-0000-4000-8000-00000000000f' AND u <> 'X'",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE (t0."u" = $1::text::uuid)
        1: 0a2b4c6d-0000-4000-8000-00000000000f
    "#]],
    );
    check(
        "SELECT i FROM t WHERE js = '{}'",
        expect![[r#"
        NO t.js = {}: JSON is compared as its text here
    "#]],
    );
    check(
        "SELECT js, u, ch FROM t WHERE js IS NOT NULL",
        expect![[r#"
        SELECT t0."js" AS "js", t0."u" AS "u", t0."ch" AS "ch" FROM "s"."t" AS t0 WHERE (t0."js" IS NOT NULL)
    "#]],
    );
    check(
        "SELECT t.i FROM t JOIN v ON t.det = v.det AND t.u = v.u",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 JOIN "s"."v" AS t1 ON (((t0."det" COLLATE "C") = t1."det") AND (t0."u" = t1."u"))
    "#]],
    );
    check(
        "SELECT bin, det, loose, ch, u, count(*) FROM t GROUP BY bin, det, loose, ch, u",
        expect![[r#"
        SELECT t0."bin" AS "bin", t0."det" AS "det", (t0."loose" COLLATE "C") AS "loose", t0."ch" AS "ch", t0."u" AS "u", COUNT(*) AS "c5" FROM "s"."t" AS t0 GROUP BY t0."bin", t0."det", (t0."loose" COLLATE "C"), t0."ch", t0."u"
    "#]],
    );
    check(
        "SELECT min(bin), max(det), min(ch) FROM t",
        expect![[r#"
        SELECT MIN(t0."bin") AS "c0", MAX((t0."det" COLLATE "C")) AS "c1", MIN((t0."ch"::text COLLATE "C")) AS "c2" FROM "s"."t" AS t0
    "#]],
    );
    check(
        "SELECT i FROM t ORDER BY bin, det DESC LIMIT 3",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 ORDER BY t0."bin" ASC NULLS LAST, (t0."det" COLLATE "C") DESC NULLS FIRST LIMIT 3
    "#]],
    );
    check(
        "SELECT det FROM t WHERE det LIKE 'a_c%' AND loose NOT LIKE '%x' AND ch LIKE 'y%'",
        expect![[r#"
        SELECT t0."det" AS "det" FROM "s"."t" AS t0 WHERE ((t0."det" LIKE $1::text) AND (NOT ((t0."loose" COLLATE "C") LIKE $2::text)) AND ((t0."ch"::text COLLATE "C") LIKE $3::text))
        1: a_c%
        2: %x
        3: y%
    "#]],
    );
    check(
        "SELECT det FROM t WHERE det ILIKE 'a'",
        expect![[r#"
        NO t.det ILIKE a: ILIKE folds by all of Unicode here
    "#]],
    );
    check(
        "SELECT det FROM t WHERE det LIKE 'a\\%'",
        expect![[r#"
        SELECT t0."det" AS "det" FROM "s"."t" AS t0 WHERE (t0."det" LIKE $1::text)
        1: a\%
    "#]],
    );
    check(
        "SELECT det || bin, substr(det, 2, 3), character_length(ch), lower(det) FROM t",
        expect![[r#"
        NO lower(t.det): the function lower is computed here
    "#]],
    );
}

#[test]
fn numbers_keep_their_width() {
    check(
        "SELECT i FROM t WHERE i2 = 5 AND i > -3 AND l < 99 AND oid = 7 AND d >= 1.5 AND f = CAST(2.5 AS DOUBLE)",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE ((t0."i2" = 5::smallint) AND (t0."i" > '-3'::integer) AND (t0."l" < 99::bigint) AND (t0."oid"::bigint = 7::bigint) AND (t0."d" >= '1.50'::numeric) AND (t0."f" = '2.5e0'::double precision))
    "#]],
    );
    check(
        "SELECT i / l, i % 3, d * d, d - 1, d / 3, i + 1, f + f FROM t",
        expect![[r#"
        NO t.d / Int64(3): the digits of a quotient of decimals are not ours at the source
        NO t.i + 1: unchecked arithmetic over integers is computed here
        NO t.f + t.f: float arithmetic is computed here, so that every digit is ours
    "#]],
    );
    check(
        "SELECT sum(i), sum(i2), sum(d), sum(f) FROM t",
        expect![[r#"
        NO sum(t.f): float sums depend on the order of additions
    "#]],
    );
    check(
        "SELECT CAST(i AS BIGINT) AS a, CAST(l AS INT) AS b, CAST(d AS DECIMAL(5,1)) AS c, CAST(i AS VARCHAR) AS d FROM t",
        expect![[r#"
        SELECT CAST(t0."i" AS bigint) AS "a", CAST(t0."l" AS integer) AS "b", CAST(t0."d" AS numeric(5,1)) AS "c", CAST(t0."i" AS text) AS "d" FROM "s"."t" AS t0
    "#]],
    );
    check(
        "SELECT CAST(det AS INT) FROM t",
        expect![[r#"
        NO t.det: a cast from Utf8View to Int32 is computed here
    "#]],
    );
    check(
        "SELECT abs(d), -d, coalesce(i, 3), nullif(i, 4), coalesce(det, 'x') FROM t",
        expect![[r#"
        SELECT abs(t1."d") AS "c0", (- t1."d") AS "c1", (CASE WHEN (t1."__common_expr_1" IS NOT NULL) THEN t1."__common_expr_1" ELSE 3::bigint END) AS "c2", NULLIF(t1."__common_expr_1", 4::bigint) AS "c3", (CASE WHEN (t1."det" IS NOT NULL) THEN t1."det" ELSE $1::text END) AS "c4" FROM (SELECT CAST(t0."i" AS bigint) AS "__common_expr_1", t0."d" AS "d", t0."det" AS "det" FROM "s"."t" AS t0) AS t1
        1: x
    "#]],
    );
    check(
        "SELECT f FROM t GROUP BY f",
        expect![[r#"
        NO t.f: groups of floats are formed here: -0 and 0 are one group
    "#]],
    );
}

#[test]
fn booleans_and_cases() {
    check(
        "SELECT i FROM t WHERE b AND NOT (i = 1 OR l IS NULL) AND (b IS NOT TRUE OR i BETWEEN 1 AND 3)",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE (t0."b" AND (t0."i" <> 1) AND (t0."l" IS NOT NULL) AND ((t0."b" IS NOT TRUE) OR ((t0."i" >= 1) AND (t0."i" <= 3))))
    "#]],
    );
    check(
        "SELECT CASE WHEN b THEN i WHEN i = 3 THEN 4 END, CASE det WHEN 'x' THEN 1 ELSE 0 END FROM t",
        expect![[r#"
        SELECT (CASE WHEN t0."b" THEN CAST(t0."i" AS bigint) WHEN (t0."i" = 3) THEN 4::bigint END) AS "c0", (CASE (t0."det" COLLATE "C") WHEN ($1::text COLLATE "C") THEN 1::bigint ELSE 0::bigint END) AS "c1" FROM "s"."t" AS t0
        1: x
    "#]],
    );
    check(
        "SELECT i FROM t WHERE (i IS DISTINCT FROM 4) AND (det IS NOT DISTINCT FROM 'x')",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE ((t0."i" IS DISTINCT FROM 4) AND (t0."det" IS NOT DISTINCT FROM $1::text))
        1: x
    "#]],
    );
}

#[test]
fn times() {
    check(
        "SELECT i FROM t WHERE day >= DATE '1995-01-01' AND at < TIMESTAMP '2000-01-02 03:04:05.678'",
        expect![[r#"
        SELECT t0."i" AS "i" FROM "s"."t" AS t0 WHERE ((t0."day" >= DATE '1995-01-01') AND (t0."at" < TIMESTAMP '2000-01-02 03:04:05.678000'))
    "#]],
    );
    check(
        "SELECT date_part('year', day), extract(month FROM at), extract(second FROM at), date_part('year', atz) FROM t",
        expect![[r#"
        NO date_part(Utf8("SECOND"), t.at): date_part('second') over Timestamp(µs) is computed here
        NO date_part(Utf8("year"), t.atz): date_part('year') over Timestamp(µs, "UTC") is computed here
    "#]],
    );
    check(
        "SELECT day + INTERVAL '1 day' FROM t",
        expect![[r#"
        NO t.day + IntervalMonthDayNano { months: 0, days: 1, nanoseconds: 0 }: a constant of the type Interval(MonthDayNano) is not sent to a source
    "#]],
    );
}

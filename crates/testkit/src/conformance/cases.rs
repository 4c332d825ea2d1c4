//! The cases of each capability, as data: SQL over trap tables, with `{table}` for a table's name
//! and `{table.column}` for a column that the source must have.

use inflowave_connector_api::Capability;

use super::case::{Case, any_of, case, must, sorted};
use Capability::{
    Aggregate, Distinct, Expressions, Filter, InnerJoin, Limit, OuterJoin, Projection, SemiJoin,
    TopN, UnionAll, Window,
};

const WHERE: &[&str] = &["WHERE"];
const LIMIT: &[&str] = &["LIMIT", "FETCH FIRST"];
const GROUP: &[&str] = &["GROUP BY", "COUNT(", "MIN(", "MAX(", "SUM("];
const DISTINCT: &[&str] = &["DISTINCT", "GROUP BY"];
const SEMI: &[&str] = &["EXISTS", " IN (SELECT"];
const OUTER: &[&str] = &[
    "LEFT JOIN",
    "RIGHT JOIN",
    "FULL JOIN",
    "LEFT OUTER",
    "RIGHT OUTER",
    "FULL OUTER",
];

/// Every case.
pub const CASES: &[Case] = &[
    must(Projection, &["SELECT"], "SELECT {sales.id} FROM {sales}"),
    case(Projection, &[], "SELECT {wide.c499}, {wide.c1} FROM {wide}"),
    case(Projection, &[], "SELECT count(*) FROM {wide}"),
    case(
        Projection,
        &[],
        "SELECT \"it's\", \"back`tick\", \"back\\slash\", \"-- no comment\", \"a\"\"b\", \"łąka\" FROM {Order}",
    ),
    case(Projection, &[], "SELECT * FROM {empty}"),
    case(Projection, &[], "SELECT * FROM {one_row}"),
    // Filters: each kind of value, each operator, and what a collation or a type gets wrong.
    must(
        Filter,
        WHERE,
        "SELECT id FROM {sales} WHERE id > 10 AND id <= 20",
    ),
    must(
        Filter,
        WHERE,
        "SELECT id FROM {sales} WHERE id IN (1, 2, 3, 5000)",
    ),
    must(
        Filter,
        WHERE,
        "SELECT id FROM {sales} WHERE id BETWEEN 5 AND 9 OR id = 11",
    ),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t = 'a'"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t = 'a '"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t <> 'a'"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE NOT (t = 'a')"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t IN ('A', 'łąka', '', '😀')",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t NOT IN ('A', 'b')",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t NOT IN ('A', NULL)",
    ),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t < 'a'"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t >= 'Z' AND t <= 'b'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t BETWEEN 'A' AND 'a'",
    ),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t LIKE 'a%'"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t LIKE 'a_b'"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t LIKE 'a\\_b'"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t LIKE 'a!%b' ESCAPE '!'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t LIKE '%\\\\%'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t NOT LIKE '%a%'",
    ),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t ILIKE 'łĄ%'"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE lower(t) = 'łąka'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE upper(t) = 'ŁĄKA'",
    ),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE length(t) = 1"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t IS NULL"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t IS NOT NULL AND t <> ''",
    ),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE c = 'a'"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE c = v"),
    case(Filter, WHERE, "SELECT id FROM {texts} WHERE t = v"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t IS DISTINCT FROM v",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t = '\\'' OR 1=1 --'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {texts} WHERE t = 'a''''b' OR t = '''' OR t = '\\\\'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE i4 = 2147483647 OR i4 = -2147483648",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE i8 > 9007199254740992",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE i2 < 0 OR i2 IS NULL",
    ),
    case(Filter, WHERE, "SELECT id FROM {numbers} WHERE f = 0"),
    case(Filter, WHERE, "SELECT id FROM {numbers} WHERE f > 1e300"),
    case(Filter, WHERE, "SELECT id FROM {numbers} WHERE f = 'NaN'"),
    case(Filter, WHERE, "SELECT id FROM {numbers} WHERE f < 'NaN'"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE NOT (f > 0.1)",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE {numbers.d} = 9999999999999999999999999999.9999999999",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE {numbers.d} < 0.00000000005",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE {numbers.m} IN (0.01, 99.95, -0.05)",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {numbers} WHERE {numbers.m} * 2 > i4",
    ),
    case(Filter, WHERE, "SELECT id FROM {numbers} WHERE i4 % 3 = -1"),
    case(Filter, WHERE, "SELECT id FROM {numbers} WHERE i4 / 2 = -3"),
    case(Filter, WHERE, "SELECT id FROM {numbers} WHERE i2 = i4"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {times} WHERE {times.d} = DATE '0001-01-01' OR {times.d} = DATE '9999-12-31'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {times} WHERE {times.d} >= DATE '2024-02-29'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {times} WHERE {times.ts} > TIMESTAMP '2024-03-31 01:59:59.999999'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {times} WHERE {times.ts} = TIMESTAMP '1969-12-31 23:59:59.999999'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {times} WHERE {times.tz} BETWEEN TIMESTAMPTZ '2024-10-27 00:30:00+00' AND TIMESTAMPTZ '2024-10-27 01:30:00+00'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {times} WHERE extract(dow FROM {times.d}) = 0",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {times} WHERE {times.ts} >= {times.d}",
    ),
    case(Filter, WHERE, "SELECT id FROM {others} WHERE {others.b}"),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {others} WHERE NOT {others.b}",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {others} WHERE {others.b} IS NOT TRUE",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {others} WHERE {others.u} = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT \"MiXeD\" FROM {Order} WHERE \"select\" > 3 AND \"a\"\"b\" = 1 AND \"łąka\" <> 'X'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {empty} WHERE n = 1 OR t = 'x'",
    ),
    case(
        Filter,
        WHERE,
        "SELECT id FROM {wide} WHERE c498 > 0 OR c497 IS NULL",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, i4 + 0, -(i2 / 2), abs(i8 / 2) FROM {numbers} WHERE i8 > -9000000000000000000",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, f * 2, {numbers.m} + 1.005, {numbers.m} / 3 FROM {numbers} WHERE f < 1e10",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, coalesce(t, 'none'), lower(t), upper(t), length(t) FROM {texts}",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, substr(t, 0, 2), substr(t, 2), trim(t), t || v FROM {texts}",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, CASE WHEN t < 'a' THEN 'low' WHEN t = 'a' THEN 'a' ELSE c END FROM {texts}",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, nullif(i4, 0), i4 IS NULL, i4 > i2 FROM {numbers}",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, CAST(i4 AS bigint), CAST(i4 AS text), CAST(i2 AS double precision) FROM {numbers}",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, round({numbers.m}, 1), floor({numbers.m}), ceil({numbers.m}) FROM {numbers}",
    ),
    case(
        Expressions,
        &[],
        "SELECT id, extract(year FROM {times.d}), extract(week FROM {times.d}), date_trunc('month', {times.ts}) FROM {times}",
    ),
    any_of(
        "SELECT id FROM {sales}",
        must(Limit, LIMIT, "SELECT id FROM {sales} LIMIT 7"),
    ),
    any_of(
        "SELECT id FROM {sales} WHERE id > 100",
        must(
            Limit,
            LIMIT,
            "SELECT id FROM {sales} WHERE id > 100 LIMIT 3",
        ),
    ),
    any_of(
        "SELECT t FROM {texts} WHERE t = 'a'",
        case(Limit, LIMIT, "SELECT t FROM {texts} WHERE t = 'a' LIMIT 1"),
    ),
    any_of(
        "SELECT id FROM {sales}",
        case(Limit, LIMIT, "SELECT id FROM {sales} LIMIT 5 OFFSET 898"),
    ),
    case(Limit, LIMIT, "SELECT id FROM {sales} LIMIT 0"),
    sorted(
        &[0],
        must(TopN, LIMIT, "SELECT id FROM {sales} ORDER BY id LIMIT 5"),
    ),
    sorted(
        &[0],
        must(
            TopN,
            LIMIT,
            "SELECT id FROM {sales} ORDER BY id DESC LIMIT 5 OFFSET 2",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT i4, id FROM {numbers} ORDER BY i4, id LIMIT 12",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT i4, id FROM {numbers} ORDER BY i4 DESC, id LIMIT 12",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT i4, id FROM {numbers} ORDER BY i4 NULLS FIRST, id LIMIT 12",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT i4, id FROM {numbers} ORDER BY i4 DESC NULLS LAST, id LIMIT 12",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT f, id FROM {numbers} ORDER BY f DESC, id LIMIT 14",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT {numbers.m}, id FROM {numbers} ORDER BY {numbers.m}, id LIMIT 14",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT t, id FROM {texts} ORDER BY t, id LIMIT 20",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT t, id FROM {texts} ORDER BY t DESC NULLS LAST, id LIMIT 20",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT c, id FROM {texts} WHERE t > '' ORDER BY c, id LIMIT 9",
        ),
    ),
    sorted(
        &[0, 1],
        case(
            TopN,
            LIMIT,
            "SELECT {times.d}, id FROM {times} ORDER BY {times.d}, id LIMIT 9",
        ),
    ),
    must(Aggregate, GROUP, "SELECT count(*) AS n FROM {sales}"),
    must(
        Aggregate,
        GROUP,
        "SELECT min(id), max(id), count(id) FROM {sales} WHERE id > 50",
    ),
    must(Aggregate, GROUP, "SELECT count(*), max(id) FROM {empty}"),
    case(
        Aggregate,
        GROUP,
        "SELECT sum(qty), avg(qty), count(DISTINCT qty) FROM {sales}",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT {sales.amount}, count(*) FROM {sales} GROUP BY {sales.amount}",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT qty, sum({sales.amount}), avg({sales.amount}), min({sales.amount}) FROM {sales} GROUP BY qty",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT note, count(*), max(id) FROM {sales} GROUP BY note",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT kind, count(*) FROM {products} GROUP BY kind",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT min(t), max(t), count(DISTINCT t) FROM {texts}",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT product_id, count(*) FROM {sales} GROUP BY product_id HAVING count(*) > 20",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT sum(total), min(total), max(f) FROM {sales} CROSS JOIN (SELECT max(f) AS f FROM {numbers}) AS x",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT min(f), max(f), count(f) FROM {numbers}",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT {others.b}, count(*), bool_or({others.b}) FROM {others} GROUP BY {others.b}",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT extract(month FROM {sales.day}), count(*) FROM {sales} GROUP BY extract(month FROM {sales.day})",
    ),
    case(
        Aggregate,
        GROUP,
        "SELECT sum(n), min(t), count(*) FROM {empty} GROUP BY t",
    ),
    must(Distinct, DISTINCT, "SELECT DISTINCT id FROM {products}"),
    case(Distinct, DISTINCT, "SELECT DISTINCT qty FROM {sales}"),
    case(Distinct, DISTINCT, "SELECT DISTINCT note FROM {sales}"),
    case(
        Distinct,
        DISTINCT,
        "SELECT DISTINCT region, kind FROM {products}",
    ),
    case(Distinct, DISTINCT, "SELECT note FROM {sales} GROUP BY note"),
    case(Distinct, DISTINCT, "SELECT DISTINCT f FROM {numbers}"),
    must(
        InnerJoin,
        &["JOIN"],
        "SELECT a.id FROM {sales} AS a JOIN {products} AS b ON a.id = b.id",
    ),
    case(
        InnerJoin,
        &["JOIN"],
        "SELECT s.id, p.name FROM {sales} AS s JOIN {products} AS p ON s.product_id = p.id",
    ),
    case(
        InnerJoin,
        &["JOIN"],
        "SELECT s.id, p.name, t.tag FROM {sales} AS s JOIN {products} AS p ON s.product_id = p.id JOIN {tags} AS t ON t.sale_id = s.id",
    ),
    case(
        InnerJoin,
        &["JOIN"],
        "SELECT s.id, t.id FROM {sales} AS s JOIN {tags} AS t ON s.note = t.tag AND s.id < 100",
    ),
    case(
        InnerJoin,
        &["JOIN"],
        "SELECT a.id, b.id FROM {texts} AS a JOIN {texts} AS b ON a.t = b.v",
    ),
    case(
        InnerJoin,
        &["JOIN"],
        "SELECT a.id, b.id FROM {numbers} AS a JOIN {numbers} AS b ON a.f = b.f",
    ),
    case(
        InnerJoin,
        &["JOIN"],
        "SELECT count(*) FROM {sales} AS s JOIN {empty} AS e ON s.id = e.id",
    ),
    must(
        OuterJoin,
        OUTER,
        "SELECT a.id, b.id FROM {sales} AS a LEFT JOIN {products} AS b ON a.id = b.id",
    ),
    case(
        OuterJoin,
        OUTER,
        "SELECT s.id, p.name FROM {sales} AS s LEFT JOIN {products} AS p ON s.product_id = p.id",
    ),
    case(
        OuterJoin,
        OUTER,
        "SELECT s.id, p.id FROM {sales} AS s RIGHT JOIN {products} AS p ON s.product_id = p.id AND s.qty > 45",
    ),
    case(
        OuterJoin,
        OUTER,
        "SELECT s.id, p.id FROM {sales} AS s FULL JOIN {products} AS p ON s.product_id = p.id",
    ),
    case(
        OuterJoin,
        OUTER,
        "SELECT p.id, s.id FROM {products} AS p LEFT JOIN {sales} AS s ON p.id = s.product_id AND s.note = 'late' WHERE s.id IS NULL",
    ),
    must(
        SemiJoin,
        SEMI,
        "SELECT a.id FROM {sales} AS a WHERE EXISTS (SELECT 1 FROM {products} AS b WHERE b.id = a.id)",
    ),
    case(
        SemiJoin,
        SEMI,
        "SELECT a.id FROM {sales} AS a WHERE NOT EXISTS (SELECT 1 FROM {products} AS b WHERE b.id = a.product_id)",
    ),
    case(
        SemiJoin,
        SEMI,
        "SELECT id FROM {sales} WHERE product_id IN (SELECT id FROM {products} WHERE region = 'north')",
    ),
    case(
        SemiJoin,
        SEMI,
        "SELECT id FROM {sales} WHERE product_id NOT IN (SELECT id FROM {products})",
    ),
    case(
        SemiJoin,
        SEMI,
        "SELECT id FROM {products} WHERE id NOT IN (SELECT product_id FROM {sales})",
    ),
    case(
        SemiJoin,
        SEMI,
        "SELECT id FROM {products} WHERE id NOT IN (SELECT product_id FROM {sales} WHERE product_id IS NOT NULL)",
    ),
    case(
        SemiJoin,
        SEMI,
        "SELECT id FROM {sales} WHERE note IN (SELECT tag FROM {tags})",
    ),
    must(
        UnionAll,
        &["UNION ALL"],
        "SELECT id FROM {sales} UNION ALL SELECT id FROM {products}",
    ),
    case(
        UnionAll,
        &["UNION ALL"],
        "SELECT note FROM {sales} UNION ALL SELECT tag FROM {tags}",
    ),
    case(
        UnionAll,
        &["UNION ALL"],
        "SELECT id FROM {products} UNION SELECT id FROM {tags} WHERE id > 100",
    ),
    case(
        UnionAll,
        &["UNION ALL"],
        "SELECT id FROM {products} UNION (SELECT id FROM {tags} UNION ALL SELECT id FROM {tags})",
    ),
    case(
        UnionAll,
        &[],
        "SELECT note FROM {sales} INTERSECT SELECT tag FROM {tags}",
    ),
    case(
        UnionAll,
        &[],
        "SELECT note FROM {sales} EXCEPT SELECT tag FROM {tags}",
    ),
    must(
        Window,
        &["OVER"],
        "SELECT id, row_number() OVER (ORDER BY id) AS n FROM {products}",
    ),
    case(
        Window,
        &["OVER"],
        "SELECT id, rank() OVER (PARTITION BY kind ORDER BY code) AS n FROM {products}",
    ),
    case(
        Window,
        &["OVER"],
        "SELECT id, sum(qty) OVER (PARTITION BY product_id ORDER BY id) AS n FROM {sales}",
    ),
    case(
        Window,
        &["OVER"],
        "SELECT id, lag(t) OVER (ORDER BY t, id) AS n FROM {texts}",
    ),
    case(
        Window,
        &["OVER"],
        "SELECT id, count(*) OVER (PARTITION BY region) AS n FROM {products}",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_capability_has_cases() {
        for capability in Capability::ALL {
            assert!(
                CASES.iter().any(|c| c.capability == *capability),
                "{capability}"
            );
        }
    }

    #[test]
    fn what_must_be_pushed_has_a_word_to_show_it() {
        for case in CASES.iter().filter(|c| c.must_push) {
            assert!(!case.words.is_empty(), "{}", case.sql);
        }
    }
}

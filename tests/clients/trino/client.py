"""Trino's PostgreSQL connector: what it lists, each type, and what it pushes into its source.

TRINO_PORT is where it listens; its catalogs `postgres` and `inflowave` are the two. Run by run.sh.
Usage: trino/client.py POSTGRES_URL INFLOWAVE_URL
"""

import os
import re

import trino

from known import POSTGRES, check, same


def connected(url, **more):
    catalog = "postgres" if url == POSTGRES else "inflowave"
    return trino.dbapi.connect(
        host="127.0.0.1", port=int(os.environ["TRINO_PORT"]), user="tester", catalog=catalog, schema="shop", **more
    )


def ask(url, sql, **session):
    """Names and types of the columns, and the rows; the catalog has another name of each server."""
    name = "postgres" if url == POSTGRES else "inflowave"
    cursor = connected(url, session_properties={f"{name}.{k}": v for k, v in session.items()}).cursor()
    cursor.execute(sql)
    found = [tuple(row) for row in cursor.fetchall()]
    if sql.startswith("show create"):
        found = [(text.replace(f" {name}.", " CATALOG."),) for (text,) in found]
        return [cursor.description[0].name], found
    return [(c.name, c.type_code) for c in cursor.description or ()], found


def rows(what, sql, expected=None, **session):
    def step(url):
        columns, found = ask(url, sql, **session)
        if expected is not None:
            same(found, expected)
        if url != POSTGRES:
            same((columns, found), ask(POSTGRES, sql, **session))
        assert found, "no rows"

    return what, step


def remote(url, sql, **session):
    """The statements that the source is sent, as the plan has them, and the steps that are left to Trino."""
    text = "\n".join(row[0] for row in ask(url, f"explain {sql}", **session)[1])
    sent = [query.replace(f'"{database(url)}".', "") for query in re.findall(r":Query\[(.*?)\](?: columns=|[,\]])", text)]
    steps = re.findall(r"^\s*(?:└─|├─)?\s*(\w+)\[", text, re.M)
    return sent, [step for step in steps if step not in ("Output", "Exchange", "RemoteSource", "LocalExchange")]


def database(url):
    return url.rpartition("/")[2]


def pushed(what, sql, without=(), expected=None, **session):
    """A step: the rows, that Trino has none of these steps left over the source, and that it sends the same."""

    def step(url):
        columns, found = ask(url, sql, **session)
        assert found, "no rows"
        if expected is not None:
            same(found, expected)
        sent, steps = remote(url, sql, **session)
        for word in without:
            assert word not in steps, steps
        if "Aggregate" in without:
            assert any("count(" in q or "GROUP BY" in q or "sum(" in q for q in sent), sent
        if url != POSTGRES:
            same((columns, found), ask(POSTGRES, sql, **session))
            same((sent, steps), remote(POSTGRES, sql, **session))

    return what, step


def failing(url):
    for sql, word in (
        ("select * from nothing", "does not exist"),
        ("select nothing from customers", "cannot be resolved"),
        ("select * from table(system.query(query => 'select 1 / 0 as a'))", "division by zero"),
    ):
        try:
            ask(url, sql)
        except trino.exceptions.TrinoQueryError as error:
            assert word in str(error), error
        else:
            raise AssertionError(f"{sql}: no error")


def refused(url):
    """What writes: PostgreSQL does it, and ours says why not."""
    create = "create table sales.made (a integer)"
    if url == POSTGRES:
        ask(url, create)
        ask(url, "insert into sales.made values 1, 2")
        same(ask(url, "select sum(a) from sales.made")[1], [(3,)])
        ask(url, "drop table sales.made")
        return
    for sql in (create, "insert into customers select * from customers", "delete from orders where id = 10", "create schema made"):
        try:
            ask(url, sql)
        except trino.exceptions.TrinoQueryError as error:
            assert "read-only transaction" in str(error), f"{sql}: {error}"
        else:
            raise AssertionError(f"{sql}: no error")


def comments(url):
    """Of a table and of a column."""
    text = ask(url, "show create table customers")[1][0][0]
    assert "COMMENT 'Who buys'" in text and "COMMENT 'Where bills are sent'" in text, text


def tables(url):
    found = [r[0] for r in ask(url, "show tables")[1]]
    same(found, ["big", "customers", "odd names", "order_items", "order_totals", "orders", "readings", "types"])


ALL = [f"c_{t}" for t in "bool int2 int4 int8 float4 float8 numeric text varchar char bytea date time timestamp timestamptz uuid json jsonb".split()]
LITERALS = [
    ("c_bool", "true"),
    ("c_int2", "smallint '-32768'"),
    ("c_int4", "2"),
    ("c_int8", "bigint '-9223372036854775808'"),
    ("c_float4", "real '1.5'"),
    ("c_float8", "2.25e0"),
    ("c_numeric", "decimal '12345.67890'"),
    ("c_text", "'text'"),
    ("c_varchar", "'łąka'"),
    ("c_char", "'chars'"),
    ("c_bytea", "x'00ff27'"),
    ("c_date", "date '2024-02-29'"),
    ("c_time", "time '12:34:56.789'"),
    ("c_timestamp", "timestamp '1969-12-31 23:59:59.999999'"),
    ("c_timestamptz", "timestamp '2024-02-29 13:34:56.789 +01:00'"),
    ("c_uuid", "uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
]
ARRAYS = {"array_mapping": "AS_ARRAY"}

STEPS = [
    rows("show schemas", "show schemas"),
    ("show tables", tables),
    rows("show columns", "show columns from types"),
    rows("describe", "describe order_items"),
    rows("describe a view", "describe order_totals"),
    rows("describe odd names", 'describe "odd names"'),
    rows("show create table", "show create table order_items"),
    rows("show stats", "show stats for customers"),
    rows("columns", "select table_name, column_name, data_type, is_nullable from information_schema.columns where table_schema = 'shop' order by 1, ordinal_position"),
    rows("catalog of JDBC", "select table_schem, table_name, table_type from system.jdbc.tables where table_cat = current_catalog and table_schem in ('shop', 'sales') order by 1, 2"),
    rows("every type", "select * from types order by id"),
    rows("arrays", "select id, c_ints, c_texts from types order by id", **ARRAYS),
    rows("arrays, taken apart", "select id, n, t from types cross join unnest(c_ints, c_texts) as u (n, t) order by id, n", **ARRAYS),
    rows("what has no type there, as text", "select * from types order by id", unsupported_type_handling="CONVERT_TO_VARCHAR"),
    rows("an interval as text", "select id, c_interval from types order by id", [(1, "1 mon 2 days 03:04:05.6"), (2, "-1 days"), (3, None)], unsupported_type_handling="CONVERT_TO_VARCHAR"),
    *[pushed(f"{column} = a literal", f"select id from types where {column} = {literal}", ["Filter"]) for column, literal in LITERALS if column not in ("c_float4", "c_float8")],
    *[pushed(f"{column} in two", f"select id from types where {column} in ({literal}, {literal}) or {column} is null order by id") for column, literal in LITERALS],
    *[rows(f"{column} compared", f"select id from types where {column} <= {literal} order by id") for column, literal in LITERALS if column not in ("c_bool",)],
    *[rows(f"{column} counted", f"select count({column}), count(distinct {column}), min({column}), max({column}) from types") for column in ALL if column not in ("c_bool", "c_bytea", "c_json", "c_jsonb", "c_uuid")],
    pushed("is null", "select count(*) from orders where note is null", ["Filter", "Aggregate"], [(1,)]),
    pushed("between", "select id from big where id between 10 and 12 order by id", ["Filter"], [(10,), (11,), (12,)]),
    pushed("not in", "select count(*) from big where id not in (1, 2, 5000)", ["Filter", "Aggregate"], [(4997,)]),
    pushed("count", "select count(*) from big", ["Aggregate"], [(5000,)]),
    pushed("grouped", "select country, count(*), min(joined), max(id) from customers group by country order by 1"),
    pushed("sum and avg", "select sum(id), avg(id) from big", ["Aggregate"], [(12502500, 2500.5)]),
    pushed("decimals", "select order_id, sum(price), avg(price), min(price) from order_items group by order_id order by 1"),
    pushed("statistics", "select stddev(value), variance(value), stddev_pop(value), var_pop(value), corr(value, value), covar_pop(value, epoch) from readings where sensor = 'a'"),
    pushed("count distinct", "select count(distinct country) from customers", expected=[(2,)]),
    pushed("distinct", "select distinct country from customers order by 1", expected=[("DE",), ("PL",)]),
    pushed("having", "select sensor, count(value) from readings group by sensor having count(value) > 3 order by 1"),
    pushed("limit", "select count(*) from (select id from big limit 7)", expected=[(7,)]),
    pushed("top", "select id, label from big order by id desc limit 3", ["TopN"], [(5000, "row 5000"), (4999, "row 4999"), (4998, "row 4998")]),
    pushed("top of a time", "select id, ordered_at from orders order by ordered_at desc, id limit 2", ["TopN"]),
    pushed("top with nulls", "select id, note from orders order by note nulls first, id limit 2"),
    pushed("join", "select c.name, o.id from customers c join orders o on o.customer_id = c.id order by o.id limit 2", join_pushdown_strategy="EAGER"),
    pushed("left join", "select c.id, o.note from customers c left join orders o on o.customer_id = c.id and o.id > 10 order by 1, 2", join_pushdown_strategy="EAGER"),
    pushed("join of three", "select c.name, sum(i.quantity) from customers c join orders o on o.customer_id = c.id join order_items i on i.order_id = o.id group by 1 order by 1", join_pushdown_strategy="EAGER"),
    pushed("arithmetic in a condition", "select line from order_items where quantity + 1 > 10", ["Filter"], [(1,)]),
    pushed("like", "select id from customers where email like 'a%'", ["Filter"], [(1,)]),
    pushed("case", "select id from customers where nullif(country, 'PL') is null order by 1", expected=[(1,), (3,)]),
    pushed("texts in an order", "select id from customers where name > 'B' order by id", expected=[(2,), (3,)], enable_string_pushdown_with_collate="true"),
    pushed("texts at the top", "select name from customers order by name desc limit 2", expected=[("Zoë O'Hara",), ("Bob",)], enable_string_pushdown_with_collate="true"),
    pushed("a union", "select id from customers union all select order_id from order_items where line = 2 order by 1", expected=[(1,), (2,), (3,), (10,)]),
    rows("a query of the source", "select * from table(system.query(query => 'select id, name from shop.customers order by id'))", [(1, "Ann"), (2, "Bob"), (3, "Zoë O'Hara")]),
    rows("a query of the source, with what its dialect has", "select * from table(system.query(query => 'select country, string_agg(name, '','' order by id) as names, count(*) filter (where active) as n from shop.customers group by country')) order by 1"),
    rows("a query of the source, under an aggregate", "select max(a) from table(system.query(query => 'select 1 as a union all select 7')) where a > 0", [(7,)]),
    rows("both sources", "select count(*) from inflowave.shop.big a join postgres.shop.big b on a.id = b.id and a.label = b.label", [(5000,)]),
    rows("the same rows in both", "select * from (select * from inflowave.shop.order_items except select * from postgres.shop.order_items) union all values (bigint '0', smallint '0', '', 0, decimal '0.00')"),
    rows("many rows", "select sum(id), count(distinct label), max(label) from big where length(label) > 0"),
    ("errors", failing),
    ("writes", refused),
]  # fmt: skip
# A source's comments are not known. Trino writes parentheses around what is behind ESCAPE.
NOT_YET = [
    ("comments", comments),
    pushed("like with an escape", "select id from big where label like 'row 500\\_' escape '\\' or id = 3", expected=[(3,)]),
]  # fmt: skip

check(STEPS, NOT_YET)

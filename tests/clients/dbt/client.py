"""dbt: what a project does that only reads: debug, parse, compile, show, tests, freshness, docs, macros.
Models that write end with an error that says so.

Run by the Python of dbt's own environment. Usage: dbt/client.py POSTGRES_URL INFLOWAVE_URL
"""

import json
import os
import re
import tempfile
from pathlib import Path

import psycopg
from dbt.cli.main import dbtRunner

from known import POSTGRES, Place, check, same

PROJECT = Path(__file__).parent / "project"
# Where dbt writes what it made: of each server apart, since what is there is read again.
STATE = tempfile.TemporaryDirectory()
BUILT = "dbt_built"
READ_ONLY = "in a read-only transaction"


def dbt(url, *arguments):
    """What dbt gives, what its macros told, and where its files are."""
    target = Path(STATE.name) / ("postgres" if url == POSTGRES else "inflowave")
    told = []

    def heard(event):
        if event.info.name == "JinjaLogInfo" and event.info.msg.startswith("told "):
            told.append(json.loads(event.info.msg[5:]))

    os.environ.update(Place(url).environment(), DBT_SOURCES=Place(url).database)
    if "views" in arguments and url != POSTGRES:
        # Views of ours are kept there, whatever they are of.
        os.environ.update(PGDATABASE="inflowave")
    os.environ.update(DBT_TARGET_PATH=str(target), DBT_LOG_PATH=str(target / "log"), DBT_SEND_ANONYMOUS_USAGE_STATS="0")
    place = ("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT))
    result = dbtRunner(callbacks=[heard]).invoke(["--log-level", "none", "--no-version-check", *arguments, *place])
    return result, told, target


def well(url, *arguments):
    result, told, target = dbt(url, *arguments)
    if not result.success:
        problems = [r.message for r in getattr(result.result, "results", ()) if r.message]
        raise AssertionError(f"{arguments}: {result.exception or problems or 'no success'}")
    return result.result, told, target


def debug(url):
    same(well(url, "debug")[0], True)


def parse(url):
    manifest = well(url, "parse")[0]
    names = sorted(n.name for n in manifest.nodes.values() if n.resource_type in ("model", "seed"))
    same(names, ["countries", "lines", "spent_table", "spent_view"])


def compiled(url):
    results = well(url, "compile", "--select", "spent_view")[0].results
    database = Place(url).database
    text = " ".join(results[0].node.compiled_code.split())
    same(
        text,
        "with __dbt__cte__lines as ( select i.order_id, i.line, i.product, i.quantity * i.price as amount, "
        f'o.customer_id from "{database}"."shop"."order_items" i join "{database}"."shop"."orders" o '
        "on o.id = i.order_id ) select c.name, sum(l.amount) as spent from __dbt__cte__lines l join "
        f'"{database}"."shop"."customers" c on c.id = l.customer_id group by c.name',
    )


def text_of(value):
    # dbt shows bytes as the object of Python that holds them.
    return None if value is None else re.sub(r"^<memory at .*>$", "<bytes>", str(value))


def shown(what, text, expected=None, limit=None):
    """A step: rows and columns of `dbt show --inline`. By default it wraps them in a LIMIT of 5."""

    def table(url):
        limited = ("--limit", str(limit)) if limit else ()
        found = well(url, "show", "--inline", text, *limited)[0].results[0].agate_table
        rows = [tuple(map(text_of, row.values())) for row in found.rows]
        return list(found.column_names), rows

    def step(url):
        names, rows = table(url)
        if expected is not None:
            same(rows, expected)
        if url != POSTGRES:
            same((names, rows), table(POSTGRES))
        assert rows, "no rows"

    return f"show {what}", step


SHOWN = [
    shown("a source", "select id, name from {{ source('shop', 'customers') }} order by id", [("1", "Ann"), ("2", "Bob"), ("3", "Zoë O'Hara")]),
    shown("limited", "select id from {{ source('shop', 'big') }} order by id desc", [("5000",), ("4999",)], 2),
    shown("a limit of five", "select id from {{ source('shop', 'big') }} order by id", [(str(n),) for n in range(1, 6)]),
    shown("every row", "select id from {{ source('shop', 'big') }} order by id", limit=-1),
    shown(
        "an ephemeral model",
        "select product, sum(amount) as amount from {{ ref('lines') }} group by product order by product",
        [("cup", "45.00"), ("pot", "99.99"), ("tea", "51.50")],
    ),
    shown("ephemeral models in a join", "select a.order_id, count(*) as n from {{ ref('lines') }} a join {{ ref('lines') }} b using (order_id) group by 1 order by 1"),
    shown("every type", "select * from {{ source('shop', 'types') }} order by id"),
    shown("odd names", 'select "Key", "select", "a ""b""" from {{ source(\'shop\', \'"Odd Names"\') }} order by 1'),
    shown("a comment at the end", "select 1 as a -- the last line"),
    shown("a WITH", "with a as (select 1 as x union all select 2) select x from a order by x desc", [("2",), ("1",)]),
    shown("date_trunc", "select {{ dbt.date_trunc('month', 'ordered_at') }} as m, count(*) as n from {{ source('shop', 'orders') }} group by 1 order by 1"),
    shown("datediff", "select id, {{ dbt.datediff('ordered_at', \"'2025-03-01'::timestamp\", 'month') }} as m, {{ dbt.datediff('ordered_at', \"'2024-03-05 12:00'::timestamp\", 'hour') }} as h, {{ dbt.datediff('ordered_at', \"'2024-03-05'::timestamp\", 'week') }} as w from {{ source('shop', 'orders') }} order by id"),
    shown("dateadd", "select {{ dbt.dateadd('day', 3, 'joined') }} as d, {{ dbt.dateadd('month', -1, 'joined') }} as m from {{ source('shop', 'customers') }} order by id"),
    shown("last_day", "select {{ dbt.last_day('joined', 'month') }} as m, {{ dbt.last_day('joined', 'quarter') }} as q from {{ source('shop', 'customers') }} order by id"),
    shown("split_part", "select {{ dbt.split_part('email', \"'@'\", 1) }} as a, {{ dbt.split_part('email', \"'@'\", -1) }} as b from {{ source('shop', 'customers') }} order by id"),
    shown("listagg", "select order_id, {{ dbt.listagg('product', \"','\", 'order by product desc') }} as l from {{ source('shop', 'order_items') }} group by 1 order by 1"),
    shown("listagg with a limit", "select order_id, {{ dbt.listagg('product', \"','\", 'order by product desc', 1) }} as l from {{ source('shop', 'order_items') }} group by 1 order by 1"),
    shown("hash", "select id, {{ dbt.hash('email') }} as h from {{ source('shop', 'customers') }} order by id"),
    shown("date_spine", "select * from ({{ dbt.date_spine('day', \"cast('2024-02-28' as date)\", \"cast('2024-03-02' as date)\") }}) s order by 1", [(f"{day} 00:00:00",) for day in ("2024-02-28", "2024-02-29", "2024-03-01")]),
    shown("any_value and bool_or", "select country, {{ dbt.bool_or('active') }} as b, {{ dbt.any_value('country') }} as v from {{ source('shop', 'customers') }} group by 1 order by 1"),
    shown("except and intersect", "select id from {{ source('shop', 'customers') }} {{ dbt.except() }} (select 2 {{ dbt.intersect() }} select 2) order by 1"),
    shown("array macros", "select {{ dbt.array_construct([1, 2]) }} as a, {{ dbt.array_append('array[1]', 2) }} as b, {{ dbt.array_concat('array[1]', 'array[3]') }} as c"),
    shown("text macros", "select {{ dbt.length('name') }} as l, {{ dbt.position(\"'n'\", 'name') }} as p, {{ dbt.replace('name', \"'n'\", \"'m'\") }} as r, {{ dbt.right('name', 2) }} as e, {{ dbt.string_literal('x') }} as s, {{ dbt.escape_single_quotes(\"it's\") | length }} as q from {{ source('shop', 'customers') }} order by id"),
    shown("casts", "select {{ dbt.cast('id', api.Column.translate_type('string')) }} as s, {{ dbt.cast_bool_to_text('active') }} as b, {{ dbt.safe_cast('id', api.Column.translate_type('float')) }} as f from {{ source('shop', 'customers') }} order by id"),
    shown("generate_series", "select * from ({{ dbt.generate_series(7) }}) s order by 1", [(f"{n}.0",) for n in range(1, 6)]),
]  # fmt: skip


def catalog(url, of):
    tables = json.loads((well(url, "docs", "generate")[2] / "catalog.json").read_text())
    same(tables["errors"], None)
    found = {key.rpartition(".")[2]: of(table) for key, table in tables["sources"].items()}
    same(len(found), 8)
    return found


def columns_of(table):
    return [(c["name"], c["type"], c["index"]) for c in table["columns"].values()]


def docs(url):
    found = catalog(url, columns_of)
    same(
        found["customers"],
        [
            ("id", "integer", 1),
            ("email", "character varying(80)", 2),
            ("name", "text", 3),
            ("country", "character(2)", 4),
            ("joined", "date", 5),
            ("active", "boolean", 6),
        ],
    )
    same(found, catalog(POSTGRES, columns_of))


def docs_kinds(url):
    def of(table):
        return table["metadata"]["type"], table["metadata"]["comment"], [c["comment"] for c in table["columns"].values()]

    found = catalog(url, of)
    same(found["order_totals"][:2], ("VIEW", "What an order costs"))
    same(found["customers"][:2], ("BASE TABLE", "Who buys"))
    same(found["customers"][2][1], "Where bills are sent")


def freshness(url):
    target = dbt(url, "source", "freshness")[2]
    found = json.loads((target / "sources.json").read_text())["results"]
    # Both are older than their limits.
    same(
        sorted((r["unique_id"].rpartition(".")[2], r["status"], r["max_loaded_at"]) for r in found),
        [
            ("orders", "error", "2024-03-05T12:00:00+00:00"),
            ("readings", "warn", "2024-03-01T05:50:00+00:00"),
        ],
    )


def tests(url):
    results = dbt(url, "test", "--exclude", "test_type:unit")[0].result.results
    found = sorted((r.node.name.removeprefix("source_"), str(r.status), r.failures) for r in results)
    same(
        found,
        [
            ("accepted_values_shop_customers_country__PL__DE", "pass", 0),
            ("accepted_values_shop_orders_note__gift__", "fail", 1),
            ("accepted_values_shop_types_c_bool__False__True", "fail", 1),
            ("not_null_shop_customers_id", "pass", 0),
            ("not_null_shop_orders_note", "fail", 1),
            ("not_null_shop_types_c_int4", "fail", 1),
            ("relationships_shop_orders_customer_id__id__source_shop_customers_", "pass", 0),
            ("unique_shop_customers_email", "pass", 0),
            ("unique_shop_customers_id", "pass", 0),
            ("unique_shop_readings_sensor", "fail", 2),
            ("unique_shop_types_c_int4", "pass", 0),
        ],
    )


def macro(name, known):
    def step(url):
        told = dict(well(url, "run-operation", name)[1])
        for what, value in known.items():
            same(told[what], value)
        if url != POSTGRES:
            same(told, dict(well(POSTGRES, "run-operation", name)[1]))

    return f"macro {name}", step


def writes(command, errors):
    """A step: PostgreSQL does it; of ours, what dbt ends with has an error of each name, or just one."""

    def step(url):
        with psycopg.connect(POSTGRES, autocommit=True) as postgres:
            try:
                result = dbt(url, *command)[0]
            finally:
                postgres.execute(f"drop schema if exists {BUILT} cascade")
                postgres.execute("drop table if exists sales.spent_table; drop view if exists sales.spent_view")
        if url == POSTGRES:
            assert result.success, result
            return
        assert not result.success, "no error"
        given = {None: str(result.exception)} if result.exception else dict(sorted((r.node.name, r.message) for r in result.result.results))
        same(list(given), list(errors))
        for name, message in given.items():
            assert errors[name] in message, message

    return " ".join(command), step


def unit_test(url):
    """It keeps what it is given in temporary tables."""
    results = well(url, "test", "--select", "test_type:unit")[0].results
    same([(r.node.name, str(r.status)) for r in results], [("nobody_twice", "pass")])


def views(url):
    """Models that are views, in the schema of ours that has views."""
    database = Place(url).database if url == POSTGRES else "inflowave"
    with psycopg.connect(f"{url.rpartition('/')[0]}/{database}", autocommit=True) as connection:
        try:
            # A second time, too, when there is one to be replaced.
            for _ in range(2):
                well(url, "run", "--select", "spent_view", "--target", "views")
                rows = connection.execute("select name, spent::text from public.spent_view order by name").fetchall()
                same(rows, [("Ann", "63.50"), ("Bob", "99.99"), ("Zoë O'Hara", "33.00")])
        finally:
            connection.execute("drop view if exists public.spent_view")


STEPS = [
    ("debug", debug),
    ("parse", parse),
    ("compile", compiled),
    *SHOWN,
    ("docs generate", docs),
    ("source freshness", freshness),
    ("test", tests),
    macro("look", {"relation": ["shop", "order_items"], "no relation": True, "schemas": [True, False]}),
    writes(("run",), {None: f"cannot execute CREATE SCHEMA {READ_ONLY}"}),
    writes(("seed",), {None: f"cannot execute CREATE SCHEMA {READ_ONLY}"}),
    # In a schema that is there already.
    writes(
        ("run", "--target", "there"),
        {
            "spent_table": f"cannot execute CREATE TABLE {READ_ONLY}",
            "spent_view": "views are kept in the schema inflowave.public",
        },
    ),
]
# Views of a source are tables in InfloWave, and it knows none of a source's comments and indexes. There
# are no temporary tables. CREATE VIEW is refused in a transaction, in which dbt always is.
NOT_YET = [
    ("docs generate: views and comments", docs_kinds),
    macro("look_kinds", {}),
    macro("look_indexes", {}),
    ("unit tests", unit_test),
    ("run of views", views),
]

check(STEPS, NOT_YET)

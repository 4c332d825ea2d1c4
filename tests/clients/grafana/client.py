"""What Grafana's PostgreSQL data source sends: its check of health, its questions for version, TimescaleDB,
schemas, tables and columns, and queries with its macros replaced as it replaces them.

After grafana/grafana: pkg/tsdb/grafana-postgresql-datasource/macros.go and
public/app/plugins/datasource/grafana-postgresql-datasource/postgresMetaQuery.ts.

Usage: grafana/client.py POSTGRES_URL INFLOWAVE_URL
"""

import datetime
from decimal import Decimal

import psycopg
from psycopg.pq import ExecStatus

from known import check, rows, same

FROM, TO = "2024-03-01T00:00:00Z", "2024-03-01T05:59:59.999Z"
EPOCH, EPOCH_TO = 1709251200, 1709272799
UTC = datetime.timezone.utc
# Each ten minutes from 0 to 35, without 7.
HOURS = [sum(n for n in range(6 * h, 6 * h + 6) if n != 7) for h in range(6)]

MACROS = {
    "time(at)": 'at AS "time"',
    "timeEpoch(at)": 'extract(epoch from at) as "time"',
    "timeFilter(at)": f"at BETWEEN '{FROM}' AND '{TO}'",
    "timeFrom()": f"'{FROM}'",
    "timeTo()": f"'{TO}'",
    "timeGroup(at,1h)": "floor(extract(epoch from at)/3600)*3600",
    "timeGroupAlias(at,500ms)": 'floor(extract(epoch from at)/0.5)*0.5 AS "time"',
    "timeGroupAlias(at,1h)": 'floor(extract(epoch from at)/3600)*3600 AS "time"',
    "unixEpochFilter(epoch)": f"epoch >= {EPOCH} AND epoch <= {EPOCH_TO}",
    "unixEpochNanoFilter(epoch*1000000000)": f"epoch*1000000000 >= {EPOCH * 10**9}"
    f" AND epoch*1000000000 <= {EPOCH_TO * 10**9 + 999000000}",
    "unixEpochNanoFrom()": f"{EPOCH * 10**9}",
    "unixEpochNanoTo()": f"{EPOCH_TO * 10**9 + 999000000}",
    "unixEpochGroup(epoch,1h)": "floor((epoch)/3600)*3600",
    "unixEpochGroupAlias(epoch,1h)": 'floor((epoch)/3600)*3600 AS "time"',
}


def replaced(sql):
    for name, text in MACROS.items():
        sql = sql.replace("$__" + name, text)
    assert "$__" not in sql, sql
    return sql


def query(sql, expected):
    return rows(sql, replaced(sql), expected)


def at(minutes):
    return datetime.datetime.fromtimestamp(EPOCH + 60 * minutes, UTC)


QUERIES = [
    query(
        "SELECT $__time(at), value FROM shop.readings WHERE $__timeFilter(at) AND sensor = 'a' ORDER BY 1 LIMIT 3",
        [(at(0), 0.0), (at(10), 1.0), (at(20), 2.0)],
    ),
    query(
        "SELECT $__timeEpoch(at), value FROM shop.readings WHERE $__timeFilter(at) AND sensor = 'b' ORDER BY 1 LIMIT 2",
        [(Decimal("1709251200.000000"), 0.0), (Decimal("1709251800.000000"), 0.5)],
    ),
    query(
        "SELECT $__timeGroupAlias(at,1h), sensor AS metric, sum(value) AS value FROM shop.readings"
        " WHERE $__timeFilter(at) AND sensor = 'a' GROUP BY 1, 2 ORDER BY 1, 2",
        [(Decimal(EPOCH + 3600 * h), "a", float(v)) for h, v in enumerate(HOURS)],
    ),
    query(
        "SELECT $__timeGroup(at,1h) AS time, max(value) AS b FROM shop.readings"
        " WHERE at >= $__timeFrom() AND at < $__timeTo() AND sensor = 'b' GROUP BY $__timeGroup(at,1h) ORDER BY time",
        [(Decimal(EPOCH + 3600 * h), 3.0 * h + 2.5) for h in range(6)],
    ),
    query(
        "SELECT $__timeGroupAlias(at,500ms), avg(value) FROM shop.readings GROUP BY 1 ORDER BY 1 LIMIT 2",
        [(Decimal("1709251200.0"), 0.0), (Decimal("1709251800.0"), 0.75)],
    ),
    query(
        "SELECT $__timeGroupAlias(at,1h), sensor, avg(value) - lag(avg(value)) OVER (PARTITION BY sensor ORDER BY"
        " $__timeGroup(at,1h)) AS change FROM shop.readings WHERE $__timeFilter(at) AND sensor = 'b' GROUP BY 1, 2"
        " ORDER BY 1, 2 LIMIT 3",
        [
            (Decimal(EPOCH), "b", None),
            (Decimal(EPOCH + 3600), "b", 3.1500000000000004),
            (Decimal(EPOCH + 7200), "b", 2.8499999999999996),
        ],
    ),
    query(
        "SELECT $__unixEpochGroupAlias(epoch,1h), sum(value) AS value FROM shop.readings"
        " WHERE $__unixEpochFilter(epoch) AND sensor = 'a' GROUP BY 1 ORDER BY 1",
        [(float(EPOCH + 3600 * h), float(v)) for h, v in enumerate(HOURS)],
    ),
    query(
        "SELECT $__unixEpochGroup(epoch,1h) AS time, count(*), count(value) FROM shop.readings"
        " GROUP BY $__unixEpochGroup(epoch,1h) ORDER BY time LIMIT 2",
        [(float(EPOCH), 12, 12), (float(EPOCH + 3600), 12, 10)],
    ),
    query(
        "SELECT count(*), $__unixEpochNanoFrom() AS f, $__unixEpochNanoTo() AS t FROM shop.readings"
        " WHERE $__unixEpochNanoFilter(epoch*1000000000)",
        [(72, EPOCH * 10**9, EPOCH_TO * 10**9 + 999000000)],
    ),
    query(
        "SELECT sensor, min(value), max(value), (array_agg(value ORDER BY at DESC))[1] AS last FROM shop.readings"
        " WHERE $__timeFilter(at) GROUP BY sensor ORDER BY sensor",
        [("a", 0.0, 35.0, 35.0), ("b", 0.0, 17.5, 17.5)],
    ),
    query(
        "SELECT DISTINCT sensor FROM shop.readings WHERE sensor IN ('a','b') ORDER BY sensor",
        [("a",), ("b",)],
    ),
    query(
        "SELECT date_trunc('hour', at) AS \"time\", avg(value) FROM shop.readings WHERE $__timeFilter(at)"
        " AND sensor = 'a' GROUP BY 1 ORDER BY 1 LIMIT 2",
        [(at(0), 2.5), (at(60), 8.8)],
    ),
    query(
        'SELECT AVG(value) AS "v", sensor AS "s" FROM shop.readings GROUP BY sensor ORDER BY sensor LIMIT 50',
        [(17.8, "a"), (8.9, "b")],
    ),
]


def pinged(url):
    """What its drivers send to see whether a connection lives: pgx a comment, lib/pq a semicolon."""
    with psycopg.connect(url, autocommit=True) as connection:
        for sql in ("-- ping", ";"):
            same(ExecStatus(connection.execute(sql).pgresult.status), ExecStatus.EMPTY_QUERY)


HIDDEN = (
    "('information_schema', 'pg_catalog', 'pg_toast', '_timescaledb_cache', '_timescaledb_catalog',"
    " '_timescaledb_internal', '_timescaledb_config', 'timescaledb_information', 'timescaledb_experimental')"
)
# The schemas of search_path, as a condition on information_schema.
IN_PATH = """quote_ident(table_schema) in (
    select case when trim(s[i]) = '"$user"' then user else trim(s[i]) end
    from generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
                         array_upper(string_to_array(current_setting('search_path'), ','), 1)) as i,
         string_to_array(current_setting('search_path'), ',') s)"""
IN_SHOP = ["set search_path to shop, public"]
LISTING = f"""select case when {IN_PATH} then quote_ident(table_name)
        else quote_ident(table_schema) || '.' || quote_ident(table_name) end as "table"
    from information_schema.tables where quote_ident(table_schema) not in {HIDDEN}
    order by case when {IN_PATH} then 0 else 1 end, 1"""
SHOP = ['"Odd Names"', "big", "customers", "order_items", "order_totals", "orders", "readings", "types"]
PUBLIC = ['"Odd ""name"', "customers", "rich"]


def columns(table):
    return f"""select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns
        where case when array_length(parse_ident('{table}'), 1) = 2
            then quote_ident(table_schema) = (parse_ident('{table}'))[1]
                 and quote_ident(table_name) = (parse_ident('{table}'))[2]
            else quote_ident(table_name) = '{table}' and {IN_PATH} end"""


CUSTOMERS = [
    ("id", "integer"),
    ("email", "character varying"),
    ("name", "text"),
    ("country", "character"),
    ("joined", "date"),
    ("active", "boolean"),
]
LOOKS = [
    ("ping", pinged),
    rows("health", "SELECT 1", [(1,)]),
    rows("version", "select current_setting('server_version_num')::int/100 as version", [(1500,)]),
    rows("TimescaleDB", "select extversion from pg_extension where extname = 'timescaledb'", []),
    rows(
        "schemas",
        f'select schema_name as "name" from information_schema.schemata where schema_name not in {HIDDEN} order by schema_name',
        [("public",), ("sales",), ("shop",)],
    ),
    rows(
        "tables of a schema",
        'select quote_ident(table_name) as "table" from information_schema.tables where quote_ident(table_schema) = \'shop\' order by 1',
        [(t,) for t in SHOP],
    ),
    rows("tables", LISTING, [(t,) for t in [*PUBLIC, "sales.orders", *("shop." + t for t in SHOP)]]),
    rows("columns of a table of a schema", columns("shop.customers"), CUSTOMERS),
    rows("columns by search_path", columns("customers"), CUSTOMERS, ["set search_path to shop"]),
    rows("columns of a quoted name", columns('"Odd Names"'), [('"Key"', "integer"), ('"select"', "text"), ('"a ""b"""', "text")], IN_SHOP),
]

check([*QUERIES, *LOOKS])

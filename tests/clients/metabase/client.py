"""What Metabase's PostgreSQL driver sends: its sync, fingerprints and the shapes of its questions.

Written anew in the shape that the published source makes (metabase/metabase, src/metabase/driver/postgres.clj
and the query processor for SQL below it; AGPL-3.0, no text of it is copied). Metabase sends by pgjdbc, with
parameters of types that the server infers. Usage: metabase/client.py POSTGRES_URL INFLOWAVE_URL
"""

import datetime
import functools
from decimal import Decimal

import psycopg

from known import POSTGRES, check, same

SHOP = ("public", "sales", "shop")


@functools.cache
def connected(url):
    connection = psycopg.connect(url, autocommit=True)
    # It reads only, and says so to the server.
    connection.execute("set session characteristics as transaction read only")
    return connection


def ask(url, sql, parameters=(), zone="UTC"):
    connection = connected(url)
    connection.execute(f"set session timezone to '{zone}'")
    comment = "-- Metabase:: userID: 1 queryType: MBQL queryHash: 5f0c\n"
    cursor = psycopg.RawCursor(connection).execute(comment + sql, parameters, prepare=True)
    return [(c.name, c.type_code) for c in cursor.description], cursor.fetchall()


def asked(what, sql, *parameters, expected=None, ordered=True, zones=("UTC",)):
    """A step: columns and rows are those of PostgreSQL, or `expected` too."""

    def step(url):
        for zone in zones:
            columns, found = ask(url, sql, parameters, zone)
            assert found or expected == [], "no rows"
            if not ordered:
                found = sorted(found, key=repr)
            if expected is not None:
                same(found, expected)
            if url != POSTGRES:
                theirs = ask(POSTGRES, sql, parameters, zone)
                same((zone, columns, found), (zone, theirs[0], theirs[1] if ordered else sorted(theirs[1], key=repr)))

    return what, step


# ---- the sync -----------------------------------------------------------------------------------

TABLES = """select "n"."nspname" as "schema", "c"."relname" as "name",
    case "c"."relkind" when 'r' then 'TABLE' when 'p' then 'PARTITIONED TABLE' when 'v' then 'VIEW'
        when 'f' then 'FOREIGN TABLE' when 'm' then 'MATERIALIZED VIEW' else null end as "type",
    "d"."description" as "description", "stat"."n_live_tup" as "estimated_row_count"
from "pg_catalog"."pg_class" as "c"
inner join "pg_catalog"."pg_namespace" as "n" on "c"."relnamespace" = "n"."oid"
left join "pg_catalog"."pg_description" as "d"
    on ("c"."oid" = "d"."objoid") and ("d"."objsubid" = 0) and ("d"."classoid" = 'pg_class'::regclass)
left join "pg_stat_user_tables" as "stat" on ("n"."nspname" = "stat"."schemaname") and ("c"."relname" = "stat"."relname")
where ("c"."relnamespace" = "n"."oid") and ("n"."nspname" !~ '^pg_') and ("n"."nspname" <> 'information_schema')
    and c.relkind in ('r', 'p', 'v', 'f', 'm') and ("n"."nspname" in ($1, $2, $3))
order by "type" asc, "schema" asc, "name" asc"""

NEXTVAL = """(("column_default" is not null) and ("column_default" like '%nextval(%')) or ("is_identity" <> 'NO')"""
FIELDS = f"""select "c"."column_name" as "name",
    case when "c"."udt_schema" in ('public', 'pg_catalog') then format('%s', "c"."udt_name")
        else format('"%s"."%s"', "c"."udt_schema", "c"."udt_name") end as "database-type",
    "c"."ordinal_position" - 1 as "database-position", "c"."table_schema" as "table-schema",
    "c"."table_name" as "table-name", "pk"."column_name" is not null as "pk?",
    col_description(cast(cast(format('%I.%I', cast("c"."table_schema" as text), cast("c"."table_name" as text))
        as regclass) as oid), "c"."ordinal_position") as "field-comment",
    (("column_default" is null) or (lower("column_default") = 'null')) and ("is_nullable" = 'NO')
        and not ({NEXTVAL}) as "database-required",
    {NEXTVAL} as "database-is-auto-increment"
from "information_schema"."columns" as "c"
left join (
    select "tc"."table_schema", "tc"."table_name", "kc"."column_name"
    from "information_schema"."table_constraints" as "tc"
    inner join "information_schema"."key_column_usage" as "kc" on ("tc"."constraint_name" = "kc"."constraint_name")
        and ("tc"."table_schema" = "kc"."table_schema") and ("tc"."table_name" = "kc"."table_name")
    where "tc"."constraint_type" = 'PRIMARY KEY'
) as "pk" on ("c"."table_schema" = "pk"."table_schema") and ("c"."table_name" = "pk"."table_name")
    and ("c"."column_name" = "pk"."column_name")
where c.table_schema !~ '^information_schema|catalog_history|pg_' and ("c"."table_schema" in ($1, $2, $3))
union all
select "pa"."attname" as "name", case when "ptn"."nspname" in ('public', 'pg_catalog') then format('%s', "pt"."typname")
        else format('"%s"."%s"', "ptn"."nspname", "pt"."typname") end as "database-type",
    "pa"."attnum" - 1 as "database-position", "pn"."nspname" as "table-schema", "pc"."relname" as "table-name",
    false as "pk?", null as "field-comment", false as "database-required", false as "database-is-auto-increment"
from "pg_catalog"."pg_class" as "pc"
inner join "pg_catalog"."pg_namespace" as "pn" on "pn"."oid" = "pc"."relnamespace"
inner join "pg_catalog"."pg_attribute" as "pa" on "pa"."attrelid" = "pc"."oid"
inner join "pg_catalog"."pg_type" as "pt" on "pt"."oid" = "pa"."atttypid"
inner join "pg_catalog"."pg_namespace" as "ptn" on "ptn"."oid" = "pt"."typnamespace"
where ("pc"."relkind" = 'm') and ("pa"."attnum" >= 1) and ("pn"."nspname" in ($1, $2, $3))
order by "table-schema" asc, "table-name" asc, "database-position" asc"""

FKS = """select "fk_ns"."nspname" as "fk-table-schema", "fk_table"."relname" as "fk-table-name",
    "fk_column"."attname" as "fk-column-name", "pk_ns"."nspname" as "pk-table-schema",
    "pk_table"."relname" as "pk-table-name", "pk_column"."attname" as "pk-column-name"
from "pg_constraint" as "c"
inner join "pg_class" as "fk_table" on "c"."conrelid" = "fk_table"."oid"
inner join "pg_namespace" as "fk_ns" on "c"."connamespace" = "fk_ns"."oid"
inner join "pg_attribute" as "fk_column" on "c"."conrelid" = "fk_column"."attrelid"
inner join "pg_class" as "pk_table" on "c"."confrelid" = "pk_table"."oid"
inner join "pg_namespace" as "pk_ns" on "pk_table"."relnamespace" = "pk_ns"."oid"
inner join "pg_attribute" as "pk_column" on "c"."confrelid" = "pk_column"."attrelid"
where fk_ns.nspname !~ '^information_schema|catalog_history|pg_' and ("c"."contype" = 'f'::char)
    and ("fk_column"."attnum" = any(c.conkey)) and ("pk_column"."attnum" = any(c.confkey))
    and ("fk_ns"."nspname" in ($1, $2, $3))
order by "fk-table-schema" asc, "fk-table-name" asc"""

INDEXES = """select "tmp"."table-schema", "tmp"."table-name",
    trim(both '"' from "pg_catalog"."pg_get_indexdef"("tmp"."ci_oid", "tmp"."pos", false)) as "field-name"
from (
    select "n"."nspname" as "table-schema", "ct"."relname" as "table-name", "ci"."oid" as "ci_oid",
        (information_schema._pg_expandarray("i"."indkey"))."n" as "pos"
    from "pg_catalog"."pg_class" as "ct"
    inner join "pg_catalog"."pg_namespace" as "n" on "ct"."relnamespace" = "n"."oid"
    inner join "pg_catalog"."pg_index" as "i" on "ct"."oid" = "i"."indrelid"
    inner join "pg_catalog"."pg_class" as "ci" on "ci"."oid" = "i"."indexrelid"
    where ("pg_catalog"."pg_get_expr"("i"."indpred", "i"."indrelid") is null)
        and n.nspname !~ '^information_schema|catalog_history|pg_'
) as "tmp"
where "tmp"."pos" = 1"""

QUOTED = """'"' || replace(t.schemaname, '"', '""') || '"' || '.' || '"' || replace(t.objectname, '"', '""') || '"'"""
PRIVILEGES = f"""with table_privileges as (
    select null as role, t.schemaname as schema, t.objectname as table,
        pg_catalog.has_any_column_privilege(current_user, {QUOTED}, 'update') as update,
        pg_catalog.has_any_column_privilege(current_user, {QUOTED}, 'select') as select,
        pg_catalog.has_any_column_privilege(current_user, {QUOTED}, 'insert') as insert,
        pg_catalog.has_table_privilege(current_user, {QUOTED}, 'delete') as delete
    from (
        select schemaname, tablename as objectname from pg_catalog.pg_tables
        union select schemaname, viewname as objectname from pg_catalog.pg_views
        union select schemaname, matviewname as objectname from pg_catalog.pg_matviews
    ) t
    where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema'
        and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')
)
select t.* from table_privileges t"""

NAMES = ("Odd Names", "big", "customers", "order_items", "order_totals", "orders", "readings", "types")


def tables(url):
    """What kind, comment and size a table has is not known of a source."""
    columns, found = ask(url, TABLES, SHOP)
    same(sorted(r[:2] for r in found if r[0] == "shop"), [("shop", name) for name in NAMES])
    same(columns, ask(POSTGRES, TABLES, SHOP)[0])


def fields(url):
    """All but keys and comments."""

    def known(url):
        columns, found = ask(url, FIELDS, SHOP)
        return columns, [(*r[:5], *r[7:]) for r in found]

    columns, found = known(url)
    same(found[[r[3:5] for r in found].index(("shop", "customers"))], ("id", "int4", 0, "shop", "customers", True, False))
    same((columns, found), known(POSTGRES))


def privileges(url):
    columns, found = ask(url, PRIVILEGES)
    # A superuser may do all, to PostgreSQL and to us; that a source is not written to is no matter of privileges.
    same(sorted(r[1:3] for r in found if r[1] == "shop"), [("shop", name) for name in NAMES])
    same([r[4] for r in found], [True] * len(found))
    same(columns, ask(POSTGRES, PRIVILEGES)[0])


def zone(url):
    connected(url).execute("reset timezone")
    same(connected(url).execute("show timezone").fetchone(), ("UTC",))


SYNC = [
    ("time zone", zone),
    asked("enums", "select nspname, typname from pg_type t join pg_namespace n on n.oid = t.typnamespace where t.oid in (select distinct enumtypid from pg_enum e)", expected=[]),
    ("tables", tables),
    ("fields", fields),
    ("privileges", privileges),
    asked("is there a table", 'select true as "_" from "shop"."customers" where 1 <> 1 limit 0', expected=[]),
    asked("fingerprint", 'select "shop"."customers"."id" as "id", substring("shop"."customers"."name", 1, 1234) as "substring1", substring("shop"."customers"."email", 1, 1234) as "substring2", "shop"."customers"."joined" as "joined" from "shop"."customers" limit 10000', ordered=False),
    asked("values of a field", 'select "shop"."customers"."country" as "country" from "shop"."customers" group by "shop"."customers"."country" order by "shop"."customers"."country" asc limit 1001', expected=[("DE",), ("PL",)]),
    asked("values of a field, found", 'select "shop"."customers"."name" as "name" from "shop"."customers" where lower("shop"."customers"."name") like $1 group by "shop"."customers"."name" order by "shop"."customers"."name" asc limit 100', "%o%", expected=[("Bob",), ("Zoë O'Hara",)]),
    asked("length of JSON", 'select avg(length(cast("shop"."types"."c_jsonb" as text))) as "avg" from (select "c_jsonb" from "shop"."types" limit 100) as "types"'.replace('"shop"."types"."c_jsonb"', '"types"."c_jsonb"')),
]  # fmt: skip
# ---- times, in each unit -------------------------------------------------------------------------

TRUNCATED = ("minute", "hour", "month", "quarter", "year")
EXTRACTED = {"second-of-minute": "second", "minute-of-hour": "minute", "hour-of-day": "hour", "day-of-month": "day", "day-of-year": "doy", "month-of-year": "month", "quarter-of-year": "quarter", "year-of-era": "year", "week-of-year": "week"}
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu")


def buckets(table, column, type):
    full = f'"shop"."{table}"."{column}"'
    back = (lambda e: f"cast({e} as date)") if type == "date" else (lambda e: e)
    found = {unit: back(f"date_trunc('{unit}', {full})") for unit in TRUNCATED}
    found["day"] = f"cast({full} as date)"
    # A week starts on Sunday there.
    shifted = back(f"{full} + INTERVAL '1 day'") if type == "date" else f"({full} + INTERVAL '1 day')"
    week = back(f"date_trunc('week', {shifted})")
    found["week"] = back(f"({week} + INTERVAL '-1 day')")
    stamp = f"cast({full} as timestamp)" if type == "text" else full
    for unit, part in EXTRACTED.items():
        found[unit] = f"cast(extract({part} from {stamp}) as integer)"
    found["day-of-week"] = f"coalesce(nullif((cast(extract(dow from {stamp}) as integer) + 1 + 0) % 7, 0), 7)"
    if type == "date":
        found = {unit: e for unit, e in found.items() if not unit.startswith(("minute", "hour", "second"))}
    for unit, bucket in found.items():
        sql = f'select {bucket} as "{column}", count(*) as "count" from "shop"."{table}" group by {bucket} order by {bucket} asc'
        yield asked(f"{column} by {unit}", sql, zones=ZONES if type == "timestamptz" else ("UTC",))


BUCKETS = [
    *buckets("orders", "ordered_at", "timestamptz"),
    *buckets("readings", "at", "timestamptz"),
    *buckets("customers", "joined", "date"),
    *buckets("types", "c_timestamp", "timestamp"),
]

ORDERS = '"shop"."orders"'
DIFFERENCE = {
    "year": "cast(extract(year from age(date_trunc('day', {y}), date_trunc('day', {x}))) as integer)",
    "month": "cast((extract(month from age(date_trunc('day', {y}), date_trunc('day', {x}))) + (extract(year from age(date_trunc('day', {y}), date_trunc('day', {x}))) * 12)) as integer)",
    "quarter": "cast((extract(month from age(date_trunc('day', {y}), date_trunc('day', {x}))) + (extract(year from age(date_trunc('day', {y}), date_trunc('day', {x}))) * 12)) as integer) / 3",
    "day": "cast({y} as DATE) - cast({x} as DATE)",
    "week": "(cast({y} as DATE) - cast({x} as DATE)) / 7",
    "second": "cast(trunc(extract(epoch from {y}) - extract(epoch from {x})) as integer)",
    "minute": "cast(trunc(extract(epoch from {y}) - extract(epoch from {x})) as integer) / 60",
    "hour": "cast(trunc(extract(epoch from {y}) - extract(epoch from {x})) as integer) / 3600",
}
TIMES = [
    *[
        asked(f"difference in {unit}s", f"select \"c\".\"id\", {text.format(x=chr(34) + 'c' + chr(34) + '.' + chr(34) + 'joined' + chr(34), y='o.ordered_at')} as \"d\" from \"shop\".\"customers\" as \"c\" inner join \"shop\".\"orders\" as o on o.customer_id = \"c\".\"id\" order by o.id", zones=ZONES)
        for unit, text in DIFFERENCE.items()
        if "age(" not in text
    ],
    asked("the last twelve months", f'select count(*) as "count" from {ORDERS} where ({ORDERS}."ordered_at" >= date_trunc(\'month\', (now() + INTERVAL \'-12 month\'))) and ({ORDERS}."ordered_at" < date_trunc(\'month\', now()))', expected=[(0,)]),
    asked("before today", f'select count(*) as "count" from {ORDERS} where {ORDERS}."ordered_at" < cast(now() as date)', expected=[(4,)]),
    asked("a day by parameters", f'select count(*) as "count" from {ORDERS} where ({ORDERS}."ordered_at" >= $1) and ({ORDERS}."ordered_at" < $2)', datetime.datetime(2024, 3, 1, tzinfo=datetime.UTC), datetime.datetime(2024, 3, 2, tzinfo=datetime.UTC), expected=[(2,)]),
    asked("a day by literals", f"select count(*) as \"count\" from {ORDERS} where ({ORDERS}.\"ordered_at\" >= timestamp with time zone '2024-03-01 00:00:00.000Z') and ({ORDERS}.\"ordered_at\" < timestamp with time zone '2024-03-02 00:00:00.000Z')", expected=[(2,)]),
    asked("a date by a parameter", 'select "id" from "shop"."customers" where "joined" = $1', datetime.date(2024, 2, 29), expected=[(2,)]),
    asked("a date by a cast parameter", 'select "id" from "shop"."customers" where "joined" >= cast($1 as date) order by 1', "2024-02-29", expected=[(2,), (3,)]),
    asked("in a zone", f'select {ORDERS}."id" as "id", timezone($1, {ORDERS}."ordered_at") as "there" from {ORDERS} order by 1', "Asia/Tokyo"),
    asked("from a zone to another", 'select timezone($1, timezone($2, "c_timestamp")) as "there" from "shop"."types" where "id" < 3 order by "id"', "Asia/Tokyo", "America/New_York"),
    asked("of seconds", 'select date_trunc(\'month\', to_timestamp("epoch")) as "at", count(*) as "count" from "shop"."readings" group by date_trunc(\'month\', to_timestamp("epoch")) order by 1', expected=[(datetime.datetime(2024, 3, 1, tzinfo=datetime.UTC), 72)]),
    asked("of milliseconds", 'select to_timestamp("epoch" * 1000 / 1000.0) as "at" from "shop"."readings" order by "epoch", "sensor" limit 2'),
    asked("of digits", "select to_timestamp(x, 'YYYYMMDDHH24MISS') as \"at\" from (values ('20240301093000')) t(x)"),
    asked("a quarter later", 'select "id", cast(("joined" + INTERVAL \'3 month\') as date) as "later" from "shop"."customers" order by 1'),
    asked("intervals of hours", f'select "id", ({ORDERS}."ordered_at" + INTERVAL \'-36 hour\') as "earlier" from {ORDERS} order by 1', zones=ZONES),
]  # fmt: skip

# ---- questions ------------------------------------------------------------------------------------

ITEMS = '"shop"."order_items"'
JOINED = f"""from {ITEMS}
left join {ORDERS} as "Orders" on {ITEMS}."order_id" = "Orders"."id"
left join "shop"."customers" as "Customers - Customer" on "Orders"."customer_id" = "Customers - Customer"."id" """
QUESTIONS = [
    asked("rows", f'select {ITEMS}."order_id" as "order_id", {ITEMS}."line" as "line", {ITEMS}."price" as "price" from {ITEMS} where {ITEMS}."price" > 5.0 order by 1, 2 limit 1048575'),
    asked("a parameter that is a number", f'select count(*) as "count" from {ITEMS} where {ITEMS}."price" > $1', Decimal("12.5"), expected=[(1,)]),
    asked("contains, in any case", 'select "id" from "shop"."customers" where lower("shop"."customers"."name") like $1 order by 1', "%o%", expected=[(2,), (3,)]),
    asked("contains, escaped", "select \"id\" from \"shop\".\"customers\" where \"email\" like '%\\_%' or \"email\" like $1", "%b@%", expected=[(2,)]),
    asked("does not contain", f'select "id" from {ORDERS} where not ("note" like $1) or "note" is null order by 1', "%a%", expected=[(10,), (11,), (12,)]),
    asked("is not", f'select "id" from {ORDERS} where ("note" <> $1) or ("note" is null) order by 1', "gift", expected=[(10,), (12,), (9000000000,)]),
    asked("is empty", f'select "id" from {ORDERS} where ("note" is null) or ("note" = $1) order by 1', "", expected=[(10,), (12,)]),
    asked("is one of", 'select "id" from "shop"."customers" where ("country" = $1) or ("country" = $2) order by 1', "PL", "FR", expected=[(1,), (3,)]),
    asked("a boolean", 'select "id" from "shop"."customers" where "shop"."customers"."active" = true order by 1', expected=[(1,), (3,)]),
    asked("a bigint as text", f'select "id" from {ORDERS} where "id" = $1', 9000000000, expected=[(9000000000,)]),
    asked("a uuid", 'select "id" from "shop"."types" where "c_uuid" = cast($1 as uuid)', "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", expected=[(1,)]),
    asked("join", f'select "Customers - Customer"."name" as "Customers - Customer__name", sum({ITEMS}."quantity" * {ITEMS}."price") as "sum", count(distinct "Orders"."id") as "count" {JOINED} group by "Customers - Customer"."name" order by "sum" desc, "Customers - Customer"."name" asc limit 2'),
    asked("a question on a question", f'select "source"."Customers - Customer__country" as "country", avg("source"."total") as "avg" from (select {ITEMS}."order_id" as "order_id", "Customers - Customer"."country" as "Customers - Customer__country", {ITEMS}."quantity" * {ITEMS}."price" as "total" {JOINED}) as "source" where "source"."total" > 10 group by "source"."Customers - Customer__country" order by 1'),
    asked("bins", f'select floor((({ITEMS}."price" - 0.0) / 20.0)) * 20.0 + 0.0 as "price", count(*) as "count" from {ITEMS} group by floor((({ITEMS}."price" - 0.0) / 20.0)) * 20.0 + 0.0 order by 1'),
    asked("bins of doubles", 'select floor((("value" - 0) / 5)) * 5 + 0 as "value", count(*) as "count" from "shop"."readings" group by floor((("value" - 0) / 5)) * 5 + 0 order by 1'),
    asked("running sum", f'select date_trunc(\'day\', {ORDERS}."ordered_at") as "at", sum(count(*)) over (order by date_trunc(\'day\', {ORDERS}."ordered_at") asc rows unbounded preceding) as "n" from {ORDERS} group by date_trunc(\'day\', {ORDERS}."ordered_at") order by 1'),
    asked("running sum in groups", 'select "sensor", date_trunc(\'hour\', "at") as "at", sum(sum("value")) over (partition by "sensor" order by date_trunc(\'hour\', "at") asc rows unbounded preceding) as "sum" from "shop"."readings" group by "sensor", date_trunc(\'hour\', "at") order by 1, 2'),
    asked("the value before", 'select date_trunc(\'hour\', "at") as "at", sum("value") as "sum", lag(sum("value"), 1) over (order by date_trunc(\'hour\', "at") asc) as "before" from "shop"."readings" group by date_trunc(\'hour\', "at") order by 1'),
    asked("moving average", 'select date_trunc(\'hour\', "at") as "at", avg(sum("value")) over (order by date_trunc(\'hour\', "at") asc rows between 2 preceding and current row) as "avg" from "shop"."readings" group by 1 order by 1'),
    asked("share", 'select cast(sum(case when "active" = true then 1 else 0.0 end) as float) / nullif(cast(count(*) as float), 0.0) as "share" from "shop"."customers"'),
    asked("sum where", f'select sum(case when {ITEMS}."product" = $1 then {ITEMS}."price" else 0.0 end) as "sum", count(case when {ITEMS}."product" = $1 then 1 end) as "count", count(distinct case when {ITEMS}."quantity" > 1 then {ITEMS}."product" end) as "distinct" from {ITEMS}', "cup", expected=[(Decimal("23.00"), 2, 2)]),
    asked("arithmetic", f'select round({ITEMS}."price" / nullif({ITEMS}."quantity", 0), 4) as "a", cast({ITEMS}."quantity" as DOUBLE PRECISION) / nullif({ITEMS}."line", 0) as "b", power({ITEMS}."quantity", 2) as "c", sqrt("line"::float) as "d", round({ITEMS}."price") as "e", ceil({ITEMS}."price") as "f", abs({ITEMS}."price" - 10) as "g", exp(1) as "h" from {ITEMS} order by "order_id", "line"'),
    asked("texts", 'select concat("name", \' / \', "country") as "a", substring("name" from $1) as "b", upper("name") as "c", length("name") as "d", trim("name") as "e", replace("name", \'o\', \'0\') as "f", substring("name", 1, 2) as "g", case when 2 < 1 then \'\' else split_part("email", \'@\', 2) end as "h", ltrim("name") as "i" from "shop"."customers" order by "id"', "[a-z]+"),
    asked("host of an address", "select substring('https://www.example.com/a' from '(?:[^\\.@/:]+\\.)?([^\\.@/:]+)\\.') as \"host\""),
    asked("case", 'select case when "country" = $1 then $2 when "joined" < date \'2024-06-01\' then $3 else $4 end as "kind", count(*) as "count" from "shop"."customers" group by 1 order by 1', "PL", "home", "old", "new"),
    asked("coalesce", f'select coalesce("note", $1) as "note", count(*) as "count" from {ORDERS} group by coalesce("note", $1) order by 1', "none"),
    asked("JSON", 'select ("c_json"#>> array[$1]::text[])::bigint as "a", ("c_jsonb"#>> array[$2, $3]::text[])::text as "b" from "shop"."types" where "id" < 2', "a", "b", "0", expected=[(1, "true")]),
    asked("casts", "select cast('1.5' as DOUBLE PRECISION) as \"a\", cast('7' as BIGINT) as \"b\", cast(\"id\" as TEXT) as \"c\", cast(\"email\" as text) as \"d\", cast('2024-02-29' as DATE) as \"e\", cast('2024-02-29T10:00:00' as timestamp) as \"f\" from \"shop\".\"customers\" order by \"id\""),
    asked("pages", 'select "id" from "shop"."big" order by "id" asc limit 3 offset 4997', expected=[(4998,), (4999,), (5000,)]),
    asked("totals of a pivot", 'select "country", "active", abs(0) as "pivot-grouping", count(*) as "count" from "shop"."customers" group by "country", "active", abs(0) order by "country" asc, "active" asc, "pivot-grouping" asc'),
    asked("distinct", 'select count(distinct "country") as "count", min("joined") as "min", max("joined") as "max" from "shop"."customers"'),
    asked("odd names", 'select "shop"."Odd Names"."a ""b""" as "a ""b""", count(*) as "count" from "shop"."Odd Names" group by "shop"."Odd Names"."a ""b""" order by 1'),
    asked("a random row", 'select "id" from "shop"."customers" where "id" = 1 order by random() limit 1', expected=[(1,)]),
    asked("a temporal value of a literal", 'select $1::timestamptz as "a", cast($2 as timestamp) as "b", cast($3 as time) as "c"', "2024-03-01 09:30:00+01", "2024-03-01 09:30:00", "09:30:00"),
    asked("sources of texts", "select \"source\".\"n\" from (select 1 as \"n\" -- a comment at the end\n) as \"source\" limit 2000", expected=[(1,)]),
]  # fmt: skip


def errors(url):
    for sql, state in (('select "shop"."customers"."nothing" from "shop"."customers"', "42703"), ('select * from "shop"."nothing"', "42P01"), ("select 1 / 0", "22012")):
        try:
            ask(url, sql)
        except psycopg.Error as error:
            same(error.sqlstate, state)
        else:
            raise AssertionError(f"{sql}: no error")


MADE = [
    *[
        asked(f"time by {unit}", f'select make_time(extract(hour from "c_time")::integer, {minute}, {second}) as "t", count(*) as "count" from "shop"."types" where "c_time" is not null group by 1 order by 1')
        for unit, minute, second in (
            ("hour", "0", "0.0"),
            ("minute", 'extract(minute from "c_time")::integer', "0.0"),
            ("second", 'extract(minute from "c_time")::integer', 'extract(second from "c_time")::double precision'),
        )
    ],
    *[
        asked(f"difference in {unit}s", f"select \"c\".\"id\", {text.format(x=chr(34) + 'c' + chr(34) + '.' + chr(34) + 'joined' + chr(34), y='o.ordered_at')} as \"d\" from \"shop\".\"customers\" as \"c\" inner join \"shop\".\"orders\" as o on o.customer_id = \"c\".\"id\" order by o.id", zones=ZONES)
        for unit, text in DIFFERENCE.items()
        if "age(" in text
    ],
    asked("median", f'select percentile_cont(0.5) within group (order by {ITEMS}."price") as "median", percentile_cont(0.9) within group (order by {ITEMS}."price") as "p90" from {ITEMS}'),
]  # fmt: skip
NOT_YET = [
    # Of a source there are no kinds, comments, keys and indexes.
    asked("tables: kinds, comments and sizes", TABLES.replace('"stat"."n_live_tup"', "0"), *SHOP),
    asked("fields: keys and comments", FIELDS, *SHOP),
    asked("foreign keys", FKS, *SHOP, ordered=False),
    asked("indexes", INDEXES, ordered=False),
    # A function that is not there.
    asked("logarithm", f'select log(10, {ITEMS}."price") as "log" from {ITEMS} order by "order_id", "line"'),
    asked("square root", f'select sqrt({ITEMS}."price") as "sqrt" from {ITEMS} order by "order_id", "line"'),
    # Doubles instead of numerics; digits that a numeric of a text does not have.
    asked("spread", f'select stddev_pop({ITEMS}."price") as "stddev", var_pop({ITEMS}."quantity") as "var" from {ITEMS}'),
    asked("JSON in groups", 'select ("c_json"#>> array[\'a\']::text[])::decimal as "c_json → a", count(*) as "count" from "shop"."types" group by "c_json → a" order by "c_json → a" asc'),
]  # fmt: skip

check([*SYNC, *BUCKETS, *TIMES, *QUESTIONS, *MADE, ("errors", errors)], NOT_YET)

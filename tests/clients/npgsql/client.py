"""What Npgsql sends: its loading of types when it connects, what a pool sends, GetSchema, the columns behind
a reader's schema, and each type in the binary format, which is the only one that it reads.

Written anew in the shape of its published source (npgsql/npgsql, src/Npgsql/PostgresDatabaseInfo.cs,
NpgsqlSchema.cs and Schema/DbColumnSchemaGenerator.cs). Usage: npgsql/client.py POSTGRES_URL INFLOWAVE_URL
"""

import functools

import psycopg
from psycopg import pq

from known import POSTGRES, Place, check, same


@functools.cache
def connected(url):
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("set timezone to 'UTC'")
    return connection


def several(url, sql):
    """The results of one text of several statements, by the simple protocol: names, types and texts of each."""
    raw = connected(url).pgconn
    raw.send_query(sql.encode())
    results = []
    while True:
        while raw.is_busy():
            raw.consume_input()
        result = raw.get_result()
        if result is None:
            return results
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise AssertionError(result.error_message.decode())
        results.append((columns_of(result), rows_of(result)))


def columns_of(result):
    return [(result.fname(i).decode(), result.ftype(i), result.fsize(i)) for i in range(result.nfields)]


def rows_of(result):
    return [tuple(result.get_value(row, i) for i in range(result.nfields)) for row in range(result.ntuples)]


def binary(url, sql, parameters=(), types=()):
    """By the extended protocol, as Npgsql has it: values in binary, and what is known of the columns."""
    raw = connected(url).pgconn
    raw.prepare(b"", sql.encode(), list(types) or None)
    described = raw.describe_prepared(b"")
    result = raw.exec_params(sql.encode(), list(parameters), list(types) or None, [1] * len(parameters) or None, 1)
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise AssertionError(result.error_message.decode())
    same(columns_of(described), columns_of(result))
    # Length -1 is that of NULL; a value has as many bytes as its length.
    return columns_of(result), rows_of(result)


def equal(what, sql, parameters=(), types=(), ordered=True):
    def step(url):
        columns, rows = binary(url, sql, parameters, types)
        assert rows, "no rows"
        if url != POSTGRES:
            theirs = binary(POSTGRES, sql, parameters, types)
            same((columns, rows if ordered else sorted(rows)), (theirs[0], theirs[1] if ordered else sorted(theirs[1])))

    return what, step


# ---- at the start -----------------------------------------------------------------------------------

KINDS = "('b', 'r', 'm', 'e', 'd')"
TYPES = f"""select ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid
from (
    -- An array is known by the function that receives it
    select typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind,
        elemtyp.oid as elemtypoid, elemtyp.typname as elemtypname, elemcls.relkind as elemrelkind,
        case when elemproc.proname='array_recv' then 'a' else elemtyp.typtype end as elemtyptype
    from (
        select typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem as elemoid,
            case when proc.proname='array_recv' then 'a' else typ.typtype end as typtype,
            case
                when proc.proname='array_recv' then typ.typelem
                when typ.typtype='r' then rngsubtype
                when typ.typtype='m' then (select rngtypid from pg_range where rngmultitypid = typ.oid)
                when typ.typtype='d' then typ.typbasetype
            end as elemtypoid
        from pg_type as typ
        left join pg_class as cls on (cls.oid = typ.typrelid)
        left join pg_proc as proc on proc.oid = typ.typreceive
        left join pg_range on (pg_range.rngtypid = typ.oid)
    ) as typ
    left join pg_type as elemtyp on elemtyp.oid = elemtypoid
    left join pg_class as elemcls on (elemcls.oid = elemtyp.typrelid)
    left join pg_proc as elemproc on elemproc.oid = elemtyp.typreceive
) as t
join pg_namespace as ns on (ns.oid = typnamespace)
where
    typtype in {KINDS} or
    (typtype = 'c' and relkind='c') or
    (typtype = 'p' and typname in ('record', 'void', 'unknown')) or
    (typtype = 'a' and (
        elemtyptype in {KINDS} or
        (elemtyptype = 'p' and elemtypname in ('record', 'void')) or
        (elemtyptype = 'c' and elemrelkind='c')
    ))
order by case
       when typtype in ('b', 'e', 'p') then 0
       when typtype = 'r' then 1
       when typtype = 'm' then 2
       when typtype = 'c' then 3
       when typtype = 'd' and elemtyptype <> 'a' then 4
       when typtype = 'a' then 5
       when typtype = 'd' and elemtyptype = 'a' then 6
end;"""
LOADING = f"""select version();
{TYPES}
-- Fields of composite types
select typ.oid, att.attname, att.atttypid
from pg_type as typ
join pg_namespace as ns on (ns.oid = typ.typnamespace)
join pg_class as cls on (cls.oid = typ.typrelid)
join pg_attribute as att on (att.attrelid = typ.typrelid)
where
  (typ.typtype = 'c' and cls.relkind='c') and
  attnum > 0 and
  not attisdropped
order by typ.oid, att.attnum;
-- Labels of enums
select pg_type.oid, enumlabel
from pg_enum
join pg_type on pg_type.oid=enumtypid
order by oid, enumsortorder;"""
OF_INFORMATION_SCHEMA = (b"cardinal_number", b"character_data", b"sql_identifier", b"time_stamp", b"yes_or_no")


def types_of(url):
    version, types, fields, labels = several(url, LOADING)
    assert version[1][0][0].startswith(b"PostgreSQL 15."), version
    same((fields[1], labels[1]), ([], []))
    return types


def named_types(url):
    columns, found = types_of(url)
    return columns, {row[2]: row for row in found}


def loading(url):
    """What Npgsql has to know to read columns that are no arrays."""
    columns, known = named_types(url)
    same(columns, named_types(POSTGRES)[0])
    expected = named_types(POSTGRES)[1]
    for name in (
        *(b"bool", b"int2", b"int4", b"int8", b"float4", b"float8", b"numeric", b"text", b"varchar", b"bpchar", b"bytea"),
        *(b"date", b"time", b"timestamp", b"timestamptz", b"interval", b"uuid", b"json", b"jsonb", b"oid", b"name"),
        *(b"record", b"void", b"char", b"timetz", b"inet", b"xml", b"money", b"point", b"int4range", b"int4multirange"),
    ):
        same(known[name], expected[name])


def arrays(url):
    """It knows them by the function that receives them, and wants each behind what it is of."""
    found, expected = named_types(url)[1], named_types(POSTGRES)[1]
    places = {row[1]: place for place, row in enumerate(found.values())}
    for name in (b"_int4", b"_text", b"_numeric", b"_timestamptz", b"_uuid", b"_jsonb", b"_int4range"):
        same(found[name], expected[name])
        assert places[found[name][5]] < places[found[name][1]], name
    # What both have is the same in both.
    both = [name for name in found if name in expected and found[name][0] == b"pg_catalog"]
    same([found[name] for name in both], [expected[name] for name in both])


def all_types(url):
    def named(url):
        return sorted((row[0], row[2], row[3]) for row in types_of(url)[1] if not row[2].endswith(OF_INFORMATION_SCHEMA))

    same(named(url), named(POSTGRES))


def domains(url):
    """The types of information_schema, which its columns have."""
    found = sorted(row[2] for row in types_of(url)[1] if row[3] == b"d")
    same(found, sorted(OF_INFORMATION_SCHEMA))


def parameters(url):
    """What it reads of the server's parameters."""
    raw = connected(url).pgconn
    for name, value in (("client_encoding", b"UTF8"), ("integer_datetimes", b"on"), ("standard_conforming_strings", b"on"), ("TimeZone", b"UTC")):
        same((name, raw.parameter_status(name.encode())), (name, value))
    same(raw.parameter_status(b"server_version").split(b".")[0], b"15")


def standby(url):
    """Target Session Attributes: whether to write is possible, of a server from 14 on by these two."""
    raw = connected(url).pgconn
    read_only = b"off" if url == POSTGRES else b"on"
    same([raw.parameter_status(n) for n in (b"in_hot_standby", b"default_transaction_read_only")], [b"off", read_only])


def standby_asked(url):
    (_, first), (_, second) = several(url, "select pg_is_in_recovery(); show default_transaction_read_only")
    same((first, second), ([(b"f",)], [(b"off" if url == POSTGRES else b"on",)]))


def pooled(url):
    """What is sent as a connection goes back to its pool, with prepared statements and without."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set extra_float_digits to 1")
        connection.execute("DISCARD ALL")
        # psycopg's own: it has no statements left, and knows.
        connection.execute("set search_path to shop")
        same(connection.execute("select count(*) from orders").fetchone(), (4,))
        for sql in ("CLOSE ALL", "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "UNLISTEN *", "SELECT pg_advisory_unlock_all()", "DISCARD SEQUENCES", "DISCARD TEMP"):
            connection.execute(sql)
        same(connection.execute("show search_path").fetchone(), ('"$user", public',))


def keepalive(url):
    """A synchronous one is an empty statement with no columns, or Sync alone."""
    raw = connected(url).pgconn
    same(int(raw.exec_(b"").status), int(pq.ExecStatus.EMPTY_QUERY))
    same(int(raw.exec_(b"SELECT 1").status), int(pq.ExecStatus.TUPLES_OK))


def batch(url):
    """NpgsqlBatch and a command of several statements: in one pipeline, up to the first error."""
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.pipeline():
            one = connection.execute("select $1::int4 + 1".replace("$1", "%s"), [1])
            two = connection.execute("select name from shop.customers where id = %s", [2])
        same((one.fetchall(), two.fetchall()), ([(2,)], [("Bob",)]))
        try:
            with connection.pipeline() as pipeline:
                connection.execute("select 1 / 0")
                connection.execute("select 2")
                pipeline.sync()
        except psycopg.errors.DivisionByZero:
            pass
        else:
            raise AssertionError("no error")
        same(connection.execute("select 3").fetchone(), (3,))


def copied(url):
    """BeginBinaryExport and BeginTextExport."""
    with connected(url).cursor() as cursor:
        with cursor.copy("COPY shop.customers (id, email, joined) TO STDOUT (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "varchar", "date"])
            rows = [row[:2] for row in copy.rows()]
        same(rows, [(1, "ann@example.com"), (2, "bob@example.com"), (3, "zoe@example.com")])
        with cursor.copy("COPY (select * from shop.types order by id) TO STDOUT (FORMAT BINARY)") as copy:
            ours = b"".join(copy)
        with connected(POSTGRES).cursor() as other:
            with other.copy("COPY (select * from shop.types order by id) TO STDOUT (FORMAT BINARY)") as copy:
                same(ours, b"".join(copy))


def refused(url):
    """BeginBinaryImport."""
    if url == POSTGRES:
        return
    try:
        with connected(url).cursor().copy("COPY shop.customers (id) FROM STDIN (FORMAT BINARY)"):
            pass
    except psycopg.Error as error:
        same(error.sqlstate, "25006")
    else:
        raise AssertionError("no error")


def modifiers(url):
    raw = connected(url).pgconn
    for sql in (b"select 1.5", b"select price * 2 from shop.order_items", b"select $1"):
        raw.prepare(b"", sql, [NUMERIC] if b"$1" in sql else None)
        same(raw.describe_prepared(b"").fmod(0), -1)


# ---- GetSchema, and the columns of a reader -----------------------------------------------------------

NOT_SYSTEM = "not in ('pg_catalog', 'information_schema')"
COLUMN_SCHEMA = """select typ.oid as typoid, nspname, relname, attname, attrelid, attnum, attnotnull,
    {identity}
    case when typ.typtype = 'd' then typ.typtypmod else atttypmod end as typmod,
    case when atthasdef then (select pg_get_expr(adbin, cls.oid) from pg_attrdef where adrelid = cls.oid and adnum = attr.attnum) else null end as default,
    {updatable}
    exists (select * from pg_index where pg_index.indrelid = cls.oid and pg_index.indisprimary and attnum = any (indkey)) as isprimarykey,
    exists (select * from pg_index where pg_index.indrelid = cls.oid and pg_index.indisunique and pg_index.indnkeyatts = 1 and attnum = pg_index.indkey[0]) as isunique
from pg_attribute as attr
join pg_type as typ on attr.atttypid = typ.oid
join pg_class as cls on cls.oid = attr.attrelid
join pg_namespace as ns on ns.oid = cls.relnamespace
where atttypid <> 0 and relkind in ('r', 'v', 'm') and not attisdropped and nspname not in ('pg_toast') and attnum > 0
    and (attr.attrelid = 'shop.{table}'::regclass and attr.attnum = any (array[{numbers}]))
order by attnum"""
UPDATABLE = """case when ((cls.relkind = any (array['r'::"char",'p'::"char"])) or ((cls.relkind = any (array['v'::"char", 'f'::"char"]))
    and pg_column_is_updatable((cls.oid)::regclass, attr.attnum, false))) and attr.attidentity not in ('a') then 'true'::boolean
    else 'false'::boolean end as is_updatable,"""


def column_schema(what, table, keys):
    """Which of them are keys is known of PostgreSQL only."""
    sql = COLUMN_SCHEMA.format(table=table, numbers="1, 2, 3, 4, 5", identity="attidentity != '' as isidentity,", updatable=UPDATABLE)

    def known(url):
        columns, rows = binary(url, sql)
        # The table's OID is each server's own.
        return columns, [(*row[:4], *row[5:]) if keys else (*row[:4], *row[5:-2]) for row in rows]

    def step(url):
        found = known(url)
        assert found[1], "no rows"
        same(found, known(POSTGRES))

    return what, step


def tables_of_columns(url):
    """A row description tells the table and the column that a value comes from: Npgsql finds the rest by it."""
    raw = connected(url).pgconn
    result = raw.exec_params(b"select id, email, id + 1 from shop.customers", [], result_format=1)
    (oid,) = connected(url).execute("select 'shop.customers'::regclass::oid::int4").fetchone()
    same([(result.ftable(i), result.ftablecol(i)) for i in range(3)], [(oid, 1), (oid, 2), (0, 0)])


def databases(url):
    columns, rows = binary(url, "select d.datname, pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding) from pg_catalog.pg_database d")
    assert (Place(url).database.encode(), b"UTF8") in [(r[0], r[2]) for r in rows], rows
    same(columns, binary(POSTGRES, "select d.datname, pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding) from pg_catalog.pg_database d")[0])


SCHEMAS = [
    ("Databases", databases),
    equal("Schemata", f"select schema_name from information_schema.schemata where schema_name {NOT_SYSTEM} and schema_name not like 'pg\\_%' order by 1"),
    equal("Tables", f"select table_schema, table_name from information_schema.tables where table_type in ('BASE TABLE', 'FOREIGN', 'FOREIGN TABLE') and table_schema {NOT_SYSTEM} and table_name not in ('order_totals', 'rich') order by 1, 2"),
    equal("Columns", f"select table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, udt_name::regtype::text as data_type, character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, character_set_catalog, character_set_schema, character_set_name, collation_catalog is null as collation_catalog from information_schema.columns where table_schema {NOT_SYSTEM} order by 1, 2, 4"),
    equal("Users", "select count(*) > 0 from pg_catalog.pg_user"),
    column_schema("columns of a reader", "customers", keys=False),
    column_schema("columns of a reader, of every type", "types", keys=False),
]  # fmt: skip
SCHEMAS_NOT_YET = [
    equal("Views", f"select table_schema, table_name, check_option, is_updatable from information_schema.views where table_schema {NOT_SYSTEM} order by 1, 2"),
    equal("Indexes", "select n.nspname, t.relname, i.relname from pg_catalog.pg_class i join pg_catalog.pg_index ix on ix.indexrelid = i.oid join pg_catalog.pg_class t on ix.indrelid = t.oid left join pg_catalog.pg_user u on u.usesysid = i.relowner left join pg_catalog.pg_namespace n on n.oid = i.relnamespace where i.relkind = 'i' and n.nspname not in ('pg_catalog', 'pg_toast') and t.relkind = 'r' order by 1, 2, 3"),
    equal("Constraints", "select pgtn.nspname, pgt.relname, conname, case contype when 'f' then 'FOREIGN KEY' when 'p' then 'PRIMARY KEY' when 'u' then 'UNIQUE KEY' end, pgc.condeferrable, pgc.condeferred from pg_catalog.pg_constraint pgc inner join pg_catalog.pg_namespace pgn on pgc.connamespace = pgn.oid inner join pg_catalog.pg_class pgt on pgc.conrelid = pgt.oid inner join pg_catalog.pg_namespace pgtn on pgt.relnamespace = pgtn.oid where contype in ('f', 'p', 'u') order by 1, 2, 3"),
    column_schema("columns of a reader, with keys", "customers", keys=True),
    ("tables behind columns", tables_of_columns),
]  # fmt: skip

# ---- values in binary ----------------------------------------------------------------------------------

INT4, INT8, TEXT, DATE, TIMESTAMPTZ, NUMERIC, INTS, TEXTS, UUID, JSONB, BOOL, FLOAT8 = 23, 20, 25, 1082, 1184, 1700, 1007, 1009, 2950, 3802, 16, 701
NUMBER = b"\x00\x02\x00\x00\x00\x00\x00\x02\x00\x0c\x13\x88"  # 12.50
INT_ARRAY = b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x17\x00\x00\x00\x02\x00\x00\x00\x01" + b"\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00\x04\x00\x00\x00\x03"
TEXT_ARRAY = b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x19\x00\x00\x00\x02\x00\x00\x00\x01" + b"\x00\x00\x00\x02PL\x00\x00\x00\x02FR"
VALUES = [
    *[
        equal(f"{column} in binary", f"select id, {column} from shop.types order by id")
        for column in "c_bool c_int2 c_int4 c_int8 c_float4 c_float8 c_numeric c_text c_varchar c_char c_bytea c_date c_time c_timestamp c_timestamptz c_interval c_uuid c_json c_jsonb c_ints c_texts".split()
    ],
    equal("names and oids", "select n.nspname, n.oid > 0, c.relkind, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'sales' order by 4"),
    equal("literals", "select 1, 1.5, 'a', null, true, date '2024-02-29', interval '1 day', array[1, 2], array['a', null], 1::oid, '{}'::jsonb, now() is null"),
    equal("an int", "select id, $1 as given from shop.customers where id = $1", [b"\0\0\0\x02"], [INT4]),
    equal("a bigint", "select id from shop.orders where id = $1", [(9000000000).to_bytes(8)], [INT8]),
    equal("a text", "select id from shop.customers where name = $1", ["Zoë O'Hara".encode()], [TEXT]),
    equal("a text of a char", "select id from shop.customers where country = $1 order by id", [b"PL"], [TEXT]),
    equal("a date", "select id, $1 as given from shop.customers where joined = $1", [(8825).to_bytes(4)], [DATE]),
    equal("a moment", "select id from shop.orders where ordered_at > $1", [(762480000000000).to_bytes(8)], [TIMESTAMPTZ]),
    equal("a numeric", "select order_id, $1 as given from shop.order_items where price > $1 order by 1", [NUMBER], [NUMERIC]),
    equal("a double", "select id from shop.types where c_float8 > $1", [b"\x40\x00\0\0\0\0\0\0"], [FLOAT8]),
    equal("a boolean", "select id from shop.customers where active = $1 order by 1", [b"\x01"], [BOOL]),
    equal("a uuid", "select id from shop.types where c_uuid = $1", [bytes.fromhex("a0eebc999c0b4ef8bb6d6bb9bd380a11")], [UUID]),
    equal("JSON", "select $1 ->> 'a', $1 as given from shop.customers where id = 1", [b'\x01{"a": [1]}'], [JSONB]),
    equal("ints in an array", "select id, $1 as given from shop.customers where id = any ($1) order by 1", [INT_ARRAY], [INTS]),
    equal("texts in an array", "select id from shop.customers where country = any ($1) order by 1", [TEXT_ARRAY], [TEXTS]),
    equal("nulls", "select $1 as given, $2 is null, coalesce($1, 7)", [None, None], [INT4, TEXT]),
    equal("types that it leaves to the server", "select name from shop.customers where id = $1", [b"\0\0\0\x01"], [0]),
    equal("pages by parameters", "select id from shop.big order by id limit $1 offset $2", [(2).to_bytes(8), (10).to_bytes(8)], [INT8, INT8]),
]  # fmt: skip

check(
    [
        ("loading of types", loading),
        ("arrays among the types", arrays),
        ("every type", all_types),
        ("parameters", parameters),
        ("parameters of a standby", standby),
        ("is it a standby", standby_asked),
        ("a connection in a pool", pooled),
        ("keepalive", keepalive),
        ("batch", batch),
        ("export", copied),
        ("import", refused),
        *SCHEMAS,
        *VALUES,
    ],
    [
        ("domains", domains),
        # A column that is a parameter, or of the type "char", has another name; what a numeric that is no column
        # takes is told, and by Describe otherwise than with the rows.
        equal("the name of a parameter", "select $1", [b"\0\0\0\x02"], [INT4]),
        equal("the name of a character", "select 'a'::\"char\""),
        ("modifiers of types", modifiers),
        # Of a source there are no views, indexes and keys; a row description has no table.
        *SCHEMAS_NOT_YET,
    ],
)

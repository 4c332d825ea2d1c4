"""The ADBC driver for PostgreSQL, which reads by binary COPY.

Usage: adbc/client.py POSTGRES_URL INFLOWAVE_URL
"""

import adbc_driver_postgresql.dbapi as adbc

from both import compare

STATEMENTS = [
    "select id, name, balance, since, seen, big, ok, tags, note from customers order by id",
    "select id from customers where id > 100",
    "select true, 1::int2, 2::int4, 3::int8, 1.5::float4, 2.5::float8, '\\x00ff'::bytea",
    "select date '2024-02-29', timestamp '2024-01-01 10:00', timestamptz '2024-01-01 10:00+00'",
    "select time '10:11:12.5', interval '1 mon 2 days 03:04:05', 'x'::text, array[1, null, 3]",
    "select 'Infinity'::float8, '-0.001'::numeric, 12345678901234567890.5::numeric",
    "select n, n * 2 as twice from generate_series(1::bigint, 3000::bigint) g(n) order by n",
]


def calls(url):
    seen = []
    with adbc.connect(url) as connection:
        with connection.cursor() as cursor:
            for sql in STATEMENTS:
                cursor.execute(sql)
                table = cursor.fetch_arrow_table()
                seen.append((sql, table.schema.types, table.to_pylist()))
            cursor.execute("select name from customers where id = $1", (2,))
            assert cursor.fetchall() == [("Béla",)]
        names = connection.adbc_get_table_schema("customers").names
        assert names[:2] == ["id", "name"], names
        seen.append(("schema", connection.adbc_get_table_schema("customers").types))
        objects = connection.adbc_get_objects(
            depth="columns", db_schema_filter="public", table_name_filter="customers"
        ).read_all()
        columns = [
            column["column_name"]
            for catalog in objects.to_pylist()
            for schema in catalog["catalog_db_schemas"] or []
            for table in schema["db_schema_tables"] or []
            for column in table["table_columns"] or []
        ]
        # Without an order of their own.
        seen.append(("objects", sorted(columns)))
    return seen


compare(calls, 9)

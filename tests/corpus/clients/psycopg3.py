"""psycopg 3: its type lookups, cursors of both kinds, COPY, pipeline, transactions."""

import os

import psycopg
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo
from psycopg.types.enum import EnumInfo
from psycopg.types.hstore import register_hstore  # noqa: F401 its lookup is TypeInfo.fetch
from psycopg.types.multirange import MultirangeInfo
from psycopg.types.range import RangeInfo

with psycopg.connect(os.environ["CORPUS_URL"]) as connection:
    for kind, names in {
        TypeInfo: ["text", "public.mood", "hstore", "email", "_text"],
        EnumInfo: ["mood", "public.mood"],
        CompositeInfo: ["address", "public.customers"],
        RangeInfo: ["span", "int4range"],
        MultirangeInfo: ["int4multirange"],
    }.items():
        for name in names:
            kind.fetch(connection, name)
    connection.rollback()
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        connection.execute("select id, name from customers where id = %s and name like %s", (1, "A%")).fetchall()
        connection.execute("select * from sales.orders where placed > %s", ("2024-01-01",)).fetchall()
        with connection.transaction("inner"):
            connection.execute("select count(*) from sales.order_lines where quantity > %s", (1,)).fetchall()
    with connection.cursor("named", scrollable=True) as cursor:
        cursor.itersize = 2
        cursor.execute("select id, name from customers order by id")
        cursor.fetchmany(2)
        cursor.scroll(-1)
        cursor.fetchone()
        cursor.fetchall()
    with connection.cursor() as cursor:
        for sql in (
            "copy (select id, name from customers order by id) to stdout",
            "copy (select id, name from customers order by id) to stdout (format csv, header)",
            "copy sales.products (sku, price) to stdout (format binary)",
        ):
            with cursor.copy(sql) as copy:
                for _ in copy:
                    pass
    connection.commit()
    with connection.pipeline():
        for n in range(3):
            connection.execute("select name from customers where id = %s", (n,))
    connection.commit()
    connection.prepare_threshold = 0
    connection.execute("select tags, since, seen, active from customers where balance >= %s", (0,)).fetchall()
    connection.execute("select * from customers where id = any(%s)", ([1, 2],)).fetchall()

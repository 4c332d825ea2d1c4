"""psycopg2: client-side parameters, named cursors, COPY, type lookups of its extras."""

import io
import os

import psycopg2
import psycopg2.extras

connection = psycopg2.connect(os.environ["CORPUS_URL"])
cursor = connection.cursor()
cursor.execute("select id, name, balance from customers where id = %s and since < %s", (1, "2025-01-01"))
cursor.fetchall()
cursor.execute("select id from customers where id in %s order by id", ((1, 2, 3),))
cursor.fetchall()
cursor.execute("select %s::text[], %s, %s::jsonb", (["a", "b'c"], b"\x00\xff", psycopg2.extras.Json({"a": 1})))
cursor.fetchall()
with connection.cursor("named") as named:
    named.itersize = 2
    named.execute("select * from sales.orders order by id")
    named.fetchmany(1)
    named.fetchall()
cursor.copy_expert("copy (select sku, title from sales.products order by sku) to stdout with csv", io.StringIO())
cursor.copy_to(io.StringIO(), "parents")
connection.commit()
connection.set_session(isolation_level="SERIALIZABLE", readonly=True, deferrable=True)
cursor.execute("select count(*) from measurements")
connection.rollback()
connection.set_session(autocommit=True)
psycopg2.extras.HstoreAdapter.get_oids(connection)
psycopg2.extras.register_composite("address", connection)
psycopg2.extras.register_composite("public.customers", connection)
from psycopg2._range import NumericRange, register_range  # noqa: E402

register_range("public.span", type("Span", (NumericRange,), {}), connection)
connection.set_client_encoding("UTF8")
connection.reset()
connection.close()

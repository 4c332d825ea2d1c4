"""psycopg2 against PostgreSQL and against InfloWave: the same calls give the same values.

Usage: psycopg2/client.py POSTGRES_URL INFLOWAVE_URL
"""

import io

import psycopg2
import psycopg2.extensions as ext
import psycopg2.extras

from both import compare
from values import VALUES, literal


def calls(url):
    seen = []
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        for text, type_name in VALUES:
            cursor.execute("select " + literal(text, type_name))
            value = cursor.fetchone()[0]
            value = bytes(value) if isinstance(value, memoryview) else value
            seen.append((type_name, repr(value), cursor.description[0].type_code))
        cursor.execute("select id, name from customers where id < %s order by id", (3,))
        assert [row[0] for row in cursor.fetchall()] == [1, 2]
        cursor.execute("select * from customers where id = any(%s) order by id", ([1, 4],))
        seen.append(("rows", cursor.fetchall(), [c.name for c in cursor.description]))
        cursor.execute("select count(*) from sales.orders")
        seen.append(("count", cursor.fetchone()))
    # A named cursor is DECLARE, FETCH and CLOSE.
    with connection:
        with connection.cursor("named", withhold=False) as cursor:
            cursor.itersize = 2
            cursor.execute("select id, name from customers order by id")
            seen.append(("named", list(cursor)))
        with connection.cursor("scrolled") as cursor:
            cursor.execute("select id from customers order by id")
            cursor.scroll(2)
            seen.append(("scrolled", cursor.fetchone(), cursor.fetchmany(5)))
    with connection.cursor("held", withhold=True) as cursor:
        cursor.execute("select id from customers order by id")
        connection.commit()
        seen.append(("held", cursor.fetchall()))
    connection.rollback()
    with connection, connection.cursor() as cursor:
        for how in ("text", "csv header", "csv force quote name", "binary"):
            out = io.BytesIO()
            cursor.copy_expert(
                f"copy (select id, name, balance, note from customers order by id) to stdout {how}"
                if how != "text"
                else "copy customers (id, name) to stdout",
                out,
            )
            seen.append(("copy", how, out.getvalue()))
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    with connection, connection.cursor() as cursor:
        cursor.execute("show transaction_isolation")
        seen.append(("isolation", cursor.fetchone()))
    connection.set_session(isolation_level="DEFAULT", readonly=False)
    connection.autocommit = True
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("select 1 as one, 'x' as two")
        seen.append(("dict", cursor.fetchall()))
        try:
            cursor.execute("select 1 / 0")
        except psycopg2.Error as error:
            seen.append(("error", error.pgcode))
        try:
            cursor.execute("select nothing from customers")
        except psycopg2.Error as error:
            seen.append(("error", error.pgcode, error.diag.statement_position))
    seen.append(("status", connection.get_transaction_status() == ext.TRANSACTION_STATUS_IDLE))
    connection.close()
    with psycopg2.connect(url, options="-c search_path=sales") as other:
        with other.cursor() as cursor:
            cursor.execute("select id, customer from orders order by id")
            seen.append(("path", cursor.fetchall()))
    other.close()
    return seen


compare(calls, 30)

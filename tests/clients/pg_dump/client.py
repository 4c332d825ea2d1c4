"""pg_dump of PostgreSQL 15: what it writes of tables and columns, and that a real PostgreSQL makes the same
tables of it. Of a source there are no constraints, indexes, comments and views: a view is a table here.

PG_DUMP names the program. Usage: pg_dump/client.py POSTGRES_URL INFLOWAVE_URL
"""

import os
import re
import subprocess

import psycopg

from known import POSTGRES, check, same

COLUMNS = """select table_schema, table_name, column_name, ordinal_position, data_type, is_nullable, numeric_precision,
        numeric_scale, character_maximum_length, datetime_precision, udt_name
    from information_schema.columns where table_schema in ('public', 'sales', 'shop') order by 1, 2, 4"""
ODD = 'CREATE TABLE shop."Odd Names" (\n    "Key" integer NOT NULL,\n    "select" text,\n    "a ""b""" text\n);\n'
CUSTOMERS = """CREATE TABLE shop.customers (
    id integer NOT NULL,
    email character varying(80) NOT NULL,
    name text NOT NULL,
    country character(2) NOT NULL,
    joined date NOT NULL,
    active boolean NOT NULL
);
"""


def dump(url, *arguments):
    command = [os.environ["PG_DUMP"], "--no-owner", "--no-privileges", *arguments, "-d", url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    same((ended.returncode, ended.stderr), (0, ""))
    return ended.stdout


def made(text):
    found = re.findall(r'^CREATE (?:TABLE|VIEW) ((?:"(?:[^"]|"")*"|\w+)\.(?:"(?:[^"]|"")*"|\w+))', text, re.M)
    return sorted(found)


def one_schema(url):
    text = dump(url, "-s", "-n", "shop")
    assert "CREATE SCHEMA shop;\n" in text and CUSTOMERS in text and ODD in text, text
    tables = ["big", "customers", "order_items", "order_totals", "orders", "readings", "types"]
    same(made(text), ['shop."Odd Names"', *("shop." + t for t in tables)])


def one_table(url):
    text = dump(url, "-s", "-t", 'shop."Odd Names"')
    assert ODD in text, text
    same(made(text), ['shop."Odd Names"'])


def restored(url):
    """A whole database, made again in a PostgreSQL: its columns, and its rows."""
    name = f"restored_{os.getpid()}"
    server = POSTGRES.rpartition("/")[0]
    with psycopg.connect(POSTGRES, autocommit=True) as source:
        source.execute(f"create database {name} template template0")
        try:
            text = dump(url)
            command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", f"{server}/{name}"]
            ended = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
            same((ended.returncode, ended.stderr), (0, ""))
            with psycopg.connect(f"{server}/{name}") as copy:
                expected = source.execute(COLUMNS).fetchall()
                assert len(expected) > 50, expected
                for theirs, ours in zip(expected, copy.execute(COLUMNS).fetchall(), strict=True):
                    same(ours, theirs)
                for table in ("customers", "shop.types", "shop.order_totals", 'shop."Odd Names"', "shop.big"):
                    rows = f"select t::text from {table} t order by 1"
                    same(copy.execute(rows).fetchall(), source.execute(rows).fetchall())
        finally:
            source.execute(f"drop database if exists {name} with (force)")


def transaction(url):
    """What stands around its questions."""
    with psycopg.connect(url, autocommit=True) as connection:
        for sql in (
            "SET DATESTYLE = ISO",
            "SET INTERVALSTYLE = POSTGRES",
            "SET extra_float_digits TO 3",
            "SET synchronize_seqscans TO off",
            "SET statement_timeout = 0",
            "SET lock_timeout = 0",
            "SET idle_in_transaction_session_timeout = 0",
            "SET row_security = off",
            "BEGIN",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
            "SELECT pg_catalog.set_config('search_path', '', false)",
            "LOCK TABLE shop.customers IN ACCESS SHARE MODE",
        ):
            connection.execute(sql)
        with connection.cursor().copy("COPY shop.orders (id, customer_id, note) TO stdout;") as copy:
            same(b"".join(copy), b"10\t1\t\\N\n11\t1\tgift\n12\t2\t\n9000000000\t3\tlast\n")
        connection.execute("COMMIT")


check(
    [
        ("transaction", transaction),
        ("one schema", one_schema),
        ("one table", one_table),
        ("restored", restored),
    ]
)

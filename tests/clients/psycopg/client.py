"""psycopg 3 against PostgreSQL and against InfloWave: the same calls give the same values.

Usage: psycopg/client.py POSTGRES_URL INFLOWAVE_URL
"""

import datetime
import decimal
import sys

import psycopg

from values import TABLE, VALUES, literal


def calls(connection):
    """What a program does, and what it gets: a list of (what, result)."""
    seen = []
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            for text, type_name in VALUES:
                cursor.execute("select " + literal(text, type_name) + " as v")
                value = cursor.fetchone()[0]
                seen.append((type_name, binary, repr(value), cursor.description[0].type_code))
                # The value as a parameter: text, then binary.
                for how in ("%s", "%b"):
                    cursor.execute(f"select {how}::{type_name} as v", (value,))
                    seen.append((type_name, how, binary, repr(cursor.fetchone()[0])))
                cursor.execute(f"select null::{type_name} as v, %s::{type_name} as w", (None,))
                seen.append((type_name, "null", cursor.fetchone()))
            for sql, parameters in [
                ("select i from {t} where i > %s order by i", (1,)),
                ("select i from {t} where t = %s", ("b",)),
                ("select i from {t} where d < %s", (datetime.date(2024, 1, 2),)),
                ("select i from {t} where n >= %s order by i", (decimal.Decimal("1.5"),)),
                ("select i, t from {t} order by i limit %s", (2,)),
                ("select i from {t} where i = any(%s) order by i", ([1, 3],)),
                ("select i, i <> all(%s) from {t} order by i", ([1, None],)),
                ("select i from {t} where i = any(%s)", ([],)),
                ("select i from {t} where t = any(%s)", (["a", "x y"],)),
                ("select i, t like any(%s) from {t} order by i", (["a%"],)),
                ("select i from {t} where d = any(%s)", ([datetime.date(2024, 1, 2)],)),
                ("select i from {t} where n = any(%s)", ([decimal.Decimal("1.5")],)),
                ("select array[i, 3] && %s::int[] from {t} order by i", ([2, 3],)),
                ("select array[i, 3], array[t], (array[d])[1], array[[i], [2]] from {t}", ()),
            ]:
                cursor.execute(sql.format(t=TABLE), parameters, prepare=True)
                seen.append((sql, binary, cursor.fetchall()))
    connection.commit()
    with connection.transaction():
        rows = connection.execute("select 1").fetchall()
        seen.append(("in a transaction", rows, connection.info.transaction_status.name))
        try:
            with connection.transaction():
                connection.execute("select 1 / 0")
        except psycopg.errors.DivisionByZero as error:
            seen.append(("in a savepoint", error.sqlstate))
        rows = connection.execute("select 2").fetchall()
        seen.append(("behind the savepoint", rows, connection.info.transaction_status.name))
    seen.append(("behind it", connection.info.transaction_status.name))
    try:
        connection.execute("select 1 / %s", (0,))
    except psycopg.errors.DivisionByZero as error:
        seen.append(("error", error.sqlstate))
    connection.rollback()
    with connection.pipeline():
        one = connection.execute("select 1 as a")
        two = connection.execute("select %s::int + 1 as b", (1,))
    seen.append(("pipeline", one.fetchone(), two.fetchone()))
    with connection.cursor() as cursor:
        for row in cursor.stream("select v from generate_series(1, 3) g(v)"):
            seen.append(("streamed", row))
    return seen


def run(url):
    with psycopg.connect(url) as connection:
        return calls(connection)


def main():
    expected, found = run(sys.argv[1]), run(sys.argv[2])
    different = [(e, f) for e, f in zip(expected, found, strict=True) if e != f]
    for e, f in different:
        print(f"PostgreSQL {e}\nInfloWave  {f}")
    print(f"{len(expected)} results, {len(different)} different")
    sys.exit(1 if different or len(expected) < 100 else 0)


main()

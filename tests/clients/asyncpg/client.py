"""asyncpg against PostgreSQL and against InfloWave: the same calls give the same values.

Usage: asyncpg/client.py POSTGRES_URL INFLOWAVE_URL
"""

import asyncio
import datetime
import decimal
import sys

import asyncpg

from values import TABLE, VALUES, literal


async def calls(connection):
    seen = []
    for text, type_name in VALUES:
        value = await connection.fetchval("select " + literal(text, type_name))
        seen.append((type_name, repr(value)))
        statement = await connection.prepare(f"select $1::{type_name} as v")
        seen.append((type_name, "as parameter", repr(await statement.fetchval(value))))
        seen.append((type_name, "null", await statement.fetchval(None)))
        seen.append((type_name, [t.name for t in statement.get_parameters()]))
    for sql, parameters in [
        ("select i from {t} where i > $1 order by i", (1,)),
        ("select i from {t} where t = $1", ("b",)),
        ("select i from {t} where d < $1", (datetime.date(2024, 1, 2),)),
        ("select i from {t} where n >= $1 order by i", (decimal.Decimal("1.5"),)),
        ("select i, t from {t} order by i limit $1", (2,)),
    ]:
        rows = await connection.fetch(sql.format(t=TABLE), *parameters)
        seen.append((sql, [tuple(row) for row in rows]))
    # It asks the server how arrays are made, by a recursion over pg_type.
    for type_name, value in [
        ("int2", [1, -2]),
        ("int4", [1, None, 3]),
        ("int8", []),
        ("text", ["a", "", None, 'say "hi"']),
        ("varchar", ["x"]),
        ("bool", [True, False]),
        ("float8", [1.5, float("inf")]),
        ("date", [datetime.date(2024, 2, 29), None]),
        ("timestamptz", [datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)]),
        ("uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
        ("bytea", [b"\x00\xff"]),
        ("oid", [1, 2]),
    ]:
        seen.append((type_name, "array", await connection.fetchval(f"select $1::{type_name}[]", value)))
    rows = await connection.fetch(f"select i, array[i, null] as a, array[t] as b from {TABLE} where i = any($1::int[]) order by i", [1, 3])
    seen.append(("arrays of columns", [tuple(row) for row in rows]))
    async with connection.transaction():
        # Fifty rows a message: a portal that is read in parts.
        read = 0
        async for row in connection.cursor("select v from generate_series(1, 1000) g(v)"):
            read += row["v"]
        seen.append(("cursor", read))
    try:
        await connection.fetchval("select 1 / $1::int", 0)
    except asyncpg.DivisionByZeroError as error:
        seen.append(("error", error.sqlstate))
    seen.append(("behind it", await connection.fetchval("select 1")))
    return seen


async def run(url):
    connection = await asyncpg.connect(url)
    try:
        return await calls(connection)
    finally:
        await connection.close()


async def main():
    expected, found = await run(sys.argv[1]), await run(sys.argv[2])
    different = [(e, f) for e, f in zip(expected, found, strict=True) if e != f]
    for e, f in different:
        print(f"PostgreSQL {e}\nInfloWave  {f}")
    print(f"{len(expected)} results, {len(different)} different")
    sys.exit(1 if different or len(expected) < 70 else 0)


asyncio.run(main())

"""pg8000 against PostgreSQL and against InfloWave: the same calls give the same values.

Usage: pg8000/client.py POSTGRES_URL INFLOWAVE_URL
"""

from urllib.parse import urlparse

import pg8000.native

from both import compare
from values import VALUES, literal


def calls(url):
    place = urlparse(url)
    connection = pg8000.native.Connection(
        place.username, host=place.hostname, port=place.port, database=place.path[1:]
    )
    seen = []
    for text, type_name in VALUES:
        value = connection.run("select " + literal(text, type_name))
        seen.append((type_name, repr(value), connection.columns[0]["type_oid"]))
    rows = connection.run("select name from customers where id = :id", id=2)
    assert rows == [["Béla"]], rows
    seen.append(connection.run("select * from customers order by id"))
    statement = connection.prepare("select id from customers where id > :id order by id")
    seen.append([statement.run(id=n) for n in (1, 3)])
    statement.close()
    connection.run("start transaction")
    try:
        connection.run("select 1 / 0")
    except pg8000.native.DatabaseError as error:
        seen.append(error.args[0]["C"])
    connection.run("rollback")
    seen.append(connection.run("select 1"))
    connection.close()
    return seen


compare(calls, 20)

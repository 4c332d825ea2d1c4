"""pg8000: its native interface, which prepares each statement, and DB-API."""

import io
import os
import urllib.parse

import pg8000.dbapi
import pg8000.native

parts = urllib.parse.urlsplit(os.environ["CORPUS_URL"])
where = dict(host=parts.hostname, port=parts.port, database="corpus")
connection = pg8000.native.Connection(parts.username, **where)
connection.run("select id, name from customers where id = :id and since < :day", id=1, day="2025-01-01")
connection.run("select * from sales.orders where placed > cast(:t as timestamp)", t="2024-01-01")
connection.run("start transaction read only")
connection.run("select count(*) from measurements")
connection.run("commit")
connection.run("copy (select id, name from customers order by id) to stdout", stream=io.BytesIO())
prepared = connection.prepare("select :a + 1")
prepared.run(a=2)
prepared.close()
connection.close()
connection = pg8000.dbapi.connect(parts.username, **where)
cursor = connection.cursor()
cursor.execute("select id, mail, tags from customers where balance > %s order by id", (0,))
cursor.fetchall()
connection.commit()
connection.autocommit = True
cursor.execute("show server_version")
connection.close()

"""Steps whose results are known: each has to give them of PostgreSQL and of InfloWave.

A step is a pair: what it is, and a function of a URL that raises where something is not as it should be.
"""

import os
import sys
import traceback
from urllib.parse import urlparse

import psycopg

POSTGRES, INFLOWAVE = sys.argv[1:3]
_connections = {}


def check(steps, not_yet=()):
    """Ends the program with status 1 if a step fails. Those of `not_yet` have to hold of PostgreSQL,
    so that they stay true, and to fail of InfloWave, so that the list does: one that no longer does moves up."""
    failures = []
    for server, url, known in (
        ("PostgreSQL", POSTGRES, [*steps, *not_yet]),
        ("InfloWave", INFLOWAVE, steps),
    ):
        for what, step in known:
            error = failure(step, url)
            if error:
                failures.append(f"{server}: {what}: {error}")
    for what, step in not_yet:
        error = failure(step, INFLOWAVE)
        if error:
            print(f"not yet: {what}: {error}")
        else:
            failures.append(f"InfloWave: {what}: works, and is no longer to be left out")
    print(*failures, f"{len(steps)} steps, {len(failures)} failures, {len(not_yet)} not yet", sep="\n")
    sys.exit(1 if failures or not steps else 0)


def failure(step, url):
    try:
        step(url)
    except Exception as error:
        if os.environ.get("INFLOWAVE_CLIENTS_TRACE"):
            traceback.print_exc()
        return f"{type(error).__name__}: {error}".strip()[:2000]
    return None


def same(found, expected):
    """Equal, and of the same types."""
    assert repr(found) == repr(expected), f"{found!r} is not {expected!r}"


def ask(url, sql, before=()):
    """Names and types of the columns, and the rows, by a statement that is prepared."""
    connection = _connections.get(url)
    if connection is None or connection.closed:
        connection = _connections[url] = psycopg.connect(url, autocommit=True)
    for statement in ("reset all", "set timezone to 'UTC'", *before):
        connection.execute(statement)
    cursor = connection.execute(sql, prepare=True)
    return [(c.name, c.type_code) for c in cursor.description], cursor.fetchall()


def rows(what, sql, expected=None, before=()):
    """A step: the rows are `expected`, or else those of PostgreSQL; columns are those of PostgreSQL."""

    def step(url):
        columns, found = ask(url, sql, before)
        if expected is not None:
            same(found, expected)
        if url != POSTGRES:
            same((columns, found), ask(POSTGRES, sql, before))
        assert found or expected == [], "no rows"

    return what, step


class Place:
    """The parts of a URL, for clients that take none."""

    def __init__(self, url):
        parts = urlparse(url)
        self.host, self.port, self.user = parts.hostname, parts.port, parts.username
        self.database = parts.path[1:]

    def environment(self):
        """For what is made of libpq."""
        return {
            **os.environ,
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
        }

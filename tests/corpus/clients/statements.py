"""Sends the statements of a file, for clients that are not run but read: each as the client sends it, by
the simple protocol, or with `-- parameters: [..]` above it by the extended one. `-- session` begins a
new connection; {class:NAME}, {namespace:NAME}, {type:NAME} and {proc:NAME} are OIDs that the client
would have asked before."""

import json
import os
import pathlib
import re
import sys

from psycopg import pq

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import sqltext  # noqa: E402

FINDERS = {"class": "regclass", "namespace": "regnamespace", "type": "regtype", "proc": "regprocedure"}


def connect():
    connection = pq.PGconn.connect(os.environ["CORPUS_URL"].encode())
    if connection.status != pq.ConnStatus.OK:
        raise SystemExit(connection.error_message)
    return connection


def check(result, sql):
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        raise SystemExit(f"{result.error_message.decode()}in: {sql}")
    return result


def main():
    finder, known = connect(), {}

    def oid(match):
        if match[0] not in known:
            sql = f"select '{match[2]}'::{FINDERS[match[1]]}::oid"
            known[match[0]] = check(finder.exec_(sql.encode()), sql).get_value(0, 0).decode()
        return known[match[0]]

    text = pathlib.Path(sys.argv[1]).read_text()
    for session in re.split(r"^-- session.*$", text, flags=re.MULTILINE):
        connection = connect()
        # An empty line ends a statement, so that several commands in one text are possible.
        for block in re.split(r"\n\s*\n", session):
            parameters = re.search(r"^-- parameters: (.*)$", block, flags=re.MULTILINE)
            sql = "\n".join(line for line in block.splitlines() if not line.startswith("-- ")).strip()
            if not sqltext.solid(sql):
                continue
            sql = re.sub(r"\{(\w+):([^}]+)\}", oid, sql)
            if parameters:
                values = [None if v is None else re.sub(r"\{(\w+):([^}]+)\}", oid, v).encode()
                          for v in json.loads(parameters[1])]
                check(connection.exec_params(sql.encode(), values), sql)
            else:
                check(connection.exec_(sql.encode()), sql)
        connection.finish()
    finder.finish()


main()

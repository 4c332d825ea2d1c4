#!/usr/bin/env python3
"""Records what clients send to a real PostgreSQL 15: its log, parsed into corpus.jsonl.

    record.py --tools DIR [--bin DIR | --url URL] [--only CLIENT]... [--out FILE]

It starts a PostgreSQL of its own (`--bin`, or the newest of /usr/lib/postgresql/*/bin), or takes one of
which the URL is given: a superuser's, with logging_collector on, and no database `corpus`. README.md
says what is left out, and why. `tools.sh` makes the folder with the clients.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import psycopg

import replay
import sqltext

HERE = pathlib.Path(__file__).resolve().parent
DATABASE = "corpus"
CLIENT_SECONDS_MAX = 900
# The first OID of what users make (FirstNormalObjectId).
USER_OID_MIN = 16384
SETTINGS = {
    "log_destination": "jsonlog",
    "log_statement": "all",
    "log_line_prefix": "%m [%p] %a ",
    "log_parameter_max_length": "-1",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_rotation_size": "0",
    "log_rotation_age": "0",
    # Rows of statistics would be other ones each time.
    "autovacuum": "off",
}


def clients(tools):
    """Each client's name and command. A command is run with PG* and CORPUS_URL in its environment."""
    python = str(tools / "python/bin/python")
    script = lambda file: [python, str(HERE / "clients" / file)]
    statements = lambda file: [python, str(HERE / "clients/statements.py"), str(HERE / "statements" / file)]
    return {
        "psql": ["sh", str(HERE / "clients/psql.sh")],
        "psql-completion": [python, str(HERE / "clients/psql_completion.py")],
        "pg_dump": ["sh", str(HERE / "clients/pg_dump.sh")],
        "pgjdbc": ["java", "-cp", str(tools / "pgjdbc.jar"), str(HERE / "clients/Metadata.java")],
        "psycopg3": script("psycopg3.py"),
        "psycopg2": script("psycopg2_.py"),
        "asyncpg": script("asyncpg_.py"),
        "sqlalchemy": script("sqlalchemy_.py"),
        "pg8000": script("pg8000_.py"),
        "node-postgres": ["node", str(HERE / "clients/node_postgres.js")],
        "psqlodbc": script("psqlodbc.py"),
        "adbc": script("adbc.py"),
        "dbt": ["sh", str(HERE / "clients/dbt.sh"), str(tools / "dbt/bin/dbt")],
        "postgres_fdw": ["sh", str(HERE / "clients/postgres_fdw.sh")],
        "pgadmin": [str(tools / "pgadmin/bin/python"), str(HERE / "clients/pgadmin.py")],
        "superset": statements("superset.sql"),
        "dbeaver": statements("dbeaver.sql"),
        "metabase": statements("metabase.sql"),
        "npgsql": statements("npgsql.sql"),
        "grafana": statements("grafana.sql"),
        "bi": statements("bi.sql"),
    }


# ---- the server -------------------------------------------------------------------------------


class Server:
    """A PostgreSQL that lives as long as the recording."""

    def __init__(self, bin_folder):
        self.bin = bin_folder
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="corpus-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        user = []
        if os.getuid() == 0:
            # It refuses to run as root.
            shutil.chown(self.folder, "postgres", "postgres")
            user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        data = self.folder / "data"
        subprocess.run(
            [*user, self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C.UTF-8", "-N"],
            check=True, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen(
            [*user, self.bin / "postgres", "-D", data, "-p", str(self.port), "-c", "fsync=off",
             "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
             "-c", "logging_collector=on"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        for _ in range(200):
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise SystemExit("PostgreSQL did not start")

    def stop(self):
        # The fast shutdown: a connection of a client that hangs must not hold it.
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Log:
    """The server's log in JSON, read through the server, so that it may be on another machine."""

    def __init__(self, url):
        self.connection = psycopg.connect(url, autocommit=True)
        for key, value in SETTINGS.items():
            self.connection.execute(f"alter system set {key} = '{value}'")
        self.connection.execute("select pg_reload_conf()")
        for _ in range(200):
            self.file = self._one("select pg_current_logfile('jsonlog')")
            if self.file:
                break
            time.sleep(0.05)
        else:
            raise SystemExit("the server writes no jsonlog: is logging_collector on?")
        self.offset = self._one(f"select size from pg_stat_file('{self.file}')")

    def _one(self, sql):
        return self.connection.execute(sql).fetchone()[0]

    def since(self, mark):
        """The entries since the last call. `mark` is written and waited for: the collector is a process
        of its own."""
        text = b""
        self.connection.execute(f"select 'mark of {mark}'")
        while f"mark of {mark}".encode() not in text:
            chunk = self._one(f"select pg_read_binary_file('{self.file}', {self.offset}, 100000000)")
            text += chunk
            self.offset += len(chunk)
            if not chunk:
                time.sleep(0.05)
        text = text[: text.rindex(b"\n") + 1]
        return [json.loads(line) for line in text.splitlines() if line]


# ---- from the log to statements ---------------------------------------------------------------

_EXECUTE = re.compile(r"execute (?P<fetch>fetch from )?(?P<name>.*?): (?P<sql>.*)\Z", re.DOTALL)
_PARAMETER = re.compile(r"\$\d+ = (NULL|'(?:[^']|'')*')(?:, |\Z)", re.DOTALL)


def statement_of(entry):
    """(sql, parameters) of a log entry, or None. Parameters are None for the simple protocol."""
    message = entry.get("message", "")
    if message.startswith("statement: "):
        return message[len("statement: "):], None
    match = _EXECUTE.match(message)
    if not match or match["fetch"]:
        return None
    values = []
    detail = entry.get("detail") or ""
    if detail.lower().startswith("parameters: "):
        for value in _PARAMETER.findall(detail[len("parameters: "):]):
            values.append(None if value == "NULL" else value[1:-1].replace("''", "'"))
    return match["sql"], values


def sessions(entries):
    """The statements of each connection to the database, in order, without those that failed."""
    found = {}
    for entry in entries:
        if entry.get("dbname") != DATABASE or entry.get("backend_type", "client backend") != "client backend":
            continue
        session = found.setdefault(entry["session_id"], [])
        if entry["error_severity"] in ("ERROR", "FATAL"):
            failed = entry.get("statement")
            for at in range(len(session) - 1, -1, -1):
                if session[at][0] == failed:
                    del session[at]
                    break
            continue
        statement = statement_of(entry)
        if statement and sqltext.solid(statement[0]):
            session.append(statement)
    return [s for s in found.values() if s]


_OBJECTS = """
    select pg_class.oid, 'class:' || quote_ident(nspname) || '.' || quote_ident(relname)
        from pg_class join pg_namespace n on n.oid = relnamespace where pg_class.oid >= 16384 and nspname !~ '^pg_'
    union all select oid, 'namespace:' || quote_ident(nspname) from pg_namespace where oid >= 16384
    union all select t.oid, 'type:' || quote_ident(nspname) || '.' || quote_ident(typname)
        from pg_type t join pg_namespace n on n.oid = typnamespace where t.oid >= 16384 and nspname !~ '^pg_'
    union all select p.oid, 'proc:' || p.oid::regprocedure::text from pg_proc p where p.oid >= 16384
    union all select c.oid, 'constraint:' || coalesce(conrelid::regclass::text, contypid::regtype::text) || ':' || conname
        from pg_constraint c where c.oid >= 16384
    union all select d.oid, 'attrdef:' || adrelid::regclass || ':' || adnum from pg_attrdef d where d.oid >= 16384
    union all select t.oid, 'trigger:' || tgrelid::regclass || ':' || tgname
        from pg_trigger t where t.oid >= 16384 and not tgisinternal
    union all select r.oid, 'rewrite:' || ev_class::regclass || ':' || rulename from pg_rewrite r where r.oid >= 16384
    union all select oid, 'policy:' || polrelid::regclass || ':' || polname from pg_policy where oid >= 16384
    union all select oid, 'statistics:' || stxname from pg_statistic_ext where oid >= 16384
    union all select oid, 'database:' || datname from pg_database where oid >= 16384
"""


def objects(url):
    """OID -> what it names, of the fixture's objects."""
    with psycopg.connect(url) as connection:
        connection.execute("set search_path = pg_catalog")
        found = {}
        for oid, label in connection.execute(_OBJECTS):
            found.setdefault(int(oid), label)
    return found


_NUMBER = re.compile(r"(?<![\w.])\d{5,10}(?![\w.])")


def placed(text, known):
    if text is None:
        return None
    return _NUMBER.sub(lambda m: "{{%s}}" % known[int(m[0])] if int(m[0]) in known else m[0], text)


def selected(client, recorded, known):
    """The corpus's lines of one client: what writes is left out, each statement is taken once, and what
    keeps state stays in its order as long as its session has anything of its own."""
    lines, seen, number, left_out = [], set(), 0, 0
    for session in recorded:
        kept, new = [], False
        for sql, parameters in session:
            if sqltext.writes(sql):
                left_out += 1
                continue
            sql = placed(sql, known)
            parameters = None if parameters is None else [placed(p, known) for p in parameters]
            key = (sql, None if parameters is None else tuple(parameters))
            state = sqltext.keeps_state(sql)
            if key in seen and not state:
                continue
            new = new or key not in seen
            kept.append((key, state))
        if not new:
            continue
        number += 1
        for key, state in kept:
            if key in seen and not state:
                continue
            seen.add(key)
            sql, parameters = key
            line = {"id": identity(client, sql, parameters), "client": client, "session": f"{client}-{number}",
                    "sql": sql, "parameters": None if parameters is None else list(parameters)}
            lines.append(line)
    return lines, left_out


def standing(url, lines):
    """The lines that PostgreSQL itself takes when they are replayed. The others hang on what is not in
    its log: statements prepared by the protocol, or options of the connection's start."""
    server, good = replay.Server(url), []
    for session in replay.by_session(lines):
        server.connect()
        state = []
        for line in session:
            answers = replay.attempt(server, line["sql"], line["parameters"])
            if any(answer.kind == "error" for answer in answers):
                server.connect()
                for sql, parameters in state:
                    replay.attempt(server, sql, parameters)
                continue
            good.append(line)
            if sqltext.keeps_state(line["sql"]):
                state.append((line["sql"], line["parameters"]))
    server.close()
    return good


def identity(client, sql, parameters):
    text = json.dumps([sql, parameters], ensure_ascii=False)
    return f"{client}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


# ---- the run ----------------------------------------------------------------------------------


def environment(url):
    parts = urllib.parse.urlsplit(url)
    env = dict(os.environ)
    env.update(
        PGHOST=parts.hostname, PGPORT=str(parts.port or 5432), PGUSER=parts.username or "postgres",
        PGDATABASE=DATABASE, CORPUS_URL=url, PGTZ="UTC")
    if parts.password:
        env["PGPASSWORD"] = parts.password
    return env


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tools", type=pathlib.Path, required=True)
    arguments.add_argument("--bin", type=pathlib.Path)
    arguments.add_argument("--url")
    arguments.add_argument("--only", action="append")
    arguments.add_argument("--out", type=pathlib.Path, default=HERE / "corpus.jsonl")
    options = arguments.parse_args()
    options.tools = options.tools.resolve()
    server = None
    if not options.url:
        folder = options.bin or max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        server = Server(folder)
    base = options.url or server.url
    try:
        record(base, options)
    finally:
        if server:
            server.stop()


def record(base, options):
    log = Log(base)
    log.connection.execute(f"create database {DATABASE}")
    url = urllib.parse.urlunsplit(urllib.parse.urlsplit(base)._replace(path=f"/{DATABASE}"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((HERE / "fixture.sql").read_text())
    known = objects(url)
    env = environment(url)
    env["NODE_PATH"] = str(options.tools / "node/node_modules")
    log.since("fixture")
    old = []
    if options.only and options.out.exists():
        old = [json.loads(line) for line in options.out.read_text().splitlines()]
    corpus, failed = [], []
    for client, command in clients(options.tools).items():
        if options.only and client not in options.only:
            corpus += [line for line in old if line["client"] == client]
            continue
        with tempfile.TemporaryDirectory() as scratch:
            ended = subprocess.run(command, env=env, cwd=scratch, capture_output=True, text=True,
                                   errors="replace", timeout=CLIENT_SECONDS_MAX)
        entries = log.since(client)
        lines, left_out = selected(client, sessions(entries), known)
        taken = len(lines)
        lines = standing(url, lines)
        log.since(f"{client} again")
        print(f"{client}: {len(lines)} statements, {left_out} that write and {taken - len(lines)} that do not stand alone left out, exit {ended.returncode}", flush=True)
        if ended.returncode or os.environ.get("CORPUS_VERBOSE"):
            print(ended.stdout[-2000:], ended.stderr[-4000:], sep="\n", flush=True)
        if ended.returncode:
            failed.append(client)
        corpus += lines
    if failed:
        raise SystemExit(f"these clients failed, and nothing was written: {', '.join(failed)}")
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in corpus)
    options.out.write_text(text)
    print(f"{len(corpus)} lines, {len({line['sql'] for line in corpus})} distinct statements")


if __name__ == "__main__":
    sys.exit(main())

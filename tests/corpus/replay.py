#!/usr/bin/env python3
"""Replays corpus.jsonl on a real PostgreSQL 15 and on InfloWave, and compares what they answer.

    replay.py POSTGRES_URL INFLOWAVE_URL [--only CLIENT]... [--id ID]... [--failures] [--no-changes]

Both URLs name a database made by fixture.sql: PostgreSQL's own, and a catalog of InfloWave over it. Each
session runs on a connection of its own to each. A statement is equal in shape when it has as many
results with the same names and type OIDs of columns; equal in rows when their values are equal, too. An
OID of the fixture is compared by what it names. What PostgreSQL itself answers otherwise the second
time (times, process ids, counters) is compared by presence alone.

Then each statement runs again with other aliases, with other space, comments and case, and with OIDs of
other objects, and both servers are compared again: an answer chosen by a statement's text fails there.

Differences must be explained in differences.toml, and its explanations must be needed. Exit 0 if 98 % are
equal in shape and nothing is unexplained: no error, no name, type or row.
"""

import argparse
import collections
import json
import pathlib
import re
import select
import sys
import time
import tomllib

from psycopg import pq

import sqltext

HERE = pathlib.Path(__file__).resolve().parent
EQUAL_SHAPE_MIN = 0.98
STATEMENT_SECONDS_MAX = 60
USER_OID_MIN = 16384
# An OID that no object has, and that fits an int4, as some clients cast: what
NO_OID = "2147483646"

# oid, regproc .. regcollation, xid, cid, xid8 and their arrays; oidvector.
XIDS = {28, 29, 5069, 1011, 1012, 271}
OIDS = {26, 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191, 30, 1028, 2210, 2211, 1013}

CATALOGS = """
    select c.oid, 'class:' || n.nspname || '.' || c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid >= 16384
    union all select oid, 'namespace:' || nspname from pg_catalog.pg_namespace where oid >= 16384
    union all select t.oid, 'type:' || n.nspname || '.' || t.typname from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.oid >= 16384
    union all select p.oid, 'proc:' || n.nspname || '.' || p.proname from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where p.oid >= 16384
    union all select oid, 'constraint:' || conname from pg_catalog.pg_constraint where oid >= 16384
    union all select oid, 'database:' || datname from pg_catalog.pg_database
    union all select oid, 'trigger:' || tgname from pg_catalog.pg_trigger where oid >= 16384 and not tgisinternal
    union all select oid, 'policy:' || polname from pg_catalog.pg_policy where oid >= 16384
    union all select oid, 'statistics:' || stxname from pg_catalog.pg_statistic_ext where oid >= 16384
"""

FIND = {
    "class": "select '{}'::regclass::oid",
    "namespace": "select '{}'::regnamespace::oid",
    "type": "select '{}'::regtype::oid",
    "proc": "select '{}'::regprocedure::oid",
    "constraint": "select oid from pg_catalog.pg_constraint where conname = '{}'",
    "attrdef": "select oid from pg_catalog.pg_attrdef where adrelid = '{}'::regclass and adnum = {}",
    "trigger": "select oid from pg_catalog.pg_trigger where tgname = '{}'",
    "rewrite": "select oid from pg_catalog.pg_rewrite where ev_class = '{}'::regclass",
    "policy": "select oid from pg_catalog.pg_policy where polname = '{}'",
    "statistics": "select oid from pg_catalog.pg_statistic_ext where stxname = '{}'",
    "database": "select oid from pg_catalog.pg_database where datname = '{}'",
}

# What a placeholder's object is exchanged for: one of the same kind.
EXCHANGED = {
    "class:public.customers": "class:sales.orders",
    "class:public.rich": "class:sales.turnover",
    "class:sales.turnover": "class:public.rich",
    "class:public.measurements": "class:public.parents",
    "namespace:public": "namespace:sales",
    "namespace:sales": "namespace:public",
    "type:public.mood": "type:public.address",
    "type:public.address": "type:public.mood",
    "type:public.email": "type:public.percentage",
    "proc:public.add_tax(pg_catalog.numeric,pg_catalog.numeric)": "proc:public.touch()",
}

_PLACEHOLDER = re.compile(r"\{\{([a-z]+):([^{}]*)\}\}")


class Failure(Exception):
    """The server ended the connection, or did not answer in time."""


class Server:
    """One of the two: its connection of the moment, and what its OIDs name."""

    def __init__(self, url):
        self.url = url.encode()
        self.connection = None
        self.found = {}
        self.names = None

    def connect(self):
        self.close()
        self.connection = pq.PGconn.connect(self.url)
        if self.connection.status != pq.ConnStatus.OK:
            raise SystemExit(f"cannot connect: {self.connection.error_message.decode()}")

    def close(self):
        if self.connection is not None:
            self.connection.finish()
            self.connection = None

    def lookup(self, sql):
        connection = pq.PGconn.connect(self.url)
        result = connection.exec_(sql.encode())
        rows = []
        if result.status == pq.ExecStatus.TUPLES_OK:
            rows = [[result.get_value(r, c) for c in range(result.nfields)] for r in range(result.ntuples)]
        connection.finish()
        return [[None if v is None else v.decode() for v in row] for row in rows]

    def name_of(self, oid):
        if self.names is None:
            self.names = {}
            for part in CATALOGS.split("union all"):
                for number, label in self.lookup(part):
                    self.names.setdefault(int(number), label)
        return self.names.get(oid)

    def oid_of(self, kind, name):
        if (kind, name) not in self.found:
            sql = FIND[kind]
            if kind in ("attrdef", "rewrite"):
                table, _, rest = name.partition(":")
                sql = sql.format(table.replace("'", "''"), rest)
            else:
                last = name.rpartition(":")[2] if kind in ("constraint", "trigger", "policy") else name
                sql = sql.format(last.replace("'", "''"))
            rows = self.lookup(sql)
            self.found[kind, name] = rows[0][0] if rows and rows[0][0] is not None else NO_OID
        return self.found[kind, name]

    def put(self, text):
        return None if text is None else _PLACEHOLDER.sub(lambda m: self.oid_of(m[1], m[2]), text)

    def run(self, sql, parameters, types=None):
        """The results of a statement as (status, names, types, rows), or of what failed as an error."""
        connection = self.connection
        sql = self.put(sql).encode()
        try:
            if parameters is None:
                connection.send_query(sql)
            else:
                values = [None if p is None else self.put(p).encode() for p in parameters]
                connection.send_query_params(sql, values, types)
            return [r for r in self.results()]
        except Exception as error:  # libpq has one kind of exception for all that goes wrong
            if isinstance(error, Failure):
                raise
            raise Failure(str(error)) from error

    def results(self):
        connection, ends = self.connection, time.monotonic() + STATEMENT_SECONDS_MAX
        while True:
            while connection.is_busy():
                ready, _, _ = select.select([connection.socket], [], [], max(0, ends - time.monotonic()))
                if not ready:
                    connection.get_cancel().cancel()
                    raise Failure(f"no answer in {STATEMENT_SECONDS_MAX} s")
                connection.consume_input()
            result = connection.get_result()
            if result is None:
                return
            status = result.status
            if status == pq.ExecStatus.COPY_OUT:
                yield self.copied()
            elif status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
                code = result.error_field(pq.DiagnosticField.SQLSTATE) or b"?????"
                text = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
                if connection.status != pq.ConnStatus.OK:
                    raise Failure(f"connection lost: {text.decode(errors='replace')}")
                yield Answer("error", f"{code.decode()} {text.decode(errors='replace')}")
            elif status == pq.ExecStatus.TUPLES_OK:
                fields = range(result.nfields)
                yield Answer(
                    "rows", "",
                    [result.fname(c).decode() for c in fields],
                    [result.ftype(c) for c in fields],
                    [[result.get_value(r, c) for c in fields] for r in range(result.ntuples)],
                )
            else:
                yield Answer("done", "")

    def copied(self):
        rows = []
        while True:
            length, data = self.connection.get_copy_data(0)
            if length <= 0:
                break
            rows.append([bytes(data)])
        return Answer("copy", "", ["copy"], [0], rows)


class Answer:
    def __init__(self, kind, error, names=(), types=(), rows=()):
        self.kind, self.error, self.names, self.types, self.rows = kind, error, list(names), list(types), list(rows)


# ---- comparing --------------------------------------------------------------------------------

_OID_IN_TEXT = re.compile(r"(?<![\w.])\d{5,10}(?![\w.])")


def named(server, value, type_oid):
    """A value as it is compared: OIDs of the fixture by what they name, transaction ids by presence."""
    if value is None:
        return None
    if type_oid in XIDS:
        return "(xid)"
    text = value.decode(errors="backslashreplace")
    if type_oid in OIDS:
        def label(match):
            number = int(match[0])
            if number < USER_OID_MIN:
                return match[0]
            return server.name_of(number) or "(oid)"
        return _OID_IN_TEXT.sub(label, text)
    return text


def loose(server, text):
    """Text in which OIDs may stand (a number as text, an array of numbers) by what they name."""
    if text is None or not isinstance(text, str) or not re.search(r"\d{5}", text):
        return text
    return _OID_IN_TEXT.sub(lambda m: server.name_of(int(m[0])) or m[0] if int(m[0]) >= USER_OID_MIN else m[0], text)


def types_named(server, types):
    return [t if t < USER_OID_MIN else server.name_of(t) or t for t in types]


def compare(servers, answers, volatile, ordered):
    """(what, detail) differences of two lists of answers, most telling first."""
    (left, right), (theirs, ours) = servers, answers
    for answer in ours:
        if answer.kind == "error":
            return [("error", answer.error)]
    if [a.kind for a in theirs] != [a.kind for a in ours]:
        return [("results", f"{[a.kind for a in theirs]} here {[a.kind for a in ours]}")]
    found = []
    for at, (a, b) in enumerate(zip(theirs, ours)):
        if a.names != b.names:
            found.append(("names", f"{_unequal(a.names, b.names)}"))
            continue
        ta, tb = types_named(left, a.types), types_named(right, b.types)
        if ta != tb:
            pairs = [f"{n}: {x} here {y}" for n, x, y in zip(a.names, ta, tb) if x != y]
            found.append(("types", ", ".join(pairs)))
        found += _rows(left, right, a, b, volatile.get(at, ()), ordered)
    return found


def _unequal(a, b):
    if len(a) != len(b):
        return f"{len(a)} columns here {len(b)}"
    return ", ".join(f"{x} here {y}" for x, y in zip(a, b) if x != y)


def _rows(left, right, a, b, volatile, ordered):
    def values(server, answer):
        rows = []
        for row in answer.rows:
            out = []
            for c, value in enumerate(row):
                if c in volatile:
                    out.append(None if value is None else "(volatile)")
                else:
                    out.append(loose(server, named(server, value, answer.types[c])))
            rows.append(out)
        return rows

    x, y = values(left, a), values(right, b)
    if x == y:
        return []
    key = lambda row: json.dumps(row)
    if sorted(x, key=key) == sorted(y, key=key):
        return [("order", "the same rows in another order")] if ordered else []
    # Ties of ORDER BY may come in any order, too; what differs is then looked for without it.
    if len(x) == len(y):
        columns = [
            n for c, n in enumerate(a.names)
            if sorted(str(r[c]) for r in x) != sorted(str(r[c]) for r in y)
        ]
        return [("rows", f"{len(x)} rows, other values in {', '.join(columns) or 'combination'}")]
    return [("rows", f"{len(x)} rows here {len(y)}")]


def changing(first, second):
    """Columns whose values PostgreSQL itself gives otherwise the second time, by result."""
    found = {}
    for at, (a, b) in enumerate(zip(first, second)):
        if a.names == b.names and len(a.rows) == len(b.rows):
            found[at] = {c for c in range(len(a.names)) if [r[c] for r in a.rows] != [r[c] for r in b.rows]}
    return found


# ---- the run ----------------------------------------------------------------------------------


def by_session(lines):
    groups = collections.OrderedDict()
    for line in lines:
        groups.setdefault(line["session"], []).append(line)
    return list(groups.values())


def attempt(server, sql, parameters):
    try:
        return server.run(sql, parameters)
    except Failure as failure:
        server.connect()
        return [Answer("error", f"08006 {failure}")]


class Run:
    """One pass over the corpus."""

    def __init__(self, servers, change=None):
        self.servers, self.change = servers, change
        self.statements = self.skipped = 0
        self.differences = {}
        self.texts = {}

    def go(self, sessions, volatile, witness):
        left, right = self.servers
        for session in sessions:
            for server in (left, right, witness):
                server.connect()
            state = []
            for line in session:
                sql, parameters = line["sql"], line["parameters"]
                original = (sql, parameters)
                if self.change:
                    changed = self.change(witness, line)
                    if changed is None:
                        self.skipped += 1
                        # It may keep state that later statements need.
                        for server in (left, right, witness):
                            attempt(server, *original)
                        continue
                    sql, parameters = changed
                theirs = attempt(left, sql, parameters)
                ours = attempt(right, sql, parameters)
                self.recover(state, line, (sql, parameters), ours)
                again = attempt(witness, *original)
                key = line["id"]
                if not self.change:
                    volatile.setdefault(key, changing(theirs, again))
                self.statements += 1
                self.texts[key] = (sql, parameters)
                broken = [a.error for a in theirs if a.kind == "error"]
                if broken:
                    self.differences[key] = [("recording", f"PostgreSQL refuses it: {broken[0]}")]
                    continue
                found = compare((left, right), (theirs, ours), volatile.get(key, {}), sqltext.ordered(sql))
                if found:
                    self.differences[key] = found

    def recover(self, state, line, statement, ours):
        """A statement that failed must not hide what those behind it do: the session is made anew, from
        its statements that keep state."""
        right = self.servers[1]
        if not any(a.kind == "error" for a in ours):
            if sqltext.keeps_state(line["sql"]):
                state.append(statement)
            return
        if right.connection.transaction_status == pq.TransactionStatus.IDLE and state == []:
            return
        right.connect()
        for sql, parameters in state:
            attempt(right, sql, parameters)


def other_aliases(witness, line):
    """With other aliases, if PostgreSQL takes them: it is the judge of whether a change by tokens is
    right. The trial leaves no trace in the session."""
    sql, parameters = line["sql"], line["parameters"]
    if len(sqltext.commands(sql)) != 1:
        return None
    for level in (0, 1, 2):
        changed = sqltext.renamed(sql, level)
        if changed is None:
            continue
        inside = witness.connection.transaction_status == pq.TransactionStatus.INTRANS
        attempt(witness, "savepoint trial" if inside else "begin", None)
        try:
            good = not any(a.kind == "error" for a in attempt(witness, changed, parameters))
        finally:
            attempt(witness, "rollback to savepoint trial" if inside else "rollback", None)
        if good:
            return changed, parameters
    return None


def other_space(_witness, line):
    return sqltext.respaced(line["sql"]), line["parameters"]


def other_oids(_witness, line):
    def exchange(text):
        if text is None:
            return None
        return _PLACEHOLDER.sub(lambda m: "{{%s}}" % EXCHANGED.get(f"{m[1]}:{m[2]}", default(m)), text)

    def default(match):
        # Relations that are not named there take the place of one another through the first.
        return "class:public.customers" if match[1] == "class" else f"{match[1]}:{match[2]}"

    sql = exchange(line["sql"])
    parameters = None if line["parameters"] is None else [exchange(p) for p in line["parameters"]]
    if (sql, parameters) == (line["sql"], line["parameters"]):
        return None
    return sql, parameters


CHANGES = {"aliases": other_aliases, "space": other_space, "oids": other_oids}


class Explanations:
    """differences.toml: [[difference]] with `id` or `sql` (a pattern), `what` (a list of error, results,
    names, types, rows, order), optionally `detail` (a pattern) and `why`."""

    def __init__(self, path):
        self.rules = tomllib.loads(path.read_text()).get("difference", []) if path.exists() else []
        for rule in self.rules:
            if not rule.get("why") or not rule.get("what") or not ("id" in rule or "sql" in rule or "detail" in rule):
                raise SystemExit(f"{path.name}: an explanation needs what, why, and id, sql or detail: {rule}")
            rule["used"] = 0

    def explain(self, line, text, what, detail):
        for rule in self.rules:
            ids = rule.get("id", [])
            if ids and line["id"] not in ([ids] if isinstance(ids, str) else ids):
                continue
            if what not in rule["what"]:
                continue
            if "sql" in rule and not re.search(rule["sql"], text, re.IGNORECASE | re.DOTALL):
                continue
            if "detail" in rule and not re.search(rule["detail"], detail):
                continue
            rule["used"] += 1
            return rule
        return None


def report(name, run, lines, explanations):
    by_id = {line["id"]: line for line in lines}
    counts = collections.Counter()
    unexplained, refused = [], []
    for key, found in run.differences.items():
        kinds = {what for what, _ in found}
        counts["recording"] += "recording" in kinds
        counts["error"] += "error" in kinds
        counts["shape"] += bool(kinds & {"error", "results", "names", "types", "recording"})
        counts["rows"] += 1
        good = True
        for what, detail in found:
            if not explanations.explain(by_id[key], by_id[key]["sql"], what, detail):
                good = False
                unexplained.append((key, what, detail))
            elif what == "error":
                refused.append(key)
        counts["explained"] += good
    total = run.statements
    shape = (total - counts["shape"]) / total if total else 1.0
    print(
        f"{name}: {total} statements, {run.skipped} skipped, {counts['error']} errors ({len(refused)} explained), "
        f"{total - counts['shape']} equal in shape ({shape:.2%}), {total - counts['rows']} equal in rows, "
        f"{counts['explained']} differences explained, {len(unexplained)} not"
        + (f", {counts['recording']} that PostgreSQL refuses" if counts["recording"] else ""),
        flush=True,
    )
    return not counts["recording"] and shape >= EQUAL_SHAPE_MIN and not unexplained, unexplained


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("postgres")
    arguments.add_argument("inflowave")
    arguments.add_argument("--corpus", type=pathlib.Path, default=HERE / "corpus.jsonl")
    arguments.add_argument("--only", action="append")
    arguments.add_argument("--id", action="append")
    arguments.add_argument("--failures", action="store_true")
    arguments.add_argument("--no-changes", action="store_true")
    arguments.add_argument("--json", type=pathlib.Path, help="where to write all differences, for tools")
    options = arguments.parse_args()
    lines = [json.loads(line) for line in options.corpus.read_text().splitlines()]
    if options.only:
        lines = [line for line in lines if line["client"] in options.only]
    sessions = by_session(lines)
    if options.id:
        sessions = [s for s in sessions if any(line["id"] in options.id for line in s)]
    servers = Server(options.postgres), Server(options.inflowave)
    witness = Server(options.postgres)
    explanations = Explanations(HERE / "differences.toml")
    texts = len({line["sql"] for line in lines})
    print(f"{len(lines)} lines of {len({line['client'] for line in lines})} clients, {texts} distinct statements")
    good, volatile, written = True, {}, {}
    passes = [("as recorded", None)] + ([] if options.no_changes else list(CHANGES.items()))
    for name, change in passes:
        run = Run(servers, change)
        run.go(sessions, volatile, witness)
        passed, unexplained = report(name, run, lines, explanations)
        good = good and passed
        written[name] = [(key, what, detail, *run.texts[key]) for key, what, detail in unexplained]
        shown = unexplained if options.failures else unexplained[:10]
        for key, what, detail in shown:
            print(f"  {key} {what}: {detail[:300]}")
            if options.failures:
                print("    " + " ".join(run.texts[key][0].split())[:1000], run.texts[key][1] or "")
        if len(unexplained) > len(shown):
            print(f"  .. and {len(unexplained) - len(shown)} more; --failures shows them")
    if not options.only and not options.id and not options.no_changes:
        for rule in explanations.rules:
            if not rule["used"]:
                good = False
                print(f"explained, but no longer so: {rule.get('id') or rule.get('sql') or rule.get('detail')}: {rule['why']}")
    if options.json:
        options.json.write_text(json.dumps(written, indent=1))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

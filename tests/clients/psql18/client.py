"""psql 18 and libpq 18: protocol 3.2, and what psql of a newer release asks of a server that says it is 15.

PSQL18 names the program. Usage: psql18/client.py POSTGRES_URL INFLOWAVE_URL
"""

import csv
import io
import os
import subprocess

import psycopg

from known import POSTGRES, check, same

OWNERS = ("postgres", "inflowave", "tester", "pg_database_owner")


def psql(url, text, *arguments):
    """Header, rows and complaint. Who owns a thing has another name of each server."""
    command = [os.environ["PSQL18"], "-X", "--csv", "-P", "null=~", *arguments, "-d", url]
    ended = subprocess.run(command, input=text + "\n", capture_output=True, text=True, timeout=60)
    # What gives no rows leaves an empty line.
    header, *lines = [line for line in csv.reader(io.StringIO(ended.stdout)) if line] or [[]]
    lines = [["OWNER" if cell in OWNERS else cell for cell in line] for line in lines]
    return header, lines, ended.stderr


def equal(command):
    """A step: all that is printed is the same."""

    def step(url):
        found = psql(url, command)
        if url != POSTGRES:
            same(found, psql(POSTGRES, command))
        same(found[2] == "" or found[2].startswith("Did not find any"), True)

    return command, step


def columns(command):
    """A step: what has rows has the same columns, and no error; the rows are each server's own."""

    def step(url):
        header, rows, error = psql(url, command)
        same(error, "")
        assert rows, "no rows"
        same(header, psql(POSTGRES, command)[0])

    return command, step


def version(url):
    ended = subprocess.run([os.environ["PSQL18"], "--version"], capture_output=True, text=True)
    same(ended.stdout.split()[:3], ["psql", "(PostgreSQL)", ended.stdout.split()[2]])
    same(ended.stdout.split()[2].split(".")[0], "18")
    # psql warns of a server that is newer than itself, not of this one.
    same(psql(url, r"\echo :SERVER_VERSION_NUM"), ([found_number(url)], [], ""))


def found_number(url):
    with psycopg.connect(url) as connection:
        number = connection.info.server_version
    same(number // 10000, 15)
    return str(number)


def protocol(url):
    """libpq 18 asks for 3.0 unless it is told otherwise. PostgreSQL 15 has 3.0 alone, and says so."""
    same(psycopg.pq.version() // 10000, 18)
    newest = "3.0" if url == POSTGRES else "3.2"
    for asked, given in (("", "3.0"), ("max_protocol_version=3.2", newest), ("max_protocol_version=latest", newest)):
        with psycopg.connect(f"{url}?{asked}") as connection:
            same(connection.pgconn.full_protocol_version, 30002 if given == "3.2" else 30000)
            same(connection.execute("select 1").fetchone(), (1,))
    try:
        with psycopg.connect(f"{url}?min_protocol_version=3.2") as connection:
            same(url != POSTGRES, True)
            cancelled(connection)
    except psycopg.OperationalError as error:
        if url != POSTGRES:
            raise
        assert "server only supports protocol version 3.0" in str(error), error


def cancelled(connection):
    """The key of 3.2 is longer."""
    assert connection.execute("select 1").fetchone()
    connection.cancel_safe(timeout=10)
    # What came before a statement is of no effect.
    same(connection.execute("select 2").fetchone(), (2,))


def pipeline(url):
    """psql 18 has commands for a pipeline, for named statements and portals' parameters."""
    same(
        psql(url, "select name from shop.customers where id = $1 \\parse one\n\\bind_named one 2 \\g\n\\bind_named one 3 \\g\n\\close_prepared one"),
        (["name"], [["Bob"], ["name"], ["Zoë O'Hara"]], ""),
    )
    text = "\\startpipeline\nselect $1::int as a \\bind 7 \\sendpipeline\nselect $1::text as b \\bind x \\sendpipeline\n\\flushrequest\n\\getresults\n\\endpipeline"
    same(psql(url, text), (["a"], [["7"], ["b"], ["x"]], ""))
    text = "\\startpipeline\nselect 1 as a \\bind \\sendpipeline\nselect 1/0 \\bind \\sendpipeline\nselect 2 as b \\bind \\sendpipeline\n\\syncpipeline\nselect 3 as c \\bind \\sendpipeline\n\\endpipeline"
    same(psql(url, text), (["a"], [["1"], ["c"], ["3"]], "ERROR:  division by zero\n"))


def watched(url):
    same(psql(url, "select 1 as a \\watch i=0.01 c=2 m=1")[2], "")
    same(psql(url, "\\set FETCH_COUNT 2\nselect id from shop.customers order by id"), (["id"], [["1"], ["2"], ["3"]], ""))
    same(psql(url, "select id, 'select ' || id as s from shop.customers order by id \\gset x\n\\echo :xid")[2], "more than one row returned for \\gset\n")
    same(psql(url, "select 'select ' || id || ' as a' from shop.customers order by id \\gexec"), (["a"], [["1"], ["a"], ["2"], ["a"], ["3"]], ""))
    same(psql(url, "select country, active, count(*) from shop.customers group by 1, 2 \\crosstabview country active count")[2], "")
    same(psql(url, "select * from shop.orders \\gdesc")[1][1:3], [["customer_id", "integer"], ["ordered_at", "timestamp with time zone"]])
    same(psql(url, "\\copy (select id, email from shop.customers order by id) to stdout csv header"), (["id", "email"], [["1", "ann@example.com"], ["2", "bob@example.com"], ["3", "zoe@example.com"]], ""))


EQUAL = r"""
\d shop.customers
\d shop.order_items
\d shop."Odd Names"
\d shop.order_totals
\d sales.orders
\d+ shop.types
\d nothing
\da
\dA
\dc
\dd
\dd shop.*
\dD
\ddp
\dE
\des
\det
\deu
\dew
\df
\df shop.*
\di
\dl
\dm
\dn
\do
\dO
\dP
\drds
\drg
\dRp
\dRs
\ds
\ds shop.*
\dT
\dX
\dy
\dy+
\dvS pg_catalog.pg_tables
\dtS pg_catalog.pg_cl*
\encoding
\dconfig work_mem
"""
# With descriptions or kinds that ours does not have, sizes, or roles and databases of its own.
COLUMNS = r"""
\d
\d+
\dS
\d+ shop.customers
\da+ sum
\dA+
\dAc
\dAf
\db
\db+
\dconfig
\dconfig+ work_mem
\dC
\dC+
\df pg_catalog.lower
\df+ pg_catalog.lower
\dg
\dg+
\dn+
\dnS
\do pg_catalog.||
\do+ pg_catalog.||
\dO+ "C"
\dp
\dp shop.*
\dt
\dt+
\dt+ shop.*
\dt *.customers
\dts shop.*
\dtvmsE shop.*
\dT pg_catalog.int4
\dT+ pg_catalog.int4
\du
\du+
\l
\l+
\z
\z shop.*
\conninfo
"""
# Views of a source are tables in InfloWave, and it knows none of a source's comments and indexes. Of its own
# catalog, it has no indexes, conversions, text search configurations, members of operator families, languages
# and extensions. `pg_available_extensions()` has the columns of the view of its name, functions of PostgreSQL
# that InfloWave does not have are numbers where PostgreSQL names them, and no class of operators is visible.
EQUAL_NOT_YET = r"""
\dp
\dt
\dt shop.*
\z shop.*
\d+ shop.customers
\d+ shop.order_totals
\dA+
\dAc
\dAf
\dAo
\dAp
\dc+ utf8*
\dC
\dconfig+ work_mem
\df pg_catalog.lower
\dF
\dF+ english
\dFd
\dFp
\dFt
\di+ shop.*
\dL
\dL+
\do pg_catalog.||
\do+ pg_catalog.||
\dT pg_catalog.int4
\dv
\dv+ shop.*
\dx
\dx+
\diS pg_catalog.pg_class*
\sv shop.order_totals
"""


def each(kind, commands):
    return [kind(command) for command in commands.split("\n") if command]


check(
    [
        ("version", version),
        ("protocol", protocol),
        ("pipeline", pipeline),
        ("other commands", watched),
        *each(equal, EQUAL),
        *each(columns, COLUMNS),
    ],
    each(equal, EQUAL_NOT_YET),
)

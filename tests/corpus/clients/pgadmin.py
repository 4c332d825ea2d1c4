"""pgAdmin 4 itself, without a browser: its web application is asked, by Flask's test client, for what
its tree, its property pages, its SQL pages and its dashboard show."""

import builtins
import json
import os
import pathlib
import sys
import urllib.parse

os.environ["HOME"] = os.getcwd()
builtins.SERVER_MODE = False
for folder in sys.path:
    if (pathlib.Path(folder) / "pgadmin4/config.py").exists():
        sys.path.insert(0, str(pathlib.Path(folder) / "pgadmin4"))
        break
import config  # noqa: E402

config.MASTER_PASSWORD_REQUIRED = False
config.USE_OS_SECRET_STORAGE = False
config.UPGRADE_CHECK_ENABLED = False
config.CONSOLE_LOG_LEVEL = 50
config.WTF_CSRF_ENABLED = False
from pgadmin import create_app  # noqa: E402
from pgadmin.model import SCHEMA_VERSION  # noqa: E402

config.SETTINGS_SCHEMA_VERSION = SCHEMA_VERSION
app = create_app()
app.PGADMIN_INT_KEY, app.PGADMIN_RUNTIME = "", True
app.config.update(WTF_CSRF_ENABLED=False, SESSION_COOKIE_DOMAIN=None)
with app.test_request_context():
    # What its own start does: the preferences that pages read.
    app.run_before_app_start()
client = app.test_client()
parts = urllib.parse.urlsplit(os.environ["CORPUS_URL"])
asked = {"good": 0, "bad": 0}


def ask(path, method="get", **data):
    try:
        answer = getattr(client, method)("/" + path, **data)
    except Exception as error:  # Some pages are of kinds of objects that have no such page.
        asked["bad"] += 1
        print(path, error, file=sys.stderr)
        return None
    good = answer.status_code == 200
    asked["good" if good else "bad"] += 1
    if not good and os.environ.get("CORPUS_VERBOSE"):
        print(answer.status_code, path, answer.data[:300], file=sys.stderr)
    try:
        return json.loads(answer.data) if good else None
    except ValueError:
        return None


def nodes(answer):
    """The children in an answer for the tree: (id, kind, label)."""
    found = answer and (answer.get("data") or answer.get("node") or [])
    found = found.get("result", found) if isinstance(found, dict) else found
    found = found if isinstance(found, list) else []
    return [(n["_id"], n["_type"], n.get("label")) for n in found if isinstance(n, dict) and "_id" in n]


PER_KIND_MAX = 3
# What the tree shows below each kind of object.
BELOW = {
    "server": ["database", "role", "tablespace"],
    "database": ["cast", "event_trigger", "extension", "foreign_data_wrapper", "language", "publication",
                 "subscription", "catalog", "schema"],
    "foreign_data_wrapper": ["foreign_server"],
    "schema": ["aggregate", "collation", "domain", "fts_configuration", "fts_dictionary", "fts_parser",
               "fts_template", "foreign_table", "function", "mview", "operator", "procedure", "sequence", "table",
               "trigger_function", "type", "view"],
    "table": ["column", "constraints", "index", "row_security_policy", "rule", "trigger", "partition"],
    "view": ["column", "rule", "trigger"],
    "mview": ["column", "index"],
    "domain": ["domain_constraints"],
    "constraints": [],
}
BELOW_TABLE = ["primary_key", "unique_constraint", "foreign_key", "check_constraint", "exclusion_constraint"]
FORMS = {
    "table": ["get_oftype", "get_inherits", "get_relations", "get_columns", "get_access_methods",
              "get_table_access_methods", "vacuum/table", "vacuum/toast"],
    "column": ["get_collations", "get_types"],
    "index": ["get_access_methods", "get_collations", "get_op_class"],
    "function": ["get_types", "get_languages", "get_support_functions"],
    "type": ["get_types", "get_stypes", "get_collations", "get_external_functions"],
    "domain": ["get_types", "get_collations"],
    "database": ["get_encodings", "get_ctypes", "get_icu_locale", "vopts"],
    "role": ["variables"],
    "schema": [],
    "sequence": [],
    "extension": ["avails", "schemas"],
    "collation": ["get_collations"],
}


def walk(kind, prefix, depth=0):
    """Lists the objects of a kind, opens the pages of the first of them, and goes below them."""
    listed = ask(f"browser/{kind}/nodes/{prefix}/")
    ask(f"browser/{kind}/obj/{prefix}/")
    for form in FORMS.get(kind, []):
        ask(f"browser/{kind}/{form}/{prefix}/")
    children = nodes(listed)
    if kind in ("database", "schema"):
        children = [c for c in children if c[2] in ("corpus", "public", "sales")]
    if kind == "table":
        children.sort(key=lambda c: ["customers", "orders", "measurements", "products", "children"].index(c[2])
                      if c[2] in ("customers", "orders", "measurements", "products", "children") else 9)
    limit = 4 if kind == "table" else 2 if kind == "schema" else 1 if kind == "catalog" else PER_KIND_MAX
    for number, _, _ in children[:limit]:
        here = f"{prefix}/{number}"
        if kind == "database":
            ask(f"browser/database/connect/{here}", "post")
        for page in ("nodes", "obj", "sql", "dependency", "dependent", "stats", "children"):
            ask(f"browser/{kind}/{page}/{here}")
        if kind == "table":
            ask(f"browser/table/count_rows/{here}")
            for form in ("select_sql", "insert_sql", "update_sql"):
                ask(f"browser/table/{form}/{here}")
        below = list(BELOW.get(kind, []))
        if kind == "table":
            below += BELOW_TABLE
        for child in below:
            walk(child, here, depth + 1)


added = ask("browser/server/obj/1/", "post", data=json.dumps({
    "name": "corpus", "host": parts.hostname, "port": parts.port, "username": parts.username,
    "db": "corpus", "role": "", "connect_now": False, "sslmode": "prefer", "fgcolor": "", "bgcolor": "",
    "connection_params": [{"name": "sslmode", "keyword": "sslmode", "value": "prefer"}],
    "kerberos_conn": False, "passexec_cmd": "", "service": "",
}), content_type="application/json")
if not added:
    raise SystemExit("pgAdmin took no server")
server = added["node"]["_id"]
ask(f"browser/server/connect/1/{server}", "post", data={"password": "none", "save_password": False})
ask(f"browser/server/obj/1/{server}")
ask(f"browser/server/nodes/1/{server}")
for kind in BELOW["server"]:
    walk(kind, f"1/{server}")
database = None
for number, _, label in nodes(ask(f"browser/database/nodes/1/{server}/")):
    if label == "corpus":
        database = number
for page in ("dashboard_stats", "activity", "locks", "prepared", "config", "replication_slots", "replication_stats"):
    ask(f"dashboard/{page}/{server}?chart_names=")
    ask(f"dashboard/{page}/{server}/{database}?chart_names=")
charts = "session_stats,tps_stats,ti_stats,to_stats,bio_stats"
ask(f"dashboard/dashboard_stats/{server}?chart_names={charts}")
ask(f"dashboard/dashboard_stats/{server}/{database}?chart_names={charts}")
ask("search_objects/types/%s/%s" % (server, database))
ask("search_objects/search/%s/%s?text=cust&type=all" % (server, database))
print(asked)
if asked["good"] < asked["bad"]:
    raise SystemExit("most pages failed")

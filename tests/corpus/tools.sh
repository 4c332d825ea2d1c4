#!/usr/bin/env bash
# tools.sh DIR: installs the clients that record.py runs, each in a folder of its own below DIR, from
# their registries. psql, pg_dump, Java 17, Node.js and psqlODBC come from the system's packages:
#   apt-get install postgresql-15 openjdk-17-jdk-headless nodejs npm unixodbc odbc-postgresql
set -euo pipefail
dir=$1
mkdir -p "$dir/node"
here=$(cd "$(dirname "$0")" && pwd)
for name in python dbt pgadmin; do
  python3 -m venv "$dir/$name"
  "$dir/$name/bin/pip" install -q -r "$here/requirements/$name.txt"
done
curl -sSfo "$dir/pgjdbc.jar" https://repo1.maven.org/maven2/org/postgresql/postgresql/42.7.4/postgresql-42.7.4.jar
npm install --prefix "$dir/node" --no-audit --no-fund "$(cat "$here/requirements/node.txt")"

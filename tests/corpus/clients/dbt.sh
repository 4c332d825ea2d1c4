#!/bin/sh
# dbt-postgres: its connection test, tests of sources, catalogue, freshness, shown queries and macros of
# its adapter. Models are ephemeral, so that nothing is created.
set -eu
dbt=$1
cp -r "$(dirname "$0")/dbt/." .
export DBT_PROFILES_DIR="$PWD" DBT_SEND_ANONYMOUS_USAGE_STATS=false
"$dbt" debug
"$dbt" test
"$dbt" source freshness || true
"$dbt" docs generate
"$dbt" show --inline "select * from {{ ref('rich') }} order by id" --limit 2
"$dbt" run-operation look

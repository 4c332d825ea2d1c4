#!/bin/sh
# Every command of psql that sends SQL, each line of psql.txt in one session; and the editor's commands,
# whose editor changes nothing.
set -eu
here=$(dirname "$0")
export PSQL_EDITOR=true PSQL_PAGER=cat
exec psql -X -q -v ON_ERROR_STOP=0 -f "$here/psql.txt" >/dev/null

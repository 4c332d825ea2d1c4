#!/bin/sh
# The schema, whole and in parts; and the data, whose COPY .. TO STDOUT are statements, too.
set -eu
pg_dump -s >/dev/null
pg_dump -s -t 'sales.*' >/dev/null
pg_dump -s -n public -O -x >/dev/null
pg_dump -a >/dev/null
pg_dump -a --inserts -t public.customers >/dev/null
pg_dump -s -j 1 -Fc --no-comments >/dev/null
pg_dumpall -g >/dev/null

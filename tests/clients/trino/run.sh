#!/usr/bin/env bash
# Trino over PostgreSQL and over InfloWave, by hand: it is 0.8 GB, and takes half a minute to start.
#
#   run.sh POSTGRES_URL INFLOWAVE_URL     of users without passwords, over the tables of shared/shop.sql
#
# Settings, from the environment:
#   INFLOWAVE_TRINO    state folder (default: inflowave-trino below the cache folder of the user)
#   JAVA_HOME          a JDK 24 or later
#   TRINO_PORT         default 18080
set -euo pipefail

VERSION=476
CLIENT="trino==0.336.0 psycopg[binary]==3.3.9"
STATE=${INFLOWAVE_TRINO:-${XDG_CACHE_HOME:-$HOME/.cache}/inflowave-trino}
PORT=${TRINO_PORT:-18080}
HERE=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
POSTGRES=${1:?URL of PostgreSQL} INFLOWAVE=${2:?URL of InfloWave}

fail() { printf 'trino: %s\n' "$*" >&2; exit 1; }
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
release=$("$java" -version 2>&1 | sed -n '1s/.*version "\([0-9]*\).*/\1/p')
[ "${release:-0}" -ge 24 ] || fail "needs a JDK 24 or later as JAVA_HOME; $java is ${release:-not there}"

mkdir -p "$STATE"
if [ ! -f "$STATE/server-$VERSION/made" ]; then
  echo "fetching Trino $VERSION"
  rm -rf "$STATE/server-$VERSION" && mkdir "$STATE/server-$VERSION"
  curl -sSf "https://repo1.maven.org/maven2/io/trino/trino-server/$VERSION/trino-server-$VERSION.tar.gz" |
    tar xz --strip-components=1 -C "$STATE/server-$VERSION"
  touch "$STATE/server-$VERSION/made"
fi
if [ "$(cat "$STATE/python/made" 2>/dev/null)" != "$CLIENT" ]; then
  rm -rf "$STATE/python" && python3 -m venv "$STATE/python"
  # shellcheck disable=SC2086
  "$STATE/python/bin/pip" install --quiet --disable-pip-version-check $CLIENT
  echo "$CLIENT" >"$STATE/python/made"
fi

# Of its plugins only those that are needed: it starts in half the time. Without geospatial it does not start.
run=$(mktemp -d "$STATE/run.XXXXXX")
mkdir -p "$run/etc/catalog" "$run/plugin"
ln -s "$STATE/server-$VERSION/plugin/postgresql" "$STATE/server-$VERSION/plugin/geospatial" "$run/plugin/"
cat >"$run/etc/node.properties" <<END
node.environment=test
node.data-dir=$run/data
node.bind-ip=127.0.0.1
plugin.dir=$run/plugin
END
cat >"$run/etc/jvm.config" <<END
-server
-Xmx2G
-XX:+ExitOnOutOfMemoryError
-Djdk.attach.allowAttachSelf=true
-Dfile.encoding=UTF-8
END
cat >"$run/etc/config.properties" <<END
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port=$PORT
discovery.uri=http://127.0.0.1:$PORT
node.internal-address=127.0.0.1
query.max-memory=512MB
query.max-memory-per-node=512MB
END
catalog() { # NAME URL
  local rest=${2#*://}
  cat >"$run/etc/catalog/$1.properties" <<END
connector.name=postgresql
connection-url=jdbc:postgresql://${rest#*@}
connection-user=${rest%%@*}
connection-password=none
case-insensitive-name-matching=true
END
}
catalog postgres "$POSTGRES"
catalog inflowave "$INFLOWAVE"

JAVA_HOME=${JAVA_HOME:-} PATH=${JAVA_HOME:+$JAVA_HOME/bin:}$PATH \
  "$STATE/server-$VERSION/bin/launcher" run --etc-dir "$run/etc" >"$run/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true; rm -rf "$run"' EXIT
for _ in $(seq 120); do
  if curl -s --max-time 2 "http://127.0.0.1:$PORT/v1/info" | grep -q '"starting":false'; then break; fi
  kill -0 $server 2>/dev/null || { grep -E 'ERROR|Exception' "$run/log" | head -n 20 >&2; fail "did not start"; }
  sleep 1
done
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$HERE/../shared" TRINO_PORT=$PORT \
  "$STATE/python/bin/python" "$HERE/client.py" "$POSTGRES" "$INFLOWAVE"

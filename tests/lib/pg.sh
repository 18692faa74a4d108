# Private PostgreSQL servers; sourced after env.sh. Call from the script itself, not from a subshell:
# a server ends with the process that started it.
#
#   pg_start [--name N] [--user U] [--password P] [SETTING=VALUE...]
#       Makes and starts a cluster on a free port of 127.0.0.1 and on a socket in its own folder, for a
#       superuser with a SCRAM password, and makes it the current one (pg_use). Default name: main.
#   pg_use NAME      current cluster: PG_DIR PG_PORT PG_SOCKET PG_USER PG_PASS PG_PID PG_BIN
#   pg_env           exports PGHOST (127.0.0.1) PGPORT PGUSER PGPASSWORD of the current cluster
#   pg_url DB        postgresql:// URL of a database of the current cluster, percent-encoded
#   pg_stop [NAME]   stops it; also done at the end of the script
#   pg_kill [NAME]   the server dies at once, as in a crash
#   q DB SQL         runs SQL as the superuser, prints unaligned rows; psql's status
#   psql_as_super ARGUMENT...   psql with the superuser's credentials

declare -A _pg_dir _pg_port _pg_user _pg_pass _pg_pid _pg_start

_pg_find_bin() {
    local d newest=
    if command -v pg_config >/dev/null && d=$(pg_config --bindir) && [ -x "$d/initdb" ]; then
        newest=$d
    else
        for d in /usr/lib/postgresql/*/bin; do
            [ -x "$d/initdb" ] && newest=$d
        done
    fi
    [ -n "$newest" ] || return 1
    echo "$newest"
}
PG_BIN=${SR_PG_BIN:-$(_pg_find_bin)} || {
    echo "tests/lib/pg.sh: no PostgreSQL server found; on Debian: apt-get install postgresql" >&2
    exit 1
}

# PostgreSQL refuses to run as root. A prefix rather than a function, so that a command put into the
# background is the server itself and not a shell around it.
_pg_as=(env)
[ "$(id -u)" != 0 ] || _pg_as=(setpriv --reuid=postgres --regid=postgres --init-groups)

_pg_port_busy() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

_pg_answers_or_gone() {
    "$PG_BIN/pg_isready" -q -h "$PG_SOCKET" -p "$PG_PORT" -t 5 || is_gone "$PG_PID" "$1"
}

pg_start() {
    local name=main user=tester password='secret' try start
    while :; do
        case ${1:-} in
        --name) name=$2 ;;
        --user) user=$2 ;;
        --password) password=$2 ;;
        *) break ;;
        esac
        shift 2
    done
    PG_DIR=$T/pg-$name PG_USER=$user PG_PASS=$password
    PG_SOCKET=$PG_DIR/socket
    if [ ! -d "$PG_DIR" ]; then
        mkdir -m 700 "$PG_DIR"
        printf '%s\n' "$password" >"$PG_DIR/password"
        [ "$(id -u)" != 0 ] || chown -R postgres:postgres "$PG_DIR"
        "${_pg_as[@]}" mkdir -m 700 "$PG_SOCKET"
        "${_pg_as[@]}" "$PG_BIN/initdb" -D "$PG_DIR/data" --no-sync --no-instructions -U "$user" -A scram-sha-256 \
            --pwfile="$PG_DIR/password" -E UTF8 --locale=C.UTF-8 >"$PG_DIR/initdb.log" 2>&1 || {
            cat "$PG_DIR/initdb.log" >&2
            return 1
        }
        "${_pg_as[@]}" sh -c 'cat >>"$1"' - "$PG_DIR/data/postgresql.conf" <<-CONF
			listen_addresses = '127.0.0.1'
			unix_socket_directories = '$PG_SOCKET'
			unix_socket_permissions = 0700
			fsync = off
			synchronous_commit = off
			full_page_writes = off
			wal_level = minimal
			max_wal_senders = 0
			shared_buffers = 64MB
			max_connections = 60
			CONF
        for try in "$@"; do
            printf '%s\n' "$try"
        done | "${_pg_as[@]}" sh -c 'cat >>"$1"' - "$PG_DIR/data/postgresql.conf"
    fi
    # Below the range from which the kernel serves outgoing connections. Another process may take the
    # port between the look and the start, so it is tried again.
    for try in 1 2 3 4 5 6 7 8 9 10; do
        PG_PORT=${_pg_port[$name]:-$((20000 + (RANDOM * 32768 + RANDOM) % 12000))}
        _pg_port_busy "$PG_PORT" && unset "_pg_port[$name]" && continue
        "${_pg_as[@]}" setpriv --pdeathsig INT "$PG_BIN/postgres" -D "$PG_DIR/data" -p "$PG_PORT" \
            >>"$PG_DIR/server.log" 2>&1 </dev/null &
        PG_PID=$!
        start=$(start_time "$PG_PID")
        if poll 60 _pg_answers_or_gone "$start" && ! is_gone "$PG_PID" "$start"; then
            _pg_dir[$name]=$PG_DIR _pg_port[$name]=$PG_PORT _pg_user[$name]=$user
            _pg_pass[$name]=$password _pg_pid[$name]=$PG_PID _pg_start[$name]=$start
            return 0
        fi
        unset "_pg_port[$name]"
    done
    tail -20 "$PG_DIR/server.log" >&2
    return 1
}

pg_use() {
    local name=$1
    PG_DIR=${_pg_dir[$name]} PG_PORT=${_pg_port[$name]} PG_USER=${_pg_user[$name]}
    PG_PASS=${_pg_pass[$name]} PG_PID=${_pg_pid[$name]} PG_SOCKET=$PG_DIR/socket
}

pg_env() {
    export PGHOST=127.0.0.1 PGPORT=$PG_PORT PGUSER=$PG_USER PGPASSWORD=$PG_PASS
}

url_encode() {
    local LC_ALL=C i c out=
    for ((i = 0; i < ${#1}; i++)); do
        c=${1:i:1}
        case $c in
        [A-Za-z0-9._~-]) out+=$c ;;
        *) out+=$(printf '%s' "$c" | od -An -tx1 | tr -d ' \n' | sed 's/../%&/g') ;;
        esac
    done
    printf '%s' "$out"
}

pg_url() {
    printf 'postgresql://%s:%s@127.0.0.1:%s/%s' "$(url_encode "$PG_USER")" "$(url_encode "$PG_PASS")" \
        "$PG_PORT" "$(url_encode "$1")"
}

_pg_signal() { # _pg_signal NAME SIGNAL SECONDS: fails when it still runs after that
    local pid=${_pg_pid[$1]:-} start=${_pg_start[$1]:-}
    [ -n "$pid" ] || return 0
    is_gone "$pid" "$start" || kill "-$2" "$pid" 2>/dev/null
    poll "$3" is_gone "$pid" "$start" || return 1
    wait "$pid" 2>/dev/null
    unset "_pg_pid[$1]"
    return 0
}

pg_stop() {
    local name=${1:-main}
    _pg_signal "$name" INT 20 || _pg_signal "$name" QUIT 10 || _pg_signal "$name" KILL 10
}

pg_kill() {
    _pg_signal "${1:-main}" QUIT 10
}

_pg_stop_all() {
    local name
    for name in "${!_pg_pid[@]}"; do
        pg_stop "$name"
    done
}
at_exit _pg_stop_all

psql_as_super() {
    env -u PGSERVICE -u PGSERVICEFILE -u PGOPTIONS -u PGDATABASE PGHOST="$PG_SOCKET" PGPORT="$PG_PORT" \
        PGUSER="$PG_USER" PGPASSWORD="$PG_PASS" "$PG_BIN/psql" -X "$@"
}

# The name goes as a connection string, so that one that holds "=" or "//" is still a name.
conn_string() {
    local v=${1//\\/\\\\}
    printf "dbname='%s'" "${v//\'/\\\'}"
}

q() {
    psql_as_super -d "$(conn_string "$1")" -Atq -v ON_ERROR_STOP=1 -c "$2"
}

# Through a pgbouncer that takes no settings when connecting: everything works, and what is missing is said.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && dataset shop 1 && create_db target || exit 1
sr_env
export PGUSER=$PG_USER PGPASSWORD=$PG_PASS PGHOST=127.0.0.1 PGDATABASE=shop
bouncer=$(PATH=$PATH:/usr/sbin command -v pgbouncer) || { echo "no pgbouncer; on Debian: apt-get install pgbouncer" >&2; exit 1; }

# bounce [SETTING]: starts one in session mode on a free port, which becomes PGPORT; it ends with this script.
bounced=0
bounce() {
    local dir=$T/bouncer$((bounced += 1)) try pid start
    mkdir -m 711 "$dir"
    [ "$(id -u)" != 0 ] || chown postgres:postgres "$dir"
    for try in 1 2 3 4 5 6 7 8 9 10; do
        PGPORT=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        _pg_port_busy "$PGPORT" && continue
        printf '%s\n' '[databases]' "* = host=127.0.0.1 port=$PG_PORT user=$PG_USER password=$PG_PASS" \
            '[pgbouncer]' 'listen_addr = 127.0.0.1' "listen_port = $PGPORT" 'unix_socket_dir =' 'auth_type = any' \
            'pool_mode = session' "$@" >"$dir/bouncer.ini"
        "${_pg_as[@]}" setpriv --pdeathsig INT "$bouncer" "$dir/bouncer.ini" >"$dir/log" 2>&1 </dev/null &
        pid=$! start=$(start_time $!)
        at_exit "is_gone $pid $start || kill $pid"
        poll 20 eval "_pg_port_busy $PGPORT || is_gone $pid $start"
        is_gone "$pid" "$start" || return 0
    done
    cat "$dir/log" >&2
    return 1
}
missing='takes no settings when connecting.*client_connection_check_interval'

export PGPORT=$PG_PORT
exit_is 0 'straight to the server' sr backup --label straight
lacks 'nothing is missing' "$ERR" 'no settings'

bounce && export PGPORT || exit 1
contains 'this pgbouncer refuses them' "$(PGOPTIONS='-c statement_timeout=0' "$PG_BIN/psql" -XAtc 'select 1' 2>&1)" 'unsupported startup parameter'
for format in plain custom; do
    exit_is 0 "$format: a backup" sr backup --label "$format" --format "$format"
    matches "$format: what is missing is said" "$ERR" "$missing"
    exit_is 0 "$format: a restore" sr restore "$format" --into target --clean --if-exists --yes
    restored_equals shop target "$format: every row"
done
exit_is 1 'no such server behind it' with PGDATABASE=nowhere sr backup --label none
contains 'is told as that' "$ERR" nowhere
exit_is 1 "the user's own settings are not dropped in silence" with PGOPTIONS='-c search_path=x' sr backup --label own
contains 'what the pooler says' "$ERR" 'unsupported startup parameter'

bounce 'ignore_startup_parameters = options' || exit 1
exit_is 0 'a pooler that drops them' sr backup --label dropped
matches 'is found out, too' "$ERR" "$missing"

q postgres "ALTER ROLE $PG_USER SET standard_conforming_strings = off"
bounce || exit 1 # without sessions that began before
exit_is 2 'old strings behind a pooler' sr backup --label strings
contains 'would make a dump that is refused' "$ERR" standard_conforming_strings
finish

# Short forms around the program; sourced after the other parts of the library.
#
#   sr_env                 BACKUP_DIR=$T/store and nothing else of strongroom's settings
#   objects [SUFFIX]       keys of the stored data objects, oldest first (names of the store folder)
#   manifests              keys of the manifests
#   spool_empty            no unfinished or spooled file is left under BACKUP_DIR
#   restored_equals DB COPY NAME    asserts that two databases agree in every row

sr_env() {
    local v
    for v in $(compgen -e); do
        case $v in BACKUP_* | DATABASE_URL | DB_* | POSTGRES_* | GPG_RECIPIENT_KEY_ID | ENV | ENVIRONMENT) unset "$v" ;; esac
    done
    export BACKUP_DIR=$T/store
}

_keys() {
    (cd "$BACKUP_DIR" 2>/dev/null && find . -type f -not -path './.*/*' -printf '%P\n' | sort)
}

objects() {
    _keys | grep -E "\.(sql|dump|globals\.sql)(\.(gz|zst))?(\.gpg)?$" | grep -E -- "${1:-}"
}

manifests() {
    _keys | grep '\.manifest\.json$'
}

spool_empty() {
    local left
    left=$(find "$BACKUP_DIR" -type f \( -path "$BACKUP_DIR/.strongroom/spool/*" -o -path "$BACKUP_DIR/.strongroom/runs/*" -o -name '*.tmp' \) 2>/dev/null)
    [ -z "$left" ] || {
        echo "$left"
        return 1
    }
}

restored_equals() {
    is "$3" "$(table_digests "$2" 2>&1)" "$(table_digests "$1" 2>&1)"
}

# with NAME=VALUE... COMMAND...: COMMAND, which may be a function, in an environment with these set;
# `-u NAME` unsets one.
with() (
    while :; do
        case $1 in
        -u) unset "$2" && shift ;;
        [A-Za-z_]*=*) export "${1?}" ;;
        *) break ;;
        esac
        shift
    done
    "$@"
)

# Waiting for what the program does on the server, and holding it there.
#   table_lock DB TABLE    holds an exclusive lock until table_unlock: a dump of DB then waits
#   dump_waits             a pg_dump waits for a lock      no_backend     no pg_dump is on the server
table_lock() {
    coproc _LOCK { psql_as_super -d "$(conn_string "$1")" -AtqX 2>&1; }
    echo "BEGIN; LOCK TABLE $2 IN ACCESS EXCLUSIVE MODE; SELECT 'held';" >&"${_LOCK[1]}"
    local line
    # shellcheck disable=SC2034
    _lock_pid=$_LOCK_PID
    read -r -t 30 line <&"${_LOCK[0]}" && [ "$line" = held ]
}

table_unlock() {
    echo 'COMMIT; \q' >&"${_LOCK[1]}"
    wait "$_lock_pid" 2>/dev/null
}

dump_waits() {
    [ "$(q postgres "SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'LOCK TABLE%' AND wait_event_type = 'Lock'")" = t ]
}

no_backend() {
    [ "$(q postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pg_dump%' OR application_name LIKE 'strongroom%'")" = 0 ]
}

# No process of this user that works for BACKUP_DIR or the private server is left.
no_children() {
    local p
    for p in /proc/[0-9]*; do
        case $(tr '\0' ' ' 2>/dev/null <"$p/cmdline") in
        *pg_dump*|*pg_restore*|*strongroom-child*|sr-watch*)
            tr '\0' '\n' 2>/dev/null <"$p/environ" | grep -qx "BACKUP_DIR=$BACKUP_DIR" && return 1 ;;
        esac
    done
    return 0
}

# A copy of the program that any user may run, and a way to run it as one without rights.
#   as_nobody COMMAND...   as nobody when we are root, else as ourselves
sr_copy() {
    mkdir -p "$T/copy/plugins" && chmod 755 "$T/copy" "$T/copy/plugins"
    cp "$SR_BUILDDIR"/strongroom "$SR_BUILDDIR"/strongroom-* "$T/copy/"
    cp "$(sr_plugin_path)/local.so" "$T/copy/plugins/" && chmod -R go-w,a+rX "$T/copy"
}

as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

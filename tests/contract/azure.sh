# The contract suite against the azure plugin, on Azurite, which checks signatures and digests, over http and https.
# What only the container can show: nothing is left, visible or not. And what goes wrong outside: a wrong key, no
# server, one that says nothing.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/azurite.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH
check() { # check CONTAINER OPTION...
    local container=$1
    shift
    "$SR_BUILDDIR/strongroom-plugin-check" "$@" \
        azure container="$container" endpoint_url="$AZ_ENDPOINT" account="$AZ_ACCOUNT" account_key="$AZ_KEY" \
        part_size=1MiB ${AZ_CA:+ca_file="$AZ_CA"}
}
suite() { # suite NAME OPTION...: everything against a container of its own
    local name=$1
    az container "$name" || exit 1
    exit_is 0 "$name: the whole suite" check "$@"
    is "$name: no promise is broken" "$(grep '^not ok' <<<"$OUT")" ''
    is "$name: no object is left" "$(az_keys "$name")" ''
}
trouble_begin() {
    az container trouble && nobody_listens && server_start silent && server_rules silent '{"at": "accept", "end": "stall"}' || exit 1
    # Nearly all of it is waiting: beside the suite it costs no time.
    check trouble --only trouble --wrong account_key=d3Jvbmc= \
        --unreachable endpoint_url="http://127.0.0.1:$nobody_PORT/$AZ_ACCOUNT" --silent endpoint_url="$silent_URL/$AZ_ACCOUNT" >"$T/trouble" 2>&1 &
    trouble_pid=$!
}
trouble_end() {
    local what
    wait "$trouble_pid"
    is 'trouble: the group' $? 0
    OUT=$(cat "$T/trouble")
    is 'trouble: no promise is broken' "$(grep '^not ok' <<<"$OUT")" ''
    for what in 'a wrong credential: save says so' 'a server out of reach: save says so' \
        'a server that never answers: save is cancelled while it waits'; do
        matches "trouble: $what" "$OUT" "ok [0-9]+ - $what"
    done
}
ok 'Azurite starts' azurite_start || finish
trouble_begin
suite plain
trouble_end
azurite_stop
rm -rf "$AZURITE_DIR"
ok 'Azurite starts with TLS' azurite_start --tls || finish
suite secure --quick --keys 20
finish

# A private Azure Blob Storage: Azurite, Microsoft's emulator, which checks signatures, SAS and digests, and, over
# TLS, the claims of tokens. Sourced after env.sh. Call from the script itself, not from a subshell: the server ends
# with the process that started it.
#
#   azurite_start [--tls]   one process on a free port of 127.0.0.1, data in its own folder; sets AZ_ENDPOINT and
#                           AZ_CA (with --tls: the file of the authority that signed its certificate)
#   azurite_env             exports what a store needs: AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_KEY,
#                           AZURE_STORAGE_SERVICE_ENDPOINT (and BACKUP_AZURE_CA_FILE with --tls)
#   azurite_stop            ends it; also done at the end of the script
#   az WHAT ARGUMENT...     Debian's client, a program independent of ours (tests/lib/azure_client.py)
#   az_keys CONTAINER       prints every name, one a line; az_uncommitted CONTAINER: where blocks lie uncommitted
#
# It is installed by scripts/install-azurite.sh into SR_CACHE (default: tests/cache of the build).

AZ_ACCOUNT=testaccount
AZ_KEY=$(printf 'a key for tests, which is no secret and has 64 bytes in total...' | base64 -w0)

_azurite_try() {
    local program scheme=http options=()
    program=$("$SR_SRCDIR/scripts/install-azurite.sh" "${SR_CACHE:-$SR_BUILDDIR/tests/cache}") || return 1
    AZ_CA=
    AZURITE_DIR=$T/azurite
    mkdir -p "$AZURITE_DIR/data"
    if [ "${1:-}" = --tls ]; then
        [ -e "$T/certs/server.pem" ] || bash "$SR_SRCDIR/tests/server/certs.sh" "$T/certs" || return 1
        options=(--cert "$T/certs/server.pem" --key "$T/certs/server.key" --oauth basic)
        scheme=https AZ_CA=$T/certs/ca.pem
    fi
    # Two accounts: what is signed for one does not open the other.
    AZURITE_ACCOUNTS="$AZ_ACCOUNT:$AZ_KEY;otheraccount:$AZ_KEY" setpriv --pdeathsig TERM \
        node "$program" --blobHost 127.0.0.1 --blobPort 0 --location "$AZURITE_DIR/data" --disableTelemetry \
        "${options[@]}" >"$AZURITE_DIR/log" 2>&1 </dev/null &
    AZURITE_PID=$!
    _azurite_start_time=$(start_time $AZURITE_PID)
    poll 60 _azurite_told || return 1
    AZ_ENDPOINT=$scheme://localhost:$(sed -n 's/.*successfully listens on .*:\([0-9]*\)$/\1/p' "$AZURITE_DIR/log")/$AZ_ACCOUNT
}

_azurite_told() { # it listens, or is gone
    grep -q 'successfully listens' "$AZURITE_DIR/log" || is_gone "$AZURITE_PID" "$_azurite_start_time"
}

azurite_start() {
    _azurite_try "$@" && ! is_gone "$AZURITE_PID" "$_azurite_start_time" && return 0
    echo 'tests/lib/azurite.sh: Azurite does not start' >&2
    tail -n 5 "$AZURITE_DIR/log" >&2
    return 1
}

azurite_env() {
    export AZURE_STORAGE_ACCOUNT=$AZ_ACCOUNT AZURE_STORAGE_KEY=$AZ_KEY AZURE_STORAGE_SERVICE_ENDPOINT=$AZ_ENDPOINT
    [ -z "$AZ_CA" ] || export BACKUP_AZURE_CA_FILE=$AZ_CA
}

azurite_stop() {
    [ -n "${AZURITE_PID:-}" ] || return 0
    is_gone "$AZURITE_PID" "$_azurite_start_time" || kill -TERM "$AZURITE_PID" 2>/dev/null
    poll 10 is_gone "$AZURITE_PID" "$_azurite_start_time" || kill -KILL "$AZURITE_PID" 2>/dev/null
    wait "$AZURITE_PID" 2>/dev/null
    AZURITE_PID=
}
at_exit azurite_stop

az() {
    env AZ_ENDPOINT="$AZ_ENDPOINT" AZ_ACCOUNT="$AZ_ACCOUNT" AZ_KEY="$AZ_KEY" AZ_CA="$AZ_CA" \
        /usr/bin/python3 -B "$SR_SRCDIR/tests/lib/azure_client.py" "$@"
}

az_keys() {
    az list "$1" | LC_ALL=C sort
}

az_uncommitted() {
    az uncommitted "$1" | LC_ALL=C sort
}

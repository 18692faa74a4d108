# The contract suite against the gcs plugin, on a server of our own that is written from Google's documentation and
# verifies tokens (tests/server/gcs.py): in a resumable session, in parallel parts, with versions, and over https.
# What only the bucket can show: nothing unfinished is left. And what goes wrong outside: a key that is not known, no
# server, one that says nothing.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
check() { # check OPTION...
    "$SR_BUILDDIR/strongroom-plugin-check" "$@" gcs bucket=bucket endpoint_url="$BACKUP_GCS_ENDPOINT_URL" \
        application_credentials="$GOOGLE_APPLICATION_CREDENTIALS" no_metadata=true part_size=5MiB concurrency=1 \
        ${BACKUP_GCS_CA_FILE:+ca_file="$BACKUP_GCS_CA_FILE"} "${more[@]}"
}
suite() { # suite NAME SERVER SETTINGS OPTION...
    local name=$1 server=$2
    gcs_set "$server" "$3" || exit 1
    exit_is 0 "$name: the whole suite" check "${@:4}"
    is "$name: no promise is broken" "$(grep '^not ok' <<<"$OUT")" ''
    is "$name: no object is left" "$(gcs_state "$server" '[.objects[][] | select(.deleted | not)] | length')" 0
    is "$name: nothing unfinished is left" \
        "$(gcs_state "$server" '[(.sessions[], .uploads[]) | select((.made or .gone > 0) | not)] | length')" 0
}
# A port that is bound, so that nobody else takes it, and not listened on.
nobody_listens() {
    setpriv --pdeathsig TERM /usr/bin/python3 -c 'import signal, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
signal.pause()' >"$T/nobody" &
    nobody_pid=$!
    at_exit 'kill $nobody_pid'
    poll 20 test -s "$T/nobody"
}
more=()
ok 'a server starts' gcs_start store || finish
nobody_listens && server_start silent && server_rules silent '{"at": "accept", "end": "stall"}' || exit 1
gcs_key "$T/wrong.json" "$gcs_EMAIL" key-1 "$store_URL/token" >"$T/wrong.modulus"
exit_is 0 'trouble: the group' check --only trouble --wrong application_credentials="$T/wrong.json" \
    --unreachable endpoint_url="http://127.0.0.1:$(cat "$T/nobody")" --silent endpoint_url="$silent_URL"
is 'trouble: no promise is broken' "$(grep '^not ok' <<<"$OUT")" ''
for what in 'a wrong credential: save says so' 'a server out of reach: save says so' \
    'a server that never answers: save is cancelled while it waits'; do
    matches "trouble: $what" "$OUT" "ok [0-9]+ - $what"
done
more=(upload=resumable)
suite session store '{}'
more=(upload=multipart concurrency=3)
suite parts store '{}' --quick
more=(upload=resumable)
suite versions store '{"versions": true, "page": 7}' --quick --keys 20
server_stop store
ok 'a server starts with TLS' gcs_start secure --with-tls || finish
more=()
suite secure secure '{}' --quick --keys 20
finish

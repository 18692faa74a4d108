# The contract suite against the s3 plugin, on a real server that is strict about signatures and digests:
# OpenStack Swift, over http and https. What only the bucket can show: no upload is left behind. And what goes
# wrong outside: a wrong secret, no server, one that says nothing.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH AWS_EC2_METADATA_DISABLED=true
check() { # check BUCKET OPTION...
    local bucket=$1
    shift
    "$SR_BUILDDIR/strongroom-plugin-check" "$@" \
        s3 bucket="$bucket" endpoint_url="$S3_ENDPOINT" region="$S3_REGION" access_key_id="$S3_KEY" secret_access_key="$S3_SECRET" \
        part_size=5MiB ${S3_CA:+ca_file="$S3_CA"}
}
suite() { # suite NAME OPTION...: everything against a bucket of its own
    local name=$1
    s3_bucket "$name" || exit 1
    exit_is 0 "$name: the whole suite" check "$@"
    is "$name: no promise is broken" "$(grep '^not ok' <<<"$OUT")" ''
    is "$name: no object is left" "$(s3_keys "$name")" ''
    is "$name: no upload is left" "$(s3_uploads "$name")" ''
}
trouble_begin() {
    s3_bucket trouble && nobody_listens && server_start silent && server_rules silent '{"at": "accept", "end": "stall"}' || exit 1
    # Nearly all of it is waiting: beside the suite it costs no time.
    check trouble --only trouble --wrong secret_access_key=not-the-secret \
        --unreachable endpoint_url="http://127.0.0.1:$nobody_PORT" --silent endpoint_url="$silent_URL" >"$T/trouble" 2>&1 &
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
ok 'Swift starts' swift_start || finish
trouble_begin
suite plain
trouble_end
swift_stop
rm -rf "$SWIFT_DIR"
ok 'Swift starts with TLS' swift_start --tls || finish
suite secure --quick --keys 20
finish

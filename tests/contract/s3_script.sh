# The contract suite against the s3 plugin, on an S3 of our own (tests/server/s3.py): what no real server at hand has,
# versions and locks, encryption with a key of ours, and the laws in which clones differ. Over http and https.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
suite() { # suite NAME SERVER LAWS SETTING...: everything, on a server that begins anew
    local name=$1 server=$2 laws=$3 url=$2_URL
    shift 3
    ok "$name: the laws" s3_set "$server" "$laws" || return
    exit_is 0 "$name: the whole suite" "$SR_BUILDDIR/strongroom-plugin-check" --quick --large 20MiB --keys 30 --slack 1KiB \
        s3 bucket=bucket endpoint_url="${!url}" region=us-east-1 access_key_id=AKTEST secret_access_key=secret/of+test \
        part_size=5MiB "$@"
    is "$name: no promise is broken" "$(grep '^not ok' <<<"$OUT")" ''
    is "$name: no upload is left" "$(s3_state "$server" '.uploads | length')" 0
}
ok 'a server starts' s3_start plain || finish
ok 'one with TLS starts' s3_start secure --with-tls || finish
tls=(ca_file="$T/certs/ca.pem")

suite versions plain '{"versions": true}'
matches 'versions are tried' "$OUT" 'ok [0-9]+ - a version that is deleted by name is gone'
suite locks plain '{"versions": true, "locks": true}'
matches 'locks are tried' "$OUT" 'ok [0-9]+ - deleting it is answered with how long it is kept'
suite 'locks, no checksums' plain '{"versions": true, "locks": true}' checksum=none
suite 'a clone' plain '{"condition": "no", "list": "1", "delete_many": false, "modern": false, "encoding": false, "page": 7}'
suite 'a key of ours' secure '{"tls": true, "sse_c": true}' "${tls[@]}" sse_customer_key="$(head -c 32 /dev/urandom | base64)"
suite 'modern checksums' secure '{"tls": true}' "${tls[@]}" checksum=crc64nvme
finish

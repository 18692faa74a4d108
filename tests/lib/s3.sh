# An honest S3 of our own (tests/server/s3.py) and calls of a store that lies there; sourced after server.sh.
#
#   s3_start NAME [OPTION...]     server_start with that handler; exports what a call needs to reach it
#   s3_set NAME JSON              the server begins anew, with these of its SETTINGS ({}: the usual ones)
#   s3_change NAME JSON           the same without forgetting what it holds
#   s3_state NAME FILTER          what it holds, through jq: .objects, .uploads
#   call WHAT ARGUMENT...         one call of the store (tests/server/store_call.c); KEY=VALUE before it with `with`
#   holds NAME KEY                the digest of the object of that key; "none"
#   uploads NAME KEY              how many unfinished uploads there are of that key

s3_start() {
    server_start "$1" --handler "$SR_SRCDIR/tests/server/s3.py" "${@:2}" || return 1
    local url=$1_URL
    export BACKUP_STORAGE_ADAPTER=s3 BACKUP_S3_BUCKET=bucket BACKUP_S3_PART_SIZE=5MiB AWS_ENDPOINT_URL_S3=${!url}
    export AWS_ACCESS_KEY_ID=AKTEST AWS_SECRET_ACCESS_KEY=secret/of+test AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
    BACKUP_PLUGIN_PATH=$(sr_plugin_path)
    export BACKUP_PLUGIN_PATH
    [[ " $* " != *' --with-tls '* ]] || export AWS_CA_BUNDLE=$T/certs/ca.pem
}

s3_set() {
    server_tell "$1" "{\"handler\": {\"set\": $2}}" >/dev/null
}

s3_change() {
    server_tell "$1" "{\"handler\": {\"change\": $2}}" >/dev/null
}

s3_state() {
    server_tell "$1" '{"handler": {"state": true}}' | jq -r ".handler | $2"
}

call() {
    "$SR_BUILDDIR/tests/server/store_call" "$@"
}

holds() {
    s3_state "$1" ".objects[\"$2\"] | if . then .[-1] | if .marker then \"none\" else .sha256 end else \"none\" end"
}

uploads() {
    s3_state "$1" "[.uploads[] | select(.key == \"$2\")] | length"
}

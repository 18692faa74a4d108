# An honest Cloud Storage of our own (tests/server/gcs.py) and calls of a store that lies there; sourced after
# server.sh.
#
#   gcs_start NAME [OPTION...]    server_start with that handler, a service account with a key of its own, and what a
#                                 call needs to reach it exported; gcs_ACCOUNTS is that account as the server knows it
#   gcs_set NAME JSON             the server begins anew, with these of its SETTINGS ({}: the usual ones)
#   gcs_change NAME JSON          the same without forgetting what it holds
#   gcs_rights NAME RIGHT...      the account has these permissions alone from now on; none: all
#   gcs_state NAME FILTER         what it holds, through jq: .objects, .sessions, .uploads, .soft
#   call WHAT ARGUMENT...         one call of the store (tests/server/store_call.c)
#   holds NAME KEY                the digest of the object of that key; "none"
#   left NAME KEY                 how many unfinished uploads there are of that key: sessions that still take bytes,
#                                 and uploads in parts

gcs_EMAIL=backup@project.iam.gserviceaccount.com

# FILE EMAIL KEYID TOKEN_URI: a key of a service account, as Google hands it out; prints its modulus.
gcs_key() {
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.pem" 2>"$T/openssl.err" || return 1
    jq -n --rawfile key "$1.pem" --arg email "$2" --arg id "$3" --arg uri "$4" '{type: "service_account",
        project_id: "project", private_key_id: $id, private_key: $key, client_email: $email, client_id: "1",
        auth_uri: "https://accounts.google.com/o/oauth2/auth", token_uri: $uri, universe_domain: "googleapis.com"}' >"$1"
    openssl rsa -in "$1.pem" -noout -modulus 2>"$T/openssl.err" | cut -d= -f2
}

gcs_start() {
    server_start "$1" --handler "$SR_SRCDIR/tests/server/gcs.py" "${@:2}" || return 1
    local url=$1_URL modulus
    [[ " $* " != *' --with-tls '* ]] || export BACKUP_GCS_CA_FILE=$T/certs/ca.pem
    modulus=$(gcs_key "$T/$1.json" "$gcs_EMAIL" key-1 "${!url}/token") && [ -n "$modulus" ] || return 1
    gcs_ACCOUNTS="{\"$gcs_EMAIL\": {\"keys\": {\"key-1\": \"$modulus\"}}}"
    export BACKUP_STORAGE_ADAPTER=gcs BACKUP_GCS_BUCKET=bucket BACKUP_GCS_PART_SIZE=5MiB BACKUP_GCS_CONCURRENCY=1
    export BACKUP_GCS_ENDPOINT_URL=${!url} GOOGLE_APPLICATION_CREDENTIALS=$T/$1.json NO_GCE_CHECK=true
    BACKUP_PLUGIN_PATH=$(sr_plugin_path)
    export BACKUP_PLUGIN_PATH
    [[ ${!url} != https:* ]] || server_tell "$1" '{"handler": {"tls": true}}' >"$T/said"
    gcs_set "$1" '{}'
}

gcs_set() {
    server_tell "$1" "{\"handler\": {\"set\": $(jq -c --argjson a "$gcs_ACCOUNTS" '{accounts: $a} + .' <<<"$2")}}" >"$T/said"
}

gcs_change() {
    server_tell "$1" "{\"handler\": {\"change\": $2}}" >"$T/said"
}

gcs_rights() {
    local name=$1
    shift
    gcs_change "$name" "$(jq -c --arg e "$gcs_EMAIL" '{accounts: (.[$e] += if $ARGS.positional == [] then {} else
        {allow: $ARGS.positional} end)}' --args -- "$@" <<<"$gcs_ACCOUNTS")"
}

gcs_state() {
    server_tell "$1" '{"handler": {"state": true}}' | jq -r ".handler | $2"
}

call() {
    "$SR_BUILDDIR/tests/server/store_call" "$@"
}

holds() {
    gcs_state "$1" ".objects[\"$2\"] // [] | map(select(.deleted | not)) | if . == [] then \"none\" else .[-1].sha256 end"
}

left() {
    gcs_state "$1" "[(.sessions[], .uploads[]) | select(.key == \"$2\" and ((.made or .gone > 0) | not))] | length"
}

# An honest Azure Blob Storage of our own (tests/server/azure.py) and calls of a store that lies there; sourced after
# server.sh and s3.sh, whose `call` it uses.
#
#   azure_start NAME [OPTION...]   server_start with that handler; exports what a call needs to reach it
#   azure_set NAME JSON            the server begins anew, with these of its SETTINGS ({}: the usual ones)
#   azure_change NAME JSON         the same without forgetting what it holds
#   azure_state NAME FILTER        what it holds, through jq: .objects, .blocks
#   azure_holds NAME KEY           the digest of the current object of that key; "none"

azure_start() {
    server_start "$1" --handler "$SR_SRCDIR/tests/server/azure.py" "${@:2}" || return 1
    local url=$1_URL
    export BACKUP_STORAGE_ADAPTER=azure BACKUP_AZURE_CONTAINER=bucket BACKUP_AZURE_PART_SIZE=4MiB
    export AZURE_STORAGE_ACCOUNT=testaccount AZURE_STORAGE_SERVICE_ENDPOINT=${!url}/testaccount
    AZURE_STORAGE_KEY=$(printf 'a key of tests, no secret' | base64 -w0)
    BACKUP_PLUGIN_PATH=$(sr_plugin_path)
    export AZURE_STORAGE_KEY BACKUP_PLUGIN_PATH
    [[ " $* " != *' --with-tls '* ]] || export BACKUP_AZURE_CA_FILE=$T/certs/ca.pem
}

azure_set() {
    server_tell "$1" "{\"handler\": {\"set\": $2}}" >/dev/null
}

azure_change() {
    server_tell "$1" "{\"handler\": {\"change\": $2}}" >/dev/null
}

azure_state() {
    server_tell "$1" '{"handler": {"state": true}}' | jq -r ".handler | $2"
}

azure_holds() {
    azure_state "$1" ".objects[\"$2\"] | if . and .[-1].current then .[-1].sha256 else \"none\" end"
}

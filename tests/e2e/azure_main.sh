# The main job with BACKUP_STORAGE_ADAPTER=azure on a real server, over http and https, with each kind of credentials
# that it knows; what it wrote is read by a program that is not ours, and what that wrote is read by it.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/azurite.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
pg_start && pg_env && dataset shop 40 && gpg_home || exit 1
sr_env
export PGDATABASE=shop BACKUP_DIR=$T/state BACKUP_STORAGE_ADAPTER=azure BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR

main_job() { # main_job CONTAINER
    local set key
    az container "$1" || exit 1
    export BACKUP_AZURE_CONTAINER=$1 BACKUP_AZURE_PREFIX=shop/
    exit_is 0 "$1: doctor" sr doctor
    contains "$1: doctor names where the credentials come from" "$OUT" 'using credentials from the account key'
    exit_is 0 "$1: a backup" sr backup --label first --json
    set=$(json .set)
    exit_is 0 "$1: a streamed one" sr backup --scheduled
    exit_is 0 "$1: the list" sr list --json
    is "$1: has both" "$(json '.backups | length')" 2
    exit_is 0 "$1: verify" sr verify "$set"
    exit_is 0 "$1: verify the streamed one" sr verify latest
    drop_db copy
    exit_is 0 "$1: restore" sr restore latest --into copy --create --yes
    restored_equals shop copy "$1: every row"
    is "$1: all keys have the prefix" "$(az_keys "$1" | grep -v '^shop/')" ''
    key=$(az_keys "$1" | grep "^shop/$set-.*\.sql\.gz\.gpg$" | grep -v globals)
    ok "$1: an independent client reads it, and its digest is right" az get "$1" "$key" "$T/read.gpg"
    ok "$1: gpg and gunzip undo it" bash -c 'gpg --batch --quiet --decrypt "$1" | gunzip | grep -q "PostgreSQL database dump complete"' - "$T/read.gpg"
    # The other way round: what another client wrote is restored and adopted.
    gpg --batch --quiet --decrypt "$T/read.gpg" >"$T/own.sql.gz"
    ok "$1: an independent client writes" az put "$1" shop/own.sql.gz "$T/own.sql.gz"
    exit_is 0 "$1: a dump from elsewhere is adopted" sr adopt "$T/own.sql.gz"
    drop_db copy
    exit_is 0 "$1: and restored" sr restore own --into copy --create --yes
    restored_equals shop copy "$1: every row of it"
    exit_is 0 "$1: fetch" sr fetch "$set" --output "$T/fetched-$1"
    ok "$1: what was fetched is what is stored" cmp "$T/fetched-$1/$(basename "$key")" "$T/read.gpg"
}
ok 'Azurite starts' azurite_start || finish
azurite_env
main_job plain

# A large object goes up in blocks, and comes down again; its digest is there for others to check.
export BACKUP_AZURE_PART_SIZE=1MiB BACKUP_COMPRESSION=none BACKUP_GLOBALS=off
exit_is 0 'a backup in blocks' sr backup --label parts --json
set=$(json .set)
isnt 'it had more than one' "$(($(json '.objects[0].size // .objects[0].stored_size') > 1048576))" 0
exit_is 0 'it verifies' sr verify "$set"
key=$(az_keys plain | grep "^shop/$set-.*\.sql\.gpg$")
ok 'an independent client reads it' az get plain "$key" "$T/parts.gpg"
is 'the recorded digest is its own' "$(az properties plain "$key" | jq -r .md5)" "$(openssl md5 -binary <"$T/parts.gpg" | base64)"
is 'no block is left uncommitted' "$(az_uncommitted plain)" ''

# Retention: what is old goes, manifest first; another's objects stay.
echo other >"$T/other"
az put plain shop/other.txt "$T/other"
before=$(az_keys plain | wc -l)
exit_is 0 'prune tried out' with BACKUP_RETENTION_DAYS=1 sr prune --dry-run --at "$(date -u -d '+9 days' +%FT%TZ)"
is 'changes nothing' "$(az_keys plain | wc -l)" "$before"
exit_is 0 'a set is pruned by age' with BACKUP_RETENTION_DAYS=1 sr prune --at "$(date -u -d '+9 days' +%FT%TZ)"
ok "somebody else's object stays" grep -qx shop/other.txt <(az_keys plain)

# A SAS that may only write makes backups; one that was made by Microsoft's own library, in a connection string.
sas=$(az sas plain cw 1)
port=${AZ_ENDPOINT#*localhost:}
exit_is 0 'a backup with a SAS that may only write' with -u AZURE_STORAGE_KEY AZURE_STORAGE_SAS_TOKEN="$sas" BACKUP_RETENTION_DAYS=0 sr backup --label sas
exit_is 1 'which lists nothing' with -u AZURE_STORAGE_KEY AZURE_STORAGE_SAS_TOKEN="$sas" sr list
lacks 'and is not shown' "$OUT$ERR" "${sas##*sig=}"
exit_is 0 'a connection string' with -u AZURE_STORAGE_KEY -u AZURE_STORAGE_ACCOUNT -u AZURE_STORAGE_SERVICE_ENDPOINT \
    AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=http;AccountName=$AZ_ACCOUNT;AccountKey=$AZ_KEY;BlobEndpoint=http://localhost:$port" sr list

# Wrong credentials, container and server are told apart, and nothing is tried for ever.
exit_is 1 'a wrong key' with AZURE_STORAGE_KEY="$(printf wrong | base64)" sr list
matches 'is told' "$ERR" 'AuthorizationFailure|AuthenticationFailed'
lacks 'without the key' "$OUT$ERR" "$AZ_KEY"
exit_is 1 'no such container' with BACKUP_AZURE_CONTAINER=nosuch sr list
contains 'is told' "$ERR" ContainerNotFound
azurite_stop
exit_is 1 'no server' sr list
contains 'is told' "$ERR" 'no connection'

rm -rf "$AZURITE_DIR"
unset BACKUP_AZURE_PART_SIZE BACKUP_COMPRESSION BACKUP_GLOBALS
ok 'Azurite starts with TLS' azurite_start --tls || finish
azurite_env
main_job secure
# A token: Azurite looks at its claims, and at https.
ok 'who hands out tokens starts' server_start id --handler "$SR_SRCDIR/tests/server/azure_identity.py"
b64() {
    base64 -w0 | tr '+/' '-_' | tr -d =
}
now=$(date +%s)
token=$(printf '{"alg":"none","typ":"JWT"}' | b64).$(printf '{"aud":"https://storage.azure.com","iss":"https://sts.windows.net/t/","nbf":%d,"iat":%d,"exp":%d}' \
    $((now - 60)) $((now - 60)) $((now + 3600)) | b64).c2ln
server_tell id "{\"handler\": {\"set\": {\"token\": \"$token\"}}}" >/dev/null
entra=(-u AZURE_STORAGE_KEY -u AZURE_STORAGE_ACCOUNT "AZURE_AUTHORITY_HOST=$id_URL" AZURE_TENANT_ID=tenant-1 AZURE_CLIENT_ID=client-1 'AZURE_CLIENT_SECRET=s3cret/+=')
exit_is 0 'a backup with a token of Entra ID' with "${entra[@]}" sr backup --label token
exit_is 0 'doctor' with "${entra[@]}" sr doctor
contains 'names it' "$OUT" 'using credentials from a client secret, client client-1'
lacks 'the token is not shown' "$OUT$ERR" "$token"
exit_is 2 'an authority that is not trusted' with -u BACKUP_AZURE_CA_FILE sr list
contains 'the setting is named' "$ERR" ca_file
finish

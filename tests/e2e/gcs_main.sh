# The main job with BACKUP_STORAGE_ADAPTER=gcs, over http and https, on a server of our own that verifies tokens; what it
# wrote is read with curl and gpg alone, and what curl wrote is read by it.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
pg_start && pg_env && dataset shop 40 && gpg_home || exit 1

keys() { gcs_state "$1" '.objects | keys[]'; }
token() { # a token of the metadata server, as gcloud's own tools get one
    curl -sS ${BACKUP_GCS_CA_FILE:+--cacert "$BACKUP_GCS_CA_FILE"} -H 'Metadata-Flavor: Google' \
        "$BACKUP_GCS_ENDPOINT_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token
}
gcs_curl() {
    curl -sS --fail ${BACKUP_GCS_CA_FILE:+--cacert "$BACKUP_GCS_CA_FILE"} -H "Authorization: Bearer $(token)" "$@"
}

main_job() { # main_job SERVER
    local set key store=$1
    gcs_set "$store" "{\"machine\": \"$gcs_EMAIL\"}"
    export BACKUP_GCS_PREFIX=shop/
    exit_is 0 "$store: doctor" sr doctor
    contains "$store: names where the credentials come from" "$OUT" "using credentials from service account $gcs_EMAIL"
    exit_is 0 "$store: a backup" sr backup --label first --json
    set=$(json .set)
    exit_is 0 "$store: a streamed one" sr backup --scheduled
    exit_is 0 "$store: the list" sr list --json
    is "$store: has both" "$(json '.backups | length')" 2
    exit_is 0 "$store: verify" sr verify "$set"
    exit_is 0 "$store: verify the streamed one" sr verify latest
    drop_db copy
    exit_is 0 "$store: restore" sr restore latest --into copy --create --yes
    restored_equals shop copy "$store: every row"
    is "$store: all keys have the prefix" "$(keys "$store" | grep -v '^shop/')" ''
    key=$(keys "$store" | grep "^shop/$set-.*\.sql\.gz\.gpg$" | grep -v globals)
    ok "$store: an independent client reads it" gcs_curl -o "$T/read.gpg" \
        "$BACKUP_GCS_ENDPOINT_URL/storage/v1/b/bucket/o/$(jq -rn --arg k "$key" '$k | @uri')?alt=media"
    ok "$store: gpg and gunzip undo it" bash -c 'gpg --batch --quiet --decrypt "$1" | gunzip | grep -q "PostgreSQL database dump complete"' - "$T/read.gpg"
    # The other way round.
    exit_is 0 "$store: a bare name" with BACKUP_LABEL_TIMESTAMP=off sr backup --label bare
    exit_is 14 "$store: which is taken then" with BACKUP_LABEL_TIMESTAMP=off sr backup --label bare
    gpg --batch --quiet --decrypt "$T/read.gpg" >"$T/own.sql.gz"
    exit_is 0 "$store: a dump from elsewhere is adopted" sr adopt "$T/own.sql.gz"
    drop_db copy
    exit_is 0 "$store: and restored" sr restore own --into copy --create --yes
    restored_equals shop copy "$store: every row of it"
    exit_is 0 "$store: fetch" sr fetch "$set" --output "$T/fetched-$store"
    ok "$store: what was fetched is what is stored" cmp "$T/fetched-$store/$(basename "$key")" "$T/read.gpg"
}
sr_env
ok 'a server starts' gcs_start plain || finish
export PGDATABASE=shop BACKUP_DIR=$T/state BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
main_job plain

# A large object goes up in chunks, or in parts, and comes down again.
export BACKUP_COMPRESSION=none BACKUP_GLOBALS=off
for way in resumable multipart; do
    exit_is 0 "a backup by upload=$way" with BACKUP_GCS_UPLOAD=$way sr backup --label by-$way --json
    set=$(json .set)
    exit_is 0 "it verifies ($way)" sr verify "$set"
    is "nothing is left unfinished ($way)" "$(gcs_state plain '[(.sessions[], .uploads[]) | select((.made or .gone > 0) | not)] | length')" 0
done

# Retention: what is old goes, manifest first; another's objects stay; what is protected is told and stays.
ok 'an independent client writes' gcs_curl -X POST -H 'Content-Type: multipart/related; boundary=x' \
    --data-binary $'--x\r\nContent-Type: application/json\r\n\r\n{}\r\n--x\r\nContent-Type: text/plain\r\n\r\nother\r\n--x--\r\n' \
    -o "$T/wrote" "$BACKUP_GCS_ENDPOINT_URL/upload/storage/v1/b/bucket/o?uploadType=multipart&name=shop/other.txt"
before=$(keys plain | wc -l)
exit_is 0 'prune tried out' with BACKUP_RETENTION_DAYS=1 sr prune --dry-run --at "$(date -u -d '+9 days' +%FT%TZ)"
is 'changes nothing' "$(keys plain | wc -l)" "$before"
gcs_change plain '{"soft_delete": 604800}'
exit_is 0 'sets are pruned by size' with BACKUP_RETENTION_DAYS=0 BACKUP_RETENTION_SIZE=1MiB sr prune
contains 'what soft delete keeps is told as hidden' "$OUT$ERR" hidden
ok "somebody else's object stays" grep -qx shop/other.txt <(keys plain)
ok 'something was pruned' [ "$(keys plain | wc -l)" -lt "$before" ]

# Wrong credentials, bucket and server are told apart, and nothing is tried for ever.
gcs_key "$T/wrong.json" "$gcs_EMAIL" key-1 "$plain_URL/token" >"$T/wrong.modulus"
exit_is 1 'a wrong key' with GOOGLE_APPLICATION_CREDENTIALS="$T/wrong.json" sr list
contains 'is told' "$ERR" 'Invalid JWT Signature'
exit_is 1 'no such bucket' with BACKUP_GCS_BUCKET=nosuch sr list
contains 'is told' "$ERR" 'bucket does not exist'
server_stop plain
exit_is 1 'no server' sr list
contains 'is told' "$ERR" 'no connection'

unset BACKUP_COMPRESSION BACKUP_GLOBALS
ok 'a server starts with TLS' gcs_start secure --with-tls || finish
main_job secure
exit_is 2 'an authority that is not trusted' with -u BACKUP_GCS_CA_FILE sr list
contains 'the setting is named' "$ERR" ca_file
finish

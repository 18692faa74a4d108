# The main job with BACKUP_STORAGE_ADAPTER=s3 on a real server, over http and https; what it wrote is read by a
# program that is not ours, and what that wrote is read by it.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"
pg_start && pg_env && dataset shop 40 && gpg_home || exit 1
sr_env
export PGDATABASE=shop BACKUP_DIR=$T/state BACKUP_STORAGE_ADAPTER=s3 BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
export AWS_EC2_METADATA_DISABLED=true

main_job() { # main_job BUCKET
    local set key
    s3_bucket "$1" || exit 1
    export BACKUP_S3_BUCKET=$1 BACKUP_S3_PREFIX=shop/
    exit_is 0 "$1: doctor" sr doctor
    contains "$1: doctor names where the credentials come from" "$OUT" 'using credentials from AWS_ACCESS_KEY_ID'
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
    is "$1: all keys have the prefix" "$(s3_keys "$1" | grep -v '^shop/')" ''
    key=$(s3_keys "$1" | grep "^shop/$set-.*\.sql\.gz\.gpg$" | grep -v globals)
    ok "$1: an independent client reads it" s3api get-object --bucket "$1" --key "$key" "$T/read.gpg"
    ok "$1: gpg and gunzip undo it" bash -c 'gpg --batch --quiet --decrypt "$1" | gunzip | grep -q "PostgreSQL database dump complete"' - "$T/read.gpg"
    # The other way round: what another client wrote is restored and adopted.
    gpg --batch --quiet --decrypt "$T/read.gpg" >"$T/own.sql.gz"
    ok "$1: an independent client writes" s3api put-object --bucket "$1" --key shop/own.sql.gz --body "$T/own.sql.gz"
    exit_is 0 "$1: a bare name" with BACKUP_LABEL_TIMESTAMP=off sr backup --label bare
    exit_is 14 "$1: which is taken then" with BACKUP_LABEL_TIMESTAMP=off sr backup --label bare
    exit_is 0 "$1: a dump from elsewhere is adopted" sr adopt "$T/own.sql.gz"
    drop_db copy
    exit_is 0 "$1: and restored" sr restore own --into copy --create --yes
    restored_equals shop copy "$1: every row of it"
    exit_is 0 "$1: fetch" sr fetch "$set" --output "$T/fetched-$1"
    ok "$1: what was fetched is what is stored" cmp "$T/fetched-$1/$(basename "$key")" "$T/read.gpg"
}
ok 'Swift starts' swift_start || finish
swift_env
main_job plain

# A large object goes up in parts, and comes down again.
export BACKUP_S3_PART_SIZE=5MiB BACKUP_COMPRESSION=none BACKUP_GLOBALS=off
exit_is 0 'a backup in parts' sr backup --label parts --json
set=$(json .set)
isnt 'it had more than one' "$(($(json '.objects[0].size // .objects[0].stored_size') > 5 * 1048576))" 0
exit_is 0 'it verifies' sr verify "$set"
is 'no upload is left open' "$(s3_uploads plain)" ''

# Retention: what is old goes, manifest first; another's objects stay.
echo other >"$T/other"
s3api put-object --bucket plain --key shop/other.txt --body "$T/other" >/dev/null
before=$(s3_keys plain | wc -l)
exit_is 0 'prune tried out' with BACKUP_RETENTION_DAYS=1 sr prune --dry-run --at "$(date -u -d '+9 days' +%FT%TZ)"
is 'changes nothing' "$(s3_keys plain | wc -l)" "$before"
exit_is 0 'a set is pruned by age' with BACKUP_RETENTION_DAYS=1 sr prune --at "$(date -u -d '+9 days' +%FT%TZ)"
ok "somebody else's object stays" grep -qx shop/other.txt <(s3_keys plain)

# Wrong credentials, bucket and server are told apart, and nothing is tried for ever.
exit_is 1 'a wrong secret' with AWS_SECRET_ACCESS_KEY=wrong sr list
contains 'is told' "$ERR" SignatureDoesNotMatch
lacks 'without the secret' "$OUT$ERR" "$S3_SECRET"
exit_is 1 'no such bucket' with BACKUP_S3_BUCKET=nosuch sr list
contains 'is told' "$ERR" NoSuchBucket
swift_stop
exit_is 1 'no server' sr list
contains 'is told' "$ERR" 'no connection'

rm -rf "$SWIFT_DIR"
unset BACKUP_S3_PART_SIZE BACKUP_COMPRESSION BACKUP_GLOBALS
ok 'Swift starts with TLS' swift_start --tls || finish
swift_env
main_job secure
exit_is 2 'an authority that is not trusted' with -u AWS_CA_BUNDLE sr list
contains 'the setting is named' "$ERR" ca_file
finish

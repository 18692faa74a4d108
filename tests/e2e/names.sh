# What is stored can be checked and undone with sha256sum, gpg, gunzip and psql alone.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env
export PGDATABASE=shop BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR

exit_is 0 'a backup from the command line' sr backup --label nightly
key=$(objects '\.sql\.gz\.gpg$' | grep -v globals)
matches 'label, time and digest are in the name' "$key" '^nightly-[0-9]{14}-[0-9a-f]{64}\.sql\.gz\.gpg$'
digest=${key%.sql.gz.gpg} digest=${digest##*-}
gpg --batch --quiet -d "$BACKUP_DIR/$key" >"$T/plain.sql.gz" 2>/dev/null
is 'the digest in the name is that of the decrypted file' "$(sha256sum <"$T/plain.sql.gz" | cut -d' ' -f1)" "$digest"
ok 'gunzip reads it' gzip -t "$T/plain.sql.gz"
create_db copy
gunzip <"$T/plain.sql.gz" | psql_as_super -d copy -q -v ON_ERROR_STOP=1 >/dev/null 2>"$T/psql.err"
is 'psql alone restores it' "$?:$(cat "$T/psql.err")" 0:
restored_equals shop copy 'by hand, every row is back'
ok 'sha256sum -c accepts the folder' bash -c 'cd "$1" && sha256sum -c ./*.sha256' - "$BACKUP_DIR"
contains 'the object is among the sums' "$OUT" "$key: OK"
ok 'the store says how to recover' grep -q gunzip "$BACKUP_DIR/RECOVER.txt"
is 'nobody else may read what is stored' "$(find "$BACKUP_DIR" -type f -perm /077)" ''
is 'nobody else may enter the store' "$(find "$BACKUP_DIR" -type d -perm /077)" ''
manifest=$BACKUP_DIR/$(manifests)
no 'an encrypted backup does not tell table names' grep -rq transactions "$BACKUP_DIR" --include='*.json'
contains 'the manifest names the recipient' "$(cat "$manifest")" "$GPG_FPR"
contains 'the manifest has the digest of the dump' "$(cat "$manifest")" "$digest"
contains 'the manifest has the digest of what is stored' "$(cat "$manifest")" "$(sha256sum <"$BACKUP_DIR/$key" | cut -d' ' -f1)"

exit_is 0 'a scheduled backup' sr backup --scheduled
matches 'its name has no digest' "$(objects '^scheduled' | grep -v globals)" '^scheduled-[0-9]{14}\.sql\.gz\.gpg$'

unset BACKUP_ENCRYPTION_ENABLED GPG_RECIPIENT_KEY_ID
export BACKUP_DIR=$T/labels
exit_is 0 'a label is used' sr backup --label pre-migration --json
first=$(json .set)
poll 3 test "$(date +%s)" -gt "$(stat -c %Y "$BACKUP_DIR/RECOVER.txt")" # the names carry seconds
exit_is 0 'the same label at once again' sr backup --label pre-migration --json
isnt 'two sets' "$(json .set)" "$first"
export BACKUP_LABEL_TIMESTAMP=off
exit_is 0 'a bare label' sr backup --label release-1 --json
is 'a bare label is the set' "$(json .set)" release-1
before=$(objects)
exit_is 14 'a bare label that exists is refused' sr backup --label release-1
is 'the refused run left nothing' "$(objects)" "$before"
unset BACKUP_LABEL_TIMESTAMP
exit_is 0 'a label that ends in a time stays as it is' sr backup --label mine-20261120130501 --json
is 'no second time is added' "$(json .set)" mine-20261120130501

exit_is 0 'credentials that may only write' with BACKUP_PLUGIN_PATH="$SR_BUILDDIR/tests/abi/.libs" BACKUP_STORAGE_ADAPTER=memory \
    BACKUP_MEMORY_HOW=write-only sr backup --scheduled --json
matches 'make a backup under the same name as ever' "$(json '[.objects[].key] | map(select(test("globals") | not))[0]')" '^scheduled-[0-9]{14}\.sql\.gz$'

for label in 'a/b' '../../etc/x' '..' '.hidden' 'with blank' 'quote"s'"'" 'ünïcode 雪' '$(touch x)' '%41' '_x41' '-dash' '100%'; do
    exit_is 0 "label $label" sr backup "--label=$label" --json
    is "label $label is told as it was given" "$(json .label)" "$label"
    exit_is 0 "label $label can be found again" sr show "$(json .set)"
done
is 'no label left the store' "$(find "$T/labels" -mindepth 1 -type d -not -path '*/.strongroom*')" ''
no 'nothing was made elsewhere' ls "$T/etc" "$T/x" /etc/x
for label in '' $'new\nline' $'tab\t' "$(printf 'x%.0s' {1..300})"; do
    before=$(objects)
    exit_is 2 "label ${label:0:20} is refused" sr backup "--label=$label"
    is "label ${label:0:20} left nothing" "$(objects)" "$before"
done
finish

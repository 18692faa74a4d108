# adopt gives dumps of other scripts a manifest; fetch brings a backup here.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env
export PGDATABASE=shop
mkdir -p "$BACKUP_DIR"
"$PG_BIN/pg_dump" shop | gzip >"$BACKUP_DIR/daily-20260101020000.sql.gz"
"$PG_BIN/pg_dump" -Fc shop >"$BACKUP_DIR/weekly.dump"
sum=$(cd "$BACKUP_DIR" && sha256sum daily-20260101020000.sql.gz weekly.dump)
run sr list --json
is 'foreign dumps are no backups' "$(json '.backups | length')" 0
exit_is 0 'adopt' sr adopt "$BACKUP_DIR/daily-20260101020000.sql.gz" "$BACKUP_DIR/weekly.dump"
run sr list --json
is 'now they are' "$(json '.backups | length')" 2
is 'the files are as they were' "$(cd "$BACKUP_DIR" && sha256sum daily-20260101020000.sql.gz weekly.dump)" "$sum"
exit_is 0 'they verify' sr verify --all
drop_db copy && create_db copy
exit_is 0 'one is restored' sr restore daily --into copy --yes
restored_equals shop copy 'adopted: every row'
exit_is 14 'adopting again' sr adopt "$BACKUP_DIR/weekly.dump"
exit_is 14 'for another database either: the purge of one would take it from the other' sr adopt --database other "$BACKUP_DIR/weekly.dump"
head -c 5000 "$BACKUP_DIR/daily-20260101020000.sql.gz" >"$T/short.sql.gz"
run sr adopt "$T/short.sql.gz"
isnt 'a truncated dump is not adopted' "$RC" 0
exit_is 1 'a file that is not there' sr adopt "$T/nosuch.sql.gz"

# A copy that gets no manifest does not stay.
mkdir "$T/one" "$T/two"
"$PG_BIN/pg_dump" shop | gzip >"$T/one/elsewhere.sql.gz"
"$PG_BIN/pg_dump" --schema-only shop | gzip >"$T/two/elsewhere.sql.gz"
touch -d 2026-02-03T04:05:06Z "$T"/{one,two}/elsewhere.sql.gz
exit_is 0 'a file from elsewhere is copied' sr adopt "$T/one/elsewhere.sql.gz"
before=$(_keys)
exit_is 14 'another one of that name and time is refused' sr adopt "$T/two/elsewhere.sql.gz"
is 'and leaves nothing' "$(_keys)" "$before"

# A file that changes between the two readings, and keeps its size.
mkdir "$T/gate"
"$PG_BIN/pg_dump" shop >"$T/changing.sql"
with BACKUP_PLUGIN_PATH="$SR_BUILDDIR/tests/abi/.libs" BACKUP_STORAGE_ADAPTER=memory BACKUP_MEMORY_GATE="save:.sql:$T/gate" \
    "$SR_BUILDDIR/strongroom" adopt "$T/changing.sql" >"$T/out" 2>"$T/err" &
pid=$!
ok 'it was read once' poll 20 test -e "$T/gate/reached"
printf X | dd of="$T/changing.sql" bs=1 seek=2000 conv=notrunc status=none
touch "$T/gate/go"
wait "$pid"
isnt 'a file that changes meanwhile is not adopted' "$?" 0
contains 'and it is said why' "$(cat "$T/err")" 'changed while'

exit_is 0 'an encrypted backup' with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$GPG_FPR" sr backup --label sealed --json
key=$(json '.objects[] | select(.key | test("globals") | not) | .key')
plain=$(json '.objects[] | select(.key | test("globals") | not) | .plain_sha256')
mkdir "$T/here"
exit_is 0 'fetch' sr fetch sealed --output "$T/here"
is 'what is stored' "$(sha256sum <"$T/here/$key")" "$(sha256sum <"$BACKUP_DIR/$key")"
exit_is 14 'nothing is replaced' sr fetch sealed --output "$T/here"
mkdir "$T/open"
exit_is 0 'fetch --decrypt' sr fetch sealed --output "$T/open" --decrypt
is 'the plain dump has its digest' "$(sha256sum <"$T/open/${key%.gpg}" | cut -d' ' -f1)" "$plain"
is 'and is private' "$(stat -c %a "$T/open/${key%.gpg}")" 600
sr fetch "$key" --output - --decrypt >"$T/piped" 2>"$T/err"
is 'fetch to standard output' "$?:$(sha256sum <"$T/piped" | cut -d' ' -f1)" "0:$plain"
exit_is 10 'fetch of nothing' sr fetch nosuch --output "$T/here"
printf x | dd of="$BACKUP_DIR/$key" bs=1 seek=500 conv=notrunc status=none
mkdir "$T/bad"
exit_is 13 'fetch of a damaged object' sr fetch sealed --output "$T/bad"
is 'leaves nothing' "$(ls -A "$T/bad")" ''
finish

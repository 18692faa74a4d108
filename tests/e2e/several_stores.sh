# Several stores and several hands: one store fails, another process cleans up meanwhile, fewer copies than wanted.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && dataset other 1 || exit 1
sr_env
export PGDATABASE=shop BACKUP_GLOBALS=off

# A sweep of any age takes nothing from a run that is alive.
ok 'a run is held in its second dump' table_lock other users
sr backup --label two --database shop --database other --json >"$T/run.out" 2>"$T/run.err" &
run=$!
ok 'it waits' poll 20 dump_waits
ok 'its first object is there, and older than a second' poll 20 eval '[ -n "$(find "$BACKUP_DIR" -name "two-*.shop.sql.gz" ! -newermt "-2 seconds")" ]'
exit_is 0 'a sweep of all that is older than a second' sr sweep --older-than 1s
is 'takes nothing' "$(objects | wc -l)" 1
table_unlock
wait "$run"
is 'the run ends well' "$?" 0
exit_is 0 'and what it made is whole' sr verify latest

# What is taken away all the same before the manifest is written makes the run fail.
ok 'a second run is held' table_lock other users
sr backup --label gone --database shop --database other >"$T/run.out" 2>"$T/run.err" &
run=$!
ok 'it waits' poll 20 dump_waits
rm -f "$BACKUP_DIR"/gone-*.shop.sql.gz
table_unlock
wait "$run"
is 'a run whose object is gone fails' "$?" 1
contains 'and says so' "$(cat "$T/run.err")" 'gone again'
is 'nothing of it is left' "$(_keys | grep -c '^gone')" 0

# Names that begin alike are different names.
export BACKUP_LABEL_TIMESTAMP=off
exit_is 0 'a bare label' sr backup --label app-nightly
exit_is 0 'another one, which is its beginning' sr backup --label app
exit_is 14 'the same again' sr backup --label app
unset BACKUP_LABEL_TIMESTAMP

# Two stores, the second of which fails in the middle.
export BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR=$T/dr BACKUP_RETENTION_DAYS=7
old=nightly-$(date -u -d '-30 days' +%Y%m%d%H%M%S)
exit_is 0 'an old backup in both' with BACKUP_RETENTION_DAYS=0 sr backup --label "$old"
held_run() { # held_run LABEL [NAME=VALUE...]: a run whose object is taken out of the second store; sets RC
    local label=$1
    shift
    table_lock other users
    with "$@" sr backup --label "$label" --database shop --database other >"$T/out" 2>"$T/err" &
    run=$!
    poll 20 dump_waits
    rm -f "$T/dr/$label"-*.shop.sql.gz
    table_unlock
    wait "$run"
    RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
held_run both BACKUP_MIN_STORES=2 BACKUP_SOURCE_NAME=shop
is 'fewer copies than BACKUP_MIN_STORES is a failure' "$RC" 1
contains 'that says how many there are' "$ERR" '1 of 2 stores hold'
ok 'and retention deletes nothing after it' test -e "$BACKUP_DIR/$old.shop.manifest.json"
held_run one BACKUP_MIN_STORES=1 BACKUP_SOURCE_NAME=shop
is 'enough copies: partly done' "$RC" 3
no 'and retention follows, where the new one is' test -e "$BACKUP_DIR/$old.shop.manifest.json"
ok 'and only there' test -e "$T/dr/$old.shop.manifest.json"
is 'the store that failed holds nothing of it' "$(find "$T/dr" -name 'one-*' | wc -l)" 0

# A store that takes nothing unencrypted.
exit_is 2 'an unencrypted backup for a store that wants encryption' with BACKUP_DR_REQUIRE_ENCRYPTION=on sr backup --label open
contains 'is refused with both settings' "$ERR" 'BACKUP_DR_REQUIRE_ENCRYPTION'
contains 'and what to do' "$ERR" 'set BACKUP_ENCRYPTION_ENABLED=on'
is 'before anything is written anywhere' "$(_keys | grep -c '^open')" 0
cp "$BACKUP_DIR"/app-[0-9a-f]*.sql.gz "$T/by-hand.sql.gz"
exit_is 2 'adopt refuses it too' with BACKUP_DR_REQUIRE_ENCRYPTION=on sr adopt --store dr --database shop "$T/by-hand.sql.gz"
printf 'a phrase of some length' >"$T/phrase"
exit_is 0 'an encrypted one is taken' with BACKUP_DR_REQUIRE_ENCRYPTION=on BACKUP_ENCRYPTION_ENABLED=on \
    BACKUP_ENCRYPTION_PASSPHRASE_FILE="$T/phrase" sr backup --label closed

# A store that cannot even be opened: a file lies where its folder should be.
mv "$T/dr" "$T/dr.away" && : >"$T/dr"
exit_is 3 'a run goes on with the store that is left' sr backup --label alone --json
is 'one holds it, one failed' "$(json '.stores | map("\(.name) \(.ok)") | join(",")')" 'local true,dr false'
isnt 'and why' "$(json '.stores[1].error')" null
exit_is 1 'a dry run tells that the store fails' sr backup --label alone --dry-run
exit_is 1 'unless two are wanted' with BACKUP_MIN_STORES=2 sr backup --label both
contains 'with the reason' "$ERR" 'BACKUP_MIN_STORES'
exit_is 2 'more than there are can never be' with BACKUP_MIN_STORES=3 sr backup --label three
exit_is 3 'list shows what the other has' sr list --json
contains 'all of it' "$(json '.backups[].set')" alone-
exit_is 0 'show finds it' sr show alone --json
exit_is 0 'so does fetch' sr fetch alone --output "$T/fetched"
exit_is 0 'and restore' sr restore alone --into copy --create
restored_equals shop copy 'it is the same'
exit_is 1 'what the other does not have may be in the one that is gone' sr show nosuch
exit_is 1 'asked for by name it is an error' sr list --store dr
rm "$T/dr"
drop_db copy
exit_is 0 'a restore makes no store' sr restore alone --into copy --create
no 'where there is none' test -e "$T/dr"
mv "$T/dr.away" "$T/dr"
finish

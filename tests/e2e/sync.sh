# One store brought in step with another: folders, S3 on a real server, a plugin of a third party; damage, rules,
# what is cut off and goes on.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"
pg_start && pg_env && dataset shop 20 && gpg_home || exit 1
sr_env
export PGDATABASE=shop BACKUP_RETENTION_DAYS=0 BACKUP_COMPRESSION=none BACKUP_STORAGE_ADAPTER=local,dr=local \
    BACKUP_DR_DIR=$T/dr GPG_RECIPIENT_KEY_ID=$GPG_FPR BACKUP_ENCRYPTION_ENABLED=on BACKUP_PROOFS=off
contents() { # contents FOLDER: every object and its digest
    (cd "$1" && find . -path ./.strongroom -prune -o -type f ! -name '.sr-*.tmp' -printf '%P\n' | sort | xargs -r sha256sum)
}
whole() { # whole FOLDER: each manifest's objects are there, with their digests
    local m
    for m in "$1"/*.manifest.json; do
        [ -e "$m" ] || continue
        (cd "$1" && jq -r '.objects[] | "\(.sha256)  \(.key)"' "$m" | sha256sum --check --strict --quiet) 2>&1
    done
}
for n in 1 2 3; do
    exit_is 0 "backup $n" sr backup --to local --label "night-$n" --json
    [ $n = 2 ] && second=$(json .set)
done
exit_is 0 'one is held' sr hold night-1 --store local
exit_is 1 'a store that is not there cannot be looked at' sr sync local dr --dry-run
mkdir "$T/dr"

exit_is 0 'a dry run' sr sync local dr --dry-run --json
is 'tells of each backup what and why' "$(json '.sets | map("\(.outcome) \(.reason)") | unique | join(",")')" 'copied missing in dr'
is 'newest first' "$(json '.sets[0].set' | cut -c1-7)" night-3
is 'and does nothing' "$(contents "$T/dr")" ''
exit_is 0 'sync' sr sync local dr
contains 'says what came' "$OUT" 'brought 3 of 3 to dr'
is 'both hold the same' "$(contents "$T/dr")" "$(contents "$BACKUP_DIR")"
exit_is 0 'all of it is sound' sr verify --all --store dr
exit_is 0 'the hold came along' sr list --store dr --json
is 'of that one' "$(json '[.backups[] | select(.hold) | .label] | join(",")')" night-1
contains 'the audit log tells of each' "$(grep '"action":"db_backup_synced"' "$BACKUP_DIR/.strongroom/audit.log" | tail -1)" '"outcome":"success"'
contains 'and of the run' "$(grep '"action":"db_sync_' "$BACKUP_DIR/.strongroom/audit.log" | tail -1)" '"action":"db_sync_succeeded"'
exit_is 0 'a proof that comes later' with BACKUP_PROOFS=on sr verify night-1 --store local
exit_is 0 'comes along' sr sync local dr
contains 'and is told' "$OUT" '.proof-opened-'
is 'both hold the same' "$(contents "$T/dr")" "$(contents "$BACKUP_DIR")"
exit_is 0 'it counts there' sr list --store dr --json
is 'as it does here' "$(json '[.backups[] | select(.label == "night-1") | .proofs | length] | join(",")')" 1
before=$(find "$T/dr" -type f -printf '%p %i %T@\n' | sort)
exit_is 0 'again' sr sync local dr
contains 'there is nothing to do' "$OUT" 'brought 0 of 3'
is 'and nothing is touched' "$(find "$T/dr" -type f -printf '%p %i %T@\n' | sort)" "$before"
exit_is 0 'from the copy alone it restores' with BACKUP_STORAGE_ADAPTER=dr=local sr restore latest --into copy --create --yes
restored_equals shop copy 'with every row'

# Damage. A size tells nothing for certain and an equal one nothing at all.
object=$(cd "$T/dr" && ls "$second"*.sql.gpg | grep -v globals)
printf X | dd of="$T/dr/$object" bs=1 seek=5000 conv=notrunc status=none
exit_is 0 'one byte, which a folder does not tell of' sr sync local dr
contains 'stays unseen' "$OUT" 'brought 0 of 3'
exit_is 0 'unless it is read again' sr sync local dr --reread --json
is 'one is repaired' "$(json '.counts.repaired')" 1
contains 'it says what' "$(json '.sets[] | select(.outcome == "repaired") | .reason')" "$object was damaged in dr"
is 'one object came' "$(json '.sets[] | select(.outcome == "repaired") | .objects')" 1
truncate -s 100 "$T/dr/$object"
rm "$T/dr/$second".*.hold "$T/dr"/night-3*.globals.sql.gpg 2>/dev/null
exit_is 0 'a cut one, and one that is gone' sr sync local dr
contains 'are seen' "$OUT" 'brought 2 of 3'
is 'all is as it was' "$(contents "$T/dr")" "$(contents "$BACKUP_DIR")"

# A damaged source stays where it is; all else comes.
rm -r "$T/dr" && mkdir "$T/dr"
cp "$BACKUP_DIR/$object" "$T/good"
printf X | dd of="$BACKUP_DIR/$object" bs=1 seek=5000 conv=notrunc status=none
exit_is 13 'damage in FROM' sr sync local dr --json
is 'the others are copied' "$(json '.counts | "\(.copied) \(.corrupt)"')" '2 1'
contains 'it is named' "$ERR" "$object is damaged"
is 'nothing of it is in TO' "$(ls "$T/dr" | grep -c "^$second")" 0
cp "$T/good" "$BACKUP_DIR/$object"
exit_is 0 'once it is mended' sr sync local dr
is 'it comes too' "$(contents "$T/dr")" "$(contents "$BACKUP_DIR")"

# What a store does not take.
exit_is 0 'a backup that is not encrypted' with BACKUP_ENCRYPTION_ENABLED=off sr backup --to local --label open
exit_is 3 'is refused' with BACKUP_DR_REQUIRE_ENCRYPTION=on sr sync local dr
contains 'and told' "$ERR" BACKUP_DR_REQUIRE_ENCRYPTION
is 'it is not there' "$(ls "$T/dr" | grep -c '^open')" 0
old=old-$(date -u -d '-30 days' +%Y%m%d%H%M%S)
exit_is 0 'an old one' sr backup --to local --label "$old"
exit_is 0 'that TO would drop at once' with BACKUP_RETENTION_DAYS=7 sr sync local dr --json
contains 'is not copied' "$(json '.sets[] | select(.outcome == "skipped") | .reason')" 'dr would drop it at once: 30 days old'

# Deleting: what is gone from FROM, as far as TO's retention lets it go.
exit_is 0 'all of it' sr sync local dr
rm "$BACKUP_DIR/$old"* "$BACKUP_DIR/$second"*
exit_is 0 'without --delete all stays' with BACKUP_RETENTION_DAYS=7 sr sync local dr
is 'there' "$(ls "$T/dr" | grep -c "^$old")" "$(ls "$T/dr" | grep -c "^$second")"
exit_is 0 'with it, tried out' with BACKUP_RETENTION_DAYS=7 sr sync local dr --delete --dry-run
matches 'the old one would go' "$OUT" "$old .* would be deleted .* older than 7 days"
matches 'the young one would not' "$OUT" "$second .* kept .* of 7 days old"
exit_is 0 'with it' with BACKUP_RETENTION_DAYS=7 BACKUP_SYNC_DELETE=on sr sync local dr
is 'the old one is gone' "$(ls "$T/dr" | grep -c "^$old")" 0
isnt 'the young one is not' "$(ls "$T/dr" | grep -c "^$second")" 0
mkdir "$T/empty"
exit_is 1 'an empty folder is no store' with BACKUP_DIR="$T/empty" BACKUP_RETENTION_DAYS=1 sr sync local dr
contains 'but an unmounted disk, it may be' "$ERR" 'holds nothing that strongroom wrote'
exit_is 1 'to prune neither' with BACKUP_DIR="$T/empty" BACKUP_RETENTION_DAYS=1 sr prune --store local
echo 'as every store has' >"$T/empty/RECOVER.txt"
exit_is 4 'an empty store deletes nothing' with BACKUP_DIR="$T/empty" BACKUP_RETENTION_DAYS=1 sr sync local dr --delete
contains 'and is told' "$ERR" 'holds no backup at all'
before=$(contents "$BACKUP_DIR")
mv "$T/dr" "$T/away"
exit_is 1 'nor does one that is gone' sr sync dr local --delete
contains 'which is told' "$ERR" "$T/dr"
mkdir -m 000 "$T/dr"
[ "$(id -u)" = 0 ] || exit_is 1 'nor one that cannot be listed' sr sync dr local --delete
rmdir "$T/dr" && mv "$T/away" "$T/dr"
is 'TO is as it was' "$(contents "$BACKUP_DIR")" "$before"
exit_is 2 'a store and itself' sr sync local local
exit_is 2 'an unknown store' sr sync local nosuch
contains 'those there are' "$ERR" 'names: local dr'
exit_is 2 'one store is not enough' sr sync local
exit_is 2 'two at once' sr sync local,dr dr

# Two stores in one folder that differ in their prefix: the store copies by itself, and what came of it is looked at.
inside=(BACKUP_STORAGE_ADAPTER=local,sub=local BACKUP_SUB_DIR="$BACKUP_DIR" BACKUP_SUB_PREFIX=copy)
exit_is 0 'inside one place' with "${inside[@]}" sr sync local sub
is 'the same is there' "$(contents "$BACKUP_DIR/copy")" "$(contents "$BACKUP_DIR" | grep -v '  copy/')"
exit_is 0 'and sound' with "${inside[@]}" sr verify --all --store sub
rm -r "$BACKUP_DIR/copy"

# Cut off by kill -9 at random moments: no half backup is ever there, and it goes on.
for n in 4 5 6 7; do sr backup --to local --label "night-$n" >/dev/null 2>&1; done
rm -r "$T/dr" && mkdir "$T/dr"
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH
began=${EPOCHREALTIME/./}
exit_is 0 'a run that is left alone' sr sync local dr --jobs 1
took=$((${EPOCHREALTIME/./} - began))
kills=0 runs=0 broken='' again=0
while [ $kills -lt 15 ] && [ $runs -lt 90 ]; do
    [ $((runs % 3)) = 0 ] && rm -r "$T/dr" && mkdir "$T/dr"
    runs=$((runs + 1)) delay=$(((RANDOM * 32768 + RANDOM) % took))
    "$SR_BUILDDIR/strongroom" sync local dr --jobs 2 >"$T/killed.out" 2>&1 &
    pid=$!
    sleep "$((delay / 1000000)).$(printf %06d $((delay % 1000000)))"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    if [ $? = 137 ]; then kills=$((kills + 1)); else took=$((took * 9 / 10)); fi
    broken+=$(whole "$T/dr")
done
ok "fifteen runs were killed, of $runs" test $kills = 15
is 'no half backup was ever visible' "$broken" ''
exit_is 0 'the next run goes on' sr sync local dr
is 'all is there' "$(contents "$T/dr")" "$(contents "$BACKUP_DIR")"
swept() {
    sr sweep --store dr --older-than 1s >/dev/null 2>&1 && [ -z "$(find "$T/dr" -name '.sr-*.tmp')" ]
}
ok 'a sweep ends what was unfinished' poll 20 swept
is 'and takes nothing else' "$(contents "$T/dr")" "$(contents "$BACKUP_DIR")"

# Another sync into the same store waits its turn; a signal ends one, and what it leaves is right.
mkdir "$T/gate" "$T/plugins" && cp "$(sr_plugin_path)/local.so" "$SR_BUILDDIR/tests/abi/.libs/memory.so" "$T/plugins/"
chmod -R go-w "$T/plugins"
gated=(BACKUP_PLUGIN_PATH="$T/plugins" BACKUP_STORAGE_ADAPTER="local,held=memory" BACKUP_HELD_GATE="save:.manifest.json:$T/gate")
env "${gated[@]}" "$SR_BUILDDIR/strongroom" sync local held >"$T/held.out" 2>"$T/held.err" &
pid=$!
ok 'a sync is held before its first manifest' poll 20 test -e "$T/gate/reached"
exit_is 11 'a second one' with "${gated[@]}" sr sync local held
contains 'says who' "$ERR" 'another run'
kill -TERM $pid
wait $pid
is 'a signal ends it' $? 143
contains 'and it says so' "$(cat "$T/held.err")" 'signal 15'

if [ -e "$(sr_plugin_path)/s3.so" ]; then
    ok 'Swift starts' swift_start || finish
    swift_env
    export AWS_EC2_METADATA_DISABLED=true
    s3_bucket off || exit 1
    example=$(find "$SR_BUILDDIR/plugins/example" -name 'example.so' | head -1)
    export BACKUP_STORAGE_ADAPTER=local,s3,third=$example BACKUP_S3_BUCKET=off BACKUP_S3_PREFIX=shop BACKUP_THIRD_FILE=$T/third.archive
    export BACKUP_S3_PART_SIZE=5MiB
    unset BACKUP_DR_DIR
    exit_is 0 'a folder into S3' sr sync local s3 --jobs 3
    exit_is 0 'all is sound there' sr verify --all --store s3
    exit_is 0 'again: nothing' sr sync local s3 --json
    is 'comes' "$(json .bytes)" 0
    # Cut off there as well: parts of an upload are no object, and it goes on.
    broken=''
    for delay in 0.2 0.4 0.6 0.8 1.0; do
        for key in $(s3_keys off | grep 'shop/night-[45]'); do s3api delete-object --bucket off --key "$key" >/dev/null; done
        "$SR_BUILDDIR/strongroom" sync local s3 >"$T/killed.out" 2>&1 &
        pid=$!
        sleep $delay
        kill -KILL $pid 2>/dev/null
        wait $pid 2>/dev/null
        run sr verify --all --store s3
        [ "$RC" = 0 ] || broken+="after $delay s: $OUT $ERR; "
    done
    is 'killed at five moments: no half backup' "$broken" ''
    exit_is 0 'the next one goes on' sr sync local s3
    exit_is 0 'both are in step' sr sync local s3 --dry-run --json
    is 'in all' "$(json '[.sets[].outcome] | unique | join(",")')" same
    # What another client damaged is found by what the server tells, or by its size.
    key=$(s3_keys off | grep "shop/night-3.*\.sql\.gpg$" | grep -v globals)
    head -c 4000 /dev/urandom >"$T/junk"
    s3api put-object --bucket off --key "$key" --body "$T/junk" >/dev/null
    exit_is 0 'a damaged object in S3' sr sync local s3 --json
    is 'is repaired' "$(json .counts.repaired)" 1
    exit_is 0 'and sound' sr verify night-3 --store s3
    exit_is 0 'S3 into the plugin of a third party' sr sync s3 third --jobs 2
    exit_is 0 'all is sound there too' sr verify --all --store third
    exit_is 0 'and the other way' sr sync third s3 --dry-run --json
    is 'they are in step' "$(json '[.sets[].outcome] | unique | join(",")')" same
    drop_db copy
    exit_is 0 'from the last of the three it restores' with BACKUP_STORAGE_ADAPTER="third=$example" sr restore latest --into copy --create --yes
    restored_equals shop copy 'with every row'
    # A server that is gone.
    swift_stop
    exit_is 1 'a store that is down' sr sync local s3
fi
finish

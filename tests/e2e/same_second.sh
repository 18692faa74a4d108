# Hosts that write different databases into one store in the same second: each gets a name of its own before
# its dump, whatever happens to the other. Two BACKUP_DIRs stand for two hosts; the clock stands still.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && create_db alpha && create_db beta || exit 1
for db in alpha beta; do
    q "$db" "CREATE TABLE only_$db AS SELECT g AS id FROM generate_series(1, 100) g"
done
sr_env
export BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0 BACKUP_STORAGE_ADAPTER=shared=local BACKUP_SHARED_DIR=$T/shared
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH

ok 'the clock can be stopped' "${SR_CC:-cc}" -std=gnu11 -shared -fPIC -o "$T/clock.so" "$SR_SRCDIR/tests/lib/clock_offset.c"
preload=$T/clock.so
if ldd "$SR_BUILDDIR/strongroom" | grep -q libasan; then
    preload="$(gcc -print-file-name=libasan.so) $preload" # the sanitizer wants to be first
fi
host() ( # host NAME SECOND ARGUMENT...: the program on that host, where it is that second
    export BACKUP_DIR=$T/host-$1 PGDATABASE=$1 LD_PRELOAD=$preload SR_CLOCK_AT=$2
    shift 2
    exec "$SR_BUILDDIR/strongroom" "$@"
)
shared() { # what the shared store holds
    (cd "$T/shared" && find . -type f -printf '%P\n' | sort)
}
stamp() {
    date -u -d "@$1" +%Y%m%d%H%M%S
}

# Many rounds, each in a second of its own.
now=$(date +%s) failed='' wrong=''
for round in $(seq 20); do
    second=$((now - 1000 + 10 * round))
    host alpha "$second" backup --scheduled >"$T/alpha.out" 2>"$T/alpha.err" &
    one=$!
    host beta "$second" backup --scheduled >"$T/beta.out" 2>"$T/beta.err" &
    two=$!
    wait "$one" || failed+="round $round, alpha, $?: $(tail -1 "$T/alpha.err"); "
    wait "$two" || failed+="round $round, beta, $?: $(tail -1 "$T/beta.err"); "
    got=$(shared | grep -E "^scheduled-($(stamp "$second")|$(stamp $((second + 1))))\.sql\.gz$" | wc -l)
    [ "$got" = 2 ] || wrong+="round $round: $got plain names; "
done
is 'no run of twenty pairs failed' "$failed" ''
is 'the names are those of the contract, in this second and the next' "$wrong" ''
export BACKUP_DIR=$T/host-alpha
for db in alpha beta; do
    run sr list --json
    is "every backup of $db is listed" "$(json "[.backups[] | select(.source == \"$db\")] | length")" 20
done
exit_is 0 'all are whole' sr verify --all --json
mixed=$(shared | sed -n 's/\.\([a-z]*\)\.manifest\.json$/ \1/p' | while read -r set db; do
    gunzip -c "$T/shared/$set.sql.gz" | grep -q "CREATE TABLE public.only_$db" || echo "$set of $db"
done)
is 'and each is of the database that its manifest names' "$mixed" ''

# One of the two is killed at any moment: the other loses nothing, the next run of the killed one takes only
# what was its own, and nothing blocks anybody.
took=300000 kills=0 lost='' failed=''
for round in $(seq 25); do
    second=$((now + 10000 + 10 * round))
    delay=$(((RANDOM * 32768 + RANDOM) % took))
    LD_PRELOAD=$preload SR_CLOCK_AT=$second BACKUP_DIR=$T/host-alpha PGDATABASE=alpha "$SR_BUILDDIR/strongroom" \
        backup --scheduled >"$T/alpha.out" 2>&1 &
    one=$!
    host beta "$second" backup --scheduled >"$T/beta.out" 2>"$T/beta.err" &
    two=$!
    sleep "0.$(printf %06d "$delay")"
    kill -KILL "$one" 2>/dev/null
    wait "$one" 2>/dev/null
    [ $? = 137 ] && kills=$((kills + 1))
    # The next run of the killed host sweeps while the other may still be writing.
    poll 15 no_children
    host alpha $((second + 2)) backup --scheduled >"$T/alpha.out" 2>"$T/alpha.err" || failed+="round $round, alpha again, $?: $(tail -1 "$T/alpha.err"); "
    wait "$two" || failed+="round $round, beta, $?: $(tail -1 "$T/beta.err"); "
    [ "$(shared | grep -cE "^scheduled-($(stamp "$second")|$(stamp $((second + 1))))\.beta\.manifest\.json$")" = 1 ] || lost+="round $round; "
done
ok "runs were killed ($kills of 25)" test "$kills" -ge 5
is 'no other run failed' "$failed" ''
is 'the other host lost nothing' "$lost" ''
exit_is 0 'every backup is whole' sr verify --all
named=$(cd "$T/shared" && jq -r '.objects[].key' ./*.manifest.json | sort)
is 'nothing is left of the killed runs' "$(shared | grep -E '\.sql\.gz$')" "$named"
is 'nor a claim without a backup' "$(shared | sed -n 's/\.claim$//p')" "$(shared | sed -n 's/\.[a-z]*\.manifest\.json$//p')"

# Two stores that both hosts write to, named in a different order and differently.
failed=''
for round in $(seq 8); do
    second=$((now + 20000 + 10 * round))
    with BACKUP_STORAGE_ADAPTER=shared=local,dr=local BACKUP_DR_DIR="$T/second" host alpha "$second" backup --label nightly >"$T/alpha.out" 2>"$T/alpha.err" &
    one=$!
    with BACKUP_STORAGE_ADAPTER=far=local,near=local BACKUP_FAR_DIR="$T/second" BACKUP_NEAR_DIR="$T/shared" host beta "$second" backup --label nightly >"$T/beta.out" 2>"$T/beta.err" &
    two=$!
    wait "$one" || failed+="round $round, alpha, $?: $(tail -1 "$T/alpha.err"); "
    wait "$two" || failed+="round $round, beta, $?: $(tail -1 "$T/beta.err"); "
done
is 'no run of eight pairs on two stores failed' "$failed" ''
is 'each has its own name, in both stores' "$(shared | sed -n 's/^\(nightly-[0-9]*\)\.[a-z]*\.manifest\.json$/\1/p' | sort -u | wc -l):$(ls "$T/second" | grep -c '^nightly.*manifest')" 16:16

# A name that fixes everything leaves nothing to choose, and is refused before the dump.
export BACKUP_LABEL_TIMESTAMP=off
ok 'the first is held in its dump' table_lock alpha only_alpha
host alpha "$now" backup --label release --stream >"$T/alpha.out" 2>&1 &
one=$!
ok 'it dumps' poll 20 dump_waits
exit_is 14 'the same bare label from another host' host beta "$now" backup --label release --stream
is 'before its dump' "$(grep db_backup_started "$T/host-beta/.strongroom/audit.log" | grep -c release)" 0
table_unlock
wait "$one"
is 'the first ends well' "$?" 0
exit_is 0 'and is whole' sr verify release

# One that is killed in its dump leaves the name to its next run.
ok 'a run is held in its dump' table_lock alpha only_alpha
LD_PRELOAD=$preload SR_CLOCK_AT=$now BACKUP_DIR=$T/host-alpha PGDATABASE=alpha "$SR_BUILDDIR/strongroom" backup --label cut --stream >"$T/alpha.out" 2>&1 &
one=$!
ok 'it dumps' poll 20 dump_waits
ok 'it has claimed its name' test -e "$T/shared/cut.claim"
kill -KILL "$one"
wait "$one" 2>/dev/null
ok 'its dump ends too' poll 20 no_backend
table_unlock
exit_is 0 'the same bare label again, on that host' host alpha "$now" backup --label cut --stream
exit_is 0 'is whole' sr verify cut
finish

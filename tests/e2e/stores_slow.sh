# Stores of different pace: the fast ones are done, manifest and all, while a slow one is at it; what a kill leaves; what has
# to be spooled is told before; what a store locks stays.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env
BACKUP_PLUGIN_PATH=$(sr_plugin_path):$SR_BUILDDIR/tests/abi/.libs
export BACKUP_PLUGIN_PATH PGDATABASE=shop BACKUP_COMPRESSION=none
export BACKUP_STORAGE_ADAPTER=local,far=trouble,near=trouble BACKUP_FAR_FILE=$T/far BACKUP_NEAR_FILE=$T/near
export BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
# 24 MB of dump: three times as far as a store may be behind.
q shop "CREATE TABLE noise AS SELECT md5(g::text || 'a') || md5(g::text || 'b') || md5(g::text || 'c') AS t FROM generate_series(1, 250000) g"

spool_files() { # bytes on the disk of the spools of process $1
    local f n=0
    for f in /proc/"$1"/fd/*; do
        case $(readlink "$f") in
        "$BACKUP_DIR/.strongroom/spool/"*) n=$((n + $(stat -Lc %b "$f") * 512)) ;;
        esac
    done
    echo $n
}
start_run() { # start_run LABEL [NAME=VALUE...]: a run in the background; sets pid, start
    env "${@:2}" "$SR_BUILDDIR/strongroom" backup --label "$1" --json >"$T/run.out" 2>"$T/run.err" &
    pid=$! start=$(start_time "$!")
}
holds_set() { # holds_set STORE LABEL: it has a manifest there
    [ -n "$(with BACKUP_STORAGE_ADAPTER="$(case $1 in local) echo local ;; *) echo "$1=trouble" ;; esac)" \
        "$SR_BUILDDIR/tests/server/store_call" list "$2-" 2>/dev/null | grep '\.manifest\.json')" ]
}

# One store takes the bytes slowly, and then hangs before its last ones.
mkdir "$T/gate"
start_run slow BACKUP_FAR_PACE=12000000 BACKUP_FAR_GATE="last:.sql.gpg:$T/gate"
ok 'the slow store is at its last bytes' poll 60 test -e "$T/gate/reached"
ok 'a fast one has its manifest already' poll 20 holds_set local slow
ok 'and the other one' poll 20 holds_set near slow
no 'the slow one has none' holds_set far slow
ok 'the run is still at it' test -d "/proc/$pid"
is 'no backend waits for it' "$(q postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pg_dump%'")" 0
touch "$T/gate/go"
wait "$pid"
is 'then the run ends well' "$?" 0
slow() { # slow FILTER
    jq -r "$1" "$T/slow.out"
}
cp "$T/run.out" "$T/slow.out"
ok 'bytes went by way of the spool' test "$(slow '.stores[] | select(.name == "far") | .spooled_bytes')" -gt 5000000
is 'hardly any of the other stores' "$(slow '[.stores[] | select(.name != "far") | .spooled_bytes] | add < 9000000')" true
contains 'which is told' "$(cat "$T/run.err")" 'store far is slower than the others'
set=$(slow .set)
exit_is 0 'what the slow one has is whole' sr verify "$set" --store far
ok 'nothing is left of the spool' spool_empty
is 'nothing plain was in it' "$(grep -c 'PostgreSQL database dump' "$T/far")" 0

# Killed while the slow store is at it: what is finished stays a backup, the rest is swept.
rm -rf "$T/gate" && mkdir "$T/gate"
start_run killed BACKUP_FAR_GATE="last:.sql.gpg:$T/gate"
ok 'the slow store hangs' poll 60 test -e "$T/gate/reached"
ok 'a fast one has its manifest' poll 20 holds_set local killed
kill -KILL "$pid"
wait "$pid" 2>/dev/null
ok 'no child goes on' poll 10 no_children
exit_is 0 'after kill -9 the finished copy is whole' sr verify killed --store local
exit_is 0 'the next run' sr backup --label after
is 'the next run leaves nothing of it where it was not finished' "$(with BACKUP_STORAGE_ADAPTER=far=trouble \
    "$SR_BUILDDIR/tests/server/store_call" list killed- 2>/dev/null | wc -l)" 0
exit_is 0 'and the finished copy where it was' sr verify killed --store local
is 'no journal is left' "$(find "$BACKUP_DIR/.strongroom/runs" -name '*.run' | wc -l)" 0

# Ended by a signal there: the same, cleared up at once.
rm -rf "$T/gate" && mkdir "$T/gate"
start_run ended BACKUP_FAR_GATE="last:.sql.gpg:$T/gate"
ok 'the slow store hangs again' poll 60 test -e "$T/gate/reached"
ok 'the fast ones have their manifests' poll 20 eval 'holds_set local ended && holds_set near ended'
kill -TERM "$pid"
ok 'TERM ends the run at once' poll 20 is_gone "$pid" "$start"
wait "$pid"
rc=$?
matches 'as partly done, or by the signal' "$rc" '^(3|143)$'
exit_is 0 'the finished copy is whole' sr verify ended --store local
is 'nothing of it is in the slow store' "$(with BACKUP_STORAGE_ADAPTER=far=trouble \
    "$SR_BUILDDIR/tests/server/store_call" list ended- 2>/dev/null | wc -l)" 0
ok 'nor in the spool' spool_empty

# Ended in the middle of the dump: nothing is left anywhere.
rm -rf "$T/gate" && mkdir "$T/gate"
start_run middle BACKUP_FAR_GATE="middle:.sql.gpg:$T/gate"
ok 'a store hangs in the middle' poll 60 test -e "$T/gate/reached"
kill -TERM "$pid"
wait "$pid"
is 'TERM in the middle' "$?" 143
for store in local far=trouble near=trouble; do
    is "nothing is left in ${store%=*}" "$(with BACKUP_STORAGE_ADAPTER=$store \
        "$SR_BUILDDIR/tests/server/store_call" list middle- 2>/dev/null | wc -l)" 0
done
ok 'no child goes on' no_children

# All are slow: the dump waits, the disk stays free.
start_run both BACKUP_STORAGE_ADAPTER=far=trouble,near=trouble BACKUP_FAR_PACE=15000000 BACKUP_NEAR_PACE=15000000
most=0
while [ -d "/proc/$pid" ] && ! is_gone "$pid" "$start"; do
    n=$(spool_files "$pid" 2>/dev/null)
    [ "${n:-0}" -gt "$most" ] && most=$n
    sleep 0.1
done
wait "$pid"
is 'two slow stores' "$?" 0
ok 'the spool stays small' test "$most" -lt 10000000

# Where the spool has no room the slow store sets the pace.
if [ "$(id -u)" = 0 ]; then
    cat >"$T/small.sh" <<-'EOS'
		mount -t tmpfs -o size=2m,mode=700 tmpfs "$BACKUP_SPOOL_DIR" || exit 99
		"$@"
	EOS
    mkdir "$T/small"
    exit_is 0 'a spool of 2 MiB' with BACKUP_SPOOL_DIR="$T/small" BACKUP_FAR_PACE=12000000 \
        unshare -m bash "$T/small.sh" "$SR_BUILDDIR/strongroom" backup --label tight --json
    contains 'the run says that it waits' "$ERR" 'goes on at the pace of the slowest store'
    is 'all hold it' "$(json '.stores | map(.ok) | all')" true
    exit_is 0 'whole' sr verify tight --store far
    # And what must be spooled is refused before the start.
    exit_is 1 'a spool that is needed and cannot fit' with BACKUP_SPOOL_DIR="$T/small" BACKUP_FAR_LATE=off \
        unshare -m bash "$T/small.sh" "$SR_BUILDDIR/strongroom" backup --label refused
    contains 'names the store' "$ERR" 'store far must know the names'
    contains 'and the way out' "$ERR" '--stream'
    is 'nothing was begun' "$(_keys | grep -c '^refused')" 0
    exit_is 0 'with --stream it fits' with BACKUP_SPOOL_DIR="$T/small" BACKUP_FAR_LATE=off \
        unshare -m bash "$T/small.sh" "$SR_BUILDDIR/strongroom" backup --label streamed --stream
else
    echo '# not root: no small disk to try'
fi

# Names with a digest, for a store that must know them first.
exit_is 0 'a dry run tells the need' with BACKUP_FAR_LATE=off sr backup --label named --dry-run
matches 'how much and where' "$OUT" 'spool +about [0-9.]+ MiB in '
exit_is 0 'a dry run without need' sr backup --label named --dry-run
lacks 'tells none' "$OUT" 'spool  '
exit_is 0 'a spooled run' with BACKUP_FAR_LATE=off sr backup --label named --json
matches 'told before' "$ERR" 'the dump is spooled as it will be stored, about [0-9.]+ MiB'
matches 'the digest is in the names' "$(json '.objects[0].key')" '^named-[0-9]{14}-[0-9a-f]{64}\.sql\.gpg$'
is 'it went by way of the spool, but for its last bytes' "$(json '.objects[0].size - 8388608 <= (.stores[] | select(.name == "far") | .spooled_bytes)')" true
exit_is 0 'and is whole' sr verify named --store far

# Locks.
locked=(BACKUP_FAR_LATE=off BACKUP_FAR_LOCKS="$T/locks" BACKUP_FAR_LOCK_DAYS=30)
exit_is 2 'a lock that a store cannot give' with BACKUP_NEAR_LOCK_DAYS=1 sr backup --label nolock
contains 'is refused by name' "$ERR" 'BACKUP_NEAR_LOCK_DAYS'
is 'before anything is written' "$(_keys | grep -c '^nolock')" 0
exit_is 0 'a dry run with locks' with "${locked[@]}" sr backup --label lock --dry-run
matches 'tells until when' "$OUT" 'store +far .*locked until 20'
exit_is 0 'a locked backup' with "${locked[@]}" sr backup --label lock --json
set=$(json .set) told=$(json '.stores[] | select(.name == "far") | .locked_until')
is 'objects, detail, sums and manifest are locked, and nothing else' "$(cut -d' ' -f1 "$T/locks" | sed "s/^$set//; s/^-[0-9a-f]\{64\}//" | sort | tr '\n' ' ')" \
    '.globals.sql.gpg .shop.detail.json.gz.gpg .shop.manifest.json .shop.sha256 .sql.gpg '
is 'all until one moment, thirty days from now' "$(cut -d' ' -f2 "$T/locks" | sort -u | wc -l)" 1
until=$(cut -d' ' -f2 "$T/locks" | head -1)
ok 'to the day' test "$((until - $(date +%s)))" -gt 2591000 -a "$((until - $(date +%s)))" -le 2592000
is 'it is told' "$told" "$(date -u -d "@$until" +%Y-%m-%dT%H:%M:%SZ)"
exit_is 0 'a hold beside it' with "${locked[@]}" sr hold "$set"
exit_is 0 'is released' with "${locked[@]}" sr release "$set"
exit_is 0 'verify' with "${locked[@]}" sr verify "$set" --store far
exit_is 0 'the next one' with "${locked[@]}" sr backup --label lock
old=old-$(date -u -d '-9 days' +%Y%m%d%H%M%S)
exit_is 0 'an old one, locked' with "${locked[@]}" sr backup --label "$old" --to far
run with "${locked[@]}" BACKUP_RETENTION_DAYS=7 sr prune --store far
contains 'prune tells what is locked' "$(grep "$old" "$T/out")" 'locked'
exit_is 0 'and nothing of it is gone' with "${locked[@]}" sr verify "$old" --store far
exit_is 0 'sweep has nothing to do with it' with "${locked[@]}" sr sweep --older-than 1s
exit_is 0 'so it stays' with "${locked[@]}" sr verify "$set" --store far
exit_is 3 'a failure after objects are locked' with "${locked[@]}" BACKUP_FAR_FAILS=begin:.manifest.json sr backup --label stuck
contains 'tells what stays' "$ERR" 'stays behind without a manifest'
contains 'and why' "$ERR" 'keeps it locked'
locks_of() { # locks_of SET: the suffixes of what is locked
    grep "^$1" "$T/locks" | cut -d' ' -f1 | sed "s/^$1//; s/^-[0-9a-f]\{64\}//" | sort | tr '\n' ' '
}
exit_is 0 'one that far does not have' sr backup --label synced --to local --json
set=$(json .set)
exit_is 2 'sync into a store that cannot lock' with BACKUP_FAR_LOCK_DAYS=30 sr sync local far
exit_is 0 'sync' with "${locked[@]}" sr sync local far
is 'locks what it copies' "$(locks_of "$set")" '.globals.sql.gpg .shop.detail.json.gz.gpg .shop.manifest.json .shop.sha256 .sql.gpg '
sr fetch "$set" --store local --output "$T/byhand" 2>/dev/null >&2
mv "$T"/byhand/*[0-9a-f].sql.gpg "$T/byhand.sql.gpg"
exit_is 0 'a dump is adopted there' with "${locked[@]}" sr adopt --store far --database shop "$T/byhand.sql.gpg"
is 'and locked, dump and manifest' "$(locks_of byhand | sed 's/-[0-9]\{14\}//g; s/-[0-9a-f]\{64\}//')" '.sql.gpg .shop.manifest.json '
finish

# A clock that was set back or forward never makes retention take a good backup.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && create_db shop || exit 1
sr_env
export PGDATABASE=shop BACKUP_RETENTION_DAYS=7 BACKUP_GLOBALS=off

ok 'the clock can be moved' "${SR_CC:-cc}" -std=gnu11 -shared -fPIC -o "$T/clock.so" "$SR_SRCDIR/tests/lib/clock_offset.c"
preload=$T/clock.so
if ldd "$SR_BUILDDIR/strongroom" | grep -q libasan; then
    preload="$(gcc -print-file-name=libasan.so) $preload" # the sanitizer wants to be first
fi
at() ( # at DAYS COMMAND...: with the clock moved, for the program alone
    export LD_PRELOAD=$preload SR_CLOCK_OFFSET=$(($1 * 86400)) BACKUP_PLUGIN_PATH
    BACKUP_PLUGIN_PATH=$(sr_plugin_path)
    shift
    exec "$SR_BUILDDIR/strongroom" "$@"
)
exit_is 0 'a backup now' sr backup --label now --json
now=$(json .set)
exit_is 0 'a backup with the clock 30 days back' at -30 backup --label back --json
back=$(json .set)
is 'its name carries the time that the clock told' "$(sed 's/.*-//' <<<"$back" | cut -c1-8)" "$(date -u -d '-30 days' +%Y%m%d)"
run sr list --json
contains 'the newer one was not taken' "$OUT" "$now"
contains 'the one just made was not taken by its own retention' "$OUT" "$back"
exit_is 0 'a backup with the clock 400 days ahead' at 400 backup --label ahead --json
run sr list --json
contains 'the one just made is there' "$OUT" ahead-
is 'and so is every other: the store wrote the mark of the prune by its own clock' "$(json '.backups | length')" 3
contains 'which is told' "$(at 400 prune 2>&1)" "this host's clock is 400 days ahead of that of store local"
exit_is 4 'a prune is refused' at 400 prune
is 'nothing is left of it' "$(find "$BACKUP_DIR" -name '*.pruning')" ''
exit_is 0 'the clock is right again' sr backup --label right
exit_is 0 'prune' sr prune
no 'takes what is really old' grep -q "$back" <(sr list)
run sr list --json
contains 'the newest true one stays' "$OUT" right-
exit_is 0 'all that is listed is good' sr verify --all

# A store that has no clock but this host's: the sets themselves tell. Nights, then none for nine days.
export BACKUP_DIR=$T/nights
for night in -14 -13 -12 -11 -10 -9; do
    exit_is 0 "a backup of night $night" at "$night" backup --label night
done
exit_is 0 'the first one since' sr backup --label since --json
is 'takes none of them' "$(json '.pruned | length')" 0
exit_is 0 'a prune' sr prune --json
is 'keeps all, and says why' "$(json '[.sets[] | select(.reason | test("from before a gap of 9 days"))] | length')" 6
contains 'also in the log' "$ERR" 'prune --trust-clock'
exit_is 0 'asked for the day after' sr prune --at "$(date -u -d '+1 day' +%F)" --json
is 'they go' "$(json '[.sets[] | select(.outcome == "dropped")] | length')" 6
exit_is 0 'told to believe the clock' sr prune --trust-clock --json
is 'they go' "$(json '[.sets[] | select(.outcome == "dropped")] | length')" 6
finish

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
ok 'at least one good backup is left' test "$(json '.backups | length')" -ge 1
exit_is 0 'the clock is right again' sr backup --label right
exit_is 0 'prune' sr prune
run sr list --json
contains 'the newest true one stays' "$OUT" right-
exit_is 0 'all that is listed is good' sr verify --all
finish

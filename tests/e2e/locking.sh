# Two runs of one database exclude each other, from another host too; two databases do not.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && dataset other 1 || exit 1
sr_env
export PGDATABASE=shop BACKUP_GLOBALS=off
ok 'the first run is held in its dump' table_lock shop users
sr backup --label first >"$T/first.out" 2>"$T/first.err" &
first=$!
ok 'the first run dumps' poll 20 dump_waits
exit_is 11 'a second run of the same database' with BACKUP_LOCK_WAIT=1s sr backup --label second
matches 'says why' "$ERR" 'another run|lock'
exit_is 11 'from another host: another folder, so that no file lock is shared' with BACKUP_LOCK_WAIT=1s BACKUP_DIR="$T/otherhost" sr backup --label second
is 'the refused runs stored nothing' "$(objects)" ''
exit_is 0 'another database at the same time' with BACKUP_LOCK_WAIT=5s sr backup --database other --label other
table_unlock
wait "$first"
is 'the first run ends well' "$?" 0
exit_is 0 'after it the same database again' sr backup --label third
is 'three backups' "$(manifests | wc -l)" 3
# Both at once, unheld.
sr backup --database other --label a >/dev/null 2>&1 &
one=$!
exit_is 0 'two databases side by side: one' sr backup --database shop --label b
wait "$one"
is 'two databases side by side: the other' "$?" 0
exit_is 0 'all are good' sr verify --all
finish

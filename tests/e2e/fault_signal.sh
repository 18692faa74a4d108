# SIGTERM and SIGINT: exit 143 and 130, no half backup, pg_dump and its backend gone.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 || exit 1
sr_env
export PGDATABASE=shop
exit_is 0 'a good backup first' sr backup --label good
good=$(_keys)
ok 'a table is locked' table_lock shop users
for pair in TERM:143 INT:130; do
    signal=${pair%:*}
    # A background process of a script ignores SIGINT from birth; env gives it back its default.
    BACKUP_PLUGIN_PATH=$(sr_plugin_path) env --default-signal=INT "$SR_BUILDDIR/strongroom" backup --label bad >"$T/run.out" 2>"$T/run.err" &
    pid=$!
    ok "$signal: the dump runs" poll 20 dump_waits
    kill "-$signal" "$pid"
    wait "$pid"
    is "$signal: exit code" "$?" "${pair#*:}"
    ok "$signal: no backend goes on" poll 10 no_backend
    ok "$signal: no child goes on" poll 10 no_children
    is "$signal: the store is as it was" "$(_keys)" "$good"
    ok "$signal: nothing unfinished is left" spool_empty
done
BACKUP_PLUGIN_PATH=$(sr_plugin_path) "$SR_BUILDDIR/strongroom" backup --label bad >/dev/null 2>&1 &
pid=$!
ok 'KILL: the dump runs' poll 20 dump_waits
kill -KILL "$pid"
wait "$pid" 2>/dev/null
ok 'KILL: no child goes on' poll 10 no_children
ok 'KILL: no backend goes on' poll 20 no_backend
table_unlock
exit_is 0 'the next run works' sr backup --label next
ok 'and has swept what was left' spool_empty
is 'two backups are there' "$(manifests | wc -l)" 2
exit_is 0 'both are good' sr verify --all
finish

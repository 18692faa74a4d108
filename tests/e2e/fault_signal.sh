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

# A statement of a restore that takes long: nothing of it goes on either.
create_db slow
cat >"$T/slow.sql" <<-'SQL'
	--
	-- PostgreSQL database dump
	--

	CREATE FUNCTION public.slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE
	    AS $$ BEGIN PERFORM pg_sleep(300); RETURN 1; END $$;
	CREATE TABLE public.t (a integer);
	INSERT INTO public.t VALUES (1);
	CREATE INDEX i ON public.t USING btree (public.slow(a));

	--
	-- PostgreSQL database dump complete
	--
SQL
index_built() {
    [ "$(q postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = 'slow' AND query LIKE 'CREATE INDEX%'")" = 1 ]
}
slow_empty() {
    [ "$(q postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = 'slow'")" = 0 ]
}
for signal in TERM KILL; do
    BACKUP_PLUGIN_PATH=$(sr_plugin_path) "$SR_BUILDDIR/strongroom" restore "$T/slow.sql" --into slow --yes >"$T/run.out" 2>&1 &
    pid=$!
    ok "restore, $signal: the index is being built" poll 20 index_built
    kill "-$signal" "$pid"
    wait "$pid" 2>/dev/null
    ok "restore, $signal: no child goes on" poll 10 no_children
    ok "restore, $signal: no backend goes on" poll 30 slow_empty
    is "restore, $signal: the target is as it was" "$(table_counts slow)" ''
done
exit_is 0 'the next run works' sr backup --label next
ok 'and has swept what was left' spool_empty
is 'two backups are there' "$(manifests | wc -l)" 2
exit_is 0 'both are good' sr verify --all
finish

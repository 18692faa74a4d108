# SIGTERM and SIGINT: exit 143 and 130, no half backup. After these, and after kill -9 of strongroom or of
# strongroom-child: no child, no grandchild and no backend goes on.
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

# A store that hangs while a small object is saved holds nothing up.
mkdir "$T/gate"
BACKUP_PLUGIN_PATH="$(sr_plugin_path):$SR_BUILDDIR/tests/abi/.libs" BACKUP_STORAGE_ADAPTER=memory \
    BACKUP_MEMORY_GATE="save:.manifest.json:$T/gate" "$SR_BUILDDIR/strongroom" backup --label hangs >"$T/run.out" 2>"$T/run.err" &
pid=$! start=$(start_time "$!")
ok 'the manifest is being saved' poll 20 test -e "$T/gate/reached"
kill -TERM "$pid"
ok 'a hung save ends at once' poll 10 is_gone "$pid" "$start"
touch "$T/gate/go"
wait "$pid"
is 'a hung save: exit code' "$?" 143

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

# Several jobs: pg_restore forks workers, each with a backend of its own that is busy for long. The source's
# own copy of the function does not sleep.
create_db long
q long "CREATE FUNCTION public.slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
        \$\$ BEGIN PERFORM pg_sleep(CASE current_database() WHEN 'long' THEN 0 ELSE 300 END); RETURN 1; END \$\$"
for t in a b; do
    q long "CREATE TABLE public.copied_$t (n integer CHECK (public.slow(n) = 1)); INSERT INTO public.copied_$t VALUES (1);
            CREATE TABLE public.indexed_$t (n integer); INSERT INTO public.indexed_$t VALUES (1);
            CREATE INDEX index_$t ON public.indexed_$t (public.slow(n))"
done
exit_is 0 'what takes long to copy' sr backup --database long --format custom --label copied --exclude-table 'indexed_*'
exit_is 0 'what takes long to index' sr backup --database long --format custom --label indexed --exclude-table 'copied_*'

jobs_busy() { # jobs_busy STATEMENT: both workers' backends run it
    [ "$(q postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = 'target' AND state = 'active' AND query LIKE '$1%'")" = 2 ]
}
family() { # family PID: a line "PID PARENT START" for everything that descends from it
    local p stat all=() found=" $1 " grew=1
    for p in /proc/[0-9]*; do
        stat=$(cat "$p/stat" 2>/dev/null) && read -r _ parent _ <<<"${stat##*) }" && all+=("${p#/proc/} $parent $(start_time "${p#/proc/}")")
    done
    while [ $grew = 1 ]; do
        grew=0
        for p in "${all[@]}"; do
            read -r child parent _ <<<"$p"
            [[ $found == *" $parent "* && $found != *" $child "* ]] && found+="$child " grew=1 && echo "$p"
        done
    done
}
family_gone() {
    local child start
    while read -r child _ start; do
        is_gone "$child" "$start" || return 1
    done <"$T/family"
}
for round in 'TERM strongroom COPY copied' 'KILL strongroom COPY copied' 'KILL strongroom CREATE.INDEX indexed' \
    'KILL strongroom-child COPY copied' 'KILL strongroom-child CREATE.INDEX indexed' 'KILL pg_restore CREATE.INDEX indexed'; do
    read -r signal whom statement label <<<"$round"
    create_db target
    BACKUP_PLUGIN_PATH=$(sr_plugin_path) "$SR_BUILDDIR/strongroom" restore "$label" --into target --jobs 2 --yes >"$T/run.out" 2>&1 &
    pid=$!
    ok "$round: both jobs are at it" poll 30 jobs_busy "${statement/./ }"
    family "$pid" >"$T/family"
    ok "$round: pg_restore has forked" test "$(wc -l <"$T/family")" -ge 3
    victim=$pid
    [ "$whom" = strongroom ] || victim=$(awk -v p="$pid" '$2 == p {print $1}' "$T/family")
    [ "$whom" != pg_restore ] || victim=$(awk -v p="$victim" '$2 == p {print $1}' "$T/family")
    ok "$round: it is sent" kill "-$signal" "$victim"
    ok "$round: no process goes on" poll 20 family_gone
    ok "$round: no backend goes on" poll 20 no_backend
    wait "$pid" 2>/dev/null
    code=$?
    case $signal.$whom in
    TERM.*) is "$round: exit code" $code 143 ;;
    KILL.strongroom) is "$round: exit code" $code 137 ;;
    *) is "$round: exit code" $code 1 && contains "$round: message" "$(cat "$T/run.out")" 'killed by signal 9' ;;
    esac
    drop_db target
done

# A pg_dump that is a script of the operator's own: what it runs ends too.
printf '#!/bin/sh\n"%s/pg_dump" "$@"\n' "$PG_BIN" >"$T/pg_dump"
chmod 755 "$T/pg_dump"
ok 'a table is locked again' table_lock shop users
BACKUP_PGDUMP_PATH=$T/pg_dump BACKUP_PLUGIN_PATH=$(sr_plugin_path) "$SR_BUILDDIR/strongroom" backup --label bad >"$T/run.out" 2>&1 &
pid=$!
ok 'a script around pg_dump: the dump runs' poll 20 dump_waits
family "$pid" >"$T/family"
ok 'a script around pg_dump: it has forked' test "$(wc -l <"$T/family")" -ge 2
kill -KILL "$pid"
wait "$pid" 2>/dev/null
ok 'a script around pg_dump: no process goes on' poll 10 family_gone
ok 'a script around pg_dump: no backend goes on' poll 20 no_backend
table_unlock
exit_is 0 'the next run works' sr backup --label next
ok 'and has swept what was left' spool_empty
is 'four backups are there' "$(manifests | wc -l)" 4
exit_is 0 'all are good' sr verify --all
finish

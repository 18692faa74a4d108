# A pg_dump that fails, dies, stops short or hangs: no backup, the old ones stay, the message fits.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 5 || exit 1
sr_env
export PGDATABASE=shop BACKUP_RETENTION_DAYS=1
exit_is 0 'a good backup first' sr backup --label good
good=$(_keys)

fake() { # fake SCRIPT: a pg_dump that answers --version as the real one, and else runs SCRIPT
    cat >"$T/pg_dump" <<-EOS
		#!/bin/bash
		real=$PG_BIN/pg_dump
		case " \$* " in *' --version '*|*' -V '*) exec \$real "\$@" ;; esac
		$1
	EOS
    chmod 755 "$T/pg_dump"
}
fails() { # fails NAME EXIT MESSAGE-REGEX
    exit_is "$2" "$1: exit code" with BACKUP_PGDUMP_PATH="$T/pg_dump" sr backup --label bad
    matches "$1: message" "$ERR" "$3"
    lacks "$1: no store is said to hold it" "$OUT" 'holds it'
    is "$1: the store is as it was" "$(_keys)" "$good"
    ok "$1: nothing unfinished is left" spool_empty
    ok "$1: nothing runs on" poll 10 no_children
}
for format in plain custom; do
    export BACKUP_FORMAT=$format
    fake 'exit 3'
    fails "$format: fails at once" 1 'pg_dump.*(status|exit).* 3'
    fake '$real "$@" | head -c 300000; echo "pg_dump: error: the server was struck by lightning" >&2; exit 1'
    fails "$format: fails half-way" 1 'struck by lightning'
    fake '$real "$@" | head -c 300000; kill -9 $$'
    fails "$format: is killed half-way" 1 'signal 9|[Kk]illed'
    fake '$real "$@" | head -c 300000; exit 0'
    fails "$format: stops short and says it went well" 13 'complete|archive|ended'
    fake 'exit 0'
    fails "$format: says nothing and that it went well" 13 'complete|archive'
    fake '$real "$@" | head -c 300000; exec sleep 600'
    export BACKUP_STALL_TIMEOUT=2s
    fails "$format: hangs" 1 'BACKUP_STALL_TIMEOUT'
    unset BACKUP_STALL_TIMEOUT
done
unset BACKUP_FORMAT

ok 'a table is locked' table_lock shop users
export BACKUP_LOCK_WAIT=1s
exit_is 1 'a locked table ends the dump after the lock wait' sr backup --label bad
contains 'and says what it waited for, and how long' "$ERR" 'could not lock public.users for reading (ACCESS SHARE) within 1 seconds (BACKUP_LOCK_WAIT)'
contains 'which table' "$ERR" 'public.users is locked in ACCESS EXCLUSIVE mode'
contains 'who has it' "$ERR" "server process $(q postgres "SELECT pid FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation IS NOT NULL")"
contains 'and what to do' "$ERR" 'pg_terminate_backend('
lacks 'not what others run' "$ERR" "SELECT 'held'"
exit_is 1 'likewise for an archive' sr backup --label bad --format custom
contains 'with the same words' "$ERR" 'public.users is locked in ACCESS EXCLUSIVE mode'
ok 'the lock goes' table_unlock
# One who only waits for the lock keeps others out, too.
waits_behind() {
    [ "$(q postgres "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted AND relation IS NOT NULL")" = 1 ]
}
reads() {
    [ "$(q postgres "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND wait_event = 'PgSleep'")" = 1 ]
}
psql_as_super -d shop -qc 'BEGIN; SELECT count(*) FROM wallets; SELECT pg_sleep(600)' >/dev/null 2>&1 &
ok 'somebody reads' poll 20 reads
psql_as_super -d shop -qc 'ALTER TABLE wallets ADD COLUMN more int' >/dev/null 2>&1 &
ok 'somebody else waits for them' poll 20 waits_behind
exit_is 1 'a lock that is waited for ends the dump, too' sr backup --label bad
matches 'and says who waits for whom' "$ERR" 'public.wallets is waited for in ACCESS EXCLUSIVE mode by server process [0-9]+ .*which itself waits for process [0-9]+'
q postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND pid <> pg_backend_pid()" >/dev/null
unset BACKUP_LOCK_WAIT
ok 'a table is locked again' table_lock shop users
is 'the store is as it was' "$(_keys)" "$good"

sr backup --label bad >"$T/run.out" 2>"$T/run.err" &
run_pid=$!
ok 'a dump waits for the lock' poll 20 dump_waits
pg_kill
wait "$run_pid"
is 'the server goes: exit code' "$?" 1
matches 'the server goes: message' "$(cat "$T/run.err")" 'server|connection|terminat'
is 'the server goes: the store is as it was' "$(_keys)" "$good"
ok 'nothing unfinished is left' spool_empty
exit_is 1 'no server at all' sr backup --label bad
matches 'no server at all: message' "$ERR" "$PG_PORT"
exit_is 0 'the good backup is still listed' sr list --json
is 'and it alone' "$(json '[.backups[].label] | join(",")')" good
pg_start && pg_env && exit_is 0 'with the server back a backup is made' sr backup --label again
finish

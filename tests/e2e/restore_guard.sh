# Restore asks before it overwrites, refuses production without ENV=production and --force, ends other connections.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 || exit 1
sr_env
export PGDATABASE=shop BACKUP_GLOBALS=off
exit_is 0 'a backup' sr backup --label x
create_db target && q target 'CREATE TABLE precious AS SELECT 1 AS x'
untouched() {
    is "$1: the target is untouched" "$(table_counts target)" 'public.precious|1'
}
exit_is 4 'nobody there to ask: refused' sr restore x --into target --clean
untouched 'nobody there to ask'
contains 'what to add is said' "$ERR" --yes

exit_is 4 'ENV=production alone' with ENV=production sr restore x --into target --clean --yes
untouched 'ENV=production alone'
contains 'what is missing is said' "$ERR" --force
exit_is 4 'ENVIRONMENT=production alone' with ENVIRONMENT=production sr restore x --into target --clean --yes
untouched 'ENVIRONMENT=production alone'
exit_is 4 'a production target by pattern' with BACKUP_PRODUCTION_TARGETS='127.*/target' sr restore x --into target --clean --yes --force
untouched 'a production target by pattern'
exit_is 4 'pattern and ENV without --force' with BACKUP_PRODUCTION_TARGETS='*/target' ENV=production sr restore x --into target --clean --yes
untouched 'pattern and ENV without --force'
exit_is 0 'another database is no production target' with BACKUP_PRODUCTION_TARGETS='*/target' sr restore x --into elsewhere --create --yes
exit_is 4 '--force is no answer to the question' with ENV=production sr restore x --into target --clean --force
untouched '--force without --yes'

# Somebody is connected, and stays so until they are ended.
psql_as_super -d target -c "SELECT pg_sleep(300)" >/dev/null 2>&1 &
sleeper=$!
connected() { [ "$(q postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = 'target' AND query LIKE '%pg_sleep(300)%' AND pid <> pg_backend_pid()")" = 1 ]; }
ok 'another session is there' poll 10 connected
exit_is 0 'both guards passed' with ENV=production sr restore x --into target --clean --yes --force
wait "$sleeper"
isnt 'the other session was ended' "$?" 0
is 'the rows are there' "$(q target 'SELECT count(*) FROM transactions')" 1000

# On a terminal the question is asked; script(1) makes one.
create_db asked && q asked 'CREATE TABLE precious AS SELECT 1 AS x'
export BACKUP_PLUGIN_PATH
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
answer() { # answer TEXT
    printf '%s\n' "$1" | script -qec "'$SR_BUILDDIR/strongroom' restore x --into asked --clean" "$T/typescript" >/dev/null 2>&1
}
answer n
is 'the answer no: exit 4' "$?" 4
matches 'it was asked' "$(cat "$T/typescript")" '\[y/N\]'
is 'the answer no: untouched' "$(table_counts asked)" 'public.precious|1'
answer y
is 'the answer yes: exit 0' "$?" 0
is 'the answer yes: restored' "$(q asked 'SELECT count(*) FROM transactions')" 1000
finish

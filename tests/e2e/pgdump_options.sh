# What is left out by flags, and pg_dump options behind --.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && q shop 'CREATE SCHEMA side; CREATE TABLE side.t AS SELECT 1 AS x' || exit 1
sr_env
export PGDATABASE=shop BACKUP_GLOBALS=off
has() { # has LABEL REGEX
    zcat "$BACKUP_DIR"/"$1"-*.sql.gz | grep -qE -- "$2"
}
exit_is 0 '--exclude-table' sr backup --label a --exclude-table token_balances --exclude-table attachments
no 'is not in the dump' has a 'CREATE TABLE public.token_balances'
ok 'others are' has a 'CREATE TABLE public.users'
exit_is 0 '--exclude-table-data' sr backup --label b --exclude-table-data transactions
ok 'the definition is there' has b 'CREATE TABLE public.transactions'
no 'the rows are not' has b 'COPY public.transactions'
exit_is 0 '--schema' sr backup --label c --schema side
ok 'that schema' has c 'CREATE TABLE side.t'
no 'no other' has c 'CREATE TABLE public.users'
exit_is 0 'options behind --' sr backup --label d -- --no-owner --no-comments
no 'no owner' has d 'OWNER TO'
exit_is 0 'the settings' with BACKUP_EXCLUDE_TABLE=users BACKUP_EXCLUDE_TABLE_DATA=transactions sr backup --label e -- --no-owner
no 'excluded by setting' has e 'CREATE TABLE public.users'
exit_is 0 'dry run' sr backup --label dry --dry-run
is 'makes nothing' "$(_keys | grep -c '^dry')" 0
for option in --file=/tmp/x -f/tmp/x --format=t -Fd --jobs=3 --dbname=other --host=elsewhere --nosuch-option; do
    before=$(_keys)
    run sr backup --label bad -- "$option"
    isnt "$option is refused or fails" "$RC" 0
    is "$option left nothing" "$(_keys)" "$before"
done
exit_is 0 '--stream' sr backup --label stream --stream
matches 'has no digest in its name' "$(objects '^stream')" '^stream-[0-9]{14}\.sql\.gz$'
exit_is 0 '--spool' sr backup --label spool --spool
ok 'the spool is empty afterwards' spool_empty
exit_is 0 'all of it is good' sr verify --all
finish

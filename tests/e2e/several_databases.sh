# Several databases and all of them in one set, with roles; each can be restored alone.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && create_db 'odd "name" 100%' || exit 1
q 'odd "name" 100%' 'CREATE TABLE t AS SELECT generate_series(1, 7) AS x'
create_db empty
q postgres "CREATE ROLE reporter LOGIN PASSWORD 'pw'; GRANT pg_read_all_data TO reporter"
sr_env

exit_is 0 'two databases by flags' sr backup --json --label two --database shop --database 'odd "name" 100%'
is 'one object each, and the roles' "$(json '.objects | length')" 3
is 'no two keys are the same' "$(json '[.objects[].key] | unique | length')" 3
exit_is 0 'two databases verify' sr verify two
ok 'the sums of a set with several objects hold' bash -c 'cd "$1" && sha256sum -c ./*.sha256' - "$BACKUP_DIR"
contains 'the roles are in it' "$(cd "$BACKUP_DIR" && zcat two*.globals.sql.gz)" reporter
odd_key=$(cd "$BACKUP_DIR" && ls | grep '^two.*sql.gz$' | grep -v globals | grep -v '\.shop\.')
create_db copy
exit_is 0 'one of them is restored by its key' sr restore "$odd_key" --into copy --yes
is 'its rows are back' "$(q copy 'SELECT count(*) FROM t')" 7

rm -rf "$BACKUP_DIR"
exit_is 0 'a list in the settings' with BACKUP_DATABASES='shop, empty' sr backup --label l --json
is 'settings list: objects' "$(json '[.objects[].key] | length')" 3
rm -rf "$BACKUP_DIR"
exit_is 0 'all databases' sr backup --all-databases --label all --json
is 'all databases: objects' "$(json '[.objects[] | select(.key | test("globals") | not)] | length')" "$(q postgres 'SELECT count(*) FROM pg_database WHERE datallowconn AND NOT datistemplate')"

rm -rf "$BACKUP_DIR"
exit_is 0 'an empty database is a backup too' sr backup --database empty --label e
exit_is 0 'and verifies' sr verify latest
drop_db copy && create_db copy
exit_is 0 'and restores' sr restore latest --into copy --yes

# One store for several databases, each with its own backups: whose is the latest?
rm -rf "$BACKUP_DIR"
exit_is 0 'one of shop' sr backup --database shop --label "s-$(date -u -d '-1 hour' +%Y%m%d%H%M%S)"
exit_is 0 'then one of empty' sr backup --database empty --label e
exit_is 0 'alone it is just the latest' with PGDATABASE=nosuch sr restore latest --into copy --yes
exit_is 2 'latest is of another database than the one to be restored' with PGDATABASE=shop sr restore latest --yes
contains 'and the way is told' "$ERR" '--database'
exit_is 2 'also into a copy' with PGDATABASE=shop sr restore latest --into copy --yes
drop_db copy
exit_is 0 'asked for by name' with PGDATABASE=shop sr restore latest --database shop --into copy --create
restored_equals shop copy 'it is the one'
exit_is 0 'its own latest' with PGDATABASE=empty sr restore latest --yes
exit_is 0 'the same by --into' with PGDATABASE=nosuch sr restore latest --into empty --yes

exit_is 0 'globals can be left out' with BACKUP_GLOBALS=off sr backup --database shop --label g
is 'no globals object' "$(objects '^g-.*globals')" ''
# pg_dumpall may not read pg_authid without being a superuser.
q postgres "CREATE ROLE plain LOGIN PASSWORD 'pw'"
q shop 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO plain
        ; GRANT SELECT ON LARGE OBJECT 424242 TO plain'
exit_is 0 'roles without their passwords where those may not be read' with PGUSER=plain PGPASSWORD=pw sr backup --database shop --label np
contains 'which is said' "$ERR" password
globals=$(cd "$BACKUP_DIR" && zcat np*.globals.sql.gz)
contains 'the roles are there' "$globals" reporter
lacks 'without a password' "$globals" SCRAM-SHA
finish

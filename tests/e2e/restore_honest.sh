# What people really have in their databases and do to their dumps must not be taken for an attack.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env || exit 1
sr_env

# A database from the time before standard_conforming_strings: pg_dump writes strings as it is set.
create_db legacy
q legacy "CREATE TABLE t AS SELECT E'C:\\\\a''b'::text AS x, E'\\\\'::text AS y"
q legacy "CREATE VIEW v AS SELECT E'a\\\\b''c'::text AS z"
q legacy 'ALTER DATABASE legacy SET standard_conforming_strings = off'
exit_is 0 'strings of the old kind: backup' with PGDATABASE=legacy sr backup --label legacy
exit_is 0 'strings of the old kind: verify' sr verify legacy
create_db copy
exit_is 0 'strings of the old kind: restore' sr restore legacy --into copy --yes
restored_equals legacy copy 'strings of the old kind: every row'
is 'strings of the old kind: the view' "$(q copy 'SELECT z FROM v')" "a\\b'c"

# Texts about COPY, psql and its commands, on lines of their own.
text=$'See psql:\n\\.\n\\! ls\nCOPY t FROM stdin;\n1\n\\.\n'
create_db manual
q manual "CREATE TABLE t AS SELECT \$a\$$text\$a\$::text AS x"
q manual "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS \$a\$ SELECT \$b\$$text\$b\$::text \$a\$"
q manual "COMMENT ON FUNCTION f() IS \$a\$$text\$a\$"
for how in '' '-- --inserts'; do
    # shellcheck disable=SC2086  # several words or none
    exit_is 0 "texts about psql: backup $how" with PGDATABASE=manual sr backup --label manual --json $how
    set=$(json .set)
    exit_is 0 "texts about psql: verify $how" sr verify "$set"
    drop_db copy && create_db copy
    exit_is 0 "texts about psql: restore $how" sr restore "$set" --into copy --yes
    restored_equals manual copy "texts about psql: every row $how"
    is "texts about psql: the function $how" "$(q copy 'SELECT f()')" "$(q manual 'SELECT f()')"
done

# What editors and other systems do to a file.
create_db small
q small 'CREATE TABLE t AS SELECT g FROM generate_series(1, 3) g'
PGHOST=$PG_SOCKET PGPASSWORD=$PG_PASS "$PG_BIN/pg_dump" -p "$PG_PORT" -U "$PG_USER" small >"$T/plain.sql"
{ printf '\xef\xbb\xbf' && cat "$T/plain.sql"; } >"$T/marked.sql"
sed 's/$/\r/' "$T/plain.sql" >"$T/windows.sql"
for file in marked windows; do
    for options in '' '--no-owner'; do
        drop_db copy && create_db copy
        # shellcheck disable=SC2086  # one word or none
        exit_is 0 "$file.sql $options" sr restore "$T/$file.sql" --into copy --yes $options
        restored_equals small copy "$file.sql $options: every row"
    done
done
finish

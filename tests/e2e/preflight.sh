# Everything that a role may not read is listed at once, with the GRANT, before a dump starts.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 || exit 1
sr_env
q postgres "CREATE ROLE limited LOGIN PASSWORD 'pw'; GRANT CONNECT ON DATABASE shop TO limited"
q shop 'GRANT USAGE ON SCHEMA public TO limited; GRANT SELECT ON ALL TABLES IN SCHEMA public TO limited; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO limited
        ; REVOKE SELECT ON users FROM limited; REVOKE SELECT ON "Odd ""Name"", 100%" FROM limited; REVOKE SELECT ON SEQUENCE wallets_id_seq FROM limited
        ; CREATE SCHEMA hidden; CREATE TABLE hidden.t (x int)
        ; GRANT SELECT ON LARGE OBJECT 424242 TO limited
        ; CREATE TABLE guarded (x int); GRANT SELECT ON guarded TO limited; ALTER TABLE guarded ENABLE ROW LEVEL SECURITY'
export PGUSER=limited PGPASSWORD=pw PGDATABASE=shop
exit_is 1 'a role that may not read all' sr backup --label x
for object in users 'Odd ""Name"", 100%' wallets_id_seq hidden guarded; do
    contains "tells of $object" "$ERR" "$object"
done
contains 'with the GRANT to paste' "$ERR" 'GRANT SELECT ON'
contains 'for this role' "$ERR" 'TO limited'
is 'nothing was stored' "$(_keys)" ''
exit_is 1 'doctor tells the same' sr doctor
contains 'doctor: users' "$OUT$ERR" users
grants=$(sr backup --label x 2>&1 | grep -o 'GRANT [^;]*;' | sort -u)
ok 'grants were printed' test -n "$grants"
q shop "$grants"
ok 'the grants can be pasted' test $? = 0
exit_is 1 'what is left is row-level security' sr backup --label x
contains 'which needs another right' "$ERR" guarded
q postgres 'ALTER ROLE limited BYPASSRLS'
exit_is 0 'then a backup is made' sr backup --label x
q shop 'REVOKE SELECT ON users FROM limited'
exit_is 0 'an excluded table needs no right' sr backup --label y --exclude-table users
# pg_dump locks what it defines, and that needs the right to read.
exit_is 1 'one whose data alone is excluded does' sr backup --label z --exclude-table-data users
finish

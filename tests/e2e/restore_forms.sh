# Restore takes a set, a label, an object, latest, a store prefix, or any file, told by its content.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env
export PGDATABASE=shop
exit_is 0 'plain' sr backup --label plain --json
plain_set=$(json .set) plain_key=$(json '.objects[] | select(.key | test("globals") | not) | .key')
exit_is 0 'custom' sr backup --label custom --format custom --json
custom_set=$(json .set) custom_key=$(json '.objects[] | select(.key | test("globals") | not) | .key')
exit_is 0 'both, encrypted' with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$GPG_FPR" sr backup --label both --format plain,custom --json
both_set=$(json .set)

restores() { # restores NAME ARGUMENT...: into a fresh database, every row
    local name=$1
    shift
    drop_db copy && create_db copy
    exit_is 0 "$name" sr restore "$@" --into copy --yes
    restored_equals shop copy "$name: every row"
}
restores 'a set' "$plain_set"
restores 'a label' plain
restores 'the beginning of a set' "${custom_set:0:10}"
restores 'a key' "$custom_key"
restores 'latest' latest
restores 'latest of a label' latest --label plain
restores 'with a store before it' "local:$plain_set"
restores 'custom with two jobs' custom --jobs 2
restores 'custom with one job' custom --jobs 1
restores 'encrypted set of two formats' "$both_set" --jobs 2
exit_is 10 'no such backup' sr restore nosuch --into copy --yes
exit_is 10 'no such store' sr restore nosuch:x --into copy --yes

cd "$BACKUP_DIR" || exit 1
gunzip <"$plain_key" >"$T/file.sql"
gunzip <"$custom_key" >"$T/file.dump"
cp "$plain_key" "$T/named-as-nothing"
zstd -q <"$T/file.sql" >"$T/wrongly-named.sql.gz"
zstd -q <"$T/file.dump" >"$T/file.dump.zst"
gpg --batch --quiet --trust-model always -r "$GPG_FPR" -o "$T/sealed" -e "$plain_key"
gpg --batch --quiet --trust-model always -r "$GPG_FPR" -z 0 -o "$T/sealed.dump" -e "$T/file.dump"
gpg --batch --quiet --armor --trust-model always -r "$GPG_FPR" -o "$T/sealed.asc" -e "$T/file.sql"
"$PG_BIN/pg_dump" -Fc -f "$T/compressed.dump" shop
cd "$T" || exit 1
for file in file.sql file.dump named-as-nothing wrongly-named.sql.gz file.dump.zst sealed sealed.dump sealed.asc compressed.dump; do
    restores "file $file" "$T/$file"
done
restores 'a file by a relative path' ./file.sql
cp file.sql latest
restores 'a path wins over a name' latest
contains 'and it is said' "$ERR" latest
rm latest

drop_db fresh
exit_is 0 '--create makes the database' sr restore plain --into fresh --create --yes
restored_equals shop fresh '--create: every row'
exit_is 0 'a full database is replaced with --clean' sr restore plain --into fresh --clean --yes
restored_equals shop fresh '--clean: every row'
exit_is 0 'custom over a full database' sr restore custom --into fresh --clean --if-exists --yes
restored_equals shop fresh 'custom --clean: every row'
contains 'tables are counted' "$OUT$ERR" '8 tables'
matches 'migrations are remembered' "$OUT$ERR" '[Mm]igration'
run sr restore plain --into fresh --yes
isnt 'without --clean over a full database it fails' "$RC" 0
restored_equals shop fresh 'and nothing was lost'
exit_is 1 'a database that is not there' sr restore plain --into nowhere --yes

q postgres 'CREATE ROLE owner_here'
q shop 'ALTER TABLE users OWNER TO owner_here; GRANT SELECT ON wallets TO owner_here'
exit_is 0 'a backup with owners and grants' sr backup --label owned --format custom
drop_db copy
exit_is 0 '--no-owner --no-acl' sr restore owned --into copy --create --no-owner --no-acl --yes
is '--no-owner' "$(q copy "SELECT tableowner FROM pg_tables WHERE tablename = 'users'")" tester
is '--no-acl' "$(q copy "SELECT relacl IS NULL FROM pg_class WHERE relname = 'wallets'")" t
drop_db copy
exit_is 0 'with owner' sr restore owned --into copy --create --yes
is 'owner' "$(q copy "SELECT tableowner FROM pg_tables WHERE tablename = 'users'")" owner_here
q postgres 'CREATE ROLE taker; GRANT taker TO tester'
drop_db copy && create_db copy && q postgres 'ALTER DATABASE copy OWNER TO taker' && q copy 'ALTER SCHEMA public OWNER TO taker'
exit_is 0 '--role' sr restore plain --into copy --role taker --no-owner --yes
is '--role owns' "$(q copy "SELECT tableowner FROM pg_tables WHERE tablename = 'users'")" taker

# What a failed restore leaves behind is said.
exit_is 0 'a custom dump' sr backup --label half --format custom
drop_db copy && create_db copy && q copy 'CREATE TABLE users ()'
exit_is 1 'one job is one transaction' sr restore half --into copy --yes --jobs 1
lacks 'which leaves nothing' "$ERR" 'part of the dump'
exit_is 1 'several jobs are not' sr restore half --into copy --yes --jobs 2
contains 'and may leave something' "$ERR" 'part of the dump may be in copy'
finish

# restore-test: passes on a good dump and finds what is wrong with a bad one; tells what a server lacks;
# leaves nothing behind, also when it is killed, and never touches a database that is not its own.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start --name test && pg_start && gpg_home || exit 1
pg_use main && pg_env && dataset shop 1 || exit 1
sr_env
export PGDATABASE=shop
test_url=$(pg_use test && pg_url postgres)
export BACKUP_RESTORE_TEST_URL=$test_url
on_test() { # psql on the server for tests
    (pg_use test && q "$@")
}
scratch() { # what restore tests have there now
    on_test postgres "SELECT datname FROM pg_database WHERE datname LIKE 'strongroom_test_%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname IN ('app_owner', 'app reader') ORDER BY 1"
}
set_of() { _keys | sed -n "s/^\($1-[0-9]*\)\.[^.]*\.manifest\.json\$/\1/p" | head -n 1; }
remake_manifest() { # LABEL JQ-FILTER [ARGUMENT...]: another manifest, with a digest that fits
    local m
    m=$BACKUP_DIR/$(_keys | grep "^$1-.*manifest")
    local filter=$2
    shift 2
    jq -cSj "$@" "del(.digest) | $filter" <"$m" >"$T/body" &&
        jq --arg d "$(sha256sum <"$T/body" | cut -d' ' -f1)" '. + {digest: $d}' <"$T/body" >"$m"
}
tamper() { # LABEL SED-SCRIPT: the plain dump of that backup is changed as by somebody who knows how
    local key
    key=$(_keys | grep "^$1-.*\.sql\.gz\(\.gpg\)\?\$" | grep -v globals)
    case $key in
    *.gpg) gpg --batch --quiet -d "$BACKUP_DIR/$key" 2>/dev/null | gunzip ;;
    *) gunzip <"$BACKUP_DIR/$key" ;;
    esac | sed "$2" >"$T/changed.sql"
    gzip -n <"$T/changed.sql" >"$T/changed.gz"
    cp "$T/changed.gz" "$T/changed"
    case $key in
    *.gpg) rm "$T/changed" && gpg --batch --quiet --trust-model always -r "$GPG_FPR" -z 0 -o "$T/changed" -e "$T/changed.gz" ;;
    esac
    cp "$T/changed" "$BACKUP_DIR/$key"
    # shellcheck disable=SC2016
    remake_manifest "$1" '(.objects[] | select(.key == $k)) |= (.sha256 = $s | .size = $n | .plain_sha256 = $ps | .plain_size = $pn)' \
        --arg k "$key" --arg s "$(sha256sum <"$T/changed" | cut -d' ' -f1)" --argjson n "$(stat -c %s "$T/changed")" \
        --arg ps "$(sha256sum <"$T/changed.gz" | cut -d' ' -f1)" --argjson pn "$(stat -c %s "$T/changed.gz")"
}
finding() { json '[.databases[].findings[] | .kind] | join(",")'; }
nothing_left() { is "$1: nothing is left" "$(scratch)" ''; }

# Good dumps.
for format in plain custom; do
    for enc in open sealed; do
        [ $enc = open ] && enc_env=() || enc_env=(BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$GPG_FPR")
        exit_is 0 "backup: $format, $enc" with "${enc_env[@]}" sr backup --label "$format-$enc" --format $format
        exit_is 0 "restore-test: $format, $enc" sr restore-test "$format-$enc" --json
        is 'passed, compared' "$(json '[.outcome, .databases[0].rung, .recorded.rung] | join(" ")')" 'passed compared compared'
        is 'every row of every table' "$(json '.databases[0] | [.tables, .rows] | tostring')" '[8,1301]'
        is 'keys, indexes, sequences' "$(json '.databases[0] | [.indexes, .foreign_keys, .sequences] | tostring')" '[11,4,3]'
        matches 'and how long it took' "$(json '.databases[0].restore_seconds')" '^[0-9.]+$'
        nothing_left "$format, $enc"
        exit_is 0 'list' sr list --json
        is 'the rung is known' "$(json ".backups[] | select(.label == \"$format-$enc\").rung")" compared
    done
done
is 'production was never asked' "$(q postgres "SELECT count(*) FROM pg_stat_database WHERE datname LIKE 'strongroom_test%'")" 0
lacks 'of an encrypted backup the proof tells no counts' "$(cat "$BACKUP_DIR"/plain-sealed*proof-compared*)" 1301
contains 'of an open one it does' "$(cat "$BACKUP_DIR"/plain-open*proof-compared*)" '1301 rows of 8 tables'
exit_is 0 'latest by default' sr restore-test
contains 'for people' "$OUT" 'rows      1301 in 8 tables'
exit_is 0 'an object by its key' sr restore-test "$(_keys | grep '^plain-open.*sql.gz$' | grep -v globals)" --json
exit_is 10 'no such backup' sr restore-test nosuch
exit_is 12 'without the key' with GNUPGHOME="$(mktemp -d "$T/gXXX")" sr restore-test plain-sealed
contains 'it says whose test this is' "$ERR" 'no secret key'
exit_is 0 'two formats' sr backup --label both --format plain,custom
exit_is 0 'are one test, of the custom one' sr restore-test both --json --jobs 2
is 'which' "$(json '[.databases[].key | endswith(".dump.gz")] | tostring')" '[true]'

# Bad dumps, plain: each changed by hand after it was counted.
bad() { # NAME LABEL KIND: the test must end with 13 and this finding
    exit_is 13 "$1" sr restore-test "$2" --json
    is "$1: what was found" "$(finding)" "$3"
    is "$1: recorded as failed" "$(json '[.recorded.rung, .recorded.outcome] | join(" ")')" 'compared failed'
    nothing_left "$1"
}
for enc in open sealed; do
    [ $enc = open ] && enc_env=() || enc_env=(BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$GPG_FPR")
    exit_is 0 "backup to lose a row of, $enc" with "${enc_env[@]}" sr backup --label "lost-$enc"
    tamper "lost-$enc" '/^COPY public.tokens /,/^\\\.$/{/^12\t/d}'
    bad "one lost row, $enc" "lost-$enc" rows
    contains 'which table, how many' "$(json '.databases[0].findings[0].text')" 'table public.tokens holds 11 rows, the backup was counted to have 12: 1 are lost'
done
lacks 'the record of an encrypted one does not say so' "$(cat "$BACKUP_DIR"/lost-sealed*proof-failed*)" tokens
exit_is 0 'list' sr list
matches 'list tells of it' "$OUT" 'lost-open-[0-9]+ .* restored; FAILED in local'
exit_is 13 'for people' sr restore-test lost-open
contains 'FAILED is said' "$OUT" FAILED
contains 'and why' "$ERR" 'public.tokens holds 11 rows'
exit_is 0 'backup' sr backup --label more
tamper more '/^COPY public.nothing_in_it /a 7'
bad 'a row too many' more rows
exit_is 0 'backup' sr backup --label table
tamper table '/^CREATE TABLE public.nothing_in_it/,/^ALTER TABLE public.nothing_in_it/d; /^COPY public.nothing_in_it/,/^\\\.$/d'
bad 'a table that is gone' table rows
exit_is 0 'backup' sr backup --label sequence
tamper sequence "s/setval('public.users_id_seq', 40, true)/setval('public.users_id_seq', 39, true)/"
bad 'a sequence behind its column' sequence sequence
matches 'by how much' "$(json '.databases[0].findings[0].text')" 'public.users_id_seq is behind column id of table public.users: its next value is 40, and 40 is there'
exit_is 0 'accepted' sr restore-test sequence --accept sequence --json
is 'it is told all the same' "$(json '.databases[0].accepted | length')" 1
exit_is 2 'rows are never accepted' sr restore-test sequence --accept rows
exit_is 0 'backup' sr backup --label key
# A row of wallets whose user is not there; the foreign key is then not to be had but NOT VALID.
tamper key '/^COPY public.wallets /,/^\\\.$/{s/^1\t[0-9]*\t/1\t999999\t/}'
exit_is 13 'a row without the row it refers to' sr restore-test key --json
is 'could not be restored' "$(json '[.databases[0].rung, .recorded.rung, .recorded.outcome] | join(" ")')" 're-read restored failed'
contains 'for the foreign key' "$(json '.databases[0].reason')" wallets_user_id_fkey
nothing_left 'a broken foreign key'
tamper key '/ADD CONSTRAINT wallets_user_id_fkey/s/;$/ NOT VALID;/'
bad 'a broken foreign key that nobody checked' key foreign-key
lacks 'no value of a row is told' "$(json '.databases[0].findings[0].text')" 999999
exit_is 0 'backup' sr backup --label hidden
tamper hidden "/^-- PostgreSQL database dump complete/i UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'public.transactions_wallet'::regclass;"
bad 'an invalid index' hidden index
exit_is 0 'backup' sr backup --label words
tamper words '/^COPY public.tokens /i THIS IS NO SQL;'
exit_is 13 'a dump that is none' sr restore-test words --json
is 'is the fault of the backup' "$(json '[.outcome, .databases[0].rung] | join(" ")')" 'failed re-read'
exit_is 0 'backup' sr backup --label bits
object=$(_keys | grep '^bits.*sql.gz$' | grep -v globals)
printf X | dd of="$BACKUP_DIR/$object" bs=1 seek=1000 conv=notrunc 2>/dev/null
exit_is 13 'damaged bytes' sr restore-test bits --json
is 'are not restored at all' "$(json '[.databases[0].scratch, .recorded.rung, .recorded.outcome] | tostring')" '[null,"re-read","failed"]'
exit_is 0 'backup' sr backup --label roles
object=$(_keys | grep '^roles.*globals')
printf X | dd of="$BACKUP_DIR/$object" bs=1 seek=100 conv=notrunc 2>/dev/null
exit_is 13 'damaged roles beside a good dump' sr restore-test roles --json
is 'are found, too' "$(json '[.recorded.rung, .recorded.outcome] | join(" ")')" 're-read failed'

# Bad databases, custom: what the source has is what is found.
create_db odd && q odd "CREATE TABLE p (id serial, k int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
    INSERT INTO p (k) SELECT g FROM generate_series(1, 9) g; CREATE INDEX half ON ONLY p (k)" >/dev/null
q odd "CREATE TABLE c (id int GENERATED BY DEFAULT AS IDENTITY, k int); INSERT INTO c VALUES (1, 5), (2, 6), (3, 7); CREATE TABLE r (id int PRIMARY KEY); ALTER TABLE c ADD CONSTRAINT k_r FOREIGN KEY (k) REFERENCES r NOT VALID; ALTER TABLE c ADD CONSTRAINT small CHECK (k < 6) NOT VALID;
    CREATE SEQUENCE down INCREMENT -1; CREATE TABLE d (id int DEFAULT nextval('down')); INSERT INTO d SELECT FROM generate_series(1, 3); CREATE VIEW v AS SELECT * FROM c; CREATE MATERIALIZED VIEW mv AS SELECT * FROM c" >/dev/null
for format in plain custom; do
    exit_is 0 'backup' sr backup --database odd --label "odd-$format" --format $format
    exit_is 13 "an odd database, $format" sr restore-test "odd-$format" --json
    is 'everything is found' "$(finding)" 'index,foreign-key,constraint,sequence'
    is 'partitions are counted' "$(json '.databases[0].rows')" 15
    nothing_left "odd, $format"
    exit_is 0 'all of it accepted' with BACKUP_RESTORE_TEST_ACCEPT=index,constraint,foreign-key,sequence sr restore-test "odd-$format"
done
exit_is 0 'a custom dump' sr backup --label short --format custom
remake_manifest short '.detail.objects[0].rows["public.users"] += 1'
bad 'one lost row, custom' short rows

# What the server lacks is no failure of the backup.
exit_is 0 'backup' sr backup --label ext
remake_manifest ext '.detail.extensions += ["postgis 3.3.2"]'
exit_is 15 'an extension that is not here' sr restore-test ext --json
is 'is an outcome of its own' "$(json '[.outcome, .recorded] | tostring')" '["untestable",null]'
contains 'that says which' "$ERR" 'cannot be tested here: extension postgis is missing'
tamper ext '/^COPY public.tokens /i CREATE EXTENSION postgis;'
remake_manifest ext '.detail.extensions -= ["postgis 3.3.2"]'
exit_is 15 'an extension that nobody wrote down' sr restore-test ext --json
contains 'is told, too' "$(json '.databases[0].reason')" 'cannot be tested here: extension postgis is missing'
is 'no proof of anything' "$(_keys | grep -c '^ext.*proof')" 0
nothing_left 'an extension that is missing'

# Roles that the server does not have are made for the test.
q shop 'CREATE ROLE app_owner; CREATE ROLE "app reader"; CREATE TABLE owned (id int); ALTER TABLE owned OWNER TO app_owner; GRANT SELECT ON owned TO "app reader"; ALTER TABLE owned ENABLE ROW LEVEL SECURITY; CREATE POLICY only_own ON owned TO "app reader" USING (id > 0); INSERT INTO owned VALUES (1)' >/dev/null
for format in plain custom; do
    exit_is 0 'backup' sr backup --label "owned-$format" --format $format
    exit_is 0 "missing roles, $format" sr restore-test "owned-$format" --json
    is 'were made' "$(json '.stub_roles | join(",")')" 'app reader,app_owner'
    is 'and the rows behind a policy counted' "$(json '.databases[0].rows')" 1302
    nothing_left "missing roles, $format"
done
on_test postgres 'CREATE ROLE app_owner' >/dev/null
exit_is 0 'one of them is there' sr restore-test owned-plain --json
is 'the other is made' "$(json '.stub_roles | join(",")')" 'app reader'
is 'and who was there stays' "$(scratch)" app_owner
on_test postgres 'DROP ROLE app_owner' >/dev/null
on_test postgres "CREATE ROLE weak LOGIN CREATEDB PASSWORD 'weak'; CREATE ROLE nobody LOGIN PASSWORD 'nobody'" >/dev/null
weak_url=${test_url/tester:secret/weak:weak}
exit_is 15 'a role that may create no database' with BACKUP_RESTORE_TEST_URL="${test_url/tester:secret/nobody:nobody}" sr restore-test plain-open
contains 'it says what to grant' "$ERR" 'CREATEDB'
for format in plain custom; do
    exit_is 0 "a role without rights over others, $format" with BACKUP_RESTORE_TEST_URL="$weak_url" sr restore-test "$format-open" --json
    contains 'owners are mapped, which is told' "$(json '.notes | join(";")')" 'owners and grants were not restored'
done
exit_is 15 'and a role that it cannot make' with BACKUP_RESTORE_TEST_URL="$weak_url" sr restore-test owned-plain
matches 'is told' "$ERR" 'role app reader is missing'
nothing_left 'a weak role'

# A dump of another script does not tell its roles.
q shop 'ALTER TABLE nothing_in_it OWNER TO app_owner' >/dev/null
"$PG_BIN/pg_dump" --exclude-table=owned shop | gzip >"$T/foreign-20261101000000.sql.gz"
exit_is 0 'adopt' sr adopt "$T/foreign-20261101000000.sql.gz"
exit_is 0 'an adopted dump' sr restore-test foreign --json
is 'is compared with what was counted when it was adopted' "$(json '[.databases[0].rung, .databases[0].rows] | tostring')" '["compared",1301]'
contains 'as our own' "$(json '.notes | join(";")')" 'does not tell its roles'
nothing_left 'an adopted dump'
"$PG_BIN/pg_dump" --exclude-table=owned --inserts shop | gzip >"$T/inserted-20261101000000.sql.gz"
exit_is 0 'adopt a dump made with --inserts' sr adopt "$T/inserted-20261101000000.sql.gz"
exit_is 0 'its rows were not counted' sr restore-test inserted --json
is 'it is restored' "$(json '[.databases[0].rung, .databases[0].compared, .recorded.rung] | tostring')" '["restored",false,"restored"]'

# A database of a name that the operator chose.
exit_is 0 'TEST_DB_NAME' with TEST_DB_NAME='try me' sr restore-test plain-open --json
is 'is what it is called' "$(json '.databases[0].scratch')" 'try me'
is 'and is gone' "$(on_test postgres "SELECT count(*) FROM pg_database WHERE datname = 'try me'")" 0
on_test postgres 'CREATE DATABASE "try me"' >/dev/null && on_test 'try me' 'CREATE TABLE mine (id int)' >/dev/null
exit_is 14 'one that is there already' with TEST_DB_NAME='try me' sr restore-test plain-open
is 'is not touched' "$(on_test 'try me' 'SELECT count(*) FROM mine')" 0

# Several databases in one set.
exit_is 0 'a set of two' with BACKUP_DATABASES=shop,odd sr backup --label two
exit_is 13 'both are tested' sr restore-test two --json
is 'one is good' "$(json '[.databases[] | [.database, .outcome] | join(" ")] | sort | join(",")')" 'odd failed,shop passed'
exit_is 0 'one of them' sr restore-test two --database shop --json
contains 'is no proof of the set' "$(json .not_recorded)" 'only a part'
nothing_left 'several databases'

# The production guard.
unset BACKUP_RESTORE_TEST_URL
exit_is 4 'production without a server for tests' with ENV=production sr restore-test plain-open
contains 'what to do is said' "$ERR" BACKUP_RESTORE_TEST_URL
exit_is 0 'on purpose' with ENV=production sr restore-test plain-open --force
exit_is 0 'with a server for tests no flag is needed' with ENV=production BACKUP_RESTORE_TEST_URL="$test_url" sr restore-test plain-open
export BACKUP_RESTORE_TEST_URL=$test_url
exit_is 4 'a server that is production by name' with BACKUP_PRODUCTION_TARGETS='127.0.0.1/*' sr restore-test plain-open --force
exit_is 1 'a server that does not answer' with BACKUP_RESTORE_TEST_URL='postgresql://x:hush-hush@127.0.0.1:1/postgres' sr restore-test plain-open
lacks 'no password in the message' "$ERR" hush-hush

# Ended in the middle: a dump that waits.
exit_is 0 'backup' sr backup --label slow
tamper slow '/^COPY public.tokens /i SELECT pg_catalog.pg_sleep(600);'
begin() { # starts a test in the background that hangs in its restore
    BACKUP_PLUGIN_PATH=$(sr_plugin_path) "$SR_BUILDDIR/strongroom" restore-test slow --json >"$T/slow.out" 2>"$T/slow.err" &
    pid=$!
    poll 30 hanging
}
hanging() {
    [ "$(on_test postgres "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND datname LIKE 'strongroom_test%'")" = 1 ]
}
no_test_backend() {
    [ "$(on_test postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'strongroom%'")" = 0 ]
}
q shop 'ALTER TABLE owned OWNER TO app_owner' >/dev/null
ok 'a test hangs' begin
kill -TERM "$pid"
wait "$pid"
is 'SIGTERM: exit code' $? 143
nothing_left SIGTERM
ok 'a test hangs' begin
# Meanwhile another one may go on, and takes nothing of the first.
exit_is 0 'a test beside it' sr restore-test plain-open
isnt 'the first one is as it was' "$(scratch | grep strongroom)" ''
exit_is 0 'sweep beside it' sr sweep --older-than 1s
isnt 'takes nothing from it either' "$(scratch | grep strongroom)" ''
kill -KILL "$pid"
wait "$pid" 2>/dev/null
ok 'after kill -9 no backend goes on' poll 30 no_test_backend
isnt 'the database is left behind' "$(scratch | grep strongroom)" ''
is 'with the stubs' "$(scratch | grep -c app)" 2
# What looks like one and is none.
on_test postgres "CREATE DATABASE strongroom_test_0123456789abcdef0123456789abcdef; CREATE DATABASE kept; CREATE ROLE strongroom_test_role" >/dev/null 2>&1 ||
    { on_test postgres 'CREATE DATABASE strongroom_test_0123456789abcdef0123456789abcdef' && on_test postgres 'CREATE DATABASE kept' && on_test postgres 'CREATE ROLE strongroom_test_role'; } >/dev/null
on_test postgres "COMMENT ON DATABASE kept IS '$(on_test postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname LIKE 'strongroom_test_%' AND shobj_description(oid, 'pg_database') IS NOT NULL LIMIT 1")'" >/dev/null
exit_is 0 'doctor' sr doctor
contains 'tells of leftovers' "$OUT" 'strongroom sweep'
exit_is 0 'sweep --dry-run tells' sr sweep --dry-run --json
is 'of the database and both roles' "$(json '[.swept[] | select(.reason | test("restore test")) | .key | split(" ")[0]] | sort | join(",")')" 'database,role,role'
isnt 'and removes nothing' "$(scratch | grep -v 0123456789abcdef | grep strongroom)" ''
cp -r "$BACKUP_DIR/.strongroom/tests" "$T/tests"
exit_is 0 'sweep' sr sweep
is 'removes them, and nothing else' "$(scratch)" 'strongroom_test_0123456789abcdef0123456789abcdef'
is 'a comment that was copied marks nothing' "$(on_test postgres "SELECT count(*) FROM pg_database WHERE datname = 'kept'")" 1
is 'there is no more to do' "$(ls "$BACKUP_DIR/.strongroom/tests")" ''
exit_is 0 'sweep once more' sr sweep --json
is 'finds none' "$(json '[.swept[] | select(.reason | test("restore test"))] | length')" 0
ok 'a test hangs' begin
kill -KILL "$pid"
wait "$pid" 2>/dev/null
ok 'after kill -9 no backend goes on' poll 30 no_test_backend
rm -r "$BACKUP_DIR/.strongroom/tests"
exit_is 0 'the next test, of a host that knows of nothing' sr restore-test plain-open --json
is 'removes them, too' "$(json '[.removed[] | split(" ")[0]] | sort | join(",")')" 'database,role,role'
is 'all of it' "$(scratch)" 'strongroom_test_0123456789abcdef0123456789abcdef'

# The audit log.
log=$BACKUP_DIR/.strongroom/audit.log
event() { jq -r "select(.action == \"$1\") | $2" "$log" | sort -u | tr '\n' ' '; }
is 'started' "$(event db_restore_test_started .store)" 'local '
is 'succeeded' "$(event db_restore_test_succeeded .outcome)" 'success '
is 'failed, and what could not be tested' "$(event db_restore_test_failed .outcome)" 'failure untestable '
finish

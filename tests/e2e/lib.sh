# The test library itself: servers, keys, data sets and assertions do what the other scripts rely on.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"

pg_start --password 'p@ ss:#%/"'"'" || exit 1
pg_env
first_port=$PG_PORT
is 'the server wants its password' "$(PGPASSWORD=wrong "$PG_BIN/psql" -XAt -d postgres -c 'select 1' 2>&1 | grep -c 'password authentication failed')" 1
is 'a URL carries any password' "$("$PG_BIN/psql" -XAt "$(pg_url postgres)" -c 'select 1')" 1
pg_start --name second || exit 1
isnt 'two clusters have two ports' "$PG_PORT" "$first_port"
pg_kill second
no 'a killed server is gone' "$PG_BIN/pg_isready" -q -h 127.0.0.1 -p "$PG_PORT"
pg_use main

ok 'the data set loads' dataset shop 1
is 'the data set has its rows' "$(q shop 'SELECT count(*) FROM transactions')" 1000
ok 'the data set loads again' dataset 'a "b"=c %' 1
is 'two data sets agree in every row' "$(table_digests shop)" "$(table_digests 'a "b"=c %')"
q shop 'DELETE FROM transactions WHERE id = 17'
isnt 'a missing row shows' "$(table_digests shop)" "$(table_digests 'a "b"=c %')"
ok 'many tables' many_tables many 50
is 'many tables are many' "$(table_counts many | wc -l)" 50

gpg_home || exit 1
gpg_public_home
echo text >"$T/plain"
ok 'the public home encrypts' env GNUPGHOME="$GPG_PUBLIC_HOME" gpg --batch --trust-model always -e -r "$GPG_FPR" -o "$T/sealed" "$T/plain"
no 'the public home cannot decrypt' env GNUPGHOME="$GPG_PUBLIC_HOME" gpg --batch -d "$T/sealed"
ok 'the first home decrypts' gpg --batch -d "$T/sealed"
is 'what was encrypted' "$OUT" text

# The assertions must be able to fail.
cat >"$T/inner.sh" <<-'EOS'
	. "$SR_SRCDIR/tests/lib.sh"
	eval "$1"
EOS
inner() {
    bash "$T/inner.sh" "$1"
}
exit_is 0 'a good script passes' inner 'ok true true; finish'
exit_is 1 'a script without assertions fails' inner 'finish'
exit_is 1 'a script that ends early fails' inner 'ok true true'
for bad in 'ok x false' 'no x true' 'is x a b' 'isnt x a a' 'contains x abc d' 'lacks x abc b' 'matches x abc ^b' \
    'exit_is 3 x true'; do
    exit_is 1 "\"$bad\" fails the script" inner "ok true true; $bad; finish"
done

# A script that is killed takes its server with it.
cat >"$T/killed.sh" <<-'EOS'
	. "$SR_SRCDIR/tests/lib.sh"
	pg_start && echo "$PG_PID $(start_time "$PG_PID") $T" >"$1"
	while :; do sleep 0.1; done
EOS
for signal in TERM KILL; do
    bash "$T/killed.sh" "$T/server" >/dev/null 2>&1 &
    poll 60 test -s "$T/server"
    read -r pid start folder <"$T/server"
    kill "-$signal" $!
    wait $! 2>/dev/null
    ok "the server ends when the script gets SIG$signal" poll 30 is_gone "$pid" "$start"
    rm -rf "$T/server" "$folder"
done
finish

# Every way to name the database leads to it: DATABASE_URL, PG*, .pgpass, service file, DB_*, POSTGRES_*; with odd names.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
odd_db='we "ird'"'"'s db @#%/=?'
odd_role='ro le@:"#%'
odd_password='p@ss wo:rd/#%?"'"'"'\&='
pg_start && dataset shop 1 && create_db "$odd_db" || exit 1
q "$odd_db" 'CREATE TABLE t AS SELECT generate_series(1, 5) AS x'
q postgres "CREATE ROLE \"${odd_role//\"/\"\"}\" SUPERUSER LOGIN PASSWORD '${odd_password//\'/\'\'}'"
sr_env
export BACKUP_GLOBALS=off

made() { # made NAME WANTED-SOURCE: the backup that has just run holds one dump, of that database
    is "$1: database" "$(json .source)" "$2"
}
url=$(pg_url shop)
for scheme in postgresql postgres postgresql+asyncpg postgresql+psycopg2 postgres+psycopg; do
    exit_is 0 "URL $scheme" with DATABASE_URL="$scheme${url#postgresql}" sr backup --json
    made "URL $scheme" shop
done
exit_is 0 'URL with parameters' with DATABASE_URL="$url?sslmode=prefer&application_name=x" sr backup --json
exit_is 0 'URL with the parameters in the query' with DATABASE_URL="postgresql:///shop?host=127.0.0.1&port=$PG_PORT&user=$PG_USER&password=$PG_PASS" sr backup --json
exit_is 0 'a socket folder in the URL' with DATABASE_URL="postgresql://$PG_USER:$PG_PASS@$(url_encode "$PG_SOCKET"):$PG_PORT/shop" sr backup --json

PG_USER=$odd_role PG_PASS=$odd_password
exit_is 0 'odd database, role and password in a URL' with DATABASE_URL="$(pg_url "$odd_db")" sr backup --json --label url
odd_source=$(json .source)
exit_is 0 'and in PG*' with PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER="$odd_role" PGPASSWORD="$odd_password" PGDATABASE="$odd_db" sr backup --json --label pg
made PG "$odd_source"
exit_is 0 'and in DB_* and POSTGRES_*' with DB_HOST=127.0.0.1 DB_PORT="$PG_PORT" POSTGRES_USER="$odd_role" POSTGRES_PASSWORD="$odd_password" POSTGRES_DB="$odd_db" sr backup --json --label db
made DB "$odd_source"
exit_is 0 'DB_PASSWORD for POSTGRES_PASSWORD' with DB_HOST=127.0.0.1 DB_PORT="$PG_PORT" POSTGRES_USER="$odd_role" DB_PASSWORD="$odd_password" POSTGRES_DB="$odd_db" sr backup --json --label db2
exit_is 0 'odd name by flag' with PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER="$odd_role" PGPASSWORD="$odd_password" sr backup --json --label flag "--database=$odd_db"
made flag "$odd_source"
exit_is 0 'it can be listed by that name' with PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER="$odd_role" PGPASSWORD="$odd_password" sr show latest "--database=$odd_db"
q postgres 'CREATE DATABASE copy'
exit_is 0 'it can be restored' with PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER="$odd_role" PGPASSWORD="$odd_password" sr restore flag --into copy --yes
is 'its rows are back' "$(q copy 'SELECT count(*) FROM t')" 5
exit_is 0 'restored into an odd name' with PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER="$odd_role" PGPASSWORD="$odd_password" sr restore flag --into 'n "e" w %' --create --yes
is 'rows under the odd name' "$(q 'n "e" w %' 'SELECT count(*) FROM t')" 5

escaped=${odd_password//\\/\\\\}
(umask 077 && printf '127.0.0.1:%s:*:%s:%s\n' "$PG_PORT" "$(sed 's/[\\:]/\\&/g' <<<"$odd_role")" "${escaped//:/\\:}" >"$HOME/.pgpass")
exit_is 0 '.pgpass' with PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER="$odd_role" PGDATABASE=shop sr backup --json --label pgpass
mv "$HOME/.pgpass" "$T/passfile"
exit_is 0 'PGPASSFILE' with PGPASSFILE="$T/passfile" PGHOST=127.0.0.1 PGPORT="$PG_PORT" PGUSER="$odd_role" PGDATABASE=shop sr backup --json --label passfile
printf '[prod]\nhost=127.0.0.1\nport=%s\nuser=tester\npassword=secret\ndbname=shop\n' "$PG_PORT" >"$T/services"
exit_is 0 'a service file' with PGSERVICEFILE="$T/services" PGSERVICE=prod sr backup --json --label service
made service shop
cp "$T/services" "$HOME/.pg_service.conf"
exit_is 0 'a service in a URL' with DATABASE_URL='postgresql:///?service=prod' sr backup --json --label service2
printf '%s\n' "$odd_password" >"$T/secret"
chmod 600 "$T/secret"
exit_is 0 'a password from a file' with POSTGRES_PASSWORD_FILE="$T/secret" DB_HOST=127.0.0.1 DB_PORT="$PG_PORT" POSTGRES_USER="$odd_role" POSTGRES_DB=shop sr backup --json --label file

exit_is 0 'DATABASE_URL beats DB_* beats PG*' with DATABASE_URL="$url" POSTGRES_DB=nowhere PGDATABASE=nobody sr backup --json --label beats
made beats shop
contains 'and it is said' "$ERR" DATABASE_URL
exit_is 1 'a wrong password fails' with DATABASE_URL="postgresql://tester:Wr0ngSecret@127.0.0.1:$PG_PORT/shop" sr backup --label wrong
lacks 'the password is not in the message' "$OUT$ERR" Wr0ngSecret
no 'nor in what was written' grep -r Wr0ngSecret "$BACKUP_DIR"
exit_is 1 'no such database fails' with DATABASE_URL="$(PG_USER=tester PG_PASS=secret pg_url nowhere)" sr backup --label none
contains 'and is named' "$ERR" nowhere
exit_is 1 'no database named: what libpq does, on a host without a server' with PGHOST="$T" sr backup --label x
contains 'what was tried is said' "$ERR" "$T"
lacks 'and no store is said to hold it' "$OUT" 'holds it'
exit_is 1 'nobody listens' with DATABASE_URL=postgresql://x:y@127.0.0.1:1/shop sr backup --label x
for bad in 'mysql://h/db' 'postgresql://h:notaport/db' 'nonsense'; do
    exit_is 2 "DATABASE_URL=$bad is refused" with DATABASE_URL="$bad" sr backup --label x
    contains "DATABASE_URL=$bad: the setting is named" "$ERR" DATABASE_URL
done

# What a child is given can be seen by everybody on the host.
(
    export DATABASE_URL
    DATABASE_URL=$(pg_url shop)
    cat >"$T/pg_dump" <<-EOS
		#!/bin/bash
		tr '\\0' ' ' </proc/\$\$/cmdline >>"$T/argv"
		exec "$PG_BIN/pg_dump" "\$@"
	EOS
    chmod 755 "$T/pg_dump"
    BACKUP_PGDUMP_PATH=$T/pg_dump sr backup --label argv >/dev/null 2>&1
)
ok 'the watched pg_dump ran' test -s "$T/argv"
lacks 'no password in argv' "$(cat "$T/argv")" 'wo:rd'
finish

# Data sets; sourced after pg.sh.
#
#   dataset DB [N]       makes database DB with the wallet service of tests/data/shop.sql.
#                        N in thousands of transactions: 1 (default), 290 for 100 MB, 3000 for 1 GB on disk
#   many_tables DB N     makes database DB with N small tables, a primary key and a few rows each
#   table_counts DB      one line "schema.table rows" per table, sorted: to compare two databases
#   table_digests DB     the same with a digest of each table's content

create_db() { # create_db DB [CREATE DATABASE OPTIONS]: any name
    local name=${1//\"/\"\"}
    q postgres "CREATE DATABASE \"$name\" ${2:-}"
}

drop_db() {
    local name=${1//\"/\"\"}
    q postgres "DROP DATABASE IF EXISTS \"$name\" WITH (FORCE)"
}

dataset() {
    create_db "$1" && psql_as_super -d "$(conn_string "$1")" -q -v n="${2:-1}" -f "$SR_SRCDIR/tests/data/shop.sql" >/dev/null
}

# Each table in its own transaction: one for all would need more locks than a server grants by default.
many_tables() {
    create_db "$1" && psql_as_super -d "$(conn_string "$1")" -q -v ON_ERROR_STOP=1 -v n="$2" >/dev/null <<-'SQL'
		SET client_min_messages = warning;
		SET synchronous_commit = off;
		SELECT format('CREATE TABLE part_%s AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, 20) g;'
		              'ALTER TABLE part_%s ADD PRIMARY KEY (id)', lpad(t::text, 5, '0'), lpad(t::text, 5, '0'))
		FROM generate_series(1, :n) t
		\gexec
	SQL
}

table_counts() {
    psql_as_super -d "$(conn_string "$1")" -Atq -v deep=0 -f "$SR_SRCDIR/tests/data/digests.sql"
}

table_digests() {
    psql_as_super -d "$(conn_string "$1")" -Atq -v deep=1 -f "$SR_SRCDIR/tests/data/digests.sql"
}

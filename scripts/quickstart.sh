#!/bin/bash
# quickstart.sh: from a bare clone to a backup that was restored and compared, in one go.
#
# Installs what is missing, builds into build/, starts a private PostgreSQL unless DATABASE_URL or PG*
# names a server, loads a small data set, makes an encrypted backup with a throw-away key, lists,
# verifies and restores it into a scratch database, and shows that the rows agree. Nothing is left
# running, and on a server of yours the two databases made here are dropped again.
set -uo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
source_db=strongroom_quickstart target_db=strongroom_quickstart_restored

title() {
    printf '\n\033[1m%s\033[0m\n' "$*"
}
give_up() {
    echo "quickstart.sh: $*" >&2
    exit 1
}
show() { # prints a command as it would be typed, and runs it
    printf '$ strongroom %s\n' "$*"
    sr "$@" || give_up "strongroom $1 ended with exit code $?"
}

title '1. What the build needs'
"$top/scripts/install-packages.sh" build || give_up 'packages are missing'
echo 'everything is there'

title '2. Build'
mkdir -p "$top/build"
log=$top/build/quickstart.log
{
    { [ -x "$top/configure" ] && [ "$top/configure" -nt "$top/configure.ac" ]; } || "$top/autogen.sh"
} >"$log" 2>&1 && cd "$top/build" &&
    { [ -f Makefile ] || ../configure; } >>"$log" 2>&1 &&
    make -j"$(nproc)" all >>"$log" 2>&1 || {
    tail -20 "$log" >&2
    give_up "the build failed; all of it is in $log"
}
cd "$top" && ls -l build/strongroom

# The library clears the environment, so the server that was named is remembered first.
declare -A given=()
for name in DATABASE_URL PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGPASSFILE PGSERVICE PGSERVICEFILE PGDATABASE PGSSLMODE; do
    [ -z "${!name:-}" ] || given[$name]=${!name}
done
real_home=${HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}
export SR_SRCDIR=$top SR_BUILDDIR=$top/build
. "$top/tests/lib/env.sh"
. "$top/tests/lib/pg.sh"
. "$top/tests/lib/gpg.sh"

title '3. A PostgreSQL server'
if [ -n "${given[DATABASE_URL]:-}${given[PGHOST]:-}${given[PGHOSTADDR]:-}${given[PGPORT]:-}${given[PGSERVICE]:-}${given[PGDATABASE]:-}" ]; then
    for name in "${!given[@]}"; do
        export "$name=${given[$name]}"
    done
    export PGPASSFILE=${PGPASSFILE:-$real_home/.pgpass}
    [ -e "$PGPASSFILE" ] || unset PGPASSFILE
    echo 'the one that your environment names'
else
    pg_start || give_up 'the private server did not start'
    pg_env
    export PGDATABASE=postgres
    echo "a private one on port $PG_PORT, in $PG_DIR"
fi

# psql knows no driver suffix; DATABASE_URL beats PG*, as in strongroom itself.
maintenance=${DATABASE_URL:-}
[[ $maintenance =~ ^(postgres(ql)?)\+[a-z0-9]+(://.*) ]] && maintenance=${BASH_REMATCH[1]}${BASH_REMATCH[3]}
sql() { # sql [PSQL-OPTION...]: standard input, by the server's own database
    "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 "$@" "${maintenance:-dbname=${PGDATABASE:-postgres}}"
}
in_db() { # in_db DB FILE [PSQL-OPTION...]
    { echo "\\connect $1"; cat "$2"; } | sql "${@:3}"
}
[ "$(echo "SELECT count(*) FROM pg_database WHERE datname IN ('$source_db', '$target_db')" | sql -At)" = 0 ] ||
    give_up "the server cannot be asked, or has a database $source_db or $target_db already, which is left alone"
at_exit "printf 'DROP DATABASE IF EXISTS %s;\n' $target_db $source_db | PGOPTIONS='-c client_min_messages=warning' sql"

title '4. A small data set: users, wallets, transactions, token balances'
echo "CREATE DATABASE $source_db" | sql && in_db "$source_db" "$top/tests/data/shop.sql" -v n=5 >/dev/null ||
    give_up 'the data set could not be loaded'
in_db "$source_db" "$top/tests/data/digests.sql" -At -F ' ' -v deep=0

title '5. A throw-away key'
gpg_home quickstart@example.test || give_up 'no key could be made'
gpg --list-keys --keyid-format long 2>/dev/null | sed -n '3,$p'

export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
title '6. Back up'
show backup --database "$source_db" --label quickstart
title '7. List'
show list
title '8. Verify'
show verify latest
title '9. Restore into a scratch database'
show restore latest --into "$target_db" --create --yes

title '10. Compare'
in_db "$source_db" "$top/tests/data/digests.sql" -At -v deep=1 >"$T/before" || give_up 'the source could not be read'
in_db "$target_db" "$top/tests/data/digests.sql" -At -v deep=1 >"$T/after" || give_up 'the copy could not be read'
[ -s "$T/before" ] || give_up 'nothing to compare'
diff "$T/before" "$T/after" || give_up 'the restored rows differ'
column -t -s '|' "$T/after" 2>/dev/null || cat "$T/after"
echo "every row of $(wc -l <"$T/after") tables agrees"

title 'What lies in the store'
ls -l "$BACKUP_DIR"
title 'Done. Next: README.md, then strongroom help'

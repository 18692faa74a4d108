#!/bin/bash
# backup.sh [--smoke | THOUSANDS-OF-TRANSACTIONS]: what a backup costs beside its peers, in one run, on a
# database that it makes itself: about 1 GB by default. Needs three times its size in /tmp.
#
# Ratios of medians of three, taken in turn so that a slow spell of the machine meets all of them.
. "$(dirname "$0")/lib.sh"

size=3000 small=290
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 size=10 small=5 ;;
'') ;;
*) size=$1 ;;
esac

bench_server
gpg_home || die 'no key'
dataset big "$size" && dataset small "$small" || die 'no data set'
export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH
# The rows are what is timed, not the roles.
export BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

dump_away() {
    measured pg_dump sh -c 'exec "$0" "$1" >/dev/null' "$PG_BIN/pg_dump" big
}
strongroom_backup() { # strongroom_backup SERIES DB
    rm -rf "$BACKUP_DIR"
    measured "$1" "$SR_BUILDDIR/strongroom" backup --database "$2" --label bench --no-progress
}
by_hand() {
    rm -f "$T"/hand*
    # shellcheck disable=SC2016
    measured by_hand bash -o pipefail -c '"$0" big | gzip >"$1" && sha256sum "$1" >"$1.sha256" &&
        gpg --batch --quiet --trust-model always -r "$2" -e -o "$1.gpg" "$1"' "$PG_BIN/pg_dump" "$T/hand.sql.gz" "$GPG_FPR"
}

"$PG_BIN/pg_dump" big >"$T/warm.sql" || die 'pg_dump failed'
plain_size=$(stat -c %s "$T/warm.sql")
rm -f "$T/warm.sql"
for ((i = 0; i < bench_runs; i++)); do
    dump_away
    strongroom_backup backup big
    stored_size=$(du -sb --exclude=.strongroom "$BACKUP_DIR" | cut -f1)
    by_hand
    strongroom_backup backup_small small
done

echo
echo "backup of $(q big "SELECT pg_size_pretty(pg_database_size('big'))") (plain dump $((plain_size / 1000000)) MB, stored $((stored_size / 1000000)) MB)"
machine
row 'pg_dump > /dev/null' "$(median pg_dump) s"
row 'strongroom backup: gzip, hashed, encrypted, stored' "$(median backup) s"
row 'pg_dump | gzip, sha256sum, gpg -e' "$(median by_hand) s"
bound 'strongroom against pg_dump > /dev/null' "$(ratio "$(median backup)" "$(median pg_dump)")" '<=' 1.10
bound 'by hand against strongroom' "$(ratio "$(median by_hand)" "$(median backup)")" '>=' 5
bound 'peak memory of strongroom, MiB' "$(ratio "$(peak backup)" 1024)" '<=' 64
bound "the same at $(q small "SELECT pg_size_pretty(pg_database_size('small'))")" "$(ratio "$(peak backup_small)" 1024)" '<=' 64
bench_end

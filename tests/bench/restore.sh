#!/bin/bash
# restore.sh [--smoke | THOUSANDS-OF-TRANSACTIONS]: what a restore costs beside its peers, in one run, on
# databases that it makes itself: one of about 1 GB by default, and one of 5,000 small tables.
#
# The peers read local, uncompressed files; strongroom reads its store, checks digests, decrypts and
# unpacks. Ratios of medians of three, taken in turn.
. "$(dirname "$0")/lib.sh"

size=3000 tables=5000
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 size=10 tables=20 ;;
'') ;;
*) size=$1 ;;
esac

bench_server
gpg_home || die 'no key'
dataset big "$size" && many_tables many "$tables" || die 'no data set'
export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

quietly() {
    "$@" >"$T/quiet.out" 2>&1 || {
        tail -20 "$T/quiet.out" >&2
        die "failed: $*"
    }
}
quietly sr backup --database big --label custom --format custom
quietly sr backup --database big --label plain --format plain
quietly sr backup --database many --label many --format custom
quietly "$PG_BIN/pg_dump" -Fc -Z0 -f "$T/big.dump" big
quietly "$PG_BIN/pg_dump" -f "$T/big.sql" big
quietly "$PG_BIN/pg_dump" -Fc -Z0 -f "$T/many.dump" many
want=$(table_counts big) want_many=$(table_counts many)

fresh() {
    drop_db scratch && create_db scratch && q postgres CHECKPOINT || die 'no scratch database'
}
same() {
    [ "$(table_counts scratch)" = "$1" ] || die 'the restored rows differ'
}
ours() { # ours SERIES DATABASE LABEL ROWS [OPTION...]
    fresh
    measured "$1" "$SR_BUILDDIR/strongroom" restore latest --database "$2" --label "$3" --into scratch --yes --no-progress "${@:5}"
    same "$4"
}
peer() { # peer SERIES ROWS COMMAND...
    fresh
    measured "$1" "${@:3}"
    same "$2"
}

for ((i = 0; i < bench_runs; i++)); do
    peer pg_restore "$want" "$PG_BIN/pg_restore" -j2 -d scratch "$T/big.dump"
    ours custom big custom "$want" --jobs 2
    peer psql "$want" "$PG_BIN/psql" -Xq -v ON_ERROR_STOP=1 -d scratch -f "$T/big.sql"
    ours plain big plain "$want"
    peer pg_restore_many "$want_many" "$PG_BIN/pg_restore" -j2 -d scratch "$T/many.dump"
    ours custom_many many many "$want_many" --jobs 2
done

echo
echo "restore of $(q big "SELECT pg_size_pretty(pg_database_size('big'))"), and of $tables small tables"
machine
row 'pg_restore -j2, uncompressed local archive' "$(median pg_restore) s"
row 'strongroom restore --jobs 2, custom dump' "$(median custom) s"
row 'psql, plain local file' "$(median psql) s"
row 'strongroom restore, plain dump' "$(median plain) s"
row "pg_restore -j2, $tables tables" "$(median pg_restore_many) s"
row "strongroom restore --jobs 2, $tables tables" "$(median custom_many) s"
bound 'custom: strongroom against pg_restore' "$(ratio "$(median custom)" "$(median pg_restore)")" '<=' 1.20
bound "custom, $tables tables: the same" "$(ratio "$(median custom_many)" "$(median pg_restore_many)")" '<=' 1.20
bound 'plain: strongroom against psql' "$(ratio "$(median plain)" "$(median psql)")" '<=' 1.05
bound 'peak memory of strongroom, MiB' "$(ratio "$(peak custom)" 1024)" '<=' 64
bench_end

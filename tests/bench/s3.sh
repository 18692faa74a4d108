#!/bin/bash
# s3.sh [--smoke | THOUSANDS-OF-TRANSACTIONS]: what a backup to S3 on loopback costs beside its peers, in one run, on a
# database that it makes itself: about 1 GB by default. Needs six times its size in /tmp.
#
# The server of most rows is tests/server/s3_sink.py, which costs next to nothing, so that the client is measured;
# one row says what the same takes on OpenStack Swift, a real server. Ratios of medians of three, taken in turn.
. "$(dirname "$0")/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"

size=3000 small=290
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 size=40 small=5 ;;
'') ;;
*) size=$1 ;;
esac

bench_server
gpg_home || die 'no key'
dataset big "$size" && dataset small "$small" || die 'no data set'
swift_start && s3_bucket bench || die 'no Swift'
mkdir "$T/kept"
setpriv --pdeathsig TERM /usr/bin/python3 "$SR_SRCDIR/tests/server/s3_sink.py" --port-file "$T/sink" --keep "$T/kept" &
sink_pid=$!
at_exit 'kill $sink_pid'
poll 20 test -s "$T/sink" || die 'no sink'
sink=http://127.0.0.1:$(cat "$T/sink")

export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR BACKUP_S3_BUCKET=bench
export AWS_ACCESS_KEY_ID=$S3_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET AWS_REGION=$S3_REGION AWS_EC2_METADATA_DISABLED=true
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
# The rows are what is timed, not the roles.
export BACKUP_PLUGIN_PATH BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

dump_away() {
    measured pg_dump sh -c 'exec "$0" "$1" >/dev/null' "$PG_BIN/pg_dump" big
}
to_s3() { # to_s3 SERIES DB ENDPOINT OPTION...
    local series=$1 db=$2
    export AWS_ENDPOINT_URL_S3=$3
    shift 3
    measured "$series" env BACKUP_STORAGE_ADAPTER=s3 "$SR_BUILDDIR/strongroom" backup --database "$db" --no-progress "$@"
}
by_hand() {
    # shellcheck disable=SC2016
    measured by_hand bash -o pipefail -c '"$0" big | gzip | gpg --batch --quiet --trust-model always -r "$1" -e |
        AWS_DEFAULT_REGION=$AWS_REGION /usr/bin/aws --endpoint-url "$2" s3 cp --quiet - "s3://bench/hand-$3.gpg"' \
        "$PG_BIN/pg_dump" "$GPG_FPR" "$sink" "$1"
}
restored() { # restored SERIES ADAPTER LABEL
    drop_db scratch && create_db scratch && q postgres CHECKPOINT || die 'no scratch database'
    measured "$1" env BACKUP_STORAGE_ADAPTER="$2" "$SR_BUILDDIR/strongroom" restore latest --database big --label "$3" \
        --into scratch --yes --no-progress
    [ "$(table_counts scratch)" = "$want" ] || die 'the restored rows differ'
}

want=$(table_counts big)
"$PG_BIN/pg_dump" big >/dev/null || die 'pg_dump failed'
for ((i = 0; i < bench_runs; i++)); do
    dump_away
    by_hand $i
    to_s3 spooled big "$sink" --label spooled --spool
    to_s3 swift big "$S3_ENDPOINT" --label streamed --stream
    to_s3 small small "$sink" --label small --stream
    to_s3 streamed big "$sink" --label streamed --stream
    # What the sink keeps now is the last one, whole.
    restored from_s3 s3 streamed
    rm -rf "$BACKUP_DIR"
    measured local "$SR_BUILDDIR/strongroom" backup --database big --label local --no-progress
    restored from_local local local
done

echo
echo "backup of $(q big "SELECT pg_size_pretty(pg_database_size('big'))") to S3 on loopback, 4 parts of 8 MiB"
machine
row 'pg_dump > /dev/null' "$(median pg_dump) s"
row 'strongroom backup, streamed, to the sink' "$(median streamed) s"
row 'strongroom backup, spooled first, to the sink' "$(median spooled) s" "$(ratio "$(median spooled)" "$(median pg_dump)") of pg_dump"
row 'strongroom backup, streamed, to OpenStack Swift' "$(median swift) s" "$(ratio "$(median swift)" "$(median pg_dump)") of pg_dump"
row 'pg_dump | gzip | gpg -e | aws s3 cp -, to the sink' "$(median by_hand) s"
row 'restore from the sink' "$(median from_s3) s"
row 'restore from the local store' "$(median from_local) s"
bound 'streamed against pg_dump > /dev/null' "$(ratio "$(median streamed)" "$(median pg_dump)")" '<=' 1.15
bound 'by hand against streamed' "$(ratio "$(median by_hand)" "$(median streamed)")" '>=' 5
bound 'restore from S3 against local' "$(ratio "$(median from_s3)" "$(median from_local)")" '<=' 1.10
bound 'peak memory of strongroom, MiB' "$(ratio "$(peak streamed)" 1024)" '<=' 128
bound "the same at $(q small "SELECT pg_size_pretty(pg_database_size('small'))")" "$(ratio "$(peak small)" 1024)" '<=' 128
bench_end

#!/bin/bash
# s3.sh [--smoke | --long [GB] | THOUSANDS-OF-TRANSACTIONS]: what a backup to S3 on loopback costs beside its peers, in
# one run, on a database that it makes itself: about 1 GB by default. Needs six times its size in /tmp, and 1 GiB.
#
# --long: memory alone. A generated source of 100 MB and one of 20 GB (or as many) go through the store to a server that
# keeps nothing; neither may take more than its bound, nor the long one more than the short one. Needs no room.
#
# The server of most rows is tests/server/s3_sink.py, which costs next to nothing, so that the client is measured;
# one row says what the same takes on OpenStack Swift, a real server. Ratios of medians of three, taken in turn.
. "$(dirname "$0")/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"

size=3000 small=290 file_mib=1024 long_gb=
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 size=40 small=5 file_mib=64 ;;
--long) long_gb=${2:-20} ;;
'') ;;
*) size=$1 ;;
esac

sink_start() { # sink_start NAME [OPTION...]: its URL is in the variable NAME
    setpriv --pdeathsig TERM /usr/bin/python3 "$SR_SRCDIR/tests/server/s3_sink.py" --port-file "$T/$1" "${@:2}" &
    at_exit "kill $!"
    poll 20 test -s "$T/$1" || die 'no sink'
    printf -v "$1" %s "http://127.0.0.1:$(cat "$T/$1")"
}
store_call=$SR_BUILDDIR/tests/server/store_call
[ -x "$store_call" ] || make -C "$SR_BUILDDIR" tests/server/store_call >/dev/null || exit 1
upload() { # upload SERIES FILE: the store alone, with nothing before it
    uploads=$((${uploads:-0} + 1))
    measured "$1" env BACKUP_STORAGE_ADAPTER=s3 AWS_ENDPOINT_URL_S3="$drain" "$store_call" save "upload-$uploads" "$2"
}
# shellcheck disable=SC2034 # set by sink_start
sink_start drain
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH BACKUP_S3_BUCKET=bench AWS_EC2_METADATA_DISABLED=true

if [ -n "$long_gb" ]; then
    export AWS_ACCESS_KEY_ID=bench AWS_SECRET_ACCESS_KEY=bench AWS_REGION=us-east-1
    generated() { # generated SERIES BYTES
        rm -f "$T/pipe" && mkfifo "$T/pipe" || die 'no pipe'
        head -c "$2" /dev/zero >"$T/pipe" &
        upload "$1" "$T/pipe"
        wait $!
    }
    generated short 100000000
    generated long $((long_gb * 1000000000))
    echo
    echo "an upload from a generated source to S3 on loopback, 4 parts of 8 MiB"
    machine
    row "$long_gb GB" "$(median long) s" "$(cpu long) s of processor time"
    bound 'peak memory with 100 MB, MiB' "$(ratio "$(peak short)" 1024)" '<=' 128
    bound "peak memory with $long_gb GB, MiB" "$(ratio "$(peak long)" 1024)" '<=' 128
    bound "$long_gb GB against 100 MB" "$(ratio "$(peak long)" "$(peak short)")" '<=' 1.05
    bench_end
fi

bench_server
gpg_home || die 'no key'
dataset big "$size" && dataset small "$small" || die 'no data set'
swift_start && s3_bucket bench || die 'no Swift'
mkdir "$T/kept"
sink_start sink --keep "$T/kept"
head -c "${file_mib}M" /dev/urandom >"$T/file" || die 'no file'

export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
export AWS_ACCESS_KEY_ID=$S3_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET AWS_REGION=$S3_REGION
# The rows are what is timed, not the roles.
export BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

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
    upload upload "$T/file"
    measured curl /usr/bin/curl --silent --fail --upload-file "$T/file" "$drain/bench/curl-$i"
done
# Seconds of processor time for each GiB.
each_gib() {
    ratio "$(cpu "$1")" "$(ratio "$file_mib" 1024)"
}

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
row 'upload alone, processor time each GiB' "$(each_gib upload) s" "$(ratio "$(cpu upload)" "$(cpu curl)") of curl"
row 'curl -T of the same file, processor time each GiB' "$(each_gib curl) s"
bound 'streamed against pg_dump > /dev/null' "$(ratio "$(median streamed)" "$(median pg_dump)")" '<=' 1.15
bound 'by hand against streamed' "$(ratio "$(median by_hand)" "$(median streamed)")" '>=' 5
bound 'restore from S3 against local' "$(ratio "$(median from_s3)" "$(median from_local)")" '<=' 1.10
bound 'peak memory of strongroom, MiB' "$(ratio "$(peak streamed)" 1024)" '<=' 128
bound "the same at $(q small "SELECT pg_size_pretty(pg_database_size('small'))")" "$(ratio "$(peak small)" 1024)" '<=' 128
bench_end

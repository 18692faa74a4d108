#!/bin/bash
# azure.sh [--smoke | --long [GB] | THOUSANDS-OF-TRANSACTIONS]: what a backup to Azure on loopback costs beside its
# peers, in one run, on a database that it makes itself: about 1 GB by default. Needs six times its size in /tmp.
#
# --long: memory alone. A generated source of 100 MB and one of 20 GB (or as many) go through the store to a server that
# keeps nothing; neither may take more than its bound, nor the long one more than the short one. Needs no room.
#
# The server of most rows is tests/server/azure_sink.py, which costs next to nothing, so that the client is measured;
# one row says what the same takes on Azurite, another how fast the sink takes what curl sends it: it is not the limit.
# Ratios of medians of three, taken in turn.
. "$(dirname "$0")/lib.sh"
. "$SR_SRCDIR/tests/lib/azurite.sh"

size=3000 small=290 file_mib=1024 long_gb=
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 size=40 small=5 file_mib=64 ;;
--long) long_gb=${2:-20} ;;
'') ;;
*) size=$1 ;;
esac

sink_start() { # sink_start NAME [OPTION...]: its URL is in the variable NAME
    setpriv --pdeathsig TERM /usr/bin/python3 -B "$SR_SRCDIR/tests/server/azure_sink.py" --port-file "$T/$1" "${@:2}" &
    at_exit "kill $!"
    poll 20 test -s "$T/$1" || die 'no sink'
    printf -v "$1" %s "http://127.0.0.1:$(cat "$T/$1")/$AZ_ACCOUNT"
}
store_call=$SR_BUILDDIR/tests/server/store_call
[ -x "$store_call" ] || make -C "$SR_BUILDDIR" tests/server/store_call >/dev/null || exit 1
upload() { # upload SERIES FILE: the store alone, with nothing before it
    uploads=$((${uploads:-0} + 1))
    measured "$1" env BACKUP_STORAGE_ADAPTER=azure AZURE_STORAGE_SERVICE_ENDPOINT="$drain" "$store_call" save "upload-$uploads" "$2"
}
# shellcheck disable=SC2034 # set by sink_start
sink_start drain
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH BACKUP_AZURE_CONTAINER=bench AZURE_STORAGE_ACCOUNT=$AZ_ACCOUNT AZURE_STORAGE_KEY=$AZ_KEY
# What goes to Azure itself: a CRC64 with each block, and the MD5 of the whole.
export BACKUP_AZURE_CHECKSUM=crc64

if [ -n "$long_gb" ]; then
    generated() { # generated SERIES BYTES
        rm -f "$T/pipe" && mkfifo "$T/pipe" || die 'no pipe'
        head -c "$2" /dev/zero >"$T/pipe" &
        upload "$1" "$T/pipe"
        wait $!
    }
    generated short 100000000
    generated long $((long_gb * 1000000000))
    echo
    echo "an upload from a generated source to Azure on loopback, 4 blocks of 8 MiB"
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
azurite_start && az container bench || die 'no Azurite'
mkdir "$T/kept"
sink_start sink --keep "$T/kept"
head -c "${file_mib}M" /dev/urandom >"$T/file" || die 'no file'

export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
# The rows are what is timed, not the roles.
export BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

dump_away() {
    measured pg_dump sh -c 'exec "$0" "$1" >/dev/null' "$PG_BIN/pg_dump" big
}
to_azure() { # to_azure SERIES DB ENDPOINT OPTION...
    local series=$1 db=$2
    export AZURE_STORAGE_SERVICE_ENDPOINT=$3
    shift 3
    measured "$series" env BACKUP_STORAGE_ADAPTER=azure "$SR_BUILDDIR/strongroom" backup --database "$db" --no-progress "$@"
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
    to_azure spooled big "$sink" --label spooled --spool
    to_azure azurite big "$AZ_ENDPOINT" --label streamed --stream
    to_azure small small "$sink" --label small --stream
    to_azure streamed big "$sink" --label streamed --stream
    # What the sink keeps now is the last one, whole.
    restored from_azure azure streamed
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
echo "backup of $(q big "SELECT pg_size_pretty(pg_database_size('big'))") to Azure on loopback, 4 blocks of 8 MiB"
machine
row 'pg_dump > /dev/null' "$(median pg_dump) s"
row 'strongroom backup, streamed, to the sink' "$(median streamed) s"
row 'strongroom backup, spooled first, to the sink' "$(median spooled) s" "$(ratio "$(median spooled)" "$(median pg_dump)") of pg_dump"
row 'strongroom backup, streamed, to Azurite' "$(median azurite) s" "$(ratio "$(median azurite)" "$(median pg_dump)") of pg_dump"
row 'restore from the sink' "$(median from_azure) s"
row 'restore from the local store' "$(median from_local) s"
row "curl -T of $file_mib MiB to the sink" "$(median curl) s" "$(each_gib curl) s of processor time each GiB"
row 'the same by the store alone' "$(median upload) s" "$(each_gib upload) s of processor time each GiB"
bound 'streamed against pg_dump > /dev/null' "$(ratio "$(median streamed)" "$(median pg_dump)")" '<=' 1.15
bound 'restore from Azure against local' "$(ratio "$(median from_azure)" "$(median from_local)")" '<=' 1.10
bound 'peak memory of strongroom, MiB' "$(ratio "$(peak streamed)" 1024)" '<=' 128
bound "the same at $(q small "SELECT pg_size_pretty(pg_database_size('small'))")" "$(ratio "$(peak small)" 1024)" '<=' 128
bench_end

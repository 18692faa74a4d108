#!/bin/bash
# gcs.sh [--smoke | THOUSANDS-OF-TRANSACTIONS]: what a backup to Google Cloud Storage on loopback costs beside its peers, in
# one run, on a database that it makes itself: about 1 GB by default. Needs three times its size in /tmp, and 1 GiB.
#
# The server is tests/server/gcs_sink.py, which costs next to nothing: curl -T of the same file to it shows that it is not
# the limit. Ratios of medians of three, taken in turn; in a session, and in parallel parts.
. "$(dirname "$0")/lib.sh"

size=3000 small=290 file_mib=1024 far_mib=256
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 size=40 small=5 file_mib=64 far_mib=32 ;;
'') ;;
*) size=$1 ;;
esac

sink_start() { # sink_start NAME [OPTION...]: its URL is in the variable NAME
    setpriv --pdeathsig TERM /usr/bin/python3 "$SR_SRCDIR/tests/server/gcs_sink.py" --port-file "$T/$1" "${@:2}" &
    at_exit "kill $!"
    poll 20 test -s "$T/$1" || die 'no sink'
    printf -v "$1" %s "http://127.0.0.1:$(cat "$T/$1")"
}
store_call=$SR_BUILDDIR/tests/server/store_call
[ -x "$store_call" ] || make -C "$SR_BUILDDIR" tests/server/store_call >/dev/null || exit 1
upload() { # upload SERIES WAY FILE SERVER: the store alone, with nothing before it
    uploads=$((${uploads:-0} + 1))
    measured "$1" env BACKUP_STORAGE_ADAPTER=gcs BACKUP_GCS_UPLOAD="$2" BACKUP_GCS_ENDPOINT_URL="$4" "$store_call" save "upload-$uploads" "$3"
}
# shellcheck disable=SC2034 # set by sink_start
sink_start drain
# A connection to a store far away brings what its window and the round trip allow, and no more.
# shellcheck disable=SC2034
sink_start far --away 20 --mib-per-s 40
mkdir "$T/kept"
sink_start sink --keep "$T/kept"
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH BACKUP_GCS_BUCKET=bench BACKUP_GCS_CREDENTIALS=none BACKUP_GCS_ENDPOINT_URL=$sink
bench_server
gpg_home || die 'no key'
dataset big "$size" && dataset small "$small" || die 'no data set'
head -c "${file_mib}M" /dev/urandom >"$T/file" && head -c "${far_mib}M" "$T/file" >"$T/far" || die 'no file'
export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

to_gcs() { # to_gcs SERIES DB WAY OPTION...
    measured "$1" env BACKUP_STORAGE_ADAPTER=gcs BACKUP_GCS_UPLOAD="$3" "$SR_BUILDDIR/strongroom" backup --database "$2" --no-progress "${@:4}"
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
    measured pg_dump sh -c 'exec "$0" big >/dev/null' "$PG_BIN/pg_dump"
    to_gcs spooled big resumable --label spooled --spool
    to_gcs parts big multipart --label parts --stream
    to_gcs small small resumable --label small --stream
    to_gcs session big resumable --label session --stream
    restored from_gcs gcs session
    rm -rf "$BACKUP_DIR"
    measured local "$SR_BUILDDIR/strongroom" backup --database big --label local --no-progress
    restored from_local local local
    upload upload_session resumable "$T/file" "$drain"
    upload upload_parts multipart "$T/file" "$drain"
    upload far_session resumable "$T/far" "$far"
    upload far_parts multipart "$T/far" "$far"
    measured curl /usr/bin/curl --silent --fail --header Expect: --upload-file "$T/file" "$drain/bench/curl-$i"
done
each_gib() { # seconds of processor time for each GiB
    ratio "$(cpu "$1")" "$(ratio "$file_mib" 1024)"
}

echo
echo "backup of $(q big "SELECT pg_size_pretty(pg_database_size('big'))") to Cloud Storage on loopback, memory of 5 parts of 8 MiB"
machine
row 'pg_dump > /dev/null' "$(median pg_dump) s"
row 'strongroom backup, streamed, in a session' "$(median session) s"
row 'strongroom backup, streamed, in parts' "$(median parts) s" "$(ratio "$(median parts)" "$(median pg_dump)") of pg_dump"
row 'strongroom backup, spooled first' "$(median spooled) s" "$(ratio "$(median spooled)" "$(median pg_dump)") of pg_dump"
row 'restore from the sink' "$(median from_gcs) s"
row 'restore from the local store' "$(median from_local) s"
row "upload of $file_mib MiB alone, in a session" "$(median upload_session) s" "$(each_gib upload_session) s of processor time each GiB"
row "upload of $file_mib MiB alone, in parts" "$(median upload_parts) s" "$(each_gib upload_parts) s of processor time each GiB"
row "upload of $far_mib MiB, 20 ms and 40 MiB/s a connection away, in a session" "$(median far_session) s"
row 'the same in parts' "$(median far_parts) s" "$(ratio "$(median far_parts)" "$(median far_session)") of a session"
row 'curl -T of the same file' "$(median curl) s" "$(each_gib curl) s of processor time each GiB"
bound 'streamed in a session against pg_dump > /dev/null' "$(ratio "$(median session)" "$(median pg_dump)")" '<=' 1.15
bound 'streamed in parts against pg_dump > /dev/null' "$(ratio "$(median parts)" "$(median pg_dump)")" '<=' 1.15
bound 'far away: in parts against in a session' "$(ratio "$(median far_parts)" "$(median far_session)")" '<=' 0.5
bound 'restore from Cloud Storage against local' "$(ratio "$(median from_gcs)" "$(median from_local)")" '<=' 1.10
bound 'peak memory in a session, MiB' "$(ratio "$(peak session)" 1024)" '<=' 128
bound 'peak memory in parts, MiB' "$(ratio "$(peak parts)" 1024)" '<=' 128
bound "the same at $(q small "SELECT pg_size_pretty(pg_database_size('small'))")" "$(ratio "$(peak small)" 1024)" '<=' 128
bench_end

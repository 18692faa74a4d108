#!/bin/bash
# stores.sh [--smoke | THOUSANDS-OF-TRANSACTIONS]: what several stores at once cost, on a database that it makes itself:
# about 1 GB by default, beside one of a tenth. One folder alone, then a folder and three clouds from one dump, each
# cloud a server that costs next to nothing (tests/server/*_sink.py). Needs five times its size in /tmp. Memory is what is bounded: it
# must be what docs/operations.md says it is, and must not grow with the database. Medians of three, taken in turn.
. "$(dirname "$0")/lib.sh"

size=3000 small=290
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 size=40 small=5 ;;
'') ;;
*) size=$1 ;;
esac
part_mib=8 concurrency=4

sink() { # sink CLOUD: prints the URL of its server
    poll 20 test -s "$T/sink-$1" || die "no sink for $1"
    echo "http://127.0.0.1:$(cat "$T/sink-$1")"
}
for cloud in s3 azure gcs; do
    mkdir "$T/kept-$cloud"
    setpriv --pdeathsig TERM /usr/bin/python3 -B "$SR_SRCDIR/tests/server/${cloud}_sink.py" --port-file "$T/sink-$cloud" --keep "$T/kept-$cloud" &
    at_exit "kill $!"
    export "BACKUP_${cloud^^}_PART_SIZE=${part_mib}MiB" "BACKUP_${cloud^^}_CONCURRENCY=$concurrency"
done
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
AWS_ENDPOINT_URL_S3=$(sink s3)
AZURE_STORAGE_SERVICE_ENDPOINT=$(sink azure)/bench
AZURE_STORAGE_KEY=$(printf 'a key of benchmarks' | base64 -w0)
BACKUP_GCS_ENDPOINT_URL=$(sink gcs)
export BACKUP_PLUGIN_PATH AWS_ENDPOINT_URL_S3 AZURE_STORAGE_SERVICE_ENDPOINT AZURE_STORAGE_KEY BACKUP_GCS_ENDPOINT_URL
export BACKUP_S3_BUCKET=bench AWS_ACCESS_KEY_ID=bench AWS_SECRET_ACCESS_KEY=bench AWS_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export BACKUP_AZURE_CONTAINER=bench AZURE_STORAGE_ACCOUNT=bench BACKUP_GCS_BUCKET=bench BACKUP_GCS_CREDENTIALS=none
bench_server
gpg_home || die 'no key'
dataset big "$size" && dataset small "$small" || die 'no data set'
export BACKUP_DIR=$T/backups BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

backup() { # backup SERIES DB STORES: of a compression that leaves parts enough
    rm -rf "$BACKUP_DIR"
    find "$T"/kept-* -type f -size +1M -delete
    measured "$1" env BACKUP_STORAGE_ADAPTER="$3" BACKUP_COMPRESSION=none "$SR_BUILDDIR/strongroom" backup --stream --database "$2" --label bench-"$1" --no-progress
}
for ((i = 0; i < bench_runs; i++)); do
    for db in small big; do
        backup one_$db $db local
        backup four_$db $db local,s3,azure,gcs
    done
done

# As docs/operations.md has it: the last bytes for those that are behind (8 MiB instead of 1), and for each cloud its
# parts; what is left of each cloud is its connections.
parts_mib=$((3 * part_mib * (concurrency + 1)))
left=$(awk -v four="$(peak four_big)" -v one="$(peak one_big)" -v parts="$parts_mib" 'BEGIN { printf "%.1f", ((four - one) / 1024 - 7 - parts) / 3 }')
echo
echo "backup of $(q big "SELECT pg_size_pretty(pg_database_size('big'))") into a folder, and into a folder and three clouds, $concurrency parts of $part_mib MiB each"
machine
row 'a folder' "$(median one_big) s" "$(ratio "$(peak one_big)" 1024) MiB"
row 'a folder and three clouds' "$(median four_big) s" "$(ratio "$(peak four_big)" 1024) MiB"
row "the same at $(q small "SELECT pg_size_pretty(pg_database_size('small'))"): a folder" "$(median one_small) s" "$(ratio "$(peak one_small)" 1024) MiB"
row 'a folder and three clouds' "$(median four_small) s" "$(ratio "$(peak four_small)" 1024) MiB"
bound 'what a cloud takes beside its parts, MiB' "$left" '<=' 8
bound 'peak memory of one store, large against small' "$(ratio "$(peak one_big)" "$(peak one_small)")" '<=' 1.10
bound 'peak memory of four stores, large against small' "$(ratio "$(peak four_big)" "$(peak four_small)")" '<=' 1.10
bench_end

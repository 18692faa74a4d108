#!/bin/bash
# catalog.sh [--smoke | SETS [SETS-ON-S3]]: what it costs to list, to judge and to compare many backups, beside the
# stores' own tools in the same run: by default 100000 sets (an hour apart, three objects each) in a folder, beside
# find, and 2000 on a private Swift, beside `aws s3 ls --recursive`. "own listing" is one bare listing of the store by
# its plugin, without a catalogue. Ratios of medians of three, taken in turn. Needs 2 GB in /tmp.
. "$(dirname "$0")/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"

sets=100000 sets_s3=2000
case ${1:-} in
--smoke) bench_smoke=yes bench_runs=1 sets=500 sets_s3=20 ;;
'') ;;
*) sets=$1 sets_s3=${2:-$sets_s3} ;;
esac
call=$SR_BUILDDIR/tests/server/store_call
[ -x "$call" ] || make -C "$SR_BUILDDIR" tests/server/store_call >/dev/null || exit 1
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH BACKUP_RETENTION_DAYS=7 BACKUP_RETENTION_WEEKLY=13 BACKUP_RETENTION_MONTHLY=24
for folder in all some copy; do
    mkdir -m 700 "$T/$folder"
done
/usr/bin/python3 "$SR_SRCDIR/tests/lib/retention_cases.py" hours "$sets" "$T/all" &&
    /usr/bin/python3 "$SR_SRCDIR/tests/lib/retention_cases.py" hours "$sets_s3" "$T/some" || die 'no sets'

verbs() { # verbs PREFIX STORE SETS: of the program, each once
    measured "$1_list" "$SR_BUILDDIR/strongroom" list --store "$2"
    [ "$(grep -c hourly- "$T/measured.out")" = "$3" ] || die "$1: not every set was listed"
    measured "$1_json" "$SR_BUILDDIR/strongroom" list --json --store "$2"
    [ "$(jq '.backups | length' "$T/measured.out")" = "$3" ] || die "$1: not every set was listed in JSON"
    measured "$1_prune" "$SR_BUILDDIR/strongroom" prune --dry-run --store "$2"
    grep -q "of $3 would be dropped" "$T/measured.out" || die "$1: not every set was judged"
}

# A folder.
export BACKUP_DIR=$T/all BACKUP_STORAGE_ADAPTER=local
for ((i = 0; i < bench_runs; i++)); do
    measured find find "$T/all" -type f -printf '%s %T@ %p\n'
    measured own "$call" list
    verbs local local "$sets"
    # The copy holds nothing yet: all of the sets would come.
    measured sync env BACKUP_STORAGE_ADAPTER=local,copy=local BACKUP_COPY_DIR="$T/copy" BACKUP_COPY_RETENTION_DAYS=0 \
        "$SR_BUILDDIR/strongroom" sync local copy --dry-run
    # Another one holds the same: nothing would come, and each set is compared.
    [ -e "$T/same" ] || cp -al "$T/all" "$T/same" || die 'no copy'
    measured alike env BACKUP_STORAGE_ADAPTER=local,same=local BACKUP_SAME_DIR="$T/same" BACKUP_SAME_RETENTION_DAYS=0 \
        "$SR_BUILDDIR/strongroom" sync local same --dry-run
    grep -q "would bring 0 of $sets" "$T/measured.out" || die 'the copy is not the same'
done

# A server.
swift_start && swift_env && s3_bucket bench || die 'no Swift'
export BACKUP_DIR=$T/some BACKUP_STORAGE_ADAPTER=local,s3 BACKUP_S3_BUCKET=bench AWS_EC2_METADATA_DISABLED=true
"$SR_BUILDDIR/strongroom" sync local s3 --jobs 4 --set BACKUP_S3_RETENTION_DAYS=0 >"$T/filled" 2>&1 || die "$(tail -3 "$T/filled")"
for ((i = 0; i < bench_runs; i++)); do
    measured aws /usr/bin/aws --endpoint-url "$S3_ENDPOINT" s3 ls --recursive s3://bench
    measured own_s3 env BACKUP_STORAGE_ADAPTER=s3 "$call" list
    verbs s3 s3 "$sets_s3"
done

echo
echo "catalogues: $sets sets in a folder, $sets_s3 on Swift"
echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
row 'find -printf on the folder' "$(median find) s"
row 'own listing of the folder, sorted' "$(median own) s"
row 'list' "$(median local_list) s"
row 'prune --dry-run' "$(median local_prune) s"
row 'list --json' "$(median local_json) s"
row 'sync --dry-run to an empty store' "$(median sync) s"
row 'sync --dry-run to one that is alike' "$(median alike) s" 'of which two listings'
bound 'list against the own listing' "$(ratio "$(median local_list)" "$(median own)")" '<=' 2
bound 'prune --dry-run against the own listing' "$(ratio "$(median local_prune)" "$(median own)")" '<=' 2
bound 'list --json against the own listing' "$(ratio "$(median local_json)" "$(median own)")" '<=' 3
bound 'sync --dry-run against the own listing' "$(ratio "$(median sync)" "$(median own)")" '<=' 3
bound 'sync --dry-run of two alike against two listings' "$(ratio "$(median alike)" "$(ratio "$(median own)" 0.5)")" '<=' 3
for what in local_list local_json local_prune sync; do
    bound "peak memory of $what, KiB for a set" "$(ratio "$(peak $what)" "$sets")" '<=' 2
done
bound 'peak memory of alike, KiB for a set of both' "$(ratio "$(peak alike)" "$sets")" '<=' 4
row 'aws s3 ls --recursive' "$(median aws) s"
row 'own listing of the bucket' "$(median own_s3) s"
row 'list' "$(median s3_list) s"
row 'prune --dry-run' "$(median s3_prune) s"
bound 'list against aws s3 ls' "$(ratio "$(median s3_list)" "$(median aws)")" '<=' 1
bound 'prune --dry-run against aws s3 ls' "$(ratio "$(median s3_prune)" "$(median aws)")" '<=' 1
bound 'list against the own listing of the bucket' "$(ratio "$(median s3_list)" "$(median own_s3)")" '<=' 1.5
bench_end

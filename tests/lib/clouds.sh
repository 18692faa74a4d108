# A server for each cloud plugin that was built: Swift (s3), Azurite (azure), the Cloud Storage of tests/server (gcs);
# sourced after tests/lib.sh.
#
#   clouds_start [--behind]   starts them, each as a TAP point; sets the array clouds (s3 gcs azure, as built), and exports
#                             what the plugins need to reach a bucket of their own there, in parts of 5 MiB
#                             --behind: each behind a scripted server (tests/server/scripted.py) that hands on what no
#                             rule of its stops: server_rules front_s3 ...
#   clouds_join NAME...       the names with commas between them
#   said                      which stores hold the set, as the backup --json that ran last tells: "azure=true local=true"
#   all_but CLOUD             what said tells when this one alone fails, of local and the clouds
#   cloud_keys CLOUD          every key there, one a line       cloud_unfinished CLOUD: what was begun and never ended
. "$SR_SRCDIR/tests/lib/swift.sh"
. "$SR_SRCDIR/tests/lib/azurite.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"

_clouds_front() { # _clouds_front CLOUD URL: sets front to the same URL at a scripted server before that one
    local rest=${2#*://} url=front_$1_URL
    FORWARD_TO=${rest%%/*} server_start "front_$1" --handler "$SR_SRCDIR/tests/server/forward.py" || return 1
    front=${!url}${rest#"${rest%%/*}"}
}

_clouds_gcs() {
    if [ -n "$1" ]; then
        gcs_start front_gcs # it is scripted itself
    else
        gcs_start gcs
    fi
}

clouds_start() {
    local behind=${1:-} front
    clouds=()
    export AWS_EC2_METADATA_DISABLED=true
    if [ -e "$(sr_plugin_path)/s3.so" ]; then
        ok 'Swift starts' swift_start && s3_bucket main || return 1
        swift_env
        export BACKUP_S3_BUCKET=main BACKUP_S3_PART_SIZE=5MiB BACKUP_S3_CONCURRENCY=1
        if [ -n "$behind" ]; then
            ok 'a server before it' _clouds_front s3 "$S3_ENDPOINT" || return 1
            export AWS_ENDPOINT_URL_S3=$front
        fi
        clouds+=(s3)
    fi
    if [ -e "$(sr_plugin_path)/gcs.so" ]; then
        ok 'a GCS server starts' _clouds_gcs "$behind" || return 1
        clouds+=(gcs)
    fi
    if [ -e "$(sr_plugin_path)/azure.so" ]; then
        ok 'Azurite starts' azurite_start || return 1
        azurite_env
        ok 'a container' az container main || return 1
        export BACKUP_AZURE_CONTAINER=main BACKUP_AZURE_PART_SIZE=5MiB BACKUP_AZURE_CONCURRENCY=1
        if [ -n "$behind" ]; then
            ok 'a server before it' _clouds_front azure "$AZ_ENDPOINT" || return 1
            export AZURE_STORAGE_SERVICE_ENDPOINT=$front
        fi
        clouds+=(azure)
    fi
}

clouds_join() {
    local IFS=,
    echo "$*"
}

said() {
    json '.stores | sort_by(.name) | map("\(.name)=\(.ok)") | join(" ")'
}

all_but() {
    printf '%s\n' local "${clouds[@]}" | sort | sed "s/\$/=true/; s/^$1=true/$1=false/" | paste -sd' '
}

_gcs_name() {
    [ -n "${gcs_PID:-}" ] && echo gcs || echo front_gcs
}

cloud_keys() {
    case $1 in
    s3) s3_keys main ;;
    azure) az_keys main ;;
    gcs) gcs_state "$(_gcs_name)" '.objects | keys[]' ;;
    esac
}

cloud_unfinished() {
    case $1 in
    s3) s3_uploads main ;;
    azure) az_uncommitted main ;;
    gcs) gcs_state "$(_gcs_name)" '(.sessions[], .uploads[]) | select((.made or .gone > 0) | not) | .key' ;;
    esac
}

# BACKUP_<STORE>_LOCK_DAYS with each cloud plugin, against servers that keep to their locks: S3 object lock, Azure's
# version-level immutability, retention of objects at Google. What is locked is the backup and nothing else; nothing that
# is done later changes a locked object; prune says until when; a store that cannot lock is refused before the start.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/azure.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env
clouds=()
for cloud in s3 azure gcs; do
    if [ -e "$(sr_plugin_path)/$cloud.so" ]; then
        ok "a server for $cloud" "${cloud}_start" "at_$cloud" || finish
        clouds+=("$cloud")
    fi
done
unset BACKUP_STORAGE_ADAPTER
export PGDATABASE=shop BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR BACKUP_RETENTION_DAYS=0 BACKUP_GLOBALS=off

can_lock() { # can_lock CLOUD yes|no: its place begins anew
    case $1.$2 in
    s3.yes) s3_set at_s3 '{"versions": true, "locks": true}' ;;
    azure.yes) azure_set at_azure '{"versions": true, "locks": true}' ;;
    gcs.yes) gcs_set at_gcs '{"object_retention": true}' ;;
    s3.no) s3_set at_s3 '{"versions": true}' ;;
    azure.no) azure_set at_azure '{"versions": true}' ;;
    gcs.no) gcs_set at_gcs '{}' ;;
    esac
}
# shellcheck disable=SC2016 # these are variables of jq
locks() { # locks CLOUD: KEY, digest, version and UNTIL of every object that is locked, versions that are hidden too
    case $1 in
    s3) s3_state at_s3 '.objects | to_entries[] | .key as $k | .value[] | select(.headers["x-amz-object-lock-retain-until-date"]) | [$k, .sha256, .version, .headers["x-amz-object-lock-retain-until-date"]] | join(" ")' ;;
    azure) azure_state at_azure '.objects | to_entries[] | .key as $k | .value[] | select(.headers["x-ms-immutability-policy-until-date"]) | [$k, .sha256, .version, (.headers["x-ms-immutability-policy-until-date"] | strptime("%a, %d %b %Y %H:%M:%S GMT") | mktime | todate)] | join(" ")' ;;
    gcs) gcs_state at_gcs '.objects | to_entries[] | .key as $k | .value[] | select(.retention) | [$k, .sha256, (.generation | tostring), .retention.retainUntilTime[0:19] + "Z"] | join(" ")' ;;
    esac | sort
}
keys() { # keys CLOUD: of what is to be seen
    with BACKUP_STORAGE_ADAPTER="$1" "$SR_BUILDDIR/tests/server/store_call" list "" 2>>"$T/list.err" | cut -d' ' -f1
}
suffixes() { # suffixes SET: of the keys that come in
    grep "^$1" | cut -d' ' -f1 | sed "s/^$1//; s/^-[0-9a-f]\{64\}//" | sort | tr '\n' ' '
}
moved() ( # moved CLOUD SECONDS ARGUMENT...: the program, when the store's clock and ours have gone on so far
    "$1_change" "at_$1" "{\"clock\": $2}"
    export LD_PRELOAD=$preload SR_CLOCK_OFFSET=$2 BACKUP_PLUGIN_PATH
    BACKUP_PLUGIN_PATH=$(sr_plugin_path)
    shift 2
    exec "$SR_BUILDDIR/strongroom" "$@"
)
ok 'the clock can be moved' "${SR_CC:-cc}" -std=gnu11 -shared -fPIC -o "$T/clock.so" "$SR_SRCDIR/tests/lib/clock_offset.c"
preload=$T/clock.so
if ldd "$SR_BUILDDIR/strongroom" | grep -q libasan; then
    preload="$(gcc -print-file-name=libasan.so) $preload"
fi
locked='.shop.detail.json.gz.gpg .shop.manifest.json .shop.sha256 .sql.gz.gpg '

for cloud in "${clouds[@]}"; do
    name=${cloud^^}
    export BACKUP_STORAGE_ADAPTER=local,$cloud "BACKUP_${name}_LOCK_DAYS=30"

    # Who cannot lock is refused before anything is written.
    can_lock "$cloud" no
    exit_is 2 "$cloud: a place that cannot lock" sr backup --label never
    contains "$cloud: is told by the setting" "$ERR" "BACKUP_${name}_LOCK_DAYS"
    is "$cloud: nothing was written there" "$(keys "$cloud")" ''
    is "$cloud: nor in the other store" "$(_keys | grep -c '^never')" 0
    exit_is 1 "$cloud: doctor, before the night" sr doctor --json
    is "$cloud: tells it as a blocker" "$(json "[.checks[] | select(.level == \"blocker\" and .what == \"store $cloud\" and (.finding | contains(\"cannot keep a backup from being deleted\")))] | length")" 1
    exit_is 2 "$cloud: sync" sr sync local "$cloud"

    can_lock "$cloud" yes
    exit_is 0 "$cloud: doctor is content with one that can" with BACKUP_RETENTION_DAYS=7 sr doctor --json
    is "$cloud: and says until when" "$(json "[.checks[] | select(.what == \"store $cloud\" and (.finding | contains(\"tonight's until 20\")))] | length")" 1
    is "$cloud: and what retention drops in vain" "$(json "[.checks[] | select(.level == \"note\" and .what == \"retention of store $cloud\" and (.finding | startswith(\"LOCK_DAYS=30 keeps for longer than DAYS=7\")))] | length")" 1
    exit_is 0 "$cloud: a locked backup" sr backup --label first --json
    set=$(json .set) until=$(json ".stores[] | select(.name == \"$cloud\") | .locked_until")
    is "$cloud: the backup is locked, and nothing else" "$(locks "$cloud" | suffixes "$set")" "$locked"
    is "$cloud: until one moment" "$(locks "$cloud" | cut -d' ' -f4 | sort -u)" "$until"
    seconds=$(($(date -d "$until" +%s) - $(date +%s)))
    ok "$cloud: in thirty days" test "$seconds" -gt 2591000 -a "$seconds" -le 2592000

    # What is done later.
    old=old-$(date -u -d '-9 days' +%Y%m%d%H%M%S)
    exit_is 0 "$cloud: another, of an old name" sr backup --label "$old" --json
    until=$(json ".stores[] | select(.name == \"$cloud\") | .locked_until")
    locks "$cloud" >"$T/before"
    exit_is 0 "$cloud: a hold beside it" sr hold "$set"
    exit_is 0 "$cloud: proofs beside it" sr verify "$set" --store "$cloud"
    matches "$cloud: are there" "$(keys "$cloud")" "$set\.shop\.proof-"
    exit_is 0 "$cloud: the hold is released" sr release "$set"
    exit_is 0 "$cloud: prune, tried out" with BACKUP_RETENTION_DAYS=7 sr prune --store "$cloud" --dry-run --json
    is "$cloud: says locked" "$(json ".sets[] | select(.set == \"$old\") | .outcome")" locked
    exit_is 0 "$cloud: prune" with BACKUP_RETENTION_DAYS=7 sr prune --store "$cloud"
    matches "$cloud: says until when" "$(grep "$old" "$T/out")" "locked .*locked by the store until ${until%T*}T.*dropped"
    exit_is 0 "$cloud: in JSON" with BACKUP_RETENTION_DAYS=7 sr prune --store "$cloud" --json
    is "$cloud: too" "$(json ".sets[] | select(.set == \"$old\") | .kept_until[0:10]")" "${until%T*}"
    exit_is 0 "$cloud: a backup that purges" with BACKUP_RETENTION_DAYS=7 sr backup --label purges
    exit_is 0 "$cloud: a sweep of everything that is a second old" sr sweep --older-than 1s
    is "$cloud: no mark of a prune is left" "$(keys "$cloud" | grep -c '\.pruning$')" 0
    exit_is 0 "$cloud: the old one is in sight" sr verify "$old" --store "$cloud"
    exit_is 0 "$cloud: sync brings what is held elsewhere" sr backup --label synced --to local --json
    set=$(json .set)
    exit_is 0 "$cloud: there" sr sync local "$cloud"
    is "$cloud: locked as well" "$(locks "$cloud" | suffixes "$set")" "$locked"
    locks "$cloud" >"$T/after"
    is "$cloud: nothing that was locked has changed" "$(comm -23 "$T/before" "$T/after")" ''

    # When its time is over it goes.
    exit_is 0 "$cloud: thirty-one days later" with BACKUP_RETENTION_DAYS=7 moved "$cloud" 2678400 prune --store "$cloud"
    is "$cloud: the old one goes" "$(keys "$cloud" | grep -c "^$old.*manifest")" 0
    "${cloud}_change" "at_$cloud" '{"clock": 0}'
    unset "BACKUP_${name}_LOCK_DAYS"
    rm -rf "$BACKUP_DIR"
done

# A bucket that locks all it gets by a policy of its own, marks and holds too.
if [[ " ${clouds[*]} " = *' gcs '* ]]; then
    gcs_set at_gcs '{"retention": 864000}'
    export BACKUP_STORAGE_ADAPTER=gcs
    old=old-$(date -u -d '-9 days' +%Y%m%d%H%M%S)
    exit_is 0 'a bucket with a policy' sr backup --label "$old"
    exit_is 0 'a newer one there' sr backup --label newer
    exit_is 0 'prune' with BACKUP_RETENTION_DAYS=7 sr prune
    contains 'tells the lock' "$(grep "$old" "$T/out")" 'locked by the store until'
    is 'and leaves no mark that could not go again' "$(keys gcs | grep -c '\.pruning$')" 0
    exit_is 0 'a hold' sr hold newer
    exit_is 1 'cannot be released there' sr release newer
    contains 'which is told' "$ERR" 'locked'
fi

# The local store cannot lock.
exit_is 2 'a folder cannot lock' with BACKUP_STORAGE_ADAPTER=local BACKUP_LOCAL_LOCK_DAYS=1 sr backup --label never
is 'nothing is written' "$(_keys | grep -c '^never')" 0
exit_is 1 'doctor tells it' with BACKUP_STORAGE_ADAPTER=local BACKUP_LOCAL_LOCK_DAYS=1 sr doctor
contains 'by its setting' "$OUT" BACKUP_LOCAL_LOCK_DAYS
finish

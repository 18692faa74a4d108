# A local store and the clouds at once, one of which fails at each stage in turn: the others hold the whole backup, the
# run says so by exit 3 and by an event of its own, what can be is tried once more from one that has it, and nothing
# half is left. Then each store alone is enough on a fresh host. The tables below name each stage and what must come.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/clouds.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
# Three parts of 5 MiB, that no compression makes less.
q shop "CREATE TABLE noise AS SELECT md5(g::text || 'a') || md5(g::text || 'b') || md5(g::text || 'c') AS t FROM generate_series(1, 120000) g"
sr_env
clouds_start --behind || finish
BACKUP_STORAGE_ADAPTER=local,$(clouds_join "${clouds[@]}")
export BACKUP_STORAGE_ADAPTER PGDATABASE=shop BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
export BACKUP_COMPRESSION=none BACKUP_GLOBALS=off BACKUP_AUDIT_LOG=$T/audit BACKUP_RETENTION_DAYS=0

# Where in a run: NAME, and for each cloud METHOD and what the target has. The first small object, the second of three
# parts of the dump, what makes an object of them, and the last small object.
stages() {
    cat <<'TABLE'
claim     s3     PUT     [.]claim
claim     azure  PUT     [.]claim
claim     gcs    POST    name=[^&]*[.]claim(&|$)
upload    s3     PUT     [.]sql[.]gpg[?]partNumber=2&
upload    azure  PUT     [.]sql[.]gpg[?]comp=block&blockid=.*AAAC$
upload    gcs    PUT     upload_id=
commit    s3     POST    [.]sql[.]gpg[?]uploadId=
commit    azure  PUT     [.]sql[.]gpg[?]comp=blocklist
commit    gcs    PUT     upload_id=
manifest  s3     PUT     [.]manifest[.]json
manifest  azure  PUT     [.]manifest[.]json
manifest  gcs    POST    name=[^&]*[.]manifest[.]json
TABLE
}
# How, and what must come of it: NAME, whether it is tried once more, and the rest of a rule. What is refused for good
# is not tried again; what is wrong with this one request, or with the bytes on their way, is.
hows() {
    cat <<'TABLE'
denied   no   "reply": {"status": 403, @DENIED@}
damaged  yes  "reply": {"status": 400, @DAMAGED@}
TABLE
}
refusal() { # refusal CLOUD CODE-OF-S3 CODE-OF-AZURE REASON-OF-GCS: the part of a reply that says why
    case $1 in
    s3) echo "\"body\": \"<Error><Code>$2</Code></Error>\"" ;;
    azure) echo "\"headers\": {\"x-ms-error-code\": \"$3\"}, \"body\": \"<Error><Code>$3</Code></Error>\"" ;;
    gcs) echo "\"body\": \"{\\\"error\\\": {\\\"message\\\": \\\"no\\\", \\\"errors\\\": [{\\\"reason\\\": \\\"$4\\\"}]}}\"" ;;
    esac
}
range_of() { # range_of STAGE CLOUD: a session at Google is told apart by what a request of it carries
    case $1.$2 in
    upload.gcs) echo '"header": {"content-range": "^bytes 5242880-"},' ;;
    commit.gcs) echo '"header": {"content-range": "/[0-9]+$"},' ;;
    esac
}
rule_at() { # rule_at STAGE CLOUD TIMES THE-REST: TIMES "": always
    local method pattern
    read -r _ _ method pattern < <(stages | grep -E "^$1 +$2 ")
    echo "{\"match\": \"$method $pattern\", $(range_of "$1" "$2") ${3:+\"times\": $3,} $4}"
}
holders() { # the stores that hold a set of that label, as list tells
    sr list --json | jq -r "[.backups[] | select(.set | startswith(\"$1-\")) | .stores[]?] | map(if type == \"object\" then .name else . end) | unique | join(\" \")"
}
names_but() { # names_but CLOUD
    printf '%s\n' local "${clouds[@]}" | sort | grep -vx "$1" | paste -sd' '
}
events() { # events ACTION STORE LABEL
    grep "\"action\":\"$1\"" "$T/audit" | grep "\"store\":\"$2\"" | grep -c "\"set\":\"$3-"
}
alone_failed() { # alone_failed CLOUD NAME LABEL RETRIED: what is to be seen of a run in which one store failed for good
    is "$2: the others hold it" "$(said)" "$(all_but "$1")"
    isnt "$2: why is told" "$(json ".stores[] | select(.name == \"$1\") | .error")" null
    is "$2: list says the same" "$(holders "$3")" "$(names_but "$1")"
    is "$2: an event of its own" "$(events db_backup_store_failed "$1" "$3")" 1
    is "$2: tried again: $4" "$(json ".stores[] | select(.name == \"$1\") | .retried == true")" "$4"
    is "$2: nothing of it is left" "$(with BACKUP_STORAGE_ADAPTER="$1" "$SR_BUILDDIR/tests/server/store_call" list "$3-" 2>"$T/list.err" || cat "$T/list.err")" ''
}

exit_is 0 'all is well' sr backup --label well --json
is 'all hold it' "$(said)" "$(all_but nobody)"
is 'none was tried twice' "$(json '[.stores[] | select(.retried)] | length')" 0

# Before anything was written: a server that is not there, credentials that are none, a place that is none. The first is
# waited for, so the clouds take it side by side, each with a database and a folder of its own.
not_there() {
    case $1 in
    s3) echo "AWS_ENDPOINT_URL_S3=http://127.0.0.1:$nobody_PORT" ;;
    azure) echo "AZURE_STORAGE_SERVICE_ENDPOINT=http://127.0.0.1:$nobody_PORT/$AZ_ACCOUNT" ;;
    gcs) echo "BACKUP_GCS_ENDPOINT_URL=http://127.0.0.1:$nobody_PORT" ;;
    esac
}
stranger() {
    case $1 in
    s3) echo AWS_SECRET_ACCESS_KEY=wrong ;;
    azure) echo "AZURE_STORAGE_KEY=$(printf 'not the key' | base64)" ;;
    gcs) echo "GOOGLE_APPLICATION_CREDENTIALS=$T/stranger.json" ;;
    esac
}
elsewhere() {
    case $1 in
    s3) echo BACKUP_S3_BUCKET=another ;;
    azure) echo BACKUP_AZURE_CONTAINER=another ;;
    gcs) echo BACKUP_GCS_BUCKET=another ;;
    esac
}
ok 'a port where nobody listens' nobody_listens
gcs_key "$T/stranger.json" "$gcs_EMAIL" key-2 "${front_gcs_URL:-}/token" >/dev/null
alone() { # alone CLOUD COMMAND...: beside the others
    with PGDATABASE="alone_$1" BACKUP_DIR="$T/alone-$1" "${@:2}"
}
pids=()
for cloud in "${clouds[@]}"; do
    create_db "alone_$cloud"
    alone "$cloud" "$(not_there "$cloud")" sr backup --stream --label "gone-$cloud" --json >"$T/$cloud.out" 2>"$T/$cloud.err" &
    pids+=($!)
done
for i in "${!clouds[@]}"; do
    cloud=${clouds[i]}
    wait "${pids[i]}"
    is "$cloud is not there: partly done" "$?" 3
    cp "$T/$cloud.out" "$T/out"
    BACKUP_DIR=$T/alone-$cloud alone_failed "$cloud" "$cloud is not there" "gone-$cloud" true
    exit_is 0 "$cloud is not there: whole elsewhere" alone "$cloud" sr verify "gone-$cloud" --store local
done
for cloud in "${clouds[@]}"; do
    for what in stranger elsewhere; do
        name="$cloud, $what" label=$what-$cloud
        exit_is 3 "$name" with "$($what "$cloud")" sr backup --stream --label "$label" --json
        alone_failed "$cloud" "$name" "$label" false
        exit_is 0 "$name: whole elsewhere" sr verify "$label" --store local
    done
    exit_is 1 "$cloud: too few" with "$(stranger "$cloud")" BACKUP_MIN_STORES=$((${#clouds[@]} + 1)) sr backup --stream --label "few-$cloud"
done

# On the way.
declare -A tries # how often a plugin sends what was damaged, in the last way of the table: two attempts of the run
for cloud in "${clouds[@]}"; do
    while read -r stage; do
        while read -r how retried rest; do
            name="$cloud, $stage $how" label=$stage-$how-$cloud
            rest=${rest/@DENIED@/$(refusal "$cloud" AccessDenied AuthorizationPermissionMismatch forbidden)}
            rest=${rest/@DAMAGED@/$(refusal "$cloud" BadDigest Md5Mismatch BadDigest)}
            ok "$name: the rule is taken" server_rules "front_$cloud" "$(rule_at "$stage" "$cloud" '' "$rest")"
            exit_is 3 "$name: partly done" sr backup --stream --label "$label" --json
            struck=$(server_requests "front_$cloud" 'select(.rule == 0).target' | wc -l)
            isnt "$name: it struck" "$struck" 0
            tries[$stage.$cloud]=$((struck / 2))
            retried=$([ "$retried" = yes ] && echo true || echo false)
            server_rules "front_$cloud"
            alone_failed "$cloud" "$name" "$label" "$retried"
            [ "$how.$stage" = denied.upload ] || [ "$how.$stage" = denied.manifest ] || continue
            for other in local "${clouds[@]}"; do
                [ "$other" = "$cloud" ] || exit_is 0 "$name: whole in $other" sr verify "$label" --store "$other"
            done
        done < <(hows)
    done < <(stages | cut -d' ' -f1 | uniq)
done

# Azure drops blocks by itself and has no request for it.
for cloud in "${clouds[@]}"; do
    [ "$cloud" = azure ] || is "$cloud: nothing unfinished is left by any of them" "$(cloud_unfinished "$cloud")" ''
done

# As often as the plugin itself sends the same again, and then no more: the second attempt brings it, from a store that
# has it.
for cloud in "${clouds[@]}"; do
    for stage in claim upload commit manifest; do
        name="$cloud, $stage fails at first" label=once-$stage-$cloud
        ok "$name: the rule is taken" server_rules "front_$cloud" "$(rule_at "$stage" "$cloud" "${tries[$stage.$cloud]}" "\"reply\": {\"status\": 400, $(refusal "$cloud" BadDigest Md5Mismatch BadDigest)}")"
        exit_is 0 "$name: done" sr backup --stream --label "$label" --json
        set=$(json .set)
        is "$name: at the second attempt" "$(json ".stores[] | select(.name == \"$cloud\") | .retried")" true
        is "$name: an event of its own" "$(events db_backup_store_retried "$cloud" "$label")" 1
        is "$name: all hold it" "$(said)" "$(all_but nobody)"
        server_rules "front_$cloud"
        exit_is 0 "$name: every byte" sr verify "$set" --store "$cloud"
    done
done

# Retention fails in one store: the backup is there, and the others are pruned.
for cloud in "${clouds[@]}"; do
    old=night-$cloud-$(date -u -d '-30 days' +%Y%m%d%H%M%S)
    exit_is 0 "$cloud: an old one in all" sr backup --stream --label "$old"
    server_rules "front_$cloud" "{\"match\": \"DELETE manifest[.]json\", \"reply\": {\"status\": 403, $(refusal "$cloud" AccessDenied AuthorizationPermissionMismatch forbidden)}}"
    exit_is 0 "$cloud: retention fails there" with BACKUP_RETENTION_DAYS=7 sr backup --stream --label "keeps-$cloud" --json
    is "$cloud: all hold the new one" "$(said)" "$(all_but nobody)"
    contains "$cloud: that is told" "$ERR" "store $cloud"
    server_rules "front_$cloud"
    is "$cloud: the old one is left there alone" "$(holders "night-$cloud")" "$cloud"
    exit_is 0 "$cloud: and is whole" sr verify "$old" --store "$cloud"
    is "$cloud: its failure is in the audit log" "$(grep -c "\"action\":\"DB_BACKUP_PURGE_FAILED\".*\"store\":\"$cloud\"" "$T/audit")" 1
    exit_is 0 "$cloud: once it may" with BACKUP_RETENTION_DAYS=7 sr prune --store "$cloud"
    is "$cloud: it goes" "$(holders "night-$cloud")" ''
done

# A fresh host with the key and one store.
exit_is 0 'a last one' sr backup --label last --json
set=$(json .set)
for store in local "${clouds[@]}"; do
    fresh=(BACKUP_DIR="$T/fresh-$store" BACKUP_STORAGE_ADAPTER="$store" -u BACKUP_ENCRYPTION_ENABLED -u GPG_RECIPIENT_KEY_ID)
    [ "$store" != local ] || cp -a "$BACKUP_DIR" "$T/fresh-local" && rm -rf "$T/fresh-local/.strongroom"
    drop_db copy
    exit_is 0 "$store alone lists" with "${fresh[@]}" sr list --json
    is "$store alone lists the last" "$(json "[.backups[] | select(.set == \"$set\")] | length")" 1
    exit_is 0 "$store alone verifies" with "${fresh[@]}" sr verify latest
    exit_is 0 "$store alone restores" with "${fresh[@]}" sr restore latest --into copy --create --yes
    restored_equals shop copy "$store: every row"
done
finish

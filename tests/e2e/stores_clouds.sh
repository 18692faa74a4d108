# A local store and the clouds at once, each on a server: what one dump brought to all of them is the same everywhere, one
# of them fails in turn, and each is enough on a fresh host.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/clouds.sh"
pg_start && pg_env && dataset shop 20 && gpg_home || exit 1
sr_env
clouds_start || finish
BACKUP_STORAGE_ADAPTER=local,$(clouds_join "${clouds[@]}")
export BACKUP_STORAGE_ADAPTER PGDATABASE=shop BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR

denied() { # denied CLOUD: what makes its server refuse us
    case $1 in
    s3) echo AWS_SECRET_ACCESS_KEY=wrong ;;
    azure) echo "AZURE_STORAGE_KEY=$(printf 'not the key' | base64)" ;;
    gcs) echo BACKUP_GCS_BUCKET=another ;;
    esac
}

for mode in --spool --stream; do
    exit_is 0 "one dump, every store, $mode" sr backup --label "all$mode" $mode --json
    set=$(json .set)
    is "all hold it, $mode" "$(said)" "$(all_but nobody)"
    for store in local "${clouds[@]}"; do
        exit_is 0 "fetch from $store, $mode" sr fetch "$set" --store "$store" --output "$T/got$mode/$store"
        ok "$store has the same bytes, $mode" diff -r "$T/got$mode/local" "$T/got$mode/$store"
    done
done

for cloud in "${clouds[@]}"; do
    exit_is 3 "$cloud refuses us" with "$(denied "$cloud")" sr backup --label "no-$cloud" --json
    is "$cloud alone fails" "$(said)" "$(all_but "$cloud")"
    isnt "$cloud: the reason is told" "$(json ".stores[] | select(.name == \"$cloud\") | .error")" null
    exit_is 0 "without $cloud it is whole elsewhere" sr verify "no-$cloud"
    is "$cloud holds nothing of it" "$(sr list --json --store "$cloud" | jq "[.backups[] | select(.set | startswith(\"no-$cloud\"))] | length")" 0
done

# A fresh host with the key and one store.
for cloud in "${clouds[@]}"; do
    fresh=(BACKUP_DIR="$T/fresh-$cloud" BACKUP_STORAGE_ADAPTER="$cloud" -u BACKUP_ENCRYPTION_ENABLED -u GPG_RECIPIENT_KEY_ID)
    drop_db copy
    exit_is 0 "$cloud alone lists" with "${fresh[@]}" sr list
    exit_is 0 "$cloud alone verifies" with "${fresh[@]}" sr verify "$set"
    exit_is 0 "$cloud alone restores" with "${fresh[@]}" sr restore "$set" --into copy --create --yes
    restored_equals shop copy "$cloud: every row"
done

# A server that dies in the middle of a run.
[ -e "$(sr_plugin_path)/s3.so" ] || finish
ok 'a run is held in its dump' table_lock shop users
sr backup --label dies --stream --json >"$T/run.out" 2>"$T/run.err" &
run=$!
ok 'it waits' poll 20 dump_waits
swift_stop
table_unlock
wait "$run"
is 'a server dies: partly done' "$?" 3
is 's3 alone fails' "$(jq -r '.stores | sort_by(.name) | map("\(.name)=\(.ok)") | join(" ")' "$T/run.out")" "$(all_but s3)"
is 'at a second attempt too' "$(jq -r '.stores[] | select(.name == "s3") | .retried' "$T/run.out")" true
exit_is 0 'the others hold all of it' with BACKUP_STORAGE_ADAPTER="$(echo "$BACKUP_STORAGE_ADAPTER" | sed 's/,s3//')" sr verify dies
finish

# Retention's suite against every plugin: worlds of simulated sets are copied into a store, every question is put
# to `prune --dry-run --at`, with the rules as settings of that store alone, and the answers, text for text, are
# those of tests/lib/retention_cases.py, which works them out by itself (tests/unit/test_retention_suite asks the
# same without a store). In the end a prune really deletes. A plugin is added by a line at the end of this file; those
# of clouds are tried where they were built: S3 on Swift, Azure on Azurite, GCS on the server of tests/server.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/swift.sh"
. "$SR_SRCDIR/tests/lib/azurite.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
sr_env
export BACKUP_RETENTION_TRUST_CLOCK=on # worlds end long before today
cases=$SR_SRCDIR/tests/lib/retention_cases.py
is 'the suite on file is the one that is worked out' "$(/usr/bin/python3 "$cases" cases | cmp - "$SR_SRCDIR/tests/data/retention.cases" 2>&1)" ''
for world in $(/usr/bin/python3 "$cases" worlds); do
    mkdir -m 700 "$T/$world" && /usr/bin/python3 "$cases" fill "$world" "$T/$world"
    /usr/bin/python3 "$cases" questions "$world" >"$T/$world.questions"
    no "$world: there are questions" test ! -s "$T/$world.questions"
done

asked() { # asked SETTINGS: as settings of the store that is tried
    local word
    for word in $1; do
        echo "BACKUP_TRIED_RETENTION_$word"
    done
}
answers() { # what prune said, as retention_cases.py says it
    jq -cS '{keep: ([.sets[] | select(.outcome == "kept") | {(.set): .reason}] | add // {}),
        until: ([.sets[] | select(.outcome == "kept" and .kept_until) | {(.set): .kept_until}] | add // {})}' "$T/out"
}
question() { # question NAME JSON
    local title at
    title=$(jq -r .title <<<"$2") at=$(jq -r .at <<<"$2")
    mapfile -t settings < <(asked "$(jq -r .settings <<<"$2")")
    exit_is 0 "$1: $title" with "${settings[@]}" sr prune --store tried --dry-run --at "$at" --json
    answers >"$T/got"
    jq -cS '{keep, until}' <<<"$2" >"$T/wanted"
    ok "$1: $title: every set, its rule and its time" cmp "$T/got" "$T/wanted"
}
keys() { # keys PLUGIN
    with BACKUP_STORAGE_ADAPTER=tried="$1" "$SR_BUILDDIR/tests/server/store_call" list | cut -d' ' -f1 | LC_ALL=C sort
}
run_world() { # run_world PLUGIN WORLD: in the store as it is configured now
    local question all key
    export BACKUP_DIR=$T/$2 BACKUP_STORAGE_ADAPTER=local,tried=$1
    exit_is 0 "$1: $2 is filled" with BACKUP_TRIED_RETENTION_DAYS=0 sr sync local tried --jobs 4 --json
    # A failed check is told of one copy, so a sync leaves it where it is.
    for key in $(cd "$T/$2" && ls | grep '\.proof-failed-reread-'); do
        ok "$1: $2: a failed check is put there" with BACKUP_STORAGE_ADAPTER=tried="$1" "$SR_BUILDDIR/tests/server/store_call" save "$key" "$T/$2/$key"
    done
    exit_is 0 "$1: $2 is listed" sr list --store tried --json
    all=$(json '.backups | length')
    is "$1: $2 has every set" "$all" "$(find "$T/$2" -maxdepth 1 -name '*.manifest.json' | wc -l)"
    while read -r question; do
        question "$1: $2" "$question"
    done <"$T/$2.questions"
    is "$1: $2: nobody has deleted anything" "$(sr list --store tried --json | jq '.backups | length')" "$all"
}
prune_world() { # prune_world PLUGIN: what was said is what is done (the sets of this world are of the past)
    local want
    export BACKUP_DIR=$T/mixed BACKUP_STORAGE_ADAPTER=local,tried=$1
    want=$(jq -r 'select(.title == "what stays whatever its age") | .keep | keys[]' "$T/mixed.questions" | sort)
    exit_is 0 "$1: a prune" with BACKUP_TRIED_RETENTION_DAYS=7 sr prune --store tried --json
    exit_is 0 "$1: what is left" sr list --store tried --json
    is "$1: is what was told" "$(json '.backups[].set' | sort)" "$want"
    is "$1: with every object of theirs and no other" "$(keys "$1" | grep -vx RECOVER.txt)" \
        "$(cd "$T/mixed" && for set in $want; do ls | grep "^$set\."; done | LC_ALL=C sort)"
}
suite() { # suite PLUGIN WORLD...: a function place_PLUGIN makes an empty store and sets what reaches it
    local world
    for world in "${@:2}"; do
        "place_$1" "$world" || { is "$1: a place for $world" none ''; continue; }
        run_world "$1" "$world"
        [ "$world" != mixed ] || prune_world "$1"
    done
}

mkdir "$T/stores" "$T/plugins" && cp -L "$(sr_plugin_path)"/*.so "$SR_BUILDDIR/plugins/example/.libs/example.so" "$T/plugins" || exit 1
export BACKUP_PLUGIN_PATH=$T/plugins
place_local() { export BACKUP_TRIED_DIR=$T/stores/$1; }
place_example() { export BACKUP_TRIED_FILE=$T/stores/$1.archive; }
place_s3() {
    s3_bucket "$1" && export BACKUP_TRIED_BUCKET=$1
}
suite local years turns clocks mixed
unset BACKUP_TRIED_DIR
suite example turns clocks mixed
unset BACKUP_TRIED_FILE
place_azure() {
    az container "$1" && export BACKUP_TRIED_CONTAINER=$1
}
place_gcs() {
    gcs_set store '{}' && export BACKUP_TRIED_BUCKET=bucket
}
if [ -e "$T/plugins/s3.so" ]; then
    ok 'Swift starts' swift_start || finish
    swift_env
    suite s3 turns clocks mixed
    swift_stop
    unset BACKUP_TRIED_BUCKET
fi
if [ -e "$T/plugins/azure.so" ]; then
    ok 'Azurite starts' azurite_start || finish
    azurite_env
    suite azure turns clocks mixed
    azurite_stop
    unset BACKUP_TRIED_CONTAINER
fi
if [ -e "$T/plugins/gcs.so" ]; then
    ok 'a server for GCS starts' gcs_start store || finish
    export BACKUP_PLUGIN_PATH=$T/plugins BACKUP_TRIED_ENDPOINT_URL=$store_URL
    suite gcs turns clocks mixed
fi
finish

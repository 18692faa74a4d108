# kill -9 at sixty moments of a run: never a half backup, never a lost one, nothing goes on, the next run sweeps.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 12 && gpg_home || exit 1
sr_env
export PGDATABASE=shop BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR BACKUP_RETENTION_DAYS=0 LOG_LEVEL=error
BACKUP_PLUGIN_PATH=$(sr_plugin_path)
export BACKUP_PLUGIN_PATH

began=${EPOCHREALTIME/./}
exit_is 0 'a run that is left alone' sr backup --label left-alone
took=$((${EPOCHREALTIME/./} - began))

whole() { # every manifest's objects are there with their size: no half backup is visible
    local m key size
    for m in $(manifests); do
        while IFS=$'\t' read -r key size; do
            [ "$(stat -c %s "$BACKUP_DIR/$key" 2>/dev/null)" = "$size" ] || {
                echo "$m names $key of $size bytes"
                return 1
            }
        done < <(jq -r '.objects[] | [.key, (.size | tostring)] | @tsv' "$BACKUP_DIR/$m")
    done
}

# The moments are spread over the whole run and a little more, each at a random place of its share.
kills=60 early=0 late=0 broken= lost= alive= before=$(manifests)
for ((i = 0; i < kills; i++)); do
    delay=$((took * (i * 100 + RANDOM % 100) / (kills * 85)))
    "$SR_BUILDDIR/strongroom" backup --label "killed-$i" >"$T/killed.out" 2>&1 &
    pid=$!
    sleep "$((delay / 1000000)).$(printf %06d $((delay % 1000000)))"
    if kill -KILL "$pid" 2>/dev/null; then early=$((early + 1)); fi
    wait "$pid" 2>/dev/null && late=$((late + 1))
    whole >"$T/whole" || broken+="after kill $i at $delay us: $(cat "$T/whole"); "
    for m in $before; do
        [ -e "$BACKUP_DIR/$m" ] || lost+="$m after kill $i; "
    done
    poll 15 no_children || alive+="kill $i; "
    before=$(manifests)
done
is "no half backup was ever visible ($kills moments, $late runs had ended)" "$broken" ''
is 'no good backup was ever lost' "$lost" ''
is 'no child outlived strongroom' "$alive" ''
ok 'most runs were killed before their end' test $((early - late)) -ge 50
ok 'no backend goes on' poll 20 no_backend
exit_is 0 'the next run works' sr backup --label after
exit_is 0 'every backup that is listed is good' sr verify --all
ok 'what the killed runs left in the spool is gone' spool_empty
exit_is 0 'sweep of the rest' sr sweep --older-than 1s
named=$(cd "$BACKUP_DIR" && jq -r '.objects[].key' ./*.manifest.json | sort)
is 'every object belongs to a backup' "$(objects)" "$named"
create_db copy
exit_is 0 'the newest restores' sr restore latest --into copy --yes
restored_equals shop copy 'with every row'
finish

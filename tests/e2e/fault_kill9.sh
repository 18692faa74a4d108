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

# Each at a random moment of the time that a run takes; one that had ended before does not count.
kills=0 runs=0 broken='' lost='' alive='' before=$(manifests)
while [ $kills -lt 60 ] && [ $runs -lt 200 ]; do
    runs=$((runs + 1))
    delay=$(((RANDOM * 32768 + RANDOM) % took))
    "$SR_BUILDDIR/strongroom" backup --label "killed-$runs" >"$T/killed.out" 2>&1 &
    pid=$!
    sleep "$((delay / 1000000)).$(printf %06d $((delay % 1000000)))"
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    if [ $? = 137 ]; then kills=$((kills + 1)); else took=$((took * 9 / 10)); fi
    whole >"$T/whole" || broken+="after run $runs, killed at $delay us: $(cat "$T/whole"); "
    for m in $before; do
        [ -e "$BACKUP_DIR/$m" ] || lost+="$m after run $runs; "
    done
    poll 15 no_children || alive+="run $runs; "
    before=$(manifests)
done
ok "sixty runs were killed, of $runs" test $kills = 60
is 'no half backup was ever visible' "$broken" ''
is 'no good backup was ever lost' "$lost" ''
is 'no child outlived strongroom' "$alive" ''
ok 'no backend goes on' poll 20 no_backend
exit_is 0 'the next run works' sr backup --label after
exit_is 0 'every backup that is listed is good' sr verify --all
ok 'what the killed runs left in the spool is gone' spool_empty
exit_is 0 'sweep of the rest' sr sweep --older-than 1s
named=$(cd "$BACKUP_DIR" && jq -r '.objects[].key' ./*.manifest.json | sort)
is 'every object belongs to a backup' "$(objects)" "$named"
is 'and so does every claim' "$(_keys | sed -n 's/\.claim$//p')" "$(manifests | sed 's/\.shop\.manifest\.json$//')"
create_db copy
exit_is 0 'the newest restores' sr restore latest --into copy --yes
restored_equals shop copy 'with every row'
finish

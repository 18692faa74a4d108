# Retention: only by age, only its own, never the last good one; each decision with its reason.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && create_db shop && create_db other || exit 1
sr_env
export PGDATABASE=shop BACKUP_GLOBALS=off BACKUP_RETENTION_DAYS=0

stamp() {
    date -u -d "-$1 days" +%Y%m%d%H%M%S
}
aged() { # aged LABEL DAYS [ARGUMENT...]: a backup whose name says that it is so old
    local label
    label=$1-$(stamp "$2")
    sr backup --label "$label" "${@:3}" >/dev/null 2>"$T/err" || cat "$T/err"
    echo "$label"
}
sets() {
    (cd "$BACKUP_DIR" && ls ./*.manifest.json 2>/dev/null | sed 's/^\.\///; s/\..*//' | sort | tr '\n' ' ')
}
old=$(aged nightly 30) older=$(aged nightly 60) young=$(aged nightly 3) newest=$(aged nightly 0)
other=$(aged nightly 90 --database other)
migration=$(aged pre-migration 300)
echo dump | gzip >"$BACKUP_DIR/theirs-20200101000000.sql.gz"
all=$(sets)

export BACKUP_RETENTION_DAYS=7
exit_is 0 'a dry run' sr prune --dry-run
contains 'names what would go' "$OUT" "$old"
is 'and takes nothing' "$(sets)" "$all"
exit_is 0 'as of a date long ago nothing goes' sr prune --dry-run --at 2000-01-01 --json
exit_is 0 'prune' sr prune
is 'the old ones are gone, the others stay' "$(sets)" "$(printf '%s\n' "$young" "$newest" "$other" "$migration" | sort | tr '\n' ' ')"
ok 'what others wrote stays' test -e "$BACKUP_DIR/theirs-20200101000000.sql.gz"
is 'no object without a manifest is left' "$(objects '^nightly' | wc -l)" 3
for set in "$old" "$older"; do
    is "$set: everything of it is gone" "$(_keys | grep -c "^$set")" 0
done
run sr list --json
is 'the last of another database is kept although old' "$(json ".backups[] | select(.set == \"$other\") | .set")" "$other"
isnt 'with a reason' "$(json ".backups[] | select(.set == \"$other\") | .kept_because")" ''
is 'a snapshot before a migration is kept for ever' "$(json ".backups[] | select(.set == \"$migration\") | .kept_until")" null

export BACKUP_RETENTION_DAYS=0
old=$(aged nightly 30) held=$(aged nightly 40)
exit_is 0 'hold' sr hold "$held"
export BACKUP_RETENTION_DAYS=7
exit_is 0 'a backup prunes right after its success' sr backup --label trigger --json
contains 'which is in its result' "$(json '.pruned | join(",")')" "$old"
contains 'what is held stays' "$(sets)" "$held"
exit_is 0 'release' sr release "$held"
exit_is 0 'prune again' sr prune
lacks 'what was released goes' "$(sets)" "$held"
exit_is 10 'hold of nothing' sr hold nosuch

export BACKUP_RETENTION_DAYS=0
old=$(aged nightly 30)
export BACKUP_RETENTION_DAYS=7
exit_is 1 'a failed run' with PGPORT=1 sr backup --label fails
contains 'prunes nothing' "$(sets)" "$old"
export BACKUP_RETENTION_MIN_KEEP=50
exit_is 0 'a minimum is kept' sr prune
contains 'whatever its age' "$(sets)" "$old"
exit_is 0 'the alias' with -u BACKUP_RETENTION_DAYS -u BACKUP_RETENTION_MIN_KEEP RETENTION_DAYS=7 sr prune
lacks 'RETENTION_DAYS is understood' "$(sets)" "$old"
unset BACKUP_RETENTION_MIN_KEEP
exit_is 0 'a run whose label ends in an old time' sr backup --label release-20200101000000 --json
is 'does not take out what it has just made' "$(json '.pruned | map(select(startswith("release"))) | length')" 0
contains 'it is there' "$(sets)" release-20200101000000
contains 'and its age is told' "$ERR" 'counts as that old'
# A store that cannot be listed is not an empty one.
exit_is 1 'a store that cannot be listed' with BACKUP_DIR=/proc/1/nosuch sr prune
finish

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

# The mark of a prune: one that may still go on makes a hold wait and then fail, one of long ago does not, and
# the next prune makes it anew.
export BACKUP_RETENTION_DAYS=0
held=$(aged nightly 50)
printf 'strongroom pruning 1\nrun %032d\nsource shop\n' 1 >"$BACKUP_DIR/$held.shop.pruning"
exit_is 11 'a hold while a prune does not end' sr hold "$held"
contains 'says that it may have come too late' "$ERR" 'too late'
ok 'and stays all the same' test -e "$BACKUP_DIR/$held.shop.hold"
touch -d '2 hours ago' "$BACKUP_DIR/$held.shop.pruning"
exit_is 0 'a hold where a prune died long ago' sr hold "$held"
exit_is 0 'release' sr release "$held"
export BACKUP_RETENTION_DAYS=7
exit_is 0 'prune' sr prune
is 'takes the set and both marks' "$(_keys | grep "^$held")" ''

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
# A prune that is killed between the manifest and the rest leaves word of what was the set's, so that a sweep
# takes that, once it is old, and not the dump that another program put beside, under a name of the same shape.
ok 'a prune can be killed half-way' "${SR_CC:-cc}" -std=gnu11 -shared -fPIC -o "$T/kill.so" "$SR_SRCDIR/tests/lib/kill_at_unlink.c"
preload=$T/kill.so
if ldd "$SR_BUILDDIR/strongroom" | grep -q libasan; then
    preload="$(gcc -print-file-name=libasan.so) $preload"
fi
export BACKUP_DIR=$T/half BACKUP_RETENTION_DAYS=0
streamed=$(aged nightly 30 --stream) newest=$(aged nightly 0 --stream)
theirs=scheduled-$(stamp 30).sql.gz adopted=weekly-$(stamp 30).sql.gz
cp "$BACKUP_DIR/$streamed.sql.gz" "$BACKUP_DIR/$theirs"
(cd "$BACKUP_DIR" && sha256sum "$theirs" >"$theirs.sha256")
cp "$BACKUP_DIR/$theirs" "$BACKUP_DIR/$adopted"
exit_is 0 'one of theirs is adopted' sr adopt "$BACKUP_DIR/$adopted"
for end in "$streamed.sql.gz" "$adopted"; do
    exit_is 137 "a prune is killed at $end" with LD_PRELOAD="$preload" SR_KILL_AT_UNLINK="$end" BACKUP_PLUGIN_PATH="$(sr_plugin_path)" \
        BACKUP_RETENTION_DAYS=7 "$SR_BUILDDIR/strongroom" prune
    ok "the object is still there" test -e "$BACKUP_DIR/$end"
    no 'the manifest is not' test -e "$BACKUP_DIR/${end%.sql.gz}.shop.manifest.json"
done
exit_is 0 'a sweep leaves it alone while it is young' sr sweep
ok 'it is there' test -e "$BACKUP_DIR/$streamed.sql.gz"
touch -d '2 days ago' "$BACKUP_DIR"/*
rm -rf "$BACKUP_DIR/.strongroom" # another host, which knows nothing but the store
exit_is 0 'a sweep later' sr sweep
is 'takes the rest of both' "$(_keys | grep -E "^($streamed|weekly)")" ''
ok 'and not what others wrote' test -e "$BACKUP_DIR/$theirs" -a -e "$BACKUP_DIR/$theirs.sha256"
exit_is 0 'what is a backup is whole' sr verify "$newest"
export BACKUP_DIR=$T/store

# A store that cannot be listed is not an empty one.
exit_is 1 'a store that cannot be listed' with BACKUP_DIR=/proc/1/nosuch sr prune
finish

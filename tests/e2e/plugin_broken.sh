# Plugins that break their promises beside a store that is well: each is refused or contained, by a
# message that names its file, the promise and both numbers, and the other store goes on.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 || exit 1
sr_env
export PGDATABASE=shop BACKUP_GLOBALS=off
exit_is 0 'a backup in the store that is well' sr backup --label first

mkdir -m 755 "$T/plugins" "$T/second"
variant() { # variant NAME [FOLDER]
    ${SR_CC:-cc} -std=c11 -D_GNU_SOURCE -shared -fPIC -I"$SR_SRCDIR/tests/abi/1.0" -D"VARIANT_$1" \
        -o "$T/${2:-plugins}/variant.so" "$SR_SRCDIR/tests/abi/variant.c"
}
search=$(sr_plugin_path):$T/plugins:$SR_BUILDDIR/tests/abi/.libs
export BACKUP_PLUGIN_PATH=$search

# What is refused before it is of any use. VARIANT, and what must be said of it.
export BACKUP_STORAGE_ADAPTER=local,variant
while IFS='|' read -r name promise; do
    variant "$name"
    exit_is 3 "$name: the other store is listed" sr list --json
    is "$name: with its backup" "$(json '.backups | length')" 1
    matches "$name: and it is said why" "$ERR" "going on without store variant: .*$T/plugins/variant.so.*$promise"
done <<'END'
MISSING_SYMBOL|does not export sr_storage_plugin_entry
RETURNS_NULL|sr_storage_plugin_entry returned nothing
API_NEWER|speaks version 7 .* speaks version 1
TOO_SMALL|it is [0-9]+ bytes long; up to the last required slot it is [0-9]+
BAD_NAME|name '../variant' is not
NO_FETCH|slot fetch is empty
CONSTRUCTOR_CRASHES|did not come through its constructors: .*(signal 11|SEGV)
CONSTRUCTOR_ABORTS|did not come through its constructors: .*signal 6
CONSTRUCTOR_EXITS|ended that process in its constructors
CONSTRUCTOR_PRINTS|wrote 22 bytes to the standard output, 0 are allowed
CONSTRUCTOR_CLOSES|had closed the standard output
CONSTRUCTOR_HANGS|did not come through its constructors within 10000 ms
LOAD_CRASHES|did not come through its load: .*signal 6
LOAD_EXITS|ended that process in its load
LOAD_HANGS|did not come through its load within 10000 ms
END
variant LOAD_CRASHES
exit_is 3 'verify reads the copy that is there' sr verify latest --json
is 'and finds it sound' "$(json '.verified | length')" 1
contains 'and says that it was not all' "$ERR" 'verified in 1 of 2 stores'
exit_is 0 'asked for that copy alone it is content' sr verify local:latest
exit_is 3 'a backup is partly done' sr backup --label second --json
is 'the store that is well has it' "$(json '.stores[] | select(.name == "local").ok')" true
matches 'the other says why not' "$(json '.stores[] | select(.name == "variant").error')" "$T/plugins/variant.so.*did not come through its load"
exit_is 0 'by name the other store alone' sr list --store local
is 'without a word about the refused one' "$ERR" ''
exit_is 2 'the refused store alone is wrong configuration' sr list --store variant
exit_is 2 'a plugin that is not there at all stops everything' with BACKUP_STORAGE_ADAPTER=local,varian sr list
contains 'and the nearest name is told' "$ERR" "did you mean 'variant'?"
chmod 777 "$T/plugins/variant.so"
exit_is 3 'one that others may write is left out' sr list
contains 'by name' "$ERR" "others may write $T/plugins/variant.so"

# Two files of one name.
cp "$SR_BUILDDIR/tests/abi/.libs/memory.so" "$T/second/memory.so"
exit_is 3 'of two plugins of one name the first counts' with BACKUP_STORAGE_ADAPTER="local,memory,again=$T/second/memory.so" sr list
matches 'and the second is refused by name' "$ERR" "again: plugin $T/second/memory.so refused: the name 'memory' is taken by the plugin loaded from $SR_BUILDDIR/tests/abi/.libs/memory.so"

# Plugins from other times are as good as any: a later header's, longer in every struct, and an earlier one's.
exit_is 0 'a later and an earlier plugin hold a backup' with BACKUP_STORAGE_ADAPTER=local,larger,smaller sr backup --label third --json
is 'all of them' "$(json '[.stores[] | select(.ok)] | length')" 3

# What is only found out in use. HOW, and what must be said.
export BACKUP_STORAGE_ADAPTER=local,memory
memory=$SR_BUILDDIR/tests/abi/.libs/memory.so
count=3
while IFS='|' read -r how promise; do
    count=$((count + 1))
    exit_is 3 "$how: a backup is partly done" with BACKUP_MEMORY_HOW="$how" sr backup --label "run-$count" --json
    is "$how: the store that is well has it" "$(json '.stores[] | select(.name == "local").ok')" true
    matches "$how: the other says why not" "$(json '.stores[] | select(.name == "memory").error')" "$promise"
done <<END
success-unread|plugin $memory broke a promise: save succeeded without reading to the end: it took 0 bytes, ([0-9]+ were expected|how many)
success-half|plugin $memory broke a promise: save succeeded without reading to the end: it took [1-9][0-9]* bytes, ([0-9]+ were expected|how many)
size-wrong|[0-9]+ bytes of run-[^ ]* were handed over, the store says it holds [0-9]+ \\(plugin $memory\\)
read-zero|plugin $memory broke a promise: it asked the reader for 0 bytes
code-unknown|plugin $memory broke a promise: it returned the code 12345
open-null|plugin $memory broke a promise: open succeeded without a handle
END
while IFS='|' read -r how promise; do
    run with BACKUP_MEMORY_HOW="$how" sr list --json
    is "$how: the store that is well is listed" "$(json '.backups | length')" "$count"
    matches "$how: and it is said why the other is not" "$ERR" "$promise"
done <<END
emit-no-key|plugin $memory broke a promise: it emitted an entry without a key
END
finish

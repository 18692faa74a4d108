# The contract suite against the example, and what only its archive can show: what a dead saver left is
# swept, damage is told, the limit holds, a reader's store makes nothing.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
export BACKUP_PLUGIN_PATH=$SR_BUILDDIR/plugins/example/.libs
check() {
    "$SR_BUILDDIR/strongroom-plugin-check" "$@"
}
mkdir "$T/store" "$T/cwd" "$T/tmp" && cd "$T/cwd" || exit 1
exit_is 0 'the whole suite' with TMPDIR="$T/tmp" check example file="$T/store/a"
lacks 'no promise is broken' "$OUT" 'not ok'
is 'the archive is all that there is' "$(ls -A "$T/store" "$T/cwd" "$T/tmp" | grep -v -e : -e '^$')" a
is 'its mode' "$(stat -c %a "$T/store/a")" 600
is 'its objects gave their blocks back' "$(($(stat -c %b "$T/store/a") * 512 < 8 << 20))" 1
exit_is 0 'another run in the same archive' check --large 2MiB --keys 10 example file="$T/store/a"

# By the settings of a store.
export BACKUP_STORAGE_ADAPTER=example BACKUP_EXAMPLE_FILE=$T/store/a BACKUP_DIR=$T/state
exit_is 0 'nothing is there to sweep' sr sweep --older-than 0s
size=$(stat -c %s "$T/store/a")
head -c 100000 /dev/zero >>"$T/store/a"
exit_is 0 'a sweep tried out finds what a dead saver left' sr sweep --older-than 0s --dry-run
contains 'and names it' "$OUT$ERR" "unfinished-at-$size"
is 'and leaves it' "$(stat -c %s "$T/store/a")" $((size + 100000))
exit_is 0 'a sweep of what is older than a day' sr sweep --older-than 1d
is 'leaves it as well' "$(stat -c %s "$T/store/a")" $((size + 100000))
exit_is 0 'a sweep' sr sweep --older-than 0s
is 'takes it away' "$(stat -c %s "$T/store/a")" "$size"
head -c 100000 /dev/zero >>"$T/store/a"
exit_is 0 'and where none was made, saving goes on' check --large 2MiB --keys 10 example file="$T/store/a"

exit_is 1 'over its limit the suite cannot pass' check --large 2MiB --keys 10 example file="$T/store/small" limit=1MiB
contains 'which is said to be the limit' "$OUT" "does not fit below the limit of $T/store/small"
isnt 'nothing grows beyond it' "$(($(stat -c %b "$T/store/small") * 512 > 1 << 20))" 1

no 'a store that is only read is not made' with BACKUP_EXAMPLE_FILE="$T/store/none" sr list
no 'indeed' test -e "$T/store/none"
no 'a folder is no archive' with BACKUP_EXAMPLE_FILE="$T/store" sr list
head -c 8192 /dev/zero >"$T/store/zero"
no 'nor is any other file' with BACKUP_EXAMPLE_FILE="$T/store/zero" sr list
contains 'it says so' "$ERR" "$T/store/zero is no archive, or a damaged one"
ln -s a "$T/store/link"
no 'nor a link' with BACKUP_EXAMPLE_FILE="$T/store/link" sr list
# The first record's magic.
printf 'X' | dd of="$T/store/a" bs=1 seek=4096 conv=notrunc status=none
no 'a damaged archive is no empty list' sr list
contains 'it says where' "$ERR" "$T/store/a is damaged at byte 4096"
finish

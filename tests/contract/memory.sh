# The suite on a plugin with the required slots alone, on its larger and smaller builds, and then on
# each promise broken in turn: a suite that cannot fail shows nothing.
set -u
export BACKUP_PLUGIN_PATH="$SR_BUILDDIR/tests/abi/.libs"
failed=0
check() {
    timeout 60 "$SR_BUILDDIR/strongroom-plugin-check" --large 4MiB --keys 50 "$@"
}
for plugin in memory larger smaller; do
    if ! out=$(check $plugin 2>&1); then
        echo "$plugin is found wanting:"
        grep -v '^ok' <<<"$out"
        failed=1
    fi
done
# HOW and a promise that must be reported as broken
while IFS='|' read -r how promise; do
    out=$(check memory how="$how" 2>&1)
    status=$?
    if [ $status -ne 1 ] || ! grep -qE "^not ok .*$promise" <<<"$out"; then
        echo "not noticed: $how (status $status, wanted: not ok ... $promise)"
        grep -v '^ok' <<<"$out"
        failed=1
    fi
done <<'END'
success-unread|an object of 1 bytes is saved
success-half|an object of 8388609 bytes is saved
success-failed|a reader that fails at the middle byte
keeps-half|a reader that fails at the middle byte
loses-last|an object of 1 bytes is saved
size-wrong|an object of 0 bytes is saved
replaces|a key that is taken is refused
replaces|of two savers of one key exactly one succeeds
code-unknown|an object of 0 bytes is saved
empty-list|and listed, each of them once
empty-list|a listing that is cancelled is no empty list
emit-after-stop|a listing stopped after 1 entries
emit-twice|and listed, each of them once
emit-after-error|after set_error nothing is called back
emit-no-key|every entry has its size and a key
emit-short|every entry has its size and a key
code-unknown|every code is one of the interface
list-breaks|and listed, each of them once
write-more|an object of 0 bytes is saved
outcome-none|an object is deleted
locked|an object is deleted
END
exit $failed

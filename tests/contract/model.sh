# The contract suite on a plugin with every slot and every capability, also with the settings that
# bring about trouble outside; and then on each promise broken in turn: a suite that cannot fail shows
# nothing. What the suite skips must be what cannot be tried.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
export BACKUP_PLUGIN_PATH=$SR_BUILDDIR/tests/abi/.libs TMPDIR=$T
mkdir "$T/store"
check() {
    timeout 100 "$SR_BUILDDIR/strongroom-plugin-check" --large 4MiB --keys 60 "$@" "dir=$T/store/own"
}
trouble=(--wrong token=wrong-token --unreachable server=gone --silent server=silent --forgetful server=forgetful)
exit_is 0 'the whole suite' check "${trouble[@]}" model
lacks 'no promise is broken' "$OUT" 'not ok'
is 'what is skipped' "$(grep -c '# SKIP' "$T/out")" 3
matches 'the plan is that of the lines' "$OUT" "1\.\.$(grep -cE '^(not )?ok' "$T/out")"
is 'the numbers are in order' "$(sed -nE 's/^(not )?ok ([0-9]+) .*/\2/p' "$T/out" | sort -n -c 2>&1)" ''
is 'each skipped point has its reason' "$(grep -cE '# SKIP .{8,}' "$T/out")" 3
ok 'nothing is left of it' test -z "$(ls -d "$T"/plugin-check-* 2>/dev/null)"

exit_is 0 'one group' check --only deleting model
is 'the others are skipped' "$(grep -c 'SKIP --only names other groups' "$T/out")" 12
exit_is 2 'an unknown group' check --only deletng model
contains 'is named' "$ERR" "no group 'deletng'"
exit_is 0 'the groups are listed' check --list
is 'all of them' "$(wc -l <"$T/out")" 13
exit_is 0 'help' "$SR_BUILDDIR/strongroom-plugin-check" --help
exit_is 2 'no plugin' "$SR_BUILDDIR/strongroom-plugin-check"
exit_is 2 'no setting' check model x
exit_is 2 'an unknown setting' check model colour=red
contains 'is told with the nearest one' "$OUT" 'Bail out!'
exit_is 2 'a plugin that cannot be opened' check model server=nowhere
contains 'says why' "$OUT" 'Bail out!'

# GROUP, the promise that is broken, and what must be reported as such.
sanitized=$(grep -ca __asan_init "$SR_BUILDDIR/strongroom-plugin-check")
while IFS='|' read -r group breaks promise; do
    # A sanitizer keeps the books of memory itself, and tells of leaks at the end.
    [[ $sanitized -gt 0 && $breaks == leak* ]] && continue
    run check --only "$group" "${trouble[@]}" model breaks="$breaks"
    is "$breaks: the status says it" "$RC" 1
    matches "$breaks: it is found" "$(grep '^not ok\|^Bail' "$T/out")" "$promise"
done <<'END'
describing|signal|change no signal handler
describing|mask|change no signal handler and no mask
describing|locale|change no locale
describing|umask|change no umask
describing|chdir|change no working folder
describing|environment|change no environment
describing|caps-more|can do no more than the plugin declared
describing|caps-differ|two handles can do the same
describing|place-differs|two handles of one place name it alike
describing|place-overflows|writes no more than it was given room for
saving|part-cuts|an object of 3145728 bytes
saving|large-fails|whose length was unknown
saving|hint-cuts|a size hint that is wrong
saving|again-is-end|answers "again" every other time
saving|again-is-end|before the end of an empty object is not its end
saving|late-early|asked for once, after the end
saving|sum-empty|an object of 0 bytes
keys|case|look alike are different
keys|long-keys|differs in its last byte alone
failing|keeps-part|fails at the middle byte fails the save and leaves nothing
failing|visible-early|not visible before its end
failing|sweep-live|leaves what a live saver is writing
failing|cancel-deaf|a save cancelled half-way
failing|call-after-error|after set_error nothing is called back
failing|unsaid|every error comes with its code and a message
blocking|cancel-deaf|cancelled from another thread
blocking|deadline-deaf|whose deadline passes
racing|race|of two savers of one key exactly one succeeds
listing|one-page|and listed, each of them once
listing|page-twice|and listed, each of them once
listing|size-listed|and listed, each of them once
listing|unsorted|in the bytewise order
listing|stop-deaf|stopped after 1 entries ends well and emits no more
listing|stop-fails|stopped after 1 entries ends well
listing|error-empty|cancelled is no empty list
listing|foreign|callbacks come on the thread of the call
fetching|range-shifted|ranges at all edges
fetching|range-past-fails|ranges at all edges, also past the end
fetching|write-deaf|a writer that stops after 1 bytes gets no more
fetching|cancel-deaf|a fetch that is cancelled
fetching|missing-passes|fetching what never was is not-found
fetching|mixed|comes whole or is an error, and never mixed
fetching|change-passes|comes whole or is an error
deleting|delete-strict|as is deleting what never was
deleting|delete-strict|deleting it again is fine
deleting|delete-lies|and is listed no more
deleting|delete-greedy|one whose key begins alike stays
optional|many-stride|several objects are deleted at once
optional|many-twice|with an answer for each
optional|stat-prefix|mere beginning of a key is not-found
optional|rights-unknown|check finds every right
optional|copy-over|not over one that is there
optional|copy-passes|what never was is not copied
versions|version-lost|what was replaced is listed as an old version
versions|version-same|what was replaced is listed as an old version
versions|version-other|the version that was confirmed
versions|hidden-lies|told to be hidden
versions|version-stays|a version that is deleted by name is gone
versions|lock-ignored|deleting it is answered with how long
versions|lock-opens|deleting it is answered with how long
versions|lock-listed|listed as locked as long
handles|few-handles|8 handles can be open at once
handles|leak|takes no more memory each time
handles|leak-open|opening and closing takes no more memory
handles|writes-past|of structs and flags from a later header
handles|call-late|after a call has returned nothing of it is called back
trouble|wrong-passes|a wrong credential: list says so
trouble|secret|no message holds a secret
trouble|error-empty|a wrong credential: list says so and is no empty list
trouble|gone-denied|a server out of reach: save says so
trouble|silent-deaf|a server that never answers: list is cancelled while it waits
trouble|doubt-denied|a lost answer: save found out what happened
deleting|stdout|nothing is read from standard input or written to standard output
deleting|stdin|nothing is read from standard input or written to standard output
deleting|close-stdout|the standard streams are what they were
deleting|cwd|nothing was made in the working folder
deleting|tmp|nothing is left in the folder for temporary files
deleting|beside|made or removed beside the plugin's own place
deleting|descriptor|no descriptor is left after close
deleting|thread|no thread is left after close
deleting|service-late|no service of the host is used outside of a call
END
rm -rf "$T/store/own-beside"

# What takes the process with it.
exit_is 1 'a crash' check --only saving model breaks=crash
contains 'names the call and the signal' "$OUT" 'Bail out! in save, after point 1, the plugin ended the process: killed by signal 6'
exit_is 1 'an exit that looks like success' check --only saving model breaks=exit
contains 'names the call' "$OUT" 'Bail out! in save, after point 1, the plugin ended the process: exit status 0'
exit_is 1 'a hang' check --patience 2s --only saving model breaks=hang
contains 'is ended' "$OUT" 'Bail out! in save, after point 1, the plugin showed no sign of life for 2 seconds'
ok 'nothing is left of these either' test -z "$(ls -d "$T"/plugin-check-* 2>/dev/null)"
exit_is 1 'a secret in the name of the place' check --only describing model breaks=place-secret token=hunter22
matches 'is found' "$OUT" 'not ok .*the name of the place holds no secret'
finish

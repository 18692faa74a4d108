# Damaged, truncated, swapped and missing objects and manifests are found, told with exit 13, and never restored.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 2 && gpg_home || exit 1
sr_env
export PGDATABASE=shop BACKUP_RETENTION_DAYS=0 BACKUP_GLOBALS=off
q postgres 'CREATE DATABASE target'
q target 'CREATE TABLE precious AS SELECT 42 AS x'

flip() { # flip FILE [OFFSET]: one bit of one byte
    local at=${2:-$(($(stat -c %s "$1") / 2))} byte
    byte=$(od -An -tu1 -j "$at" -N1 "$1")
    chmod u+w "$1"
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}
untouched() {
    is "$1: the target is untouched" "$(table_counts target)" 'public.precious|1'
}
found() { # found NAME EXIT: verify and restore both end so, and the target stays
    exit_is "$2" "$1: verify" sr verify latest
    isnt "$1: verify says what" "$ERR$OUT" ''
    exit_is "$2" "$1: restore" sr restore latest --into target --clean --yes
    untouched "$1"
}
fresh() {
    rm -rf "$BACKUP_DIR"
    sr backup --label x >/dev/null 2>"$T/err" || cat "$T/err"
    object=$BACKUP_DIR/$(objects) manifest=$BACKUP_DIR/$(manifests)
}
for kind in plain custom encrypted; do
    unset BACKUP_ENCRYPTION_ENABLED GPG_RECIPIENT_KEY_ID BACKUP_FORMAT
    case $kind in
    custom) export BACKUP_FORMAT=custom ;;
    encrypted) export BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR ;;
    esac
    fresh && flip "$object"
    found "$kind: one bit in the middle" 13
    fresh && flip "$object" 3
    found "$kind: one bit at the beginning" 13
    fresh && flip "$object" $(($(stat -c %s "$object") - 1))
    found "$kind: one bit at the end" 13
    fresh && truncate -s -1 "$object"
    found "$kind: one byte short" 13
    fresh && truncate -s 0 "$object"
    found "$kind: empty" 13
    fresh && echo more >>"$object"
    found "$kind: bytes too many" 13
    fresh && rm "$object"
    found "$kind: gone" 13
done
export BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
fresh
other_home=$GNUPGHOME
gpg_home other@example.test
exit_is 12 'the wrong key' sr restore latest --into target --clean --yes
untouched 'the wrong key'
export GNUPGHOME=$other_home
unset BACKUP_ENCRYPTION_ENABLED GPG_RECIPIENT_KEY_ID

# A file that nothing vouches for: where it is cut is found by reading it, and the code is the same.
for kind in plain custom; do
    BACKUP_FORMAT=$kind fresh && gunzip <"$object" >"$T/whole"
    size=$(stat -c %s "$T/whole")
    for cut in 4 30 1000 $((size / 2)) $((size - 100)) $((size - 3)); do
        head -c "$cut" "$T/whole" >"$T/cut"
        exit_is 13 "$kind cut at $cut of $size: restore" sr restore "$T/cut" --into target --clean --yes
        untouched "$kind cut at $cut of $size"
        exit_is 13 "$kind cut at $cut of $size: adopt" sr adopt "$T/cut"
    done
done
# An archive that this pg_restore is too old for is not damaged for that.
printf '\177' | dd of="$T/whole" bs=1 seek=6 conv=notrunc status=none
exit_is 1 'an archive of a later version' sr restore "$T/whole" --into target --clean --yes
matches 'is told as that' "$ERR" 'version.*BACKUP_PGRESTORE_PATH'
untouched 'an archive of a later version'
BACKUP_FORMAT=custom fresh
fake_restore() { # fake_restore SCRIPT: a pg_restore that answers --version as the real one, and else runs SCRIPT
    printf '#!/bin/sh\ncase "$*" in *--version*) exec %s --version ;; esac\n%s\n' "$PG_BIN/pg_restore" "$1" >"$T/pg_restore"
    chmod 755 "$T/pg_restore"
}
fake_restore 'echo "pg_restore: error: unsupported version (1.99) in file header" >&2; exit 1'
exit_is 0 'verify with a pg_restore that is too old' with BACKUP_PGRESTORE_PATH="$T/pg_restore" sr verify latest
matches 'tells that the archive was not parsed' "$OUT" 're-read.*archive not parsed.*unsupported version'
fake_restore 'kill -9 $$'
exit_is 1 'a pg_restore that is killed is no damage' with BACKUP_PGRESTORE_PATH="$T/pg_restore" sr verify latest

fresh
flip "$manifest" 40
exit_is 13 'a damaged manifest: verify' sr verify x
exit_is 13 'a damaged manifest: restore' sr restore x --into target --clean --yes
untouched 'a damaged manifest'
exit_is 0 'a new backup is made beside it' sr backup --label y
run sr list --json
is 'and is listed' "$(json '[.backups[].label] | index("y") != null')" true
# One that cannot be read is no reason to leave the others unread: the newest are the first to be looked at.
exit_is 0 'a third backup' sr backup --label z
z=$(echo "$BACKUP_DIR"/z-*.manifest.json)
cp "$z" "$T/whole_manifest"
flip "$z" 40
exit_is 13 'verify --all' sr verify --all --no-record --json
is 'tells each' "$(json '[.verified[] | (.set | split("-")[0]) + " " + .rung] | sort | join(",")')" 'x failed,y opened,z failed'
is 'and why' "$(json '[.verified[] | select(.error != null)] | length')" 2
contains 'how many' "$ERR" '2 of 3 backups are damaged'
exit_is 13 'for people' sr verify --all --no-record
matches 'with a line for each' "$OUT" 'FAILED .*z-[0-9]+ .*manifest'
rm "$BACKUP_DIR"/x-*
jq '.format = 99' <"$T/whole_manifest" >"$z"
exit_is 3 'one of a later version is not known to be damaged' sr verify --all --no-record --json
is 'and the rest is verified' "$(json '[.verified[] | (.set | split("-")[0]) + " " + .rung] | sort | join(",")')" 'y opened,z unknown'
contains 'which is told' "$ERR" '1 of 2 backups could not be verified'
fresh
truncate -s 20 "$manifest"
exit_is 13 'a truncated manifest' sr show x
head -c 6000000 /dev/zero | tr '\0' '[' >"$manifest"
exit_is 13 'a huge manifest' sr show x
fresh
sed -i 's/"key": *"x-/"key": "..\/x-/' "$manifest"
exit_is 13 'a manifest that points out of the store' sr restore x --into target --clean --yes
untouched 'a manifest that points out of the store'
fresh
rm "$manifest"
exit_is 10 'no manifest, no backup' sr show latest
run sr list --json
is 'it is not listed' "$(json '.backups | length')" 0
ok 'but its object is left alone' test -e "$object"
exit_is 0 'and a young one is not swept' sr sweep
ok 'it is still there' test -e "$object"
touch -d '2 days ago' "$BACKUP_DIR"/*
exit_is 0 'an old one is' sr sweep
no 'swept' test -e "$object"

# A link in the store leads nowhere.
fresh
cp "$object" "$T/elsewhere" && rm "$object" && ln -s "$T/elsewhere" "$object"
run sr verify x
isnt 'an object replaced by a symbolic link is not followed' "$RC" 0
finish

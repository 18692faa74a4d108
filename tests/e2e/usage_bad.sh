# Wrong command lines: exit 2, the nearest word, nothing done.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
sr_env
wrong() { # wrong PART-OF-MESSAGE ARGUMENT...
    local part=$1
    shift
    exit_is 2 "strongroom $* is refused" sr "$@"
    contains "strongroom $*: says $part" "$ERR" "$part"
    is "strongroom $*: nothing on standard output" "$OUT" ''
}
wrong backup bakcup
wrong restore resotre x
wrong list lst
wrong 'strongroom help'
wrong --label backup --lable x
wrong --dry-run backup --dryrun
wrong --format backup --format
wrong plain backup --format tar
wrong BACKUP show
wrong BACKUP verify
wrong FILE adopt
wrong --json list --jsonn
wrong --jobs restore x --jobs many
wrong --jobs restore x --jobs 0
wrong --at prune --at yesterday
wrong extra show a extra
wrong --scheduled backup --scheduled --label x
wrong --stream backup --stream --spool
no 'no store was made' ls "$BACKUP_DIR"
exit_is 0 'help' sr help
for verb in backup list show verify restore fetch adopt prune hold release sweep plugins config doctor help version; do
    matches "help lists $verb" "$OUT" "  $verb "
done
exit_is 0 '--help' sr --help
exit_is 0 'help of a verb' sr help backup
contains 'help of a verb has its options' "$OUT" --label
exit_is 0 '--help after a verb' sr backup --help
contains 'is the same' "$OUT" --label
exit_is 0 'version' sr version
matches 'version' "$OUT" '^strongroom [0-9]+\.[0-9]+'
exit_is 0 '--version' sr --version
exit_is 2 'a failure in JSON' sr backup --json --nosuch
is 'is one JSON document' "$(jq -s length <"$T/out")" 1
exit_is 1 'a store that is not there is no empty one' sr list --json
mkdir -p "$BACKUP_DIR"
exit_is 0 'an empty store lists nothing' sr list --json
is 'no backups' "$(json '.schema, (.backups | length)' | tr '\n' ' ')" '1 0 '
finish

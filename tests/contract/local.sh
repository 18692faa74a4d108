# The contract suite against the local plugin, and what only a folder can show: that nothing was
# written outside of it and nothing is left in it.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/sr-contract-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
export BACKUP_PLUGIN_PATH="$SR_BUILDDIR/plugins/.libs"
mkdir "$dir/cwd" "$dir/tmp" && cd "$dir/cwd" || exit 2
TMPDIR="$dir/tmp" HOME="$dir/cwd" "$SR_BUILDDIR/strongroom-plugin-check" local dir="$dir/store" ||
    exit 1
left=$(cd "$dir" && find . -type f)
[ -z "$left" ] || { echo "files are left: $left"; exit 1; }
[ -z "$(ls "$dir/cwd" "$dir/tmp" | grep -v :)" ] || { echo "something was made outside"; exit 1; }
modes=$(find "$dir/store" -type d ! -perm 0700)
[ -z "$modes" ] || { echo "folders that others may enter: $modes"; exit 1; }

# Full disk, read-only folder: no half backup, the old ones stay, exit 1 with the reason.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 10 || exit 1
sr_env
export PGDATABASE=shop BACKUP_COMPRESSION=none

cat >"$T/full.sh" <<-'EOS'
	# In a mount namespace of its own: a tmpfs of 1 MiB as the store.
	mount -t tmpfs -o size=1m,mode=700 tmpfs "$BACKUP_DIR" || exit 99
	echo keep >"$BACKUP_DIR/theirs"
	"$@" >"$1.unused" 2>/dev/null
	"$@"
	rc=$?
	(cd "$BACKUP_DIR" && find . -type f -not -path './.strongroom/*' -printf '%P\n' | sort) >"$T/full.keys"
	find "$BACKUP_DIR" -type f \( -path "$BACKUP_DIR/.strongroom/spool/*" -o -name '*.tmp' \) >"$T/full.left" 2>/dev/null
	exit $rc
EOS
sed -i '/unused/d' "$T/full.sh"
sr_copy
export T SR_BUILDDIR BACKUP_PLUGIN_PATH=$T/copy/plugins
mkdir -p "$BACKUP_DIR"
# Mounting takes root: in a user namespace the folders above the plugin seem to belong to nobody, and
# the plugin is refused. Without root the limit below stands in.
modes='--spool --stream'
[ "$(id -u)" = 0 ] || modes=
for mode in $modes; do
    exit_is 1 "full disk, $mode" unshare -m bash "$T/full.sh" "$SR_BUILDDIR/strongroom" backup "$mode" --label full
    matches "full disk, $mode: message" "$ERR" '[Nn]o space|[Ff]ree|space'
    is "full disk, $mode: nothing half is visible, what was there stays" "$(cat "$T/full.keys")" theirs
    is "full disk, $mode: the spool is empty" "$(cat "$T/full.left")" ''
done

# A limit on the size of files does the same without any rights.
for mode in --spool --stream; do
    rm -rf "$BACKUP_DIR"
    # shellcheck disable=SC2016
    exit_is 1 "file size limit, $mode" bash -c 'trap "" XFSZ; ulimit -f 300; "$@"' - "$SR_BUILDDIR/strongroom" backup "$mode" --label limit
    matches "file size limit, $mode: message" "$ERR" '[Ff]ile too large|space|large'
    is "file size limit, $mode: nothing visible" "$(_keys)" ''
    ok "file size limit, $mode: nothing unfinished" spool_empty
done

mkdir -m 755 "$T/readonly" && chmod 555 "$T/readonly"
exit_is 1 'a read-only folder' as_nobody env HOME=/nonexistent BACKUP_DIR="$T/readonly" "$T/copy/strongroom" backup --label ro
contains 'a read-only folder: it is named' "$ERR" "$T/readonly"
matches 'a read-only folder: the reason' "$ERR" '[Dd]enied|[Rr]ead-only'
is 'a read-only folder: nothing in it' "$(ls -A "$T/readonly")" ''
finish

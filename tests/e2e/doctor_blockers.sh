# doctor: one thing is made wrong at a time, and it is told: clocks, extensions, keys, databases, what stores are asked
# for, leftovers, space, parts, retention.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
pg_start && pg_env && create_db shop && create_db ext && gpg_home || exit 1
sr_env
export PGDATABASE=shop BACKUP_GLOBALS=off
told() { # told LEVEL WHAT TEXT: by the doctor --json that ran last
    is "$2: $3" "$(json "[.checks[] | select(.level == \"$1\" and (.what | startswith(\"$2\")) and (.finding | contains(\"$3\")))] | length")" 1
}
untold() { # untold WHAT TEXT
    is "$1: not: $2" "$(json "[.checks[] | select((.what | startswith(\"$1\")) and (.finding | contains(\"$2\")))] | length")" 0
}

# Clocks.
ok 'the clock can be moved' "${SR_CC:-cc}" -std=gnu11 -shared -fPIC -o "$T/clock.so" "$SR_SRCDIR/tests/lib/clock_offset.c"
preload=$T/clock.so
if ldd "$SR_BUILDDIR/strongroom" | grep -q libasan; then
    preload="$(gcc -print-file-name=libasan.so) $preload"
fi
at() ( # at SECONDS COMMAND...
    export LD_PRELOAD=$preload SR_CLOCK_OFFSET=$1 BACKUP_PLUGIN_PATH
    BACKUP_PLUGIN_PATH=$(sr_plugin_path)
    shift
    exec "$SR_BUILDDIR/strongroom" "$@"
)
exit_is 0 'a clock an hour ahead stops no backup' at 3600 doctor --json
told note database "s behind this host's"
exit_is 0 'one ten minutes behind neither' at -600 doctor --json
told note database "s ahead of this host's"
exit_is 0 'nor one that is right' sr doctor --json
untold database clock

# Extensions that the server lacks; its catalogue is changed, as none can be taken off the machine.
untold extensions 'does not have'
q ext "SET allow_system_table_mods = on; UPDATE pg_catalog.pg_extension SET extname = 'postgis' WHERE extname = 'plpgsql'" >/dev/null
exit_is 0 'an extension without its files stops no backup' with PGDATABASE=ext sr doctor --json
told note extensions 'ext uses postgis, which its server does not have'
exit_is 0 'a server of restore tests that is away' with BACKUP_RESTORE_TEST_URL=postgresql://127.0.0.1:1/x sr doctor --json
told note 'restore-test server' '127.0.0.1'
exit_is 0 'one that lacks it' with PGDATABASE=ext BACKUP_RESTORE_TEST_URL="postgresql://$PGUSER@${PGHOST//\//%2F}:$PGPORT/shop" sr doctor --json
told note extensions 'which the server of restore tests does not have'

# The decrypt drill.
export BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
exit_is 0 'with the secret key' sr doctor --json
told ok 'decrypt drill' 'can be opened here'
is 'nothing of the drill is left' "$(find "$BACKUP_DIR" -name 'drill-*')" ''
gpg_public_home
exit_is 0 'with the public key alone' with GNUPGHOME="$GPG_PUBLIC_HOME" sr doctor --json
untold 'decrypt drill' ''
gpg_quiet --passphrase Locked --pinentry-mode loopback --quick-generate-key 'Locked <locked@example.test>' future-default default never
gpgconf --kill gpg-agent
exit_is 0 'with a key that is locked' with GPG_RECIPIENT_KEY_ID=locked@example.test sr doctor --json
told note 'decrypt drill' 'a restore without a terminal would fail'
exit_is 0 'with a passphrase' with -u GPG_RECIPIENT_KEY_ID BACKUP_ENCRYPTION_PASSPHRASE=correct-horse sr doctor --json
told ok 'decrypt drill' 'can be opened here'
unset BACKUP_ENCRYPTION_ENABLED GPG_RECIPIENT_KEY_ID

# Retention.
exit_is 0 'rules that do nothing' with BACKUP_RETENTION_DAYS=30 BACKUP_RETENTION_WEEKLY=2 BACKUP_LOCAL_RETENTION_LAST=1 sr doctor --json
told note 'retention of store local' 'WEEKLY=2 does nothing: DAYS=30 keeps all of that anyway'
told note 'retention of store local' 'LAST=1 does nothing: MIN_KEEP=1 keeps these anyway'
exit_is 1 'a time zone that is none' with BACKUP_LOCAL_RETENTION_TIMEZONE=Mars/Olympus sr doctor --json
told blocker 'retention of store local' "there is no time zone 'Mars/Olympus' here"
exit_is 0 'rules that agree' with BACKUP_RETENTION_WEEKLY=13 BACKUP_RETENTION_SIZE=1G sr doctor --json
untold 'retention of store local' ''

# Several databases: each is looked at, as a backup would.
create_db second && q second 'CREATE TABLE secret (id int)' >/dev/null
q postgres "CREATE ROLE reader LOGIN PASSWORD 'reads'; GRANT CONNECT ON DATABASE shop, second TO reader" >/dev/null
exit_is 1 'rights in the second of two databases' with PGUSER=reader PGPASSWORD=reads BACKUP_DATABASES=shop,second sr doctor --json
told blocker rights 'secret'
contains 'with the statement' "$(json '.checks[] | select(.what == "rights").remedy')" 'GRANT SELECT'
exit_is 1 'a database that is not there' with BACKUP_DATABASES=shop,nosuch sr doctor --json
told blocker database nosuch
exit_is 0 'all databases' with BACKUP_ALL_DATABASES=on sr doctor --json
told ok rights 'everything in second'
exit_is 0 'all, and a server of restore tests that is away' with BACKUP_ALL_DATABASES=on BACKUP_RESTORE_TEST_URL=postgresql://127.0.0.1:1/x sr doctor --json
told note 'restore-test server' '127.0.0.1'
drop_db second

# What stores are asked for.
exit_is 1 'more copies than stores' with BACKUP_MIN_STORES=2 sr doctor --json
told blocker stores 'BACKUP_MIN_STORES is 2, and 1 can be written to'
exit_is 1 'encryption that a store demands' with BACKUP_LOCAL_REQUIRE_ENCRYPTION=on sr doctor --json
told blocker 'store local' 'BACKUP_LOCAL_REQUIRE_ENCRYPTION'
exit_is 1 'a pg_restore that a custom format needs' with BACKUP_FORMAT=custom BACKUP_PGRESTORE_PATH=/nosuch sr doctor --json
told blocker pg_restore /nosuch
exit_is 0 'and a plain one does not' with BACKUP_PGRESTORE_PATH=/nosuch sr doctor --json

# Who is alive, and what the dead left.
ok 'a run is held' eval 'q shop "CREATE TABLE busy (id int)" >/dev/null && table_lock shop busy'
BACKUP_PLUGIN_PATH=$(sr_plugin_path) "$SR_BUILDDIR/strongroom" backup --label held >"$T/run.out" 2>"$T/run.err" &
run=$!
ok 'it waits' poll 20 dump_waits
exit_is 0 'while it is alive' sr doctor --json
told note lock "a run of shop is alive here (process $run)"
told note lock 'another run is backing up database shop'
kill -KILL "$run"
wait "$run" 2>/dev/null
ok 'no child goes on' poll 10 no_children
table_unlock
exit_is 0 'when it is dead' sr doctor --json
untold lock 'alive here'
told note 'leftovers here' 'journal of a run that was cut off'
told note 'leftovers in store local' 'held-'
contains 'what to do' "$(json '.checks[] | select(.what == "leftovers here").remedy')" 'strongroom sweep'
exit_is 0 'sweep' sr sweep
exit_is 0 'then' sr doctor --json
untold leftovers ''
q shop 'DROP TABLE busy' >/dev/null

# A night that does not fit where there is no earlier backup: the databases themselves tell.
q shop "CREATE TABLE fat AS SELECT md5(g::text) || md5(g::text || 'b') AS t FROM generate_series(1, 150000) g" >/dev/null
ok 'a server starts' s3_start store || finish
unset BACKUP_STORAGE_ADAPTER
exit_is 0 'no earlier backup' sr doctor --json
told ok size 'no store holds an earlier backup of shop: the first is estimated at'
exit_is 1 'parts' with BACKUP_STORAGE_ADAPTER=s3 BACKUP_COMPRESSION=none BACKUP_S3_PART_GROWTH=off BACKUP_S3_MAX_PARTS=2 sr doctor --json
told blocker 'store s3' 'PART_SIZE times MAX_PARTS is 10.0 MiB, and the next backup is estimated at'
run with BACKUP_STORAGE_ADAPTER=s3 BACKUP_COMPRESSION=none BACKUP_S3_PART_GROWTH=on BACKUP_S3_MAX_PARTS=2 sr doctor --json
told note 'store s3' 'later parts will have to grow'
exit_is 0 'formats count' with BACKUP_FORMAT=plain,custom sr doctor --json
told ok size 'estimated at'
if [ "$(id -u)" = 0 ]; then
    cat >"$T/small.sh" <<-'EOS'
		mount -t tmpfs -o size=4m,mode=700 tmpfs "$SMALL" || exit 99
		"$@"
	EOS
    mkdir "$T/small"
    exit_is 1 'a disk that is too small' with SMALL="$T/small" BACKUP_DIR="$T/small" BACKUP_COMPRESSION=none \
        unshare -m bash "$T/small.sh" "$SR_BUILDDIR/strongroom" doctor --json
    told blocker 'store local' 'and the next backup is estimated at'
    exit_is 1 'a spool that is too small' with SMALL="$T/small" BACKUP_SPOOL_DIR="$T/small" BACKUP_STORAGE_ADAPTER=s3 BACKUP_COMPRESSION=none \
        BACKUP_PLUGIN_PATH="$(sr_plugin_path)" unshare -m bash "$T/small.sh" "$SR_BUILDDIR/strongroom" doctor --json
    told blocker spool 'and the next backup is estimated at'
else
    echo '# not root: no small disk to try'
fi

# A night that does not fit: the newest backup is a hole of eight TiB.
set=huge-$(date -u +%Y%m%d%H%M%S)
: >"$BACKUP_DIR/$set.shop.manifest.json"
truncate -s 8T "$BACKUP_DIR/$set.sql.gz"
exit_is 1 'more than the disk has' sr doctor --json
told blocker 'store local' 'and the newest backups have 8.00 TiB'
run with BACKUP_RETENTION_SIZE=1T BACKUP_RETENTION_MIN_KEEP=2 sr doctor --json
told note 'retention of store local' 'SIZE=1.00 TiB cannot be kept: the newest backup has 8.00 TiB, and MIN_KEEP=2 keeps as many'
run with BACKUP_STORAGE_ADAPTER=local,s3 BACKUP_S3_PART_GROWTH=off sr doctor --json
told blocker 'store s3' 'PART_SIZE times MAX_PARTS is 48.8 GiB, and the newest backup has 8.00 TiB'
told blocker spool 'and the newest backups have 8.00 TiB'
run with BACKUP_STORAGE_ADAPTER=local,s3 BACKUP_S3_PART_GROWTH=on sr doctor --json
told note 'store s3' 'later parts will have to grow'
# Where credentials came from is told, above all where they are wrong.
told ok 'store s3' 'using credentials from AWS_ACCESS_KEY_ID'
exit_is 1 'a wrong key' with BACKUP_STORAGE_ADAPTER=s3 AWS_SECRET_ACCESS_KEY=another BACKUP_DIR="$T/state" sr doctor --json
told ok 'store s3' 'using credentials from AWS_ACCESS_KEY_ID'
told blocker 'store s3' SignatureDoesNotMatch
lacks 'the key is not shown' "$OUT$ERR" another
finish

# Where secrets and plain data are not: in command lines, core files, files that others may read, the spool.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start --password 'Pass-wo:rd' && pg_env && create_db shop && gpg_home && gpg_key ops@example.test || exit 1
sr_env
q shop "CREATE TABLE t AS SELECT 'PLAIN-' || 'MARKER-' || g AS v FROM generate_series(1, 2000) g"
mkdir -m 755 "$T/plugins" "$T/gate"
cp "$(sr_plugin_path)/local.so" "$SR_BUILDDIR/tests/abi/.libs/memory.so" "$T/plugins/" && chmod 644 "$T/plugins"/*
cat >"$T/pg_dump" <<EOS
#!/bin/bash
[ "\$1" = --version ] || { tr '\\0' ' ' </proc/\$\$/cmdline; echo "core \$(ulimit -c) umask \$(umask)"; } >>"$T/seen"
exec "$PG_BIN/pg_dump" "\$@"
EOS
chmod 755 "$T/pg_dump"
export PGDATABASE=shop BACKUP_GLOBALS=off BACKUP_PLUGIN_PATH=$T/plugins BACKUP_STORAGE_ADAPTER=local,dr=memory \
    BACKUP_PGDUMP_PATH=$T/pg_dump BACKUP_COMPRESSION=none BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR

BACKUP_DR_TOKEN=To-ken-secret BACKUP_DR_GATE="save:.gpg:$T/gate" sr backup --label held -v >"$T/run.out" 2>"$T/run.err" &
run=$!
ok 'the run is held while it stores' poll 30 test -e "$T/gate/reached"
is 'no file holds plain data' "$(grep -rlaF PLAIN-MARKER "$BACKUP_DIR" "$HOME" 2>/dev/null)" ''
is 'no descriptor of ours leads to plain data' "$(
    for f in /proc/$run/fd/*; do [ -f "$f" ] && [[ $(readlink "$f") != *seen* ]] && grep -laF PLAIN-MARKER "$f" 2>/dev/null; done)" ''
lacks 'no secret on our own command line' "$(tr '\0' ' ' <"/proc/$run/cmdline")" To-ken
: >"$T/gate/go"
wait "$run"
is 'it ends well' "$?" 0
ok 'the watched pg_dump ran' test -s "$T/seen"
lacks 'no password on its command line' "$(cat "$T/seen")" 'wo:rd'
contains 'it can leave no core file, and its files are its own' "$(cat "$T/seen")" 'core 0 umask 0077'
lacks 'no password in what is told' "$(cat "$T/run.out" "$T/run.err")" 'wo:rd'
lacks 'no token either' "$(cat "$T/run.out" "$T/run.err")" To-ken
is 'what was made is readable by its owner alone' "$(find "$BACKUP_DIR" -perm /077)" ''
finish

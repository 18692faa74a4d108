# Settings of stores: what is mistyped, missing or wrong is an error that names it and the nearest there is, wherever
# it was set; other programs' names are none of our business; a secret's file is read anew during a long call.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && create_db shop || exit 1
sr_env
mkdir -m 755 "$T/plugins" "$T/gate" "$T/project" && cd "$T/project" || exit 1
cp "$(sr_plugin_path)/local.so" "$SR_BUILDDIR/tests/abi/.libs/memory.so" "$T/plugins/" && chmod 644 "$T/plugins"/*
export PGDATABASE=shop BACKUP_GLOBALS=off BACKUP_PLUGIN_PATH=$T/plugins BACKUP_STORAGE_ADAPTER=local,dr=memory

typo() { # typo NAME WHERE WANTED COMMAND...
    local name=$1 where=$2 wanted=$3
    shift 3
    exit_is 2 "$name ($where)" "$@"
    contains "$name ($where): is named, with the nearest" "$ERR" \
        "$name ($where) is no setting of the store dr (plugin memory); did you mean $wanted?"
}
typo BACKUP_DR_TOKN environment BACKUP_DR_TOKEN with BACKUP_DR_TOKN=hunter2 sr backup --label x
lacks 'the value is not told' "$ERR$OUT" hunter2
typo BACKUP_DR_TOKN_FILE environment BACKUP_DR_TOKEN_FILE with BACKUP_DR_TOKN_FILE=/x sr list
typo BACKUP_DR_PREFX environment BACKUP_DR_PREFIX with BACKUP_DR_PREFX=x sr list
typo BACKUP_DR_STILE flag BACKUP_DR_STYLE sr list --set BACKUP_DR_STILE=auto
printf '\nBACKUP_DR_PART=8M\n' >.env
typo BACKUP_DR_PART .env:2 BACKUP_DR_PARTS sr list
rm .env && printf 'BACKUP_DR_LOWD=on\n' >"$T/strongroom.conf"
typo BACKUP_DR_LOWD "$T/strongroom.conf:1" BACKUP_DR_LOUD sr list --config "$T/strongroom.conf"
is 'nothing was stored' "$(objects)" ''
wrong() { # wrong NAME=VALUE TEXT
    exit_is 2 "$1" with "$1" sr list
    contains "$1: ${1%%=*} and what is allowed" "$ERR" "${1%%=*} (environment) is '${1#*=}': $2"
}
wrong BACKUP_DR_STYLE=virtal 'must be one of auto|path|virtual; did you mean virtual?'
wrong BACKUP_DR_LOUD=perhaps 'must be on or off'
wrong BACKUP_DR_PARTS=1M 'must be within'
wrong BACKUP_DR_PARTS=large 'must be a size'
exit_is 2 'one place twice' with BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR="$BACKUP_DIR/." sr list
contains 'both stores are named' "$ERR" 'the stores local and dr are one place'
exit_is 2 'a place is not inherited' with BACKUP_STORAGE_ADAPTER=dr=local sr list
contains 'what is missing is named, and what it is' "$ERR" 'needs the setting BACKUP_DR_DIR: Folder that holds'

# What is nobody's mistake.
exit_is 0 'a store that is not opened is not judged' with BACKUP_DR_TOKN=x sr list --store local
exit_is 0 'nor one that is in no list' with BACKUP_STORAGE_ADAPTER=local BACKUP_MEMORY_TOKN=x BACKUP_S3_BUCKT=x sr list
is 'and nothing is said of it' "$ERR" ''
exit_is 0 'variables of a service' with BACKUP_DR_SERVICE_HOST=10.0.0.1 BACKUP_DR_SERVICE_PORT=80 BACKUP_DR_PORT=tcp://10.0.0.1:80 sr list
is 'pass in silence' "$ERR" ''
exit_is 0 'a mistyped store' with BACKUP_DE_TOKEN=x sr list
contains 'is warned about' "$ERR" 'BACKUP_DE_TOKEN (environment) is no setting of strongroom; did you mean BACKUP_DR_TOKEN?'

# All at once, and shown with kinds and sources.
run with BACKUP_STORAGE_ADAPTER=local,dr=memory,x=nosuch,y=local BACKUP_DR_TOKN=a BACKUP_DR_STYLE=b sr doctor
for text in BACKUP_DR_TOKN BACKUP_DR_STYLE "no storage plugin 'nosuch'" BACKUP_Y_DIR "file://$BACKUP_DIR"; do
    contains "doctor tells of $text" "$OUT" "$text"
done
printf 'hunter2\n' >"$T/token" && chmod 644 "$T/token"
run with BACKUP_DR_TOKEN_FILE="$T/token" sr doctor
contains 'doctor: where a secret is from' "$OUT" 'set: BACKUP_DR_TOKEN (environment)'
contains 'doctor: its file can be read by all' "$OUT" "every user of this machine may read $T/token, which holds BACKUP_DR_TOKEN"
exit_is 0 'config' with MEMORY_TOKEN=hunter2 BACKUP_DR_PARTS=16M sr config
matches 'kind, source and default of a size' "$OUT" 'BACKUP_DR_PARTS +size 5.00 MiB to 5.00 GiB +environment +16777216 \(default: 8MiB\)'
matches 'a well-known name is told, the secret is not' "$OUT" 'BACKUP_DR_TOKEN +secret +environment \(MEMORY_TOKEN\) +\*\*\*'
exit_is 0 'one setting' sr config BACKUP_DR_STYLE
contains 'its choices' "$OUT" 'auto|path|virtual'
exit_is 1 'a setting that is none' sr config BACKUP_DR_STILE
contains 'the nearest' "$ERR" 'did you mean BACKUP_DR_STYLE?'
run with BACKUP_DR_TOKN=x sr config
is 'config ends with the error' "$RC" 2
contains 'after showing what there is' "$OUT" BACKUP_DR_STYLE
exit_is 0 'plugins memory' sr plugins memory
matches 'names, kind, default, other names' "$OUT" 'BACKUP_MEMORY_PARTS +size 5.00 MiB to 5.00 GiB +8MiB'
exit_is 2 'a secret by --set' sr list --set BACKUP_DR_TOKEN=hunter2
lacks 'is not told' "$ERR" hunter2
exit_is 2 'an unknown name by --set' sr list --set BACKUP_RETENTION_DAY=3
contains 'is an error there' "$ERR" 'did you mean BACKUP_RETENTION_DAYS?'
exit_is 0 '--set beats the environment' with BACKUP_RETENTION_DAYS=3 sr config BACKUP_RETENTION_DAYS --set BACKUP_RETENTION_DAYS=4
matches 'and says so' "$OUT" 'value +4'

# Rotation: the file is replaced while the store is in the middle of a save.
printf 'before-before\n' >"$T/token" && chmod 600 "$T/token"
with BACKUP_DR_TOKEN_FILE="$T/token" BACKUP_DR_GATE="save:.sql.gz:$T/gate" sr backup --label rotated --stream >"$T/run.out" 2>"$T/run.err" &
run=$!
ok 'the store is in its save' poll 30 test -e "$T/gate/reached"
printf 'after-after\n' >"$T/token.new" && chmod 600 "$T/token.new" && mv "$T/token.new" "$T/token"
: >"$T/gate/go"
wait "$run"
is 'the run ends well' "$?" 0
contains 'with the new secret' "$(cat "$T/run.err")" 'another token came during the call'
lacks 'and tells neither' "$(cat "$T/run.err" "$T/run.out")" before-before
exit_is 2 'a secret and its file' with BACKUP_DR_TOKEN=a BACKUP_DR_TOKEN_FILE="$T/token" sr list
contains 'exclude each other' "$ERR" 'both BACKUP_DR_TOKEN (environment) and BACKUP_DR_TOKEN_FILE (environment) are set'
for bad in "$T/none" "$T" /dev/null /dev/zero; do
    exit_is 2 "a secret's file $bad" with BACKUP_DR_TOKEN_FILE="$bad" sr list
    contains "$bad is named" "$ERR" "BACKUP_DR_TOKEN_FILE (environment)"
done
finish

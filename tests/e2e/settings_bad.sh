# Every setting wrong in turn, empty and huge: exit 2, the setting named, nothing made.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && create_db shop || exit 1
sr_env
export PGDATABASE=shop
huge=$(printf '9%.0s' {1..60}) long=$(printf 'x%.0s' {1..20000})

refused() { # refused SETTING VALUE
    local shown=${2:0:24}
    exit_is 2 "$1=$shown is refused" with "$1=$2" sr backup --label x
    lacks "$1=$shown: no store is said to hold it" "$OUT" 'holds it'
    contains "$1=$shown: the setting is named" "$ERR" "$1"
    is "$1=$shown: one message" "$(grep -c '^strongroom: ' <<<"$ERR")" 1
    is "$1=$shown: nothing was stored" "$(objects)" ''
}
# By type, from the table in the source: a setting added later is tried without being listed here.
tr '\n' ' ' <"$SR_SRCDIR/core/config/settings.c" | grep -oE 'SETTING\( *"[A-Z_]+", *[A-Z]+' |
    sed -E 's/SETTING\( *"([A-Z_]+)", *([A-Z]+)/\1 \2/' >"$T/types"
ok 'the table was read' test "$(wc -l <"$T/types")" -gt 30
while read -r name type; do
    case $type in
    BOOL) refused "$name" maybe ;;
    INT | DAYS) refused "$name" many && refused "$name" -1 && refused "$name" "$huge" ;;
    SIZE) refused "$name" 1X && refused "$name" "$huge" ;;
    DURATION) refused "$name" soon && refused "$name" "$huge" ;;
    CHOICE) refused "$name" nosuch ;;
    esac
done <"$T/types"

refused BACKUP_PGDUMP_PATH /nonexistent/pg_dump
refused BACKUP_PGDUMP_PATH /etc/passwd
refused BACKUP_STORAGE_ADAPTER local,local
refused BACKUP_STORAGE_ADAPTER 'dir=local'
refused BACKUP_STORAGE_ADAPTER "$long"
refused BACKUP_PLUGIN_PATH relative/folder
refused BACKUP_ENCRYPTION_PASSPHRASE_FILE /nonexistent/file
exit_is 2 'BACKUP_STORAGE_ADAPTER=nosuch is refused' with BACKUP_STORAGE_ADAPTER=nosuch sr backup --label x
matches 'what there is is told' "$ERR" 'there are: ([a-z0-9-]+ )*local'
exit_is 1 'a folder that cannot be made fails' with BACKUP_DIR=/dev/null/x sr backup --label x
contains 'and is named' "$ERR" /dev/null/x
with BACKUP_ENCRYPTION_ENABLED=on sr backup --label x >/dev/null 2>"$T/err"
is 'encryption without a recipient is refused' "$?" 2
contains 'what is missing is said' "$(cat "$T/err")" GPG_RECIPIENT_KEY_ID
exit_is 0 'empty values count as unset' with BACKUP_FORMAT= BACKUP_COMPRESSION= LOG_LEVEL= BACKUP_RETENTION_DAYS= sr backup --label empty
exit_is 2 'a missing configuration file is refused' sr backup --config "$T/none.conf"
exit_is 2 'a missing .env file is refused' sr backup --env-file "$T/none.env"
mkdir "$T/world" && chmod 777 "$T/world" && cp "$(sr_plugin_path)"/local.so "$T/world/"
run with BACKUP_PLUGIN_PATH="$T/world" sr backup --label x
isnt 'a plugin folder that others may write is refused' "$RC" 0
contains 'what to do is said' "$ERR" "chmod go-w $T/world"
is 'nothing was stored' "$(objects '^x')" ''
finish

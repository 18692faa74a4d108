# Every format, compression and encryption gives a backup that verifies and restores to the same rows.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env

round() { # round NAME FORMAT COMPRESSION: settings of encryption come from the environment
    local name="$1, $2, $3"
    rm -rf "$BACKUP_DIR"
    export BACKUP_COMPRESSION=$3
    exit_is 0 "$name: backup" sr backup --json --database shop --label x --format "$2"
    is "$name: format in the result" "$(json .format)" "$2"
    is "$name: transactions counted" "$(json '[.objects[].rows // {} | to_entries[] | select(.key | test("transactions")) | .value] | unique | join(",")')" 1000
    exit_is 0 "$name: verify" sr verify latest
    create_db copy
    exit_is 0 "$name: restore" sr restore latest --into copy --yes
    restored_equals shop copy "$name: every row is back"
    is "$name: the large object is back" "$(q copy "SELECT md5(lo_get(424242))")" "$(q shop "SELECT md5(lo_get(424242))")"
    drop_db copy
}
for format in plain custom plain,custom; do
    for compression in gzip zstd none; do
        round 'not encrypted' "$format" "$compression"
    done
done
export BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=$GPG_FPR
for format in plain custom plain,custom; do
    round 'to a key' "$format" gzip
done
round 'to a key' custom zstd
round 'to a key' plain none
unset GPG_RECIPIENT_KEY_ID
(umask 077 && echo 'a pass phrase, "quoted" %' >"$T/passphrase")
export BACKUP_ENCRYPTION_PASSPHRASE_FILE=$T/passphrase
round 'to a pass phrase' plain gzip
round 'to a pass phrase' custom gzip
finish

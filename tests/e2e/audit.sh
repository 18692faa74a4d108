# The audit log: one JSON line per event, with the fields that grep and people look for.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 || exit 1
sr_env
export PGDATABASE=shop
log=$BACKUP_DIR/.strongroom/audit.log
exit_is 0 'a backup' with BACKUP_TRACE_ID=trace-7 BACKUP_USER_ID='ann "x"' BACKUP_IP_ADDRESS=192.0.2.7 sr backup --label x
create_db copy
exit_is 0 'a restore' sr restore x --into copy --yes
exit_is 1 'a failed backup' with PGPORT=1 sr backup --label y
exit_is 0 'a scheduled one' sr backup --scheduled
exit_is 0 'a verification' sr verify latest
exit_is 0 'every line is a JSON object' jq -e 'type == "object" and .action != null' "$log"
event() { # event ACTION FILTER
    jq -r "select(.action == \"$1\") | $2" "$log" | head -1
}
ok 'compact, so that grep finds it' grep -q '"action":"db_backup_succeeded"' "$log"
ok 'and its outcome' grep -q '"outcome":"success"' "$log"
ok 'failures too' grep -q '"action":"db_backup_failed"' "$log"
is 'started: trigger' "$(event db_backup_started .trigger)" cli
isnt 'started: dump_path' "$(event db_backup_started .dump_path)" null
is 'succeeded: outcome' "$(event db_backup_succeeded .outcome)" success
is 'succeeded: dump_hash is the digest in the name' "$(event db_backup_succeeded .dump_hash)" "$(objects '^x-' | grep -v globals | grep -oE '[0-9a-f]{64}')"
is 'succeeded: size_bytes' "$(event db_backup_succeeded .size_bytes)" "$(cd "$BACKUP_DIR" && cat $(objects '^x-') | wc -c)"
is 'user' "$(event db_backup_succeeded .user_id)" 'ann "x"'
is 'address' "$(event db_backup_succeeded .ip_address)" 192.0.2.7
is 'trace' "$(event db_backup_succeeded .trace_id)" trace-7
is 'failed: outcome' "$(event db_backup_failed .outcome)" failure
isnt 'failed: error' "$(event db_backup_failed .error)" null
is 'restore' "$(event db_restore_succeeded .outcome)" success
is 'verification' "$(event db_backup_verified '[.outcome, .rung, .store] | join(" ")')" 'success opened local'
isnt 'scheduled' "$(jq -r 'select(.trigger == "scheduled") | .action' "$log" | head -1)" ''
is 'private' "$(stat -c %a "$log")" 600
exit_is 0 'elsewhere' with BACKUP_AUDIT_LOG="$T/elsewhere.log" sr backup --label z
ok 'the other file has it' grep -q db_backup_succeeded "$T/elsewhere.log"
exit_is 0 'on standard error' with BACKUP_AUDIT_LOG=- sr backup --label z2
contains 'there it is' "$ERR" '"action":"db_backup_succeeded"'
exit_is 0 'log lines as JSON' with LOG_FORMAT=json LOG_LEVEL=debug BACKUP_AUDIT_LOG=off sr backup --label z3 --no-progress
cp "$T/err" "$T/err.copy"
exit_is 0 'each is one object' jq -e 'type == "object"' "$T/err.copy"
finish

# list and show: for people and as JSON; verify leaves a proof.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && dataset other 1 && gpg_home || exit 1
sr_env
export PGDATABASE=shop
exit_is 0 'an encrypted backup' with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$GPG_FPR" sr backup --label sealed --json
is 'schema' "$(json .schema)" 1
for field in set label source created_at format trigger duration_seconds objects stores pruned; do
    is "backup --json has $field" "$(json "has(\"$field\")")" true
done
for field in key size sha256 plain_sha256 plain_size raw_size; do
    is "an object has $field" "$(json "all(.objects[]; has(\"$field\"))")" true
done
is 'a store: name ok' "$(json '.stores[] | [.name, (.ok | tostring)] | join(" ")')" 'local true'
key=$(json '.objects[0].key')
is 'sha256 is that of the stored object' "$(json '.objects[0].sha256')" "$(sha256sum <"$BACKUP_DIR/$key" | cut -d' ' -f1)"
is 'size too' "$(json '.objects[0].size')" "$(stat -c %s "$BACKUP_DIR/$key")"
matches 'times are ISO 8601 UTC' "$(json .created_at)" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$'
exit_is 0 'another database' sr backup --database other --label open
exit_is 0 'list' sr list
contains 'for people: the set' "$OUT" sealed-
lacks 'for people: no JSON' "$OUT" '{'
exit_is 0 'list --json' sr list --json
is 'schema of a list' "$(json .schema)" 1
is 'both are listed' "$(json '.backups | length')" 2
for field in set label source created_at trigger size encrypted stores proofs hold kept_until kept_because; do
    is "an entry has $field" "$(json "all(.backups[]; has(\"$field\"))")" true
done
is 'which is encrypted' "$(json '[.backups[] | select(.encrypted) | .label] | join(",")')" sealed
exit_is 0 'by label' sr list --label op --json
is 'one fits' "$(json '[.backups[].label] | join(",")')" open
exit_is 0 'by store' sr list --store local --json
isnt 'by a store that is none' "$(sr list --store nosuch >/dev/null 2>&1; echo $?)" 0
exit_is 0 'latest of a database' sr show latest --database other --json
is 'is that' "$(json .source)" other
exit_is 0 'show' sr show sealed
contains 'who can read it' "$OUT" "$GPG_FPR"
exit_is 0 'what is not encrypted tells its tables' sr show open
contains 'transactions is one' "$OUT" transactions
exit_is 0 'show without the key' with GNUPGHOME="$(mktemp -d "$T/gXXX")" sr show sealed
lacks 'does not tell the tables' "$OUT" transactions
exit_is 0 'verify' sr verify open
exit_is 0 'verify one store' sr verify --all --store local
exit_is 10 'verify of nothing' sr verify nosuch
exit_is 0 'quiet' sr backup --database other --label q --quiet
is 'says nothing' "$OUT$ERR" ''
# Another host: nothing but the store and the key.
exit_is 0 'a fresh host lists' env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS:-}" HOME="$(mktemp -d "$T/hXXX")" BACKUP_DIR="$BACKUP_DIR" BACKUP_PLUGIN_PATH="$(sr_plugin_path)" "$SR_BUILDDIR/strongroom" list
contains 'what is there' "$OUT" sealed-
finish

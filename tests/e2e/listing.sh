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
contains 'with the key: the tables' "$OUT" transactions
matches 'with the key: the host' "$OUT" 'host +127\.0\.0\.1'
lacks 'nothing is said to be closed' "$OUT" 'host, tables and rows'
exit_is 0 'show --json with the key' sr show sealed --json
is 'the detail' "$(json '.detail.host')" 127.0.0.1
is 'rows' "$(json '.objects[0].rows["public.transactions"]')" 1000
is 'the database' "$(json '.objects[0].database')" shop
is 'host' "$(json .host)" 127.0.0.1
is 'and nothing closed' "$(json .detail_closed)" null
exit_is 0 'what is not encrypted tells its tables' sr show open
contains 'transactions is one' "$OUT" transactions
no_key() {
    with GNUPGHOME="$(mktemp -d "$T/gXXX")" "$@"
}
exit_is 0 'show without the key' no_key sr show sealed
lacks 'does not tell the tables' "$OUT" transactions
contains 'and says why' "$OUT" 'encrypted; the key is not here'
exit_is 0 'show --json without the key' no_key sr show sealed --json
is 'no detail' "$(json '[.detail, .host, .objects[0].rows, .objects[0].database] | tostring')" '[null,null,null,null]'
is 'and why' "$(json .detail_closed)" 'encrypted; the key is not here'

# A secret key that a passphrase locks: nobody is asked, on a terminal or not.
cp -a "$GNUPGHOME" "$T/glocked" && rm -f "$T"/glocked/S.*
at_exit "GNUPGHOME=$T/glocked gpgconf --kill all >/dev/null 2>&1"
printf '#!/bin/sh\ntouch %s\necho "OK ready"\nwhile read -r line; do echo "ERR 83886179 cancelled"; done\n' "$T/asked" >"$T/pinentry"
chmod 755 "$T/pinentry"
printf 'pinentry-program %s\nallow-loopback-pinentry\n' "$T/pinentry" >"$T/glocked/gpg-agent.conf"
# Changing the passphrase takes the old one and the new one twice by way of the command descriptor.
printf '\nlocked\nlocked\n' | GNUPGHOME=$T/glocked gpg --batch --no-tty --pinentry-mode loopback --command-fd 0 --passwd "$GPG_FPR" >>"$T/gpg.log" 2>&1
GNUPGHOME=$T/glocked gpgconf --kill gpg-agent
exit_is 12 'the key is locked indeed' with GNUPGHOME="$T/glocked" sr restore sealed --into nowhere --create --yes
ok 'and asked for where it is needed' test -e "$T/asked"
rm -f "$T/asked"
exit_is 0 'show with a locked key' with GNUPGHOME="$T/glocked" GPG_TTY=/dev/tty sr show sealed
contains 'says so' "$OUT" 'is locked'
lacks 'and no tables' "$OUT" transactions
no 'and asks nobody' test -e "$T/asked"

# With a passphrase.
printf 'a long passphrase\n' >"$T/phrase" && chmod 600 "$T/phrase"
printf 'another passphrase\n' >"$T/wrong" && chmod 600 "$T/wrong"
exit_is 0 'a backup with a passphrase' with BACKUP_ENCRYPTION_ENABLED=on BACKUP_ENCRYPTION_PASSPHRASE_FILE="$T/phrase" sr backup --label phrased
exit_is 0 'show with it' with BACKUP_ENCRYPTION_PASSPHRASE_FILE="$T/phrase" sr show phrased
contains 'tells the tables' "$OUT" transactions
exit_is 0 'show without it' sr show phrased
contains 'says why not' "$OUT" 'encrypted; the key is not here'
exit_is 0 'show with another' with BACKUP_ENCRYPTION_PASSPHRASE_FILE="$T/wrong" sr show phrased
contains 'says that it does not fit' "$OUT" 'does not open it'
detail=$(_keys | grep '^phrased.*detail')
printf damaged >"$BACKUP_DIR/$detail"
exit_is 0 'show with a damaged detail' with BACKUP_ENCRYPTION_PASSPHRASE_FILE="$T/phrase" sr show phrased
contains 'names it' "$OUT" "$detail"
rm "$BACKUP_DIR/$detail"
exit_is 0 'show with a lost detail' with BACKUP_ENCRYPTION_PASSPHRASE_FILE="$T/phrase" sr show phrased
contains 'names that, too' "$OUT" "$detail"
exit_is 0 'verify' sr verify open
exit_is 0 'verify one store' sr verify --all --store local
exit_is 10 'verify of nothing' sr verify nosuch
exit_is 0 'quiet' sr backup --database other --label q --quiet
is 'says nothing' "$OUT$ERR" ''
# Another host: nothing but the store and the key.
exit_is 0 'a fresh host lists' env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS:-}" HOME="$(mktemp -d "$T/hXXX")" BACKUP_DIR="$BACKUP_DIR" BACKUP_PLUGIN_PATH="$(sr_plugin_path)" "$SR_BUILDDIR/strongroom" list
contains 'what is there' "$OUT" sealed-
finish

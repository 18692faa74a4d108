# doctor tells every blocker at once, and config shows everything but secrets.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start --password 'S3cretWord' && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env
export PGDATABASE=shop
exit_is 0 'all is well' sr doctor
exit_is 0 'all is well, as JSON' sr doctor --json
is 'schema' "$(json .schema)" 1
run with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=nobody@example.test PGPORT=1 BACKUP_DIR=/proc/nosuch sr doctor
isnt 'three things wrong' "$RC" 0
contains 'the key' "$OUT$ERR" nobody@example.test
contains 'the server' "$OUT$ERR" 127.0.0.1
contains 'the folder' "$OUT$ERR" /proc/nosuch
is 'nothing is left in the store by the check' "$(_keys)" ''

gpg_key soon@example.test 1d
q postgres 'SELECT 1' >/dev/null
for who in nobody@example.test 0xDEADBEEF 'two@example.test'; do
    exit_is 12 "recipient $who" with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$who" sr backup --label x
    contains "recipient $who is named" "$ERR" "${who#0x}"
done
gpg_key two@example.test
first=$GPG_FPR
gpg_quiet --passphrase '' --pinentry-mode loopback --quick-generate-key 'Other <two@example.test>' future-default default never
exit_is 12 'an ambiguous recipient' with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=two@example.test sr backup --label x
contains 'the candidates are told' "$ERR" "${first: -16}"
exit_is 0 'the fingerprint is clear' with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$first" sr backup --label x
gpg_quiet --passphrase '' --pinentry-mode loopback --quick-generate-key signer@example.test ed25519 sign never
exit_is 12 'a key that cannot encrypt' with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID=signer@example.test sr backup --label x
gpg_key gone@example.test 2d
printf 'y\n' >/dev/null
gpg_quiet --yes --pinentry-mode loopback --passphrase '' --quick-set-expire "$GPG_FPR" seconds=1 2>/dev/null
gpg_quiet --yes --pinentry-mode loopback --passphrase '' --quick-set-expire "$GPG_FPR" seconds=1 '*' 2>/dev/null
has_expired() { gpg --batch --list-keys --with-colons "$GPG_FPR" 2>/dev/null | grep -q '^pub:e:'; }
ok 'a key expires' poll 10 has_expired
exit_is 12 'an expired key' with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$GPG_FPR" sr backup --label x
matches 'is told so' "$ERR" 'expired'
gpg_public_home
exit_is 0 'freshly imported keys without owner trust' with GNUPGHOME="$GPG_PUBLIC_HOME" BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$first" sr backup --label public
is 'only good runs stored something' "$(manifests | wc -l)" 2

exit_is 0 'config' with DATABASE_URL='postgresql://u:UrlSecret@h/d' BACKUP_ENCRYPTION_PASSPHRASE=PhraseSecret sr config
lacks 'no pass phrase' "$OUT$ERR" PhraseSecret
lacks 'no password of a URL' "$OUT$ERR" UrlSecret
contains 'but where it came from' "$OUT" environment
exit_is 0 'config --json' with DATABASE_URL='postgresql://u:UrlSecret@h/d' POSTGRES_PASSWORD=PostSecret sr config --json
lacks 'neither in JSON' "$OUT$ERR" Secret
run with LOG_LEVEL=debug sr backup --label debug
lacks 'no password at the highest log level' "$OUT$ERR" S3cretWord
exit_is 0 'plugins' sr plugins
contains 'the local one' "$OUT" local
exit_is 0 'plugins local' sr plugins local
contains 'its settings' "$OUT" DIR
exit_is 0 'plugins --json' sr plugins --json
is 'local is there' "$(json '[.plugins[].name] | index("local") != null')" true
run with BACKUP_PLUGIN_PATH="$SR_BUILDDIR/tests/abi/.libs" BACKUP_STORAGE_ADAPTER=weak sr doctor
contains 'a store that cannot create a name only once is told' "$OUT" 'only once'
finish

# Signed backups: who can write to the store can neither pass off a set, nor swap objects, nor bring back an old
# one as the latest, unnoticed; with an HMAC key, with GPG keys, on a fresh host with the store and the key alone.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/signing.sh"
pg_start && pg_env && dataset shop 1 && gpg_home signer@example.test || exit 1
SIGNER=$GPG_FPR
gpg_key other@example.test && OTHER=$GPG_FPR || exit 1
sr_env
export PGDATABASE=shop BACKUP_RETENTION_DAYS=0 BACKUP_PROOFS=off BACKUP_GLOBALS=off
openssl rand -hex 32 >"$T/key" && openssl rand -hex 32 >"$T/other-key" && chmod 600 "$T"/*key
hmac() { with BACKUP_SIGN_KEY_FILE="$T/key" "$@"; }
strict() { with BACKUP_SIGN_KEY_FILE="$T/key" BACKUP_REQUIRE_SIGNATURE=on "$@"; }
signing_test() { # signing_test: what every kind of key must keep from happening; `signed` sets the key

    # Made and told.
    store_new
    exit_is 0 "$1: a backup" signed sr backup --label one --json
    one=$(json .set)
    is 'its signature lies beside it' "$(_keys | grep -c "^$one\.shop\.signature$")" 1
    exit_is 0 'list' signed sr list --json
    is 'tells that it is signed' "$(json '.backups[0].signature.state')" signed
    contains 'and by whom' "$(json '.backups[0].signature.by')" "$2"
    exit_is 0 'list for people' signed sr list
    matches 'does too' "$OUT" "SIGNED.*"$'\n'".* yes +local"
    exit_is 0 'show' signed sr show one
    contains 'tells it' "$OUT" "signature   signed by $2"
    exit_is 0 'verify' signed sr verify one --json
    is 'tells it' "$(json '.verified[0].signature.state')" signed
    exit_is 0 'who has no key' sr list --json
    is 'cannot tell' "$(json '.backups[0].signature.state')" unchecked
    exit_is 0 'and restores as before' sr restore one --into copy --create --yes
    drop_db copy
    exit_is 0 'with the key' demanded sr restore latest --into copy --create --yes
    restored_equals shop copy 'every row is back'
    drop_db copy
    exit_is 0 'a second one' signed sr backup --label two --json
    two=$(json .set)
    store_keep

    # A manifest that somebody made himself, digest and all.
    forge "$one" '.notes += ["forged"]'
    refuses 'a forged manifest' "$one" 'not the one that was signed'
    cp "$BACKUP_DIR/$one.shop.signature" "$T/signature"
    restate "$one"
    refuses 'one that the signature was made to name' "$one" 'does not fit'
    cp "$T/signature" "$BACKUP_DIR/$one.shop.signature"
    exit_is 0 'list' signed sr list --json
    is 'tells of it' "$(json ".backups[] | select(.set == \"$one\").signature | [.state, .why] | join(\": \")")" 'bad: the manifest is not the one that was signed'
    exit_is 0 'and of the other' signed sr show two
    contains 'which is as it was' "$OUT" 'signed by'

    # An object that was changed, and a manifest that says so.
    object=$(objects "^$one" | head -n 1)
    echo "DROP TABLE transactions;" | gzip >"$BACKUP_DIR/$object"
    forge "$one" ".objects[0].size = $(stat -c %s "$BACKUP_DIR/$object") | .objects[0].sha256 = \"$(sha256sum <"$BACKUP_DIR/$object" | cut -d' ' -f1)\""
    exit_is 0 'without a key it passes for a backup' sr fetch "$one" --output "$T/got$1"
    refuses 'a changed object with a manifest made anew' "$one" 'not the one that was signed'

    # Objects of two sets exchanged, under the names of each other.
    store_back
    a=$(objects "^$one" | head -n 1) b=$(objects "^$two" | head -n 1)
    cp "$BACKUP_DIR/$a" "$T/swap" && cp "$BACKUP_DIR/$b" "$BACKUP_DIR/$a" && cp "$T/swap" "$BACKUP_DIR/$b"
    refuses 'objects swapped between two sets' "$one" 'is damaged'
    store_back
    forge "$one" ".objects[0] = ($(cat "$BACKUP_DIR/$two.shop.manifest.json") | .objects[0])" 2>/dev/null
    refuses 'a manifest that names the object of another' "$one" ''

    # An old set under a new name.
    store_back
    new=one-20990101000000
    rename_set "$one" "$new"
    for how in old new; do
        [ $how = new ] && sed -i "s/^set .*/set $new/" "$BACKUP_DIR/$new.shop.signature" && restate "$new"
        refuses "an old set under a new name, with the $how words" "$new" "$([ $how = old ] || echo 'does not fit')"
        exit_is 13 'it is not what latest leads to' signed sr restore latest --into copy --create --yes
        contains 'which is said loudly' "$ERR" "$new"
        contains 'and no older one is taken for it' "$ERR" 'nothing older is taken'
    done

    # The signature of another set.
    store_back
    cp "$BACKUP_DIR/$two.shop.signature" "$BACKUP_DIR/$one.shop.signature"
    refuses 'the signature of another set' "$one" "signature of another backup, $two"
    printf rubbish >"$BACKUP_DIR/$one.shop.signature"
    refuses 'what is no signature' "$one" 'no signature of strongroom'
    head -c 300000 /dev/zero >"$BACKUP_DIR/$one.shop.signature"
    refuses 'what is too large for one' "$one" 'too large'

    # Stripped.
    store_back
    rm "$BACKUP_DIR/$two.shop.signature"
    exit_is 13 'a signature that was taken away, where one is demanded' demanded sr restore latest --into copy --create --yes
    contains 'is said' "$ERR" 'is not signed, and BACKUP_REQUIRE_SIGNATURE'
    exit_is 13 'verify demands it too' demanded sr verify two
    exit_is 13 'who has seen it misses it' signed sr restore latest --into copy --create --yes
    exit_is 0 'elsewhere it is taken' fresh sr restore latest --into copy --create --yes
    contains 'with a warning' "$ERR" 'is not signed: nothing tells who made it'
    drop_db copy
    exit_is 0 'list' signed sr list --json
    is 'shows the one without among those with' "$(json '[.backups[].signature.state] | join(",")')" unsigned,signed

    # The newest is gone.
    store_back
    exit_is 0 'this host has seen the newest' signed sr list
    rm "$BACKUP_DIR/$two"*
    exit_is 4 'the newest was deleted behind our back: no old one is brought back as latest' signed sr restore latest --into copy --create --yes
    contains 'it is said what is missing' "$ERR" "$two"
    for verb in list 'verify one' 'verify --all' 'prune --dry-run --store local' doctor 'sync local dr --dry-run'; do
        run signed with BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR="$T/empty" sr $verb
        contains "${verb%% *} says it" "$ERR" "$two"
    done
    exit_is 0 'list --json' signed sr list --json
    contains 'has it' "$(json '.missed[0]')" "$two"
    exit_is 0 'who names a backup gets it' signed sr restore "$one" --into copy --create --yes
    drop_db copy
    exit_is 0 'a host without that memory' fresh sr restore latest --into copy --create --yes
    drop_db copy
    exit_is 4 'can be told what is too old' fresh sr restore latest --into copy --create --yes --not-before 2098-12-31
    contains 'it says so' "$ERR" 'older than BACKUP_SIGN_NOT_BEFORE'
    exit_is 2 'in words that are a time' fresh sr restore latest --into copy --create --yes --not-before soon

    # A label narrows what is asked for: older ones are what is wanted then, unless newer ones are gone.
    store_back
    exit_is 0 'this host has seen the newest' signed sr list
    exit_is 0 'the latest of a label may be older' signed sr restore latest --label one --into copy --create --yes
    drop_db copy
    rm "$BACKUP_DIR/$two"*
    exit_is 4 'but not when the newest are gone' signed sr restore latest --label one --into copy --create --yes
    exit_is 0 'another host made a newer one, and took that one' fresh sr backup --label three
    exit_is 0 'so nothing is missed' signed sr restore latest --label one --into copy --create --yes
    drop_db copy

    # Forged ones are not what retention relies on.
    store_back
    forge "$two" '.notes += ["forged"]'
    exit_is 0 'prune, while the newest is forged' signed sr prune --set BACKUP_RETENTION_SIZE=1
    contains 'says that it is' "$ERR" 'its signature is bad'
    is 'and keeps the good one' "$(_keys | grep -c "^$one.*manifest")" 1

    # What a run that was cut off left goes with its signature.
    store_back
    rm "$BACKUP_DIR/$two.shop.manifest.json"
    find "$BACKUP_DIR" -name "$two*" -exec touch -d '3 days ago' {} +
    exit_is 0 'sweep' signed sr sweep
    is 'takes the signature too' "$(_keys | grep -c "^$two")" 0

    # Carried elsewhere.
    store_back
    mkdir -p "$T/dr" && rm -rf "$T/dr"/* && forge "$one" '.notes += ["forged"]'
    exit_is 13 'sync' signed with BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR="$T/dr" sr sync local dr
    is 'carries no bad one' "$(ls "$T/dr" | grep -c "^$one")" 0
    is 'and the good one with its signature' "$(cmp "$T/dr/$two.shop.signature" "$BACKUP_DIR/$two.shop.signature" && echo same)" same
    exit_is 0 'from where it is as good' demanded with BACKUP_STORAGE_ADAPTER=dr=local BACKUP_DR_DIR="$T/dr" sr verify --all
    printf rubbish >"$T/dr/$two.shop.signature"
    exit_is 13 'a signature that was spoilt there' signed with BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR="$T/dr" sr sync local dr --reread
    is 'is mended' "$(cmp "$T/dr/$two.shop.signature" "$BACKUP_DIR/$two.shop.signature" && echo same)" same
    store_back && rm "$BACKUP_DIR/$one.shop.signature" && rm -rf "$T/dr"/*
    exit_is 3 'what is not signed is not carried where that is demanded' demanded with BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR="$T/dr" sr sync local dr
    is 'the other is' "$(ls "$T/dr" | grep -c manifest)" 1

    # Deleted with its set; nobody misses what retention took.
    store_back
    exit_is 0 'prune' signed sr prune --set BACKUP_RETENTION_SIZE=1
    is 'takes the signature with the set' "$(_keys | grep -c "^$one")" 0
    exit_is 0 'list' signed sr list --json
    is 'misses nothing' "$(json '.missed | length')" 0
    exit_is 0 'a fresh host, with nothing but the store and the key' fresh demanded sr restore latest --into copy --create --yes
    restored_equals shop copy 'has every row'
    drop_db copy
}

# --- HMAC ---
signed() { hmac "$@"; }
demanded() { strict "$@"; }
signing_test HMAC 'HMAC key '
store_back
exit_is 13 'another key' with BACKUP_SIGN_KEY_FILE="$T/other-key" sr verify "$one"
contains 'is not the one' "$ERR" 'no key that is accepted here'
exit_is 0 'until it is told of the first' with BACKUP_SIGN_KEY_FILE="$T/other-key" BACKUP_SIGN_ACCEPT="$T/key" sr verify "$one"
chmod 644 "$T/key"
exit_is 12 'a key that all may read' hmac sr backup
contains 'is no secret' "$ERR" 'mode 0644'
exit_is 1 'doctor' hmac sr doctor
contains 'tells that' "$OUT" 'mode 0644'
chmod 600 "$T/key"
exit_is 12 'a key that is not there' with BACKUP_SIGN_KEY_FILE="$T/nowhere" sr backup
exit_is 2 'demanded without a key' with BACKUP_REQUIRE_SIGNATURE=on sr verify "$one"
exit_is 0 'doctor' hmac sr doctor
contains 'tells of a key that signs' "$OUT" 'signs without a question'
is 'the key is in nothing that was stored' "$(grep -rlF "$(cat "$T/key")" "$BACKUP_DIR")" ''

# Encrypted sets have a detail that only the signature vouches for; several stores get the same bytes.
store_new
sealed() { hmac with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$OTHER" "$@"; }
exit_is 0 'an encrypted backup in two stores' sealed with BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR="$T/two" sr backup --label sealed --json
sealed=$(json .set)
is 'has one signature' "$(cmp "$T/two/$sealed.shop.signature" "$BACKUP_DIR/$sealed.shop.signature" && echo same)" same
exit_is 0 'show' hmac sr show sealed --json
is 'opens the detail' "$(json '.detail.user')" "$PGUSER"
echo '{"format":1,"set":"'"$sealed"'","user":"mallory","objects":[]}' | gzip | gpg_quiet --trust-model always -e -r "$OTHER" -o - >"$T/detail"
cp "$T/detail" "$BACKUP_DIR/$sealed.shop.detail.json.gz.gpg"
exit_is 0 'show' hmac sr show sealed --json
contains 'takes no other detail' "$(json '.detail_closed')" 'not the one that was signed'
exit_is 0 'who has no key' sr show sealed --json
is 'is told lies' "$(json '.detail.user')" mallory

# Adopted dumps are signed too.
store_new
"$PG_BIN/pg_dump" shop | gzip >"$T/foreign.sql.gz"
exit_is 0 'adopt' hmac sr adopt "$T/foreign.sql.gz"
exit_is 0 'what was adopted' strict sr verify foreign

# A file by its path has no signature.
exit_is 0 'a file' hmac sr restore "$T/foreign.sql.gz" --into copy --create --yes
drop_db copy
exit_is 13 'where one is demanded' strict sr restore "$T/foreign.sql.gz" --into copy --create --yes

# --- GPG ---
signed() { with BACKUP_SIGN_GPG_KEY="$SIGNER" "$@"; }
demanded() { with BACKUP_SIGN_GPG_KEY="$SIGNER" BACKUP_REQUIRE_SIGNATURE=on "$@"; }
signing_test GPG "GPG key $SIGNER"
store_back
exit_is 13 'another key' with BACKUP_SIGN_ACCEPT="$OTHER" sr verify "$one"
contains 'is not the one' "$ERR" 'no key that is accepted here'
sed -i "s/^openpgp $SIGNER/openpgp $OTHER/" "$BACKUP_DIR/$one.shop.signature"
exit_is 13 'though the signature says it was' with BACKUP_SIGN_ACCEPT="$OTHER" sr verify "$one"
store_back
gpg_public_home
exit_is 0 'a host with the public key alone' with GNUPGHOME="$GPG_PUBLIC_HOME" BACKUP_SIGN_ACCEPT="$SIGNER" BACKUP_REQUIRE_SIGNATURE=on sr restore latest --into copy --create --yes
drop_db copy
exit_is 12 'cannot sign' with GNUPGHOME="$GPG_PUBLIC_HOME" BACKUP_SIGN_GPG_KEY="$SIGNER" sr backup
contains 'which is said before the dump' "$ERR" 'no secret key'
gpg_quiet --faked-system-time '20200101T000000!' --passphrase '' --quick-generate-key old@example.test ed25519 sign 2020-02-01
OLD=$(gpg_quiet --list-keys --with-colons old@example.test | awk -F: '$1 == "fpr" {print $10; exit}')
exit_is 12 'an expired key' with BACKUP_SIGN_GPG_KEY="$OLD" sr backup
contains 'is told' "$ERR" expired
exit_is 1 'by doctor too' with BACKUP_SIGN_GPG_KEY="$OLD" sr doctor
contains 'with the reason' "$OUT" expired
gpg_quiet --pinentry-mode loopback --passphrase 'Pass-phrase 1' --quick-generate-key locked@example.test ed25519 sign never
LOCKED=$(gpg_quiet --list-keys --with-colons locked@example.test | awk -F: '$1 == "fpr" {print $10; exit}')
gpg_key older@example.test && OLDER=$GPG_FPR
gpgconf --reload gpg-agent
exit_is 12 'a locked key asks nobody' with BACKUP_SIGN_GPG_KEY="$LOCKED" sr backup
contains 'and says what to set' "$ERR" BACKUP_SIGN_GPG_PASSPHRASE
exit_is 0 'with its passphrase it signs' with BACKUP_SIGN_GPG_KEY="$LOCKED" BACKUP_SIGN_GPG_PASSPHRASE='Pass-phrase 1' sr backup --label locked
# The key goes away while the dump is made: it is kept, and the run says that it is not signed.
printf '#!/bin/bash\n[ "$1" = --version ] || gpg --batch --yes --delete-secret-keys %s\nexec %s/pg_dump "$@"\n' "$OLDER" "$PG_BIN" >"$T/pg_dump"
chmod 755 "$T/pg_dump"
exit_is 3 'a key that is gone when it is to sign' with BACKUP_SIGN_GPG_KEY="$OLDER" BACKUP_PGDUMP_PATH="$T/pg_dump" sr backup --label late --json
contains 'is told' "$ERR" 'is stored, but not signed'
exit_is 0 'the backup is there' sr verify late
store_back
sed 's/^:-----/-----/' "$GNUPGHOME/openpgp-revocs.d/$SIGNER.rev" >"$T/revoked.asc"
gpg_quiet --import "$T/revoked.asc"
exit_is 13 'a key that was revoked' signed sr verify "$one"
contains 'counts for nothing' "$ERR" revoked
finish

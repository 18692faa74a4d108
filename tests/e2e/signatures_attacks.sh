# Signed backups against who can write to the store: sets of his own that push real ones out of retention, marks that
# no key made, signatures and details taken away or exchanged, and what is restored from elsewhere.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/signing.sh"
pg_start && pg_env && dataset shop 1 && gpg_home reader@example.test || exit 1
READER=$GPG_FPR
sr_env
export PGDATABASE=shop BACKUP_RETENTION_DAYS=0 BACKUP_PROOFS=off BACKUP_GLOBALS=off
openssl rand -hex 32 >"$T/key" && chmod 600 "$T/key"
signed() { with BACKUP_SIGN_KEY_FILE="$T/key" "$@"; }
demanded() { with BACKUP_SIGN_KEY_FILE="$T/key" BACKUP_REQUIRE_SIGNATURE=on "$@"; }
named() { (cd "$BACKUP_DIR" && ls ./*.manifest.json | sed 's/^\.\///; s/\..*//' | sort | tr '\n' ' '); }
stamp() { date -u -d "-$1 days" +%Y%m%d%H%M%S; }
backup() { signed sr backup --label "$1" --json >"$T/made" 2>"$T/why" && jq -r .set "$T/made" || cat "$T/why"; }

# --- A file has no signature. ---
store_new
one=$(backup one)
"$PG_BIN/pg_dump" shop | gzip >"$T/foreign.sql.gz"
exit_is 13 'a file, where a signature is demanded' demanded sr restore "$T/foreign.sql.gz" --into copy --create --yes
contains 'is refused with what to do' "$ERR" 'is a store in itself'
drop_db copy
exit_is 0 'elsewhere it is taken' signed sr restore "$T/foreign.sql.gz" --into copy --create --yes
contains 'with a warning' "$ERR" 'nothing tells who made it'
drop_db copy
exit_is 0 'what was fetched' demanded sr fetch "$one" --output "$T/fetched"
exit_is 0 'is a store in itself, with its signature' with BACKUP_DIR="$T/fetched" demanded sr restore "$one" --into copy --create --yes
drop_db copy

# --- Latest of a label is no older backup brought back; what was signed does not become unsigned. ---
two=$(backup two)
store_keep
exit_is 0 'the latest of another label than the newest' signed sr restore latest --label one --into copy --create --yes
drop_db copy
rm "$BACKUP_DIR/$two"* "$BACKUP_DIR/$one.shop.signature"
exit_is 4 'the newest deleted, the signature of the old one taken away' signed sr restore latest --into copy --create --yes
contains 'it is said what is missing' "$ERR" "$two"
store_back
rm "$BACKUP_DIR/$two.shop.signature"
exit_is 13 'a signature taken away from what this host has seen signed' signed sr restore "$two" --into copy --create --yes
contains 'is missed' "$ERR" 'was signed when this host last looked'
exit_is 13 'also by verify' signed sr verify "$two"
exit_is 13 'also as latest' signed sr restore latest --into copy --create --yes

# --- Sets and marks of the attacker's own take nothing from retention. ---
store_new
for days in 50 40 30 20 10 0; do
    made+=($(backup "nightly-$(stamp "$days")"))
done
real=$(named)
keep="--set BACKUP_RETENTION_DAYS=1 --set BACKUP_RETENTION_LAST=10"
decoy() { # decoy DAYS: a copy of the oldest under a name of its own
    local new
    new=nightly-$(stamp "$1") file=''
    for file in "$BACKUP_DIR/${made[0]}"*; do
        cp "$file" "$BACKUP_DIR/$new${file#"$BACKUP_DIR/${made[0]}"}"
    done
    sed -i "s/${made[0]}/$new/g" "$BACKUP_DIR/$new.shop.manifest.json" "$BACKUP_DIR/$new.shop.sha256" "$BACKUP_DIR/$new.shop.signature"
    forge "$new" .
    last_decoy=$new
}
still() { # still WHAT: all real sets are there
    local set left=''
    for set in "${made[@]}"; do
        [ -e "$BACKUP_DIR/$set.shop.manifest.json" ] || left+="$set "
    done
    is "$1" "$left" ''
}
store_keep
# shellcheck disable=SC2086
exit_is 0 'prune' signed sr prune $keep
is 'keeps all that is real' "$(named)" "$real"
for days in 9 8 7 6 5 4 3; do decoy "$days"; done
# shellcheck disable=SC2086
exit_is 0 'with seven forged sets, newer than all but one' signed sr prune $keep
still 'every real one stays'
contains 'the forged ones are told' "$ERR" 'is not whole'
store_back
for days in 9 8 7 6 5 4 3; do decoy "$days" && rm "$BACKUP_DIR/$last_decoy.shop.signature"; done
# shellcheck disable=SC2086
exit_is 0 'with seven that have no signature, where one is demanded' demanded sr prune $keep
still 'every real one stays, too'
store_back
for days in 51 41 31 21; do decoy "$days"; done
exit_is 0 'tiers' signed sr prune --set BACKUP_RETENTION_DAYS=1 --set BACKUP_RETENTION_MONTHLY=6
isnt 'are not made of forged ones' "$(named | tr ' ' '\n' | grep -c .)" 0
for month in $(printf '%s\n' "${made[@]}" | cut -c 9-14 | sort -u); do
    ok "a real one of $month is there" compgen -G "$BACKUP_DIR/nightly-$month*.shop.manifest.json"
done
store_back
for set in "${made[@]:0:5}"; do
    : >"$BACKUP_DIR/$set.shop.proof-failed-reread-$(stamp 0).json"
done
# shellcheck disable=SC2086
exit_is 0 'with forged failures' signed sr prune $keep
still 'every real one stays'

# --- The detail of an encrypted backup: sync carries no other than the one that was signed. ---
store_new
sealed=$(with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$READER" backup sealed)
detail=$BACKUP_DIR/$sealed.shop.detail.json.gz.gpg
old=$(sha256sum <"$detail" | cut -d' ' -f1)
echo '{"format":1,"set":"'"$sealed"'","user":"mallory","objects":[]}' | gzip | gpg_quiet --trust-model always -e -r "$READER" -o - >"$T/detail"
cp "$T/detail" "$detail"
sed -i "s/$old/$(sha256sum <"$detail" | cut -d' ' -f1)/" "$BACKUP_DIR/$sealed.shop.sha256"
exit_is 13 'sync of a set with another detail, sums and all' signed with BACKUP_STORAGE_ADAPTER=local,dr=local BACKUP_DR_DIR="$T/dr" sr sync local dr
contains 'says so' "$ERR$OUT" 'not the one that was signed'
is 'and makes no backup of it' "$(ls "$T/dr" 2>/dev/null | grep -c manifest)" 0
exit_is 13 'verify' signed sr verify "$sealed"
contains 'says so, too' "$ERR" 'not the one that was signed'
exit_is 13 'fetch' signed sr fetch "$sealed" --output "$T/other"
contains 'does not bring it' "$ERR" 'not the one that was signed'
mv "$detail" "$T/away"
exit_is 13 'verify of a set whose detail is gone' signed sr verify "$sealed"
finish

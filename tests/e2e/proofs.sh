# The proof ladder: verify records what it found beside the backup, bound to its manifest; list and
# show tell it; runs are sampled and bounded; failures and hostile proofs are told, never fatal.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
pg_start && pg_env && dataset shop 1 && gpg_home || exit 1
sr_env
export PGDATABASE=shop
sealed() {
    with BACKUP_ENCRYPTION_ENABLED=on GPG_RECIPIENT_KEY_ID="$GPG_FPR" "$@"
}
no_key() {
    with GNUPGHOME="$(mktemp -d "$T/gXXX")" "$@"
}
proofs_of() { # LABEL: the names of its proofs
    _keys | sed -n "s/^$1-[0-9]*\.shop\.\(proof-.*\)-[0-9]*\.json\$/\1/p" | sort | tr '\n' ' '
}
exit_is 0 'a backup' sr backup --label open
exit_is 0 'an encrypted one' sealed sr backup --label sealed
exit_is 0 'list' sr list --json
is 'nothing is proven yet' "$(json '[.backups[] | .rung, (.proofs | length)] | tostring')" '["stored",0,"stored",0]'

# As far as the key allows.
exit_is 0 'verify' sr verify open --json
is 'what was recorded' "$(json '.verified[0].recorded | tostring')" '[{"rung":"opened","outcome":"passed"}]'
is 'lies beside the backup' "$(proofs_of open)" 'proof-opened '
exit_is 0 'verify without the key' no_key sr verify sealed --json
is 'gets as far as' "$(json '.verified[0].recorded[0].rung')" re-read
exit_is 0 'verify with the key' sr verify sealed
is 'both are there' "$(proofs_of sealed)" 'proof-opened proof-reread '
exit_is 0 'list' sr list --json
is 'tells the highest' "$(json '[.backups[].rung] | tostring')" '["opened","opened"]'
is 'and each' "$(json '[.backups[] | select(.label == "sealed") | .proofs[] | [.rung, .outcome] | join(" ")] | sort | join(",")')" 'opened passed,re-read passed'
matches 'with the time' "$(json '.backups[0].proofs[0].time')" '^[0-9-]{10}T[0-9:]{8}Z$'
exit_is 0 'list for people' sr list
matches 'has it too' "$OUT" 'open-[0-9]+ .* opened  '
exit_is 0 'show' sr show sealed --json
is 'the rung' "$(json .rung)" opened
is 'who, in which store' "$(json '.proofs[0] | [.host, .store] | join(" ")')" "$(hostname) local"
is 'nothing is wrong with them' "$(json '[.proofs[].problem] | tostring')" '[null,null]'
contains 'what was checked' "$(json '.proofs[] | select(.rung == "opened").checked | join(";")')" 'structure parsed'
is 'bytes' "$(json '[.proofs[].bytes > 0] | all')" true
exit_is 0 'show for people' sr show sealed
matches 'tells it in a line' "$OUT" "proofs +[^ ]+Z opened on $(hostname)"
lacks 'of an encrypted backup no proof names a table' "$(cat "$BACKUP_DIR"/sealed-*proof*)" transactions

# A second check of the same second is another proof, not a replaced one.
n=$(_keys | grep -c '^open.*proof')
exit_is 0 'once more' sr verify open
exit_is 0 'and once more' sr verify open
is 'each is kept' "$(_keys | grep -c '^open.*proof')" $((n + 2))

# Of very many only the latest are kept, and nothing else is said by them than before.
set_now=$(_keys | sed -n 's/\.shop\.manifest\.json$//p' | grep ^open)
for i in $(seq 10 59); do
    : >"$BACKUP_DIR/$set_now.shop.proof-reread-202001010000$i.json"
done
: >"$BACKUP_DIR/$set_now.shop.proof-failed-reread-20200101000000.json"
printf x >"$BACKUP_DIR/$set_now.shop.proof-flown-20200101000000.json"
exit_is 0 'verify of a set with many proofs' sr verify open
is 'the older ones are gone' "$(_keys | grep -c '^open.*proof-reread')" 10
is 'the latest is there' "$(_keys | grep -c 'proof-reread-20200101000059')" 1
is 'what is of another kind stays' "$(_keys | grep -c -e proof-failed-reread -e proof-flown)" 2
is 'nothing of the standing is lost' "$(sr list --json 2>/dev/null | jq -r '.backups[] | select(.label == "open").rung')" opened
is 'and no other set lost any' "$(proofs_of sealed)" 'proof-opened proof-reread '
rm "$BACKUP_DIR/$set_now".shop.proof-*reread-2020* "$BACKUP_DIR/$set_now".shop.proof-flown*

# Carried over to another backup, or under another name, a proof counts for nothing.
exit_is 0 'a backup that nobody checked' sr backup --label lone
lone=$(_keys | sed -n 's/\.shop\.manifest\.json$//p' | grep ^lone)
own=$(_keys | grep '^open.*proof-opened' | head -n 1)
cp "$BACKUP_DIR/$own" "$BACKUP_DIR/$lone.shop.proof-opened-20300101000000.json"
sed -e "s/open-[0-9]*/$lone/" -e 's/"time": "[^"]*"/"time": "2030-01-02T00:00:00Z"/' "$BACKUP_DIR/$own" >"$BACKUP_DIR/$lone.shop.proof-opened-20300102000000.json"
printf rubbish >"$BACKUP_DIR/$lone.shop.proof-reread-20300103000000.json"
head -c 200000 /dev/zero >"$BACKUP_DIR/$lone.shop.proof-reread-20300104000000.json"
printf '{}' >"$BACKUP_DIR/$lone.shop.proof-flown-20300104000000.json"
: >"$BACKUP_DIR/$lone.shop.proof-compared-20300105000000.json"
exit_is 0 'show' sr show lone --json
is 'nothing is proven by them' "$(json .rung)" stored
is 'each is told' "$(json '[.proofs[].problem != null] | tostring')" '[true,true,true,true,true,true]'
contains 'one is of another backup' "$(json '[.proofs[].problem] | join(";")')" 'another backup'
contains 'one was changed' "$(json '[.proofs[].problem] | join(";")')" 'its digest does not fit'
exit_is 0 'show for people' sr show lone
contains 'says so' "$OUT" 'counts for nothing'
exit_is 0 'list goes on' sr list
# A set that was replaced under its name: the manifest is another one.
reopen=$(_keys | sed -n 's/\.shop\.manifest\.json$//p' | grep ^open)
cp "$BACKUP_DIR/$reopen.shop.manifest.json" "$T/kept"
jq -cSj 'del(.digest) | .notes += ["changed"]' <"$T/kept" >"$T/body"
jq --arg d "$(sha256sum <"$T/body" | cut -d' ' -f1)" '. + {digest: $d}' <"$T/body" >"$BACKUP_DIR/$reopen.shop.manifest.json"
exit_is 0 'show of a set with another manifest' sr show open --json
is 'its proofs are not of that' "$(json '.rung, ([.proofs[].problem | test("another manifest")] | all)' | tr '\n' ' ')" 'stored true '
cp "$T/kept" "$BACKUP_DIR/$reopen.shop.manifest.json"
rm "$BACKUP_DIR/$lone".shop.proof-*

# A pass by a clock that ran years ahead is one, and clears nothing.
before=$(proofs_of lone)
printf '{}' >"$BACKUP_DIR/$lone.shop.proof-compared-20990105000000.json"
is 'a pass of the future' "$(sr list --json | jq -r '.backups[] | select(.label == "lone") | .rung')" compared
# Damage.
object=$(_keys | grep '^lone.*sql.gz$' | grep -v globals)
cp "$BACKUP_DIR/$object" "$T/object"
printf X | dd of="$BACKUP_DIR/$object" bs=1 seek=1000 conv=notrunc 2>/dev/null
exit_is 13 'verify of a damaged backup' sr verify lone --json
is 'is recorded too' "$(json '.verified[0].recorded | tostring')" '[{"rung":"re-read","outcome":"failed"}]'
is 'under a name of its own, and the pass of the future is gone before its day comes' "$(proofs_of lone)" "proof-failed-reread $before"
printf '{}' >"$BACKUP_DIR/$lone.shop.proof-compared-20990105000000.json"
is 'one that comes later hides nothing' "$(sr list --json | jq -rc '.backups[] | select(.label == "lone") | [.rung, .failing]')" '["stored",["local"]]'
rm "$BACKUP_DIR/$lone.shop.proof-compared-20990105000000.json"
exit_is 0 'list' sr list
matches 'says so' "$OUT" 'lone-[0-9]+ .* stored; FAILED in local'
exit_is 0 'list --json' sr list --json
is 'in which store' "$(json '.backups[] | select(.label == "lone").failing | tostring')" '["local"]'
exit_is 0 'show' sr show lone
matches 'what failed' "$OUT" 're-read FAILED on .*damaged'
# What reads the damaged bytes next complains in its own words; the damage is told all the same.
{
    gzip -dc "$T/object" | head -n 50
    printf '\\! true\n'
    gzip -dc "$T/object"
} | gzip >"$BACKUP_DIR/$object"
exit_is 13 'verify of an object that another took the place of' sr verify lone --no-record
matches 'tells the digests' "$ERR" 'damaged: its stored bytes .* have SHA-256'
cp "$T/object" "$BACKUP_DIR/$object"
sleep_past_second() {
    local s
    s=$(date +%s)
    until [ "$(date +%s)" -gt "$s" ]; do sleep 0.1; done
}
sleep_past_second
exit_is 0 'mended' sr verify lone
exit_is 0 'list' sr list --json
is 'the failure no longer stands' "$(json '.backups[] | select(.label == "lone") | [.rung, (.failing | length)] | tostring')" '["opened",0]'
# Whole as stored, but no dump inside: what was re-read stays proven, what failed is to open it.
gzip -dc "$BACKUP_DIR/$object" | head -c 20000 | gzip >"$T/cut"
cp "$T/cut" "$BACKUP_DIR/$object"
manifest=$BACKUP_DIR/$(_keys | grep '^lone.*manifest')
jq -cSj --arg k "$object" --arg s "$(sha256sum <"$T/cut" | cut -d' ' -f1)" --argjson n "$(stat -c %s "$T/cut")" \
    'del(.digest) | (.objects[] | select(.key == $k)) |= (.sha256 = $s | .plain_sha256 = $s | .size = $n | .plain_size = $n)' <"$manifest" >"$T/body"
jq --arg d "$(sha256sum <"$T/body" | cut -d' ' -f1)" '. + {digest: $d}' <"$T/body" >"$manifest"
rm "$BACKUP_DIR"/lone*proof*
exit_is 13 'verify of a dump that was cut before it was stored' sr verify lone --json
is 'two things are recorded' "$(json '[.verified[0].recorded[] | [.rung, .outcome] | join(" ")] | join(",")')" 're-read passed,opened failed'
exit_is 0 'list' sr list --json
is 'it stands where it was' "$(json '.backups[] | select(.label == "lone").rung')" re-read
rm "$BACKUP_DIR"/lone*

# Sampled and bounded: what was never checked first, and the next run goes on.
rm "$BACKUP_DIR"/*proof*
exit_is 0 'a third' sr backup --label third
exit_is 0 'one of three' sr verify --all --sample 1 --json
is 'the newest' "$(json '[.verified[].set | sub("-.*"; "")] | join(",")')" third
is 'two are left' "$(json .left)" 2
exit_is 0 'the next' with BACKUP_VERIFY_SAMPLE=1 sr verify --all --json
isnt 'is another' "$(json '[.verified[].set | sub("-.*"; "")] | join(",")')" third
exit_is 0 'the next' sr verify --all --sample 1
contains 'says how many are left' "$OUT" '2 more are left'
is 'all three were read' "$(proofs_of open)$(proofs_of sealed)$(proofs_of third)" 'proof-opened proof-opened proof-opened '
exit_is 0 'bounded in time' sr verify --all --for 1h --json
is 'an hour is enough' "$(json '[(.verified | length), .left] | tostring')" '[3,0]'
exit_is 2 'a sample of one backup' sr verify open --sample 1

# Without the right to write: said, and the check is made all the same.
n=$(_keys | grep -c proof)
exit_is 0 'not to be recorded' sr verify open --no-record --json
is 'why' "$(json '.verified[0].not_recorded')" 'BACKUP_PROOFS is off'
is 'nothing was' "$(_keys | grep -c proof)" "$n"
sr_copy
cp -r "$BACKUP_DIR" "$T/readonly" && rm -rf "$T/readonly/.strongroom" && chmod -R a+rX,a-w "$T/readonly"
exit_is 0 'a store that may not be written to' as_nobody env HOME=/nonexistent BACKUP_DIR="$T/readonly" BACKUP_PLUGIN_PATH="$T/copy/plugins" \
    "$T/copy/strongroom" verify open --json
is 'is verified' "$(json '.verified[0].rung')" opened
matches 'and says why it is not recorded' "$(json '.verified[0].not_recorded')" '[Dd]enied'
contains 'in the log, too' "$ERR" 'not recorded here'

# Retention takes the proofs with the set.
exit_is 0 'prune' sr prune --at 2099-01-01T00:00:00Z
kept=$(_keys | sed -n 's/\.shop\.manifest\.json$//p')
is 'proofs of what went are gone' "$(_keys | grep proof | grep -vc "^$kept\.")" 0
finish

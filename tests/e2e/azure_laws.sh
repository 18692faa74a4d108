# What happens around an upload to Azure (signals, rights, other writers), what a deletion comes to, and what accounts
# differ in: each against a store of our own that keeps to the laws strictly.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/azure.sh"
. "$SR_SRCDIR/tests/lib/program.sh"
ok 'a server starts' azure_start store || finish
head -c 9000000 /dev/urandom >"$T/big"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)
small=$SR_SRCDIR/LICENSE
fresh() {
    azure_set store "$1" && server_rules store "${@:2}"
}
whole() {
    is "$1: the object is whole" "$(azure_holds store "$2")" "$sum"
}

# Signals.
stalled() { # stalled KEY: sets pid, a save whose second block hangs
    fresh '{}' '{"match": "PUT comp=block&blockid=.*AAAC$", "at": "body", "after": 1000, "end": "stall", "reply": {}}'
    "$SR_BUILDDIR/tests/server/store_call" save "$1" "$T/big" >"$T/s.out" 2>"$T/s.err" &
    pid=$!
    poll 20 eval '[ "$(server_requests store .target | grep -c "AAAC")" = 1 ]'
}
ok 'a block hangs' stalled term
kill -TERM "$pid"
wait "$pid"
is 'TERM: cancelled' "$?" 130
is 'TERM: no object' "$(azure_holds store term)" none
contains 'TERM: what becomes of the blocks is told' "$(cat "$T/s.err")" 'drops them within a week'
ok 'a block hangs again' stalled killed
kill -KILL "$pid"
wait "$pid" 2>/dev/null
exit_is 0 'sweep tells what is there' call sweep 0
contains 'with the name' "$ERR" 'uncommitted blocks lie under killed'
is 'and takes nothing away' "$OUT" ''
fresh '{}'
call save zero /dev/null >/dev/null 2>&1
exit_is 0 'an empty object' call sweep 0
lacks 'is not taken for blocks' "$ERR" 'uncommitted blocks lie'

# Somebody else's object of that name.
fresh '{}' '{"match": "PUT comp=blocklist", "times": 1, "at": "request", "reply": {}}'
mkfifo "$T/pipe"
call save theirs "$T/pipe" >/dev/null 2>"$T/e" &
pid=$!
exec {pipe}>"$T/pipe"
head -c 8500000 "$T/big" >&$pipe
server_tell store '{"handler": {"put": {"key": "theirs", "body": "hello"}}}' >/dev/null
tail -c 500000 "$T/big" >&$pipe
exec {pipe}>&-
wait "$pid"
is 'a lost answer, and another object is there' "$?" 20
is 'which stays' "$(azure_holds store theirs)" "$(printf hello | sha256sum | cut -d' ' -f1)"
fresh '{}'
call save taken "$small" >/dev/null 2>&1
exit_is 20 'a name that is taken' call save taken "$T/big"
is 'is found before anything is sent' "$(server_requests store '.target' | grep -c 'comp=block')" 0
server_rules store '{"match": "HEAD", "reply": {"status": 404, "headers": {"x-ms-error-code": "BlobNotFound"}}}'
exit_is 20 'or at the latest by the store: blocks' call save taken "$T/big"
exit_is 20 'or by the store: in one' call save taken "$small"

# Blocks of other programs under our name: of another length they are refused by the store, and the error says so.
fresh '{}'
server_tell store '{"handler": {"block": {"key": "mixed", "id": "AAAA"}}}' >/dev/null
exit_is 90 'blocks of another length are there' call save mixed "$T/big"
contains 'is told' "$ERR" 'another program may have left blocks'
fresh '{"uncommitted_exist": true}'
server_tell store "{\"handler\": {\"block\": {\"key\": \"beside\", \"id\": \"$(printf 'x%.0s' {1..24} | base64 -w0)\"}}}" >/dev/null
exit_is 0 'a small object beside blocks that were never committed, where they count as one' call save beside "$small"
is 'it is whole' "$(azure_holds store beside)" "$(sha256sum <"$small" | cut -d' ' -f1)"

# Rights, by the letters of a SAS. Each thing that cannot be done is told.
sas=(-u AZURE_STORAGE_KEY AZURE_STORAGE_SAS_TOKEN='sv=2021-12-02&sig=s')
fresh '{"sas": {"s": "cw"}}'
exit_is 0 'create and write' with "${sas[@]}" call save w "$T/big"
whole 'create and write' w
lacks 'no size is confirmed' "$OUT" confirmed
contains 'that it did not look is told' "$ERR" 'no right to see whether w exists'
contains 'that the size is not confirmed, too' "$ERR" 'the size of w cannot be confirmed'
exit_is 20 'they replace nothing' with "${sas[@]}" call save w "$T/big"
exit_is 30 'listing is denied' with "${sas[@]}" call list
exit_is 30 'fetching is denied' with "${sas[@]}" call fetch w
exit_is 30 'deleting is denied' with "${sas[@]}" call delete w
fresh '{"sas": {"s": "cw"}}' '{"match": "PUT comp=blocklist", "times": 1, "do": true, "at": "request"}'
exit_is 120 'a lost answer stays in doubt' with "${sas[@]}" call save w "$T/big"
contains 'and says why' "$ERR" 'cannot be seen'
fresh '{"sas": {"s": "c"}}'
exit_is 0 'create alone: what fits into one request' with "${sas[@]}" call save c "$small"
exit_is 30 'create alone: no blocks' with "${sas[@]}" call save c2 "$T/big"
exit_is 20 'create alone: nothing is replaced' with "${sas[@]}" call save c "$small"
fresh '{"sas": {"s": "rl"}}'
exit_is 0 'read and list' with "${sas[@]}" call list
exit_is 30 'write nothing' with "${sas[@]}" call save r "$small"
fresh '{}'
exit_is 30 'a signature that is none' with "${sas[@]}" call list
lacks 'is not shown' "$ERR" 'sig=s'
exit_is 10 'no such container' with BACKUP_AZURE_CONTAINER=nosuch call list
contains 'is told' "$ERR" 'make the container'
exit_is 10 'where there is none nothing is deleted, nor counts as that' with BACKUP_AZURE_CONTAINER=nosuch call delete d

# Deleting: gone, hidden, kept, denied.
fresh '{}'
call save d "$small" >/dev/null 2>&1
is 'it is deleted' "$(call delete d 2>/dev/null)" 'd deleted 0'
is 'what is not there is, too' "$(call delete d 2>/dev/null)" 'd deleted 0'
fresh '{"soft_delete": true}'
call save d "$small" >/dev/null 2>&1
is 'soft delete hides it' "$(call delete d 2>/dev/null)" 'd hidden 0'
fresh '{"versions": true}'
call save d "$small" >/dev/null 2>&1
is 'a version hides it' "$(call delete d 2>/dev/null)" 'd hidden 0'
# Of versions only those objects tell that have one: an older one says nothing of the account.
fresh '{}'
call save old "$small" >/dev/null 2>&1
azure_change store '{"versions": true}'
call save new "$small" >/dev/null 2>&1
is 'an object that is older than the switch to versions is hidden, too' "$(call delete old new 2>/dev/null)" $'old hidden 0\nnew hidden 0'
fresh '{}'
call save a "$small" >/dev/null 2>&1
call save b "$small" >/dev/null 2>&1
is 'where nothing is left it is deleted' "$(call delete a b 2>/dev/null)" $'a deleted 0\nb deleted 0'
is 'which is looked for once' "$(server_requests store .target | grep -c 'comp=list.*prefix=')" 1
call save c "$small" >/dev/null 2>&1
azure_change store '{"sas": {"s": "d"}}'
is 'who may delete alone does it' "$(with -u AZURE_STORAGE_KEY AZURE_STORAGE_SAS_TOKEN='sv=2021-12-02&sig=s' call delete c 2>"$T/err")" 'c deleted 0'
contains 'and is told what he cannot see' "$(cat "$T/err")" 'keeps versions of what was deleted cannot be seen'
fresh '{"locks": true}'
from=$(date +%s)
exit_is 0 'a locked one' with BACKUP_AZURE_IMMUTABILITY_DAYS=3 call save d "$T/big"
to=$(date +%s) until=$(call delete d 2>/dev/null)
matches 'is kept until' "$until" '^d kept 1[0-9]{9}$'
ok 'three days are over' [ "${until##* }" -ge $((from + 3 * 86400)) ]
ok 'and no longer than a day beyond' [ "${until##* }" -le $((to + 4 * 86400)) ]
is 'with the mode that was set' "$(azure_state store '.objects.d[0].headers["x-ms-immutability-policy-mode"]')" Unlocked
exit_is 0 'a legal hold' with BACKUP_AZURE_LEGAL_HOLD=on BACKUP_AZURE_IMMUTABILITY_MODE=Locked call save h "$small"
is 'keeps until it is lifted' "$(call delete h 2>/dev/null)" 'h kept 9223372036854775807'
exit_is 0 'locks are listed' call list
# With versions Azure lets a deletion make a previous version of what is locked, and so hide it.
for how in BACKUP_AZURE_IMMUTABILITY_DAYS=1 BACKUP_AZURE_LEGAL_HOLD=on; do
    fresh '{"locks": true, "versions": true}'
    exit_is 0 "where versions are kept: $how" with "$how" call save d "$T/big"
    server_rules store
    matches "it is kept: $how" "$(call delete d 2>/dev/null)" '^d kept [0-9]{10,}$'
    whole "and in sight: $how" d
    is "nothing was tried: $how" "$(server_requests store 'select(.method == "DELETE").number' | wc -l)" 0
    is "$how: of several, one by one" "$(call save e "$small" >/dev/null 2>&1; call delete d e 2>/dev/null | cut -d' ' -f1,2)" $'d kept\ne hidden'
done
server_tell store '{"handler": {"put": {"key": "past", "headers": {"x-ms-immutability-policy-until-date": "Fri, 20 Nov 2015 10:00:00 GMT"}}}}' >/dev/null
is 'a lock that has ended keeps nothing' "$(call delete past 2>/dev/null)" 'past hidden 0'
server_rules store '{"match": "HEAD", "reply": {"status": 503}}'
exit_is 50 'where the object cannot be looked at, it is not deleted' call delete d
is 'nothing was tried then' "$(server_requests store 'select(.method == "DELETE").number' | wc -l)" 0
fresh '{}'
exit_is 140 'no lock where none is possible' with BACKUP_AZURE_IMMUTABILITY_DAYS=1 call save d "$small"
is 'and no object' "$(azure_holds store d)" none
fresh '{}' '{"match": "DELETE", "reply": {"status": 409, "headers": {"x-ms-error-code": "BlobImmutableDueToPolicy"}}}'
call save d "$small" >/dev/null 2>&1
is "a container's own policy keeps it, until nobody knows when" "$(call delete d 2>/dev/null)" 'd kept 0'

# What is not what was sent goes again, and nothing else: on the condition of its ETag.
spoilt() { # spoilt ETAG: one request whose answer states another digest
    fresh '{}' "{\"match\": \"PUT /own$\", \"times\": 1, \"do\": true, \"reply\": {\"status\": 201, \"headers\": {\"ETag\": \"$1\", \"x-ms-request-id\": \"1\", \"Content-MD5\": \"AAAAAAAAAAAAAAAAAAAAAA==\"}}}"
    exit_is 90 "$2" with BACKUP_AZURE_CHECKSUM=md5 call save own "$small"
}
condition() {
    server_requests store 'select(.method == "DELETE") | .headers[] | select(.[0] | ascii_downcase == "if-match") | .[1]'
}
spoilt '\"0x000001\"' 'an object that was spoilt'
is 'is removed' "$(azure_holds store own)" none
is 'on its own condition' "$(condition)" '"\"0x000001\""'
spoilt '\"0x000009\"' 'one that somebody has replaced meanwhile'
is 'is theirs, and stays' "$(azure_holds store own)" "$(sha256sum <"$small" | cut -d' ' -f1)"
is 'refused by the condition' "$(condition)" '"\"0x000009\""'

# Listings over pages, in any order.
fresh '{"page": 2, "hns": true}'
for i in 1 2 3 4 5; do
    server_tell store "{\"handler\": {\"put\": {\"key\": \"l/$i\", \"body\": \"x\"}}}" >/dev/null
done
is 'pages of two' "$(call list l/ 2>/dev/null | cut -d' ' -f1 | paste -sd' ')" 'l/1 l/2 l/3 l/4 l/5'

# Fetching goes on where it was cut, of the same object.
fresh '{}'
call save f "$T/big" >/dev/null 2>&1
server_rules store '{"match": "GET /f$", "times": 2, "at": "reply-body", "after": 3000000}'
is 'a fetch that is cut twice' "$(call fetch f 2>/dev/null | sha256sum | cut -d' ' -f1)" "$sum"
is 'goes on' "$(server_requests store '.headers[] | select(.[0] | ascii_downcase == "x-ms-range") | .[1]' | wc -l)" 2
server_rules store '{"match": "GET /f$", "skip": 1, "reply": {"status": 412}}' '{"match": "GET /f$", "times": 1, "at": "reply-body", "after": 3000000}'
exit_is 110 'an object that changed meanwhile' call fetch f

# What describes an object comes through, on one request and on a list of blocks.
for file in "$small" "$T/big"; do
    fresh '{}'
    exit_is 0 'tier and scope' with BACKUP_AZURE_ACCESS_TIER=Cool BACKUP_AZURE_ENCRYPTION_SCOPE=scope1 call save h "$file"
    is 'are kept' "$(azure_state store '.objects.h[0].headers | [.["x-ms-access-tier"], .["x-ms-encryption-scope"], .["x-ms-blob-content-md5"]] | join(" ")')" \
        "Cool scope1 $(openssl md5 -binary <"$file" | base64)"
done
fresh '{}'
exit_is 0 'no digest is recorded' with BACKUP_AZURE_CONTENT_MD5=off call save n "$T/big"
is 'if it is not wanted' "$(azure_state store '.objects.n[0].headers["x-ms-blob-content-md5"]')" null
fresh '{}'
exit_is 0 'an archived object' with BACKUP_AZURE_ACCESS_TIER=Archive call save a "$small"
exit_is 140 'cannot be read' call fetch a
contains 'and says why' "$ERR" 'archive tier'
mine=$(openssl rand -base64 32)
fresh '{}'
exit_is 0 'a key of ours' with BACKUP_AZURE_CUSTOMER_KEY="$mine" call save k "$T/big"
is 'opens it' "$(with BACKUP_AZURE_CUSTOMER_KEY="$mine" call fetch k 2>/dev/null | sha256sum | cut -d' ' -f1)" "$sum"
exit_is 40 'without it' call fetch k
contains 'the setting is named' "$ERR" customer_key
is 'each block had it' "$(server_requests store 'select(.target | test("comp=block&")) | .headers[] | select(.[0] == "x-ms-encryption-key-sha256")' | wc -l)" 3
for kind in crc64 md5 none; do
    fresh '{}'
    exit_is 0 "$kind" with BACKUP_AZURE_CHECKSUM=$kind call save k "$small"
done
lacks 'no secret is in any log' "$(cat "$T"/*.err "$T"/err 2>/dev/null)" "$mine"
finish

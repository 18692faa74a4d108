# What happens around an upload (regions, clocks, signals, rights), and the laws in which stores that speak S3
# differ (by their names: s3_clones.sh): each against an S3 of our own that keeps to them strictly.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/program.sh"
ok 'a server with TLS starts' s3_start secure --with-tls || finish
secure_env=("AWS_ENDPOINT_URL_S3=$secure_URL")
ok 'a server starts' s3_start store || finish
head -c 11000000 /dev/urandom >"$T/big"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)

fresh() {
    s3_set store "$1" && server_rules store "${@:2}"
}
whole() { # whole NAME KEY [SERVER]: it is there, and no upload
    is "$1: the object is whole" "$(holds "${3:-store}" "$2")" "$sum"
    is "$1: no upload is left" "$(uploads "${3:-store}" "$2")" 0
}
nothing() {
    is "$1: no object" "$(holds store "$2")" none
    is "$1: no upload is left" "$(uploads store "$2")" 0
}

# Regions are adopted once, from any form of the answer; hosts that answers name never are.
fresh '{"region": "eu-west-1"}'
exit_is 0 'another region' call save r "$T/big"
whole 'another region' r
is 'it is told once' "$(grep -c 'is in region eu-west-1' "$T/err")" 1
fresh '{}' '{"match": "HEAD", "reply": {"status": 400, "headers": {"x-amz-bucket-region": "eu-west-1"}}}'
exit_is 40 'a region by HEAD, in vain' call stat r
is 'was tried once' "$(server_requests store '.method' | grep -c HEAD)" 2
fresh '{}' '{"reply": {"status": 301, "headers": {"x-amz-bucket-region": "ap-1", "Location": "http://localhost:1/"}, "body": "<Error><Code>PermanentRedirect</Code><Endpoint>localhost:1</Endpoint></Error>"}}'
exit_is 40 'elsewhere without end' call stat r
contains 'says what to set' "$ERR" 'set it'

# A clock that is wrong: the server's is taken over from a verified server only.
s3_set secure '{"clock": 7200, "tls": true}'
exit_is 0 'a skewed clock' with "${secure_env[@]}" call save c "$T/big"
whole 'a skewed clock' c secure
contains 'a skewed clock is told' "$ERR" "set this machine's clock"
fresh '{"clock": 7200}'
exit_is 30 'without TLS it is not' call list
contains 'but told' "$ERR" 'clock'

# Signals.
stalled() { # stalled KEY: sets pid, a save whose second part hangs
    fresh '{}' '{"match": "PUT partNumber=2&", "at": "body", "after": 1000, "end": "stall", "reply": {}}'
    "$SR_BUILDDIR/tests/server/store_call" save "$1" "$T/big" >"$T/s.out" 2>"$T/s.err" &
    pid=$!
    poll 20 eval '[ "$(server_requests store .target | grep -c "partNumber=2")" = 1 ]'
}
ok 'a part hangs' stalled term
kill -TERM "$pid"
wait "$pid"
is 'TERM: cancelled' "$?" 130
nothing TERM term
ok 'a part hangs again' stalled killed
kill -KILL "$pid"
wait "$pid" 2>/dev/null
is 'KILL leaves an upload' "$(uploads store killed)" 1
sleep_until=$(($(date +%s) + 2))
ok 'which grows older' poll 5 eval '[ "$(date +%s)" -ge "$sleep_until" ]'
exit_is 0 'strongroom sweep' with BACKUP_DIR="$T/state" BACKUP_STATE_DIR="$T/state" sr sweep --older-than 1s
is 'ends it' "$(uploads store killed)" 0

# Somebody else's object of that name.
fresh '{}' '{"match": "POST uploadId=", "times": 1, "at": "request", "reply": {}}'
mkfifo "$T/pipe"
call save theirs "$T/pipe" >/dev/null 2>"$T/e" &
pid=$!
exec {pipe}>"$T/pipe"
head -c 10500000 "$T/big" >&$pipe
server_tell store '{"handler": {"put": {"key": "theirs", "body": "hello"}}}' >/dev/null
tail -c 500000 "$T/big" >&$pipe
exec {pipe}>&-
wait "$pid"
is 'a lost answer, and another object is there' "$?" 20
is 'which stays' "$(holds store theirs)" "$(printf hello | sha256sum | cut -d' ' -f1)"
is 'no upload is left beside it' "$(uploads store theirs)" 0

# Rights. PutObject alone makes objects; each thing that it cannot do is told.
only='{"keys": {"AKTEST": {"secret": "secret/of+test", "allow": ["PutObject"]}}}'
fresh "$only"
exit_is 0 'write-only credentials' call save w "$T/big"
whole 'write-only credentials' w
lacks 'no size is confirmed' "$OUT" confirmed
contains 'that it did not look is told' "$ERR" 'no right to see whether w exists'
contains 'that the size is not confirmed, too' "$ERR" 'the size of w cannot be confirmed'
exit_is 20 'they replace nothing' call save w "$T/big"
fresh "$only" '{"match": "POST uploadId=", "times": 1, "do": true, "at": "request"}'
s3_change store '{"memory": false}'
exit_is 120 'a lost answer stays in doubt' call save w "$T/big"
contains 'and says why' "$ERR" 'cannot be seen'
fresh "$only" '{"match": "PUT partNumber=2&", "reply": {"status": 403}}'
exit_is 30 'a failure' call save w "$T/big"
contains 'cannot be cleaned up, and says what does' "$ERR" 'lifecycle rule'
exit_is 30 'listing is denied' call list
exit_is 30 'deleting is denied' call delete w

# Deleting: gone, hidden, kept, denied.
fresh '{}'
exit_is 0 'a small object' call save d "$SR_SRCDIR/LICENSE"
is 'is deleted' "$(call delete d 2>/dev/null)" 'd deleted 0'
fresh '{"versions": true}'
call save d "$SR_SRCDIR/LICENSE" 2>/dev/null >&2
is 'a version hides it' "$(call delete d 2>/dev/null)" 'd hidden 0'
fresh '{"locks": true}'
exit_is 0 'a locked one' with BACKUP_S3_OBJECT_LOCK_DAYS=1 call save d "$SR_SRCDIR/LICENSE"
matches 'is kept until' "$(call delete d 2>/dev/null)" '^d kept 1[0-9]{9}$'
fresh '{}'
exit_is 140 'no lock where none is possible' with BACKUP_S3_OBJECT_LOCK_DAYS=1 call save d "$SR_SRCDIR/LICENSE"
nothing 'no lock' d

# Listings.
pages() {
    local i
    for i in 1 2 3 4 5 6 7; do
        server_tell store "{\"handler\": {\"put\": {\"key\": \"l/$i\", \"body\": \"x\"}}}" >/dev/null
    done
}
for laws in '"page": 2' '"page": 2, "list": "1"' '"page": 2, "list": "old"' '"page": 3, "encoding": false'; do
    fresh "{$laws}"
    pages
    is "listing with $laws" "$(call list l/ 2>/dev/null | cut -d' ' -f1 | paste -sd' ')" 'l/1 l/2 l/3 l/4 l/5 l/6 l/7'
done
entry='<Contents><Key>l/1</Key><Size>1</Size></Contents>'
while IFS='|' read -r name body; do
    fresh '{}' "{\"match\": \"GET list-type\", \"reply\": {\"body\": \"<ListBucketResult>$body</ListBucketResult>\"}}"
    exit_is 90 "a listing: $name" call list
done <<TABLE
the same page for ever|<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>$entry
nothing for ever|<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>
no word about more|$entry
a key that cannot be|<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><Contents><Key>l/%zz</Key><Size>1</Size></Contents>
TABLE

fresh '{"endless": "empty"}'
exit_is 90 'empty pages without end' call list
contains 'empty pages: are counted' "$ERR" 'empty pages in a row'
fresh '{"endless": "fresh"}'
"$SR_BUILDDIR/tests/server/store_call" list >"$T/endless" 2>"$T/endless.err" &
pid=$!
ok 'new keys without end come in' poll 20 eval '[ "$(server_requests store .number | tail -n 1)" -gt 50 ]'
kill -TERM "$pid"
wait "$pid"
is 'new keys without end: whoever waits can end it' "$?" 130
fresh '{"endless": "crowd"}'
exit_is 90 'new keys without end: they are not gathered for ever' call list
contains 'new keys without end: what it says' "$ERR" 'the listing does not end: the names of'
contains 'new keys without end: and what to do if it is right' "$ERR" 'a prefix of their own'
is 'new keys without end: none is told to be there' "$OUT" ''

# Fetching goes on where it was cut, of the same object.
fresh '{}'
call save f "$T/big" >/dev/null 2>&1
server_rules store '{"match": "GET /f$", "times": 2, "at": "reply-body", "after": 4000000}'
is 'a fetch that is cut twice' "$(call fetch f 2>/dev/null | sha256sum | cut -d' ' -f1)" "$sum"
is 'goes on' "$(server_requests store '.headers[] | select(.[0] | ascii_downcase == "range") | .[1]' | wc -l)" 2
server_rules store '{"match": "GET /f$", "skip": 1, "reply": {"status": 412}}' '{"match": "GET /f$", "times": 1, "at": "reply-body", "after": 4000000}'
exit_is 110 'an object that changed meanwhile' call fetch f

# The laws of stores. B2: no If-None-Match. R2: equal parts, no modern checksums. Scaleway: fewer parts.
fresh '{"condition": "no", "versions": true}'
exit_is 0 'B2' call save b2 "$T/big"
whole B2 b2
contains 'B2: the guard is told to be weak' "$ERR" 'two hosts at once can defeat'
exit_is 20 'B2: nothing is replaced' call save b2 "$T/big"
exit_is 140 'B2: a condition that is demanded' with BACKUP_S3_CREATE_ONLY=condition call save b2-c "$T/big"
nothing 'B2, a condition' b2-c
fresh '{"parts_equal": true, "modern": false}'
exit_is 0 'R2' with BACKUP_S3_PART_GROWTH=off call save r2 "$T/big"
whole R2 r2
exit_is 140 'R2: a checksum that it does not know' with BACKUP_S3_CHECKSUM=crc64nvme call save r2-c "$T/big"
nothing 'R2, a checksum' r2-c
fresh '{"parts_max": 3}'
exit_is 0 'three parts at most' with BACKUP_S3_MAX_PARTS=3 call save s3 "$T/big"
whole 'three parts at most' s3
exit_is 80 'more than they hold' with BACKUP_S3_MAX_PARTS=2 BACKUP_S3_PART_GROWTH=off call save s3-m "$T/big"
contains 'says what to set' "$ERR" 'larger part_size'
nothing 'more than they hold' s3-m
fresh '{"requester_pays": true}'
exit_is 30 'a bucket whose requester pays' call list
exit_is 0 'is told to' with BACKUP_S3_REQUESTER_PAYS=true call save p "$T/big"
whole 'requester pays' p

# Checksums, over both ways, of parts and of the whole.
for kind in md5 crc64nvme crc32c sha256 none; do
    fresh '{}'
    exit_is 0 "$kind" with BACKUP_S3_CHECKSUM=$kind call save k "$T/big"
    whole "$kind" k
done
fresh '{}'
with BACKUP_S3_CHECKSUM=crc64nvme call save k "$SR_SRCDIR/LICENSE" >/dev/null 2>&1
isnt 'the store holds the whole object checksum' "$(s3_state store '.objects.k[0].sums["x-amz-checksum-crc64nvme"]')" null
s3_set secure '{"tls": true}'
exit_is 0 'bodies that are not signed, over TLS' with "${secure_env[@]}" BACKUP_S3_CHECKSUM=crc32c call save k "$T/big"
whole 'bodies that are not signed' k secure

# What describes an object comes through.
fresh '{"must": ["x-amz-content-sha256"]}'
exit_is 0 'class, tags and encryption' with BACKUP_S3_STORAGE_CLASS=STANDARD_IA BACKUP_S3_TAGS='a=b&c=d' BACKUP_S3_SSE=AES256 call save h "$T/big"
is 'are kept' "$(s3_state store '.objects.h[0].headers | [.["x-amz-storage-class"], .["x-amz-tagging"], .["x-amz-server-side-encryption"], .["x-amz-acl"]] | join(" ")')" \
    'STANDARD_IA a=b&c=d AES256 '
finish

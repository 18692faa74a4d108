# Every fault at every position of a large upload to Google Cloud Storage, in a session and in parallel parts: the
# object is there whole, or there is a clear failure and nothing is left, neither object nor upload. The tables below
# name each fault and what must come of it.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
ok 'a server starts' gcs_start store || finish
ok 'another one starts' server_start other
head -c 11000000 /dev/urandom >"$T/big"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)

# Where: NAME, METHOD, what is in the target besides the key, and a Content-Range. Parts of 5 MiB: two whole ones and
# a short one.
session_positions() {
    cat <<'TABLE'
start   POST uploadType=resumable
chunk1  PUT  upload_id             ^bytes.0-
chunk2  PUT  upload_id             ^bytes.5242880-
chunk3  PUT  upload_id             ^bytes.10485760-
look    GET  fields=
TABLE
}
parts_positions() {
    cat <<'TABLE'
create    POST [?]uploads
part1     PUT  partNumber=1&
part2     PUT  partNumber=2&
part3     PUT  partNumber=3&
complete  POST [?]uploadId
look      GET  fields=
TABLE
}

# What, once: NAME and the rest of a rule. Each is overcome, wherever it strikes.
once() {
    cat <<'TABLE'
500               "reply": {"status": 500, "body": @backendError@}
500-bare          "reply": {"status": 500}
502-html          "reply": {"status": 502, "body": "<html><body>Bad gateway</html>"}
503-retry-after   "reply": {"status": 503, "headers": {"Retry-After": "1"}, "body": @backendError@}
429               "reply": {"status": 429, "body": @rateLimitExceeded@}
403-rate          "reply": {"status": 403, "body": @rateLimitExceeded@}
403-user-rate     "reply": {"status": 403, "body": @userRateLimitExceeded@}
408               "reply": {"status": 408, "close": true}
401               "reply": {"status": 401, "body": @authError@}
reset-before-body "at": "head", "reply": {}
reset-in-body     "at": "body", "after": 100000, "reply": {}
close-in-body     "at": "body", "after": 100000, "end": "close", "reply": {}
reset-after-body  "at": "request", "reply": {}
500-after-deed    "do": true, "reply": {"status": 500}
lost-after-deed   "do": true, "at": "request"
head-cut          "at": "reply-head", "after": 30
body-cut          "at": "reply-body", "after": 40, "end": "close"
TABLE
}
# The same where only an answer of a certain kind can be so: NAME, POSITION, rule.
once_there() {
    cat <<'TABLE'
no-location       start     "reply": {"status": 200}
bad-location      start     "do": true, "reply": {"status": 503, "headers": {"Location": "nowhere"}}
nothing-persisted chunk1    "reply": {"status": 308}
nothing-new       chunk2    "reply": {"status": 308, "headers": {"Range": "bytes=0-5242879"}}
empty-200         chunk3    "reply": {"body": ""}
malformed-200     chunk3    "do": true, "reply": {"body": "{\"name\":"}
error-in-200      chunk3    "do": true, "reply": {"body": @backendError@}
stall             chunk2    "at": "body", "after": 100000, "end": "stall", "reply": {}
stall             chunk3    "do": true, "at": "reply-body", "after": 40, "end": "stall"
empty-200         look      "reply": {"body": ""}
huge-body         chunk2    "reply": {"status": 500, "repeat": ["x", 5000000]}
error-in-200      complete  "reply": {"body": "   \n<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"}
malformed-200     complete  "reply": {"body": "<CompleteMultipartUploadResult><ETag>x</CompleteMulti"}
no-etag-made      complete  "do": true, "reply": {"body": "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"}
entity-bomb       complete  "reply": {"body": "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><CompleteMultipartUploadResult><ETag>&c;</ETag></CompleteMultipartUploadResult>"}
malformed-200     create    "reply": {"body": "<InitiateMultipartUploadResult><UploadId>x</Up"}
no-etag           part2     "reply": {"status": 200}
bad-digest        part2     "reply": {"status": 400, "body": "<Error><Code>BadDigest</Code></Error>"}
TABLE
}
# For ever: NAME, POSITION, exit code, rule. Nothing is left.
for_ever() {
    cat <<'TABLE'
denied          start     30  "reply": {"status": 403, "body": @forbidden@}
denied          chunk1    30  "reply": {"status": 403, "body": @forbidden@}
denied          chunk3    30  "reply": {"status": 403, "body": @forbidden@}
expired         chunk2    30  "reply": {"status": 401, "body": @authError@}
redirected      start     40  "reply": {"status": 307, "headers": {"Location": "@OTHER@/upload"}}
redirected      chunk2    40  "reply": {"status": 307, "headers": {"Location": "@OTHER@/upload"}}
gone            chunk2    50  "reply": {"status": 410}
forgotten       chunk3    50  "reply": {"status": 404, "body": @notFound@}
exists          start     20  "reply": {"status": 412, "body": @conditionNotMet@}
exists          chunk3    20  "reply": {"status": 412, "body": @conditionNotMet@}
retained        chunk3    100 "reply": {"status": 403, "body": @retentionPolicyNotMet@}
damaged         chunk3    40  "reply": {"status": 400, "body": @invalid@}
never           chunk1    50  "reply": {"status": 308}
lost-again      chunk2    90  "reply": {"status": 308}
backwards       chunk2    90  "reply": {"status": 308, "headers": {"Range": "bytes=0-262143"}}
too-much        chunk2    90  "reply": {"status": 308, "headers": {"Range": "bytes=0-99999999"}}
no-range        chunk2    90  "reply": {"status": 308, "headers": {"Range": "items=7"}}
too-early       chunk1    90  "reply": {"status": 200, "body": "{}"}
500             start     50  "reply": {"status": 500}
500             chunk2    50  "reply": {"status": 500}
500             chunk3    50  "reply": {"status": 500}
500-after-deed  chunk3    0   "do": true, "reply": {"status": 500}
lost            chunk3    0   "do": true, "at": "request"
429             chunk2    70  "reply": {"status": 429, "body": @rateLimitExceeded@}
denied          create    30  "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}
denied          part3     30  "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}
denied          complete  30  "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}
redirected      complete  40  "reply": {"status": 307, "headers": {"Location": "@OTHER@/bucket/x"}}
invalid-part    complete  90  "reply": {"status": 400, "body": "<Error><Code>InvalidPart</Code></Error>"}
500             create    50  "reply": {"status": 500}
500             part2     50  "reply": {"status": 500}
500             complete  50  "reply": {"status": 500}
500-after-deed  complete  0   "do": true, "reply": {"status": 500}
lost            complete  0   "do": true, "at": "request"
no-id           create    50  "do": true, "reply": {"body": "<InitiateMultipartUploadResult><Key>x</Key></InitiateMultipartUploadResult>"}
TABLE
}
# What a session keeps of its chunks: NAME, bytes kept of each in turn; then all.
kept() {
    cat <<'TABLE'
half       2621440
unit       262144
none       0
odd        262145, 3, 1048577
drips      262144, 262144, 262144, 262144, 262144, 262144, 262144, 262144, 262144, 262144, 262144, 262144
of-each    262144, 5242880, 524288, 5242880, 100, 200
of-last    5242880, 5242880, 7, 7, 7
TABLE
}
# Listings that are none, for ever: NAME, exit code, rule. No key comes out of any.
listings() {
    cat <<'TABLE'
cut-off      50  "reply": {"body": "{\"kind\": \"storage#objects\", \"items\": [{\"name\": \"x\""}
html         50  "reply": {"body": "<html><body>Welcome to the hotel</body></html>"}
no-kind      90  "reply": {"body": "{}"}
other-kind   90  "reply": {"body": "{\"kind\": \"storage#buckets\"}"}
no-items     90  "reply": {"body": "{\"kind\": \"storage#objects\", \"items\": {}}"}
deep         50  "reply": {"repeat": ["[", 100000]}
huge         90  "reply": {"repeat": [" ", 5000000]}
TABLE
}

rules=() cases=()
add_case() { # add_case NAME POSITION CODE TIMES RULE
    local way=session name=$1.$2.$4 method pattern range header='' rule=$5 reason
    parts_positions | grep -q "^$2 " && [ "$2" != look ] && way=parts
    read -r _ method pattern range < <("${way}_positions" | grep "^$2 ")
    for reason in backendError rateLimitExceeded userRateLimitExceeded authError forbidden notFound conditionNotMet \
        retentionPolicyNotMet invalid; do
        rule=${rule//@$reason@/"\"{\\\"error\\\": {\\\"message\\\": \\\"no\\\", \\\"errors\\\": [{\\\"reason\\\": \\\"$reason\\\"}]}}\""}
    done
    [ -z "$range" ] || header="\"header\": {\"content-range\": \"$range\"},"
    rules+=("{\"match\": \"$method (/$name[?]|name=$name&).*${pattern/\[?\]/}\", ${4:+\"times\": $4,} $header ${rule//@OTHER@/$other_URL}}")
    cases+=("$name $3 $way")
}
while read -r name rule; do
    while read -r where _; do
        # To XML a 403 is a refusal, and has no reason in JSON to be told apart by.
        [[ $name = 403-* && $where = @(create|part?|complete) ]] || add_case "$name" "$where" 0 1 "$rule"
    done < <(session_positions; parts_positions | grep -v '^look')
done < <(once)
while read -r name where rule; do
    add_case "$name" "$where" 0 1 "$rule"
done < <(once_there)
while read -r name where code rule; do
    add_case "$name" "$where" "$code" '' "$rule"
done < <(for_ever)
while read -r name bytes; do
    persist=${persist:+$persist,}\"kept-$name\":[$bytes]
    cases+=("kept-$name 0 session")
done < <(kept)
while read -r name code rule; do
    rules+=("{\"match\": \"GET prefix=list-$name\", $rule}")
    cases+=("list-$name $code session")
done < <(listings)
gcs_change store "{\"persist\": {$persist}}"
ok 'the rules are taken' server_rules store "${rules[@]}"

# Several at once, those that wait long first; each has a key of its own.
one() {
    local name code way
    read -r name code way <<<"$1"
    [ "$way" = session ] && export BACKUP_GCS_UPLOAD=resumable || export BACKUP_GCS_UPLOAD=multipart
    case $name in
    list-*) call list "$name" ;;
    *) call save "$name" "$T/big" ;;
    esac >"$T/$name.out" 2>"$T/$name.err"
    echo $? >"$T/$name.rc"
}
export -f one call
export T
printf '%s\n' "${cases[@]}" | tac | xargs -d '\n' -P "${SR_AT_ONCE:-6}" -I{} bash -c 'one "{}"'
gcs_state store '.objects | to_entries[] | "\(.key) \(.value[-1].sha256)"' >"$T/objects"
gcs_state store '(.sessions[], .uploads[]) | select((.made or .gone > 0) | not) | .key' >"$T/unfinished"
for case in "${cases[@]}"; do
    read -r name code way <<<"$case"
    said=$(tail -n 1 "$T/$name.err")
    is "$name: what comes of it" "$(cat "$T/$name.rc")" "$code" || echo "#   $said"
    [[ $code = 0 ]] && want=$sum || want=
    is "$name: the object" "$(awk -v k="$name" '$1 == k {print $2}' "$T/objects")" "$want"
    # A session whose beginning was never heard of cannot be found; Google forgets it, and bills nothing for it.
    [[ $name = *.start.* ]] || is "$name: nothing unfinished is left" "$(grep -cFx "$name" "$T/unfinished")" 0
    [ "$code" = 0 ] || is "$name: nothing is told to be there" "$(cat "$T/$name.out")" ''
    [ "$code" = 0 ] || contains "$name: the message names the object, or the bucket" "$said" "$([[ $name = list-* ]] && echo bucket || echo "$name")"
done
is 'where the redirections led nothing was sent' "$(server_requests other)" ''
server_rules store '{"match": "POST [?]uploads", "do": true, "at": "request"}'
BACKUP_GCS_UPLOAD=multipart exit_is 50 'a beginning that is never heard of' call save unheard "$T/big"
contains 'that several are there is told' "$ERR" 'several empty ones were begun since'
contains 'and what ends them' "$ERR" 'strongroom sweep ends it when it is old'
is 'they are left' "$(left store unheard)" 8
exit_is 0 'a sweep' call sweep 0
is 'ends them' "$(left store unheard)" 0
lacks 'no token is in what was logged' "$(cat "$T"/*.err)" ya29.
lacks 'no session is in what was logged' "$(cat "$T"/*.err)" ABPtc-
lacks 'no key is in what was logged' "$(cat "$T"/*.err)" "$(sed -n 3p "$T/store.json.pem")"
finish

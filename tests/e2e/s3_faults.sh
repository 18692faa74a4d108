# Every fault at every position of an upload in parts: the object is there whole, or there is a clear failure and
# nothing is left, neither object nor upload. The tables below name each fault and what must come of it.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
ok 'a server starts' s3_start store || finish
head -c 11000000 /dev/urandom >"$T/big"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)

# Where: NAME, METHOD and what the target has behind the key.
positions() {
    cat <<'TABLE'
create    POST [?]uploads
part1     PUT partNumber=1&
part2     PUT partNumber=2&
part3     PUT partNumber=3&
complete  POST [?]uploadId
look      HEAD $
TABLE
}

# What, once: NAME and the rest of a rule. Each is overcome: the object is whole, and nothing else is left.
once() {
    cat <<'TABLE'
500                  "reply": {"status": 500, "body": "<Error><Code>InternalError</Code><Message>We erred</Message></Error>"}
500-bare             "reply": {"status": 500}
502-html             "reply": {"status": 502, "body": "<html><body>Bad gateway</html>"}
503-slowdown         "reply": {"status": 503, "body": "<Error><Code>SlowDown</Code><Message>less</Message></Error>"}
503-retry-after      "reply": {"status": 503, "headers": {"Retry-After": "1"}, "body": "<Error><Code>SlowDown</Code></Error>"}
429                  "reply": {"status": 429, "headers": {"Retry-After": "0"}}
400-request-timeout  "reply": {"status": 400, "body": "<Error><Code>RequestTimeout</Code><Message>idle</Message></Error>", "close": true}
409-aborted          "reply": {"status": 409, "body": "<Error><Code>OperationAborted</Code></Error>"}
reset-before-body    "at": "head", "reply": {}
reset-in-body        "at": "body", "after": 100000, "reply": {}
close-in-body        "at": "body", "after": 100000, "end": "close", "reply": {}
reset-after-body     "at": "request", "reply": {}
500-after-deed       "do": true, "reply": {"status": 500}
lost-after-deed      "do": true, "at": "request"
head-cut             "at": "reply-head", "after": 30
body-cut             "at": "reply-body", "after": 40, "end": "close"
TABLE
}
# The same where only an answer of a certain kind can be so: NAME, POSITION, rule.
once_there() {
    cat <<'TABLE'
error-in-200      complete  "reply": {"body": "   \n<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"}
slowdown-in-200   complete  "reply": {"body": "<Error><Code>SlowDown</Code><Message>less</Message></Error>"}
empty-200         complete  "reply": {"body": ""}
malformed-200     complete  "reply": {"body": "<CompleteMultipartUploadResult><ETag>x</CompleteMulti"}
other-root        complete  "reply": {"body": "<html><body>Welcome to the hotel</body></html>"}
entity-bomb       complete  "reply": {"body": "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><CompleteMultipartUploadResult><ETag>&c;</ETag></CompleteMultipartUploadResult>"}
conflict          complete  "reply": {"status": 409, "body": "<Error><Code>OperationAborted</Code></Error>"}
empty-200         create    "reply": {"body": ""}
malformed-200     create    "reply": {"body": "<InitiateMultipartUploadResult><UploadId>x</Up"}
no-etag           part2     "reply": {"status": 200}
empty-etag        part2     "reply": {"status": 200, "headers": {"ETag": "\"\""}}
stall             part2     "at": "body", "after": 100000, "end": "stall", "reply": {}
stall             complete  "do": true, "at": "reply-body", "after": 40, "end": "stall"
huge-body         part2     "reply": {"status": 500, "repeat": ["x", 5000000]}
huge-header       part2     "reply": {"status": 500, "headers": {"X-Long": "@HUGE@"}}
bad-digest        part2     "reply": {"status": 400, "body": "<Error><Code>BadDigest</Code></Error>"}
TABLE
}
# The end of an upload that is not to be: the third part is denied, and each fault strikes there once.
ends() {
    cat <<'TABLE'
abort     DELETE uploadId
parts     GET uploadId
TABLE
}
# Listings that are none, for ever: NAME, exit code, rule. No key comes out of any.
listings() {
    cat <<'TABLE'
entity-bomb  50  "reply": {"body": "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>x&c;</Key><Size>1</Size></Contents></ListBucketResult>"}
file-entity  50  "reply": {"body": "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>x&b;</Key><Size>1</Size></Contents></ListBucketResult>"}
cut-off      50  "reply": {"body": "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>x</Key>"}
html         50  "reply": {"body": "<html><body>Welcome to the hotel</body></html>"}
TABLE
}
# For ever: NAME, POSITION, exit code, rule. Nothing is left.
for_ever() {
    cat <<'TABLE'
denied          create    30  "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}
denied          part1     30  "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}
denied          part3     30  "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}
denied          complete  30  "reply": {"status": 403, "body": "<Error><Code>AccessDenied</Code></Error>"}
full            part2     80  "reply": {"status": 507}
redirected      create    40  "reply": {"status": 307, "headers": {"Location": "@OTHER@/bucket/x"}}
redirected      part2     40  "reply": {"status": 301, "headers": {"Location": "@OTHER@/bucket/x"}}
redirected      complete  40  "reply": {"status": 307, "headers": {"Location": "@OTHER@/bucket/x"}}
no-upload       part2     10  "reply": {"status": 404, "body": "<Error><Code>NoSuchUpload</Code></Error>"}
invalid-part    complete  90  "reply": {"status": 400, "body": "<Error><Code>InvalidPart</Code></Error>"}
exists          complete  20  "reply": {"status": 412, "body": "<Error><Code>PreconditionFailed</Code></Error>"}
conflict        complete  20  "reply": {"status": 409, "body": "<Error><Code>ConditionalRequestConflict</Code></Error>"}
500             create    50  "reply": {"status": 500}
500             part2     50  "reply": {"status": 500}
500             complete  50  "reply": {"status": 500}
500             look      50  "reply": {"status": 500}
500-after-deed  complete  0   "do": true, "reply": {"status": 500}
lost            create    50  "do": true, "at": "request"
lost            part1     50  "do": true, "at": "request"
lost            complete  0   "do": true, "at": "request"
reset           part3     50  "at": "body", "after": 9, "reply": {}
slowdown        part2     70  "reply": {"status": 503, "body": "<Error><Code>SlowDown</Code></Error>"}
error-in-200    complete  50  "reply": {"body": "<Error><Code>InternalError</Code></Error>"}
no-id           create    50  "do": true, "reply": {"body": "<InitiateMultipartUploadResult><Key>x</Key></InitiateMultipartUploadResult>"}
no-etag         part2     50  "reply": {"status": 200}
TABLE
}

ok 'another one starts' server_start other
rules=() cases=()
add_case() { # add_case NAME POSITION CODE TIMES RULE
    local name=$1.$2.$4 method pattern
    read -r _ method pattern < <(positions | grep "^$2 ")
    case $pattern in '$') pattern="/$name\$" ;; *) pattern="/$name[?].*${pattern/\[?\]/}" ;; esac
    rules+=("{\"match\": \"$method $pattern\", ${4:+\"times\": $4,} ${5//@OTHER@/$other_URL}}")
    cases+=("$name $3")
}
huge=$(printf 'x%.0s' {1..70000})
while read -r name rule; do
    while read -r where _; do
        # HEAD has no body, so nothing in it says more than the status does.
        [[ $where != look || $name != 4??-* && $name != *-body ]] && add_case "$name" "$where" 0 1 "$rule"
    done < <(positions)
done < <(once)
while read -r name where rule; do
    add_case "$name" "$where" 0 1 "${rule//@HUGE@/$huge}"
done < <(once_there)
while read -r name rule; do
    while read -r where method pattern; do
        [[ $method = DELETE && $name = *-body ]] && continue
        rules+=("{\"match\": \"$method /$name[.]$where[?].*$pattern\", \"times\": 1, $rule}")
        rules+=("{\"match\": \"PUT /$name[.]$where[?]partNumber=3\", \"reply\": {\"status\": 403}}")
        cases+=("$name.$where 30")
    done < <(ends)
done < <(once)
while read -r name code rule; do
    rules+=("{\"match\": \"GET prefix=list-$name\", $rule}")
    cases+=("list-$name $code")
done < <(listings)
while read -r name where code rule; do
    add_case "$name" "$where" "$code" '' "$rule"
done < <(for_ever)
ok 'the rules are taken' server_rules store "${rules[@]}"

# Three at once, those that wait long first; each has a key of its own.
one() {
    local name=${1% *}
    case $name in
    list-*) call list "$name" ;;
    *) call save "$name" "$T/big" ;;
    esac >"$T/$name.out" 2>"$T/$name.err"
    echo $? >"$T/$name.rc"
}
export -f one call
export T
printf '%s\n' "${cases[@]}" | tac | xargs -d '\n' -P "${SR_AT_ONCE:-6}" -I{} bash -c 'one "{}"'
s3_state store '.objects | to_entries[] | "\(.key) \(.value[-1].sha256)"' >"$T/objects"
s3_state store '.uploads[].key' >"$T/uploads"
for case in "${cases[@]}"; do
    read -r name code <<<"$case"
    said=$(tail -n 1 "$T/$name.err")
    is "$name: what comes of it" "$(cat "$T/$name.rc")" "$code" || echo "#   $said"
    [ "$code" = 0 ] && want=$sum || want=
    is "$name: the object" "$(awk -v k="$name" '$1 == k {print $2}' "$T/objects")" "$want"
    is "$name: no upload is left" "$(grep -cFx "$name" "$T/uploads")" 0
    [ "$code" = 0 ] || is "$name: nothing is told to be there" "$(cat "$T/$name.out")" ''
    [ "$code" = 0 ] || contains "$name: the message names the object, or the bucket" "$said" "$([[ $name = list-* ]] && echo bucket || echo "$name")"
done
is 'where the redirections led nothing was sent' "$(server_requests other)" ''
lacks 'no secret is in what was logged' "$(cat "$T"/*.err)" "$AWS_SECRET_ACCESS_KEY"
finish

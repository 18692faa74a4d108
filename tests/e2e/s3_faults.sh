# Every fault at every position of an upload in parts: the object is there whole, or there is a clear failure and
# nothing is left, neither object nor upload. The tables below name each fault and what must come of it.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/faults.sh"
ok 'a server starts' s3_start store || finish
head -c 11000000 /dev/urandom >"$T/big"

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
head-closed          "at": "reply-head", "after": 30, "end": "close"
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
stored() {
    s3_state store '.objects | to_entries[] | "\(.key) \(.value[-1].sha256)"'
}
left_over() {
    s3_state store '.uploads[].key'
}
place() {
    echo bucket
}
huge=$(printf 'x%.0s' {1..70000})
while read -r name rule; do
    while read -r where _; do
        # HEAD has no body, so nothing in it says more than the status does.
        [[ $where != look || $name != 4??-* && $name != *-body ]] && fault_add "$name" "$where" 0 1 "$rule"
    done < <(positions)
done < <(once)
while read -r name where rule; do
    fault_add "$name" "$where" 0 1 "${rule//@HUGE@/$huge}"
done < <(once_there)
while read -r name rule; do
    while read -r where method pattern; do
        [[ $method = DELETE && $name = *-body ]] && continue
        fault_rule "{\"match\": \"$method /$name[.]$where[?].*$pattern\", \"times\": 1, $rule}"
        fault_rule "{\"match\": \"PUT /$name[.]$where[?]partNumber=3\", \"reply\": {\"status\": 403}}"
        fault_case "$name.$where" 30
    done < <(ends)
done < <(once)
while read -r name code rule; do
    fault_rule "{\"match\": \"GET prefix=list-$name\", $rule}"
    fault_case "list-$name" "$code"
done < <(listings)
while read -r name where code rule; do
    fault_add "$name" "$where" "$code" '' "${rule//@OTHER@/$other_URL}"
done < <(for_ever)
faults_run store "$T/big"
is 'where the redirections led nothing was sent' "$(server_requests other)" ''
lacks 'no secret is in what was logged' "$(cat "$T"/*.err)" "$AWS_SECRET_ACCESS_KEY"

# Each try began an upload, and no answer came: which of the empty ones are ours cannot be told from another host's.
server_rules store '{"match": "POST [?]uploads", "do": true, "at": "request"}'
exit_is 50 'a beginning that is never heard of' call save unheard "$T/big"
contains 'that several are there is told' "$ERR" 'several empty ones were begun since'
contains 'and what ends them' "$ERR" 'strongroom sweep ends it when it is old'
is 'they are left' "$(uploads store unheard)" 8
exit_is 0 'a sweep' call sweep 0
is 'ends them' "$(uploads store unheard)" 0
finish

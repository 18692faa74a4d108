# Every fault at every position of an upload in blocks: the object is there whole, or there is a clear failure and no
# object. The tables below name each fault and what must come of it. (Blocks that were sent and not committed are
# invisible, and no request of Azure's removes them: that they are all that stays is checked.)
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/azure.sh"
. "$SR_SRCDIR/tests/lib/faults.sh"
ok 'a server starts' azure_start store || finish
head -c 9000000 /dev/urandom >"$T/big"

# Where: NAME, METHOD and what the target has behind the key. A block's number is at the end of its id.
positions() {
    cat <<'TABLE'
look      HEAD $
block1    PUT comp=block&blockid=.*AAAB$
block2    PUT comp=block&blockid=.*AAAC$
block3    PUT comp=block&blockid=.*AAAD$
commit    PUT comp=blocklist$
TABLE
}

# What, once: NAME and the rest of a rule. Each is overcome: the object is whole.
once() {
    cat <<'TABLE'
500                  "reply": {"status": 500, "body": "<Error><Code>InternalError</Code><Message>We erred</Message></Error>"}
500-bare             "reply": {"status": 500}
500-timed-out        "do": true, "reply": {"status": 500, "body": "<Error><Code>OperationTimedOut</Code><Message>too long</Message></Error>"}
502-html             "reply": {"status": 502, "body": "<html><body>Bad gateway</html>"}
503-busy             "reply": {"status": 503, "body": "<Error><Code>ServerBusy</Code><Message>less</Message></Error>"}
503-retry-after      "reply": {"status": 503, "headers": {"Retry-After": "1"}, "body": "<Error><Code>ServerBusy</Code></Error>"}
503-after-ms         "reply": {"status": 503, "headers": {"x-ms-retry-after-ms": "300"}, "body": "<Error><Code>ServerBusy</Code></Error>"}
429                  "reply": {"status": 429, "headers": {"Retry-After": "0"}}
408                  "reply": {"status": 408}
reset-before-body    "at": "head", "reply": {}
reset-in-body        "at": "body", "after": 100000, "reply": {}
close-in-body        "at": "body", "after": 100000, "end": "close", "reply": {}
reset-after-body     "at": "request", "reply": {}
500-after-deed       "do": true, "reply": {"status": 500}
lost-after-deed      "do": true, "at": "request"
head-cut             "at": "reply-head", "after": 30
head-closed          "at": "reply-head", "after": 30, "end": "close"
empty-200            "reply": {"status": 200, "length": null}
TABLE
}
# The same where only an answer of a certain kind can be so: NAME, POSITION, rule.
once_there() {
    cat <<'TABLE'
no-etag           commit    "do": true, "reply": {"status": 201}
empty-etag        commit    "do": true, "reply": {"status": 201, "headers": {"ETag": "\"\""}}
no-request-id     block2    "reply": {"status": 201}
other-sum         block2    "reply": {"status": 201, "headers": {"x-ms-request-id": "1", "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}}
bad-digest        block2    "reply": {"status": 400, "body": "<Error><Code>Md5Mismatch</Code></Error>"}
bad-block         block2    "reply": {"status": 400, "body": "<Error><Code>InvalidBlobOrBlock</Code></Error>"}
stall             block2    "at": "body", "after": 100000, "end": "stall", "reply": {}
stall             commit    "do": true, "at": "reply-head", "after": 30, "end": "stall"
huge-body         block2    "reply": {"status": 500, "repeat": ["x", 5000000]}
huge-header       block2    "reply": {"status": 500, "headers": {"X-Long": "@HUGE@"}}
TABLE
}
# Listings that are none, for ever: NAME, exit code, rule. No key comes out of any.
listings() {
    cat <<'TABLE'
entity-bomb  50  "reply": {"body": "<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><EnumerationResults><Blobs><Blob><Name>x&c;</Name></Blob></Blobs><NextMarker/></EnumerationResults>"}
file-entity  50  "reply": {"body": "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><EnumerationResults><Blobs><Blob><Name>x&b;</Name></Blob></Blobs><NextMarker/></EnumerationResults>"}
cut-off      50  "reply": {"body": "<EnumerationResults><Blobs><Blob><Name>x</Name>"}
html         50  "reply": {"body": "<html><body>Welcome to the hotel</body></html>"}
no-marker    90  "reply": {"body": "<EnumerationResults><Blobs></Blobs></EnumerationResults>"}
for-ever     90  "reply": {"body": "<EnumerationResults><Blobs></Blobs><NextMarker>a</NextMarker></EnumerationResults>"}
TABLE
}
# For ever: NAME, POSITION, exit code, rule. No object is there then.
for_ever() {
    cat <<'TABLE'
denied          block1    30  "reply": {"status": 403, "body": "<Error><Code>AuthorizationPermissionMismatch</Code></Error>"}
denied          block3    30  "reply": {"status": 403, "body": "<Error><Code>AuthorizationPermissionMismatch</Code></Error>"}
denied          commit    30  "reply": {"status": 403, "body": "<Error><Code>AuthorizationPermissionMismatch</Code></Error>"}
wrong-key       block2    30  "reply": {"status": 403, "body": "<Error><Code>AuthenticationFailed</Code></Error>"}
full            block2    80  "reply": {"status": 409, "body": "<Error><Code>BlockCountExceedsLimit</Code></Error>"}
redirected      look      40  "reply": {"status": 307, "headers": {"Location": "@OTHER@/testaccount/bucket/x"}}
redirected      block2    40  "reply": {"status": 301, "headers": {"Location": "@OTHER@/testaccount/bucket/x"}}
redirected      commit    40  "reply": {"status": 307, "headers": {"Location": "@OTHER@/testaccount/bucket/x"}}
no-container    block2    10  "reply": {"status": 404, "body": "<Error><Code>ContainerNotFound</Code></Error>"}
other-lengths   block1    90  "reply": {"status": 400, "body": "<Error><Code>InvalidBlobOrBlock</Code></Error>"}
blocks-gone     commit    90  "reply": {"status": 400, "body": "<Error><Code>InvalidBlockList</Code></Error>"}
other-sum       block2    90  "reply": {"status": 201, "headers": {"x-ms-request-id": "1", "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}}
exists          commit    20  "reply": {"status": 409, "body": "<Error><Code>BlobAlreadyExists</Code></Error>"}
overwrite       commit    20  "reply": {"status": 403, "body": "<Error><Code>UnauthorizedBlobOverwrite</Code></Error>"}
500             look      50  "reply": {"status": 500}
500             block2    50  "reply": {"status": 500}
500             commit    50  "reply": {"status": 500}
500-after-deed  commit    0   "do": true, "reply": {"status": 500}
lost            block1    50  "do": true, "at": "request"
lost            commit    0   "do": true, "at": "request"
reset           block3    50  "at": "body", "after": 9, "reply": {}
busy            block2    70  "reply": {"status": 503, "body": "<Error><Code>ServerBusy</Code></Error>"}
no-request-id   block2    50  "reply": {"status": 200}
TABLE
}

stored() {
    azure_state store '.objects | to_entries[] | "\(.key) \(.value[-1].sha256)"'
}
place() {
    echo container
}
left_over() { # blocks under the name of an object that is there, or blocks that are not ours
    azure_state store '.objects as $o | .blocks | to_entries[]
        | select((.key as $k | $o | has($k)) or any(.value[]; length != 32)) | .key'
}
ok 'another one starts' server_start other
huge=$(printf 'x%.0s' {1..70000})
while read -r name rule; do
    while read -r where _; do
        # HEAD has no body, so nothing in it says more than the status does.
        [[ $where != look || $name != [45]??-* && $name != empty-200 ]] && fault_add "$name" "$where" 0 1 "$rule"
    done < <(positions)
done < <(once)
while read -r name where rule; do
    fault_add "$name" "$where" 0 1 "${rule//@HUGE@/$huge}"
done < <(once_there)
while read -r name code rule; do
    fault_rule "{\"match\": \"GET prefix=list-$name\", $rule}"
    fault_case "list-$name" "$code"
done < <(listings)
while read -r name where code rule; do
    fault_add "$name" "$where" "$code" '' "${rule//@OTHER@/$other_URL}"
done < <(for_ever)
faults_run store "$T/big"
is 'where the redirections led nothing was sent' "$(server_requests other)" ''
lacks 'no secret is in what was logged' "$(cat "$T"/*.err)" "$AZURE_STORAGE_KEY"
finish

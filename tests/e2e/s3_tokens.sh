# Temporary keys that end while an upload is under way: each source that can have new ones is asked again, and the
# object is whole. The server refuses the old ones from the middle on, wherever their time may seem to stand.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/program.sh"
ok 'a server starts' s3_start store || finish
ok 'the agent of a container starts' server_start agent || finish
head -c 11000000 /dev/urandom >"$T/big"
sum=$(sha256sum <"$T/big" | cut -d' ' -f1)
keys='"AKOLD": {"secret": "old", "token": "t1", "expired": @}, "AKNEW": {"secret": "new", "token": "t2"}'

# What each source gives from now on: ID SECRET TOKEN.
by_file() {
    (umask 077 && printf '[default]\naws_access_key_id=%s\naws_secret_access_key=%s\naws_session_token=%s\n' "$@" >"$T/credentials.new")
    mv "$T/credentials.new" "$T/credentials"
}
by_process() {
    jq -n --arg id "$1" --arg secret "$2" --arg token "$3" \
        '{Version: 1, AccessKeyId: $id, SecretAccessKey: $secret, SessionToken: $token, Expiration: "2099-01-01T00:00:00Z"}' >"$T/printed.new"
    mv "$T/printed.new" "$T/printed"
}
by_container() {
    local body
    body=$(jq -n --arg id "$1" --arg secret "$2" --arg token "$3" \
        '{AccessKeyId: $id, SecretAccessKey: $secret, Token: $token, Expiration: "2099-01-01T00:00:00Z"}')
    server_rules agent "$(jq -cn --arg body "$body" '{match: "GET ^/keys$", header: {authorization: "^let me in$"}, reply: {body: $body}}')"
}
printf '[default]\ncredential_process = /bin/cat %s\n' "$T/printed" >"$T/config"
base=(-u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY BACKUP_S3_CONCURRENCY=1)
file_env=("${base[@]}" "AWS_SHARED_CREDENTIALS_FILE=$T/credentials")
process_env=("${base[@]}" "AWS_CONFIG_FILE=$T/config" "AWS_SHARED_CREDENTIALS_FILE=$T/none")
container_env=("${base[@]}" "AWS_SHARED_CREDENTIALS_FILE=$T/none" "AWS_CONFIG_FILE=$T/none"
    "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:$agent_PORT/keys" 'AWS_CONTAINER_AUTHORIZATION_TOKEN=let me in')

ends_on_the_way() { # ends_on_the_way SOURCE: an upload that stands still while its keys end
    local -n env=$1_env
    "by_$1" AKOLD old t1
    s3_set store "{\"keys\": {${keys/@/false}}}"
    mkfifo "$T/pipe"
    with "${env[@]}" call save "$1" "$T/pipe" >"$T/out" 2>"$T/err" &
    pid=$!
    exec {pipe}>"$T/pipe"
    head -c 10500000 "$T/big" >&$pipe
    ok "$1: a part is there" poll 20 eval '[ "$(s3_state store ".uploads[].parts[]")" != "" ]'
    "by_$1" AKNEW new t2
    s3_change store "{\"keys\": {${keys/@/true}}}"
    tail -c 500000 "$T/big" >&$pipe
    exec {pipe}>&-
    wait "$pid"
    is "$1: a token that expires on the way is renewed" "$?" 0 || sed 's/^/# /' "$T/err"
    is "$1: the object is whole" "$(holds store "$1")" "$sum"
    is "$1: no upload is left" "$(uploads store "$1")" 0
    lacks "$1: no secret is in the log" "$(cat "$T/err")" 't2'
    rm "$T/pipe"
    "by_$1" AKOLD old t1
    exit_is 30 "$1: a dead token that nothing renews" with "${env[@]}" call list
    contains "$1: is told" "$ERR" ExpiredToken
}
ends_on_the_way file
ends_on_the_way process
ends_on_the_way container

# HEAD has no body: a 400 to a token may mean anything, and is asked once more with new keys.
by_file AKOLD old t1
s3_set store "{\"keys\": {${keys/@/false}}}"
server_rules store '{"match": "HEAD", "times": 1, "reply": {"status": 400}}'
exit_is 10 'HEAD says 400 to a token and nothing else: asked once more' with "${file_env[@]}" call stat t

# A key that was replaced in its file between two runs of a long life: read again once, then told.
by_file AKOLD old t1
s3_set store '{"keys": {"AKOLD": {"secret": "changed", "token": "t1"}, "AKNEW": {"secret": "new", "token": "t2"}}}'
exit_is 30 'a secret that is another' with "${file_env[@]}" call list
contains 'is told by its code' "$ERR" SignatureDoesNotMatch
s3_set store '{"keys": {"AKNEW": {"secret": "new", "token": "t2"}}}'
exit_is 30 'a key that is known no more' with "${file_env[@]}" call list
contains 'is told, too' "$ERR" InvalidAccessKeyId
finish

# Every source of credentials for Azure, from its settings to a request that the store takes: against servers that
# check what they are sent.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/s3.sh"
. "$SR_SRCDIR/tests/lib/azure.sh"
. "$SR_SRCDIR/tests/lib/program.sh"
ok 'a store starts' azure_start store || finish
ok 'who hands out tokens starts' server_start id --handler "$SR_SRCDIR/tests/server/azure_identity.py" || finish
key=$AZURE_STORAGE_KEY endpoint=$AZURE_STORAGE_SERVICE_ENDPOINT
unset AZURE_STORAGE_KEY AZURE_STORAGE_ACCOUNT
mkdir "$T/tokens"
printf 'proof-of-root' >"$T/tokens/a.key"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=app -keyout "$T/app.key" -out "$T/app.crt" 2>/dev/null
cat "$T/app.key" "$T/app.crt" >"$T/app.pem"
printf 'fed.er.ated\n' >"$T/federated"
(umask 077 && printf %s "$key" >"$T/key")
identity() { # identity JSON: the tokens' side begins anew; the store takes token t1 alone
    server_tell id "{\"handler\": {\"set\": $(jq -cn --arg c "$T/app.pem" --arg a "$T/tokens/a.key" --arg u "$id_URL" \
        '{certificate: $c, arc_file: $a, url: $u} + $more' --argjson more "${1:-{\}}")}}" >/dev/null && server_rules id
    azure_set store '{"tokens": {"t1": "rcwdlx"}, "sas": {"good+sig=": "rcwdlx"}}' && server_rules store
}
tenant=(AZURE_TENANT_ID=tenant-1 AZURE_CLIENT_ID=client-1 "AZURE_AUTHORITY_HOST=$id_URL/")
uses() { # uses NAME WORDS KEY=VALUE...: a listing goes well, and the log names the source
    local name=$1 words=$2
    shift 2
    exit_is 0 "$name" with "$@" call list
    contains "$name: is named" "$ERR" "using credentials from $words"
}

identity
conn="DefaultEndpointsProtocol=https;AccountName=testaccount;AccountKey=$key;BlobEndpoint=$endpoint"
uses 'connection string' "the connection string's account key" AZURE_STORAGE_CONNECTION_STRING="$conn" -u AZURE_STORAGE_SERVICE_ENDPOINT
uses 'connection string with SAS' "the connection string's SAS" -u AZURE_STORAGE_SERVICE_ENDPOINT \
    AZURE_STORAGE_CONNECTION_STRING="BlobEndpoint=$endpoint/;SharedAccessSignature=?sv=2021-12-02&sig=good%2Bsig%3D"
uses 'account and key' 'the account key' AZURE_STORAGE_ACCOUNT=testaccount AZURE_STORAGE_KEY="$key"
uses 'key in a file of the store itself' 'the account key' BACKUP_AZURE_ACCOUNT_KEY_FILE="$T/key"
uses 'SAS' 'the SAS token' AZURE_STORAGE_SAS_TOKEN='?sv=2021-12-02&se=2999-01-01&sig=good%2Bsig%3D'
uses 'client secret' 'a client secret, client client-1' "${tenant[@]}" AZURE_CLIENT_SECRET='s3cret/+='
uses 'client certificate' 'a client certificate, client client-1' "${tenant[@]}" AZURE_CLIENT_CERTIFICATE_PATH="$T/app.pem"
uses 'workload identity' 'workload identity, client client-1' "${tenant[@]}" AZURE_FEDERATED_TOKEN_FILE="$T/federated"
uses 'App Service' 'the managed identity of App Service' IDENTITY_ENDPOINT="$id_URL/msi/token" IDENTITY_HEADER=h3ader
uses 'Arc' 'the managed identity of Arc' IDENTITY_ENDPOINT="$id_URL/arc/token" IMDS_ENDPOINT=http://localhost:40342 \
    BACKUP_AZURE_ARC_TOKEN_FOLDER="$T/tokens" AZURE_CLIENT_ID=passed-over
uses 'an instance' 'the managed identity of this instance' BACKUP_AZURE_METADATA_ENDPOINT="$id_URL/"
identity '{"user_assigned": "uami-7"}'
uses 'an identity of several' 'the managed identity of this instance, client uami-7' AZURE_CLIENT_ID=uami-7 BACKUP_AZURE_METADATA_ENDPOINT="$id_URL"

# The first that is set up is used, and one that fails ends the search.
identity
uses 'a secret goes before the machine' 'a client secret' "${tenant[@]}" AZURE_CLIENT_SECRET='s3cret/+=' BACKUP_AZURE_METADATA_ENDPOINT="$id_URL"
exit_is 30 'a wrong secret' with "${tenant[@]}" AZURE_CLIENT_SECRET=wrong BACKUP_AZURE_METADATA_ENDPOINT="$id_URL" call list
contains 'is told in the words of the server' "$ERR" AADSTS1
lacks 'and does not fall through' "$ERR" 'using credentials'
uses 'unless one is named' 'the managed identity' "${tenant[@]}" -u AZURE_CLIENT_ID AZURE_CLIENT_SECRET=wrong BACKUP_AZURE_CREDENTIALS=managed-identity BACKUP_AZURE_METADATA_ENDPOINT="$id_URL"
exit_is 40 'a secret without a tenant' with AZURE_CLIENT_SECRET=x AZURE_CLIENT_ID=client-1 call list
contains 'is told' "$ERR" 'AZURE_CLIENT_SECRET is set without AZURE_TENANT_ID'
exit_is 40 'a certificate without a key' with "${tenant[@]}" AZURE_CLIENT_CERTIFICATE_PATH="$T/app.crt" call list
exit_is 40 'a token file that is missing' with "${tenant[@]}" AZURE_FEDERATED_TOKEN_FILE="$T/nowhere" call list
contains 'is told with its path' "$ERR" "$T/nowhere"
exit_is 30 'a SAS that has ended' with AZURE_STORAGE_SAS_TOKEN='se=2020-01-01T00:00:00Z&sig=good' call list
contains 'says when' "$ERR" 'ended at 2020-01-01'
nobody_listens
exit_is 30 'nothing is set up, and there is no metadata service' with BACKUP_AZURE_METADATA_ENDPOINT="http://127.0.0.1:$nobody_PORT" call list
contains 'what was asked is listed' "$ERR" 'connection string, account key, SAS token, client secret, client certificate, workload identity, managed identity'

# Where secrets do not go.
exit_is 40 'a token never goes over plain http' with "${tenant[@]}" AZURE_CLIENT_SECRET='s3cret/+=' AZURE_STORAGE_SERVICE_ENDPOINT=http://store.example call list
contains 'is told' "$ERR" 'use https'
exit_is 40 'nor a SAS' with AZURE_STORAGE_SAS_TOKEN='sig=good' AZURE_STORAGE_SERVICE_ENDPOINT=http://store.example call list
exit_is 40 'nor a secret to an authority over http' with "${tenant[@]}" AZURE_CLIENT_SECRET=x AZURE_AUTHORITY_HOST=http://login.example call list
exit_is 40 'nor a header of App Service to somewhere else' with IDENTITY_ENDPOINT=http://evil.example/msi IDENTITY_HEADER=h call list
identity "{\"arc_file\": \"$T/tokens/../app.key\"}"
exit_is 30 'Arc names another file' with IDENTITY_ENDPOINT="$id_URL/arc/token" IMDS_ENDPOINT=x:// BACKUP_AZURE_ARC_TOKEN_FOLDER="$T/tokens" call list
contains 'which is not read' "$ERR" 'none of its own'
is 'and nothing of it is sent' "$(server_requests id '.headers[] | select(.[0] | ascii_downcase == "authorization")')" ''

# A service that is being updated is waited for; one that refuses is not.
identity
server_rules id '{"match": "GET", "times": 2, "reply": {"status": 410}}' '{"match": "GET", "skip": 0, "times": 1, "reply": {"status": 404}}'
uses 'metadata that is being updated' 'the managed identity' BACKUP_AZURE_METADATA_ENDPOINT="$id_URL"
identity '{"user_assigned": "another"}'
exit_is 30 'an identity that is none' with BACKUP_AZURE_METADATA_ENDPOINT="$id_URL" call list
is 'is asked for once by each of two calls' "$(server_requests id .method | wc -l)" 2

# A token that ends on the way is renewed, from where it came.
identity
azure_set store '{"tokens": {"t2": "rcwdlx"}}'
server_rules id '{"match": "GET", "times": 1, "reply": {"headers": {"Content-Type": "application/json"}, "body": "{\"access_token\": \"t1\", \"expires_in\": \"3600\"}"}}'
server_tell id '{"handler": {"set": {"token": "t2"}}}' >/dev/null
exit_is 0 'a token that the store refuses' with BACKUP_AZURE_METADATA_ENDPOINT="$id_URL" call list
is 'is renewed once' "$(server_requests id .method | wc -l)" 2
# A key that is replaced in its file, likewise.
identity
mkfifo "$T/pipe"
head -c 5000000 /dev/urandom >"$T/big"
with BACKUP_AZURE_ACCOUNT_KEY_FILE="$T/key" BACKUP_AZURE_PART_SIZE=1MiB BACKUP_AZURE_CONCURRENCY=1 call save k "$T/pipe" >/dev/null 2>"$T/k.err" &
pid=$!
exec {pipe}>"$T/pipe"
head -c 3000000 "$T/big" >&$pipe
ok 'blocks are there' poll 20 eval '[ "$(azure_state store ".blocks.k | length")" -ge 1 ]'
other=$(printf 'another key of tests' | base64 -w0)
printf %s "$other" >"$T/key"
azure_change store "{\"key\": \"$other\"}"
tail -c +3000001 "$T/big" >&$pipe
exec {pipe}>&-
wait "$pid"
is 'a key that is replaced during an upload' $? 0
is 'the object is whole' "$(azure_holds store k)" "$(sha256sum <"$T/big" | cut -d' ' -f1)"

# The clock: the server's is taken over from a verified server only.
ok 'a store with TLS starts' azure_start secure --with-tls
azure_set secure '{"clock": 7200}'
exit_is 0 'a skewed clock' call list
contains 'is told' "$ERR" "set this machine's clock"
lacks 'no secret is in any log' "$(cat "$T"/*.err "$T"/err "$T"/out 2>/dev/null)" "$key"
finish

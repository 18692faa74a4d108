# Every source of Google credentials, against an endpoint that checks what it is sent: RS256 assertions verified by
# arithmetic, audience, times, scope and key id; and what is wrong told, without a secret in it.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
ok 'a server starts' gcs_start store || finish
URL=$store_URL
key=$T/store.json
AUDIENCE=//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q
settings=$(jq -nc --arg e "$gcs_EMAIL" '{machine: $e, subjects: {"subject-by-file": $e, "subject-by-url": $e},
    refresh_tokens: {"refresh-hunter2": {client_id: "id", client_secret: "secret-hunter2", account: $e}},
    impersonate: {($e): ["other@project.iam.gserviceaccount.com"]}}')
gcs_set store "$settings"

lists() { # lists WHAT [VAR=VALUE...]: a listing succeeds, and the log names the source
    local what=$1
    shift
    exit_is 0 "$what: a listing" with "$@" call list
    lacks "$what: no secret is shown" "$OUT$ERR" hunter2
    lacks "$what: no token is shown" "$OUT$ERR" ya29.
    lacks "$what: no assertion is shown" "$OUT$ERR" eyJ
}
refused() { # refused WHAT CODE SAYS [VAR=VALUE...]
    local what=$1 code=$2 says=$3
    shift 3
    exit_is "$code" "$what: refused" with "$@" call list
    contains "$what: and why" "$(tail -n 1 "$T/err")" "$says"
    lacks "$what: no secret is shown" "$OUT$ERR" hunter2
    lacks "$what: no key is shown" "$OUT$ERR" "$(sed -n 3p "$key.pem")"
}

# Service accounts.
lists 'a service account'
contains 'the source is named' "$ERR" "using credentials from service account $gcs_EMAIL"
server_tell store '{"requests": true}' | jq -r '[.requests[] | select(.target == "/token")][-1].body' |
    tr '&' '\n' | sed -n 's/^assertion=//p' >"$T/assertion"
cut -d. -f1,2 "$T/assertion" | tr -d '\n' >"$T/signed"
cut -d. -f3 "$T/assertion" | tr -d '\n' | tr '_-' '/+' | sed 's/$/==/' | base64 -d >"$T/signature" 2>"$T/base64.err"
openssl rsa -in "$key.pem" -pubout -out "$T/public.pem" 2>"$T/openssl.err"
ok 'openssl verifies the assertion that was sent' openssl dgst -sha256 -verify "$T/public.pem" -signature "$T/signature" "$T/signed"
gcs_key "$T/other.json" "$gcs_EMAIL" key-1 "$URL/token" >"$T/other.modulus"
refused 'a key that is not the account'\''s' 30 'Invalid JWT Signature' GOOGLE_APPLICATION_CREDENTIALS="$T/other.json"
jq '.private_key_id = "key-2"' "$key" >"$T/kid.json"
refused 'a key id that is not known' 30 'no such key' GOOGLE_APPLICATION_CREDENTIALS="$T/kid.json"
jq '.client_email = "nobody@x"' "$key" >"$T/nobody.json"
refused 'an account that is not known' 30 'account not found' GOOGLE_APPLICATION_CREDENTIALS="$T/nobody.json"
jq '.private_key = "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"' "$key" >"$T/broken.json"
refused 'a key that is none' 40 'no private key' GOOGLE_APPLICATION_CREDENTIALS="$T/broken.json"
for url in http://169.254.169.254/ file:///etc/passwd 'https://me:hunter2@host/' gopher://x; do
    jq --arg u "$url" '.token_uri = $u' "$key" >"$T/hostile.json"
    refused "token_uri $url" 40 token_uri GOOGLE_APPLICATION_CREDENTIALS="$T/hostile.json"
done
refused 'a file that is not there' 40 'No such file' GOOGLE_APPLICATION_CREDENTIALS="$T/nowhere.json"
echo 'hunter2' >"$T/text.json"
refused 'a file that is no JSON' 40 'no JSON' GOOGLE_APPLICATION_CREDENTIALS="$T/text.json"
head -c 70000 /dev/zero | tr '\0' ' ' >"$T/long.json"
refused 'a file without end' 90 'more than 65536' GOOGLE_APPLICATION_CREDENTIALS="$T/long.json"
echo '{"type": "gdch_service_account"}' >"$T/kind.json"
refused 'a kind that is not known' 140 gdch_service_account GOOGLE_APPLICATION_CREDENTIALS="$T/kind.json"

# Users; the file of gcloud's is found by CLOUDSDK_CONFIG and below HOME.
jq -n --arg u "$URL/token" '{type: "authorized_user", client_id: "id", client_secret: "secret-hunter2",
    refresh_token: "refresh-hunter2", token_uri: $u}' >"$T/user.json"
lists 'a user' GOOGLE_APPLICATION_CREDENTIALS="$T/user.json"
jq '.refresh_token = "gone-hunter2"' "$T/user.json" >"$T/gone.json"
refused 'a user whose token was revoked' 30 'gcloud auth application-default login' GOOGLE_APPLICATION_CREDENTIALS="$T/gone.json"
mkdir -p "$T/config" "$HOME/.config/gcloud"
cp "$T/user.json" "$T/config/application_default_credentials.json"
lists 'gcloud'\''s folder' -u GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_CONFIG="$T/config"
contains 'its file is named' "$ERR" "user in $T/config/application_default"
cp "$T/user.json" "$HOME/.config/gcloud/application_default_credentials.json"
lists 'gcloud'\''s file below HOME' -u GOOGLE_APPLICATION_CREDENTIALS
rm "$HOME/.config/gcloud/application_default_credentials.json"

# The metadata server.
lists 'the metadata server' -u GOOGLE_APPLICATION_CREDENTIALS -u NO_GCE_CHECK GCE_METADATA_HOST="localhost:$store_PORT"
contains 'it is named' "$ERR" 'using credentials from the metadata server'
is 'it is asked as Google'\''s documents say' \
    "$(server_requests store 'select(.target | startswith("/computeMetadata")) | .headers[] | select(.[0] == "Metadata-Flavor") | .[1]' | sort -u)" '"Google"'
ok 'something else starts' server_start else
server_rules else '{"reply": {"body": "{\"access_token\": \"hunter2\", \"expires_in\": 99}"}}'
refused 'what is no metadata server' 50 'Metadata-Flavor' -u GOOGLE_APPLICATION_CREDENTIALS -u NO_GCE_CHECK GCE_METADATA_HOST="localhost:$else_PORT"
refused 'a metadata host that is a URL' 40 'GCE_METADATA_HOST' -u GOOGLE_APPLICATION_CREDENTIALS -u NO_GCE_CHECK GCE_METADATA_HOST="$URL/x"
refused 'nothing at all' 30 'no credentials found' -u GOOGLE_APPLICATION_CREDENTIALS

# External accounts: a file, a file of JSON, a URL; then through another account.
printf 'subject-by-file\n' >"$T/subject"
echo '{"id_token": "subject-by-file"}' >"$T/subject.json"
external() { # external FILTER >FILE
    jq -n --arg u "$URL" --arg a "$AUDIENCE" '{type: "external_account", audience: $a,
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt", token_url: ($u + "/sts")} | '"$1"
}
external ".credential_source = {file: \"$T/subject\"}" >"$T/ext.json"
lists 'an external account, its token in a file' GOOGLE_APPLICATION_CREDENTIALS="$T/ext.json"
external ".credential_source = {file: \"$T/subject.json\", format: {type: \"json\", subject_token_field_name: \"id_token\"}}" >"$T/ext-json.json"
lists 'in a file of JSON' GOOGLE_APPLICATION_CREDENTIALS="$T/ext-json.json"
external ".credential_source = {url: \"$URL/subject\", headers: {\"X-Want\": \"subject\"}, format: {type: \"json\", subject_token_field_name: \"value\"}}" >"$T/ext-url.json"
lists 'at a URL' GOOGLE_APPLICATION_CREDENTIALS="$T/ext-url.json"
to_other=".service_account_impersonation_url = \"$URL/iam/v1/projects/-/serviceAccounts/other@project.iam.gserviceaccount.com:generateAccessToken\""
external ".credential_source = {file: \"$T/subject\"} | $to_other" >"$T/ext-other.json"
lists 'through another account' GOOGLE_APPLICATION_CREDENTIALS="$T/ext-other.json"
echo 'stranger-hunter2' >"$T/stranger"
external ".credential_source = {file: \"$T/stranger\"}" >"$T/ext-bad.json"
refused 'a token that is not known' 30 'subject token is not known' GOOGLE_APPLICATION_CREDENTIALS="$T/ext-bad.json"
external '.credential_source = {environment_id: "aws1"}' >"$T/ext-aws.json"
refused 'Amazon as the source' 140 'not supported' GOOGLE_APPLICATION_CREDENTIALS="$T/ext-aws.json"
external '.credential_source = {executable: {command: "/bin/true"}}' >"$T/ext-run.json"
refused 'a program as the source' 140 'not supported' GOOGLE_APPLICATION_CREDENTIALS="$T/ext-run.json"

# Impersonation.
jq -n --slurpfile s "$T/user.json" "{type: \"impersonated_service_account\", source_credentials: \$s[0]} | $to_other" >"$T/imp.json"
lists 'a user as another account' GOOGLE_APPLICATION_CREDENTIALS="$T/imp.json"
jq -n --slurpfile s "$key" "{type: \"impersonated_service_account\", source_credentials: \$s[0]} | $to_other" >"$T/imp-key.json"
lists 'a service account as another' GOOGLE_APPLICATION_CREDENTIALS="$T/imp-key.json"
sed 's/other@/third@/' "$T/imp.json" >"$T/imp-bad.json"
refused 'one that it may not act as' 30 'iam.serviceAccounts.getAccessToken' GOOGLE_APPLICATION_CREDENTIALS="$T/imp-bad.json"

# Emulators get nothing.
gcs_change store '{"anonymous": true}'
exit_is 0 'an emulator' with -u BACKUP_GCS_ENDPOINT_URL STORAGE_EMULATOR_HOST="localhost:$store_PORT" call list
gcs_set store "$settings"

# Tokens that die under way are renewed; those that live short are not asked for at each request.
head -c 11000000 /dev/urandom >"$T/big"
server_rules store '{"match": "PUT upload_id", "skip": 1, "times": 1, "reply": {"status": 401, "body": "{\"error\": {\"errors\": [{\"reason\": \"authError\"}]}}"}}'
exit_is 0 'a token that is refused in the middle of an upload' call save renewed "$T/big"
is 'was renewed once' "$(server_requests store 'select(.target == "/token").number' | wc -l)" 2
is 'and the object is whole' "$(holds store renewed)" "$(sha256sum <"$T/big" | cut -d' ' -f1)"

# A wrong clock: over plain http the server's time is not believed, and that is said.
gcs_change store '{"clock": 7200}'
refused 'a clock that is wrong' 30 'Invalid JWT'
contains 'is told' "$ERR" "set this machine's clock"
server_stop store
ok 'a server starts with TLS' gcs_start secure --with-tls || finish
gcs_set secure '{"clock": 7200}'
exit_is 0 'over https its time is taken over' call list
finish

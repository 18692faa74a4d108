# Federation from an instance at Azure: the token of its managed identity comes from the metadata service at
# 169.254.169.254, which speaks plain http, and goes to Google's token exchange. Run in a network of its own, where that
# address is a server of ours; where this machine lets nobody make one, what is refused is tried alone, but on CI.
own=${1:-}
if [ -z "$own" ] && unshare --user --map-root-user --net true 2>/dev/null; then
    exec unshare --user --map-root-user --net bash "$0" own-network
fi
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib.sh"
. "$SR_SRCDIR/tests/lib/server.sh"
. "$SR_SRCDIR/tests/lib/gcs.sh"
AZURE=http://169.254.169.254/metadata/identity/oauth2/token
also=()
if [ -n "$own" ]; then
    ip link set lo up && ip address add 169.254.169.254/32 dev lo || exit 1
    also=(--also 169.254.169.254:80)
else
    echo '# no network of its own can be made here: nothing is fetched from the metadata address'
    [ -z "${CI:-}" ] || ok 'which CI needs' false
fi
ok 'a server starts' gcs_start store "${also[@]}" || finish
ok 'a proxy starts' server_start proxy
gcs_set store "$(jq -nc --arg e "$gcs_EMAIL" '{subjects: {"subject-by-url": $e}}')"
export http_proxy=$proxy_URL https_proxy=$proxy_URL

account() { # account URL [FILTER] >FILE: as gcloud writes it for Azure
    jq -n --arg u "$store_URL" --arg s "$1" '{type: "external_account", token_url: ($u + "/sts"),
        audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt", credential_source: {url: $s,
        headers: {Metadata: "True"}, format: {type: "json", subject_token_field_name: "access_token"}}} | '"${2:-.}"
}
given() { # given NAME RULE...: what the metadata service answers
    server_rules store "${@:2}"
    account "$AZURE?api-version=2018-02-01&resource=api://p" >"$T/azure.json"
    run with GOOGLE_APPLICATION_CREDENTIALS="$T/azure.json" call list
}
asked() {
    server_requests store 'select(.target | startswith("/metadata/identity"))'
}
if [ -n "$own" ]; then
    given token '{"match": "GET ^/metadata/identity/oauth2/token.api-version=2018-02-01&resource=api://p$", "header": {"metadata": "^True$"}, "reply": {"body": "{\"access_token\": \"subject-by-url\", \"expires_in\": \"86399\", \"token_type\": \"Bearer\"}"}}'
    is 'a listing with the token of an instance at Azure' "$RC" 0
    contains 'the source is named' "$ERR" "using credentials from external account in $T/azure.json"
    is 'the metadata service was asked once' "$(asked | wc -l)" 1
    given redirect '{"match": "GET ^/metadata/identity/", "reply": {"status": 302, "headers": {"Location": "/subject"}}}'
    isnt 'a redirect is not followed' "$RC" 0
    is 'nowhere' "$(server_requests store 'select(.target == "/subject").number' | wc -l)" 0
    given silence '{"match": "GET ^/metadata/identity/", "times": 1, "reply": {"status": 500}}' \
        '{"match": "GET ^/metadata/identity/", "reply": {"body": "{\"access_token\": \"subject-by-url\"}"}}'
    is 'a service that is busy at first' "$RC" 0
    is 'nothing of all this went to the proxy' "$(server_requests proxy .target)" ''
fi

# Whatever else the address has, and the address in any other place, is refused before anything is asked.
refused() { # refused WHAT SAYS FILE
    server_rules store
    exit_is 40 "$1: refused" with GOOGLE_APPLICATION_CREDENTIALS="$3" call list
    contains "$1: and why" "$(tail -n 1 "$T/err")" "$2"
    is "$1: nothing was asked" "$(server_requests store .target)$(server_requests proxy .target)" ''
}
account http://169.254.169.254/latest/meta-data/iam/security-credentials/role >"$T/f.json"
refused 'keys of a machine at Amazon' "only Azure's" "$T/f.json"
account http://169.254.169.254/metadata/instance >"$T/f.json"
refused 'something else of Azure' "only Azure's" "$T/f.json"
account http://metadata.example/metadata/identity/oauth2/token >"$T/f.json"
refused 'another host' 'neither over https' "$T/f.json"
account "$AZURE" ".token_url = \"$AZURE\"" >"$T/f.json"
refused 'as the token exchange' token_url "$T/f.json"
account "$AZURE" ".service_account_impersonation_url = \"$AZURE\"" >"$T/f.json"
refused 'as the other account' service_account_impersonation_url "$T/f.json"
finish

# The scripted server and its shell helper do as their heads say.
. "${SR_SRCDIR:-$(dirname "$0")/../..}/tests/lib/env.sh"
. "$SR_SRCDIR/tests/lib/assert.sh"
. "$SR_SRCDIR/tests/lib/server.sh"

cat >"$T/store.py" <<'END'
objects = {}
def handle(request):
    if request.method == "PUT":
        objects[request.path] = request.body
        return {"status": 200}
    if request.path in objects:
        return {"status": 200, "body": objects[request.path]}
    return {"status": 404}
def tell(what):
    return sorted(objects)
END

ask() { # ask URL [METHOD [BODY]]: status and body, or what went wrong
    /usr/bin/python3 - "$T/certs/ca.pem" "$@" <<'END'
import http.client, ssl, sys, urllib.parse
ca, url, method, body = (sys.argv[1:] + ["GET", None])[:4] if len(sys.argv) < 5 else sys.argv[1:5]
u = urllib.parse.urlsplit(url)
try:
    if u.scheme == "https":
        c = http.client.HTTPSConnection(u.netloc, context=ssl.create_default_context(cafile=ca), timeout=10)
    else:
        c = http.client.HTTPConnection(u.netloc, timeout=10)
    c.request(method, u.path, body=body)
    r = c.getresponse()
    print(r.status, r.read().decode())
except Exception as e:
    print(type(e).__name__)
END
}

ok 'a server starts' server_start store --handler "$T/store.py" --log "$T/log"
is 'the handler answers' "$(ask "$store_URL/a" PUT hello)" '200 '
is 'and remembers' "$(ask "$store_URL/a")" '200 hello'
is 'it tells the test' "$(server_tell store '{"handler": null}')" '{"handler": ["/a"]}'

ok 'rules are taken' server_rules store '{"match": "GET ^/a$", "skip": 1, "times": 1, "reply": {"status": 503}}' \
    '{"match": "PUT", "do": true, "at": "request"}'
is 'a match is passed over' "$(ask "$store_URL/a")" '200 hello'
is 'then the rule applies' "$(ask "$store_URL/a")" '503 '
is 'once' "$(ask "$store_URL/a")" '200 hello'
matches 'an answer can be lost after the deed is done' "$(ask "$store_URL/b" PUT there)" 'RemoteDisconnected|ConnectionResetError'
is 'it was done' "$(ask "$store_URL/b")" '200 there'
is 'what came is told' "$(server_requests store '"\(.method) \(.target) \(.rule)"' | tr -d '"' | paste -sd' ')" \
    'GET /a null GET /a 0 GET /a null PUT /b 1 GET /b null'
is 'and logged' "$(wc -l <"$T/log")" 7
no 'a rule with a slip is refused' server_rules store '{"mtach": "GET"}'
no 'what is no JSON is refused' server_tell store 'nonsense'

ok 'one with TLS starts' server_start secure --with-tls
server_rules secure '{"reply": {"body": "safe"}}'
is 'TLS is spoken' "$(ask "$secure_URL/")" '200 safe'

pid=$store_PID start=$(start_time "$store_PID")
server_stop store
ok 'a server is gone when it was stopped' is_gone "$pid" "$start"
is 'nobody answers' "$(ask "$store_URL/")" ConnectionRefusedError

# A test that is killed leaves no server behind.
{ bash -c '. "$SR_SRCDIR/tests/lib/env.sh"; . "$SR_SRCDIR/tests/lib/server.sh"
    server_start orphan && echo "$orphan_PID $(start_time "$orphan_PID") $T" >"$1" && kill -9 $$' - "$T/orphan"; } 2>/dev/null
read -r pid start left <"$T/orphan"
ok 'the server of a killed test ends' poll 20 is_gone "$pid" "$start"
rm -rf "${left:?}"
finish

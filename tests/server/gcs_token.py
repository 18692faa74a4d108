"""Google's token endpoint, as far as gcs.py needs it: assertions are verified with arithmetic alone.

    POST /token                                       service accounts (RS256), users' refresh tokens
    POST /sts                                         tokens of other clouds, exchanged (RFC 8693)
    POST /iam/v1/projects/-/serviceAccounts/X:generateAccessToken
    GET  /computeMetadata/v1/instance/service-accounts/default/token
    GET  /subject                                     a URL source of an external account
"""
import base64
import hashlib
import json
import urllib.parse

from gcs_state import Refused, iso, state

SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write", "https://www.googleapis.com/auth/cloud-platform")
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


class Bad(Exception):
    """An OAuth error: {"error": ..., "error_description": ...}."""

    def __init__(self, error, about, status=400):
        super().__init__(error)
        self.error, self.about, self.status = error, about, status


def url64(text):
    if "=" in text:
        raise Bad("invalid_grant", "base64url is not padded")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified(signed, signature, modulus):
    """RSASSA-PKCS1-v1_5 with SHA-256 and e = 65537, RFC 8017 8.2.2."""
    n = int(modulus, 16)
    size = (n.bit_length() + 7) // 8
    digest = SHA256_INFO + hashlib.sha256(signed).digest()
    want = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return len(signature) == size and pow(int.from_bytes(signature, "big"), 65537, n).to_bytes(size, "big") == want


def issue(account, scope):
    token = "ya29.%s" % base64.urlsafe_b64encode(hashlib.sha256(b"%d" % state.number()).digest()).decode().rstrip("=")
    state.tokens[token] = {"account": account, "scope": scope, "until": state.now() + state.set["life"]}
    return token


def granted(account, scope, **more):
    return 200, {"access_token": issue(account, scope), "expires_in": state.set["life"], "token_type": "Bearer", **more}


def scope_check(scope):
    if scope not in SCOPES:
        raise Bad("invalid_scope", "%s is no scope that suffices" % scope)


def by_assertion(form, here):
    parts = form.get("assertion", "").split(".")
    if len(parts) != 3:
        raise Bad("invalid_grant", "an assertion has three parts")
    head, claims = (json.loads(url64(p)) for p in parts[:2])
    if head.get("alg") != "RS256" or head.get("typ") != "JWT":
        raise Bad("invalid_grant", "Invalid JWT header")
    keys = state.set["accounts"].get(claims.get("iss"), {}).get("keys", {})
    if not keys:
        raise Bad("invalid_grant", "Invalid grant: account not found")
    if head.get("kid") not in keys:
        raise Bad("invalid_grant", "Invalid JWT Signature: no such key")
    if not verified((parts[0] + "." + parts[1]).encode(), url64(parts[2]), keys[head["kid"]]):
        raise Bad("invalid_grant", "Invalid JWT Signature.")
    if claims.get("aud") != here:
        raise Bad("invalid_grant", "the audience is %s, not %s" % (claims.get("aud"), here))
    now, iat, exp = state.now(), claims.get("iat"), claims.get("exp")
    if not isinstance(iat, int) or not isinstance(exp, int) or not 0 < exp - iat <= 3600 or iat > now + 5 or exp <= now:
        raise Bad("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
                                   "timeframe. Check your iat and exp values in the JWT claim.")
    scope_check(claims.get("scope"))
    return granted(claims["iss"], claims["scope"])


def by_refresh(form):
    known = state.set["refresh_tokens"].get(form.get("refresh_token"))
    if not known:
        raise Bad("invalid_grant", "Token has been expired or revoked.")
    if (form.get("client_id"), form.get("client_secret")) != (known["client_id"], known["client_secret"]):
        raise Bad("invalid_client", "The OAuth client was not found.", 401)
    return granted(known["account"], SCOPES[1])


def exchange(request, form):
    want = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"}
    for name, value in want.items():
        if form.get(name) != value:
            raise Bad("invalid_request", "%s is %s" % (name, form.get(name)))
    account = state.set["subjects"].get(form.get("subject_token"))
    if not account:
        raise Bad("invalid_grant", "The subject token is not known.")
    scope_check(form.get("scope"))
    return granted(account, form["scope"], issued_token_type=want["requested_token_type"])


def impersonate(request, target):
    who = bearer(request)
    if state.tokens[who]["scope"] != SCOPES[1]:
        raise Refused(403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "Request had insufficient authentication scopes.")
    account = state.tokens[who]["account"]
    if target not in state.set["impersonate"].get(account, []):
        raise Refused(403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied")
    asked = json.loads(request.body)
    if asked.get("scope") != [SCOPES[0]] or not asked.get("lifetime", "").endswith("s"):
        raise Refused(400, "INVALID_ARGUMENT", "scope or lifetime")
    life = int(asked["lifetime"][:-1])
    token = issue(target, SCOPES[0])
    state.tokens[token]["until"] = state.now() + life
    return 200, {"accessToken": token, "expireTime": iso(state.now() + life)[:19] + "Z"}


def bearer(request):
    """The token of a request, which must be one of ours and alive."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not kind:
        raise Refused(401, "required", "Anonymous caller does not have access.")
    known = state.tokens.get(token)
    if kind != "Bearer" or not known or known["until"] <= state.now() or known.get("revoked"):
        raise Refused(401, "authError", "Invalid Credentials")
    return token


def metadata(request):
    if request.headers.get("metadata-flavor") != "Google" or "x-forwarded-for" in request.headers:
        return 403, {"error": "forbidden"}
    if not state.set["machine"]:
        return 404, {"error": "not found"}
    return granted(state.set["machine"], SCOPES[1])


def route(request, base):
    """(status, JSON) of a request for a token, or None: it is none."""
    path = request.path
    if path.startswith("/computeMetadata/"):
        return metadata(request) if path.endswith("/service-accounts/default/token") else (404, {})
    if path == "/subject":
        return (200, {"value": "subject-by-url"}) if request.headers.get("x-want") == "subject" else (403, {})
    if path.startswith("/iam/"):
        return impersonate(request, path.rpartition("/")[2].partition(":")[0])
    if path not in ("/token", "/sts"):
        return None
    if request.method != "POST" or request.headers.get("content-type") != "application/x-www-form-urlencoded":
        return 400, {"error": "invalid_request", "error_description": "a form is to be posted"}
    form = dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True))
    try:
        if path == "/sts":
            return exchange(request, form)
        if form.get("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return by_assertion(form, base + "/token")
        if form.get("grant_type") == "refresh_token":
            return by_refresh(form)
        raise Bad("unsupported_grant_type", "Invalid grant_type: %s" % form.get("grant_type"))
    except Bad as e:
        return e.status, {"error": e.error, "error_description": e.about}

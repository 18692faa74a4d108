"""A small honest Azure Blob Storage in memory, strict about what it is sent: a handler of scripted.py.

    server_start store --handler "$SR_SRCDIR/tests/server/azure.py"
    server_tell store '{"handler": {"set": {"versions": true}}}'            begins anew, with these of SETTINGS
    server_tell store '{"handler": {"change": {"sas": {"new": "cw"}}}}'     keeps what is stored
    server_tell store '{"handler": {"put": {"key": "k", "body": "..."}}}'   somebody else's object
    server_tell store '{"handler": {"state": true}}'                        objects, uncommitted blocks

The account is the first component of the path, as Azurite has it. Each request is checked before it is obeyed:
the signature with the account's key (made here from Azure's own manual, apart from ours), the digest of a body,
the length of block ids. What it does: the manual of version 2021-12-02.
"""
import base64
import hashlib
import hmac
import re
import time
import xml.etree.ElementTree as ET
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import unquote
from xml.sax.saxutils import escape

SETTINGS = {
    "account": "testaccount",
    "key": base64.b64encode(b"a key of tests, no secret").decode(),
    "sas": {},                  # signature: its permissions, "rcwdl"
    "tokens": {},               # bearer token: its permissions
    "containers": ["bucket"],
    "clock": 0,                 # seconds that its clock is ahead
    "page": 5000,
    "versions": False,
    "soft_delete": False,
    "locks": False,             # version-level immutability
    "uncommitted_exist": False,  # Put Blob takes uncommitted blocks for an object, as Azurite does
    "archive": False,           # what is in the archive tier cannot be read
    "must": [],                 # headers without which it refuses
    "hns": False,
}
KEPT = ("x-ms-meta-", "x-ms-access-tier", "x-ms-encryption-scope", "x-ms-encryption-key-sha256", "x-ms-immutability-policy-",
        "x-ms-legal-hold", "x-ms-blob-content-md5", "x-ms-blob-content-type")


class Refused(Exception):
    def __init__(self, status, code, message="no", headers=()):
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message, list(headers)


class State:
    def begin(self, settings):
        unknown = set(settings) - set(SETTINGS)
        if unknown:
            raise ValueError("unknown setting: %s" % ", ".join(sorted(unknown)))
        self.set = {**SETTINGS, **settings}
        self.objects = {}  # key: versions, the newest last; the current one has "current"
        self.blocks = {}   # key: {id: body}
        self.count = 0

    def now(self):
        return time.time() + self.set["clock"]


state = State()
state.begin({})


def answer(status=200, headers=(), body=b""):
    return {"status": status, "headers": list(headers), "body": body}


def xml(root, inner, headers=()):
    return answer(200, [("Content-Type", "application/xml"), *headers],
                  '<?xml version="1.0" encoding="utf-8"?><%s>%s</%s>' % (root, inner, root))


# Who asks.

def signed_text(request):
    h, get = request.headers, lambda n: request.headers.get(n, "")
    length = get("content-length")
    lines = [request.method, get("content-encoding"), get("content-language"), "" if length == "0" else length,
             get("content-md5"), get("content-type"), get("date"), get("if-modified-since"), get("if-match"),
             get("if-none-match"), get("if-unmodified-since"), get("range")]
    lines += ["%s:%s" % (n, h[n]) for n in sorted(h) if n.startswith("x-ms-")]
    path, _, query = request.target.partition("?")
    lines.append("/" + state.set["account"] + path)
    pairs = sorted((n.lower(), unquote(v)) for n, _, v in (p.partition("=") for p in query.split("&") if p))
    return "\n".join(lines + ["%s:%s" % p for p in pairs])


def by_key(request, value):
    account, _, signature = value.partition(":")
    date = request.headers.get("x-ms-date", "")
    try:
        off = abs(parsedate_to_datetime(date).timestamp() - state.now())
    except (TypeError, ValueError):
        raise Refused(403, "AuthenticationFailed", "no date")
    mac = hmac.new(base64.b64decode(state.set["key"]), signed_text(request).encode(), hashlib.sha256).digest()
    if account != state.set["account"] or off > 900 or signature != base64.b64encode(mac).decode():
        raise Refused(403, "AuthenticationFailed", "Server failed to authenticate the request.\nRequestId:1")
    return "rcwdlx"


def rights_of(request, query):
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if "sig" in query:
        if kind or query["sig"] not in state.set["sas"]:
            raise Refused(403, "AuthenticationFailed", "Signature did not match.")
        return state.set["sas"][query["sig"]]
    if kind == "SharedKey":
        return by_key(request, value)
    if kind == "Bearer":
        if value not in state.set["tokens"]:
            raise Refused(401, "InvalidAuthenticationInfo", "Lifetime validation failed. The token is expired.")
        return state.set["tokens"][value]
    raise Refused(401, "NoAuthenticationInformation")


def need(rights, letters):
    if not set(rights) & set(letters):
        raise Refused(403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation.")


# Bodies.

def crc64(data):
    crc = 0xffffffffffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x9a6c9329ac4bc9b5 if crc & 1 else 0)
    return base64.b64encode((crc ^ 0xffffffffffffffff).to_bytes(8, "little")).decode()


def md5(data):
    return base64.b64encode(hashlib.md5(data).digest()).decode()


def body_sums(request):
    """Headers of the answer. Bit by bit is slow: a CRC is computed of small bodies alone."""
    h = request.headers
    if "content-md5" in h and "x-ms-content-crc64" in h:
        raise Refused(400, "InvalidHeaderValue", "one of them")
    if h.get("content-md5", md5(request.body)) != md5(request.body):
        raise Refused(400, "Md5Mismatch")
    crc = h.get("x-ms-content-crc64")
    if crc and len(request.body) <= 65536 and crc != crc64(request.body):
        raise Refused(400, "Crc64Mismatch")
    return [("x-ms-content-crc64", crc)] if crc else [("Content-MD5", md5(request.body))]


# Objects.

def current(key):
    versions = state.objects.get(key)
    return versions[-1] if versions and versions[-1]["current"] else None


def find(key, query):
    if "versionid" in query:
        found = next((v for v in state.objects.get(key, []) if v["version"] == query["versionid"]), None)
    else:
        found = current(key)
    if not found:
        raise Refused(404, "BlobNotFound", "The specified blob does not exist.")
    return found


def locked(v):
    if v["headers"].get("x-ms-legal-hold") == "true":
        return "BlobImmutableDueToLegalHold"
    until = v["headers"].get("x-ms-immutability-policy-until-date")
    return "BlobImmutableDueToPolicy" if until and parsedate_to_datetime(until).timestamp() > state.now() else None


def may_write(request, rights, key):
    there = current(key)
    if there and request.headers.get("if-none-match") == "*":
        raise Refused(409, "BlobAlreadyExists", "The specified blob already exists.")
    if there and "w" not in rights:
        raise Refused(403, "UnauthorizedBlobOverwrite", "This request is not authorized to perform blob overwrites.")
    if there and locked(there) and not state.set["versions"]:
        raise Refused(409, locked(there))
    if any(n.startswith(("x-ms-immutability", "x-ms-legal")) for n in request.headers) and not state.set["locks"]:
        raise Refused(409, "FeatureVersionMismatch", "the container has no version-level immutability")


def retire(o):
    o["current"], o["version"] = False, o["stamp"]


def store(key, headers, body):
    state.count += 1
    v = {"current": True, "headers": headers, "body": body, "modified": state.now(), "etag": '"0x%06d"' % state.count,
         "stamp": "2026-11-21T10:00:00.%07dZ" % state.count}
    # What was made before versions were switched on has none until it is replaced or deleted.
    v["version"] = v["stamp"] if state.set["versions"] else ""
    old = state.objects.get(key, [])
    for o in old:
        retire(o)
    state.objects[key] = [*old, v] if state.set["versions"] else [v]
    state.blocks.pop(key, None)
    made = [("ETag", v["etag"]), ("Last-Modified", formatdate(v["modified"], usegmt=True))]
    return made + ([("x-ms-version-id", v["version"])] if state.set["versions"] else [])


def described(request):
    return {n: v for n, v in request.headers.items() if n.startswith(KEPT)}


def put_blob(request, rights, key):
    need(rights, "cw")
    if request.headers.get("x-ms-blob-type") != "BlockBlob":
        raise Refused(400, "InvalidHeaderValue", "x-ms-blob-type")
    sums = body_sums(request)
    may_write(request, rights, key)
    if state.set["uncommitted_exist"] and key in state.blocks and request.headers.get("if-none-match") == "*":
        raise Refused(409, "BlobAlreadyExists", "uncommitted blocks are there")
    made = store(key, {**described(request), "x-ms-blob-content-md5": md5(request.body)}, request.body)
    return answer(201, made + sums)


def put_block(request, rights, key, query):
    need(rights, "w")
    ident = query["blockid"]
    try:
        raw = base64.b64decode(ident, validate=True)
    except ValueError:
        raise Refused(400, "InvalidQueryParameterValue", "blockid")
    blocks = state.blocks.setdefault(key, {})
    if len(raw) > 64 or any(len(i) != len(ident) for i in blocks):
        raise Refused(400, "InvalidBlobOrBlock", "The specified blob or block content is invalid.")
    if not request.body:
        raise Refused(400, "InvalidHeaderValue", "a block of no bytes")
    sums = body_sums(request)
    if len(blocks) >= 100000:
        raise Refused(409, "BlockCountExceedsLimit")
    blocks[ident] = request.body
    return answer(201, sums)


def put_list(request, rights, key):
    need(rights, "w")
    body_sums(request)
    may_write(request, rights, key)
    there, body = current(key), b""
    blocks = {**(there or {}).get("blocks", {}), **state.blocks.get(key, {})}
    named = [e.text for e in ET.fromstring(request.body)]
    if len(named) > 50000:
        raise Refused(400, "BlockListTooLong")
    for ident in named:
        if ident not in blocks:
            raise Refused(400, "InvalidBlockList", "The specified block list is invalid.")
        body += blocks[ident]
    made = store(key, described(request), body)
    current(key)["blocks"] = {i: blocks[i] for i in named}
    return answer(201, made)


def get_blob(request, rights, key, query):
    need(rights, "r")
    o = find(key, query)
    for name in ("x-ms-encryption-key-sha256",):
        if o["headers"].get(name) != request.headers.get(name):
            raise Refused(409, "BlobUsesCustomerSpecifiedEncryption", "the key is another one")
    if request.method == "GET" and o["headers"].get("x-ms-access-tier") == "Archive":
        raise Refused(409, "BlobArchived", "This operation is not permitted on an archived blob.")
    if "if-match" in request.headers and request.headers["if-match"] != o["etag"]:
        raise Refused(412, "ConditionNotMet", "it is another one now")
    headers = [("ETag", o["etag"]), ("Last-Modified", formatdate(o["modified"], usegmt=True)), *o["headers"].items()]
    if o["version"]:
        headers.append(("x-ms-version-id", o["version"]))
    body, status = o["body"], 200
    m = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("x-ms-range", ""))
    if m:
        first, last = int(m[1]), min(int(m[2] or len(body)), len(body) - 1)
        if first >= len(body):
            raise Refused(416, "InvalidRange", "it is not that long")
        headers.append(("Content-Range", "bytes %d-%d/%d" % (first, last, len(body))))
        body, status = body[first:last + 1], 206
    if request.method == "HEAD":
        return {**answer(status, headers), "length": len(body)}
    return answer(status, headers, body)


def delete_blob(request, rights, key, query):
    need(rights, "d" if "versionid" not in query else "x")
    o = find(key, query)
    if "if-match" in request.headers and request.headers["if-match"] != o["etag"]:
        raise Refused(412, "ConditionNotMet", "it is another one now")
    if locked(o) and (not state.set["versions"] or "versionid" in query):
        raise Refused(409, locked(o), "the blob is immutable")
    versions = state.objects[key]
    if "versionid" in query:
        versions.remove(o)
    elif state.set["versions"]:
        retire(o)
    else:
        versions.clear()
    if not versions:
        del state.objects[key]
    return answer(202, [("x-ms-delete-type-permanent", "false" if state.set["soft_delete"] else "true")])


def list_blobs(rights, query):
    need(rights, "l")
    include, prefix, rows = query.get("include", "").split(","), query.get("prefix", ""), []
    if "versions" in include and not state.set["versions"]:
        include = []
    for key in sorted(set(state.objects) | (set(state.blocks) if "uncommittedblobs" in include else set())):
        if not key.startswith(prefix):
            continue
        versions = state.objects.get(key) or [{"current": True, "body": b"", "modified": state.now(), "version": "", "headers": {}}]
        rows += [(key, v) for v in versions if v["current"] or "versions" in include]
    start, size = int(query.get("marker") or 0), min(state.set["page"], int(query.get("maxresults", 5000)))
    out = ""
    for key, v in rows[start:start + size]:
        more = "<VersionId>%s</VersionId>%s" % (v["version"], "<IsCurrentVersion>true</IsCurrentVersion>" if v["current"] else "") \
            if "versions" in include and v["version"] else ""
        until = v["headers"].get("x-ms-immutability-policy-until-date")
        lock = "<ImmutabilityPolicyUntilDate>%s</ImmutabilityPolicyUntilDate>" % until if until and "immutabilitypolicy" in include else ""
        out += "<Blob><Name>%s</Name>%s<Properties><Last-Modified>%s</Last-Modified><Content-Length>%d</Content-Length>%s</Properties></Blob>" \
            % (escape(key), more, formatdate(v["modified"], usegmt=True), len(v["body"]), lock)
    following = start + size
    return xml("EnumerationResults", "<Blobs>%s</Blobs><NextMarker>%s</NextMarker>" % (out, following if following < len(rows) else ""))


def of_container(request, rights, query):
    if query.get("restype") == "account":
        return answer(200, [("x-ms-sku-name", "Standard_LRS"), ("x-ms-is-hns-enabled", str(state.set["hns"]).lower())])
    if request.method != "GET" or query.get("restype") != "container":
        raise Refused(405, "UnsupportedHttpVerb")
    if query.get("comp") == "list":
        return list_blobs(rights, query)
    need(rights, "x")
    return answer(200, [("x-ms-immutable-storage-with-versioning-enabled", str(state.set["locks"]).lower())])


def of_blob(request, rights, key, query):
    comp = query.get("comp")
    if request.method == "PUT":
        return put_block(request, rights, key, query) if comp == "block" else \
            put_list(request, rights, key) if comp == "blocklist" else put_blob(request, rights, key)
    if request.method == "DELETE":
        return delete_blob(request, rights, key, query)
    return get_blob(request, rights, key, query)


def route(request):
    query = {n.lower(): v for n, v in request.query}
    rights = rights_of(request, query)
    for name in state.set["must"]:
        if name not in request.headers:
            raise Refused(403, "AuthorizationFailure", "without " + name)
    if request.headers.get("x-ms-version") != "2021-12-02":
        raise Refused(400, "InvalidHeaderValue", "x-ms-version")
    if request.method == "PUT" and "content-length" not in request.headers:
        raise Refused(411, "MissingContentLengthHeader")
    account, _, rest = request.path[1:].partition("/")
    container, _, key = rest.partition("/")
    if account != state.set["account"]:
        raise Refused(400, "InvalidUri")
    if container not in state.set["containers"]:
        raise Refused(404, "ContainerNotFound", "The specified container does not exist.")
    return of_blob(request, rights, key, query) if key else of_container(request, rights, query)


def handle(request):
    try:
        out = route(request)
    except Refused as e:
        body = "" if request.method == "HEAD" else '<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>%s</Message>' \
            "</Error>" % (e.code, escape(e.message))
        out = answer(e.status, [("x-ms-error-code", e.code), *e.headers], body)
    return {**out, "headers": [("Date", formatdate(state.now(), usegmt=True)), ("x-ms-request-id", "1"), *out["headers"]]}


def tell(what):
    if "set" in what:
        state.begin(what["set"])
    elif "change" in what:
        state.set.update(what["change"])
    elif "put" in what:
        store(what["put"]["key"], what["put"].get("headers", {}), what["put"].get("body", "").encode())
    elif "block" in what:
        state.blocks.setdefault(what["block"]["key"], {})[what["block"]["id"]] = b"x"
    return {"objects": {k: [{"version": v["version"], "current": v["current"], "headers": v["headers"], "size": len(v["body"]),
                             "sha256": hashlib.sha256(v["body"]).hexdigest()} for v in vs] for k, vs in state.objects.items()},
            "blocks": {k: sorted(b) for k, b in state.blocks.items()}}

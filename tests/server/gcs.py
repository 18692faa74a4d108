"""A small honest Cloud Storage in memory, strict about what it is sent: a handler of scripted.py.

    server_start store --handler "$SR_SRCDIR/tests/server/gcs.py"
    server_tell store '{"handler": {"set": {"versions": true}}}'          begins anew, with these settings
    server_tell store '{"handler": {"change": {"persist": {"k": [262144]}}}}'    keeps what is stored
    server_tell store '{"handler": {"put": {"key": "k", "body": "..."}}}' somebody else's object
    server_tell store '{"handler": {"revoke": true}}'                     no token given so far is taken any more
    server_tell store '{"handler": {"forget": 410}}'                      all sessions are gone, with that status
    server_tell store '{"handler": {"state": true}}'                      objects, sessions, uploads

SETTINGS in gcs_state.py have the laws that buckets differ in; gcs_token.py is the token endpoint, gcs_xml.py
uploads in parts. Written from Google's documentation ("JSON API", "Performing resumable uploads", "Status codes"):
nothing real that checks tokens can be had without an account. Rights are IAM permissions.
"""
import base64
import email.parser
import email.policy
import hashlib
import json
import os
import re
import sys
import urllib.parse
from email.utils import formatdate
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import gcs_token  # noqa: E402
import gcs_xml  # noqa: E402
from gcs_state import Refused, b64, crc_text, drop, find, live, make, may, need, protected, resource, state  # noqa: E402

UNIT = 256 << 10


def answer(status=200, body=None, headers=()):
    return {"status": status, "headers": [("Content-Type", "application/json; charset=UTF-8"), *headers],
            "body": "" if body is None else json.dumps(body)}


# Partial answers: "kind,items(name,metadata/x)".

def parse_fields(text):
    tree, stack, name = {}, [], ""
    at = tree

    def put():
        if name:
            here = at
            for part in name.split("/"):
                here = here.setdefault(part, {})
            return here
        return None
    for c in text:
        if c == "(":
            stack.append(at)
            at, name = put(), ""
        elif c in ",)":
            put()
            name = ""
            if c == ")":
                at = stack.pop()
        else:
            name += c
    put()
    return tree


def only(value, tree):
    if not tree:
        return value
    if isinstance(value, list):
        return [only(v, tree) for v in value]
    return {k: only(v, tree[k]) for k, v in value.items() if k in tree}


# Objects.

def hash_headers(o):
    out = [("x-goog-hash", "crc32c=" + o["crc32c"])]
    return out + [("x-goog-hash", "md5=" + o["md5Hash"])] if "md5Hash" in o else out


def customer_check(request, o):
    key = request.headers.get("x-goog-encryption-key")
    if o.get("customer") and o["customer"] != key:
        raise Refused(400, "customerEncryptionKeyIsIncorrect" if key else "resourceIsEncryptedWithCustomerEncryptionKey",
                      "the object has a key of its own")


def media(request, o):
    customer_check(request, o)
    body, status = o["body"], 200
    headers = [("x-goog-generation", str(o["generation"])), ("ETag", "C%d" % o["generation"]), *hash_headers(o)]
    m = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if m:
        first, last = int(m[1]), min(int(m[2] or len(body)), len(body) - 1)
        if first >= len(body):
            raise Refused(416, "requestedRangeNotSatisfiable", "Request range not satisfiable")
        headers.append(("Content-Range", "bytes %d-%d/%d" % (first, last, len(body))))
        body, status = body[first:last + 1], 206
    return {"status": status, "headers": [("Content-Type", "application/octet-stream"), *headers], "body": body}


def get_object(request, who, key, query):
    o = find(who, key, query.get("generation"))
    if query.get("ifGenerationMatch", str(o["generation"])) != str(o["generation"]):
        raise Refused(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
    return media(request, o) if query.get("alt") == "media" else answer(200, resource(o))


def delete_object(who, key, query):
    need(who, "storage.objects.delete")
    generation = query.get("generation")
    o = live(key) if generation is None else next((v for v in state.objects.get(key, []) if str(v["generation"]) == generation), None)
    if not o:
        raise Refused(404, "notFound", "No such object: %s/%s" % (state.set["bucket"], key))
    if protected(o):
        raise protected(o)
    drop(key, o, hard=generation is not None)
    return {"status": 204}


def list_objects(who, query):
    need(who, "storage.objects.list")
    after = json.loads(base64.b64decode(query["pageToken"])) if "pageToken" in query else ["", 0]
    source = state.soft if query.get("softDeleted") == "true" else state.objects
    rows = []
    for key in sorted(source):
        if not key.startswith(query.get("prefix", "")) or key < query.get("startOffset", ""):
            continue
        all_of_it = source[key] if {"versions", "softDeleted"} & set(query) else [o for o in [live(key)] if o]
        rows += [o for o in all_of_it if [key, o["generation"]] > after]
    most = min(int(query.get("maxResults", 1000)), state.set["page"])
    out = {"kind": "storage#objects"}
    if rows:
        out["items"] = [resource(o) for o in rows[:most]]
    if len(rows) > most:
        last = rows[most - 1]
        out["nextPageToken"] = b64(json.dumps([last["name"], last["generation"]]).encode())
    return answer(200, out)


# Uploads.

def related(request):
    """The two parts of a multipart/related body."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/related; boundary="):
        raise Refused(400, "invalid", "multipart/related is to be sent, not " + kind)
    edge = b"--" + kind.partition("boundary=")[2].encode()
    pieces = request.body.split(edge)
    if len(pieces) != 4 or pieces[0] or pieces[3] not in (b"--\r\n", b"--") or not all(p.startswith(b"\r\n") for p in pieces[1:3]):
        raise Refused(400, "invalid", "Missing end boundary in multipart body.")
    parts = []
    for p in pieces[1:3]:
        head, _, body = p[2:].partition(b"\r\n\r\n")
        if not body.endswith(b"\r\n"):
            raise Refused(400, "invalid", "a part does not end")
        about = email.parser.BytesParser(policy=email.policy.default).parsebytes(head + b"\r\n\r\n")
        parts.append((about.get_content_type(), body[:-2]))
    if parts[0][0] != "application/json":
        raise Refused(400, "invalid", "the first part is to be JSON")
    return described(json.loads(parts[0][1])), parts[1][1]


def described(about):
    known = {"contentType", "metadata", "storageClass", "customTime", "temporaryHold", "eventBasedHold", "retention", "crc32c"}
    if set(about) - known:
        raise Refused(400, "invalid", "unknown: %s" % (set(about) - known))
    if about.get("storageClass", "STANDARD") not in ("STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"):
        raise Refused(400, "invalid", "Invalid argument: storage class")
    return about


def encrypted(request, query, about):
    key = request.headers.get("x-goog-encryption-key")
    if key:
        raw = base64.b64decode(key, validate=True)
        if len(raw) != 32 or request.headers.get("x-goog-encryption-algorithm") != "AES256" \
                or request.headers.get("x-goog-encryption-key-sha256") != b64(hashlib.sha256(raw).digest()):
            raise Refused(400, "customerEncryptionKeySha256IsInvalid", "the key's headers do not fit")
        about["customer"] = key
    if "kmsKeyName" in query:
        about["kmsKeyName"] = query["kmsKeyName"]
    return about


def insert(request, who, query, base):
    need(who, "storage.objects.create")
    key = query.get("name", "")
    if not key or len(key.encode()) > 1024:
        raise Refused(400, "required", "Required")
    if query.get("uploadType") == "multipart":
        about, body = related(request)
        if about.pop("crc32c", crc_text(body)) != crc_text(body):
            raise Refused(400, "invalid", "Provided CRC32C does not match calculated CRC32C.")
        o = make(who, key, body, encrypted(request, query, about), query.get("ifGenerationMatch"))
        return answer(200, resource(o))
    if query.get("uploadType") != "resumable":
        raise Refused(400, "invalid", "uploadType")
    if query.get("ifGenerationMatch") == "0" and live(key):
        raise Refused(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
    session = "ABPtc-%d" % state.number()
    state.sessions[session] = {"who": who, "key": key, "about": encrypted(request, query, described(json.loads(request.body or "{}"))),
                               "condition": query.get("ifGenerationMatch"), "body": bytearray(), "made": None, "gone": 0}
    where = "%s/upload/storage/v1/b/%s/o?uploadType=resumable&name=%s&upload_id=%s" % (
        base, state.set["bucket"], urllib.parse.quote(key, safe=""), session)
    return {"status": 200, "headers": [("Location", where), ("X-GUploader-UploadID", session)], "body": ""}


def so_far(up):
    headers = [("Range", "bytes=0-%d" % (len(up["body"]) - 1))] if up["body"] else []
    return {"status": 308, "reason": "Resume Incomplete", "headers": headers, "body": ""}


def finalize(request, up):
    body = bytes(up["body"])
    stated = request.headers.get("x-goog-hash", "")
    if stated and stated != "crc32c=" + crc_text(body):
        up["gone"] = 410
        raise Refused(400, "invalid", "Provided CRC32C \"%s\" doesn't match calculated CRC32C." % stated)
    up["made"] = resource(make(up["who"], up["key"], body, up["about"], up["condition"]))
    return answer(200, up["made"])


def take(up, first, body):
    """What is persisted of a chunk, which may be less than was sent."""
    have = len(up["body"])
    if first > have:
        raise Refused(400, "invalid", "Invalid request. According to the Content-Range header, the upload offset is %d byte(s), "
                                      "which exceeds already uploaded size of %d byte(s)." % (first, have))
    fresh = body[have - first:]
    if state.set["persist"].get(up["key"]) and fresh:
        fresh = fresh[:state.set["persist"][up["key"]].pop(0)]
    up["body"] += fresh


def chunk(request, up):
    said = request.headers.get("content-range", "")
    status, some = re.fullmatch(r"bytes \*/(\*|\d+)", said), re.fullmatch(r"bytes (\d+)-(\d+)/(\*|\d+)", said)
    if up["made"]:
        return answer(200, up["made"])
    if status and not request.body:
        total = status[1]
    elif some:
        first, last, total = int(some[1]), int(some[2]), some[3]
        if last - first + 1 != len(request.body):
            raise Refused(400, "invalid", "the range has another length than the body")
        if total == "*" and len(request.body) % UNIT:
            raise Refused(400, "invalid", "Invalid request. A chunk that is not the last must be a multiple of 256 KiB.")
        if total != "*" and last + 1 != int(total):
            raise Refused(400, "invalid", "the last chunk must end the object")
        take(up, first, request.body)
    else:
        raise Refused(400, "invalid", "Failed to parse Content-Range header.")
    if total != "*" and len(up["body"]) > int(total):
        raise Refused(400, "invalid", "more was sent before")
    return finalize(request, up) if total != "*" and len(up["body"]) == int(total) else so_far(up)


def session(request, query):
    up = state.sessions.get(query["upload_id"])
    if not up:
        raise Refused(404, "notFound", "there is no such session")
    if up["gone"]:
        raise Refused(up["gone"], "uploadGone", "the session has ended")
    if up["about"].get("customer") and request.method == "PUT" and up["about"]["customer"] != request.headers.get("x-goog-encryption-key"):
        raise Refused(400, "invalid", "every chunk must have the customer's key")
    if request.method == "DELETE":
        up["gone"] = 499
        return {"status": 499, "reason": "Client Closed Request", "body": ""}
    if request.method != "PUT":
        raise Refused(405, "httpMethodNotAllowed", "Method not allowed")
    return chunk(request, up)


# The rest.

def about_bucket(who, query):
    need(who, "storage.buckets.get")
    out = {"kind": "storage#bucket", "name": state.set["bucket"], "versioning": {"enabled": state.set["versions"]},
           "softDeletePolicy": {"retentionDurationSeconds": str(state.set["soft_delete"])}}
    if state.set["retention"]:
        out["retentionPolicy"] = {"retentionPeriod": str(state.set["retention"])}
    if state.set["object_retention"]:
        out["objectRetention"] = {"mode": "Enabled"}
    return answer(200, out)


def json_route(request, who, path, query, base):
    if path == "" and request.method == "GET":
        return about_bucket(who, query)
    if path == "/o" and request.method == "GET":
        return list_objects(who, query)
    if path.startswith("/o/"):
        if request.method == "GET":
            return get_object(request, who, path[3:], query)
        if request.method == "DELETE":
            return delete_object(who, path[3:], query)
    raise Refused(405, "httpMethodNotAllowed", "Method not allowed")


def route(request, base):
    token = gcs_token.route(request, base)
    if token:
        return answer(*token, headers=[("Metadata-Flavor", "Google")] if request.path.startswith("/computeMetadata/") else [])
    query = dict(request.query)
    who = "anonymous" if state.set["anonymous"] else state.tokens[gcs_token.bearer(request)]["account"]
    if state.set["anonymous"] and "authorization" in request.headers:
        raise Refused(400, "invalid", "a token was sent to an emulator")
    if state.set["user_project"] and request.headers.get("x-goog-user-project") != state.set["user_project"]:
        raise Refused(400, "userProjectMissing", "Bucket is a requester pays bucket but no user project provided.")
    # The key in a JSON path is one segment: a slash in it is %2F.
    m = re.fullmatch(r"(/upload)?/storage/v1/b/([^/]+)(/.*)?", request.target.partition("?")[0])
    if m:
        if m[2] != state.set["bucket"]:
            raise Refused(404, "notFound", "The specified bucket does not exist.")
        rest = m[3] or ""
        if rest.startswith("/o/") and "/" in rest[3:]:
            raise Refused(404, "notFound", "Not Found")
        if m[1]:
            if "upload_id" in query:
                return session(request, query)
            return insert(request, who, query, base)
        return json_route(request, who, request.path[len("/storage/v1/b/" + m[2]):], query, base)
    bucket, _, key = request.path[1:].partition("/")
    if bucket != state.set["bucket"]:
        raise Refused(404, "NoSuchBucket", "The specified bucket does not exist.")
    return gcs_xml.route(request, who, key, query)


def refusal(request, e):
    if "/storage/v1/" in request.target or request.path.startswith("/iam/"):
        body = json.dumps({"error": {"code": e.status, "message": e.message, "status": e.reason,
                                     "errors": [{"message": e.message, "domain": "global", "reason": e.reason}]}})
        return {"status": e.status, "headers": [("Content-Type", "application/json; charset=UTF-8"), *e.headers], "body": body}
    return {"status": e.status, "headers": [("Content-Type", "application/xml; charset=UTF-8"), *e.headers],
            "body": "<?xml version='1.0' encoding='UTF-8'?><Error><Code>%s</Code><Message>%s</Message></Error>"
            % (e.reason if e.reason != "forbidden" else "AccessDenied", escape(e.message))}


def handle(request):
    base = "%s://%s" % ("https" if request.headers["host"].startswith("localhost") and state.tls else "http", request.headers["host"])
    try:
        if request.method in ("PUT", "POST") and "content-length" not in request.headers:
            raise Refused(411, "required", "a length is to be stated")
        out = route(request, base)
        fields = dict(request.query).get("fields")
        if fields and out["status"] == 200 and out["body"]:
            out["body"] = json.dumps(only(json.loads(out["body"]), parse_fields(fields)))
    except Refused as e:
        out = refusal(request, e)
    return {**out, "headers": [("Date", formatdate(state.now(), usegmt=True)), *out.get("headers", [])]}


state.tls = False


def tell(what):
    if "set" in what:
        state.begin(what["set"])
    if "change" in what:
        state.check(what["change"])
        state.set.update(what["change"])
    if "tls" in what:
        state.tls = what["tls"]
    if "put" in what:
        body = what["put"].get("body", "").encode()
        o = make("anonymous", what["put"]["key"], body, what["put"].get("about", {}), None)
        o["created"] -= what["put"].get("age", 0)
    if "upload" in what:  # a dead saver's: begun so long ago, its parts so long ago
        u = what["upload"]
        state.uploads["dead-%d" % state.number()] = {
            "key": u["key"], "about": {}, "customer": None, "when": state.now() - u["age"],
            "parts": {n + 1: {"etag": '"x"', "body": b"x", "when": state.now() - age} for n, age in enumerate(u.get("parts", []))}}
    for token in state.tokens.values() if "revoke" in what else []:
        token["revoked"] = True
    for up in state.sessions.values() if "forget" in what else []:
        up["gone"] = what["forget"]
    return {"objects": {k: [{**{n: v for n, v in o.items() if n != "body"}, "size": len(o["body"]),
                             "sha256": hashlib.sha256(o["body"]).hexdigest()} for o in vs] for k, vs in state.objects.items()},
            "soft": {k: len(v) for k, v in state.soft.items()},
            "sessions": {i: {"key": u["key"], "has": len(u["body"]), "made": bool(u["made"]), "gone": u["gone"]}
                         for i, u in state.sessions.items()},
            "uploads": {i: {"key": u["key"], "parts": sorted(u["parts"])} for i, u in state.uploads.items()}}

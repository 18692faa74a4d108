"""A small honest S3 in memory, strict about what it is sent: a handler of scripted.py.

    server_start store --handler "$SR_SRCDIR/tests/server/s3.py"
    server_tell store '{"handler": {"set": {"part_least": 5242880}}}'     begins anew, with these settings
    server_tell store '{"handler": {"change": {"region": "eu-west-1"}}}'  keeps what is stored
    server_tell store '{"handler": {"put": {"key": "k", "body": "..."}}}' somebody else's object
    server_tell store '{"handler": {"state": true}}'                      objects, uploads, parts

Buckets are whatever the path names first. SETTINGS in s3_state.py have the laws that stores differ in. Each
request is checked before it is obeyed: s3_proof.py. Rights are the actions of Amazon's policies.
"""
import hashlib
import os
import re
import sys
import xml.etree.ElementTree as ET
from email.utils import formatdate
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from s3_lists import list_objects, list_uploads, list_versions  # noqa: E402
from s3_proof import KINDS, Refused, b64, body_sums, checksum, combine, customer_key, same_key, signed_by  # noqa: E402
from s3_state import answer, current, iso, may, missing, need, state, xml  # noqa: E402

KEPT = ("x-amz-meta-", "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-tagging", "content-type",
        "x-amz-object-lock-", "x-amz-acl")


def find(who, key, version):
    if version is None:
        found = current(key)
    else:
        found = next((v for v in state.objects.get(key, []) if v["version"] == version and not v["marker"]), None)
    return found or missing(who)


def store(key, version):
    state.count += 1
    version.setdefault("marker", False)
    version["modified"] = state.now()
    version["version"] = "v%06d" % state.count if state.set["versions"] else "null"
    if state.set["versions"]:
        state.objects.setdefault(key, []).append(version)
    else:
        state.objects[key] = [version]
    return [("x-amz-version-id", version["version"])] if state.set["versions"] else []


def condition(request, key):
    if "if-none-match" not in request.headers:
        return
    if state.set["condition"] == "no":
        raise Refused(501, "NotImplemented", "a header you provided implies functionality that is not implemented")
    if state.set["condition"] == "yes" and current(key):
        raise Refused(412, "PreconditionFailed", "at least one of the preconditions did not hold")


def by_kms(headers):
    return headers.get("x-amz-server-side-encryption") == "aws:kms"


def described(request, who):
    """The headers that describe an object, laws of locks and encryption included."""
    h = {n: v for n, v in request.headers.items() if n.startswith(KEPT) and "-customer-" not in n}
    if state.set["sse_c"] and customer_key(request, state.set["tls"]) is None:
        raise Refused(403, "AccessDenied", "without a key of the customer's")
    if by_kms(h):
        need(who, "kms:GenerateDataKey")
    if "x-amz-tagging" in h:
        need(who, "PutObjectTagging")
    if "x-amz-object-lock-mode" in h:
        need(who, "PutObjectRetention")
        if not state.set["locks"]:
            raise Refused(400, "InvalidRequest", "Bucket is missing Object Lock Configuration")
        if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", h.get("x-amz-object-lock-retain-until-date", "")):
            raise Refused(400, "InvalidArgument", "until when?")
    if not state.set["modern"] and any(n.startswith(("x-amz-checksum-", "x-amz-sdk-checksum")) for n in request.headers):
        raise Refused(501, "NotImplemented", "Header 'x-amz-checksum' not implemented")
    return h


def sum_headers(sums):
    return [("x-amz-checksum-" + k, v if isinstance(v, str) else b64(v)) for k, v in sums.items()]


# Objects.

def put_object(request, who, key):
    need(who, "PutObject")
    h = described(request, who)
    if "x-amz-object-lock-mode" in h and not {"content-md5"} & set(request.headers) and not body_sums(request):
        raise Refused(400, "InvalidRequest", "Content-MD5 or a checksum is required with Object Lock")
    sums = body_sums(request)
    condition(request, key)
    etag = '"%s"' % hashlib.md5(request.body).hexdigest()
    made = store(key, {"etag": etag, "body": request.body, "headers": h, "sums": sums,
                       "key": customer_key(request, state.set["tls"])})
    return answer(200, [("ETag", etag), *made, *sum_headers(sums)])


def get_object(request, who, key, query):
    need(who, "GetObject" if "versionId" not in query else "GetObjectVersion")
    o = find(who, key, query.get("versionId"))
    if by_kms(o["headers"]) and request.method == "GET":
        need(who, "kms:Decrypt")
    same_key(request, state.set["tls"], o.get("key"))
    headers = [("ETag", o["etag"]), ("Last-Modified", formatdate(o["modified"], usegmt=True)),
               ("Accept-Ranges", "bytes"), *(i for i in o["headers"].items() if may(who, "GetObjectRetention")
                                             or not i[0].startswith("x-amz-object-lock-"))]
    if state.set["versions"]:
        headers.append(("x-amz-version-id", o["version"]))
    if "if-match" in request.headers and request.headers["if-match"] != o["etag"]:
        raise Refused(412, "PreconditionFailed", "it is another one now")
    body, status = o["body"], 200
    m = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if m:
        first, last = int(m[1]), min(int(m[2] or len(body)), len(body) - 1)
        if first >= len(body):
            raise Refused(416, "InvalidRange", "it is not that long", [("Content-Range", "bytes */%d" % len(body))])
        headers.append(("Content-Range", "bytes %d-%d/%d" % (first, last, len(body))))
        body, status = body[first:last + 1], 206
    elif "x-amz-checksum-mode" in request.headers:
        headers += sum_headers(o["sums"])
    if request.method == "HEAD":
        return {**answer(status, headers), "length": len(body)}
    return answer(status, headers, body)


def locked(v):
    until = v.get("headers", {}).get("x-amz-object-lock-retain-until-date", "")
    return until if until > iso(state.now()).replace(".000", "") else ""


def remove(request, who, key, version):
    """Headers of the answer to DELETE."""
    need(who, "DeleteObject" if version is None else "DeleteObjectVersion")
    versions = state.objects.get(key, [])
    if version is None and state.set["versions"]:
        store(key, {"marker": True})
        return [("x-amz-delete-marker", "true"), ("x-amz-version-id", versions[-1]["version"] if versions else "x")]
    for v in list(versions):
        if version is None or v["version"] == version:
            if not v["marker"] and locked(v):
                says = state.set["lock_says"]
                raise Refused(403 if says == "AccessDenied" else 400, says, "object protected by object lock")
            versions.remove(v)
    if not versions:
        state.objects.pop(key, None)
    return []


def about_lock(who, key, query):
    need(who, "GetObjectRetention" if "retention" in query else "GetObjectLegalHold")
    until = locked(find(who, key, query.get("versionId")))
    if "legal-hold" in query or not until:
        raise Refused(404, "NoSuchObjectLockConfiguration", "there is none")
    return xml("Retention", "<Mode>GOVERNANCE</Mode><RetainUntilDate>%s</RetainUntilDate>" % until)


def delete_many(request, who):
    if not state.set["delete_many"]:
        raise Refused(501, "NotImplemented", "no")
    sums = {k: request.headers.get("x-amz-checksum-" + k) for k in KINDS if state.set["modern"]}
    if "content-md5" not in request.headers and not any(sums.values()):
        raise Refused(400, "InvalidRequest", "Missing required header for this request: Content-MD5")
    body_sums(request)
    if any(v not in (None, b64(checksum(k, request.body))) for k, v in sums.items()):
        raise Refused(400, "XAmzContentChecksumMismatch", "the checksum is of other bytes")
    out = ""
    for o in ET.fromstring(request.body).iter("{http://s3.amazonaws.com/doc/2006-03-01/}Object"):
        key, version = (o.findtext("{http://s3.amazonaws.com/doc/2006-03-01/}" + n) for n in ("Key", "VersionId"))
        names = "<Key>%s</Key>" % escape(key) + ("<VersionId>%s</VersionId>" % version if version else "")
        try:
            told = dict(remove(request, who, key, version))
            marker = "<DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>%s</DeleteMarkerVersionId>" % told["x-amz-version-id"] \
                if "x-amz-delete-marker" in told else ""
            out += "<Deleted>%s%s</Deleted>" % (names, marker)
        except Refused as e:
            out += "<Error>%s<Code>%s</Code><Message>%s</Message></Error>" % (names, e.code, escape(e.message))
    return xml("DeleteResult", out)


# Uploads in parts.

def begin(request, who, key):
    need(who, "PutObject")
    h = described(request, who)
    state.count += 1
    upload = "up+%d/=&" % state.count  # what an id may hold
    kind = request.headers.get("x-amz-checksum-algorithm", "").lower() or None
    if kind and (kind not in KINDS or
                 request.headers.get("x-amz-checksum-type") != ("COMPOSITE" if kind == "sha256" else "FULL_OBJECT")):
        raise Refused(400, "InvalidRequest", "no such kind of checksum")
    state.uploads[upload] = {"key": key, "headers": h, "parts": {}, "when": state.now(), "kind": kind,
                             "sse": customer_key(request, state.set["tls"])}
    return xml("InitiateMultipartUploadResult",
               "<Bucket>bucket</Bucket><Key>%s</Key><UploadId>%s</UploadId>" % (escape(key), escape(upload)))


def upload_of(key, query):
    up = state.uploads.get(query["uploadId"])
    if not up or up["key"] != key:
        raise Refused(404, "NoSuchUpload", "The specified upload does not exist.")
    return up


def put_part(request, who, key, query):
    need(who, "PutObject")
    up, number = upload_of(key, query), int(query["partNumber"])
    if not 1 <= number <= state.set["parts_max"]:
        raise Refused(400, "InvalidArgument", "Part number must be between 1 and %d" % state.set["parts_max"])
    described(request, who)
    if by_kms(up["headers"]):
        need(who, "kms:Decrypt")  # the parts are read again when they are put together
    same_key(request, state.set["tls"], up["sse"])
    sums = body_sums(request)
    if up["kind"] and up["kind"] not in sums:
        raise Refused(400, "InvalidRequest", "the upload was begun with %s, this part has none" % up["kind"])
    etag = '"%s"' % hashlib.md5(request.body).hexdigest()
    up["parts"][number] = {"etag": etag, "body": request.body, "sums": sums, "when": state.now()}
    return answer(200, [("ETag", etag), *sum_headers(sums)])


def complete(request, who, key, query):
    need(who, "PutObject")
    body_sums(request)
    if query["uploadId"] in state.done and state.set["memory"]:
        return state.done[query["uploadId"]]
    up, parts, last = upload_of(key, query), [], 0
    for p in ET.fromstring(request.body):
        said = {c.tag.partition("}")[2]: c.text for c in p}
        number = int(said["PartNumber"])
        if number <= last:
            raise Refused(400, "InvalidPartOrder", "parts are to be in order")
        if up["kind"] and number != last + 1:
            raise Refused(400, "InvalidPart", "with checksums parts are numbered without a gap")
        last, part = number, up["parts"].get(number)
        if not part or part["etag"] != said.get("ETag"):
            raise Refused(400, "InvalidPart", "part %d is not there, or another" % number)
        if up["kind"] and said.get("Checksum" + up["kind"].upper()) != b64(part["sums"][up["kind"]]):
            raise Refused(400, "InvalidPart", "part %d has another checksum" % number)
        parts.append(part)
    if not parts:
        raise Refused(400, "MalformedXML", "no parts")
    sizes = [len(p["body"]) for p in parts]
    if any(s < state.set["part_least"] for s in sizes[:-1]):
        raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    if state.set["parts_equal"] and (len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]):
        raise Refused(400, "InvalidPart", "All non-trailing parts must have the same length.")
    body = b"".join(p["body"] for p in parts)
    if request.headers.get("x-amz-mp-object-size", str(len(body))) != str(len(body)):
        raise Refused(400, "InvalidRequest", "the parts are not that long together")
    sums = whole_sums(request, up, parts)
    condition(request, key)
    etag = '"%s-%d"' % (hashlib.md5(b"".join(hashlib.md5(p["body"]).digest() for p in parts)).hexdigest(), len(parts))
    made = store(key, {"etag": etag, "body": body, "headers": up["headers"], "sums": sums, "key": up["sse"]})
    del state.uploads[query["uploadId"]]
    stated = "".join("<Checksum%s>%s</Checksum%s>" % (k.upper(), v if isinstance(v, str) else b64(v), k.upper())
                     for k, v in sums.items())
    out = xml("CompleteMultipartUploadResult", "<Location>http://other.invalid/</Location><Key>%s</Key><ETag>%s</ETag>%s"
              % (escape(key), escape(etag), stated), made)
    state.done[query["uploadId"]] = out
    return out


def whole_sums(request, up, parts):
    kind = up["kind"]
    if not kind:
        return {}
    if kind == "sha256":
        joined = b"".join(p["sums"][kind] for p in parts)
        return {kind: "%s-%d" % (b64(hashlib.sha256(joined).digest()), len(parts))}
    crc = 0
    for p in parts:
        crc = combine(kind, crc, int.from_bytes(p["sums"][kind], "big"), len(p["body"]))
    value = b64(crc.to_bytes(len(parts[0]["sums"][kind]), "big"))
    if request.headers.get("x-amz-checksum-" + kind, value) != value:
        raise Refused(400, "BadDigest", "the whole object has another checksum")
    return {kind: value}


def abort(who, key, query):
    need(who, "AbortMultipartUpload")
    upload_of(key, query)
    del state.uploads[query["uploadId"]]
    return answer(204)


def list_parts(who, key, query):
    need(who, "ListMultipartUploadParts")
    up = upload_of(key, query)
    after, most = int(query.get("part-number-marker", 0)), int(query.get("max-parts", 1000))
    rows = [(n, p) for n, p in sorted(up["parts"].items()) if n > after]
    more = "<IsTruncated>%s</IsTruncated>" % str(len(rows) > most).lower()
    if len(rows) > most:
        more += "<NextPartNumberMarker>%d</NextPartNumberMarker>" % rows[most - 1][0]
    return xml("ListPartsResult", more + "".join(
        "<Part><PartNumber>%d</PartNumber><LastModified>%s</LastModified><ETag>%s</ETag></Part>"
        % (n, iso(p["when"]), escape(p["etag"])) for n, p in rows[:most]))


def of_bucket(request, who, query):
    if request.method == "POST" and "delete" in query:
        return delete_many(request, who)
    if request.method != "GET":
        raise Refused(405, "MethodNotAllowed")
    if "versioning" in query:
        need(who, "GetBucketVersioning")
        return xml("VersioningConfiguration", "<Status>Enabled</Status>" if state.set["versions"] else "")
    if "object-lock" in query:
        need(who, "GetBucketObjectLockConfiguration")
        if not state.set["locks"]:
            raise Refused(404, "ObjectLockConfigurationNotFoundError", "there is none")
        return xml("ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled>")
    if "uploads" in query:
        return list_uploads(who, query)
    return list_versions(who, query) if "versions" in query else list_objects(who, query)


def of_object(request, who, key, query):
    if request.method == "PUT":
        return put_part(request, who, key, query) if "uploadId" in query else put_object(request, who, key)
    if request.method == "POST" and "uploads" in query:
        return begin(request, who, key)
    if request.method == "POST" and "uploadId" in query:
        return complete(request, who, key, query)
    if request.method == "DELETE":
        return abort(who, key, query) if "uploadId" in query else \
            answer(204, remove(request, who, key, query.get("versionId")))
    if "uploadId" in query:
        return list_parts(who, key, query)
    if "retention" in query or "legal-hold" in query:
        return about_lock(who, key, query)
    return get_object(request, who, key, query)


def route(request):
    who = signed_by(request, state.set["keys"], state.set["region"], state.now(), state.set["tls"])
    for name in state.set["must"]:
        if name not in request.headers:
            raise Refused(403, "AccessDenied", "without " + name)
    if state.set["requester_pays"] and request.headers.get("x-amz-request-payer") != "requester":
        raise Refused(403, "AccessDenied", "requester pays")
    if request.method in ("PUT", "POST") and "content-length" not in request.headers:
        raise Refused(411, "MissingContentLength")
    bucket, _, key = request.path[1:].partition("/")
    of_host = re.match(r"([a-z0-9-]+)\.s3\.[a-z0-9-]+\.amazonaws\.com$", request.headers.get("host", ""))
    if of_host:
        bucket, key = of_host[1], request.path[1:]
    if bucket not in state.set["buckets"]:
        raise Refused(404, "NoSuchBucket", "there is no such bucket")
    query = dict(request.query)
    return of_object(request, who, key, query) if key else of_bucket(request, who, query)


def handle(request):
    try:
        out = route(request)
    except Refused as e:
        body = "" if request.method == "HEAD" else "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>%s</Message>%s</Error>" \
            % (e.code, escape(e.message), e.extra)
        out = answer(e.status, e.headers, body)
    ids = [("x-amz-request-id", "0A1B2C3D")] if state.set["ids"] else []
    return {**out, "headers": [("Date", formatdate(state.now(), usegmt=True)), *ids, *out["headers"]]}


def tell(what):
    if "set" in what:
        state.begin(what["set"])
    elif "change" in what:
        state.set.update(what["change"])
    elif "put" in what:
        body = what["put"].get("body", "").encode()
        store(what["put"]["key"], {"etag": '"%s"' % hashlib.md5(body).hexdigest(), "body": body, "headers": {}, "sums": {}})
    return {"objects": {k: [{"version": v["version"], "marker": v["marker"], "headers": v.get("headers", {}),
                             "size": len(v.get("body", b"")), "sums": dict(sum_headers(v.get("sums", {}))),
                             "sha256": hashlib.sha256(v.get("body", b"")).hexdigest()} for v in vs]
                        for k, vs in state.objects.items()},
            "uploads": {i: {"key": u["key"], "parts": sorted(u["parts"])} for i, u in state.uploads.items()}}

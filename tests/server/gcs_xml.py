"""Uploads in parts by Cloud Storage's XML interface: no preconditions, and the completion replaces."""
import hashlib
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

from gcs_state import Refused, crc_text, iso, live, make, may, need, protected, state

NS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def xml(root, inner, headers=()):
    return {"status": 200, "headers": [("Content-Type", "application/xml; charset=UTF-8"), *headers],
            "body": "<?xml version='1.0' encoding='UTF-8'?><%s%s>%s</%s>" % (root, NS, inner, root)}


def hash_of(request):
    """The crc32c that the request states, which must be that of its body."""
    for item in request.headers.get("x-goog-hash", "").split(","):
        name, _, value = item.strip().partition("=")
        if name == "crc32c" and value != crc_text(request.body):
            raise Refused(400, "BadDigest", "The CRC32C you specified did not match what we computed.")
        if name == "crc32c":
            return value
    return None


def begin(request, who, key):
    need(who, "storage.multipartUploads.create", "storage.objects.create")
    if any(n.startswith(("if-", "x-goog-if-")) for n in request.headers):
        raise Refused(400, "InvalidArgument", "preconditions are not supported")
    about = {"metadata": {n[len("x-goog-meta-"):]: v for n, v in request.headers.items() if n.startswith("x-goog-meta-")},
             "contentType": request.headers.get("content-type", "")}
    for header, name in (("x-goog-storage-class", "storageClass"), ("x-goog-custom-time", "customTime"),
                         ("x-goog-encryption-kms-key-name", "kmsKeyName")):
        if header in request.headers:
            about[name] = request.headers[header]
    if "x-goog-object-lock-mode" in request.headers:
        mode = {"GOVERNANCE": "Unlocked", "COMPLIANCE": "Locked"}[request.headers["x-goog-object-lock-mode"]]
        about["retention"] = {"mode": mode, "retainUntilTime": request.headers["x-goog-object-lock-retain-until-date"]}
    upload = "ABPn+%d/=&" % state.number()
    state.uploads[upload] = {"key": key, "about": about, "parts": {}, "when": state.now(),
                             "customer": request.headers.get("x-goog-encryption-key")}
    return xml("InitiateMultipartUploadResult", "<Bucket>%s</Bucket><Key>%s</Key><UploadId>%s</UploadId>"
               % (state.set["bucket"], escape(key), escape(upload)))


def upload_of(request, key, query):
    up = state.uploads.get(query["uploadId"])
    if not up or up["key"] != key:
        raise Refused(404, "NoSuchUpload", "The requested upload was not found.")
    if request.method == "PUT" and up["customer"] != request.headers.get("x-goog-encryption-key"):
        raise Refused(400, "InvalidArgument", "another customer key than at the beginning")
    return up


def put_part(request, who, key, query):
    need(who, "storage.multipartUploads.create", "storage.objects.create")
    up, number = upload_of(request, key, query), int(query["partNumber"])
    if not 1 <= number <= 10000:
        raise Refused(400, "InvalidArgument", "part numbers are 1 to 10000")
    hash_of(request)
    etag = '"%s"' % hashlib.md5(request.body).hexdigest()
    up["parts"][number] = {"etag": etag, "body": request.body, "when": state.now()}
    return {"status": 200, "headers": [("ETag", etag), ("x-goog-hash", "crc32c=" + crc_text(request.body))]}


def complete(request, who, key, query):
    need(who, "storage.multipartUploads.create", "storage.objects.create")
    up, parts, last = upload_of(request, key, query), [], 0
    for p in ET.fromstring(request.body):
        said = {c.tag.rpartition("}")[2]: c.text for c in p}
        number, part = int(said["PartNumber"]), up["parts"].get(int(said["PartNumber"]))
        if number <= last:
            raise Refused(400, "InvalidPartOrder", "parts are to be in order")
        if not part or part["etag"].strip('"') != said["ETag"].strip('"'):
            raise Refused(400, "InvalidPart", "part %d is not there, or another" % number)
        last = number
        parts.append(part["body"])
    if any(len(p) < state.set["part_least"] for p in parts[:-1]):
        raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    if not parts:
        raise Refused(400, "MalformedCompleteMultipartUploadRequest", "no parts")
    if live(key):
        need(who, "storage.objects.delete")
        if protected(live(key)):
            raise Refused(403, "AccessDenied", "the object is protected")
    o = make(who, key, b"".join(parts), up["about"], None, whole_md5=False)
    del state.uploads[query["uploadId"]]
    return xml("CompleteMultipartUploadResult", "<Location>http://other.invalid/</Location><Bucket>%s</Bucket><Key>%s</Key>"
               "<ETag>\"%d-x\"</ETag>" % (state.set["bucket"], escape(key), o["generation"]),
               [("x-goog-hash", "crc32c=" + o["crc32c"]), ("x-goog-generation", str(o["generation"]))])


def abort(request, who, key, query):
    if not may(who, "storage.multipartUploads.abort"):
        raise Refused(403, "AccessDenied", "no right to abort")
    upload_of(request, key, query)
    del state.uploads[query["uploadId"]]
    return {"status": 204}


def list_parts(request, who, key, query):
    need(who, "storage.multipartUploads.listParts")
    up, after = upload_of(request, key, query), int(query.get("part-number-marker", 0))
    rows = [n for n in sorted(up["parts"]) if n > after]
    page, more = rows[:state.set["page"]], len(rows) > state.set["page"]
    return xml("ListPartsResult", "".join("<Part><PartNumber>%d</PartNumber><LastModified>%s</LastModified></Part>"
                                          % (n, iso(up["parts"][n]["when"])) for n in page)
               + ("<NextPartNumberMarker>%d</NextPartNumberMarker>" % page[-1] if more else "")
               + "<IsTruncated>%s</IsTruncated>" % str(more).lower())


def list_uploads(who, query):
    need(who, "storage.multipartUploads.list")
    import urllib.parse
    enc = (lambda s: urllib.parse.quote_plus(s, safe="/")) if "encoding-type" in query else escape
    after = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
    rows = sorted((u["key"], i) for i, u in state.uploads.items() if u["key"].startswith(query.get("prefix", "")))
    rows = [r for r in rows if not after[0] or r > after]
    page, more = rows[:state.set["page"]], len(rows) > state.set["page"]
    out = "".join("<Upload><Key>%s</Key><UploadId>%s</UploadId><Initiated>%s</Initiated></Upload>"
                  % (enc(k), escape(i), iso(state.uploads[i]["when"])) for k, i in page)
    if more:
        out += "<NextKeyMarker>%s</NextKeyMarker><NextUploadIdMarker>%s</NextUploadIdMarker>" % (enc(page[-1][0]), escape(page[-1][1]))
    if "encoding-type" in query:
        out += "<EncodingType>url</EncodingType>"
    return xml("ListMultipartUploadsResult", out + "<IsTruncated>%s</IsTruncated>" % str(more).lower())


def route(request, who, key, query):
    if not key and request.method == "GET" and "uploads" in query:
        return list_uploads(who, query)
    if key and request.method == "POST" and "uploads" in query:
        return begin(request, who, key)
    if key and "uploadId" in query:
        how = {"PUT": put_part, "POST": complete, "DELETE": abort, "GET": list_parts}.get(request.method)
        if how:
            return how(request, who, key, query)
    raise Refused(405, "MethodNotAllowed")

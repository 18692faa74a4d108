"""The listings of the S3 of s3.py: objects by both versions, versions, uploads."""
import urllib.parse
from xml.sax.saxutils import escape

from s3_proof import Refused
from s3_state import current, iso, need, state, xml


CROWD = "".join("<Contents><Key>e/@-%03d/%s</Key><Size>1</Size></Contents>" % (i, "/".join(["x" * 190] * 4)) for i in range(1000))


def pages(rows, query, marks, encoded):
    """One page of rows (name, second name, xml); its marks as the call has them."""
    most = min(int(query.get("max-keys", query.get("max-uploads", "1000"))), state.set["page"])
    page, more = rows[:most], len(rows) > most
    out = "<Prefix>%s</Prefix><IsTruncated>%s</IsTruncated>" % (encoded(query.get("prefix", "")), str(more).lower())
    if more:
        out += "".join("<%s>%s</%s>" % (m, encoded(page[-1][i]), m) for i, m in enumerate(marks))
    if "encoding-type" in query and state.set["encoding"]:
        out += "<EncodingType>url</EncodingType>"
    return out + "".join(r[2] for r in page)


def encoder(query):
    if "encoding-type" in query and state.set["encoding"]:
        # More than has to be: who does not decode sees no key as it is.
        return lambda s: urllib.parse.quote_plus(s, safe="/").replace("_", "%5F")
    return escape


def list_uploads(who, query):
    need(who, "ListBucketMultipartUploads")
    enc, after = encoder(query), (query.get("key-marker", ""), query.get("upload-id-marker", ""))
    rows = [(u["key"], i, "<Upload><Key>%s</Key><UploadId>%s</UploadId><Initiated>%s</Initiated></Upload>"
             % (enc(u["key"]), escape(i), iso(u["when"])))
            for i, u in state.uploads.items() if u["key"].startswith(query.get("prefix", ""))]
    rows = sorted(r for r in rows if not after[0] or r[:2] > after)
    return xml("ListMultipartUploadsResult", pages(rows, query, ["NextKeyMarker", "NextUploadIdMarker"], enc))


def list_objects(who, query):
    need(who, "ListBucket")
    if state.set["endless"]:
        state.count += 1
        row = {"fresh": "<Contents><Key>e/@</Key><Size>1</Size></Contents>", "crowd": CROWD}.get(state.set["endless"], "")
        row = row.replace("@", "%09d" % state.count)
        return xml("ListBucketResult", "<IsTruncated>true</IsTruncated><NextContinuationToken>t%d</NextContinuationToken>%s"
                   % (state.count, row))
    enc, second = encoder(query), query.get("list-type") == "2"
    if second and state.set["list"] == "1":
        raise Refused(501, "NotImplemented", "the second version is not known")
    second = second and state.set["list"] == "2"
    after = query.get("continuation-token", query.get("start-after", "")) if second else query.get("marker", "")
    rows = []
    for key in sorted(state.objects):
        o = current(key)
        if o and key > after and key.startswith(query.get("prefix", "")):
            rows.append((key, "", "<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>%s</ETag><Size>%d</Size>"
                         "</Contents>" % (enc(key), iso(o["modified"]), escape(o["etag"]), len(o["body"]))))
    return xml("ListBucketResult", pages(rows, query, ["NextContinuationToken"] if second else [],
                                         escape if second else enc))


def list_versions(who, query):
    need(who, "ListBucketVersions")
    enc, rows = encoder(query), []
    after = (query.get("key-marker", ""), query.get("version-id-marker", ""))
    for key in sorted(k for k in state.objects if k.startswith(query.get("prefix", ""))):
        for v in reversed(state.objects[key]):
            tag = "DeleteMarker" if v["marker"] else "Version"
            size = "" if v["marker"] else "<Size>%d</Size><ETag>%s</ETag>" % (len(v["body"]), escape(v["etag"]))
            rows.append((key, v["version"], "<%s><Key>%s</Key><VersionId>%s</VersionId><IsLatest>%s</IsLatest>"
                         "<LastModified>%s</LastModified>%s</%s>" % (tag, enc(key), v["version"],
                         str(v is state.objects[key][-1]).lower(), iso(v["modified"]), size, tag)))
    if after[0]:
        seen = [i for i, r in enumerate(rows) if r[0] < after[0] or r[0] == after[0] and (not after[1] or r[1] >= after[1])]
        rows = rows[len(seen):]
    return xml("ListVersionsResult", pages(rows, query, ["NextKeyMarker", "NextVersionIdMarker"], enc))



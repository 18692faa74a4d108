"""What a strict S3 server holds a request against: signature, digests, checksums. Used by s3.py.

    signed_by(request, keys, region, now, tls) -> name of the key    raises Refused
    body_sums(request)                            Content-MD5 and x-amz-checksum-*, checked against the body
    checksum(kind, data), combine(kind, a, b, len_b)                 "crc64nvme", "crc32c", "sha256" as integers or bytes

Written from the manual, on purpose without a look at the plugin: the two must agree by themselves.
"""
import base64
import hashlib
import hmac
import re
import urllib.parse
from datetime import datetime, timezone
from functools import lru_cache

BLOCK = 65536


class Refused(Exception):
    def __init__(self, status, code, message="", headers=(), extra=""):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message
        self.headers, self.extra = list(headers), extra


# Checksums. CRCs are reflected, begin with all ones and end inverted.

CRC = {"crc64nvme": (64, 0x9A6C9329AC4BC9B5), "crc32c": (32, 0x82F63B78)}
KINDS = ("crc64nvme", "crc32c", "sha256")


@lru_cache(None)
def table(kind):
    poly, out = CRC[kind][1], []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (poly if n & 1 else 0)
        out.append(n)
    return out


@lru_cache(4096)
def block_crc(kind, data):
    t = table(kind)
    c = ones = (1 << CRC[kind][0]) - 1
    for b in data:
        c = t[(c ^ b) & 255] ^ c >> 8
    return c ^ ones


def times(matrix, vector):
    out = 0
    for row in matrix:
        if vector & 1:
            out ^= row
        vector >>= 1
    return out


@lru_cache(None)
def zeros(kind, log2):
    """The matrix that puts 2**log2 zero bytes behind."""
    if log2 == 0:
        t = table(kind)
        return [t[(1 << i) & 255] ^ (1 << i) >> 8 for i in range(CRC[kind][0])]
    half = zeros(kind, log2 - 1)
    return [times(half, row) for row in half]


def combine(kind, a, b, length):
    for i in range(length.bit_length()):
        if length >> i & 1:
            a = times(zeros(kind, i), a)
    return a ^ b


def checksum(kind, data):
    """Its bytes."""
    if kind == "sha256":
        return hashlib.sha256(data).digest()
    c = 0
    for i in range(0, len(data), BLOCK):
        piece = data[i:i + BLOCK]
        c = combine(kind, c, block_crc(kind, piece), len(piece))
    return c.to_bytes(CRC[kind][0] // 8, "big")


def b64(raw):
    return base64.b64encode(raw).decode()


def body_sums(request):
    """The checksums that go with the body, each found right: {kind: bytes}."""
    md5 = request.headers.get("content-md5")
    if md5 is not None and md5 != b64(hashlib.md5(request.body).digest()):
        raise Refused(400, "BadDigest", "Content-MD5 is of other bytes")
    out = {}
    for kind in KINDS:
        said = request.headers.get("x-amz-checksum-" + kind)
        if said is None or request.method == "POST":
            continue
        out[kind] = checksum(kind, request.body)
        if said != b64(out[kind]):
            raise Refused(400, "XAmzContentChecksumMismatch", kind + " is of other bytes")
    return out


# Encryption with the customer's key (SSE-C): three headers on all that touches the bytes.

SSE_C = "x-amz-server-side-encryption-customer-"


def customer_key(request, tls):
    """The MD5 of the key, in base64, or None; found right, and never taken in the clear."""
    said = [request.headers.get(SSE_C + n) for n in ("algorithm", "key", "key-md5")]
    if said == [None] * 3:
        return None
    if None in said or said[0] != "AES256" or not tls:
        raise Refused(400, "InvalidArgument", "a key of the customer's wants three headers, and TLS")
    key = base64.b64decode(said[1])
    if len(key) != 32 or b64(hashlib.md5(key).digest()) != said[2]:
        raise Refused(400, "InvalidArgument", "the key of the customer's is no key, or another than its MD5 says")
    return said[2]


def same_key(request, tls, kept):
    if customer_key(request, tls) != kept:
        raise Refused(400 if kept else 403, "InvalidRequest", "it was stored with another key, or without one")


# Signature Version 4.

def encode(text):
    return urllib.parse.quote(text, safe="-._~", errors="surrogateescape")


def canonical_query(raw):
    pairs = []
    for item in raw.split("&") if raw else []:
        name, _, value = item.partition("=")
        name, value = (urllib.parse.unquote(p, errors="surrogateescape") for p in (name, value))
        pairs.append((encode(name), encode(value)))
    return "&".join("%s=%s" % p for p in sorted(pairs))


def mac(key, text):
    return hmac.new(key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()


def payload_checked(request, tls):
    said = request.headers.get("x-amz-content-sha256", "")
    if said == "UNSIGNED-PAYLOAD":
        if not tls:
            raise Refused(400, "InvalidRequest", "an unsigned body without TLS")
    elif said != hashlib.sha256(request.body).hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch", "x-amz-content-sha256 is of other bytes")
    return said


def signature(request, signed, payload, scope, date, secret):
    path, _, query = request.target.partition("?")
    headers = ""
    for name in signed:
        values = [" ".join(v.split()) for n, v in request.header_list if n.lower() == name]
        headers += "%s:%s\n" % (name, ",".join(values))
    canonical = "\n".join([request.method, path, canonical_query(query), headers, ";".join(signed), payload])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, "/".join(scope[1:]),
                         hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()])
    key = ("AWS4" + secret).encode()
    for step in scope[1:]:
        key = mac(key, step)
    return mac(key, to_sign).hex()


def signed_by(request, keys, region, now, tls):
    auth = request.headers.get("authorization", "")
    m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^, ]+), ?SignedHeaders=([^, ]+), ?Signature=([0-9a-f]{64})", auth)
    if not m:
        raise Refused(403, "AccessDenied", "no signature")
    scope, signed = m[1].split("/"), m[2].split(";")
    if len(scope) != 5 or scope[3:] != ["s3", "aws4_request"]:
        raise Refused(400, "AuthorizationHeaderMalformed", "the scope is wrong")
    key = keys.get(scope[0])
    if key is None:
        raise Refused(403, "InvalidAccessKeyId", "there is no such key")
    if scope[2] != region:
        raise Refused(400, "AuthorizationHeaderMalformed", "the region '%s' is wrong; expecting '%s'" % (scope[2], region),
                      [("x-amz-bucket-region", region)], "<Region>%s</Region>" % region)
    if key.get("token") != request.headers.get("x-amz-security-token"):
        raise Refused(400, "InvalidToken", "the token is another key's")
    date = request.headers.get("x-amz-date", "")
    if not re.fullmatch(r"\d{8}T\d{6}Z", date) or date[:8] != scope[1]:
        raise Refused(403, "AccessDenied", "no date")
    then = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    if abs(then - now) > 900:
        raise Refused(403, "RequestTimeTooSkewed", "the difference between the clocks is too large")
    names = {n.lower() for n, _ in request.header_list}
    must = {"host"} | {n for n in names if n.startswith("x-amz-") or n == "content-md5"}
    if signed != sorted(signed) or not must <= set(signed):
        raise Refused(403, "AccessDenied", "not signed: " + " ".join(sorted(must - set(signed))))
    payload = payload_checked(request, tls)
    if not hmac.compare_digest(signature(request, signed, payload, scope, date, key["secret"]), m[3]):
        raise Refused(403, "SignatureDoesNotMatch", "the signature is another one")
    if key.get("expired"):
        raise Refused(400, "ExpiredToken", "the token has expired")
    return scope[0]

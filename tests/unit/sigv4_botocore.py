#!/usr/bin/python3
"""sigv4_botocore.py PROGRAM [SEED]: random requests, signed by PROGRAM and by botocore, must come out
equal byte for byte: the Authorization header, and with it every byte that was signed; path and query on
the wire against those that botocore would send."""

import datetime
import json
import random
import subprocess
import sys
from urllib.parse import quote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

COUNT = 3000
SPECIAL = ["+", "~", "*", "'", "(", ")", " ", "//", "..", ".", "/", "%", "%2F", "%20", "=", "&", "?", "#", ";", ":",
           "@", "$", ",", "!", "\"", "<", ">", "\\", "^", "`", "{", "|", "}", "[", "]", "-", "_", "\u00e4", "\u20ac",
           "\U0001f512", "e\u0301", "\u00ff", "\x7f", "\t", "a", "Z", "9", "param", "Key-1"]
HEADERS = ["Content-Type", "content-md5", "Range", "If-Match", "x-amz-meta-a", "X-Amz-Meta-A", "x-amz-meta-b-c",
           "x-amz-storage-class", "X-AMZ-ACL", "User-Agent", "Expect", "X-Amzn-Trace-Id", "Cache-Control", "x-a"]
VALUES = ["a", "  a  b  ", "\"quoted   blanks\"", "a,b", "\ttab\tbetween ", "", "bytes=0-9", "\u00e4 \u20ac", "a:b;c",
          "text/plain; charset=utf-8", "x" * 300]


def text(rnd, most):
    return "".join(rnd.choice(SPECIAL) for _ in range(rnd.randint(0, most)))


def make(rnd):
    service = rnd.choice(["s3", "s3", "s3", "sts"])
    scheme = rnd.choice(["http", "https"])
    default = 443 if scheme == "https" else 80
    query = [[rnd.choice(["uploads", "prefix", "Param", "Param-3", "Param=", "p"]) + text(rnd, 2),
              rnd.choice([None, "", text(rnd, 5)])] for _ in range(rnd.choice([0, 0, 1, 2, 5, 12]))]
    headers = [[rnd.choice(HEADERS), rnd.choice(VALUES)] for _ in range(rnd.choice([0, 1, 3, 8]))]
    unsigned = service == "s3" and scheme == "https" and rnd.random() < 0.3
    if unsigned:  # what makes botocore leave the body out
        headers.append(["Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="])
    return {
        "method": rnd.choice(["GET", "PUT", "POST", "DELETE", "HEAD"]),
        "scheme": scheme,
        "host": rnd.choice(["b.s3.eu-west-1.amazonaws.com", "127.0.0.1", "localhost", "s3.example.org"]),
        "port": rnd.choice([0, 0, default, 9000, 443, 80]),
        "path": "/" + text(rnd, rnd.choice([0, 3, 12, 60])),
        "query": query,
        "headers": headers,
        "body": rnd.choice(["", "body", text(rnd, 40)]),
        "unsigned": unsigned,
        "id": "AKID" + str(rnd.randint(0, 3)),
        "secret": rnd.choice(["secret", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "s+/=" * 40]),
        "token": rnd.choice(["", "", "token/+==" * 90]),
        "region": rnd.choice(["us-east-1", "eu-west-1", "auto"]),
        "service": service,
        "now": rnd.choice([1369353600, 1795260000, 1795260000, rnd.randint(0, 4102444800)]),
    }


class Clock(datetime.datetime):
    now_s = 0

    @classmethod
    def utcnow(cls):
        return datetime.datetime.fromtimestamp(cls.now_s, datetime.timezone.utc).replace(tzinfo=None)


class ClockModule:
    datetime = Clock


def encode(s):
    return quote(s, safe="-_.~")


def by_botocore(r):
    path = quote(r["path"], safe="/-_.~")
    query = "&".join(encode(k) + ("" if v is None else "=" + encode(v)) for k, v in r["query"])
    netloc = r["host"] + (":%d" % r["port"] if r["port"] else "")
    request = AWSRequest(method=r["method"], url="%s://%s%s%s" % (r["scheme"], netloc, path, "?" + query if query else ""),
                         data=r["body"].encode())
    for name, value in r["headers"]:
        request.headers.add_header(name, value)
    request.context["has_streaming_input"] = r["unsigned"]
    if not r["unsigned"]:
        request.context["client_config"] = type("Config", (), {"s3": {"payload_signing_enabled": True}})
    signer = botocore.auth.S3SigV4Auth if r["service"] == "s3" else botocore.auth.SigV4Auth
    Clock.now_s = r["now"]
    signer(Credentials(r["id"], r["secret"], r["token"] or None), r["service"], r["region"]).add_auth(request)
    pairs = sorted(p.partition("=")[::2] for p in query.split("&")) if query else []
    return {"authorization": request.headers["Authorization"], "path": path,
            "query": "&".join("%s=%s" % (k, v) for k, v in pairs)}


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    print("seed %d" % seed)
    rnd = random.Random(seed)
    botocore.auth.datetime = ClockModule
    requests = [make(rnd) for _ in range(COUNT)]
    feed = "".join(json.dumps(r) + "\n" for r in requests)
    out = subprocess.run([sys.argv[1]], input=feed.encode(), stdout=subprocess.PIPE, timeout=300, check=True).stdout
    ours = [json.loads(line) for line in out.splitlines()]
    if len(ours) != COUNT:
        sys.exit("%d answers to %d requests" % (len(ours), COUNT))
    wrong = 0
    for request, mine in zip(requests, ours):
        theirs = by_botocore(request)
        if mine != theirs:
            wrong += 1
            if wrong <= 3:
                print("request %s\n  ours     %s\n  botocore %s" % (json.dumps(request), mine, theirs))
    print("%d requests, %d differ" % (COUNT, wrong))
    sys.exit(1 if wrong else 0)


main()

#!/usr/bin/python3
"""Random requests, signed by us and by Microsoft's library as Debian has it: equal byte for byte.

    sharedkey_azure.py PROGRAM [SEED]

Left out is what we never send and the library signs in a way of its own: Range (it signs another header's value),
two parameters of one name, blanks within a header's value.
"""
import base64
import json
import random
import subprocess
import sys
from urllib.parse import quote

from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy

COUNT = 2000
LETTERS = "abcXYZ019-._~ +*'()&=%/:;,?#@!$[]äß€😀"
PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789"
PARAMETERS = ["comp", "blockid", "restype", "prefix", "marker", "include", "maxresults", "versionid", "timeout", "snapshot",
              "delimiter", "sv", "se", "sp"]
NAMED = ["Content-Encoding", "Content-Language", "Content-MD5", "Content-Type", "If-Modified-Since", "If-Match",
         "If-None-Match", "If-Unmodified-Since"]
OURS = ["x-ms-blob-type", "x-ms-blob-content-md5", "x-ms-blob-content-type", "x-ms-content-crc64", "x-ms-access-tier",
        "x-ms-encryption-scope", "x-ms-encryption-key", "x-ms-encryption-key-sha256", "x-ms-encryption-algorithm",
        "x-ms-immutability-policy-until-date", "x-ms-immutability-policy-mode", "x-ms-legal-hold", "x-ms-range",
        "x-ms-delete-snapshots", "x-ms-client-request-id", "x-ms-version"]


def text(rnd, most, letters=LETTERS):
    return "".join(rnd.choice(letters) for _ in range(rnd.randint(1, most)))


def value(rnd):
    return "".join(rnd.choice(PLAIN + "ABC\"*+/=-_:;,.") for _ in range(rnd.randint(1, 40)))


def make(rnd):
    headers = [[n, value(rnd)] for n in rnd.sample(NAMED, rnd.randint(0, 4))]
    headers += [[n if rnd.random() < 0.5 else n.lower(), value(rnd)] for n in rnd.sample(OURS, rnd.randint(0, 8))]
    headers += [["x-ms-meta-" + n, value(rnd)] for n in {text(rnd, 12, PLAIN) for _ in range(rnd.randint(0, 4))}]
    headers += [["User-Agent", value(rnd)], ["Accept", "*/*"]][:rnd.randint(0, 2)]
    rnd.shuffle(headers)
    return {"method": rnd.choice(["GET", "PUT", "HEAD", "DELETE", "POST"]),
            "host": rnd.choice(["account.blob.core.windows.net", "127.0.0.1"]),
            "path": "/" + text(rnd, rnd.choice([3, 20, 80])),
            "query": [[n, text(rnd, 30)] for n in rnd.sample(PARAMETERS, rnd.choice([0, 1, 2, 5]))],
            "headers": headers, "length": rnd.choice([0, 0, 1, 1082, 8388608, 4194304000]),
            "account": rnd.choice(["account", "devstoreaccount1", "x9" * 12]),
            "key": base64.b64encode(bytes(rnd.randrange(256) for _ in range(rnd.choice([64, 32, 1, 100])))).decode(),
            "now": rnd.choice([1795260000, rnd.randint(0, 4102444800)])}


def by_microsoft(r, date):
    query = "&".join("%s=%s" % (n, quote(v, safe="-_.~")) for n, v in r["query"])
    path = quote(r["path"], safe="/-_.~")
    request = HttpRequest(r["method"], "https://%s%s%s" % (r["host"], path, "?" + query if query else ""))
    for name, v in r["headers"]:
        request.headers[name] = v
    request.headers["x-ms-date"] = date
    request.headers["Content-Length"] = str(r["length"])
    SharedKeyCredentialPolicy(r["account"], r["key"]).on_request(PipelineRequest(request, PipelineContext(None)))
    return {"authorization": request.headers["Authorization"], "date": date, "path": path, "query": query}


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
    print("seed %d" % seed)
    rnd = random.Random(seed)
    requests = [make(rnd) for _ in range(COUNT)]
    feed = "".join(json.dumps(r) + "\n" for r in requests)
    out = subprocess.run([sys.argv[1]], input=feed.encode(), stdout=subprocess.PIPE, timeout=300, check=True).stdout
    ours = [json.loads(line) for line in out.splitlines()]
    if len(ours) != COUNT:
        sys.exit("%d answers to %d requests" % (len(ours), COUNT))
    wrong = 0
    for request, mine in zip(requests, ours):
        theirs = by_microsoft(request, mine["date"])
        if mine != theirs:
            wrong += 1
            if wrong <= 3:
                print("request %s\n  ours       %s\n  Microsoft's %s" % (json.dumps(request), mine, theirs))
    print("%d requests, %d differ" % (COUNT, wrong))
    sys.exit(1 if wrong else 0)


main()

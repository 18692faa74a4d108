"""What the S3 of s3.py holds, the laws it goes by, and who may do what."""
import time

from s3_proof import Refused

SETTINGS = {
    "keys": {"AKTEST": {"secret": "secret/of+test"}},  # id: secret, token, expired, allow (actions; absent: all)
    "region": "us-east-1",
    "buckets": ["bucket"],
    "tls": False,               # unsigned bodies are taken
    "clock": 0,                 # seconds that its clock is ahead
    "part_least": 5 << 20,      # but for the last
    "parts_equal": False,       # R2
    "parts_max": 10000,         # Scaleway: 1000
    "condition": "yes",         # If-None-Match: "no" 501, "ignored" in silence
    "list": "2",                # "1": refuses the second version; "old": answers with the first
    "encoding": True,           # heeds encoding-type
    "endless": "",              # listings without end, each page with a token of its own: "empty", "fresh" keys, or a "crowd" of long ones
    "delete_many": True,
    "modern": True,             # knows x-amz-checksum-*
    "must": [],                 # headers without which it refuses
    "page": 1000,
    "versions": False,
    "locks": False,
    "lock_says": "AccessDenied",  # MinIO: InvalidRequest
    "requester_pays": False,
    "sse_c": False,             # nothing without a key of the customer's
    "ids": True,                # every answer has x-amz-request-id
    "memory": True,             # a completed upload's id is remembered: the second Complete is 200
}
NS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class State:
    def __init__(self, settings):
        self.begin(settings)

    def begin(self, settings):
        unknown = set(settings) - set(SETTINGS)
        if unknown:
            raise ValueError("unknown setting: %s" % ", ".join(sorted(unknown)))
        self.set = {**SETTINGS, **settings}
        self.objects = {}  # key: versions, the newest last
        self.uploads = {}  # id: key, headers, parts, when
        self.done = {}     # id: the answer to Complete
        self.count = 0

    def now(self):
        return time.time() + self.set["clock"]


state = State({})


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(t))


def answer(status=200, headers=(), body=b""):
    return {"status": status, "headers": list(headers), "body": body}


def xml(root, inner, headers=()):
    return answer(200, [("Content-Type", "application/xml"), *headers],
                  '<?xml version="1.0" encoding="UTF-8"?>\n<%s%s>%s</%s>' % (root, NS, inner, root))


def need(who, action):
    allow = state.set["keys"][who].get("allow")
    if allow is not None and action not in allow:
        raise Refused(403, "AccessDenied", "no right to " + action)


def may(who, action):
    allow = state.set["keys"][who].get("allow")
    return allow is None or action in allow


def current(key):
    versions = state.objects.get(key)
    return versions[-1] if versions and not versions[-1]["marker"] else None


def missing(who):
    if not may(who, "ListBucket"):
        raise Refused(403, "AccessDenied", "there may be none")
    raise Refused(404, "NoSuchKey", "there is no such key")



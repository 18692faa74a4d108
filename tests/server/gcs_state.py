"""What the Cloud Storage of gcs.py holds, the laws it goes by, and who may do what."""
import base64
import ctypes
import ctypes.util
import hashlib
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from s3_proof import checksum  # noqa: E402

SETTINGS = {
    "accounts": {},            # e-mail: {"keys": {key id: modulus in hex}, "allow": [permissions; absent: all]}
    "refresh_tokens": {},      # refresh token: {"client_id": ..., "client_secret": ..., "account": e-mail}
    "subjects": {},            # subject token of another cloud: account
    "machine": None,           # the account of the metadata server; None: 404
    "impersonate": {},         # account: those it may act as
    "life": 3599,              # of tokens, in seconds
    "clock": 0,                # seconds that its clock is ahead
    "anonymous": False,        # no token is asked for
    "bucket": "bucket",
    "versions": False,
    "soft_delete": 0,          # seconds
    "retention": 0,            # the bucket's policy, in seconds
    "object_retention": False,
    "part_least": 5 << 20,     # but for the last
    "page": 1000,
    "persist": {},             # key: of its next chunks, how many bytes are kept; then all
    "user_project": None,
}


class Refused(Exception):
    def __init__(self, status, reason, message="", headers=()):
        super().__init__(reason)
        self.status, self.reason, self.message, self.headers = status, reason, message, list(headers)


class State:
    def __init__(self):
        self.begin({})

    def check(self, settings):
        unknown = set(settings) - set(SETTINGS)
        if unknown:
            raise ValueError("unknown setting: %s" % ", ".join(sorted(unknown)))

    def begin(self, settings):
        self.check(settings)
        self.set = {**SETTINGS, **settings}
        self.objects = {}   # key: generations, the newest last
        self.soft = {}      # key: generations that were deleted softly
        self.sessions = {}  # id: of resumable uploads
        self.uploads = {}   # id: of uploads in parts
        self.tokens = {}    # token: {"account", "scope", "until"}
        self.count = int(time.time() * 1000000)

    def now(self):
        return time.time() + self.set["clock"]

    def number(self):
        self.count += 1
        return self.count


state = State()


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".%03dZ" % (t % 1 * 1000)


def from_iso(text):
    import calendar
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def may(who, right):
    if state.set["anonymous"]:
        return True
    allow = state.set["accounts"].get(who, {}).get("allow")
    return allow is None or right in allow


def need(who, *rights):
    for right in rights:
        if not may(who, right):
            raise Refused(403, "forbidden", "%s does not have %s access to the Google Cloud Storage object." % (who, right))


def live(key):
    versions = state.objects.get(key)
    return versions[-1] if versions and "deleted" not in versions[-1] else None


def find(who, key, generation=None):
    need(who, "storage.objects.get")
    if generation is None:
        found = live(key)
    else:
        found = next((o for o in state.objects.get(key, []) if str(o["generation"]) == generation), None)
    if found:
        return found
    need(who, "storage.objects.list")  # who may not list is not told that there is none
    raise Refused(404, "notFound", "No such object: %s/%s" % (state.set["bucket"], key))


def protected(o):
    """Why an object stays, or None."""
    if o.get("temporaryHold") or o.get("eventBasedHold"):
        return Refused(403, "objectUnderActiveHold", "Object '%s' is under active Temporary hold and cannot be deleted" % o["name"])
    if expires(o) and expires(o) > state.now():
        return Refused(403, "retentionPolicyNotMet", "Object '%s' is subject to bucket's retention policy or object retention" % o["name"])
    return None


def expires(o):
    own = o.get("retention", {}).get("retainUntilTime")
    return max(o["created"] + state.set["retention"] if state.set["retention"] else 0, from_iso(own) if own else 0)


def b64(raw):
    return base64.b64encode(raw).decode()


def quick_crc():
    """CRC-32C by ISA-L where it is installed: large objects take minutes otherwise. It has nothing of ours in it."""
    name = ctypes.util.find_library("isal")
    if not name:
        return lambda body: checksum("crc32c", body)
    function = ctypes.CDLL(name).crc32_iscsi
    function.restype, function.argtypes = ctypes.c_uint, [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint]
    crc = lambda body: (function(body, len(body), 0xffffffff) ^ 0xffffffff).to_bytes(4, "big")  # noqa: E731
    # The check value of the catalogue of CRCs, and of the other implementation.
    if crc(b"123456789").hex() != "e3069283" or crc(b"x" * 99) != checksum("crc32c", b"x" * 99):
        raise ValueError("no CRC-32C")
    return crc


crc_of = quick_crc()


def crc_text(body):
    return b64(crc_of(bytes(body)))


def make(who, key, body, about, condition, whole_md5=True):
    """The object becomes visible, or it is refused."""
    old = live(key)
    if condition == "0" and old:
        raise Refused(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
    if old:
        need(who, "storage.objects.delete")
        if protected(old):
            raise protected(old)
    if about.get("retention"):
        if not state.set["object_retention"]:
            raise Refused(400, "invalid", "Object retention is not enabled for this bucket")
        need(who, "storage.objects.setRetention")
    o = {**about, "name": key, "body": body, "generation": state.number(), "created": state.now(),
         "crc32c": crc_text(body)}
    if whole_md5:
        o["md5Hash"] = b64(hashlib.md5(body).digest())
    if old:
        drop(key, old)
    state.objects.setdefault(key, []).append(o)
    return o


def drop(key, o, hard=False):
    """What is replaced or deleted stays as versions and soft delete have it."""
    if state.set["versions"] and not hard:
        o["deleted"] = state.now()
        return
    state.objects[key].remove(o)
    if not state.objects[key]:
        del state.objects[key]
    if state.set["soft_delete"]:
        state.soft.setdefault(key, []).append(o)


def resource(o):
    out = {"kind": "storage#object", "name": o["name"], "bucket": state.set["bucket"], "generation": str(o["generation"]),
           "metageneration": "1", "size": str(len(o["body"])), "crc32c": o["crc32c"], "timeCreated": iso(o["created"]),
           "updated": iso(o["created"]), "storageClass": o.get("storageClass", "STANDARD"), "etag": "C%d" % o["generation"]}
    for name in ("md5Hash", "metadata", "contentType", "temporaryHold", "eventBasedHold", "retention", "customTime", "kmsKeyName"):
        if name in o:
            out[name] = o[name]
    if expires(o):
        out["retentionExpirationTime"] = iso(expires(o))
    if "deleted" in o:
        out["timeDeleted"] = iso(o["deleted"])
    return out

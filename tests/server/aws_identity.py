"""What hands out AWS credentials, scripted: STS, the metadata service of an instance, the agents of ECS and
EKS. It checks what it is sent as the real ones do, and refuses what they would refuse: a test passes only with
requests that AWS would take.

    server = Identity()                  # 127.0.0.1, a free port; Identity(tls=(cert, key)) speaks TLS
    server.keys["AKIA1"] = ("secret", None)
    server.url, server.port
    server.seen                          # what came: (method, path, what was done)
    server.close()

A test sets the attributes named below before it asks; each is read under a lock at each request.
"""

import base64
import datetime
import hashlib
import hmac
import json
import re
import ssl
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit

STS_NS = "https://sts.amazonaws.com/doc/2011-06-15/"


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what some tests are about


class Identity:
    def __init__(self, tls=None):
        self.lock = threading.RLock()
        self.seen = []
        self.clock = 0              # seconds that this server's clock is ahead
        self.lifetime = 3600        # of what is handed out
        self.serial = 0             # of the last set that was handed out
        self.keys = {}              # id -> (secret, session token or None): who may sign
        self.region = "eu-west-1"   # that a signature must be for
        self.roles = {}             # arn -> {"external_id":, "by": id that may take it, "token": for web identity}
        self.faults = []            # answers of STS before the real one: (status, body) or "drop"
        self.answer = None          # instead of the XML of STS, or the JSON of the others: bytes
        self.imds = "v2"            # v2: token demanded; both; v1: 404 for the token; v1-403; lost; 400; 500; none
        self.imds_role = "backup-role"
        self.imds_answer = {}       # what is put into, or (None) taken out of, the JSON
        self.tokens = {}            # metadata tokens -> when they end
        self.agent_token = None     # what the agent demands as Authorization; None: nothing
        self.agent_path = "/v2/credentials/1234?a=b"
        handler = type("Handler", (Handler,), {"identity": self})
        self.httpd = Server(("127.0.0.1", 0), handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True)
        self.port = self.httpd.server_address[1]
        self.url = "%s://%s:%d" % ("https" if tls else "http", "localhost" if tls else "127.0.0.1", self.port)
        self.closing = threading.Event()
        threading.Thread(target=self.httpd.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.closing.set()
        self.httpd.shutdown()
        self.httpd.server_close()

    def now(self):
        return time.time() + self.clock

    def issue(self):
        """A new set: it may sign from now on."""
        self.serial += 1
        id_ = "ASIA%d" % self.serial
        self.keys[id_] = ("secret/%d+" % self.serial, "token/%d==" % self.serial)
        return id_, self.keys[id_][0], self.keys[id_][1], iso(time.time() + self.lifetime)


class Handler(BaseHTTPRequestHandler):
    identity = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate(self.identity.now(), usegmt=True)

    def reply(self, status, body, kind="text/plain"):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def note(self, what):
        self.identity.seen.append((self.command, self.path, what))

    # --- STS ---

    def do_POST(self):
        me = self.identity
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with me.lock:
            if me.faults:
                fault = me.faults.pop(0)
                self.note("fault")
                if fault == "drop":
                    self.close_connection = True
                    self.connection.close()
                    return
                self.reply(fault[0], fault[1], "text/xml")
                return
            try:
                action, form = self.read_form(body)
                if action == "AssumeRole":
                    self.check_signature(body)
                self.check_role(action, form)
            except Refused as why:
                self.note("refused: %s: %s" % (why.code, why.message))
                self.reply(why.status, "<ErrorResponse xmlns=\"%s\"><Error><Type>Sender</Type><Code>%s</Code><Message>%s"
                           "</Message></Error><RequestId>1</RequestId></ErrorResponse>"
                           % (STS_NS, why.code, why.message), "text/xml")
                return
            self.note(action)
            id_, secret, token, end = me.issue()
            xml = ("<%sResponse xmlns=\"%s\">\n  <%sResult>\n    <Credentials><AccessKeyId>%s</AccessKeyId>"
                   "<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration>"
                   "</Credentials>\n    <AssumedRoleUser><Arn>x</Arn></AssumedRoleUser></%sResult></%sResponse>\n"
                   % (action, STS_NS, action, id_, secret, token, end, action, action))
            self.reply(200, me.answer if me.answer is not None else xml, "text/xml")

    def read_form(self, body):
        if not self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            raise Refused(400, "InvalidContentType", "no form")
        if self.headers.get("Transfer-Encoding") or "Content-Length" not in self.headers:
            raise Refused(411, "MissingContentLength", "no length")
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
        form = dict(pairs)
        if len(form) != len(pairs) or form.get("Version") != "2011-06-15":
            raise Refused(400, "MalformedQueryString", "twice, or no version")
        action = form.get("Action")
        if action not in ("AssumeRole", "AssumeRoleWithWebIdentity"):
            raise Refused(400, "InvalidAction", "no such action")
        if action == "AssumeRoleWithWebIdentity" and "Authorization" in self.headers:
            raise Refused(400, "IncompleteSignature", "signed, and must not be")
        return action, form

    def check_role(self, action, form):
        role = self.identity.roles.get(form.get("RoleArn"))
        if role is None:
            raise Refused(403, "AccessDenied", "no such role")
        if not re.fullmatch(r"[\w+=,.@-]{2,64}", form.get("RoleSessionName", "")):
            raise Refused(400, "ValidationError", "RoleSessionName")
        if role.get("session", form["RoleSessionName"]) != form["RoleSessionName"]:
            raise Refused(403, "AccessDenied", "another RoleSessionName was expected")
        if form.get("ExternalId") != role.get("external_id"):
            raise Refused(403, "AccessDenied", "ExternalId")
        if form.get("DurationSeconds") != role.get("duration"):
            raise Refused(400, "ValidationError", "DurationSeconds")
        if action == "AssumeRole" and "by" in role and role["by"] != self.signer:
            raise Refused(403, "AccessDenied", "not with these credentials")
        if action == "AssumeRoleWithWebIdentity" and form.get("WebIdentityToken") != role.get("token"):
            raise Refused(400, "InvalidIdentityToken", "the token is another one")

    def check_signature(self, body):
        """SigV4 as the service does it, from what came over the wire alone."""
        me = self.identity
        m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/sts/aws4_request, "
                         r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", self.headers.get("Authorization", ""))
        if not m:
            raise Refused(400, "IncompleteSignature", "Authorization")
        id_, day, region, names, signature = m.groups()
        names = names.split(";")
        if region != me.region:
            raise Refused(400, "SignatureDoesNotMatch", "Credential should be scoped to a valid region")
        if id_ not in me.keys:
            raise Refused(403, "InvalidClientTokenId", "unknown key")
        secret, token = me.keys[id_]
        if self.headers.get("x-amz-security-token") != token:
            raise Refused(403, "InvalidClientTokenId", "the session token is missing or wrong")
        must = {"host", "x-amz-date"} | {n.lower() for n in self.headers if n.lower().startswith("x-amz-")}
        if not must <= set(names) or names != sorted(names):
            raise Refused(403, "SignatureDoesNotMatch", "headers that are not signed: %s" % (must - set(names)))
        date = self.headers["x-amz-date"]
        sent = datetime.datetime.strptime(date + "+0000", "%Y%m%dT%H%M%SZ%z").timestamp()
        if abs(sent - me.now()) > 900 or date[:8] != day:
            raise Refused(403, "SignatureDoesNotMatch", "Signature expired: %s is not now" % date)
        url = urlsplit(self.path)
        headers = "".join("%s:%s\n" % (n, ",".join(" ".join(v.split()) for v in self.headers.get_all(n))) for n in names)
        query = "&".join("%s=%s" % p for p in sorted(q.partition("=")[::2] for q in url.query.split("&") if q))
        parts = []
        for part in url.path.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        path = "/" + "/".join(parts) + ("/" if parts and url.path.endswith("/") else "")
        canonical = "\n".join([self.command, quote(path, safe="/~"), query, headers, ";".join(names),
                               hashlib.sha256(body).hexdigest()])
        scope = "%s/%s/sts/aws4_request" % (day, region)
        text = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + secret).encode()
        for part in scope.split("/"):
            key = hmac_sha256(key, part)
        if not hmac.compare_digest(hmac_sha256(key, text).hex(), signature):
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        self.signer = id_

    # --- the metadata service ---

    def do_PUT(self):
        me = self.identity
        mode = me.imds
        if self.path != "/latest/api/token":
            return self.reply(404, "")
        if mode == "lost":  # sent with one hop to live: it never arrives
            self.note("token lost")
            me.closing.wait(30)
            self.close_connection = True
            return None
        with me.lock:
            ttl = self.headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
            refusal = {"v1": 404, "v1-403": 403, "v1-405": 405, "400": 400, "500": 500, "none": 404}.get(mode)
            if refusal:
                self.note("token %d" % refusal)
                return self.reply(refusal, "")
            if not re.fullmatch(r"[0-9]{1,5}", ttl) or not 1 <= int(ttl) <= 21600:
                self.note("token without a good TTL")
                return self.reply(400, "")
            if "X-Forwarded-For" in self.headers or "Via" in self.headers:
                self.note("token by a proxy")
                return self.reply(403, "")
            token = base64.b64encode(hashlib.sha256(str(time.time_ns()).encode()).digest()).decode()
            me.tokens[token] = time.time() + int(ttl)
            self.note("token")
            return self.reply(200, token)

    def do_GET(self):
        me = self.identity
        with me.lock:
            if self.path.startswith("/latest/"):
                return self.metadata()
            if self.path == me.agent_path:
                return self.agent()
            self.note("no such path")
            return self.reply(404, json.dumps({"code": "NotFound", "message": "no such path"}))

    def metadata(self):
        me = self.identity
        token = self.headers.get("x-aws-ec2-metadata-token")
        base = "/latest/meta-data/iam/security-credentials/"
        if token is None and me.imds in ("v2", "lost"):
            self.note("401: no token")
            return self.reply(401, "")
        if token is not None and me.tokens.get(token, 0) < time.time():
            self.note("401: bad token")
            return self.reply(401, "")
        if me.imds_role is None or not self.path.startswith(base):
            self.note("404")
            return self.reply(404, "")
        if self.path == base:
            self.note("role name")
            return self.reply(200, me.imds_role + "\n")
        if unquote(self.path[len(base):]) != me.imds_role:
            self.note("404: no such role")
            return self.reply(404, "")
        self.note("role" + ("" if token else " by version 1"))
        return self.credentials({"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": iso(time.time())})

    # --- the container's agent ---

    def agent(self):
        me = self.identity
        if me.agent_token is not None and self.headers.get("Authorization") != me.agent_token:
            self.note("401: Authorization")
            return self.reply(401, json.dumps({"code": "Unauthorized", "message": "the token is another one"}))
        if "application/json" not in self.headers.get("Accept", ""):
            self.note("406")
            return self.reply(406, "")
        self.note("agent")
        return self.credentials({"RoleArn": "arn:aws:iam::1:role/task"})

    def credentials(self, more):
        me = self.identity
        id_, secret, token, end = me.issue()
        answer = dict(more, AccessKeyId=id_, SecretAccessKey=secret, Token=token, Expiration=end)
        for name, value in me.imds_answer.items():
            if value is None:
                answer.pop(name, None)
            else:
                answer[name] = value
        self.reply(200, me.answer if me.answer is not None else json.dumps(answer, indent=1), "application/json")

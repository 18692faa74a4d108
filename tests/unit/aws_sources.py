#!/usr/bin/python3
"""aws_sources.py SRCDIR PROGRAM [NAME]: each source of AWS credentials, found by PROGRAM (tests/unit/aws_ask.c)
at servers that check what they are sent (tests/server/aws_identity.py)."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time

SRCDIR, PROGRAM = sys.argv[1], os.path.abspath(sys.argv[2])
sys.path.insert(0, os.path.join(SRCDIR, "tests", "server"))
from aws_identity import Identity  # noqa: E402

ROLE = "arn:aws:iam::123456789012:role/backup"
ROLE2 = "arn:aws:iam::123456789012:role/second"
tests = []


def test(f):
    tests.append(f)
    return f


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Asker:
    """PROGRAM under settings; what it finds is asked for line by line."""

    def __init__(self, settings, fds=(), cwd="/", no_proxy="localhost,127.0.0.1", **more):
        # A metadata service that is not there, unless the test has one: never the machine's own.
        base = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:%d" % free_port(), "region": "eu-west-1"}
        base.update(settings)
        self.settings = {k: v for k, v in base.items() if v is not None}
        # A proxy that nobody may come to: metadata and agents are asked without one.
        env = {"PATH": "/usr/bin:/bin", "http_proxy": "http://127.0.0.1:1", "no_proxy": no_proxy,
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}
        self.log = tempfile.TemporaryFile()
        self.child = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                      env=env, cwd=cwd, pass_fds=fds)
        self.send(dict(more, settings=self.settings))

    def send(self, line):
        self.child.stdin.write((json.dumps(line) + "\n").encode())
        self.child.stdin.flush()

    def ask(self, **question):
        self.send(question)
        line = self.child.stdout.readline()
        assert line, "no answer; log: " + self.logged()
        return json.loads(line)

    def logged(self):
        self.log.flush()
        return os.pread(self.log.fileno(), 1 << 20, 0).decode()

    def end(self):
        self.child.stdin.close()
        try:
            rc = self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise
        assert rc == 0, "exit status %d; log: %s" % (rc, self.logged())
        return self.logged()


def once(settings, **more):
    a = Asker(settings, **more)
    answer = a.ask()
    answer["log"] = a.end()
    return answer


def good(answer, id_=None, source=None):
    assert "error" not in answer, answer
    if id_:
        assert answer["id"] == id_, answer
    if source:
        assert source in answer["source"], answer
        if "log" in answer:
            assert source in answer["log"], "the log does not name the source: " + answer["log"]
    return answer


def bad(answer, *words, code=None):
    assert "error" in answer, {k: v for k, v in answer.items() if k != "log"}
    for word in words:
        assert word in answer["error"], "%r is not in %r" % (word, answer["error"])
    if code:
        assert answer["code"] == code, answer
    return answer


def write(path, text, mode=0o600):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


class Place:
    """A server, a folder, and settings that point to both."""

    def __init__(self, folder, **more):
        self.folder = folder
        self.server = Identity(**more)
        self.settings = {"HOME": folder, "AWS_ENDPOINT_URL_STS": self.server.url}
        os.makedirs(os.path.join(folder, ".aws"), exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def credentials(self, text):
        write(self.path(".aws/credentials"), text)

    def config(self, text):
        write(self.path(".aws/config"), text)

    def did(self):
        return [what for _, _, what in self.server.seen]

    def with_imds(self, **more):
        return dict(self.settings, AWS_EC2_METADATA_SERVICE_ENDPOINT=self.server.url, **more)


# --- nothing, and the order ---

@test
def nothing_is_there(p):
    a = bad(once(p.settings), "no credentials found", "environment", "profile", "web identity", "container",
            "instance metadata", code="denied")
    assert p.did() == []
    assert "there is no metadata service here" in a["log"] + a["error"], a


@test
def the_order(p):
    p.credentials("[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n"
                  "[own]\naws_access_key_id = OWNFILE\naws_secret_access_key = s\n")
    write(p.path("token"), "jwt")
    p.server.roles[ROLE] = {"token": "jwt"}
    p.server.agent_path = "/agent"
    s = p.with_imds(access_key_id="OWN", secret_access_key="s", profile="own", AWS_ACCESS_KEY_ID="ENV",
                    AWS_SECRET_ACCESS_KEY="s", AWS_WEB_IDENTITY_TOKEN_FILE=p.path("token"), AWS_ROLE_ARN=ROLE,
                    AWS_CONTAINER_CREDENTIALS_FULL_URI=p.server.url + "/agent")
    good(once(s), "OWN", "the store's own access_key_id")
    del s["access_key_id"], s["secret_access_key"]
    good(once(s), "OWNFILE", "profile 'own'")
    del s["profile"]
    good(once(s), "ENV", "AWS_ACCESS_KEY_ID")
    del s["AWS_ACCESS_KEY_ID"], s["AWS_SECRET_ACCESS_KEY"]
    good(once(s), "FILE", "profile 'default' of " + p.path(".aws/credentials"))
    assert p.did() == []
    os.unlink(p.path(".aws/credentials"))
    good(once(s), "ASIA1", "web identity, role " + ROLE)
    del s["AWS_WEB_IDENTITY_TOKEN_FILE"], s["AWS_ROLE_ARN"]
    good(once(s), "ASIA2", "the container's agent at 127.0.0.1")
    del s["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    good(once(s), "ASIA3", "instance metadata (IMDSv2), role backup-role")
    # One source, named: the others are not looked at.
    good(once(dict(s, credentials="instance", AWS_ACCESS_KEY_ID="ENV", AWS_SECRET_ACCESS_KEY="s")), "ASIA4")
    bad(once(dict(s, credentials="profile")), "no credentials found", code="denied")


# --- profiles ---

@test
def profiles(p):
    p.credentials("[x]\naws_access_key_id = X\naws_secret_access_key = s\naws_session_token = t\n[half]\n"
                  "aws_secret_access_key = hunter2\n")
    p.config("[default]\nregion = eu-central-1\n[profile y]\naws_access_key_id = Y\naws_secret_access_key = s\n"
             "region = eu-north-1\n[z]\naws_access_key_id = Z\n[profile bare]\nregion = x\n"
             "[profile sso]\nsso_session = s\nsso_account_id = 1\n[profile login]\nlogin_session = arn:x\n"
             "[profile mfa]\nrole_arn = %s\nsource_profile = x\nmfa_serial = arn:mfa\n" % ROLE)
    a = good(once(dict(p.settings, AWS_PROFILE="x")), "X")
    assert a["token"] == "t"
    good(once(dict(p.settings, AWS_PROFILE="y")), "Y", "of " + p.path(".aws/config"))
    good(once(dict(p.settings, AWS_DEFAULT_PROFILE="y")), "Y")
    bad(once(dict(p.settings, AWS_PROFILE="nope")), "there is no profile 'nope'", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="z")), "[profile NAME]", code="config")
    a = bad(once(dict(p.settings, AWS_PROFILE="half")), "without aws_access_key_id", code="config")
    assert "hunter2" not in a["error"] + a["log"]
    # What needs a person is named, also where another source would have something.
    for name, word in (("sso", "sso_session"), ("login", "login_session"), ("mfa", "mfa_serial")):
        bad(once(p.with_imds(AWS_PROFILE=name)), word, "'%s'" % name, code="unsupported")
    assert p.did() == []
    # A profile without credentials is none of them; the store's own must have some.
    good(once(p.with_imds(AWS_PROFILE="bare")), "ASIA1")
    bad(once(p.with_imds(profile="bare")), "has no keys", code="config")
    # Files elsewhere.
    other = write(p.path("other"), "[x]\naws_access_key_id = OTHER\naws_secret_access_key = s\n")
    good(once(dict(p.settings, AWS_PROFILE="x", AWS_SHARED_CREDENTIALS_FILE=other)), "OTHER")
    write(p.path("broken"), "[x\n")
    bad(once(dict(p.settings, AWS_CONFIG_FILE=p.path("broken"))), "broken, line 1", code="config")
    bad(once(dict(p.settings, AWS_CONFIG_FILE=p.folder)), p.folder)
    a = Asker(dict(p.settings, region=None))
    assert a.ask(region=True) == {"region": "eu-central-1"}
    a.end()
    a = Asker(dict(p.settings, region=None, AWS_PROFILE="y", AWS_REGION=None))
    assert a.ask(region=True) == {"region": "eu-north-1"}
    a.end()
    a = Asker(dict(p.settings, region=None, AWS_DEFAULT_REGION="sa-east-1"))
    assert a.ask(region=True) == {"region": "sa-east-1"}
    a.end()


@test
def roles(p):
    p.server.keys["BASE"] = ("base/secret+", None)
    p.server.roles[ROLE] = {"by": "BASE", "external_id": "ex=ter&nal id", "duration": "3600", "session": "nightly"}
    p.server.roles[ROLE2] = {"by": "ASIA1", "session": "strongroom"}
    p.credentials("[base]\naws_access_key_id = BASE\naws_secret_access_key = base/secret+\n")
    p.config("""
[profile one]
role_arn = %s
source_profile = base
external_id = ex=ter&nal id
duration_seconds = 3600
role_session_name = nightly
[profile two]
role_arn = %s
source_profile = one
[profile self]
role_arn = %s
source_profile = self
external_id = ex=ter&nal id
duration_seconds = 3600
role_session_name = nightly
aws_access_key_id = BASE
aws_secret_access_key = base/secret+
[profile loop-a]
role_arn = %s
source_profile = loop-b
[profile loop-b]
role_arn = %s
source_profile = loop-a
[profile alone]
role_arn = %s
source_profile = alone
[profile neither]
role_arn = %s
[profile both]
role_arn = %s
source_profile = base
credential_source = Environment
[profile gone]
role_arn = %s
source_profile = nowhere
[profile long]
role_arn = %s
source_profile = base
duration_seconds = 1e9
[profile denied]
role_arn = arn:aws:iam::1:role/other
source_profile = base
""" % ((ROLE, ROLE2) + (ROLE,) * 8))
    good(once(dict(p.settings, AWS_PROFILE="one")), "ASIA1", "profile 'one', role " + ROLE)
    p.server.serial = 0
    # Two roles, the second with what the first gave: signed with its session token.
    a = good(once(dict(p.settings, AWS_PROFILE="two")), "ASIA2", "profile 'two', role " + ROLE2)
    assert a["secret"] == "secret/2+" and a["token"] == "token/2=="
    good(once(dict(p.settings, AWS_PROFILE="self")))
    # At a path: signed normalised and encoded twice, sent as it stands.
    good(once(dict(p.settings, AWS_PROFILE="one", AWS_ENDPOINT_URL_STS=p.server.url + "/a%20b//./c")))
    assert p.server.seen[-1][1] == "/a%20b//./c", p.server.seen
    assert set(p.did()) == {"AssumeRole"}, p.did()
    seen = len(p.did())
    bad(once(dict(p.settings, AWS_PROFILE="loop-a")), "leads back to profile 'loop-a'", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="alone")), "leads back", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="neither")), "neither source_profile nor", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="both")), "both source_profile and", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="gone")), "'nowhere'", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="long")), "duration_seconds", code="config")
    assert len(p.did()) == seen
    bad(once(dict(p.settings, AWS_PROFILE="denied")), "AccessDenied", "role/other", code="denied")


@test
def role_of_named_source(p):
    p.server.keys["ENV"] = ("s", "t")
    p.server.roles[ROLE] = {}
    p.config("".join("[profile %s]\nrole_arn = %s\ncredential_source = %s\n" % (n, ROLE, s) for n, s in
                     (("env", "Environment"), ("ec2", "Ec2InstanceMetadata"), ("ecs", "EcsContainer"), ("no", "Moon"))))
    env = {"AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    good(once(dict(p.settings, profile="env", **env)), "ASIA1")
    bad(once(dict(p.settings, AWS_PROFILE="env")), "credential_source Environment", code="config")
    good(once(p.with_imds(AWS_PROFILE="ec2")), "ASIA3")
    p.server.agent_path = "/a"
    good(once(dict(p.settings, AWS_PROFILE="ecs", AWS_CONTAINER_CREDENTIALS_FULL_URI=p.server.url + "/a")), "ASIA5")
    bad(once(dict(p.settings, AWS_PROFILE="ecs")), "EcsContainer", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="no")), "'Moon'", code="config")


# --- credential_process ---

@test
def process(p):
    program = write(p.path("give creds"), """#!/bin/sh
[ "$1" = "a  b" ] && [ "$2" = '$HOME' ] && [ $# = 2 ] || { echo "arguments: $*" >&2; exit 3; }
read -r line && { echo "standard input is not empty" >&2; exit 4; }
ls -l /proc/self/fd | grep -q 'secret-file' && { echo "a descriptor leaked" >&2; exit 5; }
cat <<END
{"Version": 1, "AccessKeyId": "PROC", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2099-01-01T00:00:00Z"}
END
""", 0o700)
    p.config("[profile p]\ncredential_process = \"%s\" 'a  b' '$HOME'\n" % program)
    with open(write(p.path("secret-file"), "x")) as held:
        a = good(once(dict(p.settings, AWS_PROFILE="p"), fds=(held.fileno(),)), "PROC",
                 "profile 'p', credential_process " + program)
    assert a["expires"] == 4070908800
    for body, words in (("echo no >&2; exit 7", ("exit status 7", "no")),
                        ("kill -9 $$", ("signal 9",)),
                        ("echo '{}'", ("Version",)),
                        ("head -c 200000 /dev/zero | tr '\\0' x", ("more than",)),
                        ("exec sleep 30 >&- 2>&-", ("in time",))):
        write(p.path("give creds"), "#!/bin/sh\n%s\n" % body, 0o700)
        begun = time.monotonic()
        bad(once(dict(p.settings, AWS_PROFILE="p")), *words)
        assert time.monotonic() - begun < 10
    # By name: in absolute folders of PATH alone.
    os.rename(program, p.path("by-name"))
    write(p.path("by-name"), "#!/bin/sh\necho '{\"Version\": 1, \"AccessKeyId\": \"N\", \"SecretAccessKey\": \"s\"}'\n",
          0o700)
    p.config("[profile p]\ncredential_process = by-name\n[profile r]\ncredential_process = ./by-name\n"
             "[profile q]\ncredential_process = by-name 'x\n")
    good(once(dict(p.settings, AWS_PROFILE="p", PATH="/nowhere:relative::" + p.folder)), "N")
    bad(once(dict(p.settings, AWS_PROFILE="p", PATH="/nowhere:.:"), cwd=p.folder), "no folder of PATH", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="r")), "absolute path", code="config")
    bad(once(dict(p.settings, AWS_PROFILE="q")), "quotes", code="config")


# --- web identity ---

@test
def web_identity(p):
    token = write(p.path("token"), "first.jwt+/=\n")
    p.server.roles[ROLE] = {"token": "first.jwt+/=", "session": "nightly"}
    p.server.lifetime = 3600
    s = dict(p.settings, AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN=ROLE, AWS_ROLE_SESSION_NAME="nightly")
    a = Asker(s)
    good(a.ask(), "ASIA1", "web identity")
    good(a.ask(), "ASIA1")
    # The file is read anew at the renewal: by then it has another token.
    write(token, "second.jwt")
    p.server.roles[ROLE]["token"] = "second.jwt"
    good(a.ask(advance=3600 - 300), "ASIA2")
    # Refused by the service: renewed at once.
    good(a.ask(refuse=True), "ASIA3")
    log = a.end()
    assert "first.jwt" not in log and "second.jwt" not in log and "secret/1" not in log, log
    assert p.did() == ["AssumeRoleWithWebIdentity"] * 3
    # In a profile.
    p.server.roles[ROLE].pop("session")
    p.config("[profile w]\nrole_arn = %s\nweb_identity_token_file = %s\n" % (ROLE, token))
    good(once(dict(p.settings, AWS_PROFILE="w")), "ASIA4", "profile 'w', role")
    write(token, "third")
    bad(once(s), "InvalidIdentityToken", ROLE, code="denied")
    write(token, "")
    bad(once(s), token, "empty", code="config")
    write(token, "a\r\nX-Injected: b")
    bad(once(s), "control character", code="config")
    os.unlink(token)
    bad(once(s), token, code="config")
    bad(once(dict(s, AWS_ROLE_ARN=None)), "AWS_ROLE_ARN", code="config")
    # A token is not sent over plain HTTP to anything but this machine.
    write(token, "second.jwt")
    bad(once(dict(s, AWS_ENDPOINT_URL_STS="http://192.0.2.1:%d" % free_port())), code="config")


@test
def sts_in_trouble(p):
    p.server.roles[ROLE] = {"token": "jwt"}
    s = dict(p.settings, AWS_WEB_IDENTITY_TOKEN_FILE=write(p.path("token"), "jwt"), AWS_ROLE_ARN=ROLE)

    def error(code):
        return "<ErrorResponse><Error><Code>%s</Code><Message>m</Message></Error></ErrorResponse>" % code

    # What passes is waited for.
    p.server.faults = [(503, "busy"), (400, error("Throttling")), (400, error("IDPCommunicationError")), "drop"]
    good(once(s), "ASIA1")
    assert p.did() == ["fault"] * 4 + ["AssumeRoleWithWebIdentity"], p.did()
    # What does not pass is not asked for again.
    p.server.faults = [(400, error("ExpiredTokenException"))] * 2
    bad(once(s), "ExpiredTokenException", code="denied")
    assert len(p.server.faults) == 1
    p.server.faults = []
    for answer in (b"", b"<a", b"<html/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
                   b"<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A"
                   b"</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
                   b"x" * 400000):
        p.server.answer = answer
        bad(once(s), code="corrupt")


# --- containers ---

@test
def container(p):
    token = write(p.path("token"), "Bearer one\n")
    p.server.agent_path, p.server.agent_token = "/v1/credentials", "Bearer one"
    p.server.lifetime = 1800
    s = dict(p.settings, AWS_CONTAINER_CREDENTIALS_FULL_URI=p.server.url + "/v1/credentials",
             AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token)
    a = Asker(s, no_proxy="")
    good(a.ask(), "ASIA1", "the container's agent at 127.0.0.1")
    write(token, "Bearer two\n")
    p.server.agent_token = "Bearer two"
    good(a.ask(advance=1500), "ASIA2")
    log = a.end()
    assert "Bearer" not in log, log
    good(once(dict(s, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=None, AWS_CONTAINER_AUTHORIZATION_TOKEN="Bearer two")))
    # Set up and refused: the metadata service behind it is another account, and not asked.
    p.server.seen.clear()
    imds = p.with_imds(**{k: v for k, v in s.items() if k.startswith("AWS_CONTAINER")})
    p.server.agent_token = "Bearer three"
    bad(once(imds), "the token is another one", code="denied")
    assert p.did() == ["401: Authorization"], p.did()
    write(token, "Bearer\r\nX-Injected: b")
    bad(once(imds), "container_authorization_token", code="config")
    p.server.agent_token = None
    write(token, "Bearer one")
    p.server.answer = b"{\"AccessKeyId\": \"A\"}"
    bad(once(imds), "container's agent", "SecretAccessKey", code="corrupt")
    p.server.answer = b"[" * 100000
    bad(once(imds), code="corrupt")
    bad(once(dict(imds, AWS_CONTAINER_CREDENTIALS_FULL_URI=p.server.url + "/elsewhere")), "no such path", code="denied")
    bad(once(dict(imds, AWS_CONTAINER_CREDENTIALS_FULL_URI="http://192.0.2.1/x")), "192.0.2.1", code="config")


# --- the instance's metadata service ---

@test
def imds(p):
    good(once(p.with_imds(), no_proxy=""), "ASIA1", "instance metadata (IMDSv2), role backup-role")
    assert p.did() == ["token", "role name", "role"], p.did()
    p.server.imds_role = "odd+=,.@_-name"
    good(once(p.with_imds()), "ASIA2", "role odd+=,.@_-name")
    bad(once(p.with_imds(AWS_EC2_METADATA_DISABLED="true")), "no credentials found")
    # Without version 2: version 1, unless that is switched off.
    for mode in ("v1", "v1-403", "v1-405"):
        p.server.imds = mode
        good(once(p.with_imds()), source="instance metadata (IMDSv1)")
        bad(once(p.with_imds(AWS_EC2_METADATA_V1_DISABLED="true")), "AWS_EC2_METADATA_V1_DISABLED", code="denied")
    # 400 is an answer to a wrong request, no hint at version 1.
    for mode, code in (("400", None), ("500", "unavailable")):
        p.server.imds = mode
        p.server.seen.clear()
        bad(once(p.with_imds()), "metadata service", code=code)
        assert p.did() == ["token " + mode], p.did()
    p.server.imds = "v2"
    p.server.imds_role = None
    a = bad(once(p.with_imds()), "no credentials found")
    assert "no IAM role is attached" in a["log"] + a["error"], a
    p.server.imds_role = "../../x"
    bad(once(p.with_imds()), "no role's name", code="corrupt")
    p.server.imds_role = "backup-role"
    for change, words in (({"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume"},
                           ("AssumeRoleUnauthorizedAccess", "EC2 cannot assume")),
                          ({"Token": None}, ("Token",)), ({"Expiration": "soon"}, ("Expiration",))):
        p.server.imds_answer = change
        bad(once(p.with_imds()), *words)


@test
def imds_token_lost(p):
    """Hop limit 1: the token's answer never reaches the container."""
    p.server.imds = "lost"
    begun = time.monotonic()
    bad(once(p.with_imds()), "--http-put-response-hop-limit 2")
    bad(once(p.with_imds(AWS_EC2_METADATA_V1_DISABLED="true")), "--http-put-response-hop-limit 2", code="timeout")
    assert time.monotonic() - begun < 12


@test
def imds_expired_is_used(p):
    """What AWS hands out while it cannot renew."""
    p.server.lifetime = -60
    a = good(once(p.with_imds()), "ASIA1")
    assert a["expires"] > time.time() + 600 and "have expired" in a["log"], a


# --- time ---

@test
def renewals(p):
    """15 minutes before the end it is tried; a failure is no failure while the old ones live."""
    p.server.lifetime = 3600
    a = Asker(p.with_imds())
    good(a.ask(), "ASIA1")
    good(a.ask(advance=3600 - 1000), "ASIA1")
    p.server.imds = "500"
    good(a.ask(advance=200), "ASIA1")
    assert "live for" in a.logged(), a.logged()
    good(a.ask(advance=300), "ASIA1")
    bad(a.ask(advance=600), "metadata service", code="unavailable")
    p.server.imds = "v2"
    p.server.lifetime = 10000
    good(a.ask(), "ASIA2")
    a.end()


@test
def clock_is_wrong(p):
    """STS says that the signature's time is off: its Date is believed because its certificate was checked."""
    cert, key = p.path("cert.pem"), p.path("key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    p.config("[profile r]\nrole_arn = %s\nsource_profile = r\naws_access_key_id = BASE\naws_secret_access_key = s\n" % ROLE)
    safe = Identity(tls=(cert, key))
    try:
        for server in (safe, p.server):
            server.keys["BASE"] = ("s", None)
            server.roles[ROLE] = {}
            server.clock = 7200
            server.lifetime = 36000
        a = good(once(dict(p.settings, AWS_PROFILE="r", AWS_ENDPOINT_URL_STS=safe.url), ca_file=cert), "ASIA1")
        assert "clock" in a["log"], a
        assert [w.split(":")[0] for _, _, w in safe.seen] == ["refused", "AssumeRole"], safe.seen
        # Over plain HTTP anybody could have said so.
        a = bad(once(dict(p.settings, AWS_PROFILE="r")), "SignatureDoesNotMatch", code="denied")
        assert "set this machine's clock" in a["log"], a
        # A certificate that nobody vouches for is not talked to.
        bad(once(dict(p.settings, AWS_PROFILE="r", AWS_ENDPOINT_URL_STS=safe.url)))
    finally:
        safe.close()


def main():
    failed = 0
    chosen = sys.argv[3:]
    for t in tests:
        if chosen and t.__name__ not in chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="sr-aws.") as folder:
            p = Place(folder)
            begun = time.monotonic()
            try:
                t(p)
                print("ok %s (%.1f s)" % (t.__name__, time.monotonic() - begun))
            except Exception as why:  # each test tells; none keeps the others from running
                failed += 1
                import traceback
                traceback.print_exc(file=sys.stdout)
                print("not ok %s: %s\n  server saw: %s" % (t.__name__, why, p.server.seen))
            finally:
                p.server.close()
        sys.stdout.flush()
    print("%d tests, %d failed" % (len(tests), failed))
    sys.exit(1 if failed else 0)


main()

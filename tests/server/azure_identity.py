"""Who hands out tokens for Azure, all in one: Entra ID, App Service, Arc's agent, instance metadata; a handler of
scripted.py that checks what it is sent.

    server_tell id '{"handler": {"set": {"token": "t1"}}}'     begins anew, with these of SETTINGS

    POST /TENANT/oauth2/v2.0/token              client_secret, or client_assertion: the federated token, or an RS256
                                                assertion that openssl verifies with the certificate
    GET  /msi/token                             App Service
    GET  /arc/token                             Arc: refuses first, and names a file that must be read
    GET  /metadata/identity/oauth2/token        an instance
"""
import base64
import hashlib
import json
import os
import ssl
import subprocess
import tempfile
import time
from urllib.parse import parse_qs

RESOURCE = "https://storage.azure.com/"
SETTINGS = {"token": "t1", "life": 3600, "tenant": "tenant-1", "client": "client-1", "secret": "s3cret/+=", "federated": "fed.er.ated",
            "certificate": "", "header": "h3ader", "arc_file": "", "user_assigned": "", "url": ""}
seen = []
now = dict(SETTINGS)


class Wrong(Exception):
    pass


def check(what, got, wanted):
    if got != wanted:
        raise Wrong("%s is %r, not %r" % (what, got, wanted))


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def assertion(text):
    head, claims, signature = text.split(".")
    with open(now["certificate"]) as f:
        pem = f.read()
    begin = pem.index("-----BEGIN CERTIFICATE")
    der = ssl.PEM_cert_to_DER_cert(pem[begin:pem.index("-----END CERTIFICATE-----") + 25])
    h, c = json.loads(unpadded(head)), json.loads(unpadded(claims))
    check("alg", h["alg"], "RS256")
    check("x5t", h["x5t"], base64.urlsafe_b64encode(hashlib.sha1(der).digest()).decode().rstrip("="))
    check("iss", c["iss"], now["client"])
    check("sub", c["sub"], now["client"])
    check("aud", c["aud"], now["url"] + "/" + now["tenant"] + "/oauth2/v2.0/token")
    check("times", c["nbf"] <= time.time() <= c["exp"] <= time.time() + 600, True)
    if c["jti"] in seen:
        raise Wrong("that assertion was used before")
    seen.append(c["jti"])
    with tempfile.TemporaryDirectory() as d:
        files = [os.path.join(d, n) for n in ("cert", "key", "sig", "text")]
        for path, data in zip(files, (ssl.DER_cert_to_PEM_cert(der).encode(), b"", unpadded(signature), (head + "." + claims).encode())):
            with open(path, "wb") as f:
                f.write(data)
        key = subprocess.run(["openssl", "x509", "-in", files[0], "-noout", "-pubkey"], stdout=subprocess.PIPE, check=True).stdout
        with open(files[1], "wb") as f:
            f.write(key)
        run = subprocess.run(["openssl", "dgst", "-sha256", "-verify", files[1], "-signature", files[2], files[3]],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check("the signature's verdict", run.returncode, 0)


def entra(request):
    check("content-type", request.headers.get("content-type"), "application/x-www-form-urlencoded")
    form = {n: v[0] for n, v in parse_qs(request.body.decode(), strict_parsing=True).items()}
    check("grant_type", form.pop("grant_type"), "client_credentials")
    check("scope", form.pop("scope"), RESOURCE + ".default")
    check("client_id", form.pop("client_id"), now["client"])
    if "client_secret" in form:
        check("client_secret", form.pop("client_secret"), now["secret"])
    else:
        check("client_assertion_type", form.pop("client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        text = form.pop("client_assertion")
        if text != now["federated"]:
            assertion(text)
    check("what else is in the form", form, {})
    return {"token_type": "Bearer", "expires_in": now["life"], "ext_expires_in": now["life"], "access_token": now["token"]}


def machine(request, api):
    query = dict(request.query)
    check("api-version", query.pop("api-version"), api)
    check("resource", query.pop("resource"), RESOURCE)
    check("client_id", query.pop("client_id", ""), now["user_assigned"])
    check("what else is in the query", query, {})
    # A string, as they all do.
    return {"access_token": now["token"], "expires_in": str(now["life"]), "resource": RESOURCE, "token_type": "Bearer"}


def route(request):
    if request.method == "POST":
        check("path", request.path, "/" + now["tenant"] + "/oauth2/v2.0/token")
        return entra(request)
    if request.path == "/msi/token":
        check("X-IDENTITY-HEADER", request.headers.get("x-identity-header"), now["header"])
        return machine(request, "2019-08-01")
    check("Metadata", request.headers.get("metadata"), "true")
    if request.path == "/metadata/identity/oauth2/token":
        return machine(request, "2018-02-01")
    check("path", request.path, "/arc/token")
    if "authorization" not in request.headers:
        return None
    with open(now["arc_file"]) as f:
        check("Authorization", request.headers["authorization"], "Basic " + f.read())
    return machine(request, "2019-11-01")


def handle(request):
    try:
        out = route(request)
    except (Wrong, KeyError, ValueError) as e:
        return {"status": 400, "headers": [], "body": json.dumps({"error": "invalid_request", "error_description": "AADSTS1: %s" % e})}
    if out is None:
        return {"status": 401, "headers": [("WWW-Authenticate", "Basic realm=" + now["arc_file"])], "body": ""}
    return {"status": 200, "headers": [("Content-Type", "application/json")], "body": json.dumps(out)}


def tell(what):
    now.clear()
    now.update(SETTINGS)
    unknown = set(what["set"]) - set(SETTINGS)
    if unknown:
        raise ValueError("unknown setting: %s" % ", ".join(unknown))
    now.update(what["set"])
    return {}

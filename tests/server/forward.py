"""Another server, with scripted.py's faults before it: a handler that hands each request on and its answer back.

    FORWARD_TO=localhost:8080 server_start front --handler "$SR_SRCDIR/tests/server/forward.py"
    server_rules front '{"match": "PUT partNumber=2", "reply": {"status": 500}}'

Nothing is changed on the way, the Host header included, so that what was signed stays signed. Plain HTTP only.
"""
import http.client
import os

# Of one connection, not of the message (RFC 9110, 7.6.1), or made anew by scripted.py.
DROPPED = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}


def handle(request):
    there = http.client.HTTPConnection(os.environ["FORWARD_TO"], timeout=60)
    try:
        there.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.header_list:
            if name.lower() not in DROPPED or name.lower() == "content-length":
                there.putheader(name, value)
        there.endheaders(request.body)
        got = there.getresponse()
        reply = {"status": got.status, "body": got.read(),
                 "headers": [(n, v) for n, v in got.getheaders() if n.lower() not in DROPPED]}
        if request.method == "HEAD" and got.getheader("content-length") is not None:
            reply["length"] = int(got.getheader("content-length"))
        return reply
    finally:
        there.close()


def tell(what):
    os.environ["FORWARD_TO"] = what["to"]

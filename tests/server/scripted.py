#!/usr/bin/python3
"""A server that does as it is told: HTTP/1.1 from a script, faults included.

    scripted.py --port-file FILE [--script FILE] [--log FILE] [--handler FILE.py]
                [--tls CERT KEY] [--tunnel-to HOST:PORT] [--also ADDRESS:PORT] [--stdin]

It listens on a free port of 127.0.0.1, writes the number to FILE (complete or not at all) when it is
ready, and ends on TERM, when its parent ends, or, with --stdin, at the end of its standard input.

THE SCRIPT is JSON, {"rules": [RULE, ...]}. For each request the first rule that matches and is not
used up says what happens; without one the handler does, without a handler 404. A RULE has

    "match": "PUT /bucket/.*partNumber=3"   method, blank, pattern (re.search) on the target as sent;
                                            "" or absent: every request
    "header": {"range": "^bytes=5-"}        patterns that headers must match besides
    "skip": 2, "times": 1                   pass over the first 2 matches; apply once (default: always)
    "do": true                              run the handler first: the deed is done, only its answer is
                                            lost or replaced
    "reply": {...}                          absent together with "at": the handler's answer

and a reply

    "status": 200, "reason": "OK", "headers": [["Name", "value"], ...] or {"Name": "value"}
    "body": "text", or "base64": "...", or "repeat": ["text", 1000]
    "delay": 0.5, "body_delay": 0.5         seconds before the head, between head and body
    "interim": [100, 102]                   answers before the final one
    "length": 17 | null                     a Content-Length of its own; null: none (ends by closing)
    "chunked": true | "cut" | "bad" | "extension" | "trailer"
    "early": true                           answer without reading the request's body, then close
    "close": true                           close after the answer
    "raw": "..."                            these bytes (latin-1) instead of everything above

A fault is "at", where it strikes, and "end", how: "reset" (RST), "close" (FIN) or "stall" (nothing more
until the client goes, the rules change or 60 s passed):

    "at": "accept"      before a byte was read (of the next connection that the rule is looked up for)
          "head"        the request's head was read, nothing of its body
          "body"        "after" bytes of the request's body were read
          "request"     the whole request was read, nothing answered
          "reply-head"  "after" bytes of the answer's head were sent
          "reply-body"  "after" bytes of the answer's body were sent

THE LOG has one JSON line per request, written before it is answered: number, connection, method,
target, headers (in order), length and SHA-256 of the body as far as it was read, the body itself while
it is short ("body" where it is UTF-8, else "base64"), "whole", and the index of the rule or null. All
that comes through a TLS connection has "tls": true.

STANDARD INPUT, with --stdin, takes one JSON object per line and answers each with one line:
{"rules": [...]} replaces the rules and begins counting anew, {"requests": true} gives
{"requests": [...], "connections": N, "open": N} since the last change of rules, {"handler": ANY} calls
the handler's tell(ANY).

A HANDLER is a Python file with  handle(request) -> reply  and maybe  tell(what) -> anything JSON.
request has method, target, path (decoded), query (list of pairs), headers (names in lower case), body.
It is called for one request at a time.

--tunnel-to makes it a proxy too: CONNECT, where no rule says otherwise, leads there, whatever name
was asked for. --also is a second place where it listens.
"""
import argparse
import base64
import ctypes
import hashlib
import importlib.util
import json
import os
import re
import select
import signal
import socket
import ssl
import struct
import sys
import threading
import time
import urllib.parse

STALL = 60
BODY_KEPT = 65536


class Gone(Exception):
    """The connection is over."""


class Request:
    def __init__(self, method, target, headers):
        self.method, self.target = method, target
        self.headers = {}
        for name, value in headers:
            self.headers.setdefault(name.lower(), value)
        self.header_list = headers
        path, _, query = target.partition("?")
        self.path = urllib.parse.unquote(path, errors="surrogateescape")
        self.query = urllib.parse.parse_qsl(query, keep_blank_values=True) if query else []
        self.body = b""
        self.whole = False


class Server:
    def __init__(self, args):
        self.lock = threading.Lock()
        self.handler_lock = threading.Lock()
        self.log = open(args.log, "a", buffering=1) if args.log else None
        self.tunnel_to = args.tunnel_to
        self.handler = None
        if args.handler:
            spec = importlib.util.spec_from_file_location("handler", args.handler)
            self.handler = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self.handler)
        self.tls = None
        if args.tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*args.tls)
            self.tls.set_alpn_protocols(["http/1.1"])
        self.open = self.turn = 0
        self.set_rules([])

    def set_rules(self, rules):
        for rule in rules:
            unknown = set(rule) - {"match", "header", "skip", "times", "do", "reply", "at", "end", "after"}
            if unknown:
                raise ValueError("unknown in a rule: %s" % ", ".join(sorted(unknown)))
            rule["seen"] = 0
        with self.lock:
            self.turn += 1
            self.rules = rules
            self.requests = []
            self.connections = 0

    def rule_for(self, request):
        """The rule's index and itself; counts the match. request None: a connection was accepted."""
        with self.lock:
            for i, rule in enumerate(self.rules):
                if (rule.get("at") == "accept") != (request is None):
                    continue
                if request is not None and not self.matches(rule, request):
                    continue
                rule["seen"] += 1
                n = rule["seen"] - rule.get("skip", 0)
                if n >= 1 and n <= rule.get("times", n):
                    return i, rule
        return None, {}

    @staticmethod
    def matches(rule, request):
        method, _, pattern = rule.get("match", "").partition(" ")
        if method and method != request.method or not re.search(pattern, request.target):
            return False
        return all(re.search(p, request.headers.get(n.lower(), "")) for n, p in rule.get("header", {}).items())

    def record(self, request, connection, rule_index):
        body = request.body
        entry = {"connection": connection, "method": request.method, "target": request.target,
                 "headers": request.header_list, "length": len(body), "sha256": hashlib.sha256(body).hexdigest(),
                 "whole": request.whole, "rule": rule_index, "tls": self.tls is not None}
        if len(body) <= BODY_KEPT:
            try:
                entry["body"] = body.decode()
            except UnicodeDecodeError:
                entry["base64"] = base64.b64encode(body).decode()
        with self.lock:
            entry["number"] = len(self.requests) + 1
            self.requests.append(entry)
            if self.log:
                self.log.write(json.dumps(entry) + "\n")

    def tell(self, line):
        told = json.loads(line)
        if "rules" in told:
            self.set_rules(told["rules"])
            return {}
        if "requests" in told:
            with self.lock:
                return {"requests": self.requests, "connections": self.connections, "open": self.open}
        if "handler" in told:
            with self.handler_lock:
                return {"handler": self.handler.tell(told["handler"])}
        raise ValueError("not understood")


class Connection:
    def __init__(self, server, plain):
        self.server = server
        self.plain = self.sock = plain
        self.buffer = b""
        with server.lock:
            server.connections += 1
            server.open += 1
            self.number = server.connections

    # reading

    def more(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise Gone
        self.buffer += data

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
            if len(self.buffer) > 1 << 20:
                raise Gone
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r").decode("latin-1")

    def exactly(self, n, into):
        while n > 0:
            if not self.buffer:
                self.more()
            piece, self.buffer = self.buffer[:n], self.buffer[n:]
            into.append(piece)
            n -= len(piece)

    def read_head(self):
        parts = self.line().split(" ")
        if len(parts) != 3:
            raise Gone
        headers = []
        while True:
            line = self.line()
            if not line:
                return Request(parts[0], parts[1], headers)
            name, _, value = line.partition(":")
            headers.append([name, value.strip()])

    def read_body(self, request, most=None):
        """Up to most bytes; None: all of it."""
        pieces = []
        try:
            if "chunked" in request.headers.get("transfer-encoding", ""):
                while True:
                    size = int(self.line().split(";")[0], 16)
                    self.exactly(size, pieces)
                    self.line()
                    if size == 0:
                        break
            else:
                length = int(request.headers.get("content-length", "0"))
                self.exactly(length if most is None else min(most, length), pieces)
        finally:
            request.body = b"".join(pieces)
        request.whole = most is None

    # ending

    def end(self, how):
        if how == "stall":  # and reads nothing, so that the client cannot go on sending
            poll = select.poll()
            poll.register(self.plain, select.POLLRDHUP)
            # The client's end is not seen behind bytes that nobody reads; new rules end it too.
            turn, until = self.server.turn, time.monotonic() + STALL
            while turn == self.server.turn and time.monotonic() < until and not poll.poll(100):
                pass
        elif how == "reset":
            self.plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()
        raise Gone

    def close(self):
        if self.sock.fileno() >= 0:
            with self.server.lock:
                self.server.open -= 1
        self.sock.close()

    # answering

    @staticmethod
    def body_of(reply):
        if "base64" in reply:
            return base64.b64decode(reply["base64"])
        if "repeat" in reply:
            return reply["repeat"][0].encode() * reply["repeat"][1]
        body = reply.get("body", "")
        return body if isinstance(body, bytes) else body.encode()

    @staticmethod
    def chunks(body, kind):
        extension = ";a=b" if kind == "extension" else ""
        out = b""
        for i in range(0, len(body), 65536):
            piece = body[i:i + 65536]
            size = "zz" if kind == "bad" else "%x" % len(piece)
            out += (size + extension + "\r\n").encode() + piece + b"\r\n"
        if kind == "cut":
            return out
        return out + (b"0\r\nX-Trailer: t\r\n\r\n" if kind == "trailer" else b"0\r\n\r\n")

    def send(self, data, cut, end):
        self.sock.sendall(data if cut is None else data[:cut])
        if cut is not None:
            self.end(end)

    def answer(self, request, reply, rule):
        at, after, end = rule.get("at"), rule.get("after", 0), rule.get("end", "reset")
        if reply.get("delay"):
            time.sleep(reply["delay"])
        if "raw" in reply:
            self.send(reply["raw"].encode("latin-1"), None, None)
            self.end("close")
        body = self.body_of(reply)
        status = reply.get("status", 200)
        headers = reply.get("headers", [])
        headers = list(headers.items() if isinstance(headers, dict) else headers)
        chunked = reply.get("chunked")
        length = reply.get("length", len(body))
        close = reply.get("close") or reply.get("early") or (length is None and not chunked) or chunked == "cut"
        if chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        elif length is not None and status >= 200 and status != 204:
            headers.append(("Content-Length", str(length)))
        if close:
            headers.append(("Connection", "close"))
        head = b"".join(b"HTTP/1.1 %d Interim\r\n\r\n" % i for i in reply.get("interim", []))
        head += ("HTTP/1.1 %d %s\r\n" % (status, reply.get("reason", "Scripted"))).encode()
        head += "".join("%s: %s\r\n" % (n, v) for n, v in headers).encode("utf-8") + b"\r\n"
        self.send(head, after if at == "reply-head" else None, end)
        if reply.get("body_delay"):
            time.sleep(reply["body_delay"])
        if request.method != "HEAD" and status != 204:
            if chunked:
                body = self.chunks(body, chunked)
            self.send(body, after if at == "reply-body" else None, end)
        if reply.get("early"):
            self.linger()
        if close:
            self.end("close")

    def linger(self):
        """Takes what the client still sends, so that no RST overtakes the answer."""
        self.plain.shutdown(socket.SHUT_WR)
        self.plain.settimeout(5)
        while self.plain.recv(1 << 16):
            pass

    def tunnel(self):
        host, _, port = self.server.tunnel_to.rpartition(":")
        with socket.create_connection((host, int(port))) as peer:
            self.sock.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            if self.buffer:
                peer.sendall(self.buffer)
            both = {self.sock: peer, peer: self.sock}
            while True:
                for s in select.select(list(both), [], [])[0]:
                    data = s.recv(1 << 16)
                    if not data:
                        return
                    both[s].sendall(data)

    def one(self):
        request = self.read_head()
        index, rule = self.server.rule_for(request)
        at, reply = rule.get("at"), rule.get("reply")
        early = (reply or {}).get("early") or at == "head"
        try:
            if at == "body":
                self.read_body(request, rule.get("after", 0))
            elif not early:
                self.read_body(request)
        finally:
            self.server.record(request, self.number, index)
        if (reply is None or rule.get("do")) and self.server.handler and request.method != "CONNECT":
            with self.server.handler_lock:
                made = self.server.handler.handle(request)
            reply = made if reply is None else reply
        if at in ("head", "body", "request"):
            self.end(rule.get("end", "reset"))
        if reply is None and request.method == "CONNECT" and self.server.tunnel_to:
            self.tunnel()
            raise Gone
        self.answer(request, reply if reply is not None else {"status": 404, "body": "no rule"}, rule)
        if request.headers.get("connection", "").lower() == "close":
            self.end("close")

    def serve(self):
        try:
            self.plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            rule = self.server.rule_for(None)[1]
            if rule:
                self.end(rule.get("end", "reset"))
            if self.server.tls:
                self.sock = self.server.tls.wrap_socket(self.plain, server_side=True)
                self.plain = self.sock
            while True:
                self.one()
        except (Gone, OSError, ValueError):
            pass
        finally:
            self.close()


def serve(server, listener):
    while True:
        sock = listener.accept()[0]
        threading.Thread(target=Connection(server, sock).serve, daemon=True).start()


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--script")
    parser.add_argument("--log")
    parser.add_argument("--handler")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--tunnel-to")
    parser.add_argument("--also")
    parser.add_argument("--stdin", action="store_true")
    args = parser.parse_args()
    parent = os.getppid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        return 1
    server = Server(args)
    if args.script:
        with open(args.script) as f:
            server.set_rules(json.load(f)["rules"])
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    if args.also:
        address, _, port = args.also.rpartition(":")
        also = socket.create_server((address, int(port)), backlog=128)
        threading.Thread(target=serve, args=(server, also), daemon=True).start()
    with open(args.port_file + ".new", "w") as f:
        f.write("%d\n" % listener.getsockname()[1])
    os.rename(args.port_file + ".new", args.port_file)
    if not args.stdin:
        serve(server, listener)
    threading.Thread(target=serve, args=(server, listener), daemon=True).start()
    for line in sys.stdin:
        try:
            said = server.tell(line)
        except Exception as e:  # told to the test, which fails
            said = {"error": "%s: %s" % (type(e).__name__, e)}
        print(json.dumps(said), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

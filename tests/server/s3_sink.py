#!/usr/bin/python3
"""An S3 server that costs next to nothing, for benchmarks: what is timed is the client, not the server.

    s3_sink.py --port-file FILE [--keep FOLDER] [--away MS] [--mib-per-s N]

With --away it answers a body that many milliseconds late, and with --mib-per-s no connection brings more: what a store
far away is like. Objects are counted and dropped; with --keep they are files in FOLDER, and can be fetched. It answers as S3 does
(multipart, If-None-Match, HEAD with metadata, list version 2, ranges) and checks neither signatures nor digests:
tests do that elsewhere, against servers that are strict. It ends with its parent.
"""
import argparse
import ctypes
import os
import re
import signal
import socketserver
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from xml.sax.saxutils import escape

PIECE = 1 << 20


class Store:
    def __init__(self, keep):
        self.keep, self.lock, self.serial = keep, threading.Lock(), 0
        self.objects, self.uploads = {}, {}  # key -> (size, files, headers); id -> (headers, {number: (size, file)})

    def name(self):
        with self.lock:
            self.serial += 1
            return "%032x" % self.serial


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = PIECE

    def log_message(self, *args):
        pass

    def answer(self, status, body="", headers=()):
        data = body.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def refuse(self, status, code):
        self.answer(status, "<Error><Code>%s</Code></Error>" % code)

    def take(self):
        """Reads the body; returns its size, and its file or None."""
        left = size = int(self.headers.get("Content-Length") or 0)
        began, net = time.monotonic(), self.server.net
        store, path, buf = self.server.store, None, memoryview(bytearray(min(PIECE, max(left, 1))))
        out = None
        if store.keep:
            path = os.path.join(store.keep, store.name())
            out = open(path, "wb", buffering=0)
        while left > 0:
            n = self.rfile.readinto1(buf[:min(left, len(buf))])
            if n == 0:
                raise ConnectionError
            if out:
                out.write(buf[:n])
            left -= n
            if net.mib_per_s:
                time.sleep(max(0, (size - left) / (net.mib_per_s << 20) - (time.monotonic() - began)))
        if out:
            out.close()
        time.sleep(net.away / 1000)
        return size, path

    def meta(self):
        return [(n, v) for n, v in self.headers.items() if n.lower().startswith("x-amz-meta-")]

    def split(self):
        path, _, query = self.path.partition("?")
        key = urllib.parse.unquote(path).lstrip("/").partition("/")[2]
        return key, dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def commit(self, key, entry):
        with self.server.store.lock:
            if self.headers.get("If-None-Match") == "*" and key in self.server.store.objects:
                return False
            self.server.store.objects[key] = entry
            return True

    def do_PUT(self):
        key, query = self.split()
        store, (size, path) = self.server.store, self.take()
        tag = [("ETag", '"%s"' % store.name())]
        if "uploadId" in query:
            upload = store.uploads.get(query["uploadId"])
            if upload is None:
                return self.refuse(404, "NoSuchUpload")
            upload[1][int(query["partNumber"])] = (size, path)
            return self.answer(200, "", tag)
        if not key:
            return self.answer(200)
        if not self.commit(key, (size, [path], self.meta() + tag)):
            return self.refuse(412, "PreconditionFailed")
        self.answer(200, "", tag)

    def do_POST(self):
        key, query = self.split()
        store = self.server.store
        left = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(left).decode()
        if "uploads" in query:
            name = store.name()
            store.uploads[name] = (self.meta(), {})
            return self.answer(200, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>" % name)
        if "uploadId" not in query:
            return self.refuse(501, "NotImplemented")
        upload = store.uploads.pop(query["uploadId"], None)
        if upload is None:
            return self.refuse(404, "NoSuchUpload")
        numbers = [int(n) for n in re.findall(r"<PartNumber>(\d+)</PartNumber>", body)]
        if numbers != sorted(upload[1]):
            return self.refuse(400, "InvalidPart")
        parts = [upload[1][n] for n in numbers]
        tag = '"%s-%d"' % (store.name(), len(parts))
        if not self.commit(key, (sum(p[0] for p in parts), [p[1] for p in parts], upload[0] + [("ETag", tag)])):
            return self.refuse(412, "PreconditionFailed")
        self.answer(200, "<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>" % escape(tag))

    def do_DELETE(self):
        key, query = self.split()
        if "uploadId" in query:
            self.server.store.uploads.pop(query["uploadId"], None)
        else:
            self.server.store.objects.pop(key, None)
        self.answer(204)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        key, query = self.split()
        if not key:
            return self.bucket(query)
        found = self.server.store.objects.get(key)
        if found is None or query:
            return self.refuse(404, "NoSuchKey")
        size, files, headers = found
        first, last, status = 0, size - 1, 200
        asked = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range") or "")
        if asked:
            first, status = int(asked[1]), 206
            last = min(last, int(asked[2])) if asked[2] else last
            if first >= size:
                return self.refuse(416, "InvalidRange")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Last-Modified", formatdate(usegmt=True))
        self.send_header("Content-Length", str(last - first + 1))
        if asked:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, last, size))
        self.end_headers()
        if self.command == "GET":
            self.give(files, first, last - first + 1)

    def give(self, files, skip, left):
        self.wfile.flush()
        for path in files:
            with open(path, "rb") as f:
                have = os.fstat(f.fileno()).st_size
                n = min(max(have - skip, 0), left)
                if n:
                    self.connection.sendfile(f, skip, n)
                skip, left = max(skip - have, 0), left - n

    def bucket(self, query):
        if "list-type" not in query:
            name = next(iter(query), "")
            root = {"versioning": "VersioningConfiguration"}.get(name)
            return self.answer(200, "<%s/>" % root) if root else self.refuse(404, "NoSuchConfiguration")
        rows = ["<Contents><Key>%s</Key><Size>%d</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents>"
                % (escape(k), o[0]) for k, o in sorted(self.server.store.objects.items()) if k.startswith(query.get("prefix", ""))]
        self.answer(200, "<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>" % "".join(rows))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


def main(handler):
    p = argparse.ArgumentParser()
    p.add_argument("--port-file", required=True)
    p.add_argument("--keep")
    p.add_argument("--away", type=int, default=0)
    p.add_argument("--mib-per-s", type=int, default=0)
    args = p.parse_args()
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    server = Server(("127.0.0.1", 0), handler)
    server.store, server.net = Store(args.keep), args
    with open(args.port_file + ".new", "w") as f:
        f.write(str(server.server_address[1]))
    os.rename(args.port_file + ".new", args.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main(Handler)

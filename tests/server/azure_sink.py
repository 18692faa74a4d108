#!/usr/bin/python3
"""An Azure Blob Storage that costs next to nothing, for benchmarks: what is timed is the client, not the server.

    azure_sink.py --port-file FILE [--keep FOLDER]

The same as s3_sink.py, whose bodies and files it uses, in Azure's language: blocks and their lists, If-None-Match,
HEAD with metadata, listings, ranges. It checks neither signatures nor digests: tests do that elsewhere.
"""
import os
import re
import sys
import urllib.parse
from email.utils import formatdate
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import s3_sink  # noqa: E402


class Handler(s3_sink.Handler):
    def answer(self, status, body="", headers=()):
        super().answer(status, body, [("x-ms-request-id", "1"), *headers])

    def refuse(self, status, code):
        self.answer(status, "<Error><Code>%s</Code></Error>" % code, [("x-ms-error-code", code)])

    def meta(self):
        return [(n, v) for n, v in self.headers.items() if n.lower().startswith("x-ms-meta-")]

    def split(self):
        """/account/container/key"""
        path, _, query = self.path.partition("?")
        key = "/".join(urllib.parse.unquote(path).lstrip("/").split("/")[2:])
        return key, dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def do_PUT(self):
        key, query = self.split()
        store = self.server.store
        tag = [("ETag", '"0x%s"' % store.name())]
        if query.get("comp") == "blocklist":
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            blocks = store.uploads.pop(key, {})
            try:
                parts = [blocks[i] for i in re.findall(r"<Latest>([^<]*)</Latest>", body)]
            except KeyError:
                return self.refuse(400, "InvalidBlockList")
            entry = (sum(p[0] for p in parts), [p[1] for p in parts], self.meta() + tag)
            return self.answer(201, "", tag) if self.commit(key, entry) else self.refuse(409, "BlobAlreadyExists")
        size, path = self.take()
        if query.get("comp") == "block":
            with store.lock:
                store.uploads.setdefault(key, {})[query["blockid"]] = (size, path)
            return self.answer(201)
        if not key:
            return self.answer(201)
        if not self.commit(key, (size, [path], self.meta() + tag)):
            return self.refuse(409, "BlobAlreadyExists")
        self.answer(201, "", tag)

    def do_DELETE(self):
        there = self.server.store.objects.pop(self.split()[0], None)
        self.answer(202) if there else self.refuse(404, "BlobNotFound")

    def do_GET(self):
        if "x-ms-range" in self.headers:
            self.headers["Range"] = self.headers["x-ms-range"]
        key = self.split()[0]
        if key and key not in self.server.store.objects:
            return self.refuse(404, "BlobNotFound")
        super().do_GET()

    def bucket(self, query):
        if query.get("comp") != "list":
            return self.answer(200, "", [("x-ms-sku-name", "Standard_LRS")])
        rows = ["<Blob><Name>%s</Name><Properties><Last-Modified>%s</Last-Modified><Content-Length>%d</Content-Length></Properties></Blob>"
                % (escape(k), formatdate(usegmt=True), o[0]) for k, o in sorted(self.server.store.objects.items())
                if k.startswith(query.get("prefix", ""))]
        self.answer(200, "<EnumerationResults><Blobs>%s</Blobs><NextMarker/></EnumerationResults>" % "".join(rows))


s3_sink.main(Handler)

#!/usr/bin/python3
"""A Cloud Storage that costs next to nothing, for benchmarks: what is timed is the client, not the server.

    gcs_sink.py --port-file FILE [--keep FOLDER]

As s3_sink.py, whose parts it uses: single requests, resumable sessions, uploads in parts by XML, listing, fetching with
ranges. It asks for no token and states no sums: tests do that elsewhere, against a server that is strict.
"""
import json
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import s3_sink  # noqa: E402

OBJECTS, UPLOADS = re.compile(r"/storage/v1/b/[^/]+/o(?:/(.+))?$"), re.compile(r"/upload/storage/v1/b/[^/]+/o$")


class Handler(s3_sink.Handler):
    def route(self):
        path, _, query = self.path.partition("?")
        return path, dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    def json(self, value, status=200, headers=()):
        self.answer(status, json.dumps(value), headers)

    def refuse_json(self, status, reason):
        self.json({"error": {"message": reason, "errors": [{"reason": reason}]}}, status)

    def resource(self, key, entry):
        return {"kind": "storage#object", "name": key, "size": str(entry[0]), "generation": entry[2],
                "updated": "2026-01-01T00:00:00Z"}

    def made(self, key, size, files):
        entry = (size, files, str(int(self.server.store.name(), 16)))
        self.server.store.objects[key] = entry
        self.json(self.resource(key, entry))

    def do_POST(self):
        path, query = self.route()
        if not UPLOADS.match(path):
            return super().do_POST()
        size, file = self.take()
        if query["uploadType"] == "resumable":
            name = self.server.store.name()
            self.server.store.uploads[name] = [query["name"], 0, []]
            return self.answer(200, "", [("Location", "http://%s%s?upload_id=%s" % (self.headers["Host"], path, name))])
        if query["name"] in self.server.store.objects and query.get("ifGenerationMatch") == "0":
            return self.refuse_json(412, "conditionNotMet")
        if file:  # what is between the second head and the last boundary
            with open(file, "rb") as f:
                body = f.read()
            start = body.index(b"\r\n\r\n", body.index(b"\r\n\r\n") + 4) + 4
            body = body[start:body.rindex(b"\r\n--")]
            size = len(body)
            with open(file, "wb") as f:
                f.write(body)
        self.made(query["name"], size, [file])

    def do_PUT(self):
        path, query = self.route()
        if not UPLOADS.match(path):
            return super().do_PUT()
        up = self.server.store.uploads[query["upload_id"]]
        size, file = self.take()
        up[1] += size
        if size:
            up[2].append(file)
        if self.headers["Content-Range"].endswith("/*"):
            return self.answer(308, "", [("Range", "bytes=0-%d" % (up[1] - 1))] if up[1] else [])
        self.made(up[0], up[1], up[2])

    def commit(self, key, entry):  # of parts by XML
        self.server.store.objects[key] = (entry[0], entry[1], str(int(self.server.store.name(), 16)))
        return True

    def do_DELETE(self):
        m = OBJECTS.match(self.route()[0])
        if not m:
            return super().do_DELETE()
        self.server.store.objects.pop(urllib.parse.unquote(m[1]), None)
        self.answer(204)

    def do_GET(self):
        path, query = self.route()
        m = OBJECTS.match(path)
        if "uploads" in query:
            return self.answer(200, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
        if not m:
            return self.json({"kind": "storage#bucket"})
        if not m[1]:
            items = [self.resource(k, o) for k, o in sorted(self.server.store.objects.items())
                     if k.startswith(query.get("prefix", ""))]
            return self.json({"kind": "storage#objects", "items": items})
        key = urllib.parse.unquote(m[1])
        entry = self.server.store.objects.get(key)
        if not entry:
            return self.refuse_json(404, "notFound")
        if query.get("alt") != "media":
            return self.json(self.resource(key, entry))
        self.give_range(entry)

    def give_range(self, entry):
        size, files, generation = entry
        first, last, status = 0, size - 1, 200
        asked = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range") or "")
        if asked:
            first, status = int(asked[1]), 206
            last = min(last, int(asked[2])) if asked[2] else last
            if first >= size:
                return self.refuse_json(416, "requestedRangeNotSatisfiable")
        self.send_response(status)
        self.send_header("x-goog-generation", generation)
        self.send_header("Content-Length", str(last - first + 1))
        if asked:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, last, size))
        self.end_headers()
        self.give(files, first, last - first + 1)


if __name__ == "__main__":
    s3_sink.main(Handler)

"""As much of Google's and Azure's object stores, on loopback, as it takes to list and to read."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes]

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def _answer(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.answer(url.path, query)

    def _names(self, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        names, prefixes = [], {}
        for name in sorted(self.objects):
            if name.startswith(prefix):
                rest = name[len(prefix) :]
                if delimiter and delimiter in rest:
                    prefixes[prefix + rest.partition(delimiter)[0] + delimiter] = None
                else:
                    names.append(name)
        return names, list(prefixes)

    def _object(self, name, more=None):
        data = self.objects[name]
        asked = self.headers.get("Range") or self.headers.get("x-ms-range")
        headers = {"Last-Modified": MODIFIED, "ETag": '"0"', **(more or {})}
        if asked:
            first, _, last = asked.removeprefix("bytes=").partition("-")
            if int(first) >= len(data):
                self._send(416, b"")
                return
            end = min(int(last) if last else len(data) - 1, len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
            self._send(206, data[int(first) : end + 1], headers)
        else:
            self._send(200, data, headers)

    def _send(self, status, data, more=None, kind="application/octet-stream"):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(OSError):
                self.wfile.write(data)


class Google(_Handler):
    """A bucket ``logs``."""

    def answer(self, path, query):
        found = path.partition("/b/logs/o")
        name = unquote(found[2].lstrip("/"))
        if not found[1] and path.startswith("/logs/"):
            name = unquote(path.removeprefix("/logs/"))
            if name in self.objects:
                self._object(name)
                return
        if found[1] and not name:
            names, prefixes = self._names(query)
            self._json({"kind": "storage#objects", "items": [self._meta(n) for n in names], "prefixes": prefixes})
        elif name in self.objects and (query.get("alt") == "media" or path.startswith("/download")):
            self._object(name, {"x-goog-generation": "1"})
        elif name in self.objects:
            self._json(self._meta(name))
        elif path.rstrip("/").endswith("/b/logs"):
            self._json({"kind": "storage#bucket", "name": "logs", "timeCreated": "2026-01-01T00:00:00Z"})
        else:
            self._json({"error": {"code": 404, "message": "not found"}}, 404)

    def _meta(self, name):
        return {
            "kind": "storage#object", "bucket": "logs", "name": name, "size": str(len(self.objects[name])), "generation": "1",
            "updated": "2026-01-01T00:00:00Z", "timeCreated": "2026-01-01T00:00:00Z", "metageneration": "1",
        }  # fmt: skip

    def _json(self, value, status=200):
        self._send(status, json.dumps(value).encode(), kind="application/json")


class Azure(_Handler):
    """A container ``logs`` of the account ``acct``."""

    def answer(self, path, query):
        _, _, rest = path.lstrip("/").partition("/")
        container, _, name = unquote(rest).partition("/")
        about = {"x-ms-request-id": "0", "x-ms-version": "2023-11-03"}
        if query.get("comp") == "list" and container == "logs":
            self._send(200, self._listing(query), about, "application/xml")
        elif container == "logs" and not name:
            more = {"ETag": '"0"', "Last-Modified": MODIFIED, "x-ms-lease-status": "unlocked", "x-ms-lease-state": "available",
                    "x-ms-has-immutability-policy": "false", "x-ms-has-legal-hold": "false", "x-ms-immutable-storage-with-versioning-enabled": "false",
                    "x-ms-default-encryption-scope": "x", "x-ms-deny-encryption-scope-override": "false"}  # fmt: skip
            self._send(200, b"", {**about, **more})
        elif name in self.objects:
            more = {"x-ms-blob-type": "BlockBlob", "x-ms-creation-time": MODIFIED, "x-ms-lease-status": "unlocked",
                    "x-ms-lease-state": "available", "x-ms-server-encrypted": "false", "Accept-Ranges": "bytes"}  # fmt: skip
            self._object(name, {**about, **more})
        else:
            code = "BlobNotFound" if container == "logs" else "ContainerNotFound"
            text = f"<?xml version='1.0' encoding='utf-8'?><Error><Code>{code}</Code><Message>no</Message></Error>"
            self._send(404, text.encode(), {**about, "x-ms-error-code": code}, "application/xml")

    def _listing(self, query):
        names, prefixes = self._names(query)
        entries = "".join(
            f"<Blob><Name>{escape(n)}</Name><Properties><Creation-Time>{MODIFIED}</Creation-Time><Last-Modified>{MODIFIED}</Last-Modified>"
            f"<Etag>0</Etag><Content-Length>{len(self.objects[n])}</Content-Length><Content-Type>x</Content-Type>"
            "<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>"
            "<ServerEncrypted>false</ServerEncrypted></Properties></Blob>"
            for n in names
        ) + "".join(f"<BlobPrefix><Name>{escape(p)}</Name></BlobPrefix>" for p in prefixes)
        return (
            '<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://x/acct" ContainerName="logs">'
            f"<Prefix>{escape(query.get('prefix', ''))}</Prefix><Blobs>{entries}</Blobs><NextMarker/></EnumerationResults>"
        ).encode()


@contextlib.contextmanager
def serving(kind):
    """A server in a process of its own, since Arrow holds the interpreter while it waits for Google; gives its URL."""
    with subprocess.Popen(
        [sys.executable, __file__, kind], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()  # which ends it


def _serve(kind):
    from logs_help import jsonl, row

    objects = {"a/b.jsonl": jsonl(row(1), row(2)), "a/d/c.jsonl": jsonl(row(3)), "a/_x": b"1"}
    handler = type("Handler", (kind,), {"objects": objects})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _serve({"google": Google, "azure": Azure}[sys.argv[1]])

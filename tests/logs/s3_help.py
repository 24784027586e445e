"""A small S3 server on loopback: ListObjectsV2, HEAD, GET with Range, and what it takes to write, over HTTP, with faults on demand."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY_ID = "AKIATEST"
PAGE = 3
"""Keys of one page of a listing: few, so that every listing of more goes over pages."""


class ObjectServer:
    """``objects`` maps "bucket/key" to bytes; ``faults`` maps a key's ending to what happens when it is asked for.

    A fault is a status (403, 503 …), ``cut`` (the connection ends within the body) or ``stall`` (nothing comes until the end).
    ``requests`` are all that came, as (method, path, range).
    """

    def __init__(self):
        self.objects = {}
        self.faults = {}
        self.uploads = {}
        self.requests = []
        self.over = threading.Event()

    @property
    def buckets(self):
        return {name.partition("/")[0] for name in self.objects}

    def put(self, bucket, files):
        self.objects.update({f"{bucket}/{key}": data for key, data in files.items()})

    @contextlib.contextmanager
    def running(self):
        """Serve; gives the URL."""
        outer = self

        class Handler(_Handler):
            server_of_objects = outer

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            self.over.set()
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of_objects: ObjectServer

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def do_PUT(self):
        name, query = self._target()
        data = self._body()
        if "aws-chunked" in self.headers.get("Content-Encoding", ""):
            data = _unchunked(data)
        uploads = self.server_of_objects.uploads
        if "uploadId" in query:
            uploads[query["uploadId"]][int(query["partNumber"])] = data
        else:
            self.server_of_objects.objects[name] = data
        self._send(200, b"", body=False, more={"ETag": '"0"'})

    def do_POST(self):
        name, query = self._target()
        self._body()
        uploads = self.server_of_objects.uploads
        if "uploads" in query:
            uploads[name] = {}
            answer = (
                f"<InitiateMultipartUploadResult><UploadId>{escape(name)}</UploadId></InitiateMultipartUploadResult>"
            )
        else:
            parts = uploads.pop(query["uploadId"])
            self.server_of_objects.objects[name] = b"".join(parts[number] for number in sorted(parts))
            answer = "<CompleteMultipartUploadResult><ETag>0</ETag></CompleteMultipartUploadResult>"
        self._send(200, answer.encode(), body=True)

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        out = b""
        while length := int(self.rfile.readline().partition(b";")[0], 16):
            out += self.rfile.read(length)
            self.rfile.readline()
        self.rfile.readline()
        return out

    def _target(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        return unquote(url.path).lstrip("/"), query

    def _answer(self, *, body):
        outer = self.server_of_objects
        url = urlsplit(self.path)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        asked = self.headers.get("Range")
        outer.requests.append((self.command, unquote(url.path), asked))
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        fault = next((what for ending, what in outer.faults.items() if f"{bucket}/{key}".endswith(ending)), None)
        authorised = f"Credential={KEY_ID}/" in self.headers.get("Authorization", "")
        if isinstance(fault, int):
            self._error(
                fault, "SlowDown" if fault == 503 else "AccessDenied" if fault == 403 else "InternalError", body
            )
        elif fault == "stall":
            outer.over.wait(60)
            self.close_connection = True
        elif not authorised and not bucket.startswith("public"):
            self._error(403, "AccessDenied" if "Authorization" not in self.headers else "InvalidAccessKeyId", body)
        elif bucket not in outer.buckets:
            self._error(404, "NoSuchBucket", body)
        elif not key and "list-type" in query:
            self._send(200, self._listing(bucket, query), body)
        elif not key:
            self._send(200, b"", body)
        elif f"{bucket}/{key}" not in outer.objects:
            self._error(404, "NoSuchKey", body)
        else:
            self._object(outer.objects[f"{bucket}/{key}"], asked, fault, body)

    def _object(self, data, asked, fault, body):
        status, more = 200, {"Accept-Ranges": "bytes", "ETag": '"0"', "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        if asked:
            first, last = asked.removeprefix("bytes=").split("-")
            first = int(first)
            last = min(int(last) if last else len(data) - 1, len(data) - 1)
            if first >= len(data):
                self._error(416, "InvalidRange", body)
                return
            more["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            status, data = 206, data[first : last + 1]
        if fault == "cut" and body:
            self.send_response(status)
            for name, value in {**more, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
            return
        self._send(status, data, body, "application/octet-stream", more)

    def _listing(self, bucket, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        start = query.get("continuation-token", "")
        most = min(int(query.get("max-keys", 1000)), PAGE)
        keys = sorted(
            name.partition("/")[2] for name in self.server_of_objects.objects if name.partition("/")[0] == bucket
        )
        entries = {}
        for key in keys:
            if key.startswith(prefix):
                rest = key[len(prefix) :]
                if delimiter and delimiter in rest:
                    entries.setdefault(prefix + rest.partition(delimiter)[0] + delimiter, None)
                else:
                    entries[key] = len(self.server_of_objects.objects[f"{bucket}/{key}"])
        names = [name for name in sorted(entries) if name > start]
        page = names[:most]
        out = [
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        ]
        out.append(f"<Name>{escape(bucket)}</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>")
        out.append(f"<MaxKeys>{most}</MaxKeys><IsTruncated>{'true' if len(names) > most else 'false'}</IsTruncated>")
        if len(names) > most:
            out.append(f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>")
        for name in page:
            if entries[name] is None:
                out.append(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>")
            else:
                out.append(
                    f"<Contents><Key>{escape(name)}</Key><Size>{entries[name]}</Size><ETag>&quot;0&quot;</ETag>"
                    "<LastModified>2026-01-01T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>"
                )
        return ("".join(out) + "</ListBucketResult>").encode()

    def _error(self, status, code, body):
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>\x1b[31m{code} of the server</Message></Error>"
        self._send(status, text.replace("\x1b", "").encode(), body, "application/xml")

    def _send(self, status, data, body, kind="application/xml", more=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            with contextlib.suppress(OSError):
                self.wfile.write(data)


def _unchunked(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.partition(b";")[0], 16)
        if not length:
            break
        out, data = out + data[:length], data[length + 2 :]
    return out


def environment(url):
    """What lets the SDK find the server and a key, and nothing of the machine's own."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SKIP_SIGNATURE": "false",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def credentials(monkeypatch, url):
    """Set it in this process."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)

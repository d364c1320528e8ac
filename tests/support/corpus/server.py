"""Serves files over loopback HTTP as a platform does that does not know what they are."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Served = tuple[bytes, str]  # bytes and media type; "" sends no type


class Server(ThreadingHTTPServer):
    """A server of files by their paths, with ranges, so that films can be sought in."""

    request_queue_size = 64
    daemon_threads = True

    def __init__(self, files: Mapping[str, Served]) -> None:
        self.files = files
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the browser hangs up when it has seen enough."""


class Handler(BaseHTTPRequestHandler):
    """Answers with a file, or with the part of it that is asked for."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        if self.path not in self.server.files:
            self._answer(404, b"", "text/plain")
            return
        data, media_type = self.server.files[self.path]
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            self._answer(200, data, media_type)
            return
        start = int(asked[1])
        end = min(int(asked[2]) if asked[2] else len(data) - 1, len(data) - 1)
        status = 206 if start <= end else 416
        self._answer(status, data[start : end + 1], media_type, f"bytes {start}-{end}/{len(data)}")

    def _answer(self, status: int, data: bytes, media_type: str, part: str = "") -> None:
        self.send_response(status)
        if media_type:
            self.send_header("Content-Type", media_type)
        if part:
            self.send_header("Content-Range", part)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve(files: Mapping[str, Served]) -> Iterator[str]:
    """Serve files by their paths until the end; yields the address of the root."""
    server = Server(files)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

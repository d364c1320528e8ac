"""An object store that misbehaves: S3 (moto's server on loopback), and a door before it."""

import contextlib
import logging
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import boto3
import httpx
from moto.server import ThreadedMotoServer

KEYS: Final = {"AWS_ACCESS_KEY_ID": "neutral", "AWS_SECRET_ACCESS_KEY": "neutral"}


class Store(ThreadingHTTPServer):
    """S3 behind a door that fails, for a share of all calls, before, after or during the call."""

    daemon_threads = True

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        self.s3.start()
        _, port = self.s3.get_host_and_port()
        self.behind = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        keys = {key.lower(): value for key, value in KEYS.items()}
        url = str(self.behind.base_url)
        client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)
        client.create_bucket(Bucket="vault")
        self.misbehaves, self.failed = 0.0, 0
        super().__init__(("127.0.0.1", 0), _Door)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what went wrong, unless it is that whoever asked was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        self.shutdown()
        self.server_close()
        self.s3.stop()


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        drawn = random.random()
        fails = drawn < self.server.misbehaves
        self.server.failed += fails
        how = drawn / self.server.misbehaves if fails else 1.0
        if how < 0.3:  # not done, and says so
            self._answer(503, [], b"<Error><Code>SlowDown</Code></Error>")
            return
        headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
        with self.server.behind.stream(
            self.command, self.path, content=body, headers=headers
        ) as done:
            answer = b"".join(done.iter_raw())
        if how < 0.6:  # done, and never says so
            self.close_connection = True
            return
        if how < 0.8 and answer:  # half an answer
            self._answer(done.status_code, done.headers.multi_items(), answer, len(answer) // 2)
            self.close_connection = True
            return
        if how < 1:  # late
            time.sleep(1)
        self._answer(done.status_code, done.headers.multi_items(), answer)

    do_HEAD = do_POST = do_GET  # noqa: N815
    do_PUT = do_DELETE = do_GET  # noqa: N815

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, sent: int | None = None
    ) -> None:
        self.send_response_only(status)
        given = {name.lower() for name, _ in headers}
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if "content-length" not in given:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):  # whoever asked may have been killed
            self.wfile.write(body[:sent])

    def log_message(self, format: str, *args: Any) -> None: ...

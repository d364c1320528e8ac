"""A DSA Transparency Database for practice: its protocol and its rules, and nothing is published.

It refuses the same statements as the real one, stores each `puid` once, and loses its answers on
request.
"""

import socket
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import msgspec

from kinward.redress.dsa import BATCH, faults

MAX_BODY: Final = 16 * 1024 * 1024


class Database(ThreadingHTTPServer):
    """The server, with its stored statements by their `puid`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], token: str) -> None:
        super().__init__(address, _Handler)
        self.token = token
        self.held: dict[str, dict[str, Any]] = {}
        self.lose = 0  # the number of answers to lose, each after its work is done
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        """The address, for `KINWARD_DSA_URL`."""
        return f"http://{self.server_address[0]!s}:{self.server_port}"


def serve(*, host: str, port: int, token: str) -> Database:
    """Make a server; `serve_forever` runs it."""
    return Database((host, port), token)


class _Handler(BaseHTTPRequestHandler):
    server: Database
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if not self._allowed():
            return
        before, _, puid = self.path.partition("/existing-puid/")
        if before != "/api/v1/statement":
            self._answer(404, {"message": "Not found."})
            return
        there = self.server.held.get(puid)
        self._answer(302 if there else 404, there or {"message": "statement not found"})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, MAX_BODY))
        if not self._allowed():
            return
        try:
            sent = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            self._answer(422, {"message": "Not JSON.", "errors": {}})
            return
        with self.server.guard:
            if self.path == "/api/v1/statement":
                self._store([sent], "")
            elif self.path == "/api/v1/statements":
                self._store(list(sent.get("statements", [])), "statements.")
            else:
                self._answer(404, {"message": "Not found."})

    def _store(self, statements: list[dict[str, Any]], prefix: str) -> None:
        errors: dict[str, list[str]] = {}
        if not 1 <= len(statements) <= BATCH:
            errors["statements"] = [f"From 1 to {BATCH} statements."]
        seen = set(self.server.held)
        for number, statement in enumerate(statements):
            where = f"{prefix}{number}." if prefix else ""
            errors |= {f"{where}{field}": texts for field, texts in faults(statement).items()}
            if statement.get("puid") in seen:
                errors[f"{where}puid"] = ["The identifier given is not unique."]
            seen.add(str(statement.get("puid")))
        if errors:
            self._answer(422, {"message": "The given data was invalid.", "errors": errors})
            return
        stored = [
            {**statement, "uuid": str(uuid.uuid4()), "id": number}
            for number, statement in enumerate(statements)
        ]
        self.server.held |= {str(statement["puid"]): statement for statement in stored}
        self._answer(201, {"statements": stored} if prefix else stored[0])

    def _allowed(self) -> bool:
        if self.headers.get("Authorization") == f"Bearer {self.server.token}":
            return True
        self._answer(401, {"message": "Unauthenticated."})
        return False

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        if status == 201 and self.server.lose:
            self.server.lose -= 1
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = msgspec.json.encode(value)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

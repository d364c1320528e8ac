"""The sandbox's server: it finds the protocol of a request, and can misbehave on purpose."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from kinward.exchanges.sandbox import graph, ncmec, stopncii
from kinward.exchanges.sandbox.entries import ENVIRONMENTS, Asked, Entry, Reply, Shelf

MAX_BODY: Final = 1024 * 1024


class Partner(ThreadingHTTPServer):
    """The server, its entries, the opinions that it received, and its faults.

    Each request uses up one of `faults`: `html` (a page instead of an answer), `cut` (half of the
    answer), `error` (500), or an empty string for none.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        super().__init__((host, port), _Handler)
        self.user, self.key = user, password
        self.opinions: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.served = 0
        self.shelves = {name: Shelf() for name in ENVIRONMENTS}

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.server_port}"

    def put(self, *entries: Entry, environment: str = ENVIRONMENTS[0]) -> None:
        """Add entries, or replace those with the same member and id."""
        self.shelves[environment].put(*entries)

    def live(self) -> list[Entry]:
        """Return the entries of the first environment that are not deleted."""
        return self.shelves[ENVIRONMENTS[0]].live()

    def reply(self, protocol: str, asked: Asked) -> Reply:
        """Return the answer to a request."""
        shelf = self.shelves.get(protocol, self.shelves[ENVIRONMENTS[0]])
        if protocol in self.shelves:
            answer = ncmec.answer(shelf, asked, user=self.user, password=self.key)
            if answer.status == 200 and asked.method == "PUT":
                _, _, member, entry, kind, _ = asked.steps
                vote = shelf.feedback[member, entry][-1]["vote"]
                about = {"member": int(member), "entry": entry, "kind": kind, "vote": vote}
                self.opinions.append(about)
            return answer
        if protocol == "stopncii":
            return stopncii.answer(shelf, asked, key=self.key, opinions=self.opinions)
        if protocol == "graph":
            opinions = self.opinions
            return graph.answer(shelf, asked, key=self.key, url=self.url, opinions=opinions)
        return Reply(404)


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    user: str = "sandbox",
    password: str = "sandbox",  # noqa: S107 - of a practice server
) -> Partner:
    """Return a partner, ready to `serve_forever`. Port 0 chooses a free one."""
    return Partner(host, port, user, password)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Partner

    def do_GET(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.server.served += 1
        size = self.headers.get("Content-Length") or "0"
        if not size.isascii() or not size.isdigit() or int(size) > MAX_BODY:
            self.close_connection = True
            return self._answer(Reply(413))
        body = self.rfile.read(int(size))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "error":
            return self._answer(Reply(500))
        if fault == "html":
            return self._answer(Reply(200, b"<html><body>Back soon.<br></body>", "text/html"))
        parts = urlsplit(self.path)
        steps = parts.path.strip("/").split("/")
        asked = Asked(
            method=self.command,
            steps=steps[1:],
            query={name: values[-1] for name, values in parse_qs(parts.query).items()},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        return self._answer(self.server.reply(steps[0], asked), cut=fault == "cut")

    def _answer(self, reply: Reply, *, cut: bool = False) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)
        if cut:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""

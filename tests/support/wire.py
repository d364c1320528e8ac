"""Requests as bytes on a connection, so that a test can stop in the middle of one."""

import contextlib
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil

SECONDS = 30.0


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), SECONDS, (source, 0))


def head(port: int, line: str, **headers: object) -> bytes:
    """The head of a request: `POST /v1/media`, and headers with `_` for `-`."""
    named = {"host": f"127.0.0.1:{port}"} | {
        name.replace("_", "-"): headers[name] for name in headers
    }
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def answer(connection: socket.socket) -> str:
    """The first line of the answer, or an empty text if the connection is closed without one."""
    with contextlib.suppress(ConnectionError):
        return connection.makefile("rb").readline().decode().strip()
    return ""


def is_asked_to_go_on(port: int, line: str, **headers: object) -> tuple[bool, str]:
    """Whether a server wants a body, as it says with `100 Continue`, and what it answers if not."""
    with connect(port) as connection:
        more = {"content_length": 4000, "expect": "100-continue"} | headers
        connection.sendall(head(port, line, **more))
        said = answer(connection)
    return " 100 " in f"{said} ", said


@contextlib.contextmanager
def idle(port: int, count: int, source: str = "127.0.0.1") -> Iterator[list[socket.socket]]:
    """Connections that say nothing."""
    with contextlib.ExitStack() as opened:
        yield [opened.enter_context(connect(port, source)) for _ in range(count)]


def marker() -> bytes:
    return b"marker-" + secrets.token_hex(16).encode()


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it started, without the database."""
    found = []
    for one in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            if "postgres" not in one.name():
                found.append(one)
    return found


def unlinked_files(process: psutil.Process) -> list[str]:
    """The files without a name that Kinward's processes have open, such as spooled bodies."""
    found = []
    for one in family(process):
        with contextlib.suppress(OSError):  # it may end meanwhile, and a file be closed
            for link in [*Path(f"/proc/{one.pid}/fd").iterdir()]:
                found += [f"{one.pid}: {target}" for target in _unlinked(link)]
    return found


def _unlinked(link: Path) -> list[str]:
    with contextlib.suppress(OSError):
        target = str(link.readlink())
        if target.endswith("(deleted)") and not target.startswith("/memfd:"):
            return [target]
    return []


def files_with(needle: bytes, *directories: Path) -> list[Path]:
    """The files under some directories that contain these bytes."""
    found = []
    for directory in directories:
        for path in directory.rglob("*"):
            with contextlib.suppress(OSError):
                if path.is_file() and not path.is_symlink() and needle in path.read_bytes():
                    found.append(path)
    return found

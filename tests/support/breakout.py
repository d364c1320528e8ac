"""Code that runs exactly as a decoder runs, and tries to get out.

    python -m tests.support.breakout < ATTEMPTS > OUTCOMES

This module is the parent of decoders. It starts them as Kinward does, by `start_decoder`, and
exchanges only the program: `PRISONER` imports the decoder's module, puts its own function in place
of `answer`, and runs `main`. So what runs the code is the process that would have decoded a file,
at the moment at which it would have decoded it. Nothing in Kinward passes another program.
"""

import contextlib
import ctypes
import json
import os
import socket
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from kinward.media.cell.kernel import syscall
from kinward.media.medium import Bounds
from kinward.media.messages import read_message, write_message
from kinward.media.pool import GRACE
from kinward.media.process import Decoder, start_decoder

SECRET = "AGE-SECRET-KEY-OF-NOBODY"
# What an attempt may need is imported before the walls close: a missing module is no wall.
PRISONER = """
import asyncio, ctypes, fcntl, mmap, os, resource, signal, socket, subprocess, sys, threading
from kinward.media import decoder
from kinward.media.messages import Answer

libc = ctypes.CDLL(None, use_errno=True)
if os.uname().machine == "x86_64":
    # A call as i386 makes it: number and two arguments. An attacker finds the two bytes of such a
    # call in a library; here they are in memory that may be executed since before the walls closed.
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("5389f889f389d1cd805bc3"))
    place = ctypes.addressof(ctypes.c_char.from_buffer(page))
    i386 = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int)(place)

def check(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def answer(what, data, bounds, more, tell):
    names = dict(globals(), got=None)
    try:
        exec(data, names)
    except OSError as error:
        return Answer(error="refused", detail=repr(error))
    except BaseException as error:
        return Answer(error="raised", detail=repr(error))
    return Answer(error="done", detail=repr(names["got"]))

decoder.answer = answer
decoder.main(*sys.argv[1:3])
"""


class Told(msgspec.Struct):
    """An outcome, of any length: what Kinward takes of an answer is bounded."""

    error: str
    detail: str = ""


class Parent:
    """A process like Kinward's: it has secrets, listeners, and a descriptor that is inheritable."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        self.directory.chmod(0o755)
        (self.directory / "secrets").mkdir(mode=0o700)
        secret = self.directory / "secrets" / "evidence_key"
        secret.touch(mode=0o600)
        secret.write_text(SECRET)
        (self.directory / "open").mkdir()
        (self.directory / "open").chmod(0o777)
        self.victim = self.directory / "open" / "victim"
        self.victim.write_text("whole")
        self.victim.chmod(0o666)
        self.leak = os.open(secret, os.O_RDWR)
        os.set_inheritable(self.leak, True)
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(self.directory / "open" / "socket"))
        self.unix.listen()
        (self.directory / "open" / "socket").chmod(0o777)
        self.abstract = socket.socket(socket.AF_UNIX)
        self.abstract.bind(f"\0kinward-{os.getpid()}")
        self.abstract.listen()
        for listener in (self.tcp, self.unix, self.abstract):
            listener.setblocking(False)

    def names(self) -> dict[str, Any]:
        """What an attempt is told."""
        return {
            "PARENT": os.getpid(),
            "SECRETS": str(self.directory / "secrets"),
            "OPEN": str(self.directory / "open"),
            "PORT": self.tcp.getsockname()[1],
            "ABSTRACT": f"\0kinward-{os.getpid()}",
            "LIBRARY": ctypes.__file__,
        }

    def untouched(self) -> bool:
        """Whether nobody connected, and nothing was written, moved or removed."""
        for listener in (self.tcp, self.unix, self.abstract):
            with contextlib.suppress(BlockingIOError):
                listener.accept()
                return False
        there = sorted(path.name for path in (self.directory / "open").iterdir())
        return there == ["socket", "victim"] and self.victim.read_text() == "whole"


def start(without: list[str]) -> Decoder:
    return start_decoder(
        Bounds(50_000_000, GRACE),
        memory=1536 << 20,
        without=frozenset(without),
        program=("-c", PRISONER),
    )


def ask(decoder: Decoder, code: str, parent: Parent) -> dict[str, Any]:
    """Have a decoder run code; returns `refused`, `killed`, `raised` or `done`, and what it got."""
    told = "".join(f"{name} = {value!r}\n" for name, value in parent.names().items())
    with contextlib.suppress(BrokenPipeError):
        write_message(decoder.stdin, b"hash")
        write_message(decoder.stdin, (told + code).encode())
    message = read_message(decoder.stdout)
    if message is None:
        return {"outcome": "killed", "got": str(decoder.end()), "untouched": parent.untouched()}
    answer = msgspec.msgpack.decode(message, type=Told)
    return {"outcome": answer.error, "got": answer.detail, "untouched": parent.untouched()}


def drop_capabilities() -> None:
    """An ordinary service has none; ours may need one to read Python where only root may."""
    with contextlib.suppress(OSError):
        header = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
        number = {"x86_64": 126, "aarch64": 91}[os.uname().machine]
        syscall(number, header, ctypes.create_string_buffer(bytes(24)))


def main() -> None:
    """Read lines of JSON, each `without` and named pieces of code; write each one's outcome."""
    parent = Parent()
    os.environ["KINWARD_EVIDENCE_KEY"] = SECRET
    for line in sys.stdin:
        wanted = json.loads(line)
        outcomes, decoder = {}, None
        for name, code in wanted["attempts"].items():
            if decoder is None or not decoder.alive:
                decoder = start(wanted["without"])
                if wanted.get("last"):
                    drop_capabilities()
            outcomes[name] = ask(decoder, code, parent)
        assert decoder is not None
        walls = msgspec.to_builtins(decoder.walls)
        decoder.end()
        print(json.dumps({"walls": walls, "outcomes": outcomes}), flush=True)


if __name__ == "__main__":
    main()

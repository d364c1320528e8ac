"""The doors: gate, console and pages, each with its port, and the way from a wrong one."""

import re
from collections.abc import Callable, Mapping
from typing import Final, get_args

import msgspec

from kinward.entrance.body import Scope
from kinward.entrance.errors import Elsewhere
from kinward.ground.config import Door

DOORS: Final[tuple[Door, ...]] = get_args(Door)
HOST: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})")


class Doors(msgspec.Struct, frozen=True):
    """The doors of this process, the ports of all, and which doors answer a path."""

    own: frozenset[Door]
    ports: Mapping[Door, int]
    doors_of: Callable[[str], frozenset[Door]]

    def way(self, scope: Scope) -> str | None:
        """Return where a request belongs, or None if it is right here.

        A caller that came to a port of ours directly gets the address with the right port. Raises
        `Elsewhere` behind a proxy, where only the proxy can know the way.
        """
        path: str = scope["path"]
        answering = self.doors_of(path)
        if answering & self.own:
            return None
        door = min(answering, key=DOORS.index)
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        match = HOST.fullmatch(host.decode("latin-1"))
        port = self.ports[door]
        if match is None or int(match[2]) not in {self.ports[name] for name in self.own}:
            raise Elsewhere(
                f"Have the proxy send {path[:80]!r} to port {port}, where {door} listens."
            )
        query: bytes = scope.get("query_string", b"")
        raw = bytes(scope.get("raw_path") or path.encode()).partition(b"?")[0]
        where = raw + (b"?" + query if query else b"")
        return f"{scope.get('scheme', 'http')}://{match[1]}:{port}{where.decode('latin-1')}"

"""Entries of the sandbox, and the shelves that they are on."""

import base64
import bisect
import random
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

ENVIRONMENTS: Final = ("hashsharing", "npo", "exploitative")  # of NCMEC, each with its own list
REASON: Final = "01234567-0000-4000-8000-000000000001"


class Entry(msgspec.Struct, frozen=True):
    """An entry of a member: fingerprints by NCMEC's names, or none once it is deleted."""

    member: int
    id: str
    at: int
    fingerprints: dict[str, str] = {}
    classification: str = ""
    video: bool = False
    deleted: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request. `steps`: the path after the protocol's name. Names of `headers` in lower case."""

    method: str
    steps: list[str]
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


class Reply(msgspec.Struct, frozen=True):
    """An answer."""

    status: int = 200
    body: bytes = b""
    type: str = "text/plain"


def json_reply(value: Any, status: int = 200) -> Reply:
    """Return an answer of JSON."""
    return Reply(status, msgspec.json.encode(value), "application/json")


class Shelf:
    """The entries of one list, by member and id, and what members think of them."""

    def __init__(self) -> None:
        self.feedback: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._entries: dict[tuple[int, str], Entry] = {}
        self._times: list[tuple[int, int, str]] = []
        self._lock = threading.Lock()

    def put(self, *entries: Entry) -> None:
        """Add entries, or replace those with the same member and id."""
        with self._lock:
            self._entries.update({(entry.member, entry.id): entry for entry in entries})
            self._times = sorted((entry.at, *key) for key, entry in self._entries.items())

    def get(self, member: int, name: str) -> Entry | None:
        """Return an entry."""
        with self._lock:
            return self._entries.get((member, name))

    def live(self) -> list[Entry]:
        """Return the entries that are not deleted."""
        with self._lock:
            return [entry for entry in self._entries.values() if not entry.deleted]

    def between(self, first: int, last: int) -> list[Entry]:
        """Return the entries changed from `first` through `last`, Unix seconds, ordered by id."""
        with self._lock:
            low = bisect.bisect_left(self._times, (first, 0, ""))
            high = bisect.bisect_right(self._times, (last, 1 << 60, ""))
            entries = [self._entries[member, name] for _, member, name in self._times[low:high]]
        return sorted(entries, key=lambda entry: entry.id)


def generated(count: int, *, days: int = 30, seed: int = 1) -> Iterator[Entry]:
    """Yield entries of random hashes, spread over the last `days` days."""
    dice = random.Random(seed)  # noqa: S311 - shapes for practice, not secrets
    now = int(time.time()) - 60
    for number in range(count):
        prints = {"md5": dice.randbytes(16).hex()}
        if number % 10 == 1:
            prints["pdq"] = dice.randbytes(32).hex()
        if number % 20 == 0:
            prints["pdna"] = base64.b64encode(dice.randbytes(144)).decode()
        yield Entry(
            member=1 + number % 7,
            id=f"{dice.getrandbits(64):016x}",
            at=now - dice.randrange(days * 86400),
            fingerprints=prints,
            classification=dice.choice(("A1", "A2", "B1", "B2")),
            video=number % 11 == 0,
        )

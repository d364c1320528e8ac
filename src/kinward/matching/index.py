"""This process's copy of all banked images and videos, brought up to date before every lookup.

An image counts as a video of one frame, both in a bank and in a lookup. The id of a frame in the
index is the id of its banked hash, shifted left, plus its place in the signature.
"""

import threading
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Final
from uuid import uuid4

import msgspec
import numpy as np
import numpy.typing as npt
import structlog
from django.db import transaction

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.matching.keywords import Found, Keywords
from kinward.matching.kinds import NEAR, Keyword, Url
from kinward.matching.models import BankedHash, IndexSnapshot
from kinward.matching.pages import Pages
from kinward.matching.queries import current_version
from kinward.media import FRAME, MAX_FRAMES

log = structlog.get_logger(__name__)

Ids = npt.NDArray[np.int64]

SHIFT: Final = (MAX_FRAMES - 1).bit_length()  # bits for the place of a frame
SNAPSHOT_AFTER: Final = 50_000  # hashes more or fewer than the last snapshot has


def _hamming() -> ModuleType:
    """Import the index when it is needed: its compiler takes a second to load."""
    from kinward.matching import hamming

    return hamming


class Hit(msgspec.Struct, frozen=True):
    """Frame `query` of a lookup is near frame `frame` of banked hash `hash`."""

    query: int
    hash: int
    frame: int
    distance: int


class BankIndex:
    """The index of a process. Each lookup first reads the changes since the one before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._index = _hamming().Index()
        self._version = -1
        self._saved = 0

    def search(self, frames: list[bytes]) -> list[Hit]:
        """Return every live banked frame within the radius of each frame, 32 bytes each."""
        with self._lock:
            self._refresh()
        queries = np.frombuffer(b"".join(frames), dtype=np.uint8).reshape(-1, FRAME)
        limits, ids, distances = self._index.search_batch(queries)
        of = np.repeat(np.arange(len(queries)), np.diff(limits))
        rows = zip(of.tolist(), ids.tolist(), distances.tolist(), strict=True)
        return [
            Hit(query, at >> SHIFT, at & ((1 << SHIFT) - 1), distance)
            for query, at, distance in rows
        ]

    def snapshot(self) -> int:
        """Write a snapshot for this machine's processes if much has changed.

        Returns how many hashes it has, or 0 if none was written.
        """
        with self._lock:
            self._refresh()
            if abs(len(self._index) - self._saved) < SNAPSHOT_AFTER:
                return 0
            row = IndexSnapshot(id=uuid4(), version=self._version, hashes=len(self._index))
            path = snapshot_path(row)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._index.save(path)
            self._saved = len(self._index)
        row.save(force_insert=True)
        for older in IndexSnapshot.objects.exclude(pk=row.pk):
            if snapshot_path(older).exists():  # each machine deletes only its own
                older.delete()
                snapshot_path(older).unlink()
        return row.hashes

    def _refresh(self) -> None:
        # Read the version before the rows: a change in between is then read twice, never missed.
        version = current_version()
        if version == self._version:
            return
        if self._version < 0:
            self._load()
        self._apply_changes()
        self._version = version

    def _load(self) -> None:
        """Begin with this machine's newest snapshot, if it has one."""
        for row in IndexSnapshot.objects.order_by("-written_at")[:5]:
            path = snapshot_path(row)
            if not path.exists():
                continue
            try:
                self._index = _hamming().Index.load(path)
            except KinwardError as error:
                log.warning("index.snapshot_refused", path=str(path), error=error.detail)
                continue
            self._version, self._saved = row.version, len(self._index)
            return

    def _apply_changes(self) -> None:
        changed = BankedHash.objects.filter(kind__in=NEAR, version__gt=self._version)
        fresh: list[Ids] = []
        gone: list[Ids] = []
        values = bytearray()
        rows = changed.values_list("id", "value", "removed", "false_positive")
        with transaction.atomic():  # a server-side cursor, so that memory stays bounded
            for row, value, removed, false_positive in rows.iterator(50_000):
                ids = (row << SHIFT) + np.arange(len(value) // FRAME)
                if removed or false_positive:
                    gone.append(ids)
                else:
                    fresh.append(ids)
                    values += bytes(value)
        self._index.remove(_joined(gone))
        self._index.add(
            np.frombuffer(bytes(values), dtype=np.uint8).reshape(-1, FRAME), _joined(fresh)
        )


def _joined(parts: list[Ids]) -> Ids:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def snapshot_path(row: IndexSnapshot) -> Path:
    """Return the path of a snapshot's file on the machine that wrote it."""
    return config().data_dir / "index" / f"{row.pk}.kwindex"


class KeywordIndex:
    """This process's copy of all banked keywords."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._keywords = Keywords([])

    def search(self, text: str) -> Found:
        """Return the ids of the live banked keywords in a text, and whether all of it was read."""
        with self._lock:
            version = current_version()
            if version != self._version:
                changed = BankedHash.objects.filter(kind=Keyword.name, version__gt=self._version)
                if changed.exists():
                    self._keywords = Keywords(_keywords())
                self._version = version
        return self._keywords.find(text)


def _keywords() -> list[tuple[int, str]]:
    live = BankedHash.objects.filter(kind=Keyword.name, removed=False, false_positive=False)
    return [(pk, bytes(value).decode()) for pk, value in live.values_list("pk", "value")]


class LinkIndex:
    """This process's copy of the banked URLs whose query has several parts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._pages = Pages()

    def search(self, forms: Iterable[str]) -> set[int]:
        """Return the ids of the live banked URLs of which one of these pages has each part."""
        with self._lock:
            version = current_version()
            if version != self._version:
                self._apply_changes()
                self._version = version
            return {number for form in forms for number in self._pages.find(form)}

    def _apply_changes(self) -> None:
        changed = BankedHash.objects.filter(kind=Url.name, version__gt=self._version)
        rows = changed.values_list("pk", "value", "removed", "false_positive")
        with transaction.atomic():  # a server-side cursor, so that memory stays bounded
            for pk, value, removed, false_positive in rows.iterator(50_000):
                self._pages.remove(pk)
                if not (removed or false_positive):
                    self._pages.add(pk, bytes(value).decode())


@cache
def bank_index() -> BankIndex:
    """Return the index of this process."""
    return BankIndex()


@cache
def keyword_index() -> KeywordIndex:
    """Return the keywords of this process."""
    return KeywordIndex()


@cache
def link_index() -> LinkIndex:
    """Return the URLs of this process."""
    return LinkIndex()

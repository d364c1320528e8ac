"""The lookup of files, URLs and texts among all live banked hashes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from django.db.models import Q

from kinward.ground.config import config
from kinward.matching import links
from kinward.matching.confidence import Confidence
from kinward.matching.index import bank_index, keyword_index
from kinward.matching.kinds import Url, kind_of
from kinward.matching.models import BankedHash, Sha256
from kinward.matching.services import digest
from kinward.media import FRAME

MAX_TEXT: Final = 20_000
MAX_LINKS: Final = 50


class Match(msgspec.Struct, frozen=True):
    """A hit on one banked hash. Never leaves Kinward.

    `distance`: bits, at the nearest frame. `hash`: the id of the banked hash; 0 in old findings.
    """

    bank: str
    confidence: str
    kind: str
    distance: int
    reference: str = ""
    label: str = ""
    hash: int = 0


class _Near(msgspec.Struct):
    """The frames of a query and a banked hash that are near each other. `distance`: the least."""

    queries: set[int] = msgspec.field(default_factory=set)
    frames: set[int] = msgspec.field(default_factory=set)
    distance: int = 256


class Frames:
    """A lookup of one file that receives its frames a few at a time."""

    def __init__(self) -> None:
        self._count = 0
        self._near: dict[int, _Near] = defaultdict(_Near)

    def add(self, frames: Sequence[bytes]) -> None:
        """Look up further frames, 32 bytes each."""
        if not frames:
            return
        for hit in bank_index().search(list(frames)):
            near = self._near[hit.hash]
            near.queries.add(self._count + hit.query)
            near.frames.add(hit.frame)
            near.distance = min(near.distance, hit.distance)
        self._count += len(frames)

    def certain(self) -> bool:
        """Return whether a verified hash matches already, whatever the remaining frames are."""
        verified = BankedHash.objects.live().filter(
            pk__in=self._near, addition__confidence=Confidence.VERIFIED
        )
        return any(self._covers_bank(row) for row in verified)

    def matches(self) -> dict[int, int]:
        """Return the ids of the banked hashes that match, each with its least distance.

        A banked hash matches if enough of the file's frames are near it, or enough of its own
        frames are near the file.
        """
        least = config().video_query_share * self._count
        return {
            row.pk: self._near[row.pk].distance
            for row in BankedHash.objects.live().filter(pk__in=self._near)
            if len(self._near[row.pk].queries) >= least or self._covers_bank(row)
        }

    def _covers_bank(self, row: BankedHash) -> bool:
        share = len(self._near[row.pk].frames) / (len(row.value) // FRAME)
        return share >= config().video_bank_share


def look_up(values: Iterable[tuple[str, bytes]]) -> list[Match]:
    """Return every live banked hash that a file hits: verified ones first, then by distance.

    `values`: the name of each kind, and the file's hash of that kind.
    """
    exact: list[tuple[str, bytes]] = []
    near, words = Frames(), set[int]()
    for name, value in values:
        kind = kind_of(name)
        exact += [(name, form) for form in kind.exact(value)]
        near.add(kind.frames(value))
        if text := kind.text(value):
            words |= keyword_index().search(text)
    return _matches(near.matches() | dict.fromkeys(words, 0) | _exact(exact))


def look_up_links(urls: Iterable[str]) -> list[Match]:
    """Return every live banked URL that covers one of these. Invalid URLs are ignored."""
    wanted: set[str] = set()
    for url in urls:
        try:
            wanted.update(links.forms(url))
        except ValueError:
            continue
    return _matches(_exact([(Url.name, form.encode()) for form in wanted]))


def look_up_text(text: str) -> list[Match]:
    """Return every live banked keyword in a text."""
    return _matches(dict.fromkeys(keyword_index().search(text), 0))


def _exact(values: list[tuple[str, bytes]]) -> dict[int, int]:
    if not values:
        return {}
    any_of = Q()
    for kind, value in values:
        any_of |= Q(kind=kind, digest=digest(value))
    rows = BankedHash.objects.live().annotate(digest=Sha256("value")).filter(any_of)
    return dict.fromkeys(rows.values_list("pk", flat=True), 0)


def _matches(distances: dict[int, int]) -> list[Match]:
    if not distances:
        return []
    rows = BankedHash.objects.live().filter(pk__in=distances).select_related("bank", "addition")
    matches = [
        Match(
            bank=row.bank.name,
            confidence=row.addition.confidence,
            kind=row.kind,
            distance=distances[row.pk],
            reference=row.reference,
            label=row.label,
            hash=row.pk,
        )
        for row in rows
    ]
    return sorted(matches, key=lambda m: (m.confidence != Confidence.VERIFIED, m.distance, m.kind))

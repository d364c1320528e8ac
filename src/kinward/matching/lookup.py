"""The lookup of files, URLs and texts among all live banked hashes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
from django.db.models import Q

from kinward.ground.config import config
from kinward.matching import links
from kinward.matching.confidence import Confidence
from kinward.matching.index import bank_index, keyword_index
from kinward.matching.kinds import Url, kind_of
from kinward.matching.models import BankedHash, Sha256
from kinward.matching.services import digest
from kinward.media import FRAME, View, split_frames, turn_hashes, views_of

MAX_TEXT: Final = 20_000
MAX_LINKS: Final = 50
TURNS: Final = 8  # ways to turn and mirror a picture


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
    """What of a query is near a banked hash, and what of the banked hash.

    `moments`: of each strand of the query. `frames`: of the banked hash. `distance`: the least.
    """

    moments: dict[int, set[int]] = msgspec.field(default_factory=lambda: defaultdict(set))
    frames: set[int] = msgspec.field(default_factory=set)
    distance: int = 256


class Frames:
    """A lookup of one file that receives its views a few at a time.

    Each view is looked up in all eight ways of turning and mirroring it.
    """

    def __init__(self) -> None:
        self._moments: dict[int, set[int]] = defaultdict(set)  # of each strand
        self._near: dict[int, _Near] = defaultdict(_Near)

    def add(self, views: Sequence[View]) -> None:
        """Look up further views."""
        if not views:
            return
        for hit in bank_index().search(_turned(views)):
            view, near = views[hit.query // TURNS], self._near[hit.hash]
            near.moments[view.strand].add(view.moment)
            near.frames.add(hit.frame)
            near.distance = min(near.distance, hit.distance)
        for view in views:
            self._moments[view.strand].add(view.moment)

    def certain(self) -> bool:
        """Return whether a verified hash matches already, whatever the remaining frames are."""
        verified = BankedHash.objects.live().filter(
            pk__in=self._near, addition__confidence=Confidence.VERIFIED
        )
        return any(self._covers_bank(row) for row in verified)

    def matches(self) -> dict[int, int]:
        """Return the ids of the banked hashes that match, each with its least distance.

        A banked hash matches if enough moments of one of the file's strands are near it, or enough
        of its own frames are near the file.
        """
        return {
            row.pk: self._near[row.pk].distance
            for row in BankedHash.objects.live().filter(pk__in=self._near)
            if self._covers_strand(self._near[row.pk]) or self._covers_bank(row)
        }

    def _covers_strand(self, near: _Near) -> bool:
        share = config().video_query_share
        return any(
            len(moments) >= share * len(self._moments[strand])
            for strand, moments in near.moments.items()
        )

    def _covers_bank(self, row: BankedHash) -> bool:
        share = len(self._near[row.pk].frames) / (len(row.value) // FRAME)
        return share >= config().video_bank_share


def _turned(views: Sequence[View]) -> list[bytes]:
    """Return the hashes to look up, `TURNS` for each view."""
    estimated = turn_hashes(np.frombuffer(b"".join(v.hash for v in views), dtype=np.uint8))
    return [
        way
        for view, ways in zip(views, estimated, strict=True)
        for way in split_frames(view.hash + view.turned if view.turned else ways.tobytes())
    ]


def look_up(
    values: Iterable[tuple[str, bytes]], views: Sequence[View] | None = None
) -> list[Match]:
    """Return every live banked hash that a file hits: verified ones first, then by distance.

    `values`: the name of each kind, and the file's hash of that kind. `views`: of the file; they
    stand for its perceptual hashes. Without them, each frame of a hash is a view.
    """
    exact: list[tuple[str, bytes]] = []
    near, words = Frames(), set[int]()
    for name, value in values:
        kind = kind_of(name)
        exact += [(name, form) for form in kind.exact(value)]
        if not views:
            near.add(views_of(kind.frames(value)))
        if text := kind.text(value):
            words |= keyword_index().search(text)
    near.add(views or ())
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

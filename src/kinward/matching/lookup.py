"""The lookup of files, URLs and texts among all live banked hashes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec
from django.db.models import Q

from kinward.ground.config import config
from kinward.matching import links
from kinward.matching.confidence import Confidence
from kinward.matching.index import Hit, bank_index, keyword_index
from kinward.matching.kinds import Url, kind_of
from kinward.matching.models import BankedHash, Role, Sha256
from kinward.matching.rules import Rules
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


class Quiet(msgspec.Struct, frozen=True):
    """A hit without any consequence: on a shadow bank, or silenced by a negative bank.

    `silenced_by`: the id of the hash that silenced it; 0 for a hit on a shadow bank.
    """

    match: Match
    silenced_by: int = 0


class Survey(msgspec.Struct, frozen=True):
    """All that a lookup meets: what matches, and what stays quiet."""

    matches: list[Match] = []
    quiet: list[Quiet] = []


class _Near(msgspec.Struct):
    """The frames of a query and a banked hash that are near each other. `distance`: the least."""

    queries: set[int] = msgspec.field(default_factory=set)
    frames: set[int] = msgspec.field(default_factory=set)
    distance: int = 256


class Frames:
    """A lookup of one file that receives its frames a few at a time.

    `values`: what is known of the file beside its frames, for the rules of the banks.
    """

    def __init__(self, values: Iterable[tuple[str, bytes]] = ()) -> None:
        self.rules = Rules(list(values))
        self._count = 0
        self._near: dict[int, _Near] = defaultdict(_Near)
        self._all: dict[int, _Near] = defaultdict(_Near)  # as if nothing were silenced
        self._silenced: dict[int, int] = {}  # frames of the query, and what silences each

    def add(self, frames: Sequence[bytes]) -> None:
        """Look up further frames, 32 bytes each."""
        if not frames:
            return
        hits, silenced = self.rules.admit(bank_index().search(list(frames)))
        for hit in hits:
            for near in self._counted(hit, silenced):
                near.queries.add(self._count + hit.query)
                near.frames.add(hit.frame)
                near.distance = min(near.distance, hit.distance)
        self._silenced |= {self._count + query: by for query, by in silenced.items()}
        self._count += len(frames)

    def _counted(self, hit: Hit, silenced: Mapping[int, int]) -> list[_Near]:
        everywhere = self._all[hit.hash]
        return [everywhere] if hit.query in silenced else [everywhere, self._near[hit.hash]]

    def certain(self) -> bool:
        """Return whether a verified hash matches already, whatever the remaining frames are."""
        verified = BankedHash.objects.live().filter(
            pk__in=self._near, addition__confidence=Confidence.VERIFIED, bank__role=Role.LIVE
        )
        known = any(
            self._covered(row, self._near) and self._covered(row, self._all) for row in verified
        )
        return known and self.rules.silencer_of_file() is None

    def matches(self) -> dict[int, int]:
        """Return the ids of the banked hashes that match, each with its least distance.

        A banked hash matches if enough of the file's frames are near it, or enough of its own
        frames are near the file. It must do so with the silenced frames, and also without them, so
        that a negative bank never adds a match.
        """
        return {pk: self._near[pk].distance for pk, by in self._judged().items() if by is None}

    def silenced(self) -> dict[int, tuple[int, int]]:
        """Return the ids of the banked hashes that match but for a negative bank.

        Each has its least distance, and the id of a hash that silences it.
        """
        judged = self._judged().items()
        return {pk: (self._all[pk].distance, by) for pk, by in judged if by is not None}

    def _judged(self) -> dict[int, int | None]:
        """Return the banked hashes that match by all frames, and what silences each, if any."""
        if not self._all:
            return {}
        by = self.rules.silencer_of_file()
        return {
            row.pk: by or self._silencer(row)
            for row in BankedHash.objects.live().filter(pk__in=self._all)
            if self._enough(row, self._all, self._count)
        }

    def _silencer(self, row: BankedHash) -> int | None:
        """Return what silences a hash that matches by all frames, if the other frames do not."""
        spoken = self._count - len(self._silenced)
        if row.pk in self._near and self._enough(row, self._near, spoken):
            return None
        return self._silenced[min(self._all[row.pk].queries & self._silenced.keys())]

    def _enough(self, row: BankedHash, nears: Mapping[int, _Near], count: int) -> bool:
        least = config().video_query_share * count
        return len(nears[row.pk].queries) >= least or self._covered(row, nears)

    def _covered(self, row: BankedHash, nears: Mapping[int, _Near]) -> bool:
        """Return whether enough of a banked hash's frames are near, of those not silenced."""
        frames = nears[row.pk].frames
        hidden = len(self._all[row.pk].frames - frames)
        return len(frames) / (len(row.value) // FRAME - hidden) >= config().video_bank_share


def look_up(
    values: Iterable[tuple[str, bytes]], of: Iterable[tuple[str, bytes]] = ()
) -> list[Match]:
    """Return every live banked hash that a file matches: verified ones first, then by distance.

    `values`: the name of each kind, and the file's hash of that kind. `of`: all that is known of
    the file, if `values` is only a part of it.
    """
    return survey(values, of).matches


def survey(values: Iterable[tuple[str, bytes]], of: Iterable[tuple[str, bytes]] = ()) -> Survey:
    """Return all that a file hits: as `look_up` does, and what stays quiet."""
    values = list(values)
    exact: list[tuple[str, bytes]] = []
    near, words = Frames(list(of) or values), set[int]()
    for name, value in values:
        kind = kind_of(name)
        exact += [(name, form) for form in kind.exact(value)]
        near.add(kind.frames(value))
        if text := kind.text(value):
            words |= keyword_index().search(text)
    distances = near.matches() | dict.fromkeys(words, 0) | _exact(exact)
    return _matches(distances, near.rules, near.silenced())


def look_up_links(urls: Iterable[str]) -> list[Match]:
    """Return every live banked URL that covers one of these. Invalid URLs are ignored."""
    wanted: set[str] = set()
    for url in urls:
        try:
            wanted.update(links.forms(url))
        except ValueError:
            continue
    return _matches(_exact([(Url.name, form.encode()) for form in wanted])).matches


def look_up_text(text: str) -> list[Match]:
    """Return every live banked keyword in a text."""
    return _matches(dict.fromkeys(keyword_index().search(text), 0)).matches


def _exact(values: list[tuple[str, bytes]]) -> dict[int, int]:
    if not values:
        return {}
    any_of = Q()
    for kind, value in values:
        any_of |= Q(kind=kind, digest=digest(value))
    rows = BankedHash.objects.live().annotate(digest=Sha256("value")).filter(any_of)
    return dict.fromkeys(rows.values_list("pk", flat=True), 0)


def _matches(
    distances: dict[int, int],
    rules: Rules | None = None,
    silenced: Mapping[int, tuple[int, int]] = MappingProxyType({}),
) -> Survey:
    if not distances and not silenced:
        return Survey()
    rules = rules or Rules()
    rows = BankedHash.objects.live().filter(pk__in={*distances, *silenced})
    matches: list[Match] = []
    quiet: list[Quiet] = []
    for row in rows.select_related("bank", "addition"):
        role = rules.means(row)
        if row.pk in distances and role == Role.LIVE:
            matches.append(_match(row, distances[row.pk]))
        elif row.pk in distances and role == Role.SHADOW:
            quiet.append(Quiet(_match(row, distances[row.pk])))
        elif row.pk in silenced and role == Role.LIVE:
            distance, by = silenced[row.pk]
            quiet.append(Quiet(_match(row, distance), by))
    matches.sort(key=lambda m: (m.confidence != Confidence.VERIFIED, m.distance, m.kind))
    return Survey(matches, quiet)


def _match(row: BankedHash, distance: int) -> Match:
    return Match(
        bank=row.bank.name,
        confidence=row.addition.confidence,
        kind=row.kind,
        distance=distance,
        reference=row.reference,
        label=row.label,
        hash=row.pk,
    )

"""The lookup of files, URLs and texts among all live banked hashes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np

from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.matching import links
from kinward.matching.confidence import Confidence
from kinward.matching.index import bank_index, keyword_index, link_index
from kinward.matching.kinds import Url, kind_of
from kinward.matching.models import BankedHash, Role, Sha256
from kinward.matching.pages import has_many_parts
from kinward.matching.rules import Rules
from kinward.matching.services import digest
from kinward.media import FRAME, View, split_frames, turn_hashes, views_of

MAX_LINKS: Final = 50
AT_ONCE: Final = 5_000  # values in one query
TURNS: Final = 8  # ways to turn and mirror a picture


class TextUnread(KinwardError):
    """This text or URL is too long, so only a part of it was compared with the banks."""

    code = "text.unread"
    status = 422


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
    """The views of a query and the frames of a banked hash that are near. `distance`: the least."""

    views: set[int] = msgspec.field(default_factory=set)
    frames: set[int] = msgspec.field(default_factory=set)
    distance: int = 256


Moments = Mapping[int, set[int]]  # of each strand


class Frames:
    """A lookup of one file that receives its views a few at a time.

    Each view is looked up in all eight ways of turning and mirroring it. `values`: what is known of
    the file beside its views, for the rules of the banks.
    """

    def __init__(self, values: Iterable[tuple[str, bytes]] = ()) -> None:
        self.rules = Rules(list(values))
        self._views: list[tuple[int, int]] = []  # the strand and the moment of each
        self._near: dict[int, _Near] = defaultdict(_Near)
        self._all: dict[int, _Near] = defaultdict(_Near)  # as if nothing were silenced
        self._silenced: dict[int, int] = {}  # views of the query, and what silences each

    def add(self, views: Sequence[View]) -> None:
        """Look up further views."""
        if not views:
            return
        first = len(self._views)
        self._views += [(view.strand, view.moment) for view in views]
        hits, silenced = self.rules.admit(bank_index().search(turned(views)))
        self._silenced |= {first + query // TURNS: by for query, by in silenced.items()}
        for hit in hits:
            number = first + hit.query // TURNS
            for near in self._counted(hit.hash, number):
                near.views.add(number)
                near.frames.add(hit.frame)
                near.distance = min(near.distance, hit.distance)

    def _counted(self, banked: int, view: int) -> list[_Near]:
        everywhere = self._all[banked]
        return [everywhere] if view in self._silenced else [everywhere, self._near[banked]]

    def certain(self) -> bool:
        """Return whether a verified hash matches already, whatever the remaining views are."""
        verified = BankedHash.objects.live().filter(
            pk__in=self._near, addition__confidence=Confidence.VERIFIED, bank__role=Role.LIVE
        )
        known = any(
            self._covered(row, self._near) and self._covered(row, self._all) for row in verified
        )
        return known and self.rules.silencer_of_file() is None

    def matches(self) -> dict[int, int]:
        """Return the ids of the banked hashes that match, each with its least distance.

        A banked hash matches if enough moments of one of the file's strands are near it, or enough
        of its own frames are near the file. It must do so with the silenced views, and also without
        them, so that a negative bank never adds a match.
        """
        return {pk: self._near[pk].distance for pk, by in self._judged().items() if by is None}

    def silenced(self) -> dict[int, tuple[int, int]]:
        """Return the ids of the banked hashes that match but for a negative bank.

        Each has its least distance, and the id of a hash that silences it.
        """
        judged = self._judged().items()
        return {pk: (self._all[pk].distance, by) for pk, by in judged if by is not None}

    def _judged(self) -> dict[int, int | None]:
        """Return the banked hashes that match by all views, and what silences each, if any."""
        if not self._all:
            return {}
        by, everything = self.rules.silencer_of_file(), range(len(self._views))
        every = self._moments(everything)
        spoken = self._moments(number for number in everything if number not in self._silenced)
        return {
            row.pk: by or self._silencer(row, spoken)
            for row in BankedHash.objects.live().filter(pk__in=self._all)
            if self._enough(row, self._all, every)
        }

    def _moments(self, views: Iterable[int]) -> Moments:
        moments: dict[int, set[int]] = defaultdict(set)
        for number in views:
            strand, moment = self._views[number]
            moments[strand].add(moment)
        return moments

    def _silencer(self, row: BankedHash, spoken: Moments) -> int | None:
        """Return what silences a hash that matches by all views, if the other views do not."""
        if row.pk in self._near and self._enough(row, self._near, spoken):
            return None
        return self._silenced[min(self._all[row.pk].views & self._silenced.keys())]

    def _enough(self, row: BankedHash, nears: Mapping[int, _Near], among: Moments) -> bool:
        share, near = config().video_query_share, self._moments(nears[row.pk].views)
        covers = any(len(moments) >= share * len(among[n]) for n, moments in near.items())
        return covers or self._covered(row, nears)

    def _covered(self, row: BankedHash, nears: Mapping[int, _Near]) -> bool:
        """Return whether enough of a banked hash's frames are near, of those not silenced."""
        frames = nears[row.pk].frames
        hidden = len(self._all[row.pk].frames - frames)
        return len(frames) / (len(row.value) // FRAME - hidden) >= config().video_bank_share


def turned(views: Sequence[View]) -> list[bytes]:
    """Return the hashes to look up, `TURNS` for each view."""
    inexact = b"".join(view.hash for view in views if not view.turned)
    estimated = iter(turn_hashes(np.frombuffer(inexact, dtype=np.uint8)))
    return [
        way
        for view in views
        for way in split_frames(
            view.hash + view.turned if view.turned else next(estimated).tobytes()
        )
    ]


def look_up(
    values: Iterable[tuple[str, bytes]],
    views: Sequence[View] = (),
    of: Iterable[tuple[str, bytes]] = (),
) -> list[Match]:
    """Return every live banked hash that a file matches: verified ones first, then by distance.

    `values`: the name of each kind, and the file's hash of that kind. `views`: of the file; they
    stand for its perceptual hashes. Without them, each frame of a hash is a view. `of`: all that is
    known of the file, if `values` is only a part of it.
    """
    return survey(values, views, of).matches


def survey(
    values: Iterable[tuple[str, bytes]],
    views: Sequence[View] = (),
    of: Iterable[tuple[str, bytes]] = (),
) -> Survey:
    """Return all that a file hits: as `look_up` does, and what stays quiet.

    Raises `TextUnread` if a text could not be read to its end and nothing matches.
    """
    values = list(values)
    exact: list[tuple[str, bytes]] = []
    near, words, entire = Frames(list(of) or values), set[int](), True
    for name, value in values:
        kind = kind_of(name)
        forms = kind.exact(value)
        if config().read_redirects:
            forms += kind.carried(value)
        entire = entire and kind.entire(value, carried=config().read_redirects)
        exact += [(name, form) for form in forms]
        if not views:
            near.add(views_of(kind.asked(value)))
        if text := kind.text(value):
            found = keyword_index().search(text)
            words, entire = words | found.numbers, entire and found.entire
    near.add(views)
    distances = near.matches() | dict.fromkeys(words, 0) | _exact(exact)
    met = _matches(distances, near.rules, near.silenced())
    if not entire and not met.matches:
        raise TextUnread
    return met


def look_up_links(urls: Iterable[str]) -> list[Match]:
    """Return every live banked URL that covers one of these. Invalid URLs are ignored.

    With `KINWARD_READ_REDIRECTS`, also those that cover a URL inside one of these.
    """
    wanted, inside = set[str](), config().read_redirects
    for url in urls:
        try:
            wanted.update(links.forms(url, inside=inside))
        except ValueError:
            continue
    return _matches(_exact([(Url.name, form.encode()) for form in wanted])).matches


def look_up_text(text: str) -> list[Match]:
    """Return every live banked keyword in a text.

    Raises `TextUnread` if it could not be read to its end and nothing matches.
    """
    found = keyword_index().search(text)
    matches = _matches(dict.fromkeys(found.numbers, 0)).matches
    if not found.entire and not matches:
        raise TextUnread
    return matches


def _exact(values: list[tuple[str, bytes]]) -> dict[int, int]:
    if not values:
        return {}
    by_kind: dict[str, list[bytes]] = defaultdict(list)
    for kind, value in values:
        by_kind[kind].append(digest(value))
    live = BankedHash.objects.live().annotate(digest=Sha256("value"))
    hits: dict[int, int] = {}
    for kind, digests in by_kind.items():
        for first in range(0, len(digests), AT_ONCE):
            rows = live.filter(kind=kind, digest__in=digests[first : first + AT_ONCE])
            hits |= dict.fromkeys(rows.values_list("pk", flat=True), 0)
    forms = [form.decode() for kind, form in values if kind == Url.name]
    if many := [form for form in forms if has_many_parts(form)]:
        hits |= dict.fromkeys(link_index().search(many), 0)
    return hits


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

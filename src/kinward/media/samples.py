"""Which pictures of a file that moves are kept: every one that differs, within a bound.

Each picture is glanced at. If the glance differs from all glances of late, the picture is hashed,
and if its hash differs from all hashes of late, it is a view. Time has no part in this, so nothing
hides between two samples. Time decides only what a moment is, and what goes when there is too much:
first what resembles something else, then what is shown for the shortest time.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from kinward.media.luma import FLAT, glance_at
from kinward.media.medium import MAX_FRAMES, MAX_VIEWS, View
from kinward.media.pdq import MIN_QUALITY, Hash
from kinward.media.variants import Place, Variants

EVERY: Final = 1.0  # seconds after which a moment ends, if the picture has changed
PASSED: Final = 120  # frames; after so many another is hashed, whatever the glances say
CHANGED: Final = 4  # bits of a glance: a frame this near to one of late is not hashed
ALIKE: Final = 6  # bits: a frame this near to a view of late is no other view
SAME: Final = 10  # bits: a frame this near to an earlier moment belongs to it
CUT: Final = 31  # bits: a frame further than this from the last moment begins another
OF_LATE: Final = 512
STEP: Final = 0.04  # seconds that a frame is shown if the clock does not say
LONGEST: Final = 2.0  # seconds that a frame counts as shown at most

Words = npt.NDArray[np.uint64]


class Kept:
    """A view, how long it was shown in seconds, and whether it leads its moment."""

    __slots__ = ("alone", "dice", "leads", "seconds", "view")

    def __init__(self, view: View, *, leads: bool, alone: bool) -> None:
        self.view, self.leads, self.alone = view, leads, alone
        self.seconds, self.dice = 0.0, _DICE.random()

    def rank(self) -> tuple[bool, float, float]:
        """Return what decides whether it stays: the greater, the longer."""
        return self.alone, self.seconds, self.dice


class Strand:
    """The views of one strand so far. `lost`: whether one went that resembled no other.

    `skipped`: whether what is inside a border was left out.
    """

    def __init__(self, number: int) -> None:
        self.number, self.kept, self.lost = number, list[Kept](), False
        self.at = 0.0
        self._hashes, self._moments = _Late(), _Late()
        self._glances: dict[int, _Late] = defaultdict(_Late)  # by the length of a glance
        self._inside: Place | None = None  # what was inside a border of late
        self.skipped = False
        self._moment = -1
        self._began = self._hashed = self._last = float("-inf")
        self._passed = 0
        self._shown: Kept | None = None
        self._leader: Hash | None = None

    @property
    def moments(self) -> int:
        """How many moments it has."""
        return self._moment + 1

    def take(self, view: View) -> list[View]:
        """Take a view of a file of its own; return it with the number of this strand."""
        leads = view.moment > self._moment
        self._moment = max(self._moment, view.moment)
        view = View(view.hash, self.number, view.moment, view.turned)
        self.kept.append(Kept(view, leads=leads, alone=True))
        self.kept[-1].seconds = LONGEST
        return [view]

    def see(self, variants: Variants, at: float | None) -> list[View]:
        """Take a picture that is shown from `at` on, in seconds; return what is new in it.

        `variants`: the ways in which viewers show it, which are worked out if it has changed.
        """
        self._count_time(at)
        glance, contrast = self._glance(variants)
        due = self._is_due(at)
        owner = self._glances[len(glance)].nearest(glance, CHANGED)
        if not due and (owner is not None or contrast < FLAT):
            self._shown = owner or self._shown
            return []
        self._passed, self._hashed = 0, self._hashed if at is None else at
        fresh = self._add(variants, at)
        if self._shown is not None:
            self._glances[len(glance)].add(glance, self._shown)
        if len(self.kept) > 2 * MAX_VIEWS:
            self.kept, lost = bounded(self.kept, MAX_VIEWS)
            self.lost = self.lost or lost
        return fresh

    def _glance(self, variants: Variants) -> tuple[Hash, float]:
        """Return hashes that change where a look does, as uint8, and the greatest contrast."""
        glances = [glance_at(planes) for planes in variants.glanced(self._inside)]
        if len(glances) == 1:
            return glances[0]
        contrast = max(contrast for _, contrast in glances)
        return np.concatenate([bits for bits, _ in glances]), contrast

    def _count_time(self, at: float | None) -> None:
        step = STEP if at is None or at <= self._last else min(at - self._last, LONGEST)
        if self._shown is not None:
            self._shown.seconds += step
        if at is not None:
            self.at, self._last = max(self.at, at), at

    def _is_due(self, at: float | None) -> bool:
        """Return whether to hash a picture that looks like one of late.

        A manipulated clock only makes that more frequent.
        """
        self._passed += 1
        behind = at is None or at < self._hashed
        return behind or self._passed >= PASSED or (at or 0.0) >= self._hashed + EVERY

    def _add(self, variants: Variants, at: float | None) -> list[View]:
        """Hash a picture, and keep what differs from the views of late."""
        hashes, further = list(_good(variants.plain())), list(_good(variants.further()))
        self._inside, self.skipped = variants.inside, self.skipped or variants.skipped
        if len(hashes) == 1 and (owner := self._hashes.nearest(hashes[0], ALIKE)) is not None:
            self._shown = owner
            return self._keep_all(further)  # a picture in a border may be another than before
        # Too flat as it is, but perhaps there is a picture inside a border.
        lead = next(iter(hashes or further), None)
        if lead is None:
            return []
        leads = bool(hashes) and self._begins(lead, at)
        new = not hashes and self._hashes.nearest(lead, SAME) is None
        if leads or self._moment < 0 or new:
            self._moment += 1
            self._leader, self._began = lead, self._began if at is None else at
        if leads:
            further += _good(variants.stored())
        return self._keep_all((*hashes, *further), lead, leads=leads)

    def _keep_all(
        self, hashes: Iterable[Hash], lead: Hash | None = None, *, leads: bool = False
    ) -> list[View]:
        """Keep hashes as views; return those that are new. `lead`: the one that is shown."""
        fresh: list[View] = []
        for pdq in hashes:
            fresh += self._keep(pdq, leads=leads and pdq is lead, shown=pdq is lead)
        return fresh

    def _keep(self, pdq: Hash, *, leads: bool, shown: bool) -> list[View]:
        """Keep a hash as a view, unless there is one like it. Return the view if it is new."""
        kept = self._hashes.nearest(pdq, ALIKE)
        fresh = kept is None or leads
        if kept is None or leads:
            alone = self._hashes.nearest(pdq, SAME) is None
            view = View(pdq.tobytes(), self.number, self._moment)
            kept = Kept(view, leads=leads, alone=alone)
            self._hashes.add(pdq, kept)
            self.kept.append(kept)
        if leads:
            self._moments.add(pdq, kept)
        if shown:
            self._shown = kept
        return [kept.view] if fresh else []

    def _begins(self, pdq: Hash, at: float | None) -> bool:
        """Return whether a picture begins a moment: at a cut, or after a second of change."""
        if self._moments.nearest(pdq, SAME) is not None:
            return False
        cut = self._leader is None or int(np.bitwise_count(self._leader ^ pdq).sum()) > CUT
        return cut or at is None or not self._began <= at < self._began + EVERY


def bounded(kept: Sequence[Kept], most: int) -> tuple[list[Kept], bool]:
    """Return the views that stay, in order, and whether one went that resembles no other."""
    if len(kept) <= most:
        return list(kept), False
    ranked = sorted(kept, key=Kept.rank, reverse=True)
    stay = {id(view) for view in ranked[:most]}
    return [view for view in kept if id(view) in stay], any(view.alone for view in ranked[most:])


def gather(strands: Sequence[Strand]) -> tuple[bytes, tuple[View, ...], bool]:
    """Return the signature and the views of strands, and whether one is lost.

    Each strand has an equal share of both bounds, and leaves to the others what it does not need.
    """
    shares = _shares([len(strand.kept) for strand in strands], MAX_VIEWS)
    views: list[View] = []
    lost = any(strand.lost for strand in strands)
    for strand, share in zip(strands, shares, strict=True):
        stay, gone = bounded(strand.kept, share)
        views += [kept.view for kept in stay]
        lost = lost or gone
    leaders = [[kept for kept in strand.kept if kept.leads] for strand in strands]
    shares = _shares([len(leading) for leading in leaders], MAX_FRAMES)
    signature = b"".join(
        kept.view.hash
        for leading, share in zip(leaders, shares, strict=True)
        for kept in bounded(leading, share)[0]
    )
    return signature, tuple(views), lost


def _shares(wanted: Sequence[int], most: int) -> list[int]:
    shares, left = [0] * len(wanted), most
    for place, number in enumerate(sorted(range(len(wanted)), key=lambda n: wanted[n])):
        shares[number] = min(wanted[number], left // (len(wanted) - place))
        left -= shares[number]
    return shares


def _good(
    hashes: Iterable[tuple[Hash, int]],
) -> Iterator[Hash]:
    return (pdq for pdq, quality in hashes if quality >= MIN_QUALITY)


class _Late:
    """The last few hashes, of 32 or 64 bytes, each with the view that it belongs to."""

    def __init__(self) -> None:
        self._words: Words = np.zeros((OF_LATE, 0), dtype=np.uint64)
        self._owners: list[Kept] = []
        self._count = 0

    def nearest(self, pdq: Hash, within: int) -> Kept | None:
        words = pdq.view(np.uint64)
        if not self._owners or self._words.shape[1] != len(words):
            return None
        apart = np.bitwise_count(self._words[: len(self._owners)] ^ words).sum(axis=1)
        place = int(apart.argmin())
        return self._owners[place] if apart[place] <= within else None

    def add(self, pdq: Hash, owner: Kept) -> None:
        words = pdq.view(np.uint64)
        if self._words.shape[1] != len(words):
            self._words = np.zeros((OF_LATE, len(words)), dtype=np.uint64)
            self._owners, self._count = [], 0
        place = self._count % OF_LATE
        self._words[place] = words
        self._owners[place : place + 1] = [owner]
        self._count += 1


_DICE: Final = random.SystemRandom()

"""The merging of what the parts of a file give: one signature, one list of views."""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from kinward.ground.errors import KinwardError
from kinward.media.errors import TypeUnsupported, Undecodable
from kinward.media.medium import (
    FRAME,
    MAX_FRAMES,
    MAX_VIEWS,
    Hashed,
    More,
    View,
    split_frames,
    views_of,
)
from kinward.media.parts import Budget, Part, Role
from kinward.media.pdq import MIN_QUALITY

STRANDS: Final = 64  # of a part; further ones count as the last
ALIKE: Final = 6  # bits: a view this near to one that was kept may go
SAME: Final = 10  # bits: a moment this near to one of another part adds nothing to the signature


class _Hashed(msgspec.Struct, frozen=True):
    """A part and what hashing it gave; its views with the strands of the whole file."""

    part: Part
    hashed: Hashed
    views: list[View]


class Merger:
    """Collects the parts of one file. `wanted`: whether the caller wants more views.

    `more`: receives views of finished parts once `stream` is called. `media_type`: of a document.
    """

    def __init__(self, more: More, media_type: str) -> None:
        self.wanted = True
        self._more, self._media_type = more, media_type
        self._read: list[_Hashed] = []
        self._faults: list[tuple[Part, KinwardError]] = []
        self._sent: set[View] = set()
        self._unsent: list[View] = []

    def receiver(self, part: Part) -> More:
        """Return what takes the views of a part while it is hashed."""

        def more(views: Sequence[View]) -> bool:
            moved = [_moved(view, part) for view in views]
            self._sent.update(moved)
            self.wanted = self._more(moved)
            return self.wanted

        return more

    def add(self, part: Part, hashed: Hashed) -> None:
        """Take what a part gave."""
        views = [_moved(view, part) for view in _views(hashed)]
        if part.role is Role.FILE:  # another reading of the same bytes adds what it sees more
            known = {view.hash for one in self._read for view in one.views}
            views = [view for view in views if view.hash not in known]
        self._read.append(_Hashed(part, hashed, views))
        self._unsent += [view for view in views if view not in self._sent]
        self._sent.clear()

    def fail(self, part: Part, fault: KinwardError) -> None:
        """Take note of a part that cannot be read, and forget one that only looked like a file."""
        if part.role is Role.FILE or is_missing(part, fault):
            self._faults.append((part, fault))

    def stream(self) -> None:
        """Pass the views of the parts so far on: the next part may end this process."""
        if self._unsent and self.wanted:
            self.wanted = self._more(self._unsent)
        self._unsent = []

    def result(self, budget: Budget) -> Hashed:
        """Return what the file gave as a whole, of which `budget` was searched for parts.

        Raises a fault if nothing was read: that of a picture that is there before that of a part
        in which there is none. Nobody knows that there is none where the time was up first, or
        where bytes of no known kind were not searched to their end.
        """
        if not self._read:
            faults = [fault for _, fault in self._faults]
            there = [fault for fault in faults if not isinstance(fault, TypeUnsupported)]
            fault = next(iter((*there, *faults)), TypeUnsupported())
            if budget.late and isinstance(fault, TypeUnsupported):
                raise Undecodable(
                    "Its time was up before it was searched; send its frames' hashes."
                )
            if budget.cut and not self._media_type and isinstance(fault, TypeUnsupported):
                raise Undecodable("It could not be searched to its end.")
            raise fault
        read = sorted(self._read, key=lambda one: (one.part.role is not Role.FILE, one.part.number))
        main = read[0]
        own = [one for one in read if not one.part.aside and _frames(one.hashed)]
        own = own or [one for one in read if not one.hashed.framed][:1] or [main]
        signature = (
            _merged([_frames(one.hashed) for one in own]) if own[1:] else own[0].hashed.signature
        )
        frames = max(2, len(signature) // FRAME)
        several = own[1:] and len(signature) > FRAME
        views = main.views if read[1:] or main.part.number else list(main.hashed.views)
        lost = False
        if read[1:]:
            views = _fair([one.views for one in read], MAX_VIEWS)
            lost = _lost([view for one in read for view in one.views], views)
        return Hashed(
            kind="video" if several else own[0].hashed.kind,
            signature=signature,
            media_type=self._type_of(main),
            width=main.hashed.width,
            height=main.hashed.height,
            frames=frames if several else own[0].hashed.frames,
            quality=None if several else own[0].hashed.quality,
            seconds=max(one.hashed.seconds for one in read),
            entire=self.wanted and not (budget.cut or lost or self._missed() or self._lost(own[0])),
            views=tuple(views),
            unread=budget.unread or any(one.hashed.unread for one in read),
            drawn=budget.drawn or any(one.hashed.drawn for one in read),
        )

    def _missed(self) -> bool:
        """Return whether a part, or the rest of one, could not be read that a viewer may show.

        What the bytes are themselves counts as read by a medium if one of its readings was entire.
        """
        own = [one for one in self._read if one.part.role is Role.FILE]
        entire = {one.part.medium.name for one in own if one.hashed.entire}
        unread = any(is_missing(part, fault, own=bool(own)) for part, fault in self._faults)
        return unread or any(
            not one.hashed.entire
            and not one.part.aside
            and not (one.part.role is Role.FILE and one.part.medium.name in entire)
            for one in self._read
        )

    def _lost(self, main: _Hashed) -> bool:
        """Return whether a part has a value that the signature, which is `main`'s, does not have.

        PDQ hashes of several parts join in one signature. Values of other kinds do not.
        """
        values = {(one.hashed.kind, one.hashed.signature) for one in self._read if _is_whole(one)}
        return bool(values - {(main.hashed.kind, main.hashed.signature)})

    def _type_of(self, main: _Hashed) -> str:
        """Return the media type of the file; that of its first part if it has none itself."""
        if main.part.role is Role.FILE:
            return main.hashed.media_type
        for part, _ in self._faults:
            if part.role is Role.FILE:
                return part.medium.recognise(part.data)
        return self._media_type or main.hashed.media_type


def is_missing(part: Part, fault: KinwardError, *, own: bool = False) -> bool:
    """Return whether a viewer may show this part, of which nothing could be read.

    `own`: whether the bytes from their beginning were read as something; then their other readings
    are not missing. A film without pictures is sound. What begins as a picture is a damaged one.
    """
    if part.medium.lasting and isinstance(fault, TypeUnsupported):
        return False
    return not (own if part.role is Role.FILE else part.weak)


def _is_whole(one: _Hashed) -> bool:
    return not one.hashed.framed and bool(one.hashed.signature)


def _moved(view: View, part: Part) -> View:
    """Return a view with the strand that it has in the whole file."""
    strand = part.number * STRANDS + min(view.strand, STRANDS - 1)
    return msgspec.structs.replace(view, strand=strand) if strand != view.strand else view


def _views(hashed: Hashed) -> list[View]:
    """Return the views of a file, also if its signature says them all."""
    if hashed.views:
        return list(hashed.views)
    return views_of(_frames(hashed))


def _frames(hashed: Hashed) -> list[bytes]:
    """Return the moments of a signature, without those of low quality; none of another kind."""
    if not hashed.framed:
        return []
    if hashed.quality is not None and hashed.quality < MIN_QUALITY:
        return []
    return split_frames(hashed.signature)


def _merged(signatures: Sequence[Sequence[bytes]]) -> bytes:
    """Return the moments of several parts as one signature, without what two of them share."""
    kept: npt.NDArray[np.uint8] = np.empty((0, FRAME), dtype=np.uint8)
    lists: list[list[bytes]] = []
    for frames in signatures:
        new = np.frombuffer(b"".join(frames), dtype=np.uint8).reshape(-1, FRAME)
        if len(kept):
            apart = [np.bitwise_count(kept ^ frame).sum(axis=1).min() > SAME for frame in new]
            new = new[apart]
        lists.append(split_frames(new.tobytes()))
        kept = np.concatenate([kept, new])[: 4 * MAX_FRAMES]
    return b"".join(_fair(lists, MAX_FRAMES))


def _lost(views: Sequence[View], kept: Sequence[View]) -> bool:
    """Return whether one of the views went that resembles none of those that were kept."""
    known = {view.hash for view in kept}
    gone = {view.hash for view in views} - known
    if len(gone) > MAX_VIEWS:
        return True
    words = np.frombuffer(b"".join(known), dtype=np.uint64).reshape(-1, FRAME // 8)
    return any(
        np.bitwise_count(words ^ np.frombuffer(pdq, dtype=np.uint64)).sum(axis=1).min() > ALIKE
        for pdq in gone
    )


Item = TypeVar("Item")


def _fair(lists: Sequence[Sequence[Item]], limit: int) -> list[Item]:
    """Return the items of all lists; at most `limit`, of which a short list loses none."""
    shares, left = [0] * len(lists), limit
    for waiting, index in enumerate(sorted(range(len(lists)), key=lambda i: len(lists[i]))):
        shares[index] = min(len(lists[index]), left // (len(lists) - waiting))
        left -= shares[index]
    return [
        items[place * len(items) // share]
        for items, share in zip(lists, shares, strict=True)
        for place in range(share)
    ]

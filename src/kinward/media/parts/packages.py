"""What is packed in some bytes, and where."""

import sys
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from kinward.media.parts import archives
from kinward.media.parts.budget import Budget
from kinward.media.parts.pdf import Pdf
from kinward.media.parts.scan import DATA, PACKED, PDF, ZIP, Found

MAX_PDFS: Final = 16


class Content(msgspec.Struct, frozen=True):
    """A packed file. `known`: whether a medium knows its beginning. `weak`: as in a member."""

    data: bytes
    weak: bool = False
    known: bool = True


class Packed(msgspec.Struct, frozen=True):
    """A member of an archive, its first bytes by one method, and whether they are all of it."""

    member: archives.Member
    method: int
    head: bytes
    whole: bool

    def content(self, data: bytes, room: int) -> tuple[bytes, bool]:
        """Return at most `room` bytes, and whether they are all of it."""
        if self.whole:
            return self.head, True
        start, end = self.member.start, self.member.end
        if self.method == archives.STORED:
            return data[start : min(end, start + room)], end - start <= room
        return archives.unpack_member(data, self.method, start, room)


class Packages:
    """What is packed in some bytes, and where: the members of archives, a PDF, `data:` URLs.

    `weak`: whether the bytes themselves only may be a file.
    """

    def __init__(self, data: bytes, founds: Sequence[Found], budget: Budget, *, weak: bool) -> None:
        self.weak = weak
        starts: dict[str, list[int]] = {ZIP: [], PDF: [], DATA: []}
        for found in founds:
            if found.signature.kind in PACKED:
                starts[found.signature.kind].append(found.start)
        self.urls = [start + len(b";base64,") for start in starts[DATA]]
        # Each of several is also read alone: their objects may have the same numbers.
        budget.unread |= len(starts[PDF]) > MAX_PDFS
        self.pdfs = [Pdf(data[start:], budget) for start in starts[PDF][:1]]
        if starts[PDF][1:]:
            pieces = pairwise([*starts[PDF][:MAX_PDFS], len(data)])
            self.pdfs += [Pdf(data[start:end], budget) for start, end in pieces]
        members = [
            archives.member(data, start, following)
            for start, following in pairwise([*starts[ZIP], len(data)])
        ]
        directory = archives.Directory(data, budget) if members else None
        self.sealed = directory is not None and directory.sealed and not weak
        self._extents = [
            (one.start, one.end)
            for one in members
            if not one.sealed and one.method != archives.STORED
        ]
        for at, pdf in zip(starts[PDF], self.pdfs[:1], strict=False):
            self._extents += [(at + start, at + end) for start, end in pdf.extents()]
        self._extents.sort()
        self.members = [
            msgspec.structs.replace(
                member,
                weak=weak or (self.hold(start) and not (directory and directory.lists(start))),
            )
            for start, member in zip(starts[ZIP], members, strict=True)
        ]
        # Where files begin that are read as they stand there.
        self.starts = {start for start in (*starts[ZIP], *starts[PDF][:1]) if not self.hold(start)}

    def hold(self, offset: int) -> bool:
        """Return whether an offset lies in packed bytes, which only look like a file there."""
        place = bisect_right(self._extents, (offset, sys.maxsize)) - 1
        return place >= 0 and offset < self._extents[place][1]

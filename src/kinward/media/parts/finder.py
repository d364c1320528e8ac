"""The files in some bytes: what the bytes are themselves, what follows them, and what they hold."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from kinward.media.medium import Medium
from kinward.media.parts import archives, boxes, markup, texts
from kinward.media.parts.budget import Budget
from kinward.media.parts.packages import Content, Packages, Packed
from kinward.media.parts.scan import PACKED, TRANSPORT, Found, scan, transport

DEPTH: Final = 3  # files in files in files
HEAD: Final = 4096  # bytes by which a medium knows its files
MAX_FILMS: Final = 16  # that begin inside the bytes
MAX_INSIDE: Final = 16  # files inside another, which may have thousands as its own frames
RESYNCED: Final = frozenset({"transport", "program"})  # their decoders search for the next packet
SIGNED: Final = frozenset({"jpeg 2000", "jpeg xl"})  # in boxes, after one that is a signature
MAX_WRITTEN: Final = 64  # `data:` URLs in what is no text
# A picture that belongs to another: how to show it brighter. No viewer shows it by itself.
_GAIN_MAPS: Final = (b"hdrgm:", b"urn:iso:std:iso:ts:21496")
GAIN_MAP_HEAD: Final = 65536


class Role(StrEnum):
    """What a part is to the file that was sent."""

    FILE = "file"  # the bytes from their beginning, as some parser reads them
    APPENDED = "appended"  # begins after the end of another
    INSIDE = "inside"  # lies inside another: a preview, a thumbnail, a cover
    EMBEDDED = "embedded"  # packed or written into a document or an archive


class Part(msgspec.Struct, frozen=True):
    """A file in the bytes.

    `number`: of the part, from 0; the same each time they are searched. `weak`: the bytes may look
    like a file by accident, so that it means nothing if they cannot be read.
    """

    medium: Medium
    data: bytes
    number: int
    role: Role
    weak: bool = False

    @property
    def aside(self) -> bool:
        """Whether it is a view of another part, and nothing of its own."""
        return self.role is Role.INSIDE and not self.medium.lasting


def find_parts(data: bytes, media: Sequence[Medium], budget: Budget) -> Iterator[Part]:
    """Yield the parts of a file: stills before films, and packed ones last. Nothing is decoded.

    `budget.cut` says in the end whether there may be more.
    """
    yield from _Finder(media, budget).find(data, Role.FILE, 0)


class _Draft(msgspec.Struct, frozen=True):
    """A part before its bytes are copied: some form of the whole, or what begins at `found`."""

    medium: Medium
    number: int
    role: Role
    form: bytes = b""
    found: Found | None = None
    end: int = 0

    def part(self, content: bytes) -> Part:
        weak = self.role is Role.INSIDE or (self.found is not None and self.found.signature.weak)
        return Part(self.medium, content, self.number, self.role, weak=weak)


class _Layer:
    """A file that lies in no other. Its end is computed once something may lie after it."""

    def __init__(self, data: bytes, found: Found | None, budget: Budget) -> None:
        self._data, self._budget, self.found = data, budget, found
        self._end: int | None = None
        self._boxes: bool | None = None
        self.inside = 0

    def _is_boxes(self) -> bool:
        if self._boxes is None:
            self._boxes = boxes.begins(
                boxes.without_tags(self._data, self._budget), 0, self._budget
            )
        return self._boxes

    def end(self) -> int:
        if self._end is None:
            self._end = self._measure()
        return self._end

    def _measure(self) -> int:
        if self.found is not None:
            return self.found.signature.end(self._data, self.found.start, self._budget)
        return boxes.ends(self._data, 0, self._budget) or len(self._data)

    def owns(self, found: Found) -> bool:
        """Return whether something that begins inside it is only a piece of it."""
        if self.found is None:  # boxes, or a kind without a signature
            return found.signature.kind == "boxes" and self._is_boxes()
        kind = self.found.signature.kind
        after = self.found.start + len(self.found.signature.pattern)
        if kind in SIGNED and found.start == after:
            return True  # its own brand; `boxes.readings` asks whether it is a film as well
        same = found.signature.kind == kind
        return same and found.signature.run


def _without_the_rest(own: Sequence[_Draft], first: _Layer) -> Iterator[_Draft]:
    """Yield a film, or a picture in boxes, again without what follows it.

    Some decoders stop there, or take it for a piece of the same file.
    """
    if first.found is None or first.found.signature.kind in RESYNCED:
        return
    for draft in own:
        if draft.medium.lasting or first.found.signature.kind == "boxes":
            yield msgspec.structs.replace(draft, found=first.found, end=first.end())


class _Finder:
    """One search, which yields packed bytes once, however often they are there."""

    def __init__(self, media: Sequence[Medium], budget: Budget) -> None:
        self._media, self._budget = media, budget
        self._seen: set[bytes] = set()
        self._films, self._held = 0, 0

    def find(self, data: bytes, role: Role, depth: int) -> Iterator[Part]:
        """Yield the parts of bytes; `role`: that of what they are themselves."""
        founds = sorted(scan(data, self._budget), key=lambda found: found.start)
        weak = role is Role.INSIDE  # then so is all that is in them
        packages = Packages(data, founds, self._budget, weak=weak)
        drafts = list(self._forms(data, role))
        drafts += self._layers(data, founds, packages, drafts[:])
        for lasting in (False, True):
            for draft in drafts:
                if draft.medium.lasting is lasting and (content := self._cut(data, draft)):
                    part = draft.part(content)
                    yield msgspec.structs.replace(part, role=role, weak=True) if weak else part
        for packed in self._packed(data, packages):
            key = sha256(packed.data).digest()
            if key in self._seen:
                continue
            self._seen.add(key)
            if depth == DEPTH:
                self._budget.cut |= packed.known
                self._budget.unread |= not packed.weak
                continue
            inner = Role.INSIDE if weak or packed.weak else Role.EMBEDDED
            yield from self.find(packed.data, inner, depth + 1)

    def _forms(self, data: bytes, role: Role) -> Iterator[_Draft]:
        """Yield what each medium takes the bytes as a whole for."""
        known: set[str] = set()
        for form in (data, *boxes.readings(data, self._budget)):
            for medium in self._media:
                if (medium.lasting and medium.name in known) or not medium.recognise(form):
                    continue
                known.add(medium.name)
                if (number := self._budget.number()) is not None:
                    yield _Draft(medium, number, role, form)

    def _layers(
        self,
        data: bytes,
        founds: Sequence[Found],
        packages: Packages,
        own: Sequence[_Draft],
    ) -> Iterator[_Draft]:
        """Yield what begins after the beginning of the bytes."""
        top = first = _Layer(data, None, self._budget) if own else None
        for found in founds:
            if found.signature.kind in PACKED:
                continue
            if found.start == 0 and own:
                top = first = _Layer(data, found, self._budget)
                continue
            if packages.hold(found.start):
                self._held += 1
                self._budget.unread |= self._held > MAX_INSIDE
                if self._held <= MAX_INSIDE:
                    yield from self._drafts(data, found, len(data), Role.INSIDE)
                continue
            if top is None or found.start >= top.end():
                role = Role.APPENDED if own else Role.EMBEDDED
                if top is first and first is not None:
                    yield from _without_the_rest(own, first)
                top = _Layer(data, found, self._budget)
                packages.starts.add(found.start)
            elif top.owns(found):
                continue
            elif top.inside >= MAX_INSIDE:
                # What lies in a film is most often its own frames, and they are read.
                self._budget.unread |= not any(draft.medium.lasting for draft in own)
                continue
            else:
                role, top.inside = Role.INSIDE, top.inside + 1
            # Players of a transport stream skip damaged packets, so it has no certain end.
            whole = top.found is not found or found.signature is TRANSPORT
            end = len(data) if whole else top.end()
            yield from self._drafts(data, found, end, role)

    def _drafts(self, data: bytes, found: Found, end: int, role: Role) -> Iterator[_Draft]:
        head = data[found.start : found.start + HEAD]
        if found.signature is TRANSPORT:
            head = transport(head)
        if role is Role.APPENDED and found.signature.kind == "jpeg" and _is_gain_map(data, found):
            role = Role.INSIDE
        for medium in self._media:
            if not medium.recognise(head):
                continue
            self._films += medium.lasting
            number = None if self._films > MAX_FILMS else self._budget.number()
            if number is None:
                self._budget.cut = True
                return
            yield _Draft(medium, number, role, found=found, end=end)

    def _cut(self, data: bytes, draft: _Draft) -> bytes | None:
        """Return the bytes of a part; None if too much was copied before."""
        if draft.found is None:
            return draft.form
        found = draft.found
        content = self._budget.copy(data, found.start, draft.end)
        if content is None or found.signature is not TRANSPORT:
            return content
        return transport(content)

    def _packed(self, data: bytes, packages: Packages) -> Iterator[Content]:
        """Yield the files that are packed in, or written into, some bytes."""
        self._budget.unread |= archives.is_closed(data)
        if data.startswith(archives.GZIP):
            yield Content(archives.unzip(data, self._budget))
        yield from self._members(data, packages)
        for pdf in packages.pdfs:
            yield from map(Content, pdf.pictures())
        self._budget.drawn |= not packages.weak and texts.draws(data)
        if markup.is_text(data) or markup.document_type(data) in markup.TEXTS:
            yield from map(Content, markup.embedded(data, self._budget))
        else:
            self._budget.unread |= len(packages.urls) > MAX_WRITTEN
            urls = (markup.url_at(data, start) for start in packages.urls[:MAX_WRITTEN])
            yield from map(Content, urls)

    def _member(self, data: bytes, member: archives.Member, starts: set[int]) -> Iterator[Packed]:
        """Yield a packed file of an archive, in each way in which it may be packed.

        A stored one is found as it is, if it begins as a file does.
        """
        for method in member.methods():
            own, size = method == member.method, member.end - member.start
            if method == archives.STORED:
                if member.start not in starts:
                    head = data[member.start : member.start + min(size, HEAD)]
                    yield Packed(member, method, head, whole=size <= HEAD)
                continue
            head, whole = archives.unpack_member(data, method, member.start, HEAD)
            if own and not (head or whole or member.sealed or member.weak):
                self._budget.unread |= size > 0
            if head:
                yield Packed(member, method, head, whole)

    def _members(self, data: bytes, packages: Packages) -> Iterator[Content]:
        """Yield the packed files of archives: those that a medium knows first."""
        self._budget.unread |= packages.sealed
        others: list[Packed] = []
        for member in packages.members:
            if self._budget.is_late():
                return
            self._budget.unread |= member.sealed and not member.weak
            for packed in self._member(data, member, packages.starts):
                if self._knows(packed.head):
                    content, _ = packed.content(data, self._budget.room())
                    self._budget.unpack(len(content))
                    yield Content(content, weak=member.weak)
                    continue
                self._budget.unread |= archives.is_closed(packed.head) and not member.weak
                self._budget.drawn |= texts.draws(packed.head) and not member.weak
                if not packed.whole or markup.may_hold(packed.head):
                    others.append(packed)
        for packed in others:
            if self._budget.is_late():
                return
            content, whole = packed.content(data, self._budget.search_room())
            self._budget.search(len(content))
            sure = packed.method == packed.member.method and not packed.member.weak
            self._budget.unread |= sure and not whole
            yield Content(content, weak=packed.member.weak, known=False)

    def _knows(self, head: bytes) -> bool:
        """Return whether a file begins as a picture, a film or a document does, or holds one."""
        if markup.document_type(head) or any(scan(head, self._budget)):
            return True
        return any(medium.recognise(head) for medium in self._media)


def _is_gain_map(data: bytes, found: Found) -> bool:
    head = data[found.start : found.start + GAIN_MAP_HEAD]
    return any(mark in head for mark in _GAIN_MAPS)

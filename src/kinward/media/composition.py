"""Files of several parts: hashed together, each part shown by itself. Runs in a decoder process.

The strands of a file are numbered part by part: part 2 has the strands 128 to 191.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar

import msgspec

from kinward.ground.errors import KinwardError
from kinward.media.errors import TypeUnsupported, Undecodable
from kinward.media.medium import Bounds, Contents, Hashed, Medium, More, Playback, Strand
from kinward.media.merging import STRANDS, Merger, is_missing
from kinward.media.parts import Budget, Part, Role, document_type, find_parts

SEVERAL: Final = 8  # parts; a file of more gets as much time as a film

Made = TypeVar("Made")
# Receives the place of a part in the order of reading, and whether it may take long.
Begins = Callable[[int, bool], None]


def _nothing(place: int, lasting: bool) -> None:
    return None


def hash_parts(
    data: bytes,
    bounds: Bounds,
    more: More,
    media: Sequence[Medium],
    *,
    begins: Begins = _nothing,
    after: int = 0,
) -> Hashed:
    """Hash every part of a file, and merge what they give. Raises as `Medium.hash` does.

    `begins` is told of each part before it is read, if there are several, and `more` has received
    the views of those before. `after`: so many parts are left out. A part that cannot be read stops
    no other: then the result is not `entire`.
    """
    until = time.monotonic() + bounds.seconds
    budget = Budget(until)
    parts = islice(find_parts(data, media, budget), after, None)
    merger = Merger(more, document_type(data))
    part = next(parts, None)
    for place, following in enumerate(_then_none(parts), after):
        if place or following is not None:
            merger.stream()
        if part is None or not merger.wanted or (place > after and budget.is_late()):
            break
        # A film that does not look like one by its first bytes may take the time of a film, too.
        hidden = part.medium.lasting and not part.medium.recognise(data)
        if place or following is not None or hidden:
            begins(place, part.medium.lasting or place >= SEVERAL)
        left = max(min(1.0, bounds.seconds), until - time.monotonic())
        seconds = left if following is None else left / 2
        _hash(part, msgspec.structs.replace(bounds, seconds=seconds), merger)
        part = following
    return merger.result(budget)


def _then_none(parts: Iterator[Part]) -> Iterator[Part | None]:
    yield from parts
    yield None


def _hash(part: Part, bounds: Bounds, merger: Merger) -> None:
    try:
        merger.add(part, part.medium.hash(part.data, bounds, merger.receiver(part)))
    except MemoryError:
        merger.fail(part, Undecodable("It needs more memory than is allowed."))
    except KinwardError as error:
        merger.fail(part, error)


def strands_of(data: bytes, bounds: Bounds, media: Sequence[Medium]) -> Contents:
    """Return what there is to see in a file, part by part. What cannot be read is left out."""
    found: list[Strand] = []
    faults: list[tuple[Part, KinwardError]] = []
    budget, own = Budget(time.monotonic() + bounds.seconds), False
    parts = sorted(find_parts(data, media, budget), key=lambda part: part.number)
    for part in {part.number: part for part in reversed(parts)}.values():
        try:
            strands = part.medium.strands(part.data, bounds)
        except KinwardError as error:
            faults.append((part, error))
            continue
        own = own or part.role is Role.FILE
        found += [
            msgspec.structs.replace(
                strand,
                number=part.number * STRANDS + min(strand.number, STRANDS - 1),
                role=str(part.role),
                media_type=strand.media_type or part.medium.recognise(part.data),
            )
            for strand in strands
        ]
    missing = any(is_missing(part, fault, own=own) for part, fault in faults)
    found.sort(key=lambda strand: strand.number)
    known = not (budget.cut or budget.unread or budget.drawn)
    entire = own and not missing and known and all(strand.entire for strand in found)
    return Contents(found, entire=entire)


def still_of_parts(
    data: bytes,
    bounds: Bounds,
    media: Sequence[Medium],
    *,
    veiled: bool,
    strand: int | None = None,
    moment: int = 0,
) -> bytes:
    """Return a JPEG of one moment of a strand; without a strand, of the first part that has one."""
    if strand is not None:
        part, inner = _part(data, bounds, media, strand)
        return part.medium.still_of(part.data, bounds, veiled=veiled, strand=inner, moment=moment)
    return _first(data, bounds, media, lambda p: p.medium.still(p.data, bounds, veiled=veiled))


def play_parts(
    data: bytes, bounds: Bounds, media: Sequence[Medium], *, strand: int | None = None
) -> Playback:
    """Return the part of a strand re-encoded; without a strand, the file itself."""
    if strand is not None:
        part, inner = _part(data, bounds, media, strand)
        return part.medium.play_of(part.data, bounds, strand=inner)
    return _first(data, bounds, media, lambda part: part.medium.play(part.data, bounds))


def _parts(data: bytes, bounds: Bounds, media: Sequence[Medium]) -> list[Part]:
    """Return the parts in the order of their numbers, the file itself first."""
    parts = find_parts(data, media, Budget(time.monotonic() + bounds.seconds))
    return sorted(parts, key=lambda part: part.number)


def _part(data: bytes, bounds: Bounds, media: Sequence[Medium], strand: int) -> tuple[Part, int]:
    number, inner = divmod(strand, STRANDS)
    for part in find_parts(data, media, Budget(time.monotonic() + bounds.seconds)):
        if part.number == number:
            return part, inner
    raise TypeUnsupported(f"It has no strand {strand}.")


def _first(
    data: bytes, bounds: Bounds, media: Sequence[Medium], make: Callable[[Part], Made]
) -> Made:
    """Return what the first part gives that gives anything. Raises the first part's error."""
    fault: KinwardError | None = None
    for part in _parts(data, bounds, media):
        try:
            return make(part)
        except KinwardError as error:
            fault = fault or error
    raise fault or TypeUnsupported()

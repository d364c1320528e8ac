"""Writes the items of an AVIF by hand: pictures, tiles, alpha, and what is beside them."""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from PIL import Image

from tests.support.corpus.containers import box
from tests.support.corpus.entry import encode
from tests.support.corpus.filming import find_boxes

ESSENTIAL: Final = frozenset({b"av1C", b"clap", b"irot", b"imir"})
COLOURS: Final = box(b"colr", b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0x80))
ALPHA: Final = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0"
TILE: Final = (160, 120)
# Two rows and two columns of tiles, together 320 x 240.
GRID: Final = bytes([0, 0, 1, 1]) + struct.pack(">HH", 320, 240)


class Item(NamedTuple):
    """An item: its number, type, data and properties, each a box."""

    number: int
    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()
    hidden: bool = False


def full(name: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    """Return a box with a version and flags."""
    return box(name, struct.pack(">I", version << 24 | flags) + body)


def coded(image: Image.Image) -> tuple[bytes, bytes]:
    """Return a picture in AV1, and the box that says how it is coded."""
    data = encode(image, "AVIF")
    (start, end) = find_boxes(data, "mdat")[0]
    at = data.index(b"av1C") - 4
    (length,) = struct.unpack_from(">I", data, at)
    return data[start + 8 : end], data[at : at + length]


def properties(
    size: tuple[int, int], configuration: bytes = b"", *, alpha: bool = False
) -> tuple[bytes, ...]:
    """Return the properties of a picture of this size."""
    depths = b"\1\x08" if alpha else b"\3\x08\x08\x08"
    own = [full(b"ispe", struct.pack(">II", *size)), full(b"pixi", depths)]
    own += [configuration] * bool(configuration)
    return (*own, full(b"auxC", ALPHA) if alpha else COLOURS)


def heif(
    items: Sequence[Item],
    references: Sequence[tuple[bytes, int, tuple[int, ...]]] = (),
    primary: int = 1,
) -> bytes:
    """Return an AVIF. `references`: type, from, to."""
    shared = list(dict.fromkeys(own for item in items for own in item.properties))
    owned = b""
    for item in items:
        places = [shared.index(own) + 1 | 0x80 * (own[4:8] in ESSENTIAL) for own in item.properties]
        owned += struct.pack(">HB", item.number, len(places)) + bytes(places)
    names = b"".join(
        full(b"infe", struct.pack(">HH4sB", item.number, 0, item.kind, 0), 2, item.hidden)
        for item in items
    )
    links = b"".join(
        box(kind, struct.pack(f">HH{len(to)}H", of, len(to), *to)) for kind, of, to in references
    )
    first = box(b"ftyp", b"avif" + bytes(4) + b"avifmif1miafMA1B")
    head = full(b"hdlr", bytes(4) + b"pict" + bytes(13)) + full(b"pitm", struct.pack(">H", primary))
    head += full(b"iinf", struct.pack(">H", len(items)) + names)
    head += full(b"iref", links) if links else b""
    container = box(b"ipco", b"".join(shared)) + full(
        b"ipma", struct.pack(">I", len(items)) + owned
    )
    head += box(b"iprp", container)

    def meta(at: int) -> bytes:
        places = b""
        for item in items:
            places += struct.pack(">HHHII", item.number, 0, 1, at, len(item.data))
            at += len(item.data)
        return full(
            b"meta", head + full(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)) + places)
        )

    data = b"".join(item.data for item in items)
    return first + meta(len(first) + len(meta(0)) + 8) + box(b"mdat", data)

"""PNG: its chunks, a repaired copy, its colours, and the frames of an animation."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from kinward.media.stills.adam7 import Pass, paint_passes, sizes_of
from kinward.media.stills.animation import Animation, Disposal, Frame
from kinward.media.stills.colour import to_eight
from kinward.media.stills.reading import Pixels, load

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# What a repaired copy keeps: pixels and colours.
KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"eXIf"}
)
INFLATED: Final = b"\x78\x9c"  # the head of a zlib stream
PIECE: Final = 1 << 20  # bytes that are inflated at a time
STEP: Final = 4096  # bytes of a broken stream that are inflated at a time
MOST: Final = 1 << 28  # bytes of pixels of a broken picture
HELD_BACK: Final = 1 << 15  # bytes: as far back as packed data refers
SAMPLES: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by PNG's number of its colours
PALETTE: Final = 3  # number of the colours of a palette
SHARED: Final = frozenset({b"PLTE", b"tRNS"})  # by all frames
# The bytes that an optional chunk has at least. Browsers ignore a shorter one, Pillow refuses it.
LEAST: Final = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"acTL": 8}
CLEAR: Final = {0: 2, 2: 6}  # bytes of the colour that is transparent, by the number of the colours
FRAMES: Final = frozenset({b"fcTL", b"fdAT"})
TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})
LONGEST_TEXT: Final = 1 << 16
CONTROL: Final = struct.Struct(">IIIIIHHBB")
DISPOSALS: Final = {1: Disposal.CLEAR, 2: Disposal.RESTORE}


class Chunk(NamedTuple):
    """A chunk: its name and body, and whether it is whole and its checksum right.

    `late`: whether it is data that stands after another chunk which follows data.
    """

    kind: bytes
    body: memoryview
    sound: bool
    late: bool


def chunks_of(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a PNG through its last, or its last bytes."""
    view, at = memoryview(data), len(SIGNATURE)
    before, ended = b"", False
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = view[at + 8 : at + 8 + length]
        end = at + 8 + length
        sound = end + 4 <= len(data) and zlib.crc32(body, zlib.crc32(kind)) == int.from_bytes(
            view[end : end + 4]
        )
        ended |= before == b"IDAT" != kind
        before = kind
        yield Chunk(kind, body, sound, late=ended and kind == b"IDAT")
        if kind == b"IEND":
            return
        at = end + 4


def formed(data: bytes) -> tuple[list[Chunk], bytes]:
    """Return the chunks without those that viewers ignore and Pillow refuses, and such a PNG."""
    chunks = list(chunks_of(data))
    kept = [chunk for chunk in chunks if _is_formed(chunk, chunks[0])]
    if not is_animated(kept):
        kept = [chunk for chunk in kept if chunk.kind not in FRAMES]
    return (chunks, data) if len(kept) == len(chunks) else (kept, repair(kept))


def _is_formed(chunk: Chunk, header: Chunk) -> bool:
    """Return whether Pillow takes a chunk. Of texts, only short ones in the open are certain."""
    kind, body = chunk.kind, chunk.body
    if kind in TEXTS:
        name = bytes(body[:80]).find(b"\0")
        packed = kind == b"zTXt" or (kind == b"iTXt" and bytes(body[name + 1 : name + 2]) != b"\0")
        return not packed and len(body) <= LONGEST_TEXT
    if kind == b"iCCP":
        name = bytes(body[:80]).find(b"\0")
        return name >= 0 and bytes(body[name + 1 : name + 2]) == b"\0"
    if kind == b"tRNS" and len(header.body) >= 13:
        return len(body) >= CLEAR.get(header.body[9], 0)
    return kind.isalnum() and len(body) >= LEAST.get(kind, 0)


def build(chunks: Iterable[tuple[bytes, Any]]) -> bytes:
    """Return a PNG of these chunks and an end."""
    out = [SIGNATURE]
    for kind, body in (*chunks, (b"IEND", b"")):
        out += [struct.pack(">I", len(body)), kind, bytes(body)]
        out.append(struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))))
    return b"".join(out)


def repair(chunks: Iterable[Chunk]) -> bytes:
    """Return a PNG of the same pixels and colours whose checksums are right."""
    return build((chunk.kind, chunk.body) for chunk in chunks if chunk.kind in KEPT)


def cut(chunks: Iterable[Chunk]) -> bytes:
    """Return a PNG that ends with its first broken chunk of pixels, where browsers stop."""
    kept = []
    for chunk in chunks:
        if chunk.kind in KEPT:
            kept.append((chunk.kind, chunk.body))
            if chunk.kind == b"IDAT" and not chunk.sound:
                break
    return build(kept)


def as_first_read(chunks: Iterable[Chunk]) -> list[Chunk]:
    """Return the chunks that browsers use of those that matter: of several of a kind, the first.

    Of those that may be missing, they ignore broken ones and those that come too late, or too soon.
    The data ends where another chunk follows it.
    """
    used: list[Chunk] = []
    kinds: set[bytes] = set()
    for chunk in chunks:
        optional = chunk.kind[:1].islower()
        wrong = optional and (not chunk.sound or b"IDAT" in kinds)
        soon = chunk.kind == b"tRNS" and b"PLTE" not in kinds and _has_palette(used)
        again = chunk.late or (chunk.kind in kinds and chunk.kind != b"IDAT")
        if not (chunk.kind in KEPT and (wrong or soon or again)):
            used.append(chunk)
            kinds.add(chunk.kind)
    return used


def as_held_back(chunks: Sequence[Chunk]) -> list[bytes]:
    """Return a PNG of the rows that Chromium shows of data that another chunk interrupts.

    Its decoder gives what it unpacked but for the last bytes, which further data may refer to.
    Nothing is returned if nothing is missing.
    """
    if not any(chunk.late for chunk in chunks):
        return []
    first = [chunk for chunk in as_first_read(chunks) if chunk.kind in KEPT]
    packed = b"".join(chunk.body for chunk in first if chunk.kind == b"IDAT")
    unpacker = zlib.decompressobj()
    try:
        rows = unpacker.decompress(packed, MOST)
    except zlib.error:
        return []
    if unpacker.eof:
        return []
    begun = zlib.compress(rows[:-HELD_BACK], 1)[:-4]  # no sum: it breaks off
    head = [(chunk.kind, chunk.body) for chunk in first if chunk.kind != b"IDAT"]
    return [build([*head, (b"IDAT", begun)])]


def with_whole_palette(chunks: list[Chunk]) -> tuple[list[Chunk], int]:
    """Return the chunks with a colour for each number of a pixel, and how many there were before.

    Chromium shows the last colour where one lacks, other viewers black, and Pillow grey. The list
    itself and 256 are returned if nothing lacks.
    """
    header = next((chunk.body for chunk in chunks if chunk.kind == b"IHDR"), b"")
    palette = next((chunk.body for chunk in chunks if chunk.kind == b"PLTE"), b"")
    if len(header) < 13 or header[9] != PALETTE or header[8] > 8:
        return chunks, 256
    most, count = 1 << header[8], len(palette) // 3
    if not 0 < count < most:
        return chunks, 256

    def filled(chunk: Chunk) -> Chunk:
        size = {b"PLTE": 3, b"tRNS": 1}.get(chunk.kind, 0)
        if not size or len(chunk.body) < size * count:
            return chunk
        known = bytes(chunk.body[: size * count])
        return chunk._replace(body=memoryview(known + known[-size:] * (most - count)))

    return [filled(chunk) for chunk in chunks], count


def with_black(image: Image.Image, colours: int) -> Image.Image:
    """Return an image in P, in eight bits, with black in place of the colours after the first."""
    palette = (image.getpalette("RGB") or [])[: 3 * colours]
    black = image.copy()
    black.putpalette(palette + [0] * (768 - len(palette)), "RGB")
    return to_eight(black)


def _has_palette(chunks: list[Chunk]) -> bool:
    header = chunks[0].body if chunks else b""
    return len(header) >= 13 and header[9] == PALETTE


class _Stored(NamedTuple):
    """What a PNG stores of its pixels: `sizes` as of `sizes_of`, and the zlib stream, `coded`."""

    header: bytes
    shared: list[tuple[bytes, memoryview]]
    sizes: list[tuple[Pass, int, int, int]]
    coded: bytes

    @property
    def length(self) -> int:
        """The bytes that the stream of a whole picture holds."""
        return sum(rows * length for _, _, rows, length in self.sizes)


def _stored(data: bytes) -> _Stored:
    chunks = [(chunk.kind, chunk.body) for chunk in chunks_of(data) if chunk.kind in KEPT]
    header = next((bytes(body) for kind, body in chunks if kind == b"IHDR"), b"")
    width, height, depth, colour, interlaced = struct.unpack(">IIBB2xB", header[:13])
    bits = depth * SAMPLES.get(colour, 0)
    return _Stored(
        header,
        [chunk for chunk in chunks if chunk[0] in SHARED],
        list(sizes_of(width, height, bits, interlaced=bool(interlaced))),
        b"".join(body for kind, body in chunks if kind == b"IDAT"),
    )


def decode(image: Image.Image, data: bytes) -> tuple[Image.Image, bool]:
    """Decode an opened PNG as far as browsers do. Returns whether all of it could be decoded.

    EXIF that stands after the data comes too late for browsers to turn the picture.
    """
    turned = "exif" in image.info
    shown, whole = _decode(image, data)
    if not turned:
        shown.info.pop("exif", None)
    return shown, whole


def _decode(image: Image.Image, data: bytes) -> tuple[Image.Image, bool]:
    whole = load(image)
    if whole and not _ends_empty(image):
        return image, True
    stored = _stored(data)
    stream = _with_right_sum(stored)
    if whole and stream is not None:
        return image, True
    if stream is not None:  # browsers ignore a wrong sum, over which Pillow loses the last row
        kept = [(c.kind, c.body) for c in chunks_of(data) if c.kind in KEPT - {b"IDAT"}]
        if load(mended := open_png(build([*kept, (b"IDAT", stream)]))):
            return mended, False
    if stored.length > MOST:
        return image, False
    begun = Image.fromarray(_decode_cut(stored))
    begun.info = {name: image.info[name] for name in ("icc_profile", "exif") if name in image.info}
    return begun, False


def open_png(data: bytes) -> Image.Image:
    """Open a PNG without decoding it."""
    return Image.open(io.BytesIO(data), formats=("PNG",))


def _ends_empty(image: Image.Image) -> bool:
    """Return whether one of the last two rows is empty, as Pillow leaves one that is not stored."""
    width, height = image.size
    rows = (image.crop((0, row, width, row + 1)) for row in range(max(0, height - 2), height))
    return any(row.getbbox(alpha_only=False) is None for row in rows)


def _with_right_sum(stored: _Stored) -> bytes | None:
    """Return the stream with its right sum; None if it breaks off or holds too little."""
    inflater, total, length = zlib.decompressobj(-zlib.MAX_WBITS), 1, 0
    rest = stored.coded[len(INFLATED) :]
    try:
        while not inflater.eof:
            piece = inflater.decompress(rest, PIECE)
            if not piece and not inflater.eof:
                return None
            total, length = zlib.adler32(piece, total), length + len(piece)
            rest = inflater.unconsumed_tail
    except zlib.error:
        return None
    if length < stored.length:
        return None
    end = len(stored.coded) - len(inflater.unused_data)
    return INFLATED + stored.coded[len(INFLATED) : end] + total.to_bytes(4)


def _decode_cut(stored: _Stored) -> Pixels:
    """Return the pixels that there are of a cut PNG, uint8[H, W, 4] in RGBA."""

    def read(columns: int, rows: int, coded: bytes) -> Pixels:
        header = struct.pack(">II", columns, rows) + stored.header[8:12] + b"\0"
        file = build([(b"IHDR", header), *stored.shared, (b"IDAT", zlib.compress(coded, 1))])
        image = open_png(file)
        load(image)
        return np.asarray(to_eight(image).convert("RGBA"))

    width, height = struct.unpack_from(">II", stored.header)
    rows = _inflate(stored.coded, stored.length)
    return paint_passes((width, height), stored.sizes, rows, read)


def _inflate(coded: bytes, most: int) -> bytes:
    """Return what a zlib stream holds before it ends or breaks, at most so many bytes."""
    inflater, out, at, step = zlib.decompressobj(-zlib.MAX_WBITS), bytearray(), len(INFLATED), STEP
    while at < len(coded) and len(out) < most and not inflater.eof:
        before = inflater.copy()
        try:
            out += inflater.decompress(coded[at : at + step], most - len(out))
        except zlib.error:
            if step == 1:
                break
            inflater, step = before, 1
        else:
            at += step
    return bytes(out)


def is_animated(chunks: Iterable[Chunk]) -> bool:
    """Return whether the chunks are of an APNG."""
    return any(chunk.kind == b"acTL" for chunk in chunks)


def animation_of(chunks: list[Chunk]) -> Animation | None:
    """Return the animation of an APNG; None if it has no frame."""
    header = next((chunk.body for chunk in chunks if chunk.kind == b"IHDR"), b"")
    if len(header) < 13:
        return None
    size = struct.unpack_from(">II", header)
    shared = [(chunk.kind, chunk.body) for chunk in chunks if chunk.kind in SHARED]
    frames: list[Frame] = []
    control: tuple[int, ...] | None = None
    parts: list[memoryview] = []
    default_in = False

    def finish() -> None:
        if control is None or not parts:
            return
        _, width, height, left, top, numerator, denominator, disposal, blend = control
        seconds = numerator / (denominator or 100)
        read = partial(_read_frame, bytes(header[8:13]), (width, height), shared, list(parts))
        frames.append(
            Frame(
                left, top, width, height, seconds,
                DISPOSALS.get(disposal, Disposal.KEEP), blend == 1, read,
            )
        )  # fmt: skip

    for chunk in chunks:
        if chunk.kind == b"fcTL" and len(chunk.body) >= CONTROL.size:
            finish()
            control, parts = CONTROL.unpack_from(chunk.body), []
        elif chunk.kind == b"IDAT" and control is not None:
            default_in = True
            parts.append(chunk.body)
        elif chunk.kind == b"fdAT":
            parts.append(chunk.body[4:])
    finish()
    if not frames:
        return None
    return Animation(size[0], size[1], frames, default_outside=not default_in)


def _read_frame(
    rest: bytes, size: tuple[int, int], shared: list[Any], parts: list[memoryview]
) -> tuple[Pixels, bool]:
    """Decode one frame. Returns uint8[h, w, 4] in RGBA, and whether all of it was there."""
    header = struct.pack(">II", *size) + rest
    file = build([(b"IHDR", header), *shared, *((b"IDAT", part) for part in parts)])
    image, whole = decode(open_png(file), file)
    return np.asarray(to_eight(image).convert("RGBA")), whole

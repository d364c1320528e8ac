"""Bitmaps with run lengths and other packings, and frames whose alpha nobody announces."""

import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from PIL import Image

from tests.support.corpus.alpha import only_alpha, pack_rows
from tests.support.corpus.containers import riff, riff_chunk
from tests.support.corpus.entry import SIZE, Desk, Entry, Pixels, encode, make_entry, to_pixels

KIND: Final = "bitmap"
END: Final = b"\0\1"
END_OF_ROW: Final = b"\0\0"
_entry = partial(make_entry, KIND)


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _absolute(desk)
    yield from _holes(desk)
    yield from _packings(desk)
    yield from _announced(desk)


def bitmap(
    size: tuple[int, int],
    packing: tuple[int, int],
    rows: bytes,
    *,
    colours: bytes = b"",
    gap: bytes = b"",
    length: int = 40,
    more: bytes = b"",
) -> bytes:
    """Return a BMP. `packing`: bits and the number of the packing. `more`: of its header."""
    head = struct.pack("<IiiHHIIiiII", length, *size, 1, *packing, len(rows), 0, 0, 0, 0)
    head = (head + more).ljust(length, b"\0") + colours + gap
    start = 14 + len(head)
    return b"BM" + struct.pack("<I4xI", start + len(rows), start) + head + rows


def _few(desk: Desk, name: str, count: int) -> tuple[Pixels, bytes, Image.Image]:
    """Return a picture as numbers of colours, the colours, and itself."""
    few = desk.picture(name).quantize(count, Image.Quantize.FASTOCTREE)
    table = np.array((few.getpalette() or [])[: 3 * count], np.uint8).reshape(-1, 3)[:, ::-1]
    colours = b"".join(row.tobytes() + b"\0" for row in table).ljust(4 * count, b"\0")
    return to_pixels(few), colours, few.convert("RGB")


def _runs(row: Pixels, depth: int, run: int) -> bytes:
    """Return a row in runs of different pixels."""
    out = b""
    for at in range(0, len(row), run):
        part = row[at : at + run]
        body = part.tobytes() if depth == 8 else pack_rows(part[None], 4)[0]
        out += bytes([0, len(part)]) + body + b"\0" * (len(body) % 2)
    return out + END_OF_ROW


def _absolute(desk: Desk) -> Iterator[Entry]:
    for depth, run in ((8, 5), (4, 10)):
        for gap in (0, 1):
            name = f"runs-of-{depth}-bits-{gap}.bmp"
            pixels, colours, shown = _few(desk, name, 1 << depth)
            rows = b"".join(_runs(row, depth, run) for row in pixels[::-1]) + END
            packing = (depth, 1 if depth == 8 else 2)
            data = bitmap(SIZE, packing, rows, colours=colours, gap=bytes(gap))
            yield _entry(name, f"runs of different pixels, a gap of {gap}", data, shown)
    name = "runs-over-the-row.bmp"
    pixels, colours, _ = _few(desk, name, 256)
    rows = b"".join(_runs(np.resize(row, 324), 8, 6) for row in pixels[::-1]) + END
    yield _entry(
        name, "runs that are longer than their rows", bitmap(SIZE, (8, 1), rows, colours=colours)
    )
    name = "runs-of-colours.bmp"
    pixels = np.repeat(to_pixels(desk.few(name))[:, ::4], 4, axis=1)  # a run for each four
    image = Image.fromarray(pixels)
    rows = b"".join(
        b"\4" + pixel.tobytes() + (END_OF_ROW if at % 80 == 79 else b"")
        for at, pixel in enumerate(pixels[::-1, ::4, ::-1].reshape(-1, 3))
    )
    data = bitmap(SIZE, (24, 4), rows + END, length=64)
    yield _entry(name, "runs of 24 bits, as OS/2 has them", data, image)


def _holes(desk: Desk) -> Iterator[Entry]:
    """A picture in what no run paints: Chromium shows it black, others what is below."""
    name = "holes-in-white.bmp"
    there = np.asarray(desk.grey(name, (160, 120)).convert("1")).repeat(2, 0).repeat(2, 1)
    rows = b""
    for row in there[::-1]:
        rows += b"".join(b"\1\1" if painted else b"\0\2\1\0" for painted in row) + END_OF_ROW
    data = bitmap(SIZE, (8, 1), rows + END, colours=bytes([255, 255, 255, 0]) * 256)
    image = Image.new("RGB", SIZE, "white")
    image.putalpha(Image.fromarray(np.where(there, 255, 0).astype(np.uint8)))
    yield _entry(name, "a picture in what no run paints", data, image)


def _packings(desk: Desk) -> Iterator[Entry]:
    name = "two-bits.bmp"
    pixels = to_pixels(desk.grey(name)) // 64
    greys = b"".join(bytes([85 * level] * 3 + [0]) for level in range(4))
    rows = b"".join(row + bytes(-len(row) % 4) for row in pack_rows(pixels[::-1], 2))
    shown = Image.fromarray(85 * pixels)
    yield _entry(name, "two bits a pixel", bitmap(SIZE, (2, 0), rows, colours=greys), shown)
    name = "rows-from-the-beginning.bmp"
    image = desk.picture(name)
    rows = to_pixels(image)[::-1, :, ::-1].tobytes()
    data = bitmap(SIZE, (24, 0), rows)
    data = data[:10] + bytes(4) + data[14:54] + rows[54:] + bytes(54)
    seen = np.frombuffer(data[: len(rows)], np.uint8).reshape(240, 320, 3)[::-1, :, ::-1]
    yield _entry(name, "its rows begin where the file begins", data, Image.fromarray(seen.copy()))
    for colour in ("black", "white"):
        name = f"only-alpha-in-{colour}-without-masks.bmp"
        image = only_alpha(desk.grey(name), colour)
        samples = to_pixels(image)[::-1, :, [2, 1, 0, 3]].tobytes()
        masks = struct.pack("<4I", 0, 0, 0, 0xFF000000)
        data = bitmap(SIZE, (32, 0), samples, length=108, more=masks)
        yield _entry(name, "only the mask of alpha is said", data, image)
    name = "mask-of-32-bits.ico"
    size = (128, 128)
    image = desk.picture(name, size)
    holes = np.asarray(desk.grey(f"{name}-mask", size).convert("1"))
    stored = to_pixels(image.convert("RGBA"))[::-1, :, [2, 1, 0, 3]].copy()
    stored[..., 3] = 0
    mask = b"".join(pack_rows(holes[::-1].astype(np.uint8), 1))
    body = struct.pack("<IiiHH24x", 40, 128, 256, 1, 32) + stored.tobytes() + mask
    entry = struct.pack("<BBBBHHII", 128, 128, 0, 0, 1, 32, len(body), 22)
    image.putalpha(Image.fromarray(np.where(holes, 0, 255).astype(np.uint8)))
    data = struct.pack("<HHH", 0, 1, 1) + entry + body
    yield _entry(name, "32 bits without alpha, and a mask", data, image)


def _announced(desk: Desk) -> Iterator[Entry]:
    name = "unannounced-alpha.webp"
    cover, known = Image.new("RGB", SIZE), desk.few(name)
    faint = known.convert("RGBA")
    faint.putalpha(1)
    frames = b""
    for image, time in ((cover, 40), (faint, 60_000)):
        coded = encode(image, "WEBP", lossless=True, exact=True)[12:]
        coded = coded[18:] if coded.startswith(b"VP8X") else coded
        sides = struct.pack("<I", 319)[:3] + struct.pack("<I", 239)[:3]
        frames += riff_chunk(
            b"ANMF", bytes(6) + sides + struct.pack("<I", time)[:3] + b"\0" + coded
        )
    head = riff_chunk(b"VP8X", b"\2\0\0\0" + sides) + riff_chunk(b"ANIM", bytes(6))
    data = riff(b"WEBP", head + frames)
    yield Entry(name, KIND, "the file says that it has no alpha", data, (known,), moments=(0.6,))

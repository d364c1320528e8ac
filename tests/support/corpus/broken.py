"""Files that are cut, damaged or stuffed, which viewers show all the same."""

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from PIL import Image, ImageFile

from tests.support.corpus import palettes
from tests.support.corpus.containers import (
    Frame,
    apng,
    gif,
    interlaced_png,
    jpeg_segment,
    png,
    png_chunk,
    png_chunks,
    riff,
    riff_chunk,
)
from tests.support.corpus.entry import SIZE, Desk, Element, Entry, encode, make_entry, to_pixels

Change = Callable[[bytes], bytes]
KIND: Final = "broken"
CUTS: Final = ((2, "two-bytes"), (0.05, "5-percent"), (0.5, "half"))


def cut(whole: bytes, part: float) -> bytes:
    """Take so many bytes off the end, or with a fraction such a part."""
    return whole[: -int(part if part > 1 else len(whole) * part)]


def decode_tolerantly(data: bytes) -> Image.Image:
    """Return what Pillow gets of a damaged file."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        return Image.open(io.BytesIO(data)).convert("RGB")
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _cut(desk)
    yield from _jpeg(desk)
    yield from _png(desk)
    yield from _gif(desk)
    yield from _webp(desk)
    for name, disguise, data, shown in palettes.entries(desk):
        # Chromium gives up on alpha in the wrong place, after it has shown a part of the picture.
        element: Element = "" if name.startswith("alpha") else "img"
        yield _entry(name, disguise, data, *shown, element=element)


_entry = partial(make_entry, KIND)


def _cut(desk: Desk) -> Iterator[Entry]:
    """Files whose ends are missing. What fills the rest, the screen alone knows."""
    formats: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("JPEG", "jpg", {}),
        ("JPEG", "progressive.jpg", {"progressive": True}),
        ("PNG", "png", {}),
        ("GIF", "gif", {"interlace": 0}),
        ("GIF", "interlaced.gif", {"interlace": 1}),
        ("BMP", "bmp", {}),
        ("ICO", "ico", {"sizes": [(256, 192)], "bitmap_format": "bmp"}),
    )
    for format, ending, options in formats:
        for part, label in CUTS:
            name = f"cut-by-{label}.{ending}"
            image = desk.few(name).resize(options.get("sizes", [SIZE])[0])
            data = cut(encode(image, format, **options), part)
            yield _entry(name, f"cut by {label}", data, *([image] if part == CUTS[0][0] else []))
    for part, label in CUTS[1:]:
        for ending, write in (
            ("interlaced.png", partial(interlaced_png, colour=2)),
            ("clear.gif", _clear_gif),
        ):
            name = f"cut-by-{label}.{ending}"
            data = cut(write(desk.few(name)), part)
            yield _entry(name, f"interlaced, and cut by {label}", data)
    name = "bad-filter.png"
    yield _entry(name, "a row with an unknown filter", _unknown_filter(desk.picture(name)))
    # Of a cut WebP, Chromium shows what it had decoded when the bytes ended, now and then nothing.
    # So no screen is asked for, but the whole picture is.
    for ending, lossless in (("webp", False), ("lossless.webp", True)):
        name = f"cut-by-two-bytes.{ending}"
        image = desk.picture(name)
        data = encode(image, "WEBP", lossless=lossless)[:-2]
        yield Entry(name, KIND, "cut by two bytes", data, (image,), "")
    for ending, animate in (("gif", gif), ("png", apng)):
        name = f"cut-in-the-third-frame.{ending}"
        cover, known, third = (desk.few(f"{name}-{number}") for number in range(3))
        data = animate([Frame(cover, 40), Frame(known, 60_000), Frame(third, 40)], SIZE)
        data = data[: -len(animate([Frame(third, 40)], SIZE)) // 2]
        yield Entry(name, KIND, "cut in the third frame", data, (cover, known), moments=(0.6,))


def _clear_gif(image: Image.Image) -> bytes:
    few = image.quantize(128, Image.Quantize.FASTOCTREE)
    return encode(few, "GIF", transparency=5, interlace=1)


def _unknown_filter(image: Image.Image) -> bytes:
    rows = [row.tobytes() for row in to_pixels(image)]
    chunks = dict(png_chunks(png(rows, *image.size, depth=8, colour=2)))
    lines = bytearray(zlib.decompress(chunks[b"IDAT"]))
    lines[(1 + len(rows[0])) * (len(rows) * 3 // 4)] = 5
    return _write([*(chunks | {b"IDAT": zlib.compress(bytes(lines))}).items()])


def _jpeg(desk: Desk) -> Iterator[Entry]:
    def case(name: str, disguise: str, change: Change, *, rows: int = 0) -> Entry:
        image = desk.picture(name)
        data = change(encode(image, "JPEG", restart_marker_rows=rows))
        shown = decode_tolerantly(data) if rows else image  # what is lost is lost for all
        return _entry(f"{name}.jpg", disguise, data, shown)

    yield case("no-end", "no end-of-image marker", lambda data: data[:-2])
    yield case("two-ends", "two end-of-image markers", lambda data: data + b"\xff\xd9")
    yield case(
        "trailing-noise", "noise after the end", lambda data: data + desk.dice("noise").bytes(5000)
    )
    yield case(
        "garbage-between",
        "bytes between two segments",
        lambda data: data[:20] + b"words " * 9 + data[20:],
    )
    yield case(
        "filled",
        "fill bytes before each table",
        lambda data: data.replace(b"\xff\xdb", b"\xff\xff\xff\xff\xdb"),
    )
    yield case("without-jfif", "no JFIF segment", lambda data: data[:2] + data[20:])
    yield case(
        "comment-of-64k",
        "a comment of 64 KiB",
        lambda data: data[:2] + jpeg_segment(0xFE, bytes(65_000)) + data[2:],
    )
    yield case(
        "marker-in-comment",
        "a start marker inside a comment",
        lambda data: data[:2] + jpeg_segment(0xFE, b"\xff\xd8\xff\xd9" * 9) + data[2:],
    )
    yield case("short-huffman", "the standard tables left out", _without_tables)
    yield case("restart-swapped", "two restart markers swapped", _swap_restarts, rows=2)
    yield case("restart-lost", "a restart marker lost", _lose_restart, rows=1)
    yield case(
        "thumbnail-first",
        "a whole JPEG inside APP2",
        lambda data: (
            data[:20]
            + jpeg_segment(0xE2, encode(desk.picture("inside", (64, 48)), "JPEG")[:60_000])
            + data[20:]
        ),
    )


def _without_tables(data: bytes) -> bytes:
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1] != 0xC4:
            out += data[at : at + 2 + length]
        at += 2 + length
    return out + data[at:]


def _restarts(data: bytes) -> list[int]:
    start = data.index(b"\xff\xda")
    return [
        at
        for at in range(start, len(data) - 1)
        if data[at] == 0xFF and 0xD0 <= data[at + 1] <= 0xD7
    ]


def _swap_restarts(data: bytes) -> bytes:
    changed, places = bytearray(data), _restarts(data)
    one, other = places[-2] + 1, places[-1] + 1
    changed[one], changed[other] = changed[other], changed[one]
    return bytes(changed)


def _lose_restart(data: bytes) -> bytes:
    at = _restarts(data)[-1]
    return data[:at] + data[at + 2 :]


def _png(desk: Desk) -> Iterator[Entry]:
    def case(name: str, disguise: str, change: Change) -> Entry:
        image = desk.picture(name)
        return _entry(f"{name}.png", disguise, change(encode(image, "PNG")), image)

    text = b"Comment\0words"
    yield case(
        "ancillary-crc",
        "a wrong sum of a text",
        lambda data: data[:33] + png_chunk(b"tEXt", text, crc=1) + data[33:],
    )
    yield case("data-crc", "a wrong sum of the last data", _wrong_data_sum)
    yield case("end-crc", "a wrong sum of the end", lambda data: data[:-4] + b"none")
    yield case("no-end-chunk", "no end", lambda data: data[:-12])
    yield case("trailing", "noise after the end", lambda data: data + desk.dice("png").bytes(5000))
    yield case("split-data", "the data in chunks of 100 bytes", _split)
    yield case(
        "empty-data",
        "empty chunks of data",
        lambda data: data[:33] + png_chunk(b"IDAT", b"") + data[33:],
    )
    yield case(
        "unknown-chunk",
        "an unknown chunk",
        lambda data: data[:33] + png_chunk(b"teSt", bytes(999)) + data[33:],
    )
    yield case("end-of-zlib", "a wrong sum of zlib", _wrong_adler)
    yield case(
        "palette-in-colour",
        "a palette that nothing uses",
        lambda data: data[:33] + png_chunk(b"PLTE", bytes(768)) + data[33:],
    )


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    return list(png_chunks(data))


def _write(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, body) for name, body in chunks)


def _split(data: bytes) -> bytes:
    parts: list[tuple[bytes, bytes]] = []
    for name, body in _chunks(data):
        step = 100 if name == b"IDAT" else max(1, len(body))
        parts += [(name, body[at : at + step]) for at in range(0, max(1, len(body)), step)]
    return _write(parts)


def _wrong_data_sum(data: bytes) -> bytes:
    return data[:-16] + b"none" + data[-12:]


def _wrong_adler(data: bytes) -> bytes:
    chunks = _chunks(data)
    last = max(number for number, (name, _) in enumerate(chunks) if name == b"IDAT")
    chunks[last] = (b"IDAT", chunks[last][1][:-4] + b"none")
    return _write(chunks)


def _gif(desk: Desk) -> Iterator[Entry]:
    def case(name: str, disguise: str, change: Change) -> Entry:
        image = desk.few(name)
        return _entry(f"{name}.gif", disguise, change(gif([Frame(image)], SIZE, loops=None)), image)

    yield case("no-trailer", "no trailer", lambda data: data[:-1])
    yield case("old-version", "GIF87a with an extension", lambda data: b"GIF87a" + data[6:])
    yield case(
        "trailing-after-gif",
        "noise after the trailer",
        lambda data: data + desk.dice("gif").bytes(5000),
    )
    yield case(
        "comments",
        "comments before the frame",
        lambda data: data[:13] + b"\x21\xfe\x05words\0" * 50 + data[13:],
    )
    yield case(
        "unknown-extension",
        "an unknown extension",
        lambda data: data[:13] + b"\x21\x99\x05words\0" + data[13:],
    )


_EXTENDED: Final = riff_chunk(b"VP8X", struct.pack("<IHBHB", 0, SIZE[0] - 1, 0, SIZE[1] - 1, 0))


def _webp(desk: Desk) -> Iterator[Entry]:
    def case(name: str, disguise: str, change: Change) -> Entry:
        image = desk.picture(name)
        return _entry(f"{name}.webp", disguise, change(encode(image, "WEBP")), image)

    yield case(
        "trailing-chunk",
        "an unknown chunk after the data",
        lambda data: riff(b"WEBP", data[12:] + riff_chunk(b"test", bytes(99))),
    )
    yield case(
        "trailing-bytes", "noise after the file", lambda data: data + desk.dice("webp").bytes(500)
    )
    yield case(
        "leading-chunk",
        "unknown chunks before the data",
        lambda data: riff(b"WEBP", _EXTENDED + riff_chunk(b"test", bytes(99)) * 9 + data[12:]),
    )

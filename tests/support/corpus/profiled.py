"""Pictures whose colours two readers may take differently: which profile counts, and for what."""

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Final

import av
import numpy as np
from PIL import Image, ImageOps

from tests.support.corpus.containers import png_chunk
from tests.support.corpus.entry import Desk, Entry, encode, make_entry, to_pixels
from tests.support.corpus.filming import as_scheduled
from tests.support.corpus.profiles import INVERTED, make_profile

KIND: Final = "profiled"
INVERT: Final = make_profile(INVERTED)
GREY: Final = make_profile(INVERTED, grey=True)


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _chunks(desk)
    yield from _moving(desk)
    yield from _grey(desk)
    yield from _refused(desk)
    yield from _bitmaps(desk)
    yield from _parts(desk)
    yield from _coded(desk)


_entry = partial(make_entry, KIND)


def _iccp(profile: bytes) -> bytes:
    return png_chunk(b"iCCP", b"words\0\0" + zlib.compress(profile))


def _png(image: Image.Image, *chunks: bytes) -> bytes:
    whole = encode(image, "PNG")
    return whole[:33] + b"".join(chunks) + whole[33:]


def _chunks(desk: Desk) -> Iterator[Entry]:
    cases = [
        ("gamma-and-profile", [png_chunk(b"gAMA", struct.pack(">I", 45_455)), _iccp(INVERT)]),
        ("two-profiles", [_iccp(INVERT), _iccp(make_profile())]),
        ("srgb-and-profile", [png_chunk(b"sRGB", b"\0"), _iccp(INVERT)]),
        ("narrow-and-profile", [png_chunk(b"cICP", b"\x09\x10\0\0"), _iccp(INVERT)]),
        ("reserved-and-profile", [png_chunk(b"cICP", b"\3\x10\0\1"), _iccp(INVERT)]),
    ]
    for label, chunks in cases:
        image = desk.picture(label)
        negative = ImageOps.invert(image)
        data = _png(negative, *chunks)
        yield _entry(f"{label}.png", "chunks that disagree on the colours", data, image, negative)
    name = "two-transparencies.png"
    grey = desk.grey(name)
    few = Image.fromarray(to_pixels(grey) // 2, "P")
    few.putpalette(bytes(768))
    ramp = bytes(255 - 2 * level for level in range(128))
    whole = encode(few, "PNG", bits=8)
    at = whole.index(b"IDAT") - 4
    clear = png_chunk(b"tRNS", ramp) + png_chunk(b"tRNS", b"\xff" * 128)
    shown = Image.fromarray(to_pixels(grey) // 2 * 2)
    yield _entry(name, "the first of two tRNS counts", whole[:at] + clear + whole[at:], shown)


def _moving(desk: Desk) -> Iterator[Entry]:
    for format, ending in (("PNG", "png"), ("WEBP", "webp"), ("AVIF", "avif")):
        name = f"profile-of-frames.{ending}"
        image = desk.picture(name)
        first = ImageOps.invert(image)
        second = first.copy()
        second.putpixel((0, 0), (255, 2, 3))
        data = encode(
            first, format, save_all=True, append_images=[second], duration=500, icc_profile=INVERT
        )
        yield _entry(name, "negatives that move, and a profile", data, image, first)


def _grey(desk: Desk) -> Iterator[Entry]:
    for mode in ("L", "LA", "I;16"):
        name = f"profiled-{mode.replace(';', '').lower()}.png"
        grey = desk.grey(name)
        image = negative = ImageOps.invert(grey)
        if mode == "LA":
            image = Image.merge("LA", (negative, Image.new("L", grey.size, 254)))
        elif mode == "I;16":
            image = Image.fromarray(np.asarray(negative).astype(np.uint16) * 257)
        profile = INVERT if mode == "L" else GREY
        data = _png(image, _iccp(profile))
        yield _entry(name, f"{mode} and a profile", data, grey, negative)
    name = "grey-by-colours.jpg"
    grey = desk.grey(name)
    negative = ImageOps.invert(grey)
    data = encode(negative, "JPEG", icc_profile=INVERT)
    yield _entry(name, "grey, and a profile of colours", data, grey, negative)


def _refused(desk: Desk) -> Iterator[Entry]:
    """Profiles that littleCMS refuses."""
    cases = [(kind.decode(), INVERT[:12] + kind + INVERT[16:]) for kind in (b"link", b"zzzz")]
    cases += [("twice", _with_tags(2)), ("many", _with_tags(110))]
    for label, profile in cases:
        name = f"profile-{label}.jpg"
        image = desk.picture(name)
        negative = ImageOps.invert(image)
        data = encode(negative, "JPEG", icc_profile=profile)
        yield _entry(name, "a profile that a library refuses", data, image, negative)


def _with_tags(count: int) -> bytes:
    """Return a profile with more tags, all of one place; two have the same name."""
    (before,) = struct.unpack_from(">I", INVERT, 128)
    shift, end = 12 * count, 132 + 12 * before
    old = list(struct.iter_unpack(">4sII", INVERT[132:end]))
    rows = [(name, at + shift, length) for name, at, length in old]
    rows += [(b"z%03d" % max(1, number), *rows[0][1:]) for number in range(count)]
    table = b"".join(struct.pack(">4sII", *row) for row in rows)
    whole = INVERT[:128] + struct.pack(">I", len(rows)) + table + INVERT[end:]
    return struct.pack(">I", len(whole)) + whole[4:]


def _bitmaps(desk: Desk) -> Iterator[Entry]:
    name = "profile-inside.bmp"
    image = desk.picture(name)
    negative = ImageOps.invert(image)
    pixels = encode(negative, "BMP")[54:]
    head = struct.pack("<IiiHHI", 124, *image.size, 1, 24, 0).ljust(56, b"\0") + b"DEBM"
    head = head.ljust(108, b"\0") + struct.pack("<4I", 4, 124 + len(pixels), len(INVERT), 0)
    file = b"BM" + struct.pack("<I4xI", 138 + len(pixels) + len(INVERT), 138) + head + pixels
    yield _entry(name, "a profile at the end of a BMP", file + INVERT, image, negative)


def _parts(desk: Desk) -> Iterator[Entry]:
    """Yield JPEGs whose profile stands there in several sets of parts."""
    usual, head, tail = make_profile(), INVERT[:200], INVERT[200:]
    cases = {
        "first": [(1, 1, INVERT), (1, 1, usual)],
        "last": [(1, 1, usual), (1, 1, INVERT)],
        "mixed": [(1, 1, usual), (1, 2, head), (2, 2, tail)],
        "doubled": [(1, 2, head), (1, 2, head), (2, 2, tail)],
    }
    for label, parts in cases.items():
        name = f"parts-{label}.jpg"
        image = desk.picture(name)
        negative = ImageOps.invert(image)
        data = encode(negative, "JPEG")
        data = data[:2] + b"".join(_part(*part) for part in parts) + data[2:]
        yield _entry(name, "several sets of parts of a profile", data, image, negative)


def _part(number: int, count: int, body: bytes) -> bytes:
    body = b"ICC_PROFILE\0" + bytes((number, count)) + body
    return b"\xff\xe2" + struct.pack(">H", 2 + len(body)) + body


def _coded(desk: Desk) -> Iterator[Entry]:
    """Yield AVIFs whose colours only the coded picture names."""
    for label, numbers in (("pq", (9, 16, 9)), ("hlg", (9, 18, 9))):
        name = f"only-coded-{label}.avif"
        image = desk.picture(name)
        data = _coded_avif(image, *numbers)
        yield _entry(name, f"{label} in the coded picture, no colr", data)


def _coded_avif(image: Image.Image, primaries: int, curve: int, space: int) -> bytes:
    rgb = av.VideoFrame.from_ndarray(np.asarray(image.convert("RGB")), format="rgb24")
    frame = rgb.reformat(format="yuv420p")
    frame.color_primaries, frame.color_trc, frame.colorspace, frame.pts = primaries, curve, space, 0
    out = io.BytesIO()
    with as_scheduled(), av.open(out, "w", format="avif") as target:
        options = {"preset": "12", "crf": "12"}
        stream = target.add_stream("libsvtav1", rate=1, options=options)
        stream.width, stream.height, stream.pix_fmt = *image.size, "yuv420p"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = primaries, curve, space
        target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return out.getvalue().replace(b"colrnclx", b"freenclx")

"""A picture with a colour profile is seen as each viewer shows it, and as stored."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from kinward.media import read_picture
from kinward.media.medium import Bounds
from kinward.media.picture import pictures, render_moment
from kinward.media.stills import boxes
from tests.support.corpus import profiles
from tests.support.corpus.profiles import INVERTED, Curve, make_profile
from tests.support.looks import MAX, NEAR, bits, chunk, encode, plain, raw_png, seen, with_chunk

INVERT = make_profile(INVERTED)
GREY_INVERT = make_profile(INVERTED, grey=True)
PICTURE = plain(31)
NEGATIVE = ImageOps.invert(PICTURE)


def iccp(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"words\0\0" + zlib.compress(profile)


def png_of(image: Image.Image, *more: tuple[bytes, bytes]) -> bytes:
    data = encode(image, "PNG")
    for kind, body in reversed(more):
        data = with_chunk(data, kind, body)
    return data


def moving(format: str, **options: Any) -> bytes:
    """Return an animation of negatives that a profile turns back."""
    second = NEGATIVE.copy()
    second.putpixel((0, 0), (255, 2, 3))
    frames = {"save_all": True, "append_images": [second], "duration": 500}
    return encode(NEGATIVE, format, icc_profile=INVERT, **frames, **options)


def sequence_alone() -> bytes:
    """Return an AVIF whose still cannot be read, so that only its sequence is."""
    return moving("AVIF", quality=90, speed=10).replace(b"pitm", b"free", 1)


def with_tags(profile: bytes, *tags: tuple[bytes, bytes]) -> bytes:
    """Return a profile with more tags, after those that it has."""
    (count,) = struct.unpack_from(">I", profile, 128)
    shift, end = 12 * len(tags), 132 + 12 * count
    table = b"".join(
        name + struct.pack(">II", at + shift, length)
        for name, at, length in struct.iter_unpack(">4sII", profile[132:end])
    )
    content = profile[end:]
    for name, body in tags:
        table += name + struct.pack(">II", end + shift + len(content), len(body))
        content += body + bytes(-len(body) % 4)
    whole = profile[:128] + struct.pack(">I", count + len(tags)) + table + content
    return struct.pack(">I", len(whole)) + whole[4:]


def with_bytes(profile: bytes, at: int, new: bytes) -> bytes:
    return profile[:at] + new + profile[at + len(new) :]


def sees_both(data: bytes, shown: Image.Image, stored: Image.Image) -> bool:
    hashes = seen(data)
    return max(bits(shown, hashes), bits(stored, hashes)) <= NEAR


@pytest.mark.parametrize(
    "data",
    [
        moving("PNG"),
        moving("WEBP", quality=90),
        moving("AVIF", quality=90, speed=10),
        sequence_alone(),
    ],
    ids=["APNG", "WebP", "AVIF", "AVIF without a still"],
)
def test_frames_are_seen_by_their_profile_and_as_stored(data: bytes) -> None:
    assert sees_both(data, PICTURE, NEGATIVE)


@pytest.mark.parametrize(
    "more",
    [
        [(b"gAMA", struct.pack(">I", 45_455)), iccp(INVERT)],
        [iccp(INVERT), iccp(make_profile())],
        [iccp(make_profile()), iccp(INVERT)],
        [(b"sRGB", b"\0"), iccp(INVERT)],
        *[
            [(b"cICP", bytes(coding)), iccp(INVERT)]
            for coding in ((9, 16, 0, 0), (9, 16, 1, 1), (3, 16, 0, 1), (1, 13, 0, 1))
        ],
    ],
    ids=["gamma", "first", "last", "sRGB", "narrow", "matrix", "reserved", "coded as sRGB"],
)
def test_no_chunk_of_a_png_hides_its_profile(more: list[tuple[bytes, bytes]]) -> None:
    assert sees_both(png_of(NEGATIVE, *more), PICTURE, NEGATIVE)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
@pytest.mark.parametrize("profile", [INVERT, GREY_INVERT], ids=["of colours", "of grey"])
def test_grey_of_every_kind_is_seen_by_its_profile(mode: str, profile: bytes) -> None:
    shown, stored = PICTURE.convert("L"), NEGATIVE.convert("L")
    if mode == "1":
        stored = stored.convert("1")
        shown = ImageOps.invert(stored.convert("L"))
    image = stored
    if mode == "LA":
        image = Image.merge("LA", (stored, Image.new("L", stored.size, 254)))
    elif mode == "I;16":
        image = Image.fromarray(np.asarray(stored).astype(np.uint16) * 257)
    data = png_of(image, iccp(profile))
    assert sees_both(data, shown, stored)


def test_a_grey_jpeg_is_seen_by_a_profile_of_colours_and_a_coloured_one_by_one_of_grey() -> None:
    grey = encode(NEGATIVE.convert("L"), "JPEG", quality=92, icc_profile=INVERT)
    assert sees_both(grey, PICTURE.convert("L"), NEGATIVE.convert("L"))
    coloured = encode(NEGATIVE, "JPEG", quality=92, icc_profile=GREY_INVERT)
    assert sees_both(coloured, PICTURE.convert("L"), NEGATIVE)
    assert bits(NEGATIVE, [read_picture(coloured, MAX).signature[:32]]) <= NEAR


@pytest.mark.parametrize(
    "profile",
    [
        with_tags(INVERT, *((b"a%03d" % number, b"none") for number in range(110))),
        with_tags(INVERT, (b"zzzz", b"none"), (b"zzzz", b"none")),
        with_tags(INVERT, *((name + b"TRC", b"curv" + bytes(8)) for name in (b"r", b"g", b"b"))),
        *(with_bytes(INVERT, 12, kind) for kind in (b"link", b"nmcl", b"abst", b"zzzz")),
        with_bytes(INVERT, 8, b"\x09"),
        INVERT + bytes(200),
    ],
    ids=["many tags", "a tag twice", "curves twice", "link", "nmcl", "abst", "zzzz", "new", "tail"],
)
def test_a_profile_that_a_library_refuses_is_applied(profile: bytes) -> None:
    data = encode(NEGATIVE, "JPEG", quality=92, icc_profile=profile)
    assert sees_both(data, PICTURE, NEGATIVE)


def test_of_a_table_and_curves_in_one_profile_each_is_applied() -> None:
    levels = [round(65_535 * level / 255) for level in range(256)]
    corners = [x for r in (0, 1) for g in (0, 1) for b in (0, 1) for x in _lab(r, g, b)]
    table = b"mft2" + bytes(4) + bytes([3, 3, 2, 0])
    table += struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536) + struct.pack(">HH", 256, 2)
    table += struct.pack(">768H", *levels * 3) + struct.pack(">24H", *corners)
    table += struct.pack(">6H", *[0, 65_535] * 3)
    profile = with_bytes(with_tags(INVERT, (b"A2B0", table)), 20, b"Lab ")
    data = encode(NEGATIVE, "JPEG", quality=92, icc_profile=profile)
    assert sees_both(data, PICTURE, NEGATIVE)
    assert len(seen(data)) > len(seen(encode(NEGATIVE, "JPEG", quality=92, icc_profile=INVERT)))


def _lab(red: int, green: int, blue: int) -> list[int]:
    """Return a grey of Lab, as version 2 writes it."""
    return [round(65_280 * (red + green + blue) / 3), 32_768, 32_768]


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_a_curve_that_reads_the_lowest_bit_is_applied(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(share: float) -> float:
        level = round(share * 255)
        return share if level % 51 == 0 else float(level % 2)

    monkeypatch.setattr(profiles, "POINTS", 256)
    profile = make_profile(Curve(read, lambda value: value))
    hidden = np.asarray(plain(32).convert("1")).astype(np.uint8)
    levels = (np.asarray(plain(33).convert("L")) & 0xFE) | hidden
    levels[levels % 51 == 0] += 2
    image = Image.fromarray(levels).convert("RGB")
    options = {"lossless": True} if format == "WEBP" else {}
    data = encode(image, format, icc_profile=profile, **options)
    assert sees_both(data, Image.fromarray(hidden * 255), image)


def test_a_profile_counts_beside_numbers_that_say_other_colours() -> None:
    data = encode(NEGATIVE, "AVIF", quality=90, speed=10, icc_profile=INVERT)
    at = data.index(b"nclx")
    data = with_bytes(data, at + 4, struct.pack(">HH", 9, 16))
    assert sees_both(data, PICTURE, NEGATIVE)
    assert bits(PICTURE, [read_picture(data, MAX).signature[:32]]) <= NEAR


def test_a_profile_that_cannot_be_applied_is_named() -> None:
    for profile in (with_bytes(INVERT, 16, b"3CLR"), with_bytes(INVERT, 20, b"none")):
        hashed = read_picture(encode(PICTURE, "JPEG", icc_profile=profile), MAX)
        assert hashed.unread
        assert hashed.entire
        assert bits(PICTURE, [view.hash for view in hashed.views]) <= NEAR
    for profile in (b"no profile", INVERT[:200], make_profile(), INVERT, GREY_INVERT):
        assert not read_picture(encode(PICTURE, "JPEG", icc_profile=profile), MAX).unread
    huge = INVERT + bytes(5_000_000)
    assert read_picture(
        png_of(PICTURE.resize((64, 64)), (b"iCCP", b"x\0\0" + zlib.compress(huge))), MAX
    ).unread


def test_a_bitmap_is_seen_by_the_profile_in_it() -> None:
    data = encode(NEGATIVE, "BMP")
    pixels = data[54:]
    head = struct.pack("<IiiHHI", 124, *NEGATIVE.size, 1, 24, 0).ljust(56, b"\0") + b"DEBM"
    head = head.ljust(108, b"\0") + struct.pack("<4I", 4, 124 + len(pixels), len(INVERT), 0)
    file = b"BM" + struct.pack("<I4xI", 138 + len(pixels) + len(INVERT), 138) + head + pixels
    assert sees_both(file + INVERT, PICTURE, NEGATIVE)
    calibrated = with_bytes(file, 14 + 56, bytes(4) + b"\1")
    assert read_picture(calibrated, MAX).unread


def test_reviewers_see_a_picture_by_its_profile_and_as_stored() -> None:
    data = encode(NEGATIVE, "PNG", icc_profile=INVERT)
    shown = [image for _, _, image in pictures(data, Bounds(MAX, 9.0))]
    assert [
        bits(one, [_hash(image)]) <= NEAR
        for one, image in zip((PICTURE, NEGATIVE), shown, strict=True)
    ] == [True, True]
    sheet = Image.open(
        io.BytesIO(render_moment(data, Bounds(MAX, 9.0), veiled=False, strand=0, moment=0))
    )
    assert sheet.width == 2 * PICTURE.width


def _hash(image: Image.Image) -> bytes:
    return read_picture(encode(image, "PNG"), MAX).signature[:32]


def test_of_several_chunks_the_first_and_the_last_are_seen() -> None:
    grey = np.asarray(PICTURE.convert("L"))
    ramp = bytes(255 - min(255, 2 * level) for level in range(128))
    palette = (b"PLTE", bytes(384))
    opaque, clear = (b"tRNS", b"\xff" * 128), (b"tRNS", ramp)
    shown = Image.fromarray(grey // 2 * 2)
    for more in ([palette, clear, opaque], [palette, opaque, clear], [opaque, palette, clear]):
        assert bits(shown, seen(raw_png(grey // 2, 8, 3, *more))) <= NEAR
    late = raw_png(grey // 2, 8, 3, palette, clear)
    late = late[:-12] + chunk(*opaque) + late[-12:]
    assert bits(shown, seen(late)) <= NEAR
    broken = raw_png(grey // 2, 8, 3, palette, clear).replace(
        chunk(*clear), chunk(*clear) + chunk(*opaque, sound=False)
    )
    assert bits(shown, seen(broken)) <= NEAR


def with_properties(data: bytes, added: bytes) -> bytes:
    """Return an AVIF with more boxes after its properties, which belong to no picture."""
    out = bytearray(data)
    (end,) = (box.end for box in boxes.find(data, b"meta", b"iprp", b"ipco"))
    for path in ((b"meta",), (b"meta", b"iprp"), (b"meta", b"iprp", b"ipco")):
        (box,) = boxes.find(data, *path)
        out[box.start : box.start + 4] = struct.pack(">I", box.end - box.start + len(added))
    (places,) = boxes.find(data, b"meta", b"iloc")
    assert data[places.body] == 0
    assert data[places.body + 4 : places.body + 8] == b"\x44\0\0\1"  # sizes, and one item
    at = places.body + 14
    (offset,) = struct.unpack_from(">I", data, at)
    out[at : at + 4] = struct.pack(">I", offset + len(added))
    out[end:end] = added
    return bytes(out)


def test_every_clean_aperture_is_seen() -> None:
    small, around = plain(34), plain(35, (640, 480))
    around.paste(small, (0, 0))
    claps = b"".join(
        struct.pack(
            ">I4sIIIIiIiI", 40, b"clap", *(width, 1, height, 1), width - 640, 2, height - 480, 2
        )
        for width, height in ((600, 440), (320, 240))
    )
    data = with_properties(encode(around, "AVIF", quality=90, speed=10), claps)
    hashed = read_picture(data, MAX)
    assert hashed.entire
    assert bits(small, [view.hash for view in hashed.views]) <= NEAR
    assert not read_picture(
        with_properties(
            data,
            b"".join(
                struct.pack(">I4sIIIIiIiI", 40, b"clap", side, 1, side, 1, 0, 1, 0, 1)
                for side in range(200, 220)
            ),
        ),
        MAX,
    ).entire

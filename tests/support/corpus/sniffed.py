"""Files that begin with, or are sent with, the name of another format."""

import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

from tests.support.corpus.containers import box
from tests.support.corpus.entry import Desk, Entry, encode, make_entry
from tests.support.corpus.filming import shift_places, short_film

KIND: Final = "sniffed"


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _brands(desk)
    yield from _before(desk)
    yield from _misnamed(desk)
    yield from _bitmaps(desk)


_entry = partial(make_entry, KIND)


def _brands(desk: Desk) -> Iterator[Entry]:
    """The container of ISO begins with a brand, which need not be true."""
    for brand in ("heic", "mif1", "avif", "msf1", "XXXX", "qt  ", "M4A ", "3gp5"):
        name = f"said-to-be-{brand.strip()}.mp4"
        image = desk.picture(name)
        data = short_film(image)
        yield _entry(
            name,
            f"a film whose brand is {brand}",
            data[:8] + brand.encode() + data[12:],
            image,
            element="video",
        )
    for brand in ("isom", "mif1", "heic", "MiPr"):
        name = f"said-to-be-{brand}.avif"
        image = desk.picture(name)
        data = encode(image, "AVIF")
        yield _entry(
            name, f"AVIF whose brand is {brand}", data[:8] + brand.encode() + data[12:], image
        )
    name = "said-to-be-isom.heic"
    image = desk.picture(name)
    data = encode(image, "HEIF")
    yield _entry(
        name, "HEIC whose brand is isom", data[:8] + b"isom" + data[12:], image, element=""
    )
    for box_name in (b"free", b"skip", b"wide"):
        name = f"{box_name.decode()}-first.mp4"
        image = desk.picture(name)
        front = box(box_name, bytes(24))
        yield _entry(
            name,
            f"a box {box_name.decode()} before ftyp",
            front + shift_places(short_film(image), len(front)),
            image,
            element="video",
        )
    name = "without-ftyp.mov"
    image = desk.picture(name)
    data = short_film(image, "mov")
    (size,) = struct.unpack_from(">I", data)
    yield _entry(
        name, "QuickTime without ftyp", shift_places(data, -size)[size:], image, element="video"
    )


def _before(desk: Desk) -> Iterator[Entry]:
    """Something stands before the file that is played."""
    for name, front, container, codec, played in (
        ("id3-first.mp4", b"ID3\x04\0\0\0\0\0\x0a" + bytes(10), "mp4", "libx264", False),
        ("void-first.webm", b"\xec\x81\x00", "webm", "libvpx", False),
        ("bytes-first.ts", bytes(77), "mpegts", "libx264", False),
        ("lines-first.mpg", b"words\n" * 9, "mpeg", "mpeg2video", False),
    ):
        image = desk.picture(name)
        data = short_film(image, container, codec)
        data = front + (shift_places(data, len(front)) if container == "mp4" else data)
        yield _entry(
            name,
            f"{len(front)} bytes before {container}",
            data,
            image,
            element="video" if played else "",
        )
    name = "blu-ray.m2ts"
    image = desk.picture(name)
    data = short_film(image, "mpegts")
    packets = (data[at : at + 188] for at in range(0, len(data), 188))
    data = b"".join(struct.pack(">I", number) + packet for number, packet in enumerate(packets))
    yield _entry(name, "MPEG-TS in packets of 192 bytes", data, image, element="")
    name = "far-behind.ico"
    image = desk.picture(name, (256, 256))
    part = encode(image, "PNG")
    data = (
        struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(part), 4096 + 22)
        + bytes(4096)
        + part
    )
    yield _entry(name, "an icon whose PNG stands far behind", data, image)


def _bitmaps(desk: Desk) -> Iterator[Entry]:
    """Headers of unusual lengths, and icons whose numbers are not the usual ones."""
    for length in (20, 36, 42, 60):
        name = f"header-of-{length}.bmp"
        image = desk.picture(name)
        whole = encode(image, "BMP")
        head = struct.pack("<I", length) + whole[18:54].ljust(60, b"\0")[: length - 4]
        front = b"BM" + struct.pack("<I4xI", 14 + length + len(whole) - 54, 14 + length)
        yield _entry(name, f"a header of {length} bytes", front + head + whole[54:], image)
    for name, at, new in (
        ("reserved.ico", 9, b"\1"),
        ("short.ico", 14, struct.pack("<I", 2_000)),
        ("reserved.cur", 2, b"\2\0\1\0\0\0\0\7"),
    ):
        image = desk.picture(name, (256, 256))
        icon = encode(image.convert("RGBA"), "ICO", sizes=[(256, 256)], bitmap_format="bmp")
        data = icon[:at] + new + icon[at + len(new) :]
        yield _entry(name, "an icon of unusual numbers", data, image, served_as="image/x-icon")


def _misnamed(desk: Desk) -> Iterator[Entry]:
    """The name and the media type say another format than the bytes."""
    for format, name, served_as in (
        ("JPEG", "really-jpeg.png", "image/png"),
        ("PNG", "really-png.jpg", "image/jpeg"),
        ("WEBP", "really-webp.gif", "image/gif"),
        ("GIF", "really-gif.txt", "text/plain"),
        ("AVIF", "really-avif.jpg", "image/jpeg"),
        ("BMP", "really-bmp.bin", "application/octet-stream"),
        ("JPEG", "really-jpeg.mp4", "video/mp4"),
        ("PNG", "really-png.html", "text/html"),
    ):
        image = desk.few(name)
        yield _entry(
            name,
            f"{format} served as {served_as}",
            encode(image, format),
            image,
            served_as=served_as,
        )
    for container, codec, name, served_as in (
        ("webm", "libvpx", "really-webm.mp4", "video/mp4"),
        ("mp4", "libx264", "really-mp4.webm", "video/webm"),
        ("matroska", "libx264", "really-mkv.mp4", "video/mp4"),
        ("mp4", "libx264", "really-mp4.jpg", "image/jpeg"),
    ):
        image = desk.picture(name)
        data = short_film(image, container, codec)
        yield _entry(
            name,
            f"{container} served as {served_as}",
            data,
            image,
            element="video",
            served_as=served_as,
        )

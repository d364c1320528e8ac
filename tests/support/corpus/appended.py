"""Bytes that are more than one file, or another file than they seem."""

import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

from PIL import Image

from tests.support.corpus.containers import (
    Frame,
    box,
    gif,
    jpeg_segment,
    png_chunk,
    webp,
)
from tests.support.corpus.documents import archive, pdf
from tests.support.corpus.entry import SIZE, Desk, Element, Entry, encode, make_entry
from tests.support.corpus.filming import insert, shift_places, short_film

KIND: Final = "appended"
MOTION: Final = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" {}/></rdf:RDF></x:xmpmeta>'
)


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _motion(desk)
    yield from _pictures_after(desk)
    yield from _films_after(desk)
    yield from _archives(desk)
    yield from _twice(desk)
    yield from _hidden_in_boxes(desk)


_entry = partial(make_entry, KIND)


def _motion(desk: Desk) -> Iterator[Entry]:
    def pair(name: str) -> tuple[Image.Image, Image.Image]:
        return desk.picture(f"{name}-still"), desk.picture(f"{name}-film")

    name = "motion-bare.jpg"
    still, moving = pair(name)
    yield _entry(name, "MP4 after JPEG", encode(still, "JPEG") + short_film(moving), still, moving)
    name = "motion-google-micro.jpg"
    still, moving = pair(name)
    tail = short_film(moving)
    text = MOTION.format(f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(tail)}"')
    segment = jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text.encode())
    whole = encode(still, "JPEG")
    yield _entry(
        name, "Google's micro video", whole[:20] + segment + whole[20:] + tail, still, moving
    )
    name = "motion-google.jpg"
    still, moving = pair(name)
    tail = short_film(moving)
    text = MOTION.format(
        'GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1" '
        f'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" Item:Length="{len(tail)}"'
    )
    segment = jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + text.encode())
    whole = encode(still, "JPEG")
    yield _entry(
        name, "Google's motion photo", whole[:20] + segment + whole[20:] + tail, still, moving
    )
    name = "motion-samsung.jpg"
    still, moving = pair(name)
    yield _entry(
        name,
        "Samsung's trailer",
        encode(still, "JPEG") + _samsung(short_film(moving)),
        still,
        moving,
    )
    name = "motion-mpvd.heic"
    still, moving = pair(name)
    data = encode(still, "HEIF") + box(b"mpvd", short_film(moving))
    yield _entry(name, "a box mpvd in HEIC", data, still, moving, element="")
    name = "motion-quicktime.jpg"
    still, moving = pair(name)
    yield _entry(
        name, "MOV after JPEG", encode(still, "JPEG") + short_film(moving, "mov"), still, moving
    )


def _samsung(tail: bytes) -> bytes:
    name = b"MotionPhoto_Data"
    block = struct.pack("<HHI", 0, 0x0A30, len(name)) + name + tail
    directory = b"SEFH" + struct.pack("<IIHHII", 107, 1, 0, 0x0A30, len(block), len(block))
    return block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def _pictures_after(desk: Desk) -> Iterator[Entry]:
    for first, second in (
        ("JPEG", "JPEG"),
        ("JPEG", "PNG"),
        ("PNG", "JPEG"),
        ("PNG", "PNG"),
        ("GIF", "JPEG"),
        ("WEBP", "JPEG"),
        ("JPEG", "WEBP"),
        ("PNG", "GIF"),
        ("BMP", "JPEG"),
        ("AVIF", "JPEG"),
    ):
        name = f"{second.lower()}-after.{first.lower()}"
        one, two = desk.few(f"{name}-0"), desk.few(f"{name}-1")
        data = encode(one, first) + encode(two, second)
        yield _entry(name, f"{second} after {first}", data, one, two)
    name = "noise-between.jpg"
    one, two = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
    data = (
        encode(one, "JPEG")
        + bytes(4096)
        + desk.dice(name).bytes(3000).replace(b"\xff", b"")
        + encode(two, "JPEG")
    )
    yield _entry(name, "a JPEG, noise, and another JPEG", data, one, two)


def _films_after(desk: Desk) -> Iterator[Entry]:
    for format, container, codec in (
        ("GIF", "mpegts", "libx264"),
        ("PNG", "mpegts", "mpeg2video"),
        ("JPEG", "mpegts", "libx264"),
        ("GIF", "mp4", "libx264"),
        ("PNG", "mp4", "libx264"),
        ("WEBP", "mp4", "libx264"),
        ("JPEG", "webm", "libvpx"),
        ("GIF", "webm", "libvpx"),
        ("PNG", "matroska", "libx264"),
        ("JPEG", "avi", "mpeg4"),
        ("JPEG", "mpeg", "mpeg2video"),
        ("BMP", "mp4", "libx264"),
    ):
        name = f"{container}-after.{format.lower()}"
        still, moving = desk.few(f"{name}-still"), desk.picture(f"{name}-film")
        data = encode(still, format) + short_film(moving, container, codec)
        yield _entry(name, f"{container} after {format}", data, still, moving)


def _archives(desk: Desk) -> Iterator[Entry]:
    for format in ("JPEG", "PNG", "GIF"):
        name = f"zip-after.{format.lower()}"
        still, inside = desk.few(f"{name}-still"), desk.picture(f"{name}-inside")
        data = encode(still, format) + archive({"notes.jpg": encode(inside, "JPEG")})
        yield _entry(name, f"a ZIP after {format}; only its beginning is shown", data, still)
    name = "pdf-in-comment.jpg"
    still = desk.picture(name)
    whole = encode(still, "JPEG")
    data = (
        whole[:20]
        + jpeg_segment(0xFE, b"%PDF-1.4\n")
        + whole[20:]
        + pdf(encode(still, "JPEG"), SIZE)
    )
    yield _entry(name, "a JPEG that is a PDF too", data, still)
    name = "page-in-comment.jpg"
    still = desk.picture(name)
    whole = encode(still, "JPEG")
    data = whole[:20] + jpeg_segment(0xFE, b"<html><body>words</body></html>") + whole[20:]
    yield _entry(name, "a JPEG with a page in its comment", data, still, served_as="text/html")


def _twice(desk: Desk) -> Iterator[Entry]:
    for container, codec, ending in (
        ("mp4", "libx264", "mp4"),
        ("webm", "libvpx", "webm"),
        ("mpegts", "libx264", "ts"),
        ("matroska", "libx264", "mkv"),
        ("avi", "mpeg4", "avi"),
    ):
        name = f"one-after-the-other.{ending}"
        first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
        data = short_film(first, container, codec) + short_film(second, container, codec)
        element: Element = "video" if container in ("mp4", "webm", "matroska") else ""
        yield _entry(name, f"two files of {container}", data, first, second, element=element)
    name = "gif-after-gif.gif"
    first, second = desk.few(f"{name}-0"), desk.few(f"{name}-1")
    data = gif([Frame(first, 60_000)], SIZE) + gif([Frame(second, 60_000)], SIZE)
    yield _entry(name, "two files of GIF", data, first, second)
    name = "webp-after-webp.webp"
    first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
    data = webp([Frame(first, 60_000)], SIZE) + encode(second, "WEBP")
    yield _entry(name, "two files of WebP", data, first, second)


def _hidden_in_boxes(desk: Desk) -> Iterator[Entry]:
    """A picture in a part of a file that its own player passes over."""
    name = "jpeg-in-free.mp4"
    still, moving = desk.picture(f"{name}-still"), desk.picture(f"{name}-film")
    part = box(b"free", encode(still, "JPEG"))
    yield _entry(
        name,
        "a JPEG in a free box",
        insert(shift_places(short_film(moving), len(part)), part),
        moving,
        still,
        element="video",
    )
    name = "jpeg-in-chunk.png"
    still, hidden = desk.picture(f"{name}-still"), desk.picture(f"{name}-hidden")
    whole = encode(still, "PNG")
    data = whole[:33] + png_chunk(b"jpEg", encode(hidden, "JPEG")) + whole[33:]
    yield _entry(name, "a JPEG in a chunk that no viewer reads", data, still)
    name = "bitmap-with-gap.bmp"
    still, moving = desk.picture(f"{name}-still"), desk.picture(f"{name}-film")
    whole, part = encode(still, "BMP"), short_film(moving)
    (start,) = struct.unpack_from("<I", whole, 10)
    data = (
        whole[:10] + struct.pack("<I", start + len(part)) + whole[14:start] + part + whole[start:]
    )
    yield _entry(name, "MP4 between a bitmap's header and its rows", data, still, moving)

"""Pictures that are stored turned or mirrored, and say so."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import pillow_heif
from PIL import Image

from tests.support.corpus.containers import jpeg_segment, png_chunk, riff_chunk
from tests.support.corpus.entry import Desk, Entry, encode

pillow_heif.register_heif_opener()

KIND: Final = "exif"
# How a picture is stored so that a viewer who follows the tag shows it upright.
STORED: Final = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def store(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture as a camera stores it with this orientation."""
    operation = STORED.get(orientation)
    return image if operation is None else image.transpose(operation)


def exif(
    orientation: int, *, order: str = "<", type: int = 3, count: int = 1, ifd1: bool = False
) -> bytes:
    """Return a TIFF block with one tag: the orientation, as a short (3) or a long (4)."""
    value = struct.pack(
        order + ("HH" if type == 3 else "I"), *((orientation, 0) if type == 3 else (orientation,))
    )
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8)
    entry = struct.pack(order + "HHHI", 1, 0x112, type, count) + value
    if ifd1:
        return head + struct.pack(order + "HI", 0, 14) + entry + bytes(4)
    return head + entry + bytes(4)


def app1(block: bytes) -> bytes:
    return jpeg_segment(0xE1, b"Exif\0\0" + block)


def xmp(orientation: int) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{orientation}"/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def entries(desk: Desk) -> Iterator[Entry]:
    for orientation in range(1, 9):
        yield from _plain(desk, orientation)
    yield from _jpegs(desk)
    yield from _others(desk)


def _plain(desk: Desk, orientation: int) -> Iterator[Entry]:
    """Each orientation as ordinary software writes it."""
    block = Image.Exif()
    block[0x112] = orientation
    for format, ending in (("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "webp"), ("AVIF", "avif")):
        name = f"orientation-{orientation}.{ending}"
        upright = desk.picture(name)
        stored = store(upright, orientation)
        data = encode(stored, format, exif=block.tobytes())
        yield Entry(name, KIND, f"EXIF orientation {orientation}", data, (upright, stored))
    name = f"orientation-{orientation}.heic"
    upright = desk.picture(name)
    data = encode(store(upright, orientation), "HEIF", exif=block.tobytes())
    yield Entry(name, KIND, f"irot and imir of {orientation}", data, (upright,), "")


def _jpegs(desk: Desk) -> Iterator[Entry]:
    """Blocks of EXIF as other software writes them, or as somebody who hides would."""

    def case(name: str, disguise: str, shown: int, *segments: bytes, **options: object) -> Entry:
        upright = desk.picture(name)
        stored = store(upright, shown)
        whole = encode(stored, "JPEG", **options)
        first = 2 + 18  # SOI and JFIF's segment
        data = whole[:first] + b"".join(segments) + whole[first:]
        return Entry(f"{name}.jpg", KIND, disguise, data, (upright, stored))

    yield case("big-endian", "EXIF in Motorola's order", 6, app1(exif(6, order=">")))
    yield case("long", "the orientation is a long", 8, app1(exif(8, type=4)))
    yield case(
        "in-ifd1",
        "the orientation stands in the thumbnail's directory",
        1,
        app1(exif(6, ifd1=True)),
    )
    yield case("two-blocks-6-1", "two blocks of EXIF, 6 then 1", 6, app1(exif(6)), app1(exif(1)))
    yield case("two-blocks-1-6", "two blocks of EXIF, 1 then 6", 6, app1(exif(1)), app1(exif(6)))
    yield case("two-blocks-3-6", "two blocks of EXIF, 3 then 6", 3, app1(exif(3)), app1(exif(6)))
    yield case("zero", "orientation 0", 1, app1(exif(0)))
    yield case("nine", "orientation 9", 1, app1(exif(9)))
    yield case("count-2", "two values of orientation", 6, app1(exif(6, count=2)))
    xmp_block = jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(6))
    yield case("xmp-alone", "the orientation stands in XMP only", 1, xmp_block)
    yield case("xmp-6-exif-3", "XMP says 6 and EXIF says 3", 3, xmp_block, app1(exif(3)))
    yield case("exif-8-xmp-6", "EXIF says 8 and XMP says 6", 8, app1(exif(8)), xmp_block)
    yield case("fill-bytes", "fill bytes before the segment", 6, b"\xff\xff\xff" + app1(exif(6)))
    yield case(
        "turned-progressive", "a progressive JPEG, turned", 6, app1(exif(6)), progressive=True
    )
    yield case(
        "comment-before", "a comment before EXIF", 5, jpeg_segment(0xFE, b"words"), app1(exif(5))
    )

    name = "exif-before-jfif"
    upright = desk.picture(name)
    whole = encode(store(upright, 6), "JPEG")
    data = whole[:2] + app1(exif(6)) + whole[2:]
    yield Entry(f"{name}.jpg", KIND, "EXIF stands before JFIF", data, (upright,))
    name = "exif-without-jfif"
    upright = desk.picture(name)
    whole = encode(store(upright, 7), "JPEG")
    data = whole[:2] + app1(exif(7)) + whole[20:]
    yield Entry(f"{name}.jpg", KIND, "EXIF, and no JFIF", data, (upright,))
    name = "exif-before-the-scan"
    upright = desk.picture(name)
    whole = encode(store(upright, 6), "JPEG")
    at = whole.index(b"\xff\xda")
    data = whole[:at] + app1(exif(6)) + whole[at:]
    yield Entry(f"{name}.jpg", KIND, "EXIF between the tables and the scan", data, (upright,))
    name = "exif-grey"
    grey = desk.grey(name)
    data = encode(store(grey, 8), "JPEG", exif=b"Exif\0\0" + exif(8))
    yield Entry(f"{name}.jpg", KIND, "a grey JPEG, turned", data, (grey,))


def _others(desk: Desk) -> Iterator[Entry]:
    """Blocks of EXIF in other formats, in places that software disagrees about."""
    name = "exif-after-the-data"
    upright = desk.picture(name)
    whole = encode(store(upright, 6), "PNG")
    data = whole[:-12] + png_chunk(b"eXIf", exif(6)) + whole[-12:]
    yield Entry(f"{name}.png", KIND, "eXIf after the data", data, (upright, store(upright, 6)))
    name = "exif-with-its-name"
    upright = desk.picture(name)
    whole = encode(store(upright, 6), "PNG")
    data = whole[:33] + png_chunk(b"eXIf", b"Exif\0\0" + exif(6)) + whole[33:]
    yield Entry(f"{name}.png", KIND, "eXIf that begins as in JPEG", data, (store(upright, 6),))
    name = "exif-as-text"
    upright = desk.picture(name)
    whole = encode(store(upright, 6), "PNG")
    block = b"Exif\0\0" + exif(6)
    text = f"\nexif\n{len(block):8d}\n{block.hex()}\n".encode()
    chunk = png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    data = whole[:33] + chunk + whole[33:]
    yield Entry(f"{name}.png", KIND, "EXIF as ImageMagick's text", data, (store(upright, 6),))
    name = "exif-unannounced"
    upright = desk.picture(name)
    whole = encode(store(upright, 6), "WEBP")
    body = whole[8:] + riff_chunk(b"EXIF", exif(6))
    data = b"RIFF" + struct.pack("<I", len(body)) + body
    yield Entry(f"{name}.webp", KIND, "EXIF after a simple WebP", data, (store(upright, 6),))
    name = "exif-named"
    upright = desk.picture(name)
    data = encode(store(upright, 8), "WEBP", exif=b"Exif\0\0" + exif(8))
    yield Entry(
        f"{name}.webp", KIND, "EXIF in WebP with its name", data, (upright, store(upright, 8))
    )
    name = "exif-lossless"
    upright = desk.picture(name)
    data = encode(store(upright, 5), "WEBP", lossless=True, exif=exif(5))
    yield Entry(f"{name}.webp", KIND, "a lossless WebP, turned", data, (upright, store(upright, 5)))

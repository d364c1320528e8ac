"""Files of more than one file: generated pictures and films, joined, nested and packed."""

import base64
import io
import struct
import zipfile
from functools import cache
from itertools import pairwise
from typing import Final
from urllib.parse import quote_from_bytes

import numpy as np
from fpdf import FPDF
from PIL import Image

from kinward.demo import pictures
from kinward.media import Hashed, hash_array, split_frames
from kinward.media.decoder import answer
from kinward.media.medium import Bounds
from tests.support import videos

SIZE: Final = (320, 240)
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
BOUNDS: Final = Bounds(max_pixels=10**7, seconds=30)
FILMS: Final = {
    "MP4": ("mp4", "mpeg4"),
    "WebM": ("webm", "libvpx"),
    "Matroska": ("matroska", "mpeg4"),
    "AVI": ("avi", "mpeg4"),
    "FLV": ("flv", "flv1"),
    "MPEG-TS": ("mpegts", "mpeg2video"),
    "MPEG-PS": ("mpeg", "mpeg2video"),
}


@cache
def image(seed: int) -> Image.Image:
    return pictures.draw(seed, SIZE)


@cache
def picture(seed: int, format: str = "JPEG") -> bytes:
    """A file of the picture of a seed."""
    return pictures.encode(image(seed), format)


@cache
def film(seed: int, format: str = "mp4", codec: str = "mpeg4") -> bytes:
    """A film that shows the picture of a seed for two seconds."""
    return videos.encode([seed], format=format, codec=codec)


@cache
def look(seed: int) -> bytes:
    """The hash of the picture of a seed."""
    return hash_array(np.asarray(image(seed)))[0].tobytes()


def apart(one: bytes, other: bytes) -> int:
    """The bits in which two hashes differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def thumbnail(seed: int) -> bytes:
    small = image(seed).resize((160, 120))
    return pictures.encode(small, "JPEG")


def exif_with(jpeg: bytes) -> bytes:
    """A segment of EXIF whose second directory has a thumbnail."""
    first = struct.pack("<HI", 0, 14)
    entries = ((0x0103, 3, 1, 6), (0x0201, 4, 1, 56), (0x0202, 4, 1, len(jpeg)))
    second = struct.pack("<H", 3) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4)
    return segment(0xE1, b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + jpeg)


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, body in members.items():
            target.writestr(name, body)
    return out.getvalue()


def docx(body: bytes, name: str = "image1.png") -> bytes:
    text = b"<?xml version='1.0'?><w:document xmlns:w='w'>" + b"<w:p>words</w:p>" * 2000
    return archive(
        {
            "[Content_Types].xml": b"<Types/>",
            "word/document.xml": text + b"</w:document>",
            f"word/media/{name}": body,
        }
    )


def data_url(body: bytes, media_type: str = "image/jpeg") -> str:
    return f"data:{media_type};base64,{base64.b64encode(body).decode()}"


def svg(href: str, before: str = "") -> bytes:
    return (
        f'{before}<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">'
        f'<image href="{href}" width="320" height="240"/></svg>'
    ).encode()


def quoted(body: bytes, media_type: str = "image/svg+xml") -> str:
    return f"data:{media_type},{quote_from_bytes(body)}"


def pdf(*files: bytes) -> bytes:
    """A PDF of a page for each picture, as fpdf2 writes it."""
    paper = FPDF()
    for file in files:
        paper.add_page()
        paper.image(io.BytesIO(file), 0, 0, 100)
    return bytes(paper.output())


def pdf_of(dictionary: bytes, stream: bytes, *others: bytes) -> bytes:
    """A PDF with one stream, as object 1, and further objects."""
    length = b"/Length %d" % len(stream)
    objects = (
        b"1 0 obj\n<<" + dictionary + length + b">>\nstream\n" + stream + b"\nendstream\nendobj\n"
    )
    return b"%PDF-1.7\n" + objects + b"".join(others) + b"trailer\n<<>>\n%%EOF\n"


def pixels(seed: int, mode: str = "RGB") -> bytes:
    return image(seed).convert(mode).tobytes()


def email(body: bytes, media_type: str = "image/jpeg") -> bytes:
    lines = base64.encodebytes(body)
    return (
        b"From: a@example.org\r\nTo: b@example.org\r\nSubject: a picture\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: '
        + media_type.encode()
        + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + lines.replace(b"\n", b"\r\n")
        + b"\r\n--b--\r\n"
    )


def lzma_member(body: bytes) -> bytes:
    return archive({"a.png": body}, zipfile.ZIP_LZMA)


def dot() -> bytes:
    """The smallest GIF."""
    return base64.b64decode("R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=")


def nested(depth: int, body: bytes) -> bytes:
    for _ in range(depth):
        body = archive({"a.zip": body})
    return body


def laughs() -> str:
    """Entities that grow to 10 to the 20th characters."""
    names = "abcdefghijklmnopqrst"
    entities = ['<!ENTITY a "aaaaaaaaaa">']
    entities += [f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in pairwise(names)]
    return "".join(entities) + '<!ENTITY z "&t;">'


STREAM: Final = b" obj<</Subtype/Image/Filter[/FlateDecode/DCTDecode]>>stream\n"


def hashed(data: bytes) -> Hashed:
    """What a decoder answers for a file."""
    given = answer("hash", data, BOUNDS, lambda views: True)
    assert given.hashed is not None, (given.error, given.detail)
    return given.hashed


def hashes(file: Hashed) -> list[bytes]:
    return [view.hash for view in file.views] or split_frames(file.signature)


def knows(file: Hashed, *seeds: int, bits: int = 12) -> bool:
    """Whether the picture of each seed is among the views. GIF and films lose some bits."""
    looks = [look(seed) for seed in seeds]
    return all(min(apart(look, one) for one in hashes(file)) <= bits for look in looks)

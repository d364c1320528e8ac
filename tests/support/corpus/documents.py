"""Documents with pictures in them, and files in which there is nothing to see."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from PIL import Image

from tests.support.corpus.containers import riff, riff_chunk
from tests.support.corpus.entry import SIZE, Desk, Element, Entry, encode

KIND: Final = "document"


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _pdf(desk)
    yield from _office(desk)
    yield from _sound(desk)
    yield from _nothing(desk)


def _entry(
    name: str,
    disguise: str,
    data: bytes,
    *truth: Image.Image,
    element: Element = "",
    served_as: str = "",
) -> Entry:
    return Entry(name, KIND, disguise, data, truth, element, served_as=served_as)


def pdf(jpeg: bytes, size: tuple[int, int], *, raw: bytes = b"") -> bytes:
    """Return a PDF of one page that shows a JPEG, or raw samples, deflated."""
    width, height = size
    kind, data = ("DCTDecode", jpeg) if not raw else ("FlateDecode", zlib.compress(raw))
    draw = f"q {width} 0 0 {height} 0 0 cm /I Do Q".encode()
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R"
    page += "/Resources<</XObject<</I 5 0 R>>>>>>"
    image = f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceRGB"
    image += f"/BitsPerComponent 8/Filter/{kind}/Length {len(data)}>>stream\n"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page.encode(),
        b"<</Length %d>>stream\n%b\nendstream" % (len(draw), draw),
        image.encode() + data + b"\nendstream",
    ]
    out, table = b"%PDF-1.4\n", "xref\n0 6\n0000000000 65535 f \n"
    for number, body in enumerate(objects, 1):
        table += f"{len(out):010} 00000 n \n"
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table += f"trailer<</Size 6/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + table.encode()


def _pdf(desk: Desk) -> Iterator[Entry]:
    name = "jpeg.pdf"
    image = desk.picture(name)
    yield _entry(name, "a PDF with a JPEG", pdf(encode(image, "JPEG"), SIZE), image)
    name = "samples.pdf"
    image = desk.picture(name)
    yield _entry(name, "a PDF with deflated samples", pdf(b"", SIZE, raw=image.tobytes()), image)
    name = "after-a-line.pdf"
    image = desk.picture(name)
    yield _entry(
        name, "a PDF after another line", b"words\n" * 20 + pdf(encode(image, "JPEG"), SIZE), image
    )


def _office(desk: Desk) -> Iterator[Entry]:
    for name, place, types, packed in (
        ("letter.docx", "word/media/image1.jpeg", "[Content_Types].xml", False),
        ("packed.docx", "word/media/image1.png", "[Content_Types].xml", True),
        ("slides.pptx", "ppt/media/image1.jpg", "[Content_Types].xml", True),
        ("sheet.xlsx", "xl/media/image1.png", "[Content_Types].xml", True),
        ("letter.odt", "Pictures/1.png", "mimetype", True),
        ("book.epub", "OEBPS/images/cover.jpg", "mimetype", False),
    ):
        image = desk.picture(name)
        part = encode(image, "PNG" if place.endswith("png") else "JPEG")
        files = {types: _DECLARED.get(name[-4:].strip("."), b"<Types/>"), place: part}
        yield _entry(name, f"{place} in an office file", archive(files, packed=packed), image)


_DECLARED: Final = {
    "odt": b"application/vnd.oasis.opendocument.text",
    "epub": b"application/epub+zip",
}


def archive(files: dict[str, bytes], *, packed: bool = False) -> bytes:
    """Return a ZIP of files, stored or deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            stored = name == "mimetype" or not packed
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            target.writestr(entry, data)
    return out.getvalue()


def _sound(desk: Desk) -> Iterator[Entry]:
    """Sound with a cover, which players show."""
    name = "song.mp3"
    cover = desk.picture(name, (240, 240))
    body = b"\0image/jpeg\0\x03\0" + encode(cover, "JPEG")
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    silence = (b"\xff\xfb\x90\x00" + bytes(413)) * 40
    yield _entry(name, "the cover of a song", b"ID3\x03\0\0" + size + frame + silence, cover)


def _nothing(desk: Desk) -> Iterator[Entry]:
    dice = desk.dice("nothing")
    header = struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    wave = riff(b"WAVE", riff_chunk(b"fmt ", header[4:]) + riff_chunk(b"data", dice.bytes(2000)))
    for name, disguise, data in (
        ("words.txt", "text", b"neutral words, again and again\n" * 99),
        ("noise.bin", "ciphertext", b"\x07" + dice.bytes(5000)),
        ("words.zip", "a ZIP of text", archive({"words.txt": b"words\n" * 99}, packed=True)),
        ("sound.wav", "sound", wave),
        ("empty.json", "JSON", b"{}"),
    ):
        yield _entry(name, f"{disguise}: its digests alone are checked", data)

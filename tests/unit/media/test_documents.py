"""Documents and archives are checked by the pictures and films in them."""

import base64
import gzip
import zlib
from collections.abc import Callable

import pytest

from kinward.media import Decoders
from kinward.media.decoder import answer
from tests.support import joined
from tests.support.joined import (
    BOUNDS,
    archive,
    data_url,
    hashed,
    knows,
    picture,
    segment,
    svg,
    with_segments,
)

JPEG, PNG, OTHER = picture(1), picture(1, "PNG"), picture(2)
UNSUPPORTED = "media.type_unsupported"

DOCUMENTS: dict[str, Callable[[bytes], bytes]] = {
    "SVG": lambda file: svg(data_url(file)),
    "SVG, quoted": lambda file: svg(joined.quoted(file, "image/jpeg")),
    "SVG, no type": lambda file: svg(data_url(file, "")),
    "SVG, capitals": lambda file: svg(data_url(file).replace("data:image", "DATA:Image")),
    "SVG, lines": lambda file: svg(
        "\n".join(data_url(file).partition(",")[::2]).replace("base64", "base64,")
    ),
    "SVG, references": lambda file: svg("&#100;ata&#x3a;" + data_url(file)[5:]),
    "SVG, entity": lambda file: svg("&p;", f'<!DOCTYPE svg [<!ENTITY p "{data_url(file)}">]>'),
    "SVG, entities": lambda file: svg(
        "&a;&b;",
        '<!DOCTYPE svg [<!ENTITY a "data:image/png;base">'
        f'<!ENTITY b "64,{base64.b64encode(file).decode()}">]>',
    ),
    "SVG, rare encoding": lambda file: (
        b"<?xml version='1.0' encoding='x-none'?><!DOCTYPE svg [<!ENTITY a 'b'>]>"
        + svg(data_url(file))
    ),
    "SVG, after comments": lambda file: svg(
        data_url(file), "<?xml version='1.0'?>\n<!-- a --><!-- b -->"
    ),
    "SVG, after a byte order mark": lambda file: b"\xef\xbb\xbf" + svg(data_url(file)),
    "SVG, UTF-16": lambda file: svg(data_url(file)).decode().encode("utf-16"),
    "SVG, packed": lambda file: gzip.compress(svg(data_url(file))),
    "SVG in an SVG": lambda file: svg(joined.quoted(svg(data_url(file)))),
    "SVG in an SVG, base64": lambda file: svg(data_url(svg(data_url(file)), "image/svg+xml")),
    "SVG, broken": lambda file: svg(data_url(file))[:-6] + b"<<&",
    "style": lambda file: svg("#").replace(
        b"<image", b"<style>*{fill:url(" + data_url(file).encode() + b")}</style><image"
    ),
    "HTML": lambda file: b"<!-- c --><p><img src=" + data_url(file).encode() + b">",
    "HTML in a picture": lambda file: with_segments(
        OTHER, segment(0xFE, b"<html><img src=" + data_url(file).encode()[:65000] + b">")
    ),
    "email": joined.email,
    "email, octets": lambda file: joined.email(file, "application/octet-stream"),
    "ZIP": lambda file: archive({"a.bin": file}),
    "ZIP, stored": lambda file: archive({"a.png": file}, 0),
    "ZIP, bzip2": lambda file: archive({"a.png": file}, 12),
    "ZIP, LZMA": lambda file: archive({"a.png": file}, 14),
    "ZIP without a directory": lambda file: archive({"a.png": file}).partition(b"PK\1\2")[0],
    "ZIP at the end of a picture": lambda file: OTHER + archive({"a.png": file}),
    "ZIP in a ZIP": lambda file: archive({"a.zip": archive({"a.png": file})}),
    "Word": joined.docx,
    "Word in a ZIP": lambda file: archive({"a.docx": joined.docx(file)}),
    "book": lambda file: archive(
        {
            "mimetype": b"application/epub+zip",
            "a.xhtml": b"<html><img src='" + data_url(file).encode() + b"'>",
        }
    ),
    "old Word": lambda file: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + file + bytes(512),
    "RTF": lambda file: b"{\\rtf1{\\pict\\jpegblip\n" + file.hex().encode() + b"}}",
    "PDF": joined.pdf,
    "PDF after junk": lambda file: b"junk" * 100 + joined.pdf(file),
    "PDF in a picture": lambda file: (
        with_segments(OTHER, segment(0xFE, b"%PDF-1.7\n")) + joined.pdf(file)
    ),
    "PDF, twice packed": lambda file: joined.pdf_of(
        b"/Subtype/Image/Filter[/FlateDecode/DCTDecode]", zlib.compress(file)
    ),
    "PDF, as text": lambda file: joined.pdf_of(
        b"/Subtype /Image /Filter [/A85 /DCT]", base64.a85encode(file) + b"~>"
    ),
    "PDF, as digits": lambda file: joined.pdf_of(
        b"/Subtype/Image/Filter[/ASCIIHexDecode/DCTDecode]", file.hex().encode() + b">"
    ),
    "PDF, attached": lambda file: joined.pdf_of(
        b"/Type/EmbeddedFile/Filter/FlateDecode", zlib.compress(file)
    ),
    "ID3": lambda file: (
        b"ID3\4\0\0\0\0\x7f\x7fAPIC" + bytes(12) + file + b"\xff\xfb\x90\0" + bytes(1000)
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_checked_by_the_pictures_in_it(name: str) -> None:
    file = hashed(DOCUMENTS[name](JPEG))
    assert knows(file, 1)
    assert file.entire
    assert name == "HTML in a picture" or "picture" in name or file.kind == "pdq"


INDEXED = joined.image(1).quantize(256)
TABLE = bytes(INDEXED.getpalette() or b"")
MEASURES = b"/Subtype/Image/Width 320/Height 240"
RAW: dict[str, tuple[bytes, bytes, tuple[bytes, ...]]] = {
    "colours": (b"/BitsPerComponent 8/ColorSpace/DeviceRGB", joined.pixels(1), ()),
    "grey": (b"/BitsPerComponent 8/ColorSpace /DeviceGray", joined.pixels(1, "L"), ()),
    "inverted": (
        b"/BitsPerComponent 8/ColorSpace /DeviceGray/Decode[1 0]",
        bytes(255 - value for value in joined.pixels(1, "L")),
        (),
    ),
    "inks": (b"/BitsPerComponent 8/ColorSpace/DeviceCMYK", joined.pixels(1, "CMYK"), ()),
    "profile": (
        b"/BitsPerComponent 8/ColorSpace[/ICCBased 7 0 R]",
        joined.pixels(1),
        (b"7 0 obj\n<</N 3/Length 0>>\nstream\n\nendstream\nendobj\n",),
    ),
    "palette": (
        b"/BitsPerComponent 8/ColorSpace[/Indexed/DeviceRGB 255 <" + TABLE.hex().encode() + b">]",
        INDEXED.tobytes(),
        (),
    ),
    "palette elsewhere": (
        b"/BitsPerComponent 8/ColorSpace 5 0 R",
        INDEXED.tobytes(),
        (
            b"5 0 obj\n[/Indexed /DeviceRGB 255 6 0 R]\nendobj\n",
            b"6 0 obj\n<</Length 768>>\nstream\n" + TABLE + b"\nendstream\nendobj\n",
        ),
    ),
    "in an object stream": (
        b"/BitsPerComponent 5 0 R/ColorSpace 6 0 R",
        joined.pixels(1),
        (
            b"9 0 obj\n<</Type/ObjStm/N 2/First 8/Filter/FlateDecode>>\nstream\n"
            + zlib.compress(b"5 0 6 2 8 /DeviceRGB")
            + b"\nendstream\nendobj\n",
        ),
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_plain_pixels_in_a_pdf_are_read(name: str) -> None:
    dictionary, stream, others = RAW[name]
    packed = joined.pdf_of(
        MEASURES + dictionary + b"/Filter/FlateDecode", zlib.compress(stream), *others
    )
    file = hashed(packed)
    assert knows(file, 1)
    assert file.entire
    assert file.media_type == "application/pdf"


def test_a_picture_that_a_writer_packed_with_rows_in_a_pdf_is_read() -> None:
    file = hashed(joined.pdf(PNG, picture(2, "PNG")))
    assert knows(file, 1, 2)
    assert file.kind == "video"


def test_a_damaged_picture_among_others_is_missed_and_hides_none() -> None:
    for data in (
        OTHER[:400] + JPEG,
        archive({"a.png": picture(2, "PNG")[:60], "b.png": PNG}),
        joined.docx(JPEG) + OTHER[:2000],
    ):
        file = hashed(data)
        assert knows(file, 1)
        assert not file.entire


def test_documents_of_nothing_say_so() -> None:
    for data in (
        b"words",
        b"",
        joined.docx(b"words"),
        svg("a.png"),
        b"%PDF-1.7 words",
        bytes(1000),
    ):
        assert answer("hash", data, BOUNDS, lambda views: True).error == UNSUPPORTED


def test_a_file_of_no_medium_is_shown_by_what_is_in_it() -> None:
    decoders = Decoders(
        count=1, seconds=20, video_seconds=20, max_pixels=10**7, memory=1536 * 2**20
    )
    for data in (b"junk" + JPEG, joined.docx(JPEG), svg(data_url(JPEG)), archive({"a.jpg": JPEG})):
        (strand,) = decoders.contents(data).strands
        assert strand.role == "embedded"
        for still in (
            decoders.still(data, veiled=False),
            decoders.still(data, veiled=False, strand=strand.number, moment=0),
        ):
            assert knows(hashed(still), 1)
    decoders.close()


MEASURED = b"/Subtype/Image/Width 9/Height 9/BitsPerComponent 8"
SEALED = {
    "JBIG2": MEASURED + b"/Filter/JBIG2Decode",
    "CCITT": MEASURED + b"/Filter[/CCITTFaxDecode]",
    "LZW": MEASURED + b"/ColorSpace/DeviceRGB/Filter/LZWDecode",
    "a space of its own": MEASURED + b"/ColorSpace/Separation",
}


@pytest.mark.parametrize("name", SEALED)
def test_a_picture_in_a_pdf_that_cannot_be_read_is_said_to_be_unread(name: str) -> None:
    assert not hashed(joined.pdf(JPEG, PNG)).unread
    file = hashed(joined.pdf(JPEG) + joined.pdf_of(SEALED[name], b"stored"))
    assert knows(file, 1)
    assert file.entire
    assert file.unread


def test_an_encrypted_pdf_is_said_to_be_unread() -> None:
    file = hashed(joined.pdf(JPEG).replace(b"trailer\n<<", b"trailer\n<</Encrypt 9 0 R"))
    assert file.unread


@pytest.mark.parametrize("change", ["encrypted", "packed unknown"])
def test_a_packed_file_that_cannot_be_opened_is_said_to_be_unread(change: str) -> None:
    sealed = bytearray(archive({"a.jpg": OTHER}))
    if change == "encrypted":
        sealed[6] |= 1
    else:
        sealed[8] = 9
    file = hashed(archive({"b.jpg": JPEG}) + bytes(sealed))
    assert knows(file, 1)
    assert file.unread
    assert not hashed(archive({"b.jpg": JPEG})).unread


def test_more_pictures_inside_one_than_are_read_are_said_to_be_unread() -> None:
    def thumbnails(count: int) -> bytes:
        parts = [segment(0xE5, joined.thumbnail(seed)) for seed in range(count)]
        return with_segments(JPEG, *parts)

    assert not hashed(thumbnails(4)).unread
    assert hashed(thumbnails(40)).unread

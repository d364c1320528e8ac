"""A PDF is read as viewers read it, and what its pages draw is named."""

import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from kinward.media import Hashed
from kinward.media.jpeg import with_profile
from tests.support import joined
from tests.support.corpus import profiles
from tests.support.corpus.entry import encode
from tests.support.joined import hashed, image, knows, picture, pixels, segment, with_segments

JPEG, OTHER = picture(1), picture(2)
SIZES = b"/Width 320/Height 240/BitsPerComponent 8"
COLOURS = SIZES + b"/ColorSpace/DeviceRGB"
FLATE = b"/Filter/FlateDecode"
KIND = b"/Subtype/Image"
RAW = zlib.compress(pixels(2))
INVERTED = bytes(255 - value for value in pixels(2))
NEGATIVE = encode(Image.frombytes("RGB", (320, 240), INVERTED), "JPEG")
PROFILE = (
    b"7 0 obj\n<</N 3/Filter/FlateDecode>>stream\n"
    + zlib.compress(profiles.make_profile(profiles.INVERTED))
    + b"\nendstream\nendobj\n"
)


def pdf(dictionary: bytes, stream: bytes, *others: bytes, beside: bool = True) -> bytes:
    """A PDF of one stream, after a PDF whose picture is read in any case."""
    made = joined.pdf_of(dictionary, stream, *others)
    return joined.pdf_of(KIND + COLOURS + b"/Filter/DCTDecode", JPEG) + made if beside else made


def rows(filter_: int, inverted: bool = False) -> bytes:
    """The picture in rows after the number of a filter of PNG: none, or of the byte before."""
    out, source = bytearray(), INVERTED if inverted else pixels(2)
    for at in range(0, len(source), 960):
        row = source[at : at + 960]
        left = bytes(3) + row[:-3]
        packed = (
            row if not filter_ else bytes((a - b) & 255 for a, b in zip(row, left, strict=True))
        )
        out += bytes([filter_]) + packed
    return zlib.compress(bytes(out))


def page(content: bytes) -> bytes:
    return pdf(b"", content)


INLINE = b"q 320 0 0 240 0 0 cm BI /W 320 /H 240 /CS /RGB /BPC 8 /F /AHx ID "
PARMS = b"/DecodeParms<</Predictor 15/Colors 3/Columns 320>>"
READ: dict[str, Callable[[], bytes]] = {
    "escaped name": lambda: pdf(b"/Subtype/#49mage" + COLOURS + FLATE, RAW),
    "escaped key": lambda: pdf(KIND + COLOURS.replace(b"Width", b"W#69dth") + FLATE, RAW),
    "name elsewhere": lambda: pdf(
        b"/Subtype 7 0 R" + COLOURS + FLATE, RAW, b"7 0 obj\n /Image\nendobj\n"
    ),
    "blanks": lambda: pdf(KIND + b" " * 5000 + COLOURS + FLATE, RAW),
    "comments": lambda: pdf(KIND + b"%>>stream\n" + COLOURS + FLATE, RAW),
    "a string": lambda: pdf(b"/X(stream\n>>)" + KIND + COLOURS + FLATE, RAW),
    "a dictionary inside": lambda: pdf(
        b"/X<</Subtype/Form/Filter/LZWDecode/Width 9>>" + KIND + COLOURS + FLATE, RAW
    ),
    "carriage return": lambda: pdf(KIND + COLOURS + FLATE, RAW).replace(b"stream\n", b"stream\r"),
    "a word in its bytes": lambda: pdf(
        KIND + COLOURS + b"/Filter[/FlateDecode/DCTDecode]",
        zlib.compress(with_segments(OTHER, segment(0xFE, b"\nendstream\n")), 0),
    ),
    "values from the other end": lambda: pdf(
        KIND + COLOURS + FLATE + b"/Decode[1 0 1 0 1 0]", zlib.compress(INVERTED)
    ),
    "rows": lambda: pdf(KIND + COLOURS + FLATE + PARMS, rows(1)),
    "rows, from the other end": lambda: pdf(
        KIND + COLOURS + FLATE + PARMS + b"/Decode[1 0 1.0 0 1 0]", rows(1, inverted=True)
    ),
    "rows of another width": lambda: pdf(
        KIND + COLOURS + FLATE + PARMS.replace(b"Columns 320", b"Columns 640"),
        zlib.compress(
            b"".join(b"\0" + pixels(2)[at : at + 1920] for at in range(0, len(pixels(2)), 1920))
        ),
    ),
    "rows of differences": lambda: pdf(
        KIND + COLOURS + FLATE + PARMS.replace(b"15", b"2"),
        zlib.compress(
            b"".join(
                bytes((a - b) & 255 for a, b in zip(row, bytes(3) + row[:-3], strict=True))
                for row in (pixels(2)[at : at + 960] for at in range(0, len(pixels(2)), 960))
            )
        ),
    ),
    "inks in rows": lambda: pdf(
        KIND + SIZES + b"/ColorSpace/DeviceCMYK" + FLATE + PARMS.replace(b"rs 3", b"rs 4"),
        zlib.compress(
            b"".join(
                b"\0" + pixels(2, "CMYK")[at : at + 1280]
                for at in range(0, len(pixels(2, "CMYK")), 1280)
            )
        ),
    ),
    "a profile": lambda: pdf(
        KIND + SIZES + b"/ColorSpace[/ICCBased 7 0 R]" + FLATE, zlib.compress(INVERTED), PROFILE
    ),
    "a JPEG, and a profile": lambda: pdf(
        KIND + SIZES + b"/ColorSpace[/ICCBased 7 0 R]/Filter/DCTDecode", NEGATIVE, PROFILE
    ),
    "a packed JPEG with a profile of its own, and another": lambda: pdf(
        KIND + SIZES + b"/ColorSpace[/ICCBased 7 0 R]/Filter[/FlateDecode/DCTDecode]",
        zlib.compress(with_profile(NEGATIVE, profiles.make_profile())),
        PROFILE,
    ),
    "inside a page": lambda: page(INLINE + pixels(2).hex().encode() + b"> EI Q"),
    "inside a packed page": lambda: pdf(
        FLATE, zlib.compress(INLINE + pixels(2).hex().encode() + b"> EI Q")
    ),
    "of two files, the second with the same numbers": lambda: (
        pdf(KIND + SIZES + b"/ColorSpace 5 0 R" + FLATE, RAW, b"5 0 obj\n/DeviceRGB\nendobj\n")
        + joined.pdf_of(b"", b"", b"5 0 obj\n/DeviceGray\nendobj\n")
    ),
    "attached, packed no further": lambda: pdf(
        b"/Type/EmbeddedFile", joined.svg(joined.quoted(OTHER, "image/jpeg"))
    ),
}


@pytest.mark.parametrize("name", READ)
def test_a_picture_in_a_pdf_is_read_as_viewers_read_it(name: str) -> None:
    file = hashed(READ[name]())
    assert knows(file, 2)
    assert file.entire
    assert not file.unread


TINT = b"[/Separation/X/DeviceGray<</FunctionType 2/Domain[0 1]/C0[1]/C1[0]/N 1>>]"
DRAWN: dict[str, bytes] = {
    "a JPEG from the other end": pdf(
        KIND + COLOURS + b"/Filter/DCTDecode/Decode[1 0 1 0 1 0]", OTHER
    ),
    "a JPEG of an ink": pdf(KIND + SIZES + b"/ColorSpace" + TINT + b"/Filter/DCTDecode", OTHER),
    "plain pixels of an ink": pdf(KIND + SIZES + b"/ColorSpace" + TINT + FLATE, RAW[:99]),
    "paths": page(b"q 1 0 0 rg 0 0 5 5 re f Q"),
    "packed paths": pdf(FLATE, zlib.compress(b"0 0 m 9 9 l S\n")),
    "a form's paths": pdf(b"/Subtype/Form" + FLATE, zlib.compress(b"0 0 5 5 re f*")),
    "a cut": page(b"q 0 0 9 9 re W n 320 0 0 240 0 0 cm /I Do Q"),
    "tiles": page(b"q /I Do Q q 1 0 0 1 9 9 cm /J Do Q"),
    "a shading": page(b"/S sh"),
    "a mesh": pdf(b"/ShadingType 4", b"stored"),
    "blended": pdf(b"", b"", b"9 0 obj\n<</BM/Difference>>\nendobj\n"),
    "a page that cannot be unpacked": pdf(b"/Filter/LZWDecode", b"stored"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_a_pdf_draws_is_named(name: str) -> None:
    file = hashed(DRAWN[name])
    assert knows(file, 1)
    assert drawn(file) or file.unread


def drawn(file: Hashed) -> bool:
    return file.drawn


def test_a_page_that_is_one_picture_and_words_draws_nothing() -> None:
    words = b"q 320 0 0 240 0 0 cm /I Do Q BT /F 9 Tf (a f S W) Tj <46> Tj ET"
    for data in (
        joined.pdf(JPEG),
        joined.pdf(OTHER),
        page(words),
        pdf(FLATE, zlib.compress(words)),
    ):
        file = hashed(data)
        assert (file.drawn, file.unread, file.entire) == (False, False, True)
    assert image(1).size == joined.SIZE

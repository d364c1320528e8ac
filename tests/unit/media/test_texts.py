"""SVG, HTML and emails are read as browsers and mail programs read them; drawings are named."""

import base64
import binascii
import quopri
from collections.abc import Callable

import pytest

from tests.support import joined
from tests.support.joined import archive, data_url, hashed, knows, picture, svg

JPEG, OTHER, PNG = picture(1), picture(2), picture(2, "PNG")
DIGITS = base64.b64encode(PNG).decode()
CUT = DIGITS[:4] + " " + DIGITS[4:]  # so that the digits alone are no sign of a picture
SIZES = 'width="320" height="240"'


def beside(body: str) -> bytes:
    """An SVG of a picture that is read in any case, and of something else."""
    return svg(data_url(JPEG)).replace(b"</svg>", body.encode() + b"</svg>")


def mail(*parts: tuple[str, bytes]) -> bytes:
    head = "From: a@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    body = "".join(
        f"--b\nContent-Type: image/jpeg\nContent-Transfer-Encoding: {how}\n\n{part.decode()}\n"
        for how, part in parts
    )
    return f"{head}{body}--b--\n".encode()


READ: dict[str, Callable[[], bytes]] = {
    "a line end in the scheme": lambda: beside(f'<image href="da&#10;ta:image/png;base64,{CUT}"/>'),
    "a tab in the scheme": lambda: b"<p><img src='da\tta:image/png;base64," + CUT.encode() + b"'>",
    "a line end in the encoding": lambda: beside(
        f'<image href="data:image/png;ba&#10;se64,{CUT}"/>'
    ),
    "long parameters": lambda: beside(f'<image href="data:image/png;x={"a" * 900};base64,{CUT}"/>'),
    "brackets in the parameters": lambda: beside(
        f'<image href="data:image/png;x=(\');base64,{CUT}"/>'
    ),
    "blanks before the scheme": lambda: beside(
        f'<image href="{" " * 40}data:image/png;base64,{CUT}"/>'
    ),
    "an escape of CSS": lambda: beside(
        f'<style>a{{background:url("\\64 ata:image/png;base64,{CUT}")}}</style>'
    ),
    "an escape of CSS in a style sheet": lambda: archive(
        {
            "a.jpg": JPEG,
            "a.css": f'a{{background:url("d\\000061ta:image/png;base64,{CUT}")}}'.encode(),
        }
    ),
    "quoted-printable": lambda: mail(
        ("base64", base64.encodebytes(JPEG)), ("quoted-printable", quopri.encodestring(OTHER))
    ),
    "base64 of a rare kind": lambda: mail(
        ("BASE64", base64.encodebytes(b"\0\0words" + OTHER)), ("7bit", b"words")
    ),
}


@pytest.mark.parametrize("name", READ)
def test_what_a_browser_or_a_mail_program_shows_is_read(name: str) -> None:
    file = hashed(READ[name]())
    assert knows(file, 2)
    assert file.entire


def inside(element: str) -> bytes:
    return beside(element)


DRAWN: dict[str, bytes] = {
    "shapes": inside("".join(f'<rect x="{x}" width="5" height="5"/>' for x in range(9))),
    "a filter": svg(data_url(JPEG)).replace(b"<image", b'<image filter="url(#f)"'),
    "a style": svg(data_url(JPEG)).replace(b"<image", b'<image style="opacity:.5"'),
    "a turn": svg(data_url(JPEG)).replace(b"<image", b'<g transform="rotate(9)"/><image'),
    "tiles": beside(f'<image {SIZES} href="{data_url(OTHER)}"/>'),
    "a cut": svg(data_url(JPEG)).replace(b"<image", b'<image x="-100"'),
    "a larger picture": svg(data_url(JPEG)).replace(b'0" height="240"/', b'0" height="900"/'),
    "a window": svg(data_url(JPEG)).replace(b"<svg", b'<svg viewBox="9 9 20 20"'),
    "a script": beside("<script>words</script>"),
    "entities": svg(data_url(JPEG), "<!DOCTYPE svg [<!ENTITY a '<rect/>'>]>"),
    "default attributes": svg(data_url(JPEG), "<!DOCTYPE svg [<!ATTLIST image x CDATA '9'>]>"),
    "a page with a drawing": b"<html><img src='" + data_url(JPEG).encode() + b"'><svg></svg>",
    "a page with styles": b"<p style='a:b'><img src='" + data_url(JPEG).encode() + b"'>",
    "a page of two pieces": b"<p>" + 2 * (b"<img src='" + data_url(JPEG).encode() + b"'>"),
    "a page with a style sheet": b"<link href='data:text/css,a{}'>\n<img src='"
    + data_url(JPEG).encode()
    + b"'>",
    "a shape in RTF": rb"{\rtf1{\shp{\*\shpinst}}{\pict\jpegblip " + JPEG.hex().encode() + b"}}",
    "a metafile in RTF": rb"{\rtf1{\pict\jpegblip "
    + JPEG.hex().encode()
    + rb"}{\pict\wmetafile8 0100}}",
    "a shape in an office file": archive({"a.jpg": JPEG, "a.xml": b"<?xml?><a><wps:wsp/></a>"}),
    "a cut in an office file": archive({"a.jpg": JPEG, "a.xml": b'<?xml?><a:srcRect l="9"/>'}),
    "a metafile": archive({"a.jpg": JPEG, "a.emf": b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(9)}),
    "a placeable metafile": archive({"a.jpg": JPEG, "a.wmf": b"\xd7\xcd\xc6\x9a" + bytes(99)}, 0),
}


@pytest.mark.parametrize("name", DRAWN)
def test_what_a_text_draws_is_named(name: str) -> None:
    file = hashed(DRAWN[name])
    assert knows(file, 1)
    assert file.drawn


@pytest.mark.parametrize(
    "data",
    [
        svg(data_url(JPEG)),
        svg(data_url(JPEG), "<?xml version='1.0'?>\n<!-- a < b -->\n<!DOCTYPE svg>"),
        svg(data_url(JPEG)).decode().encode("utf-16"),
        b"<p><img src='" + data_url(JPEG).encode() + b"'>",
        joined.docx(JPEG),
        joined.email(JPEG),
        JPEG,
    ],
)
def test_what_is_one_picture_draws_nothing(data: bytes) -> None:
    file = hashed(data)
    assert (file.drawn, file.unread, file.entire) == (False, False, True)


def test_an_email_is_not_read_again_and_again() -> None:
    quoted = binascii.b2a_qp(mail(("quoted-printable", quopri.encodestring(OTHER))))
    file = hashed(mail(("base64", base64.encodebytes(JPEG)), ("quoted-printable", quoted)))
    assert knows(file, 1)

"""SVG that shows a picture from inside itself."""

import base64
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Final

from PIL import Image

from tests.support.corpus.entry import Desk, Entry, encode

KIND: Final = "vector"
OPEN: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="320" height="240" viewBox="0 0 320 240">'
)
WHOLE: Final = 'width="320" height="240"'
SHOW: Final = f'<image href="@" {WHOLE}/>'  # @ is the address of the picture
PROLOGUE: Final = (
    f'<?xml version="1.0"?>\n<!-- {"words " * 200}-->\n'
    '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "none">'
)
PATTERN: Final = (
    f'<defs><pattern id="p" patternUnits="userSpaceOnUse" {WHOLE}>{SHOW}</pattern></defs>'
    f'<rect {WHOLE} fill="url(#p)"/>'
)
PAGE: Final = (
    f'<foreignObject {WHOLE}><div xmlns="http://www.w3.org/1999/xhtml" '
    'style="width:320px;height:240px;background:url(@)"/></foreignObject>'
)
FILTER: Final = (
    f'<filter id="f" x="0" y="0" width="1" height="1"><feImage href="@" {WHOLE}/></filter>'
    f'<rect {WHOLE} filter="url(#f)"/>'
)

ENTITY: Final = '<!DOCTYPE svg [<!ENTITY e "@">]>' + OPEN + SHOW.replace("@", "&e;") + "</svg>"


def data_url(data: bytes, media_type: str = "image/jpeg") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def wrap(url: str) -> str:
    return "\n".join(url[at : at + 76] for at in range(0, len(url), 76))


def escape(url: str) -> str:
    return url.replace("/9j", "%2F9j").replace("+", "%2B").replace("=", "%3D")


def svg(body: str) -> str:
    return f"{OPEN}{body}</svg>"


def quote(url: str) -> str:
    """Return the address of an SVG that shows the picture, not in base64."""
    inner = svg(SHOW.replace("@", url)).replace('"', "'")
    return f"data:image/svg+xml,{urllib.parse.quote(inner)}"


def nest(url: str) -> str:
    return data_url(svg(SHOW.replace("@", url)).encode(), "image/svg+xml")


def spell(url: str) -> str:
    """Return an address whose first letters are character references."""
    return f"&#100;&#x61;{url[2:]}"


def keep(url: str) -> str:
    return url


# Name, disguise, the document, and what is done to the address of the picture.
CASES: Final[tuple[tuple[str, str, str, Callable[[str], str]], ...]] = (
    ("plain", "a picture in SVG", svg(SHOW), keep),
    ("xlink", "by xlink", svg(SHOW.replace("href", "xlink:href")), keep),
    ("declared", "a declaration, a comment and a type first", PROLOGUE + svg(SHOW), keep),
    ("wrapped", "base64 in lines", svg(SHOW), wrap),
    ("escaped", "base64 with percent signs", svg(SHOW), escape),
    ("entity", "an entity", ENTITY, keep),
    ("spelt", "character references", svg(SHOW), spell),
    ("pattern", "a pattern that fills a rectangle", svg(PATTERN), keep),
    ("used", "a symbol that is used", svg(f'<symbol id="s">{SHOW}</symbol><use href="#s"/>'), keep),
    ("style", "the background of a page inside", svg(PAGE), keep),
    ("filter", "a filter of a rectangle", svg(FILTER), keep),
    ("nested", "an SVG inside an SVG", svg(SHOW), nest),
    ("quoted", "an SVG inside, not in base64", svg(SHOW), quote),
    ("cased", "the scheme in capitals", svg(SHOW), lambda url: "DATA:" + url[5:]),
    ("untyped", "no media type", svg(SHOW), lambda url: "data:;base64," + url.split(",")[1]),
)  # fmt: skip


def entries(desk: Desk) -> Iterator[Entry]:
    for name, disguise, document, change in CASES:
        yield _case(desk, name, disguise, document, change)
    for format in ("PNG", "WEBP", "GIF", "AVIF"):
        label = f"{format.lower()}-inside"
        yield _case(desk, label, f"{format} in SVG", svg(SHOW), keep, format=format)
    yield _case(desk, "utf-16", "UTF-16", svg(SHOW), keep, encoding="utf-16")
    turned = svg(f'<image href="@" {WHOLE} transform="rotate(180 160 120)"/>')
    name = "turned"
    upright = desk.picture(f"{name}.svg")
    stored = encode(upright.transpose(Image.Transpose.ROTATE_180), "JPEG")
    yield _entry(
        name, "turned by a transformation", turned.replace("@", data_url(stored)).encode(), upright
    )
    # Drawn and not stored: only its digests can be checked.
    dice = desk.dice("drawn.svg")
    circles = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}" fill="rgb({red},{green},{blue})"/>'
        for x, y, r, red, green, blue in dice.integers(20, 240, (40, 6)).tolist()
    )
    yield Entry("drawn.svg", KIND, "circles alone: by digest only", svg(circles).encode(), (), "")


def _case(
    desk: Desk,
    name: str,
    disguise: str,
    document: str,
    change: Callable[[str], str],
    *,
    format: str = "JPEG",
    encoding: str = "utf-8",
) -> Entry:
    image = desk.few(f"{name}.svg")
    url = change(data_url(encode(image, format), f"image/{format.lower()}"))
    return _entry(name, disguise, document.replace("@", url).encode(encoding), image)


def _entry(name: str, disguise: str, data: bytes, image: Image.Image) -> Entry:
    return Entry(f"{name}.svg", KIND, disguise, data, (image,), served_as="image/svg+xml")

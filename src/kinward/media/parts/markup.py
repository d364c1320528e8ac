"""Files written into texts: the `data:` pictures of SVG and HTML, the attachments of an email.

Texts are searched as a whole, not parsed, so a broken document hides nothing. Only the entities of
an SVG are expanded, because its pictures may be written with them.
"""

import base64
import binascii
import contextlib
import html
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from kinward.media.parts.budget import Budget

SVG, HTML, EMAIL, RTF = "image/svg+xml", "text/html", "message/rfc822", "application/rtf"
PDF, ZIP, GZIP, OLE = "application/pdf", "application/zip", "application/gzip", "application/msword"
TEXTS: Final = frozenset({SVG, HTML, EMAIL, RTF})
HEAD: Final = 4096
LONG_HEAD: Final = 262_144  # of what begins like a text with tags
PDF_WITHIN: Final = 1024  # viewers search so far for the beginning of a PDF
MAX_EXPANDED: Final = 32 * 1024 * 1024  # characters, once the entities of an SVG are expanded

# Atomic groups, so that no number of comments costs more than reading them once.
_SVG: Final = re.compile(
    rb"\A\s*+(?>(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?!\s+svg)[^>\[]*(?:\[.*?\]\s*)?>)\s*)*+"
    rb"<(?:!DOCTYPE\s+|[\w.-]+:)?svg[\s>/\[]",
    re.DOTALL | re.IGNORECASE,
)
_HTML: Final = re.compile(
    rb"\A\s*+(?><\?xml.*?\?>\s*)?<(?:!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A"
    rb"|STYLE|TITLE|B|BODY|BR|P|!--|IMG|META|LINK|PICTURE|VIDEO)[\s>/-]",
    re.DOTALL | re.IGNORECASE,
)
_EMAIL: Final = re.compile(
    rb"\A(?>[!-9;-~]+:[^\n]*+\n(?>[ \t][^\n]*+\n)*+){0,100}?"
    rb"(?:MIME-Version|Content-Type|Received|Message-ID|Return-Path):",
    re.IGNORECASE,
)
RICH: Final = b"{\\rtf"
_PACKAGE: Final = re.compile(rb"mimetype(application/[a-z0-9.+-]{1,60})")
_HEADS: Final = (
    (b"PK\3\4", ZIP),
    (b"PK\5\6", ZIP),
    (b"\x1f\x8b\x08", GZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (RICH, RTF),
)
# Files in base64 by their first characters: pictures, films, SVG, PDF and ZIP.
_BASE64: Final = re.compile(
    rb"(?:/9j/|iVBORw0KGgo|R0lGOD[dl]h|UklGR|AAAA[A-Za-z0-9+/]{2}Z0eX|AAAADGpQ|AAAADEpY|Qk[0-3]"
    rb"|SUkqA|TU0AK|GkXfo|T2dnU|PHN2Z|PD94b|JVBERi|UEsDB)[A-Za-z0-9+/\s]{64,}={0,2}"
)
# Browsers leave out line ends and tabs wherever they are in a URL.
_SCHEME: Final = re.compile(rb"d[\t\r\n]*+a[\t\r\n]*+t[\t\r\n]*+a[\t\r\n]*+:", re.IGNORECASE)
_BLANKS: Final = frozenset(b"\t\n\f\r ")
_CSS: Final = re.compile(rb"\\(?:([0-9A-Fa-f]{1,6})(?:\r\n|[ \t\r\n\f])?|(\r\n|.))", re.DOTALL)
_QUOTED: Final = re.compile(rb"quoted-printable", re.IGNORECASE)
# A part of an email in base64, whatever it is.
_ENCODED: Final = re.compile(
    rb"^Content-Transfer-Encoding:[ \t]*+base64[^\n]*+\n(?>[^\r\n][^\n]*+\n)*+\r?\n"
    rb"([A-Za-z0-9+/=\s]++)",
    re.IGNORECASE | re.MULTILINE,
)
_MAY_HOLD: Final = re.compile(rb"data:|<svg|[&\\\0]", re.IGNORECASE)
_ENDS: Final = {quote: re.compile(quote) for quote in (b'"', b"'", b"`")}
_BARE_END: Final = re.compile(rb"""[\s"'<>)]|\Z""")
_HEX: Final = re.compile(
    rb"(?:ffd8ff|89504e470d0a1a0a|474946383[79]61)[0-9a-f\s]{64,}", re.IGNORECASE
)
_DIGITS: Final = re.compile(rb"[A-Za-z0-9+/=%\s]*")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")


def document_type(data: bytes) -> str:
    """Return the media type of a document by its first bytes; empty for another file."""
    head = data[:HEAD]
    for magic, media_type in _HEADS:
        if head.startswith(magic):
            package = _PACKAGE.match(head, 30)
            return package[1].decode() if package and media_type == ZIP else media_type
    if head.find(b"%PDF-", 0, PDF_WITHIN) >= 0:
        return PDF
    text = plain(data[:LONG_HEAD] if head.lstrip()[:1] in (b"<", b"\0", b"\xef") else head)
    for pattern, media_type in ((_SVG, SVG), (_HTML, HTML), (_EMAIL, EMAIL)):
        if pattern.match(text):
            return media_type
    return ""


def plain(data: bytes) -> bytes:
    """Return a text in UTF-8 without its byte order mark, if it is in UTF-16; else as it is."""
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    for begin, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(begin):
            return data[2:].decode(encoding, "ignore").encode("utf-8", "ignore")
    for begin, encoding in ((b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if data.startswith(begin):
            return data.decode(encoding, "ignore").encode("utf-8", "ignore")
    return data


def is_text(data: bytes) -> bool:
    """Return whether the first bytes of a file are those of a text."""
    return bool(data) and not re.search(rb"[\0-\x08\x0e-\x1a]", plain(data[:512]))


def may_hold(data: bytes) -> bool:
    """Return whether files may be written into a text that does not begin like a document."""
    return is_text(data) and bool(_MAY_HOLD.search(data) or _BASE64.search(data))


def embedded(data: bytes, budget: Budget) -> Iterator[bytes]:
    """Yield the files that are written into a text; the same one may come more than once."""
    text = plain(data)
    if b"<!ENTITY" in text:
        yield from _written(_expanded(text, budget), budget)
    if b"&" in text:
        text = html.unescape(text.decode("latin-1")).encode("latin-1", "ignore")
    yield from _written(text, budget)
    if b"\\" in text and not text.startswith(RICH) and (other := _CSS.sub(_of_css, text)) != text:
        yield from _written(other, budget)
    if _QUOTED.search(text):
        yield binascii.a2b_qp(_QUOTED.sub(b"", text))
    for found in _ENCODED.finditer(text):
        yield decode(found[1])
    if text.startswith(RICH):
        for found in _HEX.finditer(text):
            digits = b"".join(found[0].split())
            yield binascii.unhexlify(digits[: len(digits) // 2 * 2])


def _of_css(found: re.Match[bytes]) -> bytes:
    """Return the character that an escape of CSS stands for; nothing for a broken line."""
    if not found[1]:
        return b"" if found[2] in b"\r\n\f" else found[2]
    return chr(min(int(found[1], 16), 0xFFFF)).encode("utf-8", "ignore")


def _written(text: bytes, budget: Budget) -> Iterator[bytes]:
    comma = 0
    for found in _SCHEME.finditer(text):
        if budget.is_late():
            return
        if comma < found.end():
            comma = text.find(b",", found.end())
        if comma < 0:
            break
        if body := _of_url(text, found, comma, budget):
            yield body
    if b"\\/" in text:
        text = text.replace(b"\\/", b"/")  # as JSON may have it
    for found in _BASE64.finditer(text):
        if text[found.end() : found.end() + 1] != b"%":  # else it is part of a quoted URL
            yield decode(found[0])


def _of_url(text: bytes, found: re.Match[bytes], comma: int, budget: Budget) -> bytes:
    """Return the content of a `data:` URL, which ends as the character before it says."""
    start, begin = found.start(), comma + 1
    while start and text[start - 1] in _BLANKS:
        start -= 1
    end = _ENDS.get(text[start - 1 : start], _BARE_END).search(text, found.end())
    stop = end.start() if end else len(text)
    if stop <= begin:
        return b""
    kind = b"".join(text[max(found.end(), comma - 64) : comma].lower().split())
    body = budget.copy(text, begin, stop) or b""
    body = unquote_to_bytes(body) if b"%" in body else body
    return decode(body) if kind.endswith(b"base64") else body


def url_at(data: bytes, at: int) -> bytes:
    """Return the bytes of a `data:` URL that are written in base64 from an offset."""
    run = _DIGITS.match(data, at)
    return decode(unquote_to_bytes(run[0])) if run else b""


def decode(text: bytes) -> bytes:
    """Return the bytes that are written in base64, as far as it goes. Like browsers, it is lax."""
    digits = _NOT_BASE64.sub(b"", text.partition(b"=")[0] if b"=" in text else text)
    return base64.b64decode(digits[: len(digits) // 4 * 4] + _tail(digits))


def _tail(digits: bytes) -> bytes:
    left = len(digits) % 4
    return digits[-left:] + b"=" * (4 - left) if left > 1 else b""


def _expanded(text: bytes, budget: Budget) -> bytes:
    """Return the attributes and texts of an SVG with its own entities expanded. Fetches nothing."""
    parts, size = list[str](), 0
    parser = expat.ParserCreate()

    def take(value: str) -> None:
        nonlocal size
        size += len(value)
        if size > MAX_EXPANDED:
            budget.cut = True
            raise ValueError
        parts.append(value)

    def begin(name: str, attributes: dict[str, str]) -> None:
        for value in attributes.values():
            take('"' + value.replace('"', "'") + '"\n')

    parser.StartElementHandler, parser.CharacterDataHandler = begin, take
    # What comes before the damage counts. A rare encoding may need a codec that is not at hand.
    with contextlib.suppress(expat.ExpatError, ValueError, LookupError, ImportError, OSError):
        parser.Parse(text, True)
    return "".join(parts).encode("utf-8", "ignore")

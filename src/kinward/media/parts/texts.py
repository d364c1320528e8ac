"""Texts that draw: SVG, HTML and the texts of office files. Only a renderer shows what they draw.

An SVG that shows one picture whole is that picture. Whatever else an SVG has is a drawing.
"""

import re
from typing import Final

from kinward.media.parts.markup import EMAIL, HTML, RTF, SVG, TEXTS, document_type, is_text, plain

_TAG: Final = re.compile(
    rb"<([A-Za-z_][\w:.-]*+)((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)>", re.DOTALL
)
_ATTRIBUTE: Final = re.compile(rb"([\w:.-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')", re.DOTALL)
_REMARK: Final = re.compile(rb"<!--.*?-->|<\?(?!xml-stylesheet).*?\?>|</[^>]*+>", re.DOTALL)
_SILENT: Final = frozenset({b"svg", b"g", b"image", b"title", b"desc", b"metadata", b"defs"})
_HARMLESS: Final = frozenset(
    {b"href", b"width", b"height", b"viewBox", b"version", b"id", b"x", b"y", b"space", b"type"}
)
# Two pictures may be two pieces of one.
_PAGE: Final = re.compile(
    rb"<(?:svg|canvas|script|style|object|embed|iframe|frame|link)\b"
    rb"|\b(?:style|bgcolor|background)\s*=|<img\b.+?<img\b",
    re.IGNORECASE | re.DOTALL,
)
_OFFICE: Final = re.compile(
    rb"<(?:wps:wsp|a:custGeom|c:chartSpace|v:(?:shape|rect|oval|polyline|line)|p:sp"
    rb"|draw:(?:custom-shape|path|polygon|polyline|rect|ellipse|line))\b"
    rb"|<a:srcRect\s[^>]*=|<a:(?:lum|duotone|clrChange|biLevel|grayscl|alphaModFix)\b"
)
# What RTF draws, and pictures in it that are in no format of files.
_RICH: Final = re.compile(
    rb"\\(?:shp|do|wmetafile|emfblip|macpict|pmmetafile|dibitmap|wbitmap)(?![a-z])"
)
_METAFILES: Final = (b"\xd7\xcd\xc6\x9a", b"\1\0\t\0\0\3")  # of Windows
HEAD: Final = 44


def draws(data: bytes) -> bool:
    """Return whether a file draws something that no picture in it shows."""
    if data.startswith(_METAFILES) or data[40:HEAD] == b" EMF":
        return True
    kind = document_type(data)
    if not is_text(data) and kind not in TEXTS:
        return False
    text = plain(data)
    if kind in (HTML, EMAIL):
        return bool(_PAGE.search(text) or _OFFICE.search(text))
    if kind == RTF:
        return _RICH.search(text) is not None
    if kind == SVG or b"<svg" in text:
        return not _is_one_picture(text)
    return _OFFICE.search(text) is not None


def _is_one_picture(text: bytes) -> bool:
    """Return whether an SVG is one picture, as large as the SVG, and nothing else."""
    if b"<!ENTITY" in text or b"<?xml-stylesheet" in text:
        return False
    frames, pictures = list[dict[bytes, bytes]](), list[dict[bytes, bytes]]()
    text = _REMARK.sub(b"", text)
    for tag in _TAG.finditer(text):
        name = tag[1].rpartition(b":")[2]
        values = {found[1]: found[2] or found[3] or b"" for found in _ATTRIBUTE.finditer(tag[2])}
        own = {
            key.rpartition(b":")[2]: value
            for key, value in values.items()
            if not key.startswith(b"xmlns")
        }
        if name not in _SILENT or not own.keys() <= _HARMLESS:
            return False
        frames += [own] * (name == b"svg")
        pictures += [own] * (name == b"image")
        if len(pictures) > 1 or len(frames) > 1:
            return False
    if _TAG.sub(b"", text).count(b"<") > text.count(b"<!DOCTYPE"):
        return False  # a tag that is not understood
    return not pictures or bool(frames and _fills(pictures[0], frames[0]))


def _fills(picture: dict[bytes, bytes], frame: dict[bytes, bytes]) -> bool:
    """Return whether a picture fills its frame."""
    box = frame.get(b"viewBox", b"").replace(b",", b" ").split()
    wide, high = box[2:] if len(box) == 4 else (frame.get(b"width"), frame.get(b"height"))
    left, top = box[:2] if len(box) == 4 else (b"0", b"0")
    return (
        picture.get(b"width") in (wide, b"100%")
        and picture.get(b"height") in (high, b"100%")
        and (picture.get(b"x", b"0"), picture.get(b"y", b"0")) == (left, top) == (b"0", b"0")
    )

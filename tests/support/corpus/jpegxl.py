"""JPEG XL: turned, transparent, moving, in layers and parts, with other pictures in it, broken."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from PIL import ImageOps

from tests.support import jxl
from tests.support.corpus.alpha import only_alpha, two_faced
from tests.support.corpus.entry import Desk, Entry, encode, make_entry
from tests.support.corpus.orientation import app1, exif, store
from tests.support.corpus.profiles import INVERTED, make_profile
from tests.support.jxl import Frame

KIND: Final = "jpeg-xl"
INVERT: Final = make_profile(INVERTED)

_entry = partial(make_entry, KIND)


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _stored(desk)
    yield from _transparent(desk)
    yield from _coloured(desk)
    yield from _composed(desk)
    yield from _several(desk)
    yield from _broken(desk)


def _stored(desk: Desk) -> Iterator[Entry]:
    for orientation in range(1, 9):
        name = f"turned-{orientation}.jxl"
        image = desk.picture(name)
        data = jxl.encode(store(image, orientation), orientation=orientation)
        yield _entry(name, f"orientation {orientation}", data, image)
    name = "in-parts.jxl"
    image = desk.picture(name)
    data = jxl.in_boxes(jxl.encode(image), parts=3)
    yield _entry(name, "a codestream in three parts", data, image)
    name = "exif.jxl"
    image = desk.picture(name)
    block = jxl.box(b"Exif", bytes(4) + exif(6))
    data = jxl.in_boxes(jxl.encode(image), before=block)
    yield _entry(name, "EXIF that disagrees on the orientation", data, image)


def _transparent(desk: Desk) -> Iterator[Entry]:
    for colour in ("black", "white"):
        name = f"only-alpha-in-{colour}.jxl"
        image = only_alpha(desk.grey(name), colour)
        data = jxl.encode(image, lossless=True)
        yield _entry(name, f"{colour} with a picture in its alpha", data, image)
    name = "two-faced.jxl"
    image = two_faced(desk.grey(f"{name}-white"), desk.grey(f"{name}-black")).convert("RGBA")
    data = jxl.encode(image, lossless=True)
    yield _entry(name, "another picture on black", data, image)
    name = "multiplied.jxl"
    image = desk.picture(name)
    image.putalpha(128)
    data = jxl.encode(image, lossless=True, premultiplied=True)
    yield _entry(name, "colours that are said to be multiplied by alpha", data)


def _coloured(desk: Desk) -> Iterator[Entry]:
    for lossless in (False, True):
        name = f"profile-{'as-it-is' if lossless else 'xyb'}.jxl"
        image = desk.picture(name)
        stored = ImageOps.invert(image)
        data = jxl.encode(stored, profile=INVERT, lossless=lossless)
        # Chromium shows pixels that were stored in this profile without it.
        truth = (image, stored) if lossless else (image,)
        yield _entry(name, "a negative with a profile", data, *truth)
    name = "grey-profile.jxl"
    grey = desk.grey(name)
    stored = ImageOps.invert(grey)
    data = jxl.encode(stored, profile=make_profile(INVERTED, grey=True), lossless=True)
    yield _entry(name, "a grey negative with a profile", data, grey, stored)


def _composed(desk: Desk) -> Iterator[Entry]:
    name = "second-frame.jxl"
    cover, known = desk.picture(f"{name}-cover"), desk.picture(name)
    data = jxl.encode(Frame(cover, 1), Frame(known, 600), animated=True)
    yield Entry(name, KIND, "the second frame stays", data, (cover, known), moments=(0.6,))
    name = "frame-in-part.jxl"
    cover, known = desk.picture(f"{name}-cover"), desk.picture(name)
    shown = cover.copy()
    shown.paste(known.crop((20, 20, 300, 220)), (20, 20))
    part = Frame(known.crop((20, 20, 300, 220)), 600, at=(20, 20))
    data = jxl.encode(Frame(cover, 1), part, animated=True)
    yield Entry(name, KIND, "a frame of a part", data, (cover, shown), moments=(0.6,))
    name = "layers.jxl"
    below, above = desk.picture(f"{name}-below"), desk.picture(name)
    shown = below.copy()
    shown.paste(above.crop((0, 40, 320, 240)), (0, 40))
    layer = Frame(above.crop((0, 40, 320, 240)), at=(0, 40))
    data = jxl.encode(Frame(below), layer, layered=True)
    yield _entry(name, "a layer over another", data, shown)


def _several(desk: Desk) -> Iterator[Entry]:
    name = "preview.jxl"
    image, preview = desk.picture(name), desk.picture(f"{name}-small", (160, 120))
    yield _entry(
        name, "another picture as preview", jxl.with_preview(image, preview), image, preview
    )
    name = "of-jpeg.jxl"
    image = desk.picture(name)
    jpeg = encode(store(image, 6), "JPEG")
    data = jxl.of_jpeg(jpeg[:2] + app1(exif(6)) + jpeg[2:])
    yield _entry(name, "made of a JPEG that EXIF turns", data, image)
    name = "after.jpg"
    image, known = desk.picture(f"{name}-cover"), desk.picture(name)
    data = encode(image, "JPEG") + jxl.in_boxes(jxl.encode(known))
    yield _entry(name, "a JPEG XL after a JPEG", data, image, known)


def _broken(desk: Desk) -> Iterator[Entry]:
    name = "cut-by-a-hundredth.jxl"
    whole = jxl.encode(desk.picture(name))
    yield _entry(name, "the last bytes are missing", whole[: len(whole) * 99 // 100])
    name = "inks.jxl"
    data = jxl.encode(desk.picture(name), extras=(2,))
    yield _entry(name, "an ink that is not used", data, desk.picture(name))

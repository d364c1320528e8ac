"""Films that begin with boxes which players pass over, and one whose frames are cropped."""

import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

from tests.support.corpus.containers import box
from tests.support.corpus.entry import Desk, Entry, make_entry
from tests.support.corpus.filming import Track, boxes, film, shift_places

KIND: Final = "leading"
BEFORE: Final = (b"abcd", b"\1\2\3\4", b"pict", b"udta", b"prfl", b"emsg", b"meta")
INSTEAD: Final = (b"abcd", b"\xff\0\xff\0", b"junk", b"pict", b"udta", b"meta")
TAGS: Final = b"ID3\4\0\0\0\0\0\x0a" + bytes(10)
_entry = partial(make_entry, KIND, element="video")


def entries(desk: Desk) -> Iterator[Entry]:
    for number, kind in enumerate(BEFORE):
        name = f"box-{number}-first.mp4"
        image = desk.picture(name)
        data = box(kind, bytes(16)) + shift_places(film(Track([(image, 1.0)])), 24)
        yield _entry(name, f"a box {kind!r} before ftyp", data, image)
    for number, kind in enumerate(INSTEAD):
        name = f"box-{number}-instead.mov"
        image = desk.picture(name)
        whole = film(Track([(image, 1.0)]))
        end = next(end for kind, _, end in boxes(whole) if kind == b"ftyp")
        yield _entry(
            name, f"{kind!r} in place of ftyp", box(kind, bytes(end - 8)) + whole[end:], image
        )
    name = "tags-and-a-box.mp4"
    image = desk.picture(name)
    data = TAGS + box(b"abcd", bytes(16)) + shift_places(film(Track([(image, 1.0)])), 44)
    yield _entry(name, "tags, and an unknown box", data, image, element="")
    name = "long-free.mp4"
    image = desk.picture(name)
    first = struct.pack(">I4sQ", 1, b"abcd", 24) + bytes(8)
    data = first + shift_places(film(Track([(image, 1.0)])), 24)
    yield _entry(name, "an unknown box whose size has eight bytes", data, image)
    for left, top in ((80, 60), (34, 10)):
        name = f"cropped-by-{left}.mp4"
        image = desk.picture(name)
        options = {"x264-params": f"crop-rect={left},{top},{left},{top}"}
        shown = image.crop((left, top, 320 - left, 240 - top))
        data = film(Track([(image, 1.0)], options=options))
        # Chromium moves the crop to the corner of the frame.
        yield _entry(name, "its frames are cropped", data, shown, element="")

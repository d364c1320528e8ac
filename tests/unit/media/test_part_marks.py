"""Every bound on the search for files sets a mark once it cuts something, and the answer has it."""

import importlib
import pkgutil
import zlib
from collections.abc import Callable
from typing import NamedTuple

import pytest

from kinward.media import Hashed, View, parts
from tests.support import joined
from tests.support.corpus.filming import shift_places
from tests.support.joined import (
    archive,
    box,
    data_url,
    film,
    hashed,
    knows,
    picture,
    segment,
    svg,
    with_segments,
)

JPEG, PNG, OTHER = picture(1), picture(1, "PNG"), picture(2)
ENTITY = svg("&p;", f'<!DOCTYPE svg [<!ENTITY p "{data_url(OTHER)}">]>')
PLAIN = b"/Subtype/Image/Width 320/Height 240/BitsPerComponent 8/ColorSpace/DeviceRGB"
PIXELS = PLAIN + b"/Filter/FlateDecode"


class Bound(NamedTuple):
    """A bound, a value that it could have, and a file of which that cuts something."""

    name: str
    value: int
    make: Callable[[], bytes]


def pdf() -> bytes:
    return joined.pdf(JPEG) + joined.pdf_of(PIXELS, zlib.compress(joined.pixels(2)))


def held() -> bytes:
    """An archive whose first file claims the bytes of all others."""
    whole = bytearray(archive({"a": b"words"}) + JPEG + OTHER + picture(3))
    whole[18:22] = len(whole).to_bytes(4, "little")
    return bytes(whole)


BOUNDS = [
    Bound("budget.MAX_PARTS", 1, lambda: JPEG + OTHER),
    Bound("budget.MAX_UNPACKED", 1000, lambda: JPEG + archive({"a.png": PNG})),
    Bound("budget.MAX_MEMBER", 1000, lambda: JPEG + archive({"a.png": PNG})),
    Bound("budget.MAX_SEARCHED", 1000, lambda: archive({"a.jpg": JPEG, "a.txt": b"words " * 900})),
    Bound("budget.MAX_COPIED", 1000, lambda: JPEG + OTHER),
    Bound("budget.MAX_STEPS", 20, lambda: JPEG + b"\xff\xd8" + b"\xff\xe0\0\2" * 50 + OTHER),
    Bound("scan.MAX_FOUND", 1, lambda: JPEG + OTHER),
    Bound("finder.DEPTH", 1, lambda: JPEG + archive({"a.svg": svg(data_url(svg(data_url(PNG))))})),
    Bound("finder.MAX_FILMS", 0, lambda: JPEG + film(9)),
    Bound("finder.MAX_INSIDE", 1, lambda: with_segments(JPEG, *[segment(0xE5, OTHER[:4000])] * 3)),
    Bound("finder.MAX_INSIDE", 1, held),
    Bound("finder.MAX_WRITTEN", 0, lambda: JPEG + b"\0;base64,AAAA"),
    Bound("markup.MAX_EXPANDED", 1000, lambda: ENTITY),
    Bound("dictionary.LONGEST", 9, pdf),
    Bound("packages.MAX_PDFS", 1, lambda: joined.pdf(JPEG) + joined.pdf(OTHER)),
    Bound("pdf.MAX_STREAMS", 1, pdf),
    Bound("pdf.MAX_OBJECTS", 1, pdf),
    Bound("pixels.MAX_BYTES", 1000, pdf),
]
# These bound nothing that is read: sizes in a format, and what is asked first of two.
OTHERS = {
    "boxes.TAG": "the size of a tag",
    "boxes.FOOTER": "a flag",
    "budget.MIB": "a unit",
    "extents.EBML_HEAD": "a longer head counts as that of a film",
    "finder.HEAD": "every medium knows its files by fewer bytes",
    "finder.GAIN_MAP_HEAD": "a map that is not found counts as a picture",
    "scan.BLOCK": "the next block follows",
    "scan.OVERLAP": "longer than any pattern",
    "archives.BZIP2": "a method",
    "archives.CHUNK": "how much is unpacked at a time",
    "archives.DEFLATED": "a method",
    "archives.LZMA": "a method",
    "archives.STORED": "a method",
    "archives.HEAD": "of what is asked first",
    "pdf.DAMAGED": "of damaged files, which no viewer has to show",
    "pdf.MAX_VALUE": "a longer one is that of an unknown kind, which is unread",
    "texts.HEAD": "where the word of a format ends",
    "markup.HEAD": "decides the name of the type alone",
    "markup.LONG_HEAD": "decides the name of the type alone",
    "markup.PDF_WITHIN": "decides the name of the type alone",
}


def heard(file: Hashed) -> bool:
    """Whether the answer says that something was not read."""
    return not file.entire or file.unread


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name)
def test_a_bound_that_cuts_something_is_heard_in_the_answer(
    bound: Bound, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bound.make()
    assert not heard(hashed(data)) or bound.make is held or bound.name == "finder.MAX_INSIDE"
    monkeypatch.setattr(f"kinward.media.parts.{bound.name}", bound.value)
    assert heard(hashed(data))


def test_every_bound_is_in_the_table() -> None:
    modules = [one.name for one in pkgutil.iter_modules(parts.__path__)]
    bounds = {
        f"{module}.{name}"
        for module in modules
        for name, value in vars(importlib.import_module(f"kinward.media.parts.{module}")).items()
        if name.isupper() and isinstance(value, int) and not name.startswith("_")
    }
    named = {bound.name for bound in BOUNDS} | set(OTHERS)
    known = {name.rpartition(".")[2] for name in named}
    assert {name for name in bounds if name.rpartition(".")[2] not in known} == set()
    assert named <= bounds


def test_a_search_whose_steps_run_out_says_so() -> None:
    fakes = (b"\xff\xd8" + b"\xff\xe0\0\2" * 4095) * 100
    for data in (
        JPEG + fakes + OTHER,
        archive({"a.jpg": JPEG, "b.bin": fakes, "c.jpg": OTHER}, 0),
        joined.pdf(JPEG) + joined.pdf_of(b"", fakes) + joined.pdf(OTHER),
    ):
        file = hashed(data)
        assert knows(file, 1)
        assert not file.entire


def test_a_picture_after_many_segments_is_read() -> None:
    late = with_segments(OTHER, *[segment(0xE5, b"")] * 9000)
    file = hashed(JPEG + late)
    assert knows(file, 1, 2)
    assert file.entire


@pytest.mark.parametrize("count", [0, 4200])
def test_a_film_behind_many_boxes_is_read(count: int) -> None:
    moved = shift_places(film(9), 8 * count)
    begin = int.from_bytes(moved[:4])
    late = moved[:begin] + box(b"free", b"") * count + moved[begin:]
    assert knows(hashed(late[:8] + b"avif" + late[12:]), 9)


def test_an_archive_whose_first_file_claims_the_others_hides_none_in_silence() -> None:
    many = archive({f"{seed}.jpg": joined.thumbnail(seed) for seed in range(20)}, 0)
    claiming = bytearray(archive({"a": b"words"}) + many)
    claiming[18:22] = len(claiming).to_bytes(4, "little")
    file = hashed(bytes(claiming))
    assert knows(file, 0, 19, bits=20) or heard(file)


def test_views_that_are_too_many_together_are_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = hashed(JPEG + OTHER)
    monkeypatch.setattr("kinward.media.merging.MAX_VIEWS", 1)
    cut = hashed(JPEG + OTHER)
    assert whole.entire
    assert len(cut.views) < len(whole.views)
    assert not cut.entire


def test_views_go_in_silence_only_if_others_are_like_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from kinward.media.merging import _lost

    near = bytes(31) + b"\7"
    kept = [View(bytes(32)), View(b"\xff" * 32)]
    assert not _lost([*kept, View(near), View(bytes(32), strand=9)], kept)
    assert _lost([*kept, View(near), View(b"\x0f" * 32)], kept)
    monkeypatch.setattr("kinward.media.merging.MAX_VIEWS", 1)
    assert _lost([*kept, View(near), View(bytes(31) + b"\1")], kept)

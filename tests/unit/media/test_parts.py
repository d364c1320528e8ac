"""Every file in the bytes is read, whichever of them a viewer would show."""

import itertools
import struct
from collections.abc import Sequence

import pytest

from kinward.media import View, split_frames
from kinward.media.decoder import answer
from tests.support import joined, jxl, looks, videos
from tests.support.corpus.filming import shift_places
from tests.support.joined import (
    BOUNDS,
    FILMS,
    FORMATS,
    box,
    film,
    hashed,
    knows,
    picture,
    segment,
    with_segments,
)

JPEG, PNG, OTHER = picture(1), picture(1, "PNG"), picture(2)
UNSUPPORTED = "media.type_unsupported"


@pytest.mark.parametrize(("first", "second"), itertools.product(FORMATS, FORMATS))
def test_a_picture_after_a_picture_is_read(first: str, second: str) -> None:
    file = hashed(picture(1, first) + picture(2, second))
    assert knows(file, 1, 2)
    assert file.entire
    assert file.kind == "video"
    assert len({view.strand for view in file.views}) == 2
    assert file.media_type == hashed(picture(1, first)).media_type
    assert (file.width, file.height) == joined.SIZE


def test_a_broken_picture_after_sound_is_not_called_a_file_without_pictures() -> None:
    nothing = PNG[: PNG.index(b"IDAT") + 16]
    reply = answer("hash", videos.encode_sound() + nothing, BOUNDS, lambda views: True)
    assert reply.error == "media.undecodable"


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("format", ["JPEG", "GIF", "PNG", "AVIF"])
def test_a_film_after_a_picture_is_read_and_the_reverse(name: str, format: str) -> None:
    moving = film(9, *FILMS[name])
    for data in (picture(1, format) + moving, moving + picture(1, format)):
        file = hashed(data)
        assert knows(file, 1, 9)
        assert file.entire
        assert len(split_frames(file.signature)) == 2
        assert file.frames > 1


def test_a_transport_stream_with_times_before_its_packets_is_read() -> None:
    stream = film(9, *FILMS["MPEG-TS"])
    timed = b"".join(bytes(4) + stream[at : at + 188] for at in range(0, len(stream), 188))
    assert knows(hashed(picture(1, "GIF") + timed), 1, 9)
    assert knows(hashed(timed), 9)
    assert knows(hashed(b"junk" + stream), 9)


@pytest.mark.parametrize(
    "before", [b" \r\n", b"\xef\xbb\xbf", b"\0", b"ID3\4\0\0\0\0\0\x64" + bytes(100)]
)
@pytest.mark.parametrize("format", FORMATS)
def test_what_stands_before_a_file_hides_nothing(before: bytes, format: str) -> None:
    assert knows(hashed(before + picture(1, format)), 1)


def shifted(film: bytes, lead: bytes, without: int = 0) -> bytes:
    """A film after other boxes, or without its first bytes, with its offsets changed to suit."""
    at = film.index(b"stco") + 4
    (count,) = struct.unpack_from(">I", film, at + 4)
    changed = bytearray(film)
    for place in range(count):
        where = at + 8 + 4 * place
        (offset,) = struct.unpack_from(">I", film, where)
        struct.pack_into(">I", changed, where, offset + len(lead) - without)
    return lead + bytes(changed[without:])


@pytest.mark.parametrize("kind", [b"free", b"skip", b"wide"])
@pytest.mark.parametrize("size", [0, 1, 8, 200])
def test_boxes_before_the_first_of_a_film_hide_nothing(kind: bytes, size: int) -> None:
    assert knows(hashed(shifted(film(9), box(kind, bytes(size)))), 9)


@pytest.mark.parametrize("lead", [b"", box(b"wide", b"")])
def test_an_old_film_without_a_brand_is_read(lead: bytes) -> None:
    whole = film(9)
    (size,) = struct.unpack_from(">I", whole)
    assert knows(hashed(shifted(whole, lead, size)), 9)


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"mif1", b"avif"])
def test_a_picture_in_boxes_is_read_whatever_its_first_brand(brand: bytes) -> None:
    avif = picture(1, "AVIF")
    assert knows(hashed(avif[:8] + brand + avif[12:]), 1)


@pytest.mark.parametrize("brand", [b"mif1", b"heic", b"avif", b"avis", b"msf1"])
def test_a_film_is_read_whatever_its_first_brand(brand: bytes) -> None:
    file = film(9)
    assert knows(hashed(file[:8] + brand + file[12:]), 9)


@pytest.mark.parametrize("kind", [b"free", b"udta", b"uuid", b"skip", b"mpvd"])
@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_in_a_box_of_a_film_is_read(kind: bytes, format: str) -> None:
    assert knows(hashed(film(9) + box(kind, picture(1, format))), 1, 9)


def test_the_film_of_a_motion_photo_is_read_in_each_layout() -> None:
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta GCamera:MotionPhoto='1'/>")
    plain = with_segments(JPEG, xmp) + film(9)
    trailer = struct.pack("<HHI", 0, 0x0A30, 16) + b"MotionPhoto_Data"
    samsung = JPEG + trailer + film(9) + b"SEFH" + bytes(20) + b"SEFT"
    heic = picture(1, "AVIF") + box(b"mpvd", film(9))
    for data in (plain, samsung, heic):
        file = hashed(data)
        assert knows(file, 1, 9)
        assert file.kind == "video"


def test_previews_are_views_and_not_in_what_a_bank_keeps() -> None:
    preview = joined.thumbnail(3)
    resources = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", 1036, 0, len(preview)) + preview
    for part in (
        joined.exif_with(preview),
        segment(0xED, resources),
        segment(0xE2, b"MPF\0" + preview),
    ):
        file = hashed(with_segments(JPEG, part))
        assert knows(file, 1)
        assert knows(file, 3, bits=20)  # it is small
        assert file.kind == "pdq"
        assert file.signature == hashed(JPEG).signature
        assert (file.frames, file.entire) == (1, True)


def test_a_broken_preview_costs_nothing() -> None:
    broken = joined.thumbnail(3)
    broken = broken[:200] + bytes(len(broken) - 200)
    file = hashed(with_segments(JPEG, segment(0xE2, broken)))
    assert file.entire
    assert knows(file, 1)


def test_a_map_for_brightness_is_no_picture_of_its_own() -> None:
    brighter = with_segments(
        OTHER, segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0hdrgm:Version='1.0'")
    )
    file = hashed(JPEG + brighter)
    assert (file.kind, file.signature) == ("pdq", hashed(JPEG).signature)
    assert knows(file, 1, 2)


def test_the_same_picture_twice_is_one_moment() -> None:
    file = hashed(JPEG + PNG)
    assert (file.kind, len(file.signature), file.frames) == ("pdq", 32, 1)
    assert file.quality is not None


def test_a_plain_file_gives_what_its_medium_gives() -> None:
    from kinward.media.registry import medium_of

    for data in (JPEG, film(9)):
        assert hashed(data) == medium_of(data).hash(data, BOUNDS, lambda views: True)


def test_views_come_before_a_part_that_may_end_the_process() -> None:
    heard: list[object] = []

    def more(views: Sequence[View]) -> bool:
        heard.extend(view.strand for view in views)
        return True

    data = JPEG + film(9) + OTHER
    given = answer("hash", data, BOUNDS, more, heard.append)
    told = [(type(one).__name__, getattr(one, "place", one)) for one in heard]
    assert list(dict.fromkeys(told)) == [
        ("Begun", 0),
        ("int", 0),
        ("Begun", 1),
        ("int", 128),
        ("Begun", 2),
    ]
    assert [one.lasting for one in heard if hasattr(one, "lasting")] == [False, False, True]
    assert given.hashed is not None
    assert {view.strand for view in given.hashed.views} == {0, 64, 128}
    rest = answer("hash 1", data, BOUNDS, more).hashed
    assert rest is not None
    assert {view.strand for view in rest.views} == {64, 128}


def test_reading_ends_once_the_caller_has_enough() -> None:
    given = answer("hash", JPEG + OTHER, BOUNDS, lambda views: False).hashed
    assert given is not None
    assert given.signature == hashed(JPEG).signature
    assert not given.entire


def test_each_strand_is_shown_by_itself() -> None:
    data = film(9) + OTHER
    contents = answer("contents", data, BOUNDS, lambda views: True).contents
    assert contents is not None
    assert contents.entire
    assert [(one.number, one.what, one.role, one.moves) for one in contents.strands] == [
        (0, "track", "file", True),
        (64, "picture", "appended", False),
    ]
    for number, seed in ((0, 9), (64, 2)):
        still = answer(f"still {number} 0", data, BOUNDS, lambda views: True).still
        assert still is not None
        if number:
            assert knows(hashed(still), seed)
    assert answer("play 0", data, BOUNDS, lambda views: True).playback is not None
    assert answer("play 64", data, BOUNDS, lambda views: True).error == UNSUPPORTED
    assert answer("still 6400 0", data, BOUNDS, lambda views: True).error == UNSUPPORTED
    assert answer("still", b"junk" + JPEG, BOUNDS, lambda views: True).still is not None


def test_the_views_and_the_signature_are_shared_out() -> None:
    from kinward.media.merging import _fair

    assert _fair([[1, 2, 3], list(range(100)), list(range(50))], 20)[:3] == [1, 2, 3]
    assert len(_fair([[1], list(range(100)), list(range(50))], 20)) == 20
    assert _fair([[1, 2], [3]], 20) == [1, 2, 3]


@pytest.mark.parametrize("tags", [1, 2])
@pytest.mark.parametrize("foot", [b"", b"3DI\x04\0\x10\0\0\0\x05"])
def test_a_film_after_tags_of_id3_is_read(tags: int, foot: bytes) -> None:
    tag = b"ID3\x04\0" + (b"\x10" if foot else b"\0") + b"\0\0\0\x05" + bytes(5) + foot
    front = tag * tags
    file = hashed(front + shift_places(film(9, *FILMS["MP4"]), len(front)))
    assert knows(file, 9)
    assert file.entire
    assert file.media_type.startswith("video/")


@pytest.mark.parametrize("before", [b"(", b"b.jxl", b"II*", b"words"])
def test_a_file_whose_first_bytes_end_the_mark_of_another_is_found(before: bytes) -> None:
    """`(` and the zeros after it look like a bitmap, in which a JPEG XL begins."""
    image = looks.plain(306)
    data = jxl.in_boxes(jxl.encode(image))
    both = hashed(picture(1) + before + data)
    assert knows(both, 1)
    assert looks.bits(image, [view.hash for view in both.views]) <= looks.NEAR

"""JPEG XL: read as browsers show it, within bounds, and never clear where it cannot be read."""

import pytest
from PIL import Image, ImageOps

from kinward.media import TooManyPixels, Undecodable, read_picture
from kinward.media.decoder import answer
from kinward.media.heads import Claim, claim_of
from kinward.media.medium import Bounds
from kinward.media.messages import CONTENTS
from kinward.media.moving import moving_pictures
from kinward.media.picture import pictures
from kinward.media.stills import jxl as reader
from kinward.media.stills import libjxl
from tests.support import joined, jxl
from tests.support.corpus.alpha import two_faced
from tests.support.corpus.orientation import app1, exif, store
from tests.support.corpus.profiles import INVERTED, make_profile
from tests.support.jxl import Frame
from tests.support.looks import MAX, bits, encode, plain, shows

ONE, OTHER = plain(301), plain(302)
WHOLE = jxl.encode(ONE)
BOUNDS = Bounds(MAX, 5.0)


@pytest.mark.parametrize("orientation", [2, 6])
def test_a_picture_is_turned_as_it_says_and_not_as_its_exif_says(orientation: int) -> None:
    data = jxl.encode(store(ONE, orientation), orientation=orientation)
    block = jxl.box(b"Exif", bytes(4) + exif(3))
    for file in (data, jxl.in_boxes(data), jxl.in_boxes(data, parts=3, before=block)):
        assert shows(file, ONE)
        assert read_picture(file, MAX).media_type == "image/jxl"
        assert [shown.size for _, _, shown in pictures(file, BOUNDS)] == [ONE.size]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_transparent_picture_is_seen_on_white_and_on_black(mode: str) -> None:
    light, dark = ONE.convert("L"), OTHER.convert("L")
    data = jxl.encode(two_faced(light, dark).convert(mode), lossless=True)
    assert shows(data, light)
    assert shows(data, dark)


def test_colours_that_are_multiplied_by_alpha_are_divided_and_as_stored() -> None:
    multiplied = ONE.copy()
    multiplied.putalpha(OTHER.convert("L"))
    data = jxl.encode(multiplied, lossless=True, premultiplied=True)
    assert shows(data, ONE)  # as stored: a browser adds nothing on black
    white = Image.new("RGBA", ONE.size, "white")
    white.alpha_composite(multiplied)
    assert shows(data, white)


def test_a_profile_is_applied_and_left_out() -> None:
    for lossless in (False, True):
        data = jxl.encode(ImageOps.invert(ONE), profile=make_profile(INVERTED), lossless=lossless)
        assert shows(data, ONE)
        assert lossless is False or shows(data, ImageOps.invert(ONE))


def test_each_frame_is_a_moment_with_its_time_and_its_place() -> None:
    part = Frame(OTHER.crop((20, 20, 300, 220)), 20, at=(20, 20))
    data = jxl.encode(Frame(ONE, 5), part, animated=True)
    composed = ONE.copy()
    composed.paste(OTHER.crop((20, 20, 300, 220)), (20, 20))
    assert read_picture(data, MAX).frames == 2
    assert shows(data, ONE, strand=0, moment=0)
    assert shows(data, composed, strand=0, moment=1)
    for moment, truth in enumerate((ONE, composed)):  # a reviewer asks for one of them
        (found,) = pictures(data, BOUNDS, only=(0, moment))
        assert found[:2] == (0, moment)
        assert bits(found[2], _hashes(truth)) <= 8
    assert [seconds for _, seconds in moving_pictures(data, MAX, 5.0)] == [0.5, 2.0]


def _hashes(picture: Image.Image) -> list[bytes]:
    return [view.hash for view in read_picture(encode(picture, "PNG"), MAX).views]


def test_layers_are_one_picture() -> None:
    below, above = Frame(ONE), Frame(OTHER.crop((0, 120, 320, 240)), at=(0, 120))
    shown = ONE.copy()
    shown.paste(OTHER.crop((0, 120, 320, 240)), (0, 120))
    data = jxl.encode(below, above, layered=True)
    assert shows(data, shown)
    assert read_picture(data, MAX).frames == 1


def test_a_preview_is_a_strand_of_its_own() -> None:
    preview = plain(302, (160, 120))
    data = jxl.with_preview(ONE, preview)
    assert shows(data, ONE, strand=0)
    assert shows(data, preview, strand=1)
    contents = answer(CONTENTS, data, BOUNDS, lambda views: True).contents
    assert contents is not None
    assert ([strand.number for strand in contents.strands], contents.entire) == ([0, 1], True)


def test_the_jpeg_that_it_was_made_of_is_read_as_well() -> None:
    jpeg = encode(store(ONE, 6), "JPEG")
    data = jxl.of_jpeg(jpeg[:2] + app1(exif(6)) + jpeg[2:])
    assert read_picture(data, MAX).entire
    both = list(pictures(data, BOUNDS))
    assert [(strand, shown.size) for strand, _, shown in both] == [(0, ONE.size), (1, ONE.size)]
    assert all(bits(shown, _hashes(ONE)) <= 8 for _, _, shown in both)


def test_a_jpeg_that_is_too_long_is_missed_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    data = jxl.of_jpeg(encode(plain(303, (1600, 1200)), "JPEG", quality=98))
    assert read_picture(data, MAX).entire
    monkeypatch.setattr(reader, "MOST_JPEG", 1 << 16)
    assert not read_picture(data, MAX).entire


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_picture_that_lacks_its_end_is_known_and_not_entire(share: float) -> None:
    hashed = read_picture(WHOLE[: int(len(WHOLE) * share)], MAX)
    assert not hashed.entire
    assert bits(ONE, [view.hash for view in hashed.views]) <= 31


def test_an_animation_that_lacks_its_end_is_known_by_what_is_there() -> None:
    data = jxl.encode(Frame(ONE, 5), Frame(OTHER, 5), animated=True)
    hashed = read_picture(data[: len(WHOLE) + 400], MAX)
    assert not hashed.entire
    assert bits(ONE, [view.hash for view in hashed.views]) <= 8


@pytest.mark.parametrize("length", [2, 12, 40, 200])
def test_a_mere_beginning_is_refused(length: int) -> None:
    for file in (WHOLE[:length], jxl.in_boxes(WHOLE)[: 10 + length]):
        with pytest.raises(Undecodable):
            read_picture(file, MAX)


@pytest.mark.parametrize("at", range(3, 200, 14))
def test_damage_is_never_read_to_its_end_unseen(at: int) -> None:
    """What libjxl does not notice is a picture like any other, and hashed as it is shown."""
    data = WHOLE[:at] + bytes([WHOLE[at] ^ 0x55]) + WHOLE[at + 1 :]
    try:
        hashed = read_picture(data, MAX)
    except (Undecodable, TooManyPixels):
        return
    assert not hashed.entire or hashed.quality is not None


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    sides = 3 << 1 | (100_000 - 1) << 3 | 1 << 33  # not small, a long side, as wide as high
    with pytest.raises(TooManyPixels, match="100000 x 100000"):
        read_picture(b"\xff\x0a" + (sides | 3 << 36).to_bytes(8, "little"), MAX)
    with pytest.raises(TooManyPixels):
        read_picture(WHOLE, 320 * 240 - 1)


def test_a_further_channel_that_some_viewers_show_is_said_to_be_unread() -> None:
    for kind, unread in ((1, False), (2, True), (4, True)):  # depth, ink, black
        hashed = read_picture(jxl.encode(ONE, extras=(kind,)), MAX)
        assert hashed.unread is unread
        assert shows(jxl.encode(ONE, extras=(kind,)), ONE)


def test_frames_for_which_there_is_no_time_are_said_to_be_missing() -> None:
    data = jxl.encode(*(Frame(plain(seed), 1) for seed in range(4)), animated=True)
    hashed = read_picture(data, MAX, seconds=-1.0)
    assert hashed.views
    assert not hashed.entire
    assert {view.moment for view in hashed.views} == {0}
    assert read_picture(data, MAX).entire


def test_another_library_is_not_trusted_with_its_structs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libjxl, "VERSION", 12)
    with pytest.raises(Undecodable):
        read_picture(WHOLE, MAX)


def test_its_head_tells_its_pixels() -> None:
    size = (240, 130)
    for picture in (plain(3, size), plain(3, (256, 192)), plain(3, (120, 100))):
        data = jxl.encode(picture)
        pixels = picture.width * picture.height
        assert claim_of(data) == claim_of(jxl.in_boxes(data)) == Claim(pixels, 1)
        assert claim_of(jxl.in_boxes(data, parts=2)) == Claim(pixels, 1)


@pytest.mark.parametrize("format", ["JPEG XL", "JPEG2000"])
def test_one_after_a_picture_is_found_and_whole(format: str) -> None:
    """Both begin with a box that is a signature, after which the brand follows."""
    known = joined.picture(2)
    image = plain(304)
    data = jxl.in_boxes(jxl.encode(image)) if format == "JPEG XL" else encode(image, format)
    both = joined.hashed(known + data)
    assert joined.knows(both, 2)
    assert bits(image, [view.hash for view in both.views]) <= 8
    assert both.entire
    alone = joined.hashed(data)
    assert (alone.entire, alone.unread) == (True, False)

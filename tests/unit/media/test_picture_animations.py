"""Every frame of an animation is hashed as it is composed, and none can hide behind the others."""

import itertools
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kinward.media import TooManyPixels, Undecodable, read_picture
from kinward.media.medium import Bounds, View
from kinward.media.moving import moving_pictures
from kinward.media.picture import pictures, strands_of
from kinward.media.stills import gif, png, webp
from kinward.media.stills.animation import Animation, Canvas, Disposal, Frame, play
from kinward.media.stills.reading import Picture, Reading
from tests.support import looks
from tests.support.looks import MAX, bits, chunks, encode, plain, seen, shows

FORMATS = pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])


def few(seed: int) -> Image.Image:
    """Return a picture of few colours, which a GIF keeps."""
    return plain(seed).quantize(64, dither=Image.Dither.NONE).convert("RGB")


WHITE = Image.new("RGB", looks.SIZE, "white")
BOUNDS = Bounds(MAX, 9.0)


def animation(frames: list[Image.Image], format: str, **options: Any) -> bytes:
    options = {"duration": 100, "save_all": True, "append_images": frames[1:]} | options
    return encode(frames[0], format, **options)


@FORMATS
def test_each_frame_is_a_moment(format: str) -> None:
    frames = [few(seed) for seed in (21, 22, 23)]
    data = animation(frames, format)
    hashed = read_picture(data, MAX)
    assert (hashed.kind, hashed.entire) == ("video", True)
    assert hashed.frames >= 3
    assert len(hashed.signature) == 3 * 32
    for moment, frame in enumerate(frames):
        assert shows(data, frame, strand=0, moment=moment)


@FORMATS
def test_a_blank_first_frame_hides_nothing_and_is_in_no_signature(format: str) -> None:
    data = animation([WHITE, few(24)], format, duration=[20, 3000])
    hashed = read_picture(data, MAX)
    assert (hashed.kind, len(hashed.signature)) == ("pdq", 32)
    assert shows(data, few(24), strand=0, moment=1)


@FORMATS
def test_equal_frames_count_once(format: str) -> None:
    frames = [few(25), few(26)] * 4
    hashed = read_picture(animation(frames, format), MAX)
    assert len(hashed.signature) == 2 * 32
    assert {view.moment for view in hashed.views} == {0, 1}


def test_the_default_image_of_an_apng_is_a_strand_of_its_own() -> None:
    data = animation([plain(27), plain(28)], "PNG", default_image=True)
    assert shows(data, plain(28), strand=0, moment=0)
    assert shows(data, plain(27), strand=1, moment=0)
    assert [strand.number for strand in strands_of(data, BOUNDS)] == [0, 1]


def test_the_still_of_an_animated_avif_is_seen_whichever_its_brand_says() -> None:
    data = animation([plain(29), plain(30)], "AVIF")
    for brand in (b"avif", b"avis"):
        assert shows(data[:8] + brand + data[12:], plain(29))
        assert shows(data[:8] + brand + data[12:], plain(30))


@FORMATS
def test_a_picture_composed_of_parts_is_seen(format: str) -> None:
    picture, frames = few(31), []
    canvas = WHITE.copy()
    for left, top in itertools.product((0, 160), (0, 120)):
        box = (left, top, left + 160, top + 120)
        canvas.paste(picture.crop(box), box)
        frames.append(canvas.copy())
    assert shows(animation(frames, format), picture, strand=0)


def still(image: Image.Image) -> Any:
    """Return a reader of a frame."""
    return lambda: (np.asarray(image.convert("RGBA")), True)


def frame(image: Image.Image, at: tuple[int, int] = (0, 0), **options: Any) -> Frame:
    plainly = Frame(*at, *image.size, 0.1, Disposal.KEEP, blends=True, read=still(image))
    return plainly._replace(**options)


def shown(frames: list[Frame], seconds: float = 60.0) -> dict[int, Image.Image]:
    reading = Reading(Bounds(MAX, seconds, seconds))
    return {
        picture.moment: picture.as_shown().convert("RGB")
        for picture in play(Animation(*looks.SIZE, frames), 0, reading)
    }


def test_frames_are_cleared_and_put_back_as_they_say() -> None:
    base, patch = plain(32), plain(33, (100, 80))
    frames = [
        frame(base),
        frame(patch, (30, 30), disposal=Disposal.RESTORE),
        frame(patch, (200, 150), disposal=Disposal.CLEAR),
        frame(patch, (280, 200)),  # partly outside
    ]
    found = shown(frames)
    second, third, fourth = base.copy(), base.copy(), base.copy()
    second.paste(patch, (30, 30))
    third.paste(patch, (200, 150))
    fourth.paste((0, 0, 0), (200, 150, 300, 230))
    fourth.paste(patch, (280, 200))
    for number, picture in enumerate((base, second, third, fourth)):
        assert np.array_equal(np.asarray(found[number]), np.asarray(picture)), number


@pytest.mark.parametrize("seed", range(6))
def test_a_moment_composed_by_itself_is_what_the_order_gives(seed: int) -> None:
    dice = np.random.default_rng(seed)
    frames = []
    for number in range(14):
        image = plain(40 + number, (int(dice.integers(20, 320)), int(dice.integers(20, 240))))
        if dice.random() < 0.5:
            image.putalpha(Image.linear_gradient("L").resize(image.size))
        at = int(dice.integers(0, 200)), int(dice.integers(0, 150))
        kept = frame(
            image,
            at,
            disposal=list(Disposal)[int(dice.integers(0, 3))],
            blends=bool(dice.random() < 0.7),
        )
        frames.append(kept)
    whole = Animation(*looks.SIZE, frames)
    for picture in play(whole, 0, Reading(Bounds(MAX, 60.0, 60.0))):
        reading = Reading(Bounds(MAX, 60.0, 60.0), (0, picture.moment))
        (alone,) = play(whole, 0, reading)
        both = [_over_white(one.as_shown()) for one in (picture, alone)]
        assert np.abs(both[0] - both[1]).max() <= 6
    assert reading.entire


def _over_white(image: Image.Image) -> "np.ndarray[Any, Any]":
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image.convert("RGBA"))
    return np.asarray(page).astype(int)


def test_small_changes_of_a_canvas_are_reduced_exactly() -> None:
    canvas, base = Canvas(*looks.SIZE), plain(50)
    canvas.paint(frame(base), np.asarray(base.convert("RGBA")))
    canvas.layers()
    for number in range(40):
        patch = plain(number, (30, 20))
        canvas.paint(frame(patch, (number * 7, number * 5)), np.asarray(patch.convert("RGBA")))
    reduced = np.stack(canvas.layers())
    again = Canvas(*looks.SIZE)
    again.paint(frame(base), canvas.pixels.copy())
    assert np.abs(reduced - np.stack(again.layers())).max() < 0.01


def test_without_time_the_longest_shown_frame_and_any_other_are_read() -> None:
    """The file says which frame is shown for long, and cannot say which others are skipped."""
    long = plain(51)
    frames = [frame(plain(60 + number % 9)) for number in range(300)]
    frames[250] = frame(long, seconds=9.0)
    taken = []
    reading = _Hurried()
    for picture in play(Animation(*looks.SIZE, frames), 0, reading):
        taken.append(picture.moment)
        reading.pictures += 1
    assert taken[:3] == [0, 1, 2]
    assert taken[3] == 250
    assert 4 < len(taken) < 12
    assert not reading.entire


class _Hurried(Reading):
    """A reading that has time for three frames in order, and for ten in all."""

    pictures = 0

    def __init__(self) -> None:
        super().__init__(BOUNDS)

    def overdue(self, share: float = 1.0) -> bool:
        return self.pictures >= (3 if share < 1 else 10)


def broken_second_frame(format: str) -> bytes:
    frames = [few(seed) for seed in (71, 72, 73)]
    data = bytearray(animation(frames, format))
    if format == "PNG":
        at = data.find(b"fdAT") + 3000
    elif format == "WEBP":
        at = data.find(b"ANMF", data.find(b"ANMF") + 4) + 24 + 40
    else:
        at = len(data) // 2
    data[at : at + 30] = b"\x55" * 30
    return bytes(data)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_a_broken_frame_among_good_ones_hides_none_of_them(format: str) -> None:
    data = broken_second_frame(format)
    assert format == "GIF" or not read_picture(data, MAX).entire
    assert shows(data, few(71))
    assert shows(data, few(73))


def test_frames_that_cannot_be_read_at_all_are_skipped() -> None:
    def fail() -> Any:
        raise ValueError("hostile")

    frames = [frame(plain(74)), frame(plain(75))._replace(read=fail), frame(plain(76))]
    assert sorted(shown(frames)) == [0, 2]


def test_a_canvas_and_a_frame_that_are_too_large_are_refused() -> None:
    screen = bytearray(animation([plain(77), plain(78)], "GIF"))
    screen[6:10] = struct.pack("<HH", 65535, 65535)
    with pytest.raises(TooManyPixels, match="65535 x 65535"):
        read_picture(bytes(screen), MAX)
    huge = frame(plain(79))._replace(width=60_000, height=60_000)
    assert sorted(shown([huge, frame(plain(80))])) == [1]


def test_more_can_end_the_reading() -> None:
    told: list[View] = []

    def more(views: Any) -> bool:
        told.extend(views)
        return False

    data = animation([plain(seed) for seed in range(100, 140)], "GIF")
    hashed = read_picture(data, MAX, more=more)
    assert 16 <= len(told) < 40
    assert not hashed.entire


def test_frames_without_a_time_and_files_without_a_frame() -> None:
    assert frame(plain(81), seconds=0.0).shown_seconds == 0.1
    with pytest.raises(Undecodable):
        read_picture(b"GIF89a" + bytes(7) + b";", MAX)
    assert webp.animation_of(encode(plain(82), "WEBP")) is None
    assert png.animation_of(list(png.chunks_of(encode(plain(82), "PNG")))) is None
    assert gif.animation_of(b"GIF89a").frames == []


def test_an_interlaced_gif_that_is_cut_repeats_its_rows_as_browsers_do() -> None:
    picture = few(83)
    data = encode(picture, "GIF", interlace=1)
    hashed = read_picture(data[: len(data) // 2], MAX)
    assert not hashed.entire
    assert bits(picture, [view.hash for view in hashed.views]) <= 16


def test_an_animation_is_played_in_its_order_and_a_still_is_not() -> None:
    frames = [few(84), few(85)]
    played = list(moving_pictures(animation(frames, "GIF", duration=[70, 0]), MAX, 9.0))
    assert [round(seconds, 2) for _, seconds in played] == [0.07, 0.1]
    assert bits(frames[1], seen(encode(played[1][0], "PNG"))) <= 8
    with pytest.raises(Exception, match="does not move"):
        list(moving_pictures(encode(plain(84), "PNG"), MAX, 9.0))
    clear = [Image.merge("RGBA", (*image.split(), image.split()[0])) for image in frames]
    assert len(list(moving_pictures(animation(clear, "WEBP", lossless=True), MAX, 9.0))) == 4


def test_one_moment_of_an_animation_can_be_asked_for() -> None:
    frames = [plain(seed) for seed in (86, 87, 88)]
    data = animation(frames, "WEBP")
    ((strand, moment, image),) = pictures(data, BOUNDS, only=(0, 2))
    assert (strand, moment) == (0, 2)
    assert bits(frames[2], seen(encode(image, "PNG"))) <= 8
    assert list(pictures(data, BOUNDS, only=(0, 9))) == []


def test_an_apng_with_a_wrong_count_of_frames_shows_all() -> None:
    parts = chunks(animation([plain(89), plain(90), plain(91)], "PNG"))
    for count in (0, 1, 2, 99):
        body = struct.pack(">II", count, 0)
        data = looks.png([(kind, body if kind == b"acTL" else rest) for kind, rest in parts])
        assert shows(data, plain(91), moment=2)


def test_a_picture_knows_its_size_as_shown() -> None:
    assert Picture(0, 0, None, canvas=np.zeros((3, 5, 4), dtype=np.uint8)).size == (5, 3)

"""What a reviewer plays shows what the video shows, whatever its container says of itself."""

import io
from collections.abc import Callable

import av
import numpy as np
import pytest

from kinward.media import (
    Decoders,
    Playback,
    TooManyPixels,
    TypeUnsupported,
    Undecodable,
    hash_array,
    read_video,
    split_frames,
)
from kinward.media import film as module
from kinward.media.film import LONGEST_STEP, REST, SIDE, render_film
from kinward.media.shown import picture_of
from tests.support import videos
from tests.support.deep import TIMES

FIVE = videos.encode(range(5))
PICTURES = 50


def played(data: bytes, *, max_pixels: int = 10**7, seconds: float = 60) -> Playback:
    return render_film(data, max_pixels=max_pixels, seconds=seconds)


def frames(data: bytes) -> list[float]:
    """When each picture of a film is shown."""
    with av.open(io.BytesIO(data), "r") as container:
        return [frame.time for frame in container.decode(video=0)]


def differences(video: bytes, film: bytes) -> list[int]:
    """For each frame of a video's signature, how many bits the nearest of the film differs."""
    with av.open(io.BytesIO(film), "r") as container:
        shown = [
            int.from_bytes(hash_array(np.asarray(picture_of(frame, 4096)))[0].tobytes())
            for frame in container.decode(video=0)
        ]
    return [
        min((int.from_bytes(each) ^ found).bit_count() for found in shown)
        for each in split_frames(read_video(video).signature)
    ]


@pytest.mark.parametrize(
    ("format", "codec", "sound"),
    [
        ("mp4", "libx264", "aac"),
        ("webm", "libvpx", "libopus"),
        ("avi", "mpeg4", ""),
        ("mpegts", "mpeg2video", "mp2"),
    ],
)
def test_a_film_shows_what_the_video_shows(format: str, codec: str, sound: str) -> None:
    data = videos.encode(range(4), format=format, codec=codec, rate=25, sound=sound)
    film = played(data)
    assert film.entire
    assert film.data.startswith(b"\x1a\x45\xdf\xa3"), "WebM"
    assert film.seconds == pytest.approx(8 + REST, abs=0.3)
    assert max(differences(data, film.data)) <= 31
    with av.open(io.BytesIO(film.data), "r") as container:
        kinds = [stream.codec_context.name for stream in container.streams]
        assert kinds == (["vp8", "opus"] if sound else ["vp8"])
        assert container.duration is not None
        assert container.duration / 1_000_000 == pytest.approx(film.seconds, abs=0.2)
        if sound:
            loud = [np.abs(each.to_ndarray()).max() for each in container.decode(audio=0)]
            assert len(loud) > 300, "twenty milliseconds each"


def test_a_film_is_small_and_of_even_sides() -> None:
    with av.open(io.BytesIO(played(videos.encode([1], size=(1282, 722))).data)) as container:
        picture = container.streams.video[0]
        assert (picture.width, picture.height) == (SIDE, 270)


@pytest.mark.parametrize(
    ("clock", "longest"),
    [
        (lambda number: number * 10**6, LONGEST_STEP),  # leaps of weeks
        (lambda number: 0, 0.2),  # stands still
        (lambda number: 1000 - number, 0.2),  # runs backwards
        (lambda number: number / 1000, 0.2),  # a thousand pictures a second
    ],
)
def test_no_clock_of_the_files_own_hides_or_stretches(
    clock: Callable[[int], int], longest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file's clock is replaced where the projector reads it: containers forbid such files."""

    counted = iter(range(10**6))
    monkeypatch.setattr(module, "time_of", lambda frame: float(clock(next(counted))))
    film = played(FIVE)
    times = frames(film.data)
    steps = np.diff(times[:-1])
    assert film.entire
    assert len(times) > PICTURES // 2, "of two at least one"
    assert (steps > 0).all()
    assert steps.max() <= longest + 0.01
    assert max(differences(FIVE, film.data)) <= 31, "all of it is there"


def test_what_is_cut_short_says_so() -> None:
    film = played(FIVE, seconds=0)
    assert not film.entire
    assert film.data
    half = videos.encode(range(6), format="matroska")
    assert played(half[: len(half) // 2]).seconds < 10


@pytest.mark.parametrize("seed", range(8 * TIMES))
def test_a_broken_video_gives_a_film_or_one_of_three_errors(seed: int) -> None:
    whole = videos.encode(range(3), format="matroska", codec="libx264", sound="libopus")
    try:
        film = played(videos.broken(whole, seed), seconds=5)
    except (Undecodable, TypeUnsupported, TooManyPixels):
        return
    assert frames(film.data)


def test_what_cannot_be_played() -> None:
    with pytest.raises(TypeUnsupported):
        played(b"no video")
    with pytest.raises(Undecodable):
        played(FIVE[:200])
    with pytest.raises(TooManyPixels):
        played(FIVE, max_pixels=1000)


def test_a_decoder_process_makes_films() -> None:
    decoders = Decoders(
        count=1, seconds=5, video_seconds=30, max_pixels=10**6, memory=1024 * 1024 * 1024
    )
    try:
        assert decoders.play(FIVE).entire
        with pytest.raises(TypeUnsupported):
            decoders.play(b"\xff\xd8\xff a picture")
    finally:
        decoders.close()

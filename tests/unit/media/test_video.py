"""A video is known by its frames, whatever its container says; nothing in it can hurt."""

import struct
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest

from kinward.demo import pictures
from kinward.ground.errors import KinwardError
from kinward.media import (
    MAX_FRAMES,
    Decoders,
    TooManyPixels,
    TypeUnsupported,
    Undecodable,
    hash_array,
    read_video,
    split_frames,
)
from kinward.media.formats import video_format
from kinward.media.medium import View
from kinward.media.orientation import UPRIGHT
from kinward.media.samples import SAME, Strand
from kinward.media.sheet import render_sheet
from kinward.media.shown import image_planes
from kinward.media.variants import Variants
from tests.support import videos

FIVE = videos.encode(range(5))


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    made = Decoders(
        count=1, seconds=5, video_seconds=4, max_pixels=10**6, memory=1024 * 1024 * 1024
    )
    yield made
    made.close()


def pdq(seed: int) -> bytes:
    return hash_array(np.asarray(pictures.draw(seed)))[0].tobytes()


def distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.parametrize(
    ("format", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "mpeg4"),
        ("webm", "libvpx"),
        ("matroska", "libx264"),
        ("avi", "mpeg4"),
        ("mpegts", "mpeg2video"),
        ("flv", "flv1"),
        ("asf", "msmpeg4v3"),
    ],
)
def test_each_picture_of_a_video_is_in_its_signature_once(format: str, codec: str) -> None:
    data = videos.encode(range(3), format=format, codec=codec, rate=25)
    video = read_video(data)
    assert video.entire
    assert len(split_frames(video.signature)) == 3
    assert all(
        distance(frame, pdq(seed)) <= 31 for seed, frame in enumerate(split_frames(video.signature))
    )
    assert (video.width, video.height) == (320, 240)


def test_reading_stops_when_the_caller_has_enough() -> None:
    data = videos.encode(range(40), seconds=1)
    told: list[bytes] = []

    def enough(views: Sequence[View]) -> bool:
        told.extend(view.hash for view in views)
        return False

    video = read_video(data, more=enough)
    assert not video.entire
    assert told == [view.hash for view in video.views]
    assert set(split_frames(video.signature)) <= set(told)
    assert len(split_frames(video.signature)) < 20


def test_a_duration_that_lies_changes_nothing() -> None:
    at = FIVE.index(b"mvhd") + 4
    scale, duration = struct.unpack(">II", FIVE[at + 12 : at + 20])
    assert duration == 10 * scale
    for lie in (0, 1, 2**32 - 1):
        lying = FIVE[: at + 16] + struct.pack(">I", lie) + FIVE[at + 20 :]
        assert read_video(lying) == read_video(FIVE)


def test_a_video_without_end_ends_at_its_limit_and_keeps_few_frames() -> None:
    seeds = [seed % 7 for seed in range(2 * MAX_FRAMES)]
    many = videos.encode(seeds, seconds=1, rate=1, size=(64, 48))
    video = read_video(many)
    assert video.entire
    assert len(set(split_frames(video.signature))) >= 7
    assert len(split_frames(video.signature)) <= MAX_FRAMES
    assert not read_video(many, seconds=0.01).entire


def test_no_clock_of_the_files_own_hides_what_it_shows() -> None:
    shown = [image_planes(pictures.draw(seed)) for seed in range(6)]
    for times in ([10.0**6, 0, 1, 2, 3, 4], [None] * 6, [5, 4, 3, 2, 1, 0], [0.0] * 6):
        strand = Strand(0)
        for planes, at in zip(shown, times, strict=True):
            strand.see(Variants(planes, UPRIGHT, tuple), at)
        leads = [kept.view.hash for kept in strand.kept if kept.leads]
        near = [distance(lead, pdq(seed)) for seed, lead in enumerate(leads)]
        assert (len(leads), max(near) <= 8) == (6, True), times


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_video_gives_frames_or_one_of_three_errors(seed: int) -> None:
    whole = videos.encode(range(3), format="matroska") if seed % 2 else FIVE
    try:
        video = read_video(videos.broken(whole, seed), seconds=5)
    except (Undecodable, TypeUnsupported, TooManyPixels):
        return
    assert video.frames >= 2


def test_half_of_a_video_gives_its_half() -> None:
    data = videos.encode(range(6), format="matroska")
    video = read_video(data[: len(data) // 2])
    assert 1 <= len(split_frames(video.signature)) <= 4


def test_what_is_no_video_is_not_opened_as_one() -> None:
    assert video_format(pictures.encode(pictures.draw(1))) is None
    assert video_format(pictures.encode(pictures.draw(1), "AVIF")) is None
    for text in (b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", b"ffconcat version 1.0\nfile /etc/passwd\n"):
        with pytest.raises(TypeUnsupported):
            read_video(text)


def test_too_many_pixels_are_refused_before_they_are_hashed() -> None:
    with pytest.raises(TooManyPixels):
        read_video(FIVE, max_pixels=1000)


def test_a_decoder_process_reads_videos_and_is_told_when_to_stop(decoders: Decoders) -> None:
    assert decoders.hash(FIVE) == read_video(FIVE, max_pixels=10**6, seconds=4)
    asked: list[int] = []
    long = videos.encode(range(40), seconds=1)

    def enough(views: Sequence[View]) -> bool:
        asked.append(len(views))
        return False

    cut = decoders.hash(long, enough)
    assert cut.kind == "video"
    assert not cut.entire
    assert asked == [16]
    assert decoders.hash(pictures.encode(pictures.draw(1))).kind == "pdq"
    assert decoders.still(FIVE, veiled=True)[:2] == b"\xff\xd8"
    with pytest.raises(KinwardError):
        decoders.hash(FIVE[:200])


def test_a_sheet_shows_frames_side_by_side() -> None:
    assert render_sheet(FIVE, 10**6, veiled=False)[:2] == b"\xff\xd8"
    with pytest.raises(Undecodable):
        render_sheet(FIVE[:100], 10**6, veiled=False)


def test_frames_alike_are_kept_once() -> None:
    still = videos.encode([4] * 10)
    frames = split_frames(read_video(still).signature)
    assert all(distance(a, b) > SAME for a, b in pairwise(frames))
    assert len(frames) == 1

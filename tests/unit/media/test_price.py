"""Prices come from what a file claims, before anything is decoded; a wrong claim earns nothing."""

import io
import os
from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kinward.demo import pictures
from kinward.media import (
    FILMS,
    PICTURES,
    Decoders,
    Hashed,
    View,
    price_of,
    price_of_head,
    read_video,
    split_frames,
)
from kinward.media.decoder import answer
from kinward.media.footage import GLANCE
from kinward.media.heads import Claim, claim_of
from kinward.media.medium import Bounds
from kinward.media.messages import Answer
from kinward.media.pool import _Job
from kinward.media.tracks import Container
from tests.support import videos

MAX = 20_000_000
DRAWN = pictures.draw(3, (240, 130))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "AVIF", "HEIF"])
def test_a_pictures_head_tells_its_pixels(kind: str) -> None:
    assert claim_of(pictures.encode(DRAWN, kind)) == Claim(240 * 130, 1)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animations_head_tells_its_frames(kind: str) -> None:
    out = io.BytesIO()
    frames = [pictures.draw(seed, (240, 130)) for seed in range(6)]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    claim = claim_of(out.getvalue())
    assert claim.pixels == 240 * 130
    assert 6 <= claim.frames <= 12


@pytest.mark.parametrize(
    ("format", "codec"), [("mp4", "libx264"), ("mov", "mpeg4"), ("avi", "mpeg4")]
)
def test_a_films_head_tells_its_pixels_and_frames(format: str, codec: str) -> None:
    data = videos.encode(range(2), format=format, codec=codec)
    assert claim_of(data) == Claim(320 * 240, 20)
    price = price_of(data)
    assert (price.lane, price.lasts, price.claimed) == (FILMS, True, True)


def test_webm_tells_its_duration_and_a_live_one_tells_nothing() -> None:
    data = videos.encode(range(2), format="webm", codec="libvpx")
    assert claim_of(data).pixels == 320 * 240
    assert 15 <= claim_of(data).frames <= 130
    assert claim_of(live(data)).frames == 0
    price = price_of(live(data))
    assert not price.claimed
    assert price.bound(10.0, 60.0) == 60.0


def test_the_price_grows_with_pixels_and_frames_and_bounds_the_time() -> None:
    small, large = videos.encode([1]), videos.encode([1], size=(1280, 960))
    long = videos.encode(range(6))
    assert price_of(small).seconds < price_of(long).seconds < price_of(large).seconds
    assert price_of(small).bound(10.0, 60.0) == 10.0
    assert price_of(pictures.encode(DRAWN)).lane == PICTURES


def live(film: bytes) -> bytes:
    """The same film without its duration: a filler stands in its place."""
    return film.replace(b"\x44\x89\x88", b"\xec\x89\x88", 1)


def test_a_claim_bounds_what_a_film_may_take_and_without_one_it_has_the_full_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[list[str]] = []

    def asks(job: _Job) -> Answer:
        asked.append(job.what.split())
        return Answer(hashed=Hashed("video", b""))

    decoders = Decoders(count=1, seconds=2.0, video_seconds=60.0, max_pixels=MAX, memory=10**9)
    monkeypatch.setattr(decoders, "_ask", asks)
    small = videos.encode(range(2), format="webm", codec="libvpx")
    large = videos.encode(range(2), size=(1280, 960), rate=25)
    for film in (small, large, live(small)):
        decoders.hash(film)
    assert [words[:2] for words in asked] == [["hash", "0"]] * 3
    bounds = [int(words[2]) for words in asked]
    assert bounds[0] == 2000 < bounds[1] < bounds[2] == 60_000


def test_a_decoder_keeps_to_the_time_of_a_request() -> None:
    film, bounds = videos.encode(range(3)), Bounds(MAX, 60.0)
    whole = answer("hash 0 60000", film, bounds, lambda views: True)
    assert whole.hashed is not None
    assert whole.hashed.entire
    cut = answer("hash 0 0", film, bounds, lambda views: True)
    assert cut.error or not (cut.hashed and cut.hashed.entire)


def test_a_film_whose_index_comes_last_is_a_film_by_its_head() -> None:
    body = os.urandom(3_000_000)
    film = (len(body) + 8).to_bytes(4) + b"mdat" + body + videos.encode([1])[32:]
    assert price_of(film).lane == FILMS
    assert price_of_head(film).lane == FILMS
    assert price_of_head(bytearray(film)) == price_of_head(film)


HEADS = [
    pictures.encode(pictures.draw(1, (40, 30)), kind)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(HEADS), st.binary(max_size=40), st.booleans())
def test_a_broken_head_is_no_error(
    data: st.DataObject, head: bytes, noise: bytes, cut: bool
) -> None:
    at = data.draw(st.integers(0, len(head)))
    broken = head[:at] if cut else head[:at] + noise + head[at + len(noise) :]
    claim = claim_of(broken)
    assert claim.pixels >= 0
    assert 0 <= claim.frames <= 1_000_000
    assert price_of(broken).seconds > 0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftyp", b"RIFF"]))
def test_noise_after_a_magic_is_no_error(noise: bytes, magic: bytes) -> None:
    assert price_of(magic + noise).seconds > 0
    assert price_of(magic + b"AVI AVI " + noise).seconds > 0


def test_a_picture_that_claims_a_picture_of_every_size_is_opened() -> None:
    assert Image.open(io.BytesIO(HEADS[0])).size == (40, 30)


def long_film(seeds: int, *, every: int = 10) -> bytes:
    """A film of so many pictures, each shown for 2 seconds, with a key frame for each."""
    shown = [[pictures.draw(seed, (320, 240)) for seed in range(seeds)]]
    return videos.tracks(shown, frames=every, options={"g": str(every), "sc_threshold": "0"})


def test_a_film_that_is_too_long_is_glanced_at_from_beginning_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = long_film(12)
    whole = read_video(data, seconds=60.0)
    assert whole.entire
    monkeypatch.setattr("kinward.media.footage.PER_FRAME", 1e6)  # every film seems too long
    again = read_video(data, seconds=60.0)
    assert again == whole, "if there is time after all, nothing differs"
    seen: list[bytes] = []

    def keep(views: Sequence[View]) -> bool:
        seen.extend(view.hash for view in views)
        return True

    clock = iter(float(n) for n in range(10**6))  # a second for each look at the clock
    ours = SimpleNamespace(monotonic=lambda: next(clock))  # PyAV looks at the real one
    monkeypatch.setattr("kinward.media.footage.time", ours)
    cut = read_video(data, seconds=60.0, more=keep)
    assert not cut.entire
    assert cut.seconds < whole.seconds
    keys = {view.hash for view in cut.views}
    assert len(keys & set(split_frames(whole.signature))) >= 9, "also of its end"
    assert keys <= set(seen)
    assert [view.moment for view in cut.views] == sorted(view.moment for view in cut.views)


def test_a_glance_takes_a_part_of_the_time_only() -> None:
    assert 0 < GLANCE < 0.5


def test_a_container_weighs_its_tracks() -> None:
    container = Container(long_film(3), 10**8)
    assert container.claimed
    assert container.work == pytest.approx(320 * 240 * 30 / 1e6)

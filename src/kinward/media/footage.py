"""Video signatures: the PDQ hashes of frames that are sampled by time and differ from the last.

The file's name, duration and number of frames are not trusted. Frames are decoded one after the
other and dropped, so memory does not grow with length.
"""

import io
import time
from collections.abc import Iterator
from typing import Any, Final

import av
import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.formats import video_format
from kinward.media.medium import MAX_FRAMES, Hashed, More, View
from kinward.media.pdq import MAX_PIXELS, MIN_QUALITY, hash_array
from kinward.media.picture import PREVIEW_SIDE, render

EVERY: Final = 1.0  # seconds between two samples
PASSED: Final = 120  # frames; after so many another is sampled, whatever their times
SAME: Final = 10  # bits: a frame this near to the last sample adds nothing
BATCH: Final = 16
SECONDS: Final = 60.0
SHEET: Final = 3  # frames a side of the sheet that a reviewer sees
SHEET_SECONDS: Final = 5.0


def read_video(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    seconds: float = SECONDS,
    more: More = lambda views: True,
) -> Hashed:
    """Return the signature of a video, read for at most `seconds`.

    `more` receives new views a few at a time, and the rest is not read once it returns false.
    Decode strangers' files in a separate process (`Decoders`). Raises the errors of
    `picture.read_picture`.
    """
    samples, until = _Samples(), time.monotonic() + seconds
    width = height = 0
    entire = False
    for frame in _decoded(data, max_pixels):
        if frame is None:
            entire = True
            break
        width, height = frame.width, frame.height
        if time.monotonic() > until:
            break
        if not samples.wants(_time(frame)):
            continue
        samples.take(_pixels(frame), _time(frame))
        if len(samples.fresh) >= BATCH and not more(samples.flush()):
            break
    if not width:
        raise Undecodable("It has no frame.")
    _, media_type = _named(data)
    return Hashed(
        kind="video",
        signature=b"".join(samples.frames),
        media_type=media_type,
        width=width,
        height=height,
        frames=max(2, len(samples.frames)),
        seconds=round(samples.at, 3),
        entire=entire,
    )


def render_sheet(data: bytes, max_pixels: int, *, veiled: bool) -> bytes:
    """Return a JPEG sheet of frames of a video, each at least a second after the one before."""
    stills: list[Image.Image] = []
    due, until = 0.0, time.monotonic() + SHEET_SECONDS
    for frame in _decoded(data, max_pixels):
        if frame is None or len(stills) == SHEET * SHEET or time.monotonic() > until:
            break
        at = _time(frame)
        if at is None or at >= due:
            due = (at or 0) + EVERY
            image = Image.fromarray(_pixels(frame))
            image.thumbnail((PREVIEW_SIDE // SHEET, PREVIEW_SIDE // SHEET))
            stills.append(image)
    if not stills:
        raise Undecodable("It has no frame.")
    width, height = stills[0].size
    rows = -(-len(stills) // SHEET)
    sheet = Image.new("RGB", (width * min(len(stills), SHEET), height * rows))
    for number, image in enumerate(stills):
        sheet.paste(image, (number % SHEET * width, number // SHEET * height))
    return render(sheet, veiled=veiled)


def _decoded(data: bytes, max_pixels: int) -> Iterator[VideoFrame | None]:
    """Yield every frame that can be decoded, then None at the end. A broken file has no None."""
    name, _ = _named(data)
    try:
        with av.open(io.BytesIO(data), "r", format=name) as container:
            if not container.streams.video:
                raise TypeUnsupported("It has no picture.")
            stream = container.streams.video[0]
            stream.thread_type = "NONE"
            for frame in container.decode(stream):
                pixels = frame.width * frame.height
                if pixels > max_pixels:
                    raise TooManyPixels(f"It has {pixels:,}; the limit is {max_pixels:,} pixels.")
                yield frame
            yield None
    except (av.FFmpegError, ValueError, OverflowError):
        return  # the frames before count; the caller raises if there were none


def _time(frame: VideoFrame) -> float | None:
    """Return the time of a frame in seconds. A broken file may have none."""
    return (
        None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
    )


def _pixels(frame: VideoFrame) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)


def _named(data: bytes) -> tuple[str, str]:
    named = video_format(data)
    if named is None:
        raise TypeUnsupported
    return named


class _Samples:
    """The samples so far, those not passed to `more` yet, and the time of the next."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.fresh: list[View] = []
        self._count = 0
        self.at = 0.0
        self._every = EVERY
        self._due = self._taken = float("-inf")
        self._passed = 0
        self._last: np.ndarray[Any, np.dtype[np.uint8]] | None = None

    def wants(self, at: float | None) -> bool:
        """Return whether to sample a frame of this time.

        A frame without a time is sampled, and one whose time has gone back. One frame of every 120
        is sampled in any case, so that a manipulated clock cannot hide frames.
        """
        self._passed += 1
        behind = at is None or at < self._taken - EVERY
        return behind or self._passed >= PASSED or (at or 0.0) >= self._due

    def take(self, pixels: np.ndarray[Any, np.dtype[np.uint8]], at: float | None) -> None:
        """Keep a frame, unless its quality is low or it resembles the last sample."""
        self._passed = 0
        if at is not None:
            self.at, self._taken, self._due = max(self.at, at), at, at + self._every
        pdq, quality = hash_array(pixels)
        if quality < MIN_QUALITY:
            return
        if self._last is not None and int(np.bitwise_count(pdq ^ self._last).sum()) <= SAME:
            return
        self._last = pdq
        self.frames.append(pdq.tobytes())
        self.fresh.append(View(pdq.tobytes(), moment=self._count))
        self._count += 1
        if len(self.frames) >= MAX_FRAMES:
            self.frames, self._every = self.frames[::2], self._every * 2

    def flush(self) -> list[View]:
        """Return the samples not passed to `more` yet, and forget that they are new."""
        fresh, self.fresh = self.fresh, []
        return fresh

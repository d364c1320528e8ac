"""A video's signature: the PDQ hashes of its frames, sampled by time, few and each unlike the last.

Nothing that a file says of itself is believed: not its name, nor its duration, nor how many frames
it has. Frames are decoded one after the other and forgotten, so memory does not grow with length.
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
from kinward.media.medium import MAX_FRAMES, Hashed, More
from kinward.media.pdq import MAX_PIXELS, MIN_QUALITY, hash_array
from kinward.media.picture import PREVIEW_SIDE, render

EVERY: Final = 1.0  # seconds between two samples
PASSED: Final = 120  # frames after which another is sampled, whatever time they claim
SAME: Final = 10  # bits: a frame this near to the last one kept adds nothing
BATCH: Final = 16
SECONDS: Final = 60.0
SHEET: Final = 3  # frames a side of what a reviewer is shown
SHEET_SECONDS: Final = 5.0


def read_video(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    seconds: float = SECONDS,
    more: More = lambda frames: True,
) -> Hashed:
    """The signature of a video, in at most so many seconds.

    `more` is called with each few new frames; once it says no, the rest is not read. Decode what
    strangers send in a process of its own (`Decoders`). Raises what `picture.read_picture` raises.
    """
    kept, until = _Kept(), time.monotonic() + seconds
    width = height = 0
    entire = False
    for frame in _decoded(data, max_pixels):
        if frame is None:
            entire = True
            break
        width, height = frame.width, frame.height
        if time.monotonic() > until:
            break
        if not kept.wants(_time(frame)):
            continue
        kept.take(_pixels(frame), _time(frame))
        if len(kept.fresh) >= BATCH and not more(kept.flush()):
            break
    if not width:
        raise Undecodable("It has no frame.")
    _, media_type = _named(data)
    return Hashed(
        kind="video",
        signature=b"".join(kept.frames),
        media_type=media_type,
        width=width,
        height=height,
        frames=max(2, len(kept.frames)),
        seconds=round(kept.at, 3),
        entire=entire,
    )


def render_sheet(data: bytes, max_pixels: int, *, veiled: bool) -> bytes:
    """A JPEG of a few frames of a video side by side, a second or more apart."""
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
    """Every frame that can be decoded, and at the end nothing; of a broken file just the frames."""
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
        return  # what was decoded before counts; if that is nothing, the caller says so


def _time(frame: VideoFrame) -> float | None:
    """When a frame is due, in seconds; a broken file may not say."""
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


class _Kept:
    """The frames kept so far, those not told of yet, and when the next is due."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.fresh: list[bytes] = []
        self.at = 0.0
        self._every = EVERY
        self._due = self._taken = float("-inf")
        self._passed = 0
        self._last: np.ndarray[Any, np.dtype[np.uint8]] | None = None

    def wants(self, at: float | None) -> bool:
        """Whether a frame of this time is due.

        One without a time is, and one whose time has gone back; and one of so many in any case, so
        that no clock of the file's own can hide what it shows.
        """
        self._passed += 1
        behind = at is None or at < self._taken - EVERY
        return behind or self._passed >= PASSED or (at or 0.0) >= self._due

    def take(self, pixels: np.ndarray[Any, np.dtype[np.uint8]], at: float | None) -> None:
        """Keep a frame, unless it says nothing or nothing new."""
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
        self.fresh.append(pdq.tobytes())
        if len(self.frames) >= MAX_FRAMES:
            self.frames, self._every = self.frames[::2], self._every * 2

    def flush(self) -> list[bytes]:
        """The frames that were not told of yet; now they are."""
        told, self.fresh = self.fresh, []
        return told

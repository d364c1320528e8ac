"""Videos re-encoded for a reviewer: small, and without the metadata of the container.

The browser never receives bytes of a stranger's file, only WebM that our encoder wrote: VP8, Opus.
"""

import io
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.formats import video_format
from kinward.media.medium import Playback

SIDE: Final = 480  # pixels of the longer side
EVERY: Final = 0.032  # seconds between two frames
# Bounds on the seconds from one frame to the next, whatever the file claims: of any two frames in a
# row at least one is shown, and none stays for long.
SHORTEST_STEP, LONGEST_STEP = 0.016, 2.0
STEP: Final = 0.04  # seconds from one frame to the next if the file's clock does not advance
REST: Final = 1.0  # seconds for which the last frame stays
MAX_FILM: Final = 24 * 1024 * 1024  # bytes
CLOCK: Final = Fraction(1, 1000)
SOUND_HZ: Final = 48_000
PICTURE_RATE, SOUND_RATE = 240_000, 24_000  # bits a second
FAST: Final = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}


def render_film(data: bytes, *, max_pixels: int, seconds: float) -> Playback:
    """Re-encode a video as WebM within `seconds` of work and 24 MiB.

    `entire` is false if a limit or a broken packet came first. Raises the errors of `read_video`.
    """
    named = video_format(data)
    if named is None:
        raise TypeUnsupported
    out, until = io.BytesIO(), time.monotonic() + seconds
    try:
        with (
            av.open(io.BytesIO(data), "r", format=named[0]) as source,
            av.open(out, "w", format="webm") as target,
        ):
            if not source.streams.video:
                raise TypeUnsupported("It has no picture.")
            projector = _Projector(source, target, max_pixels)
            entire = projector.run(lambda: time.monotonic() > until or out.tell() > MAX_FILM)
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise Undecodable(f"{type(error).__name__} while it was encoded.") from error
    return Playback(out.getvalue(), round(projector.now, 3), entire)


class _Projector:
    """Copies one container to another, frame by frame, on a clock that only moves forward."""

    def __init__(self, source: InputContainer, target: OutputContainer, max_pixels: int) -> None:
        self._source, self._target, self._max_pixels = source, target, max_pixels
        self.now = 0.0
        self._file_time: float | None = None  # the file's own clock at the last frame
        self._last: VideoFrame | None = None
        self._due = 0.0
        self._samples = 0
        self._picture: VideoStream | None = None
        self._sound: AudioStream | None = None
        self._resampler = AudioResampler(format="s16", layout="mono", rate=SOUND_HZ)

    def run(self, enough: Callable[[], bool]) -> bool:
        """Copy until the end, `enough` or a broken packet. Returns whether the end was reached."""
        entire = self._take(enough)
        if self._picture is None or self._last is None:
            raise Undecodable("It has no frame.")
        self.now += REST
        self._show(self._picture, self._last)
        self._target.mux(self._picture.encode())
        if self._sound is not None:
            self._target.mux(self._sound.encode())
        return entire

    def _take(self, enough: Callable[[], bool]) -> bool:
        streams = [self._source.streams.video[0], *self._source.streams.audio[:1]]
        try:
            for packet in self._source.demux(streams):
                for frame in _decoded(packet):
                    if isinstance(frame, VideoFrame):
                        self._see(frame)
                    elif isinstance(frame, AudioFrame):
                        self._hear(frame)
                if enough():
                    return False
        except (av.FFmpegError, ValueError, OverflowError):
            return False
        return True

    def _see(self, frame: VideoFrame) -> None:
        if frame.width * frame.height > self._max_pixels:
            raise TooManyPixels(f"The limit is {self._max_pixels:,} pixels.")
        if self._picture is None:
            self._picture = self._begin(frame)
        else:
            self.now += self._step(frame)
        self._last, self._file_time = frame, None if frame.pts is None else frame.time
        if self.now >= self._due:
            self._due = self.now + EVERY
            self._show(self._picture, frame)

    def _begin(self, frame: VideoFrame) -> VideoStream:
        """Begin both streams of the film, in a size that the first frame decides."""
        picture = self._target.add_stream("libvpx", rate=25, options=FAST)
        smaller = min(1.0, SIDE / max(frame.width, frame.height))
        picture.width, picture.height = (
            max(2, round(side * smaller / 2) * 2) for side in (frame.width, frame.height)
        )
        picture.pix_fmt, picture.bit_rate = "yuv420p", PICTURE_RATE
        picture.codec_context.time_base = CLOCK
        if self._source.streams.audio:
            self._sound = self._target.add_stream("libopus", rate=SOUND_HZ)
            self._sound.codec_context.layout, self._sound.bit_rate = "mono", SOUND_RATE
        return picture

    def _step(self, frame: VideoFrame) -> float:
        if frame.pts is None or self._file_time is None or frame.time <= self._file_time:
            return STEP
        return min(max(frame.time - self._file_time, SHORTEST_STEP), LONGEST_STEP)

    def _show(self, picture: VideoStream, frame: VideoFrame) -> None:
        shown = frame.reformat(picture.width, picture.height, "yuv420p")
        shown.pts, shown.time_base = round(self.now / CLOCK), CLOCK
        self._target.mux(picture.encode(shown))

    def _hear(self, frame: AudioFrame) -> None:
        if self._sound is None:
            return
        frame.pts = None
        for sound in self._resampler.resample(frame):
            sound.pts, sound.time_base = self._samples, Fraction(1, SOUND_HZ)
            self._samples += sound.samples
            self._target.mux(self._sound.encode(sound))


def _decoded(packet: "av.Packet[Any]") -> Sequence[object]:
    """Return the frames of a packet. Broken sound is skipped, a broken picture raises."""
    try:
        return packet.decode()
    except av.FFmpegError:
        if packet.stream.type == "audio":
            return ()
        raise

"""Videos and animations re-encoded for a reviewer: small, and without the container's metadata.

The browser never receives bytes of a stranger's file, only WebM that our encoder wrote: VP8, Opus.
The strands of a file are in one film, one after the other, or each is one by itself. Pictures are
turned as a viewer turns them.
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace, VideoReformatter
from av.video.stream import VideoStream
from PIL import Image

from kinward.media.errors import Undecodable
from kinward.media.footage import refusal, time_of
from kinward.media.medium import Playback
from kinward.media.orientation import UPRIGHT
from kinward.media.planes import is_misread
from kinward.media.sheet import still_pictures
from kinward.media.shown import PAGES, colours_of, has_alpha, picture_of, turn_of
from kinward.media.tracks import FAULTS, Container

SIDE: Final = 480  # pixels of the longer side
EVERY: Final = 0.032  # seconds between two frames
# Bounds on the seconds from one frame to the next, whatever the file claims: of any two frames in a
# row at least one is shown, and none stays for long.
SHORTEST_STEP, LONGEST_STEP = 0.016, 2.0
STEP: Final = 0.04  # seconds from one frame to the next if the file's clock does not advance
REST: Final = 1.0  # seconds for which the last frame of a strand stays
SHARPEN: Final = 0.1  # seconds after which a picture that stays is encoded again
SHARP: Final = 0.5  # seconds after which it is as good as it gets
STILL: Final = 2.0  # seconds for which a cover or a sub-picture is shown
MAX_FILM: Final = 24 * 1024 * 1024  # bytes
CLOCK: Final = Fraction(1, 1000)
SOUND_HZ: Final = 48_000
PICTURE_RATE, SOUND_RATE = 240_000, 24_000  # bits a second
FAST: Final = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}


def render_film(
    data: bytes, *, max_pixels: int, seconds: float, strand: int | None = None
) -> Playback:
    """Re-encode a video, or the one of a track, as WebM within `seconds` of work and 24 MiB.

    `entire` is false if a limit came first, or if something could not be read. Each track has an
    equal share of both limits. Raises the errors of `read_video`.
    """
    source, out = Container(data, max_pixels), io.BytesIO()
    tracks = list(enumerate(source.tracks))
    if strand is not None:
        tracks = tracks[strand : strand + 1]
    until = time.monotonic() + seconds
    with _faults(), av.open(out, "w", format="webm") as target:
        projector = _Projector(target, sound=source.has_sound)
        entire = True
        for place, (number, track) in enumerate(tracks):
            share = _Share(out, until, len(tracks) - place)
            entire = projector.play_track(source, track, share.used_up, sound=not number) and entire
        for still in still_pictures(source, SIDE) if strand is None else ():
            if time.monotonic() > until or out.tell() > MAX_FILM:
                entire = False
                break
            projector.play_still(still)
        if not projector.has_begun:
            raise refusal(source)
        projector.end()
    return Playback(out.getvalue(), round(projector.now, 3), entire and source.entire)


def render_animation(frames: Iterable[tuple[Image.Image, float]], *, seconds: float) -> Playback:
    """Encode pictures in RGB, each with the seconds for which it is shown, as WebM.

    `entire` is false if `seconds` of work or 24 MiB came first, or a picture that is broken. Raises
    the errors of `frames` if there is nothing to show.
    """
    out, until = io.BytesIO(), time.monotonic() + seconds
    entire = True
    with _faults(), av.open(out, "w", format="webm") as target:
        projector = _Projector(target, sound=False)
        try:
            for image, stays in frames:
                projector.show(image, stays)
                if time.monotonic() > until or out.tell() > MAX_FILM:
                    entire = False
                    break
        except Undecodable:
            if not projector.has_begun:
                raise
            entire = False  # what could be read is shown
        if not projector.has_begun:
            raise Undecodable("It has no frame.")
        projector.end()
    return Playback(out.getvalue(), round(projector.now, 3), entire)


class _Share:
    """A part of the time and of the bytes that are left, for one of so many tracks."""

    def __init__(self, out: io.BytesIO, until: float, tracks: int) -> None:
        now = time.monotonic()
        self._out, self._until = out, now + (until - now) / tracks
        self._most = out.tell() + max(0, MAX_FILM - out.tell()) / tracks

    def used_up(self) -> bool:
        """Return whether the time or the space of this track is used up."""
        return time.monotonic() > self._until or self._out.tell() > self._most


class _Projector:
    """Writes a film, picture by picture, on a clock that only moves forward."""

    def __init__(self, target: OutputContainer, *, sound: bool) -> None:
        self._target, self._with_sound = target, sound
        self.now = 0.0
        self._file_time: float | None = None  # the file's own clock at the last frame
        self._last: VideoFrame | None = None
        self._waiting: tuple[VideoFrame, float, str] | None = None
        self._due = 0.0
        self._samples = 0
        self._reformatter = VideoReformatter()
        self._picture: VideoStream | None = None
        self._sound: AudioStream | None = None
        self._resampler = AudioResampler(format="s16", layout="mono", rate=SOUND_HZ)

    @property
    def has_begun(self) -> bool:
        """Return whether anything was shown."""
        return self._last is not None

    def play_track(
        self, source: Container, track: int, enough: Callable[[], bool], *, sound: bool
    ) -> bool:
        """Show a track until its end or `enough`. Returns whether the end was reached.

        A track that is not opaque is shown on each page in turn.
        """
        for page in PAGES:
            opaque, began = True, False
            for frame in source.frames(track, sound=sound and page == PAGES[0]):
                if isinstance(frame, AudioFrame):
                    self._hear(frame)
                    continue
                opaque = opaque and not has_alpha(frame)
                self._see(frame, source.shape_of(track), page, fresh=not began)
                began = True
                if enough():
                    return False
            if began:
                self._rest()
            if opaque:
                break
        return True

    def play_still(self, image: Image.Image) -> None:
        """Show a picture for two seconds."""
        self.show(image, STILL)

    def show(self, image: Image.Image, seconds: float) -> None:
        """Show a picture for so many seconds, within the bounds on a step."""
        self._last = self._fitted(image)
        until = self.now + min(max(seconds, SHORTEST_STEP), LONGEST_STEP)
        if self.now >= self._due:
            self._due = self.now + EVERY
            self._stay(until)
        self.now = until

    def _stay(self, until: float) -> None:
        """Write the last picture several times: each time, the encoder adds details."""
        began = self.now
        while self._last is not None and self.now < until and self.now - began < SHARP:
            self._write(self._last)
            self.now += SHARPEN

    def end(self) -> None:
        """Write the last picture once more, where the film ends, and what the encoders hold."""
        if self._picture is None or self._last is None:
            return
        self._write(self._last)
        self._target.mux(self._picture.encode())
        if self._sound is not None:
            self._target.mux(self._sound.encode())

    def _see(self, frame: VideoFrame, shape: float, page: str, *, fresh: bool) -> None:
        """Show a frame of a track. `fresh`: its first one."""
        at = time_of(frame)
        if not fresh:
            self.now += self._step(at)
        self._file_time = at
        self._waiting = (frame, shape, page)
        if self.now >= self._due or fresh:
            self._due = self.now + EVERY
            self._show_waiting()

    def _show_waiting(self) -> None:
        if self._waiting is not None:
            self._last = self._converted(*self._waiting)
            self._write(self._last)
            self._waiting = None

    def _rest(self) -> None:
        """Show the last frame of a strand in any case, and let it stay."""
        self._show_waiting()
        until = self.now + REST
        self.now += STEP
        self._stay(until)
        self.now = until

    def _step(self, at: float | None) -> float:
        if at is None or self._file_time is None or at <= self._file_time:
            return STEP
        return min(max(at - self._file_time, SHORTEST_STEP), LONGEST_STEP)

    def _converted(self, frame: VideoFrame, shape: float, page: str) -> VideoFrame:
        plain = shape == 1.0 and turn_of(frame) == UPRIGHT and not has_alpha(frame)
        plain = plain and not is_misread(frame, shape)
        if plain:
            picture = self._begin(frame.width, frame.height)
            smaller = min(picture.width / frame.width, picture.height / frame.height)
            fits = (frame.width * smaller, frame.height * smaller)
            if max(abs(fits[0] - picture.width), abs(fits[1] - picture.height)) < 2:
                return self._vp8(frame, picture)
        image = picture_of(frame, SIDE, shape, page)
        self._begin(image.width, image.height)
        return self._fitted(image)

    def _fitted(self, image: Image.Image) -> VideoFrame:
        """Return a picture in the middle of the film's, as large as it can be there."""
        picture = self._begin(image.width, image.height)
        size = (picture.width, picture.height)
        larger = min(picture.width / image.width, picture.height / image.height)
        sides = (max(1, round(image.width * larger)), max(1, round(image.height * larger)))
        if abs(sides[0] - size[0]) < 2 and abs(sides[1] - size[1]) < 2:
            sides = size
        image = image.convert("RGB").resize(sides)
        if sides != size:
            screen = Image.new("RGB", size)
            screen.paste(image, ((size[0] - sides[0]) // 2, (size[1] - sides[1]) // 2))
            image = screen
        return self._vp8(VideoFrame.from_ndarray(np.asarray(image), format="rgb24"), picture)

    def _vp8(self, frame: VideoFrame, picture: VideoStream) -> VideoFrame:
        """Return a frame in the size and the colours of a film. VP8 has those of BT.601."""
        return self._reformatter.reformat(
            frame,
            picture.width,
            picture.height,
            "yuv420p",
            src_colorspace=colours_of(frame),
            dst_colorspace=Colorspace.ITU601,
            dst_color_range="MPEG",
            threads=1,
        )

    def _begin(self, width: int, height: int) -> VideoStream:
        """Return the film's pictures, in a size that the first one decides."""
        if self._picture is not None:
            return self._picture
        picture = self._target.add_stream("libvpx", rate=25, options=FAST)
        smaller = min(1.0, SIDE / max(width, height))
        picture.width, picture.height = (
            max(2, round(side * smaller / 2) * 2) for side in (width, height)
        )
        picture.pix_fmt, picture.bit_rate = "yuv420p", PICTURE_RATE
        picture.codec_context.time_base = CLOCK
        if self._with_sound:
            self._sound = self._target.add_stream("libopus", rate=SOUND_HZ)
            self._sound.codec_context.layout, self._sound.bit_rate = "mono", SOUND_RATE
        self._picture = picture
        return picture

    def _write(self, shown: VideoFrame) -> None:
        shown.pts, shown.time_base = round(self.now / CLOCK), CLOCK
        picture = self._begin(shown.width, shown.height)
        self._target.mux(picture.encode(shown))

    def _hear(self, frame: AudioFrame) -> None:
        if self._sound is None:
            return
        frame.pts = None
        for sound in self._resampler.resample(frame):
            sound.pts, sound.time_base = self._samples, Fraction(1, SOUND_HZ)
            self._samples += sound.samples
            self._target.mux(self._sound.encode(sound))


@contextmanager
def _faults() -> Iterator[None]:
    """Raise `Undecodable` in place of FFmpeg's errors."""
    try:
        yield
    except FAULTS as error:
        raise Undecodable(f"{type(error).__name__} while it was encoded.") from error

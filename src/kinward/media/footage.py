"""Videos: their views.

The file's name, duration and number of frames are not trusted. Frames are decoded one after the
other and dropped, so memory does not grow with length. Tracks are read in turns, and each gets the
same time, so that none can keep another from being read.

A film that probably takes longer than it may is glanced at first: its key frames show what is in
it from beginning to end. A match is then certain early. What was not read is still named.
"""

import time
from collections.abc import Iterator
from typing import Final

from av.video.frame import VideoFrame

from kinward.ground.errors import KinwardError
from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.fitted import Size, fitted, size_shown
from kinward.media.heads import PER_FRAME
from kinward.media.medium import Hashed, More, View, split_frames, views_of
from kinward.media.orientation import UPRIGHT
from kinward.media.pdq import MAX_PIXELS, MIN_QUALITY
from kinward.media.picture import read_picture
from kinward.media.planes import Planes, planes_of
from kinward.media.samples import Strand, gather
from kinward.media.shown import image_planes, other_planes, turn_of
from kinward.media.subpictures import subpictures
from kinward.media.tracks import FAULTS, Container, Cover
from kinward.media.variants import Variants

BATCH: Final = 16
GLANCE: Final = 1 / 3  # of the time, for key frames
LARGE: Final = 4 * 1024 * 1024  # bytes: a film that does not say its length may be long
SECONDS: Final = 60.0


def read_video(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    seconds: float = SECONDS,
    more: More = lambda views: True,
) -> Hashed:
    """Return the signature and the views of a video, read for at most `seconds`.

    `more` receives new views a few at a time, and the rest is not read once it returns false.
    Decode strangers' files in a separate process (`Decoders`). Raises the errors of
    `picture.read_picture`.
    """
    container = Container(data, max_pixels)
    reading = _Reading(container, time.monotonic() + seconds, more)
    long = container.work * PER_FRAME > seconds or (not container.claimed and len(data) > LARGE)
    complete = reading.run(glance=long)
    if not reading.size:
        raise refusal(container)
    signature, views, lost = gather(list(reading.strands.values()))
    width, height = reading.size
    return Hashed(
        kind="video",
        signature=signature,
        media_type=container.media_type,
        width=width,
        height=height,
        frames=max(2, len(split_frames(signature))),
        seconds=round(max(strand.at for strand in reading.strands.values()), 3),
        entire=complete and container.entire and not lost,
        views=views,
        unread=reading.unread,
    )


def refusal(container: Container) -> KinwardError:
    """Return why nothing of a container could be read."""
    if container.too_large:
        limit = f"the limit is {container.max_pixels:,} pixels."
        return TooManyPixels(f"It has {container.too_large:,}; {limit}")
    if not container.has_pictures:
        return TypeUnsupported("It has no picture.")
    return Undecodable("It has no frame.")


def time_of(frame: VideoFrame) -> float | None:
    """Return the time of a frame in seconds. A broken file may have none."""
    return None if frame.time_base is None else frame.time


class _Enough(Exception):
    """Time is up, or the caller has enough."""


class _Reading:
    """Reads a container until its end, the limit of time, or a certain match."""

    def __init__(self, container: Container, until: float, more: More) -> None:
        self._container, self._until, self._more = container, until, more
        self.strands = {number: Strand(number) for number in range(len(container.tracks))}
        self.size: tuple[int, int] | None = None
        self._unread = False  # whether a cover is shown in a way that is not known
        self._shapes = [container.shape_of(track) for track in container.tracks]
        self._fresh: list[View] = []
        self._glanced: dict[int, list[tuple[float, View]]] = {}
        self._places: dict[int, Size] = {}  # what the first frame of each strand took

    @property
    def unread(self) -> bool:
        """Whether a viewer may show something that is not among the views."""
        return self._unread or any(strand.skipped for strand in self.strands.values())

    def run(self, *, glance: bool = False) -> bool:
        """Read. Return whether the end was reached. `glance`: read the key frames first."""
        try:
            self._read_covers()
            self._read_subpictures()
            if glance:
                self._glance()
            self._read_tracks()
        except _Enough:
            self._add_glanced()
            return False
        return True

    def _glance(self) -> None:
        """Read the key frames of each track, for a part of the time."""
        container, entire = self._container, self._container.entire
        now = time.monotonic()
        until = now + GLANCE * max(0.0, self._until - now)
        for number, track in enumerate(container.tracks):
            strand, seen = Strand(number), self._glanced.setdefault(number, [])
            now = time.monotonic()
            end = now + (until - now) / (len(container.tracks) - number)
            for frame in container.frames(track, keys=True):
                if isinstance(frame, VideoFrame):
                    fresh = self._look(strand, frame, self._shapes[number])
                    seen += [(strand.at, view) for view in fresh]
                    self._pass_on(fresh)
                if time.monotonic() > end:
                    break
        container.entire = entire  # the whole reading finds again what is broken

    def _add_glanced(self) -> None:
        """Add what only the key frames show: what comes after the end of the reading."""
        for number, seen in self._glanced.items():
            strand = self.strands[number]
            read = strand.at if strand.moments else -1.0
            later = [view for at, view in seen if at > read]
            moments = {view.moment: None for view in later}
            places = {moment: strand.moments + place for place, moment in enumerate(moments)}
            for view in later:
                strand.take(View(view.hash, number, places[view.moment], view.turned))

    def _read_covers(self) -> None:
        for cover in self._container.covers():
            self._go_on()
            try:
                hashed = read_picture(cover.data, self._container.max_pixels)
            except TooManyPixels:
                self._container.entire = False
                continue
            except KinwardError:
                # A font, say. If it is the packet of a picture, FFmpeg may know its format.
                self._read_cover(cover)
                continue
            self._take_file(hashed)

    def _read_cover(self, cover: Cover) -> None:
        frames = cover.frames(self._container.max_pixels)
        if cover.is_picture and not frames:
            self._container.entire = False
        if frames:
            strand = self._begin_strand()
            for frame in frames:
                self._see(strand, frame)

    def _take_file(self, hashed: Hashed) -> None:
        """Take the views of a picture that is a file of its own."""
        self.size = self.size or (hashed.width, hashed.height)
        views = hashed.views
        if not views and (hashed.quality or 0) >= MIN_QUALITY:
            views = tuple(views_of(split_frames(hashed.signature)))
        self._container.entire = self._container.entire and hashed.entire
        self._unread = self._unread or hashed.unread
        strands: dict[int, Strand] = {}
        for view in views:
            if view.strand not in strands:
                strands[view.strand] = self._begin_strand()
            self._pass_on(strands[view.strand].take(view))

    def _read_subpictures(self) -> None:
        strands: dict[int, Strand] = {}
        for number, image, at in subpictures(self._container):
            if number not in strands:
                strands[number] = self._begin_strand()
            self.size = self.size or image.size
            variants = Variants(image_planes(image), UPRIGHT, lambda: ())
            self._pass_on(strands[number].see(variants, at))
            self._go_on()

    def _read_tracks(self) -> None:
        """Read the tracks in turns: always the one that has had the least time."""
        readers = {
            number: self._container.frames(track)
            for number, track in enumerate(self._container.tracks)
        }
        used = dict.fromkeys(readers, 0.0)
        began = time.monotonic()
        while readers:
            number = min(readers, key=lambda number: used[number])
            try:
                frame = next(readers[number], None)
                if frame is None:
                    del readers[number]
                elif isinstance(frame, VideoFrame):
                    self._see(self.strands[number], frame, self._shapes[number])
            except MemoryError:
                if len(self._container.tracks) == 1:
                    raise
                readers.pop(number).close()
                self._container.entire = False
            ended = time.monotonic()
            used[number] += ended - began
            began = ended
            if ended > self._until and readers:
                raise _Enough

    def _see(self, strand: Strand, frame: VideoFrame, pixel_shape: float = 1.0) -> None:
        self._pass_on(self._look(strand, frame, pixel_shape))

    def _look(self, strand: Strand, frame: VideoFrame, pixel_shape: float) -> list[View]:
        """Return what is new in a frame."""
        try:
            planes, turn = planes_of(frame, pixel_shape), turn_of(frame)
            place = self._places.setdefault(strand.number, size_shown(planes))

            def others() -> Iterator[Planes]:
                yield from other_planes(frame, planes, self._container.claims)
                yield from fitted(planes, place)

            variants = Variants(planes, turn, others)
            fresh = strand.see(variants, time_of(frame))
        except FAULTS:
            self._container.entire = False
            return []
        if self.size is None or strand.number == 0:
            wide, high = frame.width, frame.height
            self.size = (high, wide) if turn.transposed else (wide, high)
        return fresh

    def _begin_strand(self) -> Strand:
        strand = Strand(len(self.strands))
        self.strands[strand.number] = strand
        return strand

    def _pass_on(self, fresh: list[View]) -> None:
        self._fresh += fresh
        if len(self._fresh) >= BATCH:
            views, self._fresh = self._fresh, []
            if not self._more(views):
                raise _Enough

    def _go_on(self) -> None:
        if time.monotonic() > self._until:
            raise _Enough

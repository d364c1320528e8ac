"""Videos: their views.

The file's name, duration and number of frames are not trusted. Frames are decoded one after the
other and dropped, so memory does not grow with length. Tracks are read in turns, and each gets the
same time, so that none can keep another from being read.
"""

import time
from typing import Final

from av.video.frame import VideoFrame

from kinward.ground.errors import KinwardError
from kinward.media.errors import TooManyPixels, TypeUnsupported, Undecodable
from kinward.media.luma import planes_of
from kinward.media.medium import Hashed, More, View, split_frames, views_of
from kinward.media.orientation import UPRIGHT
from kinward.media.pdq import MAX_PIXELS, MIN_QUALITY
from kinward.media.picture import read_picture
from kinward.media.samples import Strand, Variants, gather
from kinward.media.shown import image_planes, other_planes, turn_of
from kinward.media.subpictures import subpictures
from kinward.media.tracks import FAULTS, Container, Cover

BATCH: Final = 16
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
    complete = reading.run()
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
    return (
        None if frame.pts is None or frame.time_base is None else float(frame.pts * frame.time_base)
    )


class _Enough(Exception):
    """Time is up, or the caller has enough."""


class _Reading:
    """Reads a container until its end, the limit of time, or a certain match."""

    def __init__(self, container: Container, until: float, more: More) -> None:
        self._container, self._until, self._more = container, until, more
        self.strands = {number: Strand(number) for number in range(len(container.tracks))}
        self.size: tuple[int, int] | None = None
        self._shapes = [container.shape_of(track) for track in container.tracks]
        self._fresh: list[View] = []

    def run(self) -> bool:
        """Read. Return whether the end was reached."""
        try:
            self._read_covers()
            self._read_subpictures()
            self._read_tracks()
        except _Enough:
            return False
        return True

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
            planes = image_planes(image)
            variants = Variants(planes, UPRIGHT, lambda: ())
            self._pass_on(strands[number].see(planes, at, variants))
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
        try:
            planes, turn = planes_of(frame, pixel_shape), turn_of(frame)
            crops = self._container.claims.crops
            variants = Variants(planes, turn, lambda: other_planes(frame, planes, crops))
            fresh = strand.see(planes, time_of(frame), variants)
        except FAULTS:
            self._container.entire = False
            return
        if self.size is None or strand.number == 0:
            wide, high = frame.width, frame.height
            self.size = (high, wide) if turn.transposed else (wide, high)
        self._pass_on(fresh)

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

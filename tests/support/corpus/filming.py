"""Writes small films with PyAV, and patches the boxes of MP4 by hand."""

import io
import os
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, cast

import av
import numpy as np
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import Image

from tests.support.corpus.colours import to_planes

os.environ.setdefault("SVT_LOG", "1")  # errors only
RATE: Final = 10  # frames a second
OPTIONS: Final[dict[str, dict[str, str]]] = {
    "libx264": {"crf": "18", "preset": "veryfast", "bf": "0"},
    "libx265": {"crf": "18", "preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx": {"deadline": "good", "cpu-used": "5", "crf": "8", "b": "2M", "auto-alt-ref": "0"},
    "libvpx-vp9": {
        "deadline": "good",
        "cpu-used": "5",
        "crf": "20",
        "b": "0",
        "auto-alt-ref": "0",
    },
    "libsvtav1": {"preset": "12", "crf": "30"},
}
PARENTS: Final = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta"}
MATRICES: Final[dict[int, Callable[[int, int], tuple[int, ...]]]] = {
    90: lambda width, height: (0, 1, -1, 0, height, 0),
    180: lambda width, height: (-1, 0, 0, -1, width, height),
    270: lambda width, height: (0, -1, 1, 0, 0, width),
    -1: lambda width, height: (-1, 0, 0, 1, width, 0),  # mirrored
}


@dataclass(frozen=True)
class Track:
    """A video track: pictures, each for so many seconds.

    `aspect`: how wide a pixel is shown. `start`: the time of its first frame in seconds.
    `slow`: a picture is one frame, however long it is shown.
    """

    shots: Sequence[tuple[Image.Image, float]]
    codec: str = "libx264"
    default: bool = False
    aspect: str = "1:1"
    start: float = 0.0
    slow: bool = False
    pixels: str = "yuv420p"
    matrix: str = ""  # of its colours, and said so
    full: bool = False  # whether brightness goes from 0 to 255
    partly: bool = False  # says the matrix only, neither the primaries nor the curve
    options: dict[str, str] = field(default_factory=dict)


def film(
    tracks: Track | Sequence[Track],
    container: str = "mp4",
    *,
    options: dict[str, str] | None = None,
    attached: Sequence[tuple[str, str, bytes]] = (),
    cover: Image.Image | None = None,
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Return a film. `attached`: name, media type and bytes. `cover`: an attached picture."""
    tracks = [tracks] if isinstance(tracks, Track) else tracks
    out = io.BytesIO()
    options = {"fflags": "+bitexact"} | (options or {})
    with as_scheduled(), av.open(out, "w", format=container, container_options=options) as target:
        streams = [_add(target, track) for track in tracks]
        for stream in streams:
            stream.metadata.update(metadata or {})
        for name, media_type, data in attached:
            target.add_attachment(name, media_type, data)
        picture = None
        if cover is not None:
            picture = target.add_stream("mjpeg", rate=1)
            picture.width, picture.height, picture.pix_fmt = *cover.size, "yuvj420p"
            picture.disposition = Disposition.attached_pic
        for stream, track in zip(streams, tracks, strict=True):
            stream.disposition = Disposition.default if track.default else Disposition(0)
        if picture is not None and cover is not None:
            target.mux(picture.encode(_frame(cover)))
            target.mux(picture.encode())
        _write(target, streams, tracks)
    return out.getvalue()


@contextmanager
def as_scheduled() -> Iterator[None]:
    """Take back that SVT-AV1, run by root, makes the whole process one in real time.

    Everything else on the machine would wait for the tests, and so would what they start.
    """
    if sys.platform != "linux":
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def short_film(picture: Image.Image, container: str = "mp4", codec: str = "libx264") -> bytes:
    """A film of one picture."""
    return film(Track([(picture, 0.6)], codec), container)


def _frame(image: Image.Image, track: Track | None = None) -> av.VideoFrame:
    if track is not None and track.matrix:
        planes = [plane.ravel() for plane in to_planes(image, track.matrix, full=track.full)]
        packed = np.concatenate(planes).reshape(image.height * 3 // 2, image.width)
        frame = av.VideoFrame.from_ndarray(packed, format="yuv420p")
        frame.colorspace = {"601": 6, "709": 1, "2020": 9}[track.matrix]
        frame.color_range = 2 if track.full else 1
        return frame
    if track is not None and track.pixels == "yuva420p":
        frame = av.VideoFrame.from_ndarray(np.asarray(image.convert("RGBA")), format="rgba")
        return frame.reformat(format="yuva420p")
    return av.VideoFrame.from_ndarray(np.asarray(image.convert("RGB")), format="rgb24")


def _add(target: Any, track: Track) -> VideoStream:
    options = OPTIONS.get(track.codec, {"b": "4M", "q": "2", "g": "5"}) | track.options
    stream = cast("VideoStream", target.add_stream(track.codec, rate=RATE, options=options))
    stream.width, stream.height = track.shots[0][0].size
    stream.pix_fmt = track.pixels
    if track.matrix:
        stream.codec_context.colorspace = {"601": 6, "709": 1, "2020": 9}[track.matrix]
        stream.codec_context.color_range = 2 if track.full else 1
        if not track.partly:
            curve = {"601": 6, "709": 1, "2020": 14}[track.matrix]
            stream.codec_context.color_trc = curve
            stream.codec_context.color_primaries = min(curve, 9)
    if track.codec not in OPTIONS:
        stream.bit_rate = 4_000_000
    across, down = (int(part) for part in track.aspect.split(":"))
    if across != down:
        stream.codec_context.sample_aspect_ratio = Fraction(across, down)
    return stream


def _frames(track: Track) -> Iterator[tuple[int, Image.Image]]:
    """Yield the number of each frame and its picture."""
    number = int(track.start * RATE)
    for picture, seconds in track.shots:
        count = max(1, round(seconds * RATE))
        for within in range(1 if track.slow else count):
            yield number + within, picture
        number += count
    if track.slow:
        yield number, track.shots[-1][0]


def _write(target: Any, streams: Sequence[VideoStream], tracks: Sequence[Track]) -> None:
    frames = [
        (number, place, picture)
        for place, track in enumerate(tracks)
        for number, picture in _frames(track)
    ]
    for number, place, picture in sorted(frames, key=lambda frame: frame[:2]):
        frame = _frame(picture, tracks[place])
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        target.mux(streams[place].encode(frame))
    for stream in streams:
        target.mux(stream.encode())


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of each box of the ISO container on one level."""
    end = len(data) if end is None else end
    while start + 8 <= end:
        (size,) = struct.unpack_from(">I", data, start)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
        size = size or end - start
        if size < 8:
            return
        yield data[start + 4 : start + 8], start, start + size
        start += size


def find_boxes(data: bytes, path: str) -> list[tuple[int, int]]:
    """Return start and end of each box at a path such as `moov/trak/tkhd`."""
    spans = [(0, len(data), 0)]
    for name in path.split("/"):
        spans = [
            (start, end, 8)
            for above, below, head in spans
            for found, start, end in boxes(data, above + head, below)
            if found == name.encode()
        ]
    return [(start, end) for start, end, _ in spans]


def forget_times(data: bytes) -> bytes:
    """Write zero for when the film and its tracks were made, which libavif takes from the clock."""
    changed = bytearray(data)
    for path in ("moov/mvhd", "moov/trak/tkhd", "moov/trak/mdia/mdhd"):
        for start, _ in find_boxes(data, path):
            size = 16 if data[start + 8] else 8  # of two times, by the version of the box
            changed[start + 12 : start + 12 + size] = bytes(size)
    return bytes(changed)


def turn(data: bytes, degrees: int, *, track: int = 0, whole: bool = False) -> bytes:
    """Write a display matrix into a track's header, or with `whole` into the film's."""
    if whole:
        start, _ = find_boxes(data, "moov/mvhd")[0]
        at, size = start + 44, (320, 240)
    else:
        start, _ = find_boxes(data, "moov/trak/tkhd")[track]
        at = start + 48
        size = cast(
            "tuple[int, int]",
            tuple(side >> 16 for side in struct.unpack_from(">II", data, start + 84)),
        )
    a, b, c, d, x, y = MATRICES[degrees](*size)
    one = 1 << 16
    matrix = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, x * one, y * one, 1 << 30)
    return data[:at] + matrix + data[at + 36 :]


def set_enabled(data: bytes, track: int, *, enabled: bool) -> bytes:
    """Set or clear the flag of a track that says whether it is played."""
    start, _ = find_boxes(data, "moov/trak/tkhd")[track]
    flags = 3 if enabled else 0
    return data[: start + 11] + bytes([flags]) + data[start + 12 :]


def move_first(data: bytes, name: bytes) -> bytes:
    """Move a box to the front of `moov`, which must stand behind the media data."""
    start, end = find_boxes(data, "moov")[0]
    parts = [(found, data[above:below]) for found, above, below in boxes(data, start + 8, end)]
    parts.sort(key=lambda part: part[0] != name)
    return data[: start + 8] + b"".join(part for _, part in parts) + data[end:]


def shift_places(data: bytes, by: int) -> bytes:
    """Correct the places of the media data in `moov`, where bytes were put before them."""
    changed = bytearray(data)
    for table, _ in find_boxes(data, "moov/trak/mdia/minf/stbl/stco"):
        (count,) = struct.unpack_from(">I", data, table + 12)
        for at in range(table + 16, table + 16 + 4 * count, 4):
            struct.pack_into(">I", changed, at, struct.unpack_from(">I", data, at)[0] + by)
    return bytes(changed)


def index_first(data: bytes) -> bytes:
    """Put `moov` in front of the media data."""
    start, end = find_boxes(data, "moov")[0]
    return insert(
        shift_places(data, end - start)[:start] + data[end:],
        shift_places(data, end - start)[start:end],
    )


def insert(data: bytes, box: bytes) -> bytes:
    """Put a box behind `ftyp`, without a correction."""
    first = next(end for name, _, end in boxes(data) if name == b"ftyp")
    return data[:first] + box + data[first:]

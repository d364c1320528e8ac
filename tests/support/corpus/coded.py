"""Films whose planes say something else than their luma: what a viewer makes of them counts."""

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, cast

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image

from tests.support.corpus.colours import matrix
from tests.support.corpus.entry import SIZE, Desk, Entry, Pixels, to_pixels
from tests.support.corpus.filming import OPTIONS, RATE

KIND: Final = "planes"
Planes = tuple[Pixels, Pixels, Pixels]
BLACK, WHITE, GREY = 16, 235, 126
GBR: Final = 0
SPACES: Final = {"709": 1, "601": 6}
SHARP: Final = {"libx264": {"crf": "2"}, "libvpx": {"crf": "4", "b": "9M", "qmax": "8"}}


def entries(desk: Desk) -> Iterator[Entry]:
    """Yield films with a picture in their chroma."""
    yield from _chroma(desk)
    yield from _told(desk)
    yield from _in_rgb(desk)


def _chroma(desk: Desk) -> Iterator[Entry]:
    for name, codec, luma in (
        ("black.webm", "libvpx", BLACK),
        ("black.mp4", "libx264", BLACK),
        ("white.mp4", "libx264", WHITE),
        ("white.webm", "libvpx-vp9", WHITE),
    ):
        planes = flat(luma), *chroma_of(desk.grey(name))
        shown = seen(planes, "601")
        yield _entry(
            name, f"luma of {luma}, and a picture in chroma", [(planes, 1.0)], codec, shown
        )
    for name, codec in (("decoy.webm", "libvpx-vp9"), ("decoy.mp4", "libx264")):
        dark = BLACK + to_pixels(desk.grey(f"{name}-luma")) // 14
        planes = dark, *chroma_of(desk.grey(name))
        shown = seen(planes, "601")
        yield _entry(name, "a dark picture in luma, another shown", [(planes, 1.0)], codec, shown)
    for name, codec in (("late.webm", "libvpx"), ("late.mp4", "libx264")):
        grey = BLACK + to_pixels(desk.grey(f"{name}-first")) // 2
        first = grey, flat(128, 2), flat(128, 2)
        later = flat(BLACK), *chroma_of(desk.grey(name))
        shots = [(first, 1.0), (later, 2.0)]
        yield _entry(name, "a second of grey, then chroma", shots, codec, *seen_all(shots))
    for name, codec in (("changing.webm", "libvpx"), ("changing.mp4", "libx264")):
        shots = [
            ((flat(BLACK), *chroma_of(desk.grey(f"{name}-{number}"))), seconds)
            for number, seconds in enumerate((0.4, 0.2, 1.4))
        ]
        yield _entry(name, "luma stays as chroma changes", shots, codec, *seen_all(shots))
    name = "changing-709.mp4"
    shots = [
        ((flat(GREY), *chroma_of(desk.grey(f"{name}-{number}"), low=16)), seconds)
        for number, seconds in enumerate((0.4, 0.2, 1.4))
    ]
    truth = seen_all(shots, "709")
    yield _entry(name, "no colour is cut off, in BT.709", shots, "libx264", *truth, space="709")


def _told(desk: Desk) -> Iterator[Entry]:
    """Yield films whose container says something else of colours than their frames do."""
    what = "the container says {}, the frames {}"
    name = "told-gbr.webm"
    shown = to_pixels(desk.grey(name))
    planes = to_pixels(desk.grey(f"{name}-green")) // 8 + 20, shown, shown
    data = _with_matrix(film_of_planes([(planes, 1.0)], "libvpx-vp9", "webm", space="709"), GBR)
    green, blue, red = ((plane.astype(np.float64) - 16) * (255 / 219) for plane in planes)
    truth = Image.fromarray(np.stack([red, green, blue], axis=-1).clip(0, 255).astype(np.uint8))
    yield Entry(name, KIND, what.format("GBR", "BT.709"), data, (truth,), "video")
    for name, codec, said in (
        ("told-709.webm", "libvpx", ""),
        ("told-709.mp4", "libx264", "601"),
        ("told-601.mp4", "libx264", "709"),
    ):
        planes = flat(GREY), *chroma_of(_blots(desk, name), low=70, high=186)
        told = "601" if name == "told-601.mp4" else "709"
        data = film_of_planes([(planes, 1.0)], codec, name[-4:].strip("."), space=said or told)
        data = _with_matrix(data, SPACES[told])
        truth = seen(planes, "709")
        yield Entry(name, KIND, what.format(told, said or "nothing"), data, (truth,), "video")


def _with_matrix(data: bytes, number: int) -> bytes:
    """Return a film whose container names another matrix, in WebM or in MP4."""
    at = data.find(b"\x55\xb1\x81") + 3
    if at < 3:
        at = data.index(b"colrnclx") + 13
    return data[:at] + bytes([number]) + data[at + 1 :]


def _in_rgb(desk: Desk) -> Iterator[Entry]:
    """Yield a film in RGB of which Chromium takes green for luma, and the others for chroma."""
    name = "chroma-in-rgb.mp4"
    image = desk.picture(name)
    levels = (to_pixels(image) / 255) @ matrix("601").T * (219, 224, 224) + (16, 128, 128)
    luma, blue, red = np.moveaxis(np.round(levels).astype(np.uint8), 2, 0)
    colours = np.dstack([red, luma, blue])
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", container_options={"fflags": "+bitexact"}) as target:
        options = OPTIONS["libx264"] | {"crf": "8"}
        stream = target.add_stream("libx264rgb", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "rgb24"
        for at in range(RATE):
            frame = av.VideoFrame.from_ndarray(colours, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, RATE)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    truth = image, Image.fromarray(colours)
    yield Entry(name, KIND, "in RGB, shown as something else", out.getvalue(), truth, "video")


def _entry(
    name: str,
    disguise: str,
    shots: Sequence[tuple[Planes, float]],
    codec: str,
    *truth: Image.Image,
    space: str = "",
) -> Entry:
    name = f"chroma-{name}"
    data = film_of_planes(shots, codec, name.rpartition(".")[2], space=space)
    return Entry(name, KIND, disguise, data, truth, "video")


def film_of_planes(
    shots: Sequence[tuple[Planes, float]], codec: str, container: str, *, space: str = ""
) -> bytes:
    """Return a film of frames in 4:2:0 or 4:4:4, each for so many seconds.

    `space`: that of its colours, as it says.
    """
    out = io.BytesIO()
    options = OPTIONS[codec] | SHARP.get(codec, {})
    with av.open(out, "w", format=container, container_options={"fflags": "+bitexact"}) as target:
        stream = cast("VideoStream", target.add_stream(codec, rate=RATE, options=options))
        stream.height, stream.width = shots[0][0][0].shape
        stream.pix_fmt = "yuv444p" if shots[0][0][1].shape == shots[0][0][0].shape else "yuv420p"
        number = SPACES.get(space, 2)
        if space:
            context = stream.codec_context
            context.colorspace = context.color_primaries = context.color_trc = number
        frames = [planes for planes, seconds in shots for _ in range(round(seconds * RATE))]
        for at, planes in enumerate(frames):
            frame = _frame(planes)
            frame.pts, frame.time_base, frame.colorspace = at, Fraction(1, RATE), number
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return out.getvalue()


def _frame(planes: Planes) -> av.VideoFrame:
    height, width = planes[0].shape
    if planes[1].shape == planes[0].shape:
        return av.VideoFrame.from_ndarray(np.stack(planes), format="yuv444p")
    packed = np.concatenate([plane.ravel() for plane in planes])
    return av.VideoFrame.from_ndarray(packed.reshape(height * 3 // 2, width), format="yuv420p")


def flat(level: int, smaller: int = 1) -> Pixels:
    """Return a plane of one level."""
    return np.full((SIZE[1] // smaller, SIZE[0] // smaller), level, dtype=np.uint8)


def chroma_of(image: Image.Image, low: int = 128, high: int = 240) -> tuple[Pixels, Pixels]:
    """Return both planes of chroma with the same picture, from `low` to `high`."""
    half = to_pixels(image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX))
    steep = np.clip((half.astype(np.float64) - 64) / 128, 0, 1)  # of more contrast
    plane = np.round(low + (high - low) * steep).astype(np.uint8)
    return plane, plane


def _blots(desk: Desk, label: str) -> Image.Image:
    """Return a picture in black and white of many small shapes."""
    pictures = (to_pixels(desk.grey(f"{label}-{number}")) for number in range(3))
    blots = np.logical_xor.reduce([picture > np.median(picture) for picture in pictures])
    return Image.fromarray(blots.astype(np.uint8) * 255)


def seen(planes: Sequence[Pixels], space: str, *, full: bool = False) -> Image.Image:
    """Return what a viewer shows of planes: converted to RGB, and cut off.

    `full`: whether they use all levels.
    """
    low, most, wide_most = (0, 255, 255) if full else (16, 219, 224)
    luma, *chroma = (plane.astype(np.float64) for plane in planes)
    wide = [plane.repeat(2, axis=0).repeat(2, axis=1) for plane in chroma]
    chroma = [(plane - 128) / wide_most for plane in wide]
    levels = np.stack([(luma - low) / most, *chroma], axis=-1)
    colours = levels @ np.linalg.inv(matrix(space)).T
    return Image.fromarray(np.clip(np.round(colours * 255), 0, 255).astype(np.uint8))


def seen_all(shots: Sequence[tuple[Planes, float]], space: str = "601") -> list[Image.Image]:
    """Return what a viewer shows of each picture of a film."""
    return [seen(planes, space) for planes, _ in shots]

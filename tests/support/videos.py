"""Generated videos: generated pictures, one after the other, from seeds."""

import io
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from kinward.demo import pictures


def encode(
    seeds: Iterable[int],
    *,
    format: str = "mp4",
    codec: str = "mpeg4",
    size: tuple[int, int] = (320, 240),
    seconds: int = 2,
    rate: int = 5,
    bits: int = 800_000,
    sound: str = "",
) -> bytes:
    """A video that shows the picture of each seed for so many seconds; `sound` is a codec."""
    out = io.BytesIO()
    with av.open(out, "w", format=format) as container:
        stream = cast("VideoStream", container.add_stream(codec, rate=rate))
        stream.width, stream.height = size
        stream.pix_fmt, stream.bit_rate = "yuv420p", bits
        noise = cast("AudioStream", container.add_stream(sound, rate=48_000)) if sound else None
        if noise is not None:
            noise.codec_context.layout = "mono"
        drawn: dict[int, Any] = {}
        for seed in seeds:
            if seed not in drawn:
                drawn[seed] = np.asarray(pictures.draw(seed).resize(size))
            shown = drawn[seed]
            for _ in range(rate * seconds):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
            if noise is not None:
                container.mux(noise.encode(_tone(48_000 * seconds)))
        container.mux(stream.encode())
        if noise is not None:
            container.mux(noise.encode())
    return out.getvalue()


def encode_sound(format: str = "mp4", seconds: int = 1) -> bytes:
    """A tone in the container of a video, without any picture."""
    out = io.BytesIO()
    with av.open(out, "w", format=format) as container:
        noise = container.add_stream("aac", rate=48_000)
        noise.codec_context.layout = "mono"
        container.mux(noise.encode(_tone(48_000 * seconds)))
        container.mux(noise.encode())
    return out.getvalue()


def tracks(
    shown: Sequence[Sequence[Any]],
    *,
    format: str = "mp4",
    codecs: Sequence[str] = ("libx264",),
    default: int = 0,
    cover: Any = None,
    rate: int = 5,
    frames: int = 5,
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> bytes:
    """A video with a track for each list of RGB pictures, each shown for `frames` frames.

    `codecs`: of each track, the last one again for those after it. `cover`: attached as a picture.
    """
    out = io.BytesIO()
    with av.open(out, "w", format=format) as container:
        streams = []
        for number, pictures_shown in enumerate(shown):
            codec = codecs[min(number, len(codecs) - 1)]
            stream = cast("VideoStream", container.add_stream(codec, rate=rate, options=options))
            height, width = np.asarray(pictures_shown[0]).shape[:2]
            stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
            stream.bit_rate = 4_000_000
            stream.disposition = Disposition.default if number == default else Disposition(0)
            streams.append(stream)
        if cover is not None:
            attached = _add_cover(container, cover)
            for packet in attached.encode(_yuvj(cover)):
                container.mux(packet)
        for place in range(max(len(pictures_shown) for pictures_shown in shown) * frames):
            for stream, pictures_shown in zip(streams, shown, strict=True):
                if place // frames < len(pictures_shown):
                    container.mux(stream.encode(frame_of(pictures_shown[place // frames])))
        for stream in streams:
            container.mux(stream.encode())
    return out.getvalue()


def frame_of(picture: Any) -> av.VideoFrame:
    """A frame of a picture in RGB or RGBA."""
    pixels = np.asarray(picture)
    return av.VideoFrame.from_ndarray(pixels, format="rgba" if pixels.shape[2] == 4 else "rgb24")


def _add_cover(container: OutputContainer, cover: Any) -> VideoStream:
    stream = container.add_stream("mjpeg", rate=1)
    height, width = np.asarray(cover).shape[:2]
    stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
    stream.disposition = Disposition.attached_pic
    return stream


def _yuvj(cover: Any) -> av.VideoFrame:
    return frame_of(cover).reformat(format="yuvj420p", dst_color_range="JPEG")


def with_matrix(data: bytes, a: int, b: int, c: int, d: int, *, track: int = 0) -> bytes:
    """An MP4 whose track is turned by a display matrix."""
    header = _nth(data, b"tkhd", track) + 4
    at = header + (52 if data[header] else 40)
    matrix = struct.pack(">9i", *(side << 16 for side in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)
    return data[:at] + matrix + data[at + 36 :]


def disabled(data: bytes, *, track: int) -> bytes:
    """An MP4 whose track is not enabled, nor in the film or its preview."""
    at = _nth(data, b"tkhd", track) + 4
    return data[: at + 1] + bytes(3) + data[at + 4 :]


def _nth(data: bytes, name: bytes, number: int) -> int:
    at = data.index(name)
    for _ in range(number):
        at = data.index(name, at + 1)
    return at


def with_box(data: bytes, path: Sequence[bytes], box: bytes) -> bytes:
    """An MP4 with another box at the end of the first one at this path.

    Its samples have to come before `moov`, as PyAV writes them.
    """
    start, end, sizes = 0, len(data), list[int]()
    for name in path:
        at = data.index(name, start, end) - 4
        (size,) = struct.unpack_from(">I", data, at)
        sizes.append(at)
        start, end = at + 8, at + size
    changed = bytearray(data)
    for at in sizes:
        (size,) = struct.unpack_from(">I", data, at)
        struct.pack_into(">I", changed, at, size + len(box))
    return bytes(changed[:end]) + box + bytes(changed[end:])


def with_tags_first(data: bytes) -> bytes:
    """An MP4 whose tags, and the cover in them, stand before its tracks."""
    start = data.index(b"moov") - 4
    (size,) = struct.unpack_from(">I", data, start)
    boxes, at = list[bytes](), start + 8
    while at < start + size:
        (length,) = struct.unpack_from(">I", data, at)
        boxes.append(data[at : at + length])
        at += length
    boxes.sort(key=lambda box: (b"mvhd", b"udta").index(box[4:8]) if box[4:5] in b"mu" else 2)
    return data[: start + 8] + b"".join(boxes) + data[start + size :]


def element(number: int, body: bytes) -> bytes:
    """An element of Matroska."""
    size = (1 << 56 | len(body)).to_bytes(8)
    return number.to_bytes((number.bit_length() + 7) // 8) + size + body


def with_element(data: bytes, path: Sequence[int], added: bytes) -> bytes:
    """A Matroska file with another element at the end of the first one at this path."""
    return b"".join(_rebuilt(data, list(path), added))


def _rebuilt(data: bytes, path: list[int], added: bytes) -> Iterator[bytes]:
    at, done = 0, False
    while at < len(data):
        start = at
        length = 9 - data[at].bit_length()
        number, at = int.from_bytes(data[at : at + length]), at + length
        length = 9 - data[at].bit_length()
        size = int.from_bytes(data[at : at + length]) & ((1 << 7 * length) - 1)
        at += length
        size = len(data) - at if size == (1 << 7 * length) - 1 else size
        body = data[at : at + size]
        at += size
        if path and number == path[0] and not done:
            done = True
            inside = body + added if len(path) == 1 else b"".join(_rebuilt(body, path[1:], added))
            yield element(number, inside)
        else:
            yield data[start:at]


def broken(whole: bytes, seed: int) -> bytes:
    """A video with bytes changed, and two of three seeds cut off somewhere."""
    dice = np.random.default_rng(seed)
    changed = bytearray(whole[: int(dice.integers(100, len(whole)))] if seed % 3 else whole)
    for place in dice.integers(40, len(changed), 15):
        changed[place] = dice.integers(0, 256)
    return bytes(changed)


def _tone(samples: int) -> av.AudioFrame:
    wave = np.sin(np.arange(samples) * 440 * 2 * np.pi / 48_000).astype(np.float32)[None] / 4
    frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    frame.rate = 48_000
    return frame

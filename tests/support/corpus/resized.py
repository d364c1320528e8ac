"""Films whose frames change their size in the middle, as VP8 and VP9 may."""

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final, cast

import av
import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from PIL import Image

from tests.support.corpus.entry import Desk, Entry
from tests.support.corpus.filming import OPTIONS, RATE

SIZES: Final = (
    ((320, 240), (240, 320)),
    ((320, 240), (640, 240)),
    ((160, 120), (640, 480)),
)
CODECS: Final = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


def entries(desk: Desk) -> Iterator[Entry]:
    for title, codec in CODECS.items():
        for first, second in SIZES:
            name = f"{first[0]}x{first[1]}-then-{second[0]}x{second[1]}.{title}.webm"
            pictures = desk.picture(f"{name}-0", first), desk.picture(f"{name}-1", second)
            data = resized(pictures, codec)
            yield Entry(name, "film", "its size changes", data, pictures, "video", (0.5, 1.5))


def resized(pictures: Sequence[Image.Image], codec: str = "libvpx", seconds: float = 1.0) -> bytes:
    """Return a WebM of pictures of any sizes, each shown for so many seconds."""
    out, number = io.BytesIO(), 0
    with av.open(out, "w", format="webm") as target:
        stream = cast("VideoStream", target.add_stream(codec, rate=RATE))
        stream.width, stream.height = pictures[0].size
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            encoder = cast("VideoCodecContext", CodecContext.create(codec, "w"))
            encoder.width, encoder.height = picture.size
            encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, RATE)
            encoder.options = OPTIONS[codec]
            packets = []
            for _ in range(round(seconds * RATE)):
                frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                number += 1
                packets += encoder.encode(frame)
            for packet in (*packets, *encoder.encode()):
                packet.stream = stream
                target.mux(packet)
    return out.getvalue()

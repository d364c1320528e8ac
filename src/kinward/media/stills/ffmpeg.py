"""Broken pictures that FFmpeg decodes as far as it can, where our other decoders give up."""

from collections.abc import Callable
from typing import cast

import av
import numpy as np
from av.codec.context import Flags, Flags2
from av.video.codeccontext import VideoCodecContext

from kinward.media.stills.reading import Pixels


def decode(codec: str, data: bytes, admit: Callable[[int, int], None]) -> Pixels:
    """Return the first picture, uint8[H, W, 4] in RGBA. `admit` raises if it is too large.

    Raises `ValueError` if there is none, and whatever FFmpeg raises.
    """
    context = cast("VideoCodecContext", av.CodecContext.create(codec, "r"))
    context.flags |= Flags.output_corrupt
    context.flags2 |= Flags2.show_all
    for packet in (av.Packet(data), None):
        for frame in context.decode(packet):
            admit(frame.width, frame.height)
            return np.array(frame.to_ndarray(format="rgba"), dtype=np.uint8)
    raise ValueError("no picture")

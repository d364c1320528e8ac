"""Generated videos: generated pictures, one after the other, from seeds."""

import io
from collections.abc import Iterable
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
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

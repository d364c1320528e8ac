"""Sub-pictures of DVDs, Blu-rays and broadcasts: subtitles that are pictures, with their colours.

FFmpeg decodes the pictures. PyAV does not pass their colours on, so those are read here.
"""

import contextlib
import re
import struct
from collections.abc import Iterator
from typing import Final, cast

import numpy as np
import numpy.typing as npt
from av.subtitles.subtitle import BitmapSubtitle
from PIL import Image

from kinward.media.tracks import FAULTS, Container

MOST: Final = 4096  # sub-pictures of a file
SIDE: Final = 4096  # pixels a side of the screen that they lie on
Palette = npt.NDArray[np.uint8]  # uint8[256, 4], in RGBA


def subpictures(container: Container) -> Iterator[tuple[int, Image.Image, float | None]]:
    """Yield each sub-picture in RGBA, with the number of its stream and its time in seconds."""
    colours: dict[int, Palette] = {}
    for count, (number, extradata, packet) in enumerate(container.subtitle_packets()):
        if count == MOST:
            container.entire = False
            return
        name, data = packet.stream.codec_context.name, bytes(packet)
        palette = colours.setdefault(number, _greys())
        with contextlib.suppress(IndexError, struct.error, ValueError):
            _READERS[name](data, extradata, palette)  # or the colours so far must do
        try:
            shown = packet.stream.codec_context.decode2(packet)
        except FAULTS:
            container.entire = False
            continue
        at = None if packet.pts is None else float(packet.pts * packet.time_base)
        rectangles = [] if shown is None else [r for r in shown if isinstance(r, BitmapSubtitle)]
        image = _together(rectangles, palette)
        if image is not None:
            yield number, image, at


def _together(rectangles: list[BitmapSubtitle], palette: Palette) -> Image.Image | None:
    """Return the pictures that are shown at once, as they lie on the screen."""
    rectangles = [
        r for r in rectangles if r.planes and 0 < r.width <= SIDE and 0 < r.height <= SIDE
    ]
    if not rectangles:
        return None
    left, top = min(r.x for r in rectangles), min(r.y for r in rectangles)
    width = max(r.x + r.width for r in rectangles) - left
    height = max(r.y + r.height for r in rectangles) - top
    if width > SIDE or height > SIDE:
        return None
    screen = np.zeros((height, width, 4), dtype=np.uint8)
    for r in rectangles:
        indices = np.frombuffer(cast("memoryview[int]", r.planes[0]), dtype=np.uint8).reshape(
            r.height, r.width
        )
        screen[r.y - top : r.y - top + r.height, r.x - left : r.x - left + r.width] = palette[
            indices
        ]
    return Image.fromarray(screen)


def _greys() -> Palette:
    """Return the colours of a file that does not say: every index another grey."""
    palette = np.full((256, 4), 255, dtype=np.uint8)
    palette[:, :3] = (np.arange(256, dtype=np.uint8)[:, None] * 85) | 16
    return palette


def _read_pgs(data: bytes, extradata: bytes, palette: Palette) -> None:
    """Read the palettes of a Blu-ray's packet: segments of kind, length and content."""
    at = 0
    while at + 3 <= len(data):
        kind, length = struct.unpack_from(">BH", data, at)
        if kind == 0x14:
            for entry in range(at + 5, min(at + 3 + length, len(data)) - 4, 5):
                number, luma, red, blue, alpha = data[entry : entry + 5]
                palette[number] = (*_rgb(luma, blue, red), alpha)
        at += 3 + length


def _read_dvb(data: bytes, extradata: bytes, palette: Palette) -> None:
    """Read the colour tables of a broadcast: segments of kind, page, length and content."""
    at = 2 if data[:2] == b"\x20\x00" else 0
    while at + 6 <= len(data) and data[at] == 0x0F:
        kind, length = data[at + 1], int.from_bytes(data[at + 4 : at + 6])
        entry, end = at + 8, at + 6 + length
        while kind == 0x12 and entry + 2 <= end:
            number, full = data[entry], data[entry + 1] & 1
            if full:
                luma, red, blue, clear = data[entry + 2 : entry + 6]
            else:
                (packed,) = struct.unpack_from(">H", data, entry + 2)
                luma, red = packed >> 10 << 2, (packed >> 6 & 15) << 4
                blue, clear = (packed >> 2 & 15) << 4, (packed & 3) << 6
            palette[number] = (*_rgb(luma, blue, red), 255 - clear if luma else 0)
            entry += 6 if full else 4
        at = end


def _read_dvd(data: bytes, extradata: bytes, palette: Palette) -> None:
    """Read which four of a DVD's sixteen colours a packet uses, and how opaque they are."""
    found = re.search(rb"palette:([0-9a-fA-F, ]+)", extradata)
    parts = [p.strip() for p in found[1].split(b",")] if found else []
    sixteen = [tuple(int(p, 16).to_bytes(4)[1:]) for p in parts if p][:16]
    at = int.from_bytes(data[2:4]) + 4
    while data[at] != 0xFF:
        command = data[at]
        if command in (3, 4):
            nibbles = [n for byte in data[at + 1 : at + 3] for n in (byte >> 4, byte & 15)]
            for index, nibble in enumerate(reversed(nibbles)):
                if command == 4:
                    palette[index, 3] = nibble * 17
                elif nibble < len(sixteen):
                    palette[index, :3] = sixteen[nibble]
        at += {3: 3, 4: 3, 5: 7, 6: 5}.get(command, 1)


def _read_xsub(data: bytes, extradata: bytes, palette: Palette) -> None:
    """Read the four colours of a DivX packet, after its times and its size. The first is clear."""
    start = 27 + 7 * 2
    for index in range(4):
        palette[index, :3] = tuple(data[start + 3 * index : start + 3 * index + 3])
    palette[0, 3] = 0


def _rgb(luma: int, blue: int, red: int) -> tuple[int, int, int]:
    """Return a colour of BT.601's limited range in RGB."""
    y, b, r = 1.164 * (luma - 16), blue - 128, red - 128
    rgb = (y + 1.596 * r, y - 0.392 * b - 0.813 * r, y + 2.017 * b)
    red_, green_, blue_ = (min(255, max(0, round(value))) for value in rgb)
    return red_, green_, blue_


_READERS: Final = {
    "pgssub": _read_pgs,
    "dvbsub": _read_dvb,
    "dvdsub": _read_dvd,
    "xsub": _read_xsub,
}

"""GIF: its frames, each decoded by itself."""

import io
import struct
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from PIL import Image

from kinward.media.stills.animation import Animation, Disposal, Frame
from kinward.media.stills.reading import Pixels, load

DISPOSALS: Final = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}
PASSES: Final = ((0, 8), (4, 8), (2, 4), (1, 2))  # of an interlaced frame: first row, step


class _Control(NamedTuple):
    """A graphic control extension, which is about the next frame."""

    disposal: Disposal = Disposal.KEEP
    seconds: float = 0.0
    transparent: int | None = None


class _Coded(NamedTuple):
    """A frame as stored."""

    width: int
    height: int
    interlaced: bool
    palette: bytes
    transparent: int | None
    data: memoryview  # the code size, and blocks of codes


def animation_of(data: bytes) -> Animation:
    """Return the frames of a GIF. `whole` is false if it breaks off."""
    view = memoryview(data)
    width, height, flags = struct.unpack_from("<HHB", data, 6) if len(data) >= 13 else (0, 0, 0)
    at, palette = 13, b""
    if flags & 128:
        palette = data[at : at + (6 << (flags & 7))]
        at += 6 << (flags & 7)
    frames: list[Frame] = []
    control, ended = _Control(), False
    while at < len(data) and not ended:
        kind = data[at]
        if kind == 0x21:
            control, at = _extension(data, at, control)
        elif kind == 0x2C and at + 11 <= len(data):
            frame, at = _frame(view, at, palette, control)
            frames.append(frame)
            control = _Control()
        else:
            ended = kind == 0x3B
            at += 1
    if frames:  # as browsers do for a screen that the first frame does not fit in
        first = frames[0]
        width, height = (
            max(width, first.left + first.width), max(height, first.top + first.height)
        )  # fmt: skip
    return Animation(width, height, frames, whole=ended or at == len(data))


def _extension(data: bytes, at: int, control: _Control) -> tuple[_Control, int]:
    label, block = data[at + 1 : at + 2], data[at + 3 : at + 7]
    if label == b"\xf9" and len(block) == 4 and data[at + 2] >= 4:
        flags, hundredths, transparent = struct.unpack("<BHB", block)
        control = _Control(
            DISPOSALS.get(flags >> 2 & 7, Disposal.KEEP),
            hundredths / 100,
            transparent if flags & 1 else None,
        )
    return control, _after_blocks(data, at + 2)


def _after_blocks(data: bytes | memoryview, at: int) -> int:
    """Return where the blocks that begin here end."""
    while at < len(data) and data[at]:
        at += data[at] + 1
    return at + 1


def _ended(data: memoryview) -> memoryview:
    """Return a code size and its blocks, of which the last is cut: what there is of it is used."""
    at = 1
    while at < len(data) and at + data[at] < len(data):
        at += data[at] + 1
    cut = data[at + 1 :]
    return memoryview(bytes(data[:at]) + bytes([len(cut)]) + cut)


def _frame(view: memoryview, at: int, palette: bytes, control: _Control) -> tuple[Frame, int]:
    left, top, width, height, flags = struct.unpack_from("<HHHHB", view, at + 1)
    at += 10
    if flags & 128:
        size = 6 << (flags & 7)
        palette, at = bytes(view[at : at + size]), at + size
    end = _after_blocks(view, at + 1)
    data = view[at:end] if end <= len(view) else _ended(view[at:])
    coded = _Coded(width, height, bool(flags & 64), palette, control.transparent, data)
    read = partial(_read_frame, coded)
    return Frame(left, top, width, height, control.seconds, control.disposal, True, read), end


def _read_frame(coded: _Coded) -> tuple[Pixels, bool]:
    """Decode a frame. Returns uint8[h, w, 4] in RGBA; what was not painted is transparent."""
    fill = coded.transparent or 0
    indices, whole = _decode(coded, fill)
    colours = np.zeros((256, 4), dtype=np.uint8)
    palette = coded.palette or bytes(level for grey in range(256) for level in (grey,) * 3)
    given = np.frombuffer(palette, dtype=np.uint8)[: len(palette) // 3 * 3].reshape(-1, 3)
    colours[: len(given), :3] = given
    colours[: len(given), 3] = 255
    if coded.transparent is not None:
        colours[coded.transparent] = 0
    pixels = colours.view(np.uint32)[indices, 0].view(np.uint8).reshape(*indices.shape, 4)
    last = indices[-1 - (coded.interlaced and coded.height % 2 and coded.height > 1), -1]
    if whole and (last != fill or fill == coded.transparent):
        return pixels, True
    # Something may not be painted: it differs if it is filled with another colour.
    other, _ = _decode(coded, fill ^ 1)
    painted = indices == other
    pixels[~painted] = 0
    if coded.interlaced and coded.transparent is None:
        pixels = _fill_rows(pixels, painted.all(axis=1))
    return pixels, whole


def _fill_rows(pixels: Pixels, painted: Any) -> Pixels:
    """Repeat the painted rows of an interlaced frame in the rows below, as browsers do."""
    numbers = np.arange(len(pixels))
    source = np.maximum.accumulate(np.where(painted, numbers, -1))
    near = (source >= 0) & (numbers - source < PASSES[0][1])
    return pixels[np.where(near, source, numbers)]


def _decode(coded: _Coded, fill: int) -> tuple["np.ndarray[Any, Any]", bool]:
    """Return the colour numbers of a frame, uint8[h, w], and whether it is whole."""
    size = struct.pack("<HH", coded.width, coded.height)
    file = b"".join(
        (
            b"GIF89a", size, b"\xf7\0\0", bytes(range(256)) * 3,
            b"\x21\xf9\4\1\0\0", bytes([fill]), b"\0",
            b"\x2c\0\0\0\0", size, bytes([coded.interlaced << 6]), coded.data, b"\0;",
        )
    )  # fmt: skip
    image = Image.open(io.BytesIO(file), formats=("GIF",))
    whole = load(image)
    return np.asarray(image), whole

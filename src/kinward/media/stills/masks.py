"""Bitmaps that say which bits of a pixel are its colours: Pillow knows only the usual ones."""

import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from kinward.media.stills.reading import Pixels

HEAD: Final = 40  # bytes of a header without masks, which then follow it
WITH_COLOURS, WITH_ALPHA = 52, 56  # bytes of a header that has them
LONG: Final = 108  # bytes of the first header that browsers ask for alpha in any case
WHOLE: Final = (0xFF0000, 0xFF00, 0xFF)
FIELDS: Final = (3, 6)  # ways of packing: masks of three colours, and of alpha, too
DEPTHS: Final = (16, 32)
USUAL: Final = frozenset(
    {
        (0xF800, 0x7E0, 0x1F),
        (0x7C00, 0x3E0, 0x1F),
        (0xFF0000, 0xFF00, 0xFF),
    }
)


def masks_of(bitmap: bytes) -> tuple[int, ...] | None:
    """Return the masks of red, green, blue and alpha that Pillow does not know; else None.

    `bitmap`: from its header on, in a file of its own or in an icon.
    """
    if len(bitmap) < HEAD + 12:
        return None
    length, depth, packing = struct.unpack_from("<I10xHI", bitmap)
    if length < HEAD or depth not in DEPTHS or packing not in (0, *FIELDS):
        return None
    if not packing:  # its header can still say that the rest is alpha
        (alpha,) = struct.unpack_from("<I", bitmap, WITH_COLOURS) if length >= LONG else (0,)
        return (*WHOLE, alpha) if alpha and depth == 32 and _is_run(alpha) else None
    every = (1 << depth) - 1  # bits that no pixel has do not count
    told = (length >= WITH_ALPHA or packing == FIELDS[1]) and len(bitmap) >= WITH_ALPHA
    (alpha,) = struct.unpack_from("<I", bitmap, WITH_COLOURS) if told else (0,)
    red, green, blue = (mask & every for mask in struct.unpack_from("<III", bitmap, HEAD))
    if (red, green, blue) in USUAL or not all(map(_is_run, (red, green, blue))):
        return None
    return red, green, blue, alpha & every if _is_run(alpha & every) else 0


def decode(
    bitmap: bytes, start: int, rows: int, masks: tuple[int, ...], admit: Callable[[int, int], None]
) -> tuple[Pixels, bool]:
    """Return the pixels, uint8[H, W, 3 or 4] in RGB or RGBA, and whether all were there.

    `start`: where they begin; 0 for after the header. `admit` raises if there are too many.
    """
    length, width, height, depth, packing = struct.unpack_from("<Iii2xHI", bitmap)
    admit(width, rows)
    if width <= 0 or rows <= 0:
        raise ValueError("no picture")
    after = length + (0 if length >= WITH_COLOURS else 12 if packing == FIELDS[0] else 16)
    stride = (width * depth + 31) // 32 * 4
    body = bitmap[start or after :][: stride * rows]
    lines = np.frombuffer(body.ljust(stride * rows, b"\0"), dtype=np.uint8).reshape(rows, stride)
    values = lines.view(f"<u{depth // 8}")[:, :width]
    used = masks if masks[3] and (values & np.array(masks[3], values.dtype)).any() else masks[:3]
    pixels = np.stack([_channel(values, mask) for mask in used], axis=2)
    return pixels[:: 1 if height < 0 else -1], len(body) == stride * rows


def _channel(values: npt.NDArray[np.unsignedinteger], mask: int) -> npt.NDArray[np.uint8]:
    """Return the levels, 0 to 255, of what a mask leaves."""
    if not mask:
        return np.zeros(values.shape, dtype=np.uint8)
    shift = (mask & -mask).bit_length() - 1
    most = mask >> shift
    levels = (values & values.dtype.type(mask)) >> shift
    return (levels.astype(np.float32) * np.float32(255 / most) + 0.5).astype(np.uint8)


def _is_run(mask: int) -> bool:
    """Return whether the bits of a mask stand side by side. Browsers refuse any other."""
    lowest = mask & -mask
    return mask + lowest & mask == 0

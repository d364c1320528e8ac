"""WebP that breaks off, decoded by libwebp as its bytes arrive, which is how browsers decode it.

Pillow has libwebp, but asks it for whole pictures only. So it is called where Pillow loaded it.
"""

import contextlib
import ctypes
from typing import Any, Final

import numpy as np
from PIL import _webp

from kinward.media.stills.reading import Pixels

RGBA: Final = 1  # libwebp's number of the order of the bytes of a pixel


def _load() -> Any:
    """Return the library with its calls declared; None where Pillow has it in another way."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(_webp.__file__)
        pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
        numbers = [ctypes.POINTER(number)] * 4
        library.WebPGetInfo.argtypes = [ctypes.c_char_p, size, *numbers[:2]]
        library.WebPINewRGB.argtypes = [number, pointer, size, number]
        library.WebPINewRGB.restype = pointer
        library.WebPIUpdate.argtypes = [pointer, ctypes.c_char_p, size]
        library.WebPIDecGetRGB.argtypes = [pointer, *numbers]
        library.WebPIDecGetRGB.restype = pointer
        library.WebPIDelete.argtypes = [pointer]
        library.WebPIDelete.restype = None
        return library
    return None


_LIBRARY: Final = _load()


def size_of(data: bytes) -> tuple[int, int] | None:
    """Return the width and height of a still WebP; None if they are not said."""
    width, height = ctypes.c_int(), ctypes.c_int()
    if _LIBRARY is None:
        return None
    known = _LIBRARY.WebPGetInfo(data, len(data), ctypes.byref(width), ctypes.byref(height))
    return (width.value, height.value) if known else None


def decode_begun(data: bytes, size: tuple[int, int]) -> Pixels | None:
    """Return what can be decoded of a still WebP of this size, uint8[H, W, 4] in RGBA.

    The rest is transparent. None if nothing can be decoded.
    """
    width, height = size
    pixels: Pixels = np.zeros((height, width, 4), dtype=np.uint8)
    if _LIBRARY is None:
        return None
    decoder = _LIBRARY.WebPINewRGB(RGBA, pixels.ctypes.data, pixels.nbytes, width * 4)
    if not decoder:
        return None
    numbers = [ctypes.c_int() for _ in range(4)]
    try:
        _LIBRARY.WebPIUpdate(decoder, data, len(data))
        _LIBRARY.WebPIDecGetRGB(decoder, *(ctypes.byref(number) for number in numbers))
    finally:
        _LIBRARY.WebPIDelete(decoder)
    rows = numbers[0].value
    pixels[max(0, rows) :] = 0
    return pixels if rows > 0 else None

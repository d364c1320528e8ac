"""Colour profiles of what a file says in numbers: primaries and a tone curve."""

import struct
from functools import lru_cache
from typing import Any, Final

import numpy as np

from kinward.media.stills.hdr import TONES

CODED: Final = b"H.273 "
# Primaries of ITU-T H.273: x and y of red, green and blue. White is D65 in all of them.
PRIMARIES: Final = {
    1: (0.640, 0.330, 0.300, 0.600, 0.150, 0.060),
    5: (0.640, 0.330, 0.290, 0.600, 0.150, 0.060),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
D65: Final = (0.3127, 0.3290)
STEPS: Final = 1024  # of a tone curve
BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
D50: Final = np.array([0.9642, 1.0, 0.8249])


@lru_cache(maxsize=64)
def coded_profile(primaries: int, transfer: int) -> bytes:
    """Return a profile of colours that H.273's numbers name; empty if they are sRGB's.

    It is an ICC profile, but for PQ and HLG a word of our own, which `read_profile` understands.
    """
    if transfer in TONES:
        return CODED + bytes([min(primaries, 255), transfer])
    if transfer in (0, 1, 2, 6, 13, 14, 15) and primaries in (0, 1, 2, 5, 6, 7):
        return b""
    return make_profile(PRIMARIES.get(primaries, PRIMARIES[1]), _curve(transfer))


@lru_cache(maxsize=64)
def gamma_profile(gamma: float, primaries: tuple[float, ...] | None, white: Any = D65) -> bytes:
    """Return an ICC profile of PNG's gAMA, the power that encoded, and cHRM."""
    if not 0 < gamma < 100:
        return b""
    levels = np.linspace(0, 1, STEPS) ** (1 / gamma)
    return make_profile(primaries or PRIMARIES[1], levels, white)


def _curve(transfer: int) -> "np.ndarray[Any, Any]":
    """Return the light, 0 to 1, of 1,024 levels of a transfer function of H.273."""
    level = np.linspace(0, 1, STEPS)
    if transfer in (4, 5, 8):
        return level ** {4: 2.2, 5: 2.8, 8: 1.0}[transfer]
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def make_profile(
    primaries: tuple[float, ...], curve: "np.ndarray[Any, Any]", white: Any = D65
) -> bytes:
    """Return an ICC profile of three primaries and one tone curve, as version 2 has it."""
    red, green, blue = (_xyz(primaries[at], primaries[at + 1]) for at in (0, 2, 4))
    columns = np.stack([red, green, blue], axis=1)
    try:
        columns = columns * np.linalg.solve(columns, _xyz(*white))
        cone = BRADFORD @ _xyz(*white)
        adapted = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / cone) @ BRADFORD @ columns
    except (np.linalg.LinAlgError, FloatingPointError, ZeroDivisionError):
        return b""
    if not np.isfinite(adapted).all() or np.abs(adapted).max() > 30_000:
        return b""
    tone = (curve.clip(0, 1) * 65535).round().astype(">u2").tobytes()
    bodies = [(b"rTRC", b"curv\0\0\0\0" + struct.pack(">I", STEPS) + tone)]
    bodies += [
        (name, _xyz_tag(adapted[:, at])) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))
    ]
    bodies.append((b"wtpt", _xyz_tag(D50)))
    return _assemble(bodies)


def _assemble(bodies: list[tuple[bytes, bytes]]) -> bytes:
    start = 128 + 4 + 12 * (len(bodies) + 2)
    table, content = [], b""
    for name, body in bodies:
        tags = (b"rTRC", b"gTRC", b"bTRC") if name == b"rTRC" else (name,)
        table += [tag + struct.pack(">II", start + len(content), len(body)) for tag in tags]
        content += body
    header = struct.pack(">I4xI", start + len(content), 0x02400000) + b"mntrRGB XYZ "
    header = header.ljust(36, b"\0") + b"acsp"
    header = header.ljust(68, b"\0") + _numbers(D50)
    return header.ljust(128, b"\0") + struct.pack(">I", len(table)) + b"".join(table) + content


def _xyz_tag(numbers: "np.ndarray[Any, Any]") -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(numbers)


def _numbers(numbers: "np.ndarray[Any, Any]") -> bytes:
    return b"".join(struct.pack(">i", round(float(number) * 65536)) for number in numbers)


def _xyz(x: float, y: float) -> "np.ndarray[Any, Any]":
    return np.array([x / y, 1.0, (1 - x - y) / y]) if y else np.full(3, np.nan)

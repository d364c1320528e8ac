"""Colour profiles, written by hand."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

POINTS: Final = 1024
# The colorants of sRGB, adapted to D50, and its white.
COLORANTS: Final = (
    (0.43607, 0.22249, 0.01392),
    (0.38515, 0.71687, 0.09708),
    (0.14307, 0.06061, 0.71410),
)
D50: Final = (0.9642, 1.0, 0.8249)


@dataclass(frozen=True)
class Curve:
    """A tone curve: `show` takes a stored sample to sRGB's; `store` takes it back."""

    show: Callable[[float], float]
    store: Callable[[float], float]


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


SRGB: Final = Curve(lambda value: value, lambda value: value)
INVERTED: Final = Curve(lambda value: 1 - value, lambda value: 1 - value)
LINEAR: Final = Curve(lambda value: value ** (1 / 2.2), lambda value: value**2.2)
STEEP: Final = Curve(lambda value: value**3, lambda value: value ** (1 / 3))


def make_profile(curve: Curve = SRGB, *, swapped: bool = False, grey: bool = False) -> bytes:
    """Return an ICC profile of a display, with this curve.

    `swapped`: the first channel is green, the second blue, the third red.
    """
    table = [int(_linear(curve.show(step / (POINTS - 1))) * 65_535 + 0.5) for step in range(POINTS)]
    tone = b"curv" + bytes(4) + struct.pack(f">I{POINTS}H", POINTS, *table)
    red, green, blue = COLORANTS
    first, second, third = (green, blue, red) if swapped else (red, green, blue)
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 6) + b"words\0" + bytes(78),
        b"wtpt": _xyz(D50),
        b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
    }
    if grey:
        tags[b"kTRC"] = tone
    else:
        for name, colorant in ((b"r", first), (b"g", second), (b"b", third)):
            tags[name + b"XYZ"] = _xyz(colorant)
            tags[name + b"TRC"] = tone
    directory, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, tag in tags.items():
        directory += struct.pack(">4sII", name, start + len(body), len(tag))
        body += tag + bytes(-len(tag) % 4)
    size = start + len(body)
    space = b"GRAY" if grey else b"RGB "
    head = struct.pack(">I4sI4s4s4s", size, b"none", 0x02100000, b"mntr", space, b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    head += struct.pack(">3i", *(int(value * 65_536) for value in D50))
    return head + bytes(128 - len(head)) + directory + body


def _xyz(numbers: tuple[float, float, float]) -> bytes:
    return (
        b"XYZ " + bytes(4) + struct.pack(">3i", *(int(number * 65_536 + 0.5) for number in numbers))
    )

"""Pictures of a high dynamic range, PQ and HLG, as Chromium shows them on a usual screen.

The curves are what Chromium 156 shows of grey. Of colours, the brightest channel follows the curve,
and the others keep their share of the light.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np
from PIL import ImageFilter

PQ, HLG = 16, 18  # transfer functions by the numbers of ITU-T H.273
BT2020: Final = 9  # primaries
WHITE: Final = 203  # candelas of white, of the 10,000 of PQ
# Every 16th level, and the last.
PLACES: Final = np.minimum(np.arange(17) * 16, 255)
TONES: Final = {
    PQ: (0, 1, 5, 15, 30, 48, 70, 98, 132, 175, 213, 237, 255, 255, 255, 255, 255),
    HLG: (0, 3, 14, 29, 43, 57, 71, 85, 99, 115, 135, 160, 189, 212, 228, 243, 255),
}
TO_SRGB: Final = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
LUMINANCE: Final = {True: (0.2627, 0.678, 0.0593), False: (0.2126, 0.7152, 0.0722)}  # of BT.2020
GAMMA: Final = 0.2  # of HLG, over 1
GRID: Final = 49  # levels of each channel; what is between is interpolated

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@lru_cache(maxsize=8)
def tone_map(primaries: int, transfer: int) -> ImageFilter.Color3DLUT:
    """Return a filter that gives the colours of sRGB for those of PQ or HLG."""
    level = np.linspace(0, 1, GRID)
    blue, green, red = np.meshgrid(level, level, level, indexing="ij")
    light = _light(np.stack([red, green, blue], axis=-1).reshape(-1, 3), transfer)
    wide = primaries == BT2020
    curve = _light(np.arange(256) / 255, transfer)
    if transfer == HLG:  # the screen's own gamma, by the luminance
        luminance = np.maximum(light @ np.array(LUMINANCE[wide]), 1e-9)
        light, curve = light * (luminance**GAMMA)[:, None], curve * curve**GAMMA
    key = light.max(axis=1)
    tone = _from_srgb(np.interp(np.arange(256), PLACES, TONES[transfer]) / 255)
    light = light * (np.interp(key, curve, tone) / np.maximum(key, 1e-9))[:, None]
    shown = _to_srgb(light @ TO_SRGB.T if wide else light)
    return ImageFilter.Color3DLUT(GRID, shown.ravel().tolist())


def _light(level: Numbers, transfer: int) -> Numbers:
    if transfer == PQ:
        root = level ** (1 / 78.84375)
        part = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        light: Numbers = part ** (1 / 0.1593017578125) * (10_000 / WHITE)
        return light
    high = (np.exp((level - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return np.where(level <= 0.5, level**2 / 3, high)


def _from_srgb(level: Numbers) -> Numbers:
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)


def _to_srgb(light: Numbers) -> Numbers:
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)

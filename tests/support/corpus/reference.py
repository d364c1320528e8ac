"""The hash of what a screen shows, by the reference package `pdqhash`.

It has no wheel for Linux. Where it is not installed, our own hash answers, which
`tests/unit/media/test_pdq.py` holds to the reference's recorded answers.
"""

import importlib.metadata
from functools import cache

import numpy as np
from PIL import Image

from kinward.media import MIN_QUALITY, hash_array


@cache
def has_reference() -> bool:
    """Return whether the package itself is installed; our stand-in for it does not count."""
    try:
        importlib.metadata.version("pdqhash")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def hash_screen(shown: Image.Image) -> bytes | None:
    """Return the PDQ hash of what a screen shows; None if it has too little structure."""
    pixels = np.asarray(shown.convert("RGB"))
    if not has_reference():
        pdq, quality = hash_array(pixels)
        return pdq.tobytes() if quality >= MIN_QUALITY else None
    import pdqhash

    bits, quality = pdqhash.compute(pixels)
    return np.packbits(bits.astype(np.uint8)).tobytes() if quality >= MIN_QUALITY else None

"""A stand-in for `pdqhash`: the `threatexchange` package hashes with our PDQ.

`threatexchange` imports `pdqhash` together with its PDQ signal type. `pdqhash` has no wheel for
Linux, so the locked requirements leave it out: a machine needs no C++ compiler to run Kinward.
"""

import importlib.util
import sys
from types import ModuleType

import numpy as np
import numpy.typing as npt

from kinward.media import hash_array


def compute(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], int]:
    """Return the bits, uint8[256], and the quality of an image, uint8[H, W, 3 or 4]."""
    digest, quality = hash_array(pixels[:, :, :3])
    return np.unpackbits(digest), quality


def stand_in() -> None:
    """Make `import pdqhash` import our hasher, unless the package is installed. Idempotent."""
    if sys.modules.get("pdqhash") is None and importlib.util.find_spec("pdqhash") is None:
        module = ModuleType("pdqhash", __doc__)
        module.__dict__["compute"] = compute
        sys.modules["pdqhash"] = module


stand_in()

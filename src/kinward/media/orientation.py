"""How a stored picture is turned to be shown, by the numbers of EXIF."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt


class Turn(NamedTuple):
    """What is done to a stored picture, in this order, to show it."""

    rows_back: bool = False  # the last row first
    columns_back: bool = False
    transposed: bool = False  # rows become columns


UPRIGHT: Final = Turn()
# By the value of EXIF's tag 0x0112. 1 is how a picture is stored.
TURNS: Final = {
    2: Turn(columns_back=True),
    3: Turn(rows_back=True, columns_back=True),
    4: Turn(rows_back=True),
    5: Turn(transposed=True),
    6: Turn(rows_back=True, transposed=True),
    7: Turn(rows_back=True, columns_back=True, transposed=True),
    8: Turn(columns_back=True, transposed=True),
}
TAG: Final = 0x0112


def turn_pixels(pixels: npt.NDArray[np.uint8], turn: Turn | None) -> npt.NDArray[np.uint8]:
    """Return a view of an image, uint8[H, W, C], turned."""
    if turn is None:
        return pixels
    pixels = pixels[:: -1 if turn.rows_back else 1, :: -1 if turn.columns_back else 1]
    return pixels.transpose(1, 0, 2) if turn.transposed else pixels

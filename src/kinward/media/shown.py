"""How viewers show a frame of a video: turned, in its aspect ratio, cropped, or by its fields."""

import struct
from collections.abc import Callable, Iterator
from typing import Final, cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from PIL import Image

from kinward.media.boxes import Claims
from kinward.media.chroma import BT601, BT709
from kinward.media.orientation import UPRIGHT, Turn, turn_pixels
from kinward.media.planes import (
    WIDEST,
    Planes,
    as_told,
    is_misread,
    misread,
    space_of,
    taken_for_luma,
)

MATRIX: Final = struct.Struct("=9i")
# By quarters of a turn to the left.
ROTATIONS: Final = (
    UPRIGHT,
    Turn(columns_back=True, transposed=True),
    Turn(rows_back=True, columns_back=True),
    Turn(rows_back=True, transposed=True),
)
OPAQUE: Final = "opaque"
# What is under a picture that is not opaque. Some viewers show it as if it were.
PAGES: Final = ("white", "black", OPAQUE)


def turn_of(frame: VideoFrame) -> Turn:
    """Return how the frame's display matrix turns it, to the nearest right angle."""
    try:
        matrix = MATRIX.unpack(bytes(_side_data(frame)[Type.DISPLAYMATRIX])[: MATRIX.size])
    except (KeyError, struct.error):
        return UPRIGHT
    except ValueError:
        # PyAV has no name for something beside the matrix, such as the EXIF of a frame. Then only
        # an angle can be asked for, not whether the frame is mirrored.
        return ROTATIONS[round(frame.rotation / 90) % 4]
    a, b, _, c, d = matrix[:5]  # a pixel at (x, y) is shown at (ax + cy, bx + dy)
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Turn(rows_back=c < 0, columns_back=b < 0, transposed=True)
    return Turn(rows_back=d < 0, columns_back=a < 0)


def _side_data(frame: VideoFrame) -> SideDataContainer:
    # The attribute `side_data` of a frame keeps its memory until the next collection, so that the
    # decoder must find memory for every other frame. PyAV's types do not say what this takes.
    return cast("Callable[[VideoFrame], SideDataContainer]", SideDataContainer)(frame)


def other_planes(frame: VideoFrame, planes: Planes, claims: Claims) -> Iterator[Planes]:
    """Yield what some viewers show of a frame and others do not: fields, crops, other colours."""
    yield from as_told(frame, planes, claims.colours)
    yield from taken_for_luma(frame, planes.shape)
    if frame.interlaced_frame and frame.height >= 2:
        yield from planes.fields()
    for crop in claims.crops:
        if (crop.width, crop.height) == (frame.width, frame.height):
            yield planes.part(crop.top, crop.bottom, crop.left, crop.right)


def has_alpha(frame: VideoFrame) -> bool:
    """Return whether a frame may be transparent somewhere."""
    return any(component.is_alpha for component in frame.format.components)


def colours_of(frame: VideoFrame, pixel_shape: float = 1.0) -> Colorspace | None:
    """Return the colour space in which Chromium shows a frame; None for a rare one."""
    known = {BT601: Colorspace.ITU601, BT709: Colorspace.ITU709}
    return known.get(space_of(frame, pixel_shape))


def picture_of(
    frame: VideoFrame, side: int, pixel_shape: float = 1.0, page: str = PAGES[0]
) -> Image.Image:
    """Return a frame as a viewer shows it on a page, with at most `side` pixels a side.

    `pixel_shape`: the width of a stored pixel over its height.
    """
    shape = min(max(pixel_shape, 1 / WIDEST), WIDEST)
    wide, high = frame.width * max(shape, 1.0), frame.height / min(shape, 1.0)
    smaller = min(1.0, side / max(wide, high))
    width, height = max(1, round(wide * smaller)), max(1, round(high * smaller))
    alpha = has_alpha(frame) and page != OPAQUE
    shown = misread(frame) if is_misread(frame, shape) else frame
    small = shown.reformat(
        width,
        height,
        "rgba" if alpha else "rgb24",
        src_colorspace=colours_of(shown, shape),
        dst_color_range="JPEG",
        threads=1,
    )
    pixels = np.asarray(small.to_ndarray(), dtype=np.uint8)
    pixels = turn_pixels(pixels, turn_of(frame))
    return flat(Image.fromarray(np.ascontiguousarray(pixels)), page)


def flat(image: Image.Image, page: str = PAGES[0]) -> Image.Image:
    """Return an image in RGB, over a page if it is not opaque."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, page), image).convert("RGB")


def image_planes(image: Image.Image) -> Planes:
    """Return the planes of an image in RGBA or RGB."""
    image = image.convert("RGBA")
    pixels = np.asarray(image)
    luma = np.asarray(image.convert("RGB").convert("L"))
    return Planes(luma, alpha=np.ascontiguousarray(pixels[..., 3]), full=True)

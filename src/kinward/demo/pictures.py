"""Pictures generated from a seed: only gradients, shapes and noise."""

import io
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

SIZE: Final = (1024, 768)
BANKED_SEEDS: Final = (901, 902, 903, 904)
PLAIN_SEEDS: Final = tuple(range(1, 13))


def draw(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Draw an RGB picture that differs from those of all other seeds."""
    dice = np.random.default_rng(seed)
    width, height = size
    coarse = dice.integers(30, 226, (5, 6, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(9):
        x, y = int(dice.integers(0, width)), int(dice.integers(0, height))
        reach = int(dice.integers(width // 16, width // 5))
        colour = tuple(int(c) for c in dice.integers(0, 256, 3))
        box = (x - reach, y - reach * 3 // 4, x + reach, y + reach * 3 // 4)
        match int(dice.integers(0, 3)):
            case 0:
                pen.ellipse(box, fill=colour)
            case 1:
                pen.rectangle(box, outline=colour, width=reach // 6)
            case _:
                pen.polygon([(x, y - reach), (x + reach, y + reach), (x - reach, y)], fill=colour)
    noise = dice.normal(0, 4, (height, width, 1))
    grainy = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(grainy)


def encode(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    """Encode a picture as a file. PNG uses little compression, because noise gains nothing."""
    if format == "PNG":
        options.setdefault("compress_level", 3)
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()

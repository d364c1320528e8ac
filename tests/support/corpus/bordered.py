"""Pictures inside uniform borders, which a person looks at alone."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from tests.support.corpus.entry import Desk, Entry, encode, make_entry, to_pixels
from tests.support.corpus.filming import Track, film

KIND: Final = "border"
GREY: Final = (200, 200, 200)
RINGS: Final = ("black", "white", GREY, (60, 60, 60), "white", "black")
LARGE: Final = (800, 600)
WIDE, MIDDLE = (320, 240), (104, 80)
SHORT, DEEP = 8, 58  # half waves a side at least, and levels at most
SHARP: Final = {"crf": "4", "b": "6M"}


def entries(desk: Desk) -> Iterator[Entry]:
    """Yield pictures and films in borders. What is inside is true as well as the whole."""
    yield from _stills(desk)
    yield from _films(desk)
    yield from _later(desk)


def _stills(desk: Desk) -> Iterator[Entry]:
    for count in (2, 3, 4, 6):
        name = f"{count}-rings.png"
        inside = desk.picture(name)
        whole = ringed(inside, RINGS[:count])
        yield make_entry(KIND, name, f"{count} borders", encode(whole, "PNG"), whole, inside)
    for format in ("PNG", "JPEG", "WEBP"):
        name = f"small.{format.lower()}"
        inside = desk.picture(name, (96, 72))
        whole = placed(inside, LARGE, (500, 150))
        data = encode(whole, format, quality=96)
        yield make_entry(KIND, name, "on a canvas of 70 times its size", data, whole, inside)
    name = "screen.gif"
    inside = desk.few(name, (160, 120))
    data = encode(inside.quantize(128), "GIF")
    screen = b"".join(side.to_bytes(2, "little") for side in LARGE)
    yield make_entry(KIND, name, "a GIF with a large screen", data[:6] + screen + data[10:], inside)


def _films(desk: Desk) -> Iterator[Entry]:
    for container, codec in (("webm", "libvpx"), ("mp4", "libx264")):
        for count in (2, 3):
            name = f"{count}-rings.{container}"
            inside = desk.picture(name)
            whole = ringed(inside, RINGS[:count])
            data = film(Track([(whole, 1.0)], codec), container)
            yield _film(name, f"{count} borders", data, whole, inside)
    name = "small.mp4"
    inside = desk.picture(name, (112, 80))
    whole = placed(inside, (640, 480), (360, 160))
    data = film(Track([(whole, 1.0)], options={"crf": "8"}))
    yield _film(name, "on a canvas of 34 times its size", data, whole, inside)


def _later(desk: Desk) -> Iterator[Entry]:
    """Yield films whose first picture in a border looks, with it, like the one that follows."""
    for container, codec, seconds in (
        ("webm", "libvpx", (0.1, 2.0, 0.0)),
        ("mp4", "libx264", (0.1, 2.0, 0.0)),
        ("webm", "libvpx", (1.3, 0.2, 1.5)),
    ):
        name = f"later-{seconds[1]:g}.{container}"
        inside = Image.eval(desk.picture(name, (112, 80)), lambda level: 60 + level * 136 // 255)
        decoy = like_in_border(desk, inside)
        whole, first = (placed(picture, WIDE, MIDDLE) for picture in (inside, decoy))
        shots = [
            (picture, shown)
            for picture, shown in zip((first, whole, first), seconds, strict=True)
            if shown
        ]
        data = film(
            Track(shots, codec, options=SHARP if codec == "libvpx" else {"crf": "4"}), container
        )
        yield _film(name, f"the inside changes after {seconds[0]:g} s", data, whole, inside, decoy)


def _film(name: str, disguise: str, data: bytes, *truth: Image.Image) -> Entry:
    return make_entry(KIND, name, disguise, data, *truth, element="video")


def ringed(picture: Image.Image, colours: Sequence[object], width: int = 24) -> Image.Image:
    """Return a picture in a border of each colour, the last one outermost."""
    for colour in colours:
        picture = ImageOps.expand(picture, width, colour)  # type: ignore[arg-type]
    return picture


def placed(picture: Image.Image, size: tuple[int, int], at: tuple[int, int]) -> Image.Image:
    """Return a picture on a large canvas."""
    canvas = Image.new("RGB", size, GREY)
    canvas.paste(picture, at)
    return canvas


def like_in_border(desk: Desk, picture: Image.Image) -> Image.Image:
    """Return another picture that is like this one inside a wide border, and unlike it alone.

    It has waves too short for the whole, but not for the inside, and none at its edge.
    """
    height, width = picture.height, picture.width
    waves = desk.dice("waves").normal(size=(16, 16))
    waves[:SHORT, :] = waves[:, :SHORT] = 0
    down, across = (
        np.cos(np.pi * np.arange(16)[:, None] * (np.arange(side) + 0.5) / side)
        for side in (height, width)
    )
    fading = np.outer(*(np.sin(np.pi * (np.arange(s) + 0.5) / s) for s in (height, width)))
    added = (down.T @ waves @ across) * fading
    added *= DEEP / np.abs(added).max()
    values = to_pixels(picture).astype(np.float64) + added[..., None]
    return Image.fromarray(np.round(values).clip(0, 255).astype(np.uint8))

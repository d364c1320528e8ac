"""Films in which the known picture is not where a plain decode looks."""

import struct
from collections.abc import Iterator
from typing import Final

from PIL import Image

from tests.support.corpus import resized
from tests.support.corpus.alpha import only_alpha
from tests.support.corpus.colours import read_as
from tests.support.corpus.entry import Desk, Element, Entry, encode
from tests.support.corpus.filming import (
    Track,
    film,
    find_boxes,
    index_first,
    move_first,
    set_enabled,
    turn,
)

KIND: Final = "film"
# Container, codec, name, and whether Chromium plays it.
PLAIN: Final = (
    ("mp4", "libx264", "h264.mp4", True),
    ("mov", "libx264", "h264.mov", True),
    ("matroska", "libx264", "h264.mkv", True),
    ("webm", "libvpx", "vp8.webm", True),
    ("webm", "libvpx-vp9", "vp9.webm", True),
    ("mp4", "libvpx-vp9", "vp9.mp4", True),
    ("matroska", "libvpx", "vp8.mkv", True),
    ("mp4", "libsvtav1", "av1.mp4", True),
    ("webm", "libsvtav1", "av1.webm", True),
    ("mp4", "libx265", "hevc.mp4", False),
    ("mp4", "mpeg4", "mpeg4.mp4", False),
    ("avi", "mpeg4", "mpeg4.avi", False),
    ("avi", "mjpeg", "mjpeg.avi", False),
    ("avi", "libx264", "h264.avi", False),
    ("mov", "mjpeg", "mjpeg.mov", False),
    ("mov", "png", "png.mov", False),
    ("mpegts", "libx264", "h264.ts", False),
    ("mpegts", "mpeg2video", "mpeg2.ts", False),
    ("mpeg", "mpeg2video", "mpeg2.mpg", False),
    ("flv", "libx264", "h264.flv", False),
    ("asf", "wmv2", "wmv2.wmv", False),
    ("ogg", "libvpx", "vp8.ogv", True),
)
STORED: Final = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
    -1: Image.Transpose.FLIP_LEFT_RIGHT,
}


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _plain(desk)
    yield from _turned(desk)
    yield from _tracks(desk)
    yield from _covers(desk)
    yield from _times(desk)
    yield from _shapes(desk)
    yield from _colours(desk)
    yield from resized.entries(desk)


def _entry(
    name: str,
    disguise: str,
    data: bytes,
    *truth: Image.Image,
    played: bool = True,
    moments: tuple[float, ...] = (),
) -> Entry:
    element: Element = "video" if played else ""
    return Entry(name, KIND, disguise, data, truth, element, moments)


def _plain(desk: Desk) -> Iterator[Entry]:
    for container, codec, name, played in PLAIN:
        first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
        pixels = {"mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
        data = film(Track([(first, 1.0), (second, 1.0)], codec, pixels=pixels), container)
        yield _entry(name, "two pictures, a second each", data, first, second, played=played)
    name = "fragmented.mp4"
    first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    data = film(Track([(first, 1.0), (second, 1.0)], options={"g": "5"}), options=options)
    yield _entry(name, "in fragments", data, first, second)
    name = "index-first.mp4"
    image = desk.picture(name)
    data = index_first(film(Track([(image, 1.0)])))
    yield _entry(name, "the index stands before the data", data, image)


def _turned(desk: Desk) -> Iterator[Entry]:
    for container in ("mp4", "mov"):
        for degrees, operation in STORED.items():
            name = f"turned-{degrees}.{container}".replace("--1", "-mirrored")
            image = desk.picture(name)
            data = turn(film(Track([(image.transpose(operation), 1.0)]), container), degrees)
            yield _entry(name, f"a display matrix of {degrees}", data, image)
    name = "turned-whole.mp4"
    image = desk.picture(name)
    data = turn(film(Track([(image.transpose(STORED[180]), 1.0)])), 180, whole=True)
    yield _entry(name, "the matrix stands in the film's header", data, image)


def _tracks(desk: Desk) -> Iterator[Entry]:
    for container, codec in (
        ("matroska", "libx264"),
        ("webm", "libvpx"),
        ("mp4", "libx264"),
        ("mov", "libx264"),
    ):
        ending = {"matroska": "mkv"}.get(container, container)
        for default in (0, 1):
            name = f"two-tracks-default-{default}.{ending}"
            first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
            tracks = [
                Track([(first, 1.0)], codec, default=default == 0),
                Track([(second, 1.0)], codec, default=default == 1),
            ]
            yield _entry(
                name,
                f"two tracks; number {default} is the default",
                film(tracks, container),
                first,
                second,
            )
    name = "first-disabled.mp4"
    first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
    data = film([Track([(first, 1.0)]), Track([(second, 1.0)], default=True)])
    yield _entry(
        name, "the first track is disabled", set_enabled(data, 0, enabled=False), first, second
    )
    name = "second-disabled.mp4"
    first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
    data = film([Track([(first, 1.0)]), Track([(second, 1.0)])])
    yield _entry(
        name, "the second track is disabled", set_enabled(data, 1, enabled=False), first, second
    )
    name = "all-disabled.mp4"
    image = desk.picture(name)
    yield _entry(
        name,
        "its only track is disabled",
        set_enabled(film(Track([(image, 1.0)])), 0, enabled=False),
        image,
    )
    name = "second-turned.mp4"
    first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
    data = film([Track([(first, 1.0)]), Track([(second.transpose(STORED[90]), 1.0)], default=True)])
    data = turn(set_enabled(data, 0, enabled=False), 90, track=1)
    yield _entry(name, "the second track is turned, the first disabled", data, first, second)
    name = "two-programmes.ts"
    first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
    data = film([Track([(first, 1.0)]), Track([(second, 1.0)])], "mpegts")
    yield _entry(name, "two tracks in MPEG-TS", data, first, second, played=False)


def _covers(desk: Desk) -> Iterator[Entry]:
    for name in ("cover.mp4", "cover-before-tracks.mp4"):
        image, cover = desk.picture(name), desk.picture(f"{name}-cover")
        data = film(Track([(image, 1.0)]), cover=cover)
        if "before" in name:
            data = move_first(data, b"udta")
        yield _entry(
            name,
            "cover art" + (" before the tracks" if "before" in name else ""),
            data,
            image,
            cover,
        )
    for name, title, media_type, format in (
        ("cover.mkv", "cover.jpg", "image/jpeg", "JPEG"),
        ("attachment.mkv", "notes.png", "image/png", "PNG"),
        ("attachment-said-to-be-a-font.mkv", "font.ttf", "application/x-truetype-font", "JPEG"),
    ):
        image, cover = desk.picture(name), desk.picture(f"{name}-cover")
        data = film(
            Track([(image, 1.0)]), "matroska", attached=[(title, media_type, encode(cover, format))]
        )
        yield _entry(name, f"attached as {title}", data, image, cover)


def _times(desk: Desk) -> Iterator[Entry]:
    for container, codec, ending in (
        ("mp4", "libx264", "mp4"),
        ("webm", "libvpx", "webm"),
        ("matroska", "libvpx-vp9", "mkv"),
    ):
        for frames in (1, 2):
            name = f"flash-of-{frames}.{ending}"
            cover, known = desk.picture(f"{name}-cover"), desk.picture(name)
            shots = [(cover, 1.3), (known, frames / 10), (cover, 1.5)]
            data = film(Track(shots, codec), container)
            yield _entry(
                name,
                f"a flash of {frames} tenths of a second",
                data,
                cover,
                known,
                moments=(1.3 + frames / 20,),
            )
    name = "flash-without-keyframe.mp4"
    cover, known = desk.picture(f"{name}-cover"), desk.picture(name)
    data = film(
        Track([(cover, 1.3), (known, 0.2), (cover, 1.5)], options={"g": "250", "sc_threshold": "0"})
    )
    yield _entry(name, "a flash that is no key frame", data, cover, known, moments=(1.4,))
    name = "last-frame.mp4"
    cover, known = desk.picture(f"{name}-cover"), desk.picture(name)
    data = film(Track([(cover, 2.3), (known, 0.1)]))
    yield _entry(name, "only the last frame", data, cover, known, moments=(2.36,))
    for start in (10.0, 3600.0):
        name = f"from-{start:g}.mkv"
        first, second = desk.picture(f"{name}-0"), desk.picture(f"{name}-1")
        data = film(Track([(first, 1.0), (second, 1.0)], start=start), "matroska")
        yield _entry(name, f"its clock begins at {start:g} s", data, first, second)
    name = "variable-rate.mp4"
    pictures = [desk.picture(f"{name}-{number}") for number in range(4)]
    shots = [(pictures[0], 2.0), (pictures[1], 0.1), (pictures[2], 0.1), (pictures[3], 1.0)]
    yield _entry(
        name,
        "frames of very different lengths",
        film(Track(shots, slow=True)),
        *pictures,
        moments=(2.05, 2.15),
    )
    name = "one-frame-of-a-minute.mp4"
    cover, known = desk.picture(f"{name}-cover"), desk.picture(name)
    data = film(Track([(cover, 55.0), (known, 5.0)], slow=True))
    yield _entry(name, "a minute of two frames", data, cover, known)
    name = "edit-list.mp4"
    cover, known = desk.picture(f"{name}-cover"), desk.picture(name)
    data = _edited(film(Track([(cover, 1.0), (known, 1.0)], options={"g": "5"})), 1.0)
    yield _entry(name, "an edit list leaves the first second out", data, known)


def _edited(data: bytes, seconds: float) -> bytes:
    """Make the edit list begin the track later."""
    start, _ = find_boxes(data, "moov/trak/edts/elst")[0]
    mdhd, _ = find_boxes(data, "moov/trak/mdia/mdhd")[0]
    (scale,) = struct.unpack_from(">I", data, mdhd + 20)
    return data[: start + 20] + struct.pack(">i", int(seconds * scale)) + data[start + 24 :]


def _shapes(desk: Desk) -> Iterator[Entry]:
    for aspect in ("2:1", "1:2"):
        name = f"aspect-{aspect.replace(':', '-')}.mp4"
        image = desk.picture(name)
        across, down = (int(part) for part in aspect.split(":"))
        shown = image.resize((image.width * across, image.height * down))
        data = film(Track([(image, 1.0)], aspect=aspect))
        yield _entry(name, f"pixels of {aspect}", data, shown)
    name = "odd-size.mp4"
    image = desk.picture(name, (318, 238))
    yield _entry(name, "a size that is no multiple of 16", film(Track([(image, 1.0)])), image)
    for codec in ("libvpx", "libvpx-vp9"):
        name = f"alpha-{codec}.webm"
        image = only_alpha(desk.grey(name), "black")
        track = Track([(image, 1.0)], codec, pixels="yuva420p")
        data = film(track, "webm", metadata={"alpha_mode": "1"})
        yield _entry(name, "the picture is in the alpha", data, image)


def _colours(desk: Desk) -> Iterator[Entry]:
    """Films whose colours are to be read in another way than those of a small film."""
    for name, written, full in (
        ("matrix-709.mp4", "709", False),
        ("matrix-2020.webm", "2020", False),
        ("full-range.mp4", "601", True),
    ):
        image = desk.picture(name)
        codec, container = ("libx264", "mp4") if name.endswith("mp4") else ("libvpx-vp9", "webm")
        track = Track([(image, 1.0)], codec, matrix=written, full=full)
        yield _entry(name, f"written in BT.{written}, and says so", film(track, container), image)
    # Chromium guesses all where a film in H.264 says only a part.
    name = "matrix-709-alone.mp4"
    image = desk.picture(name)
    shown = read_as(image, written="709", read="601")
    data = film(Track([(image, 1.0)], matrix="709", partly=True))
    yield _entry(name, "written in BT.709, and says only a part of that", data, shown)
    # Players take a film that says nothing for BT.601, but for BT.709 from 720 rows on.
    name = "untagged-720.mp4"
    image = desk.picture(name, (480, 720))
    shown = read_as(image, written="601", read="709")
    yield _entry(name, "720 rows, and nothing said of colours", film(Track([(image, 1.0)])), shown)
    name = "untagged-1-3.mp4"
    image = desk.picture(name)
    shown = read_as(image, written="601", read="709").resize((320, 720))
    data = film(Track([(image, 1.0)], aspect="1:3"))
    yield _entry(name, "720 rows by the shape of its pixels", data, shown)

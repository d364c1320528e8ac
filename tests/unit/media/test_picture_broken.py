"""Broken pictures, and alpha, are shown as Chromium shows them, pixel by pixel."""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from kinward.media import read_picture
from kinward.media.decoder import answer
from kinward.media.medium import Bounds
from kinward.media.picture import pictures
from tests.support.corpus.containers import interlaced_png
from tests.support.looks import MAX, SIZE, bits, chunks, encode, plain, png, seen

Pixels = npt.NDArray[np.uint8]
WIDTH, HEIGHT = SIZE
PICTURE = plain(211)
FEW = PICTURE.quantize(128, Image.Quantize.FASTOCTREE)


def over(data: bytes, page: str = "white") -> Pixels:
    """Return what is shown of a file on a white page, or on a black one."""
    shown = [image for _, _, image in pictures(data, Bounds(MAX, 9.0, 9.0))]
    return np.asarray(shown[0] if page == "white" else shown[1])


def rows_that_differ(shown: Pixels, picture: Image.Image) -> list[int]:
    """Return the rows in which a picture is not as it was."""
    differ = (shown != np.asarray(picture.convert("RGB"))).any(axis=(1, 2))
    return [int(row) for row in np.flatnonzero(differ)]


@pytest.mark.parametrize(("page", "level"), [("white", 255), ("black", 0)])
def test_the_alpha_of_an_avif_is_read_as_16_to_235_as_chromium_does(page: str, level: int) -> None:
    picture = PICTURE.copy()
    picture.putalpha(plain(212).convert("L").point(lambda value: value * 2 // 3))
    data = encode(picture, "AVIF", quality=100)
    stored = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).astype(float)
    share = ((stored[..., 3:] - 16) / 219).clip(0, 1)
    expected = stored[..., :3] * share + level * (1 - share)
    assert np.abs(over(data, page) - expected).max() < 2
    assert bits(Image.fromarray(expected.round().astype(np.uint8)), seen(data)) <= 4


def test_an_avif_is_also_hashed_as_viewers_show_it_that_read_its_alpha_as_it_is() -> None:
    picture = PICTURE.copy()
    picture.putalpha(plain(212).convert("L").point(lambda value: value * 2 // 3))
    data = encode(picture, "AVIF", quality=100)
    stored = Image.open(io.BytesIO(data)).convert("RGBA")
    for page in ("white", "black"):
        under = Image.new("RGBA", stored.size, page)
        assert bits(Image.alpha_composite(under, stored), seen(data)) <= 4
    assert read_picture(data, MAX).kind == "pdq"


def test_what_there_is_of_the_last_block_of_a_cut_gif_is_shown() -> None:
    data = encode(FEW, "GIF", interlace=0)
    painted = []
    for lacking in range(700, 100, -100):  # a block has 255 bytes
        same = (over(data[:-lacking]) == np.asarray(FEW.convert("RGB"))).all(axis=2)
        painted.append(int(same.sum()))
    assert painted == sorted(set(painted))


def test_rows_of_an_interlaced_gif_are_repeated_only_where_it_is_opaque() -> None:
    for transparent in (False, True):
        options = {"transparency": 100} if transparent else {}
        data = encode(FEW, "GIF", interlace=1, **options)
        data = data[: len(data) // 2]
        holes = (over(data) != over(data, "black")).all(axis=2).all(axis=1) if transparent else None
        assert holes is None or holes[HEIGHT // 2 :].mean() > 0.4
        if not transparent:
            assert len([*pictures(data, Bounds(MAX, 9.0, 9.0))]) == 1


def test_a_wrong_sum_of_zlib_costs_no_row_of_a_png() -> None:
    parts = chunks(encode(PICTURE, "PNG"))
    last = max(place for place, (kind, _) in enumerate(parts) if kind == b"IDAT")
    parts[last] = b"IDAT", parts[last][1][:-4] + b"none"
    data = png(parts)
    assert not rows_that_differ(over(data), PICTURE)
    assert not read_picture(data, MAX).entire


def test_blocks_of_earlier_passes_stand_for_what_an_interlaced_png_lacks() -> None:
    parts = chunks(interlaced_png(PICTURE, colour=2))
    coded = zlib.decompress(b"".join(body for kind, body in parts if kind == b"IDAT"))
    last_pass = HEIGHT // 2 * (1 + 3 * WIDTH)
    without = zlib.compress(coded[:-last_pass])
    expected = np.asarray(PICTURE).copy()
    expected[1::2] = expected[::2]
    for body in (without, without[:-4]):  # the second lacks its sum, too
        data = png([parts[0], (b"IDAT", body), (b"IEND", b"")])
        assert (over(data) == expected).all()
        assert not read_picture(data, MAX).entire


def test_browsers_stop_at_a_row_of_a_png_with_an_unknown_filter() -> None:
    rows = np.asarray(PICTURE).reshape(HEIGHT, -1)
    lines = [b"\0" + row.tobytes() for row in rows]
    lines[180] = b"\x05" + lines[180][1:]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    data = png([(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b"")])
    assert rows_that_differ(over(data), PICTURE) == list(range(180, HEIGHT))
    assert (over(data, "black")[180:] == 0).all()


@pytest.mark.parametrize("colour", ["palette", "grey", "RGB", "RGBA"])
def test_the_rows_that_a_cut_png_lacks_are_transparent(colour: str) -> None:
    picture = {"palette": FEW, "grey": PICTURE.convert("L"), "RGB": PICTURE}.get(colour)
    picture = picture or PICTURE.convert("RGBA")
    data = encode(picture, "PNG")
    data = data[: len(data) * 6 // 10]
    differing = rows_that_differ(over(data), picture)
    assert differing == list(range(differing[0], HEIGHT))
    assert (over(data)[differing] == 255).all()
    assert (over(data, "black")[differing] == 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_a_lossless_webp_that_lacks_its_last_bytes_is_known(seed: int) -> None:
    picture = plain(220 + seed)
    data = encode(picture, "WEBP", lossless=True)[:-2]
    assert bits(picture, seen(data)) <= 8
    assert not read_picture(data, MAX).entire


@pytest.mark.parametrize("lossless", [True, False])
def test_a_cut_webp_is_shown_as_it_arrives(lossless: bool) -> None:
    data = encode(PICTURE, "WEBP", lossless=lossless, quality=95)
    shown = over(data[: len(data) // 2])
    there = [int(row) for row in np.flatnonzero((shown != 255).any(axis=(1, 2)))]
    assert there == list(range(len(there)))
    assert HEIGHT // 8 < len(there) < HEIGHT
    assert np.abs(shown[there].astype(int) - np.asarray(PICTURE)[there]).mean() < 4


def test_the_frame_of_a_webp_that_is_cut_shows_what_is_there() -> None:
    frames = [plain(230), plain(231)]
    out = io.BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True, duration=50)
    data = out.getvalue()[:-20]
    hashed = read_picture(data, MAX)
    assert not hashed.entire
    assert bits(frames[1], [view.hash for view in hashed.views if view.moment == 1]) <= 16


@pytest.mark.parametrize("mode", ["RGB", "P"])
def test_whole_rows_of_a_cut_icon_are_shown(mode: str) -> None:
    small = (FEW if mode == "P" else PICTURE).resize((128, 96))
    data = encode(small, "ICO", sizes=[small.size], bitmap_format="bmp")
    differing = rows_that_differ(over(data[: len(data) * 7 // 10]), small)
    assert differing == list(range(len(differing)))  # a bitmap begins with its last row
    assert 20 < len(differing) < 40


def test_a_progressive_jpeg_with_a_damaged_scan_is_known() -> None:
    data = encode(PICTURE, "JPEG", quality=90, progressive=True)
    scan = data.rindex(b"\xff\xda")
    data = data[: scan + 2] + b"\0\0\0\0" + data[scan + 6 :]
    hashed = read_picture(data, MAX)
    assert not hashed.entire
    assert bits(PICTURE, [view.hash for view in hashed.views]) <= 8


def test_exif_after_the_data_turns_no_png_for_a_reviewer() -> None:
    """As in browsers, which have drawn the picture by then."""
    whole, exif = encode(PICTURE, "PNG"), Image.Exif()
    exif[0x0112] = 6
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    for place, turned in ((33, True), (len(whole) - 12, False)):
        given = answer(
            "still", whole[:place] + chunk + whole[place:], Bounds(MAX, 9.0, 9.0), unread
        )
        assert given.still is not None
        width, height = Image.open(io.BytesIO(given.still)).size
        assert (width < height) == turned


def unread(views: object) -> bool:
    """Take no views: none are asked for."""
    return True

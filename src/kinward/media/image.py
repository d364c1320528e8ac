"""Images, still and moving."""

from typing import Final

from kinward.media.formats import STILL_BRANDS
from kinward.media.medium import Bounds, Display, Hashed, Medium, More, Playback, Renderer, Strand

_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"II+\0", "image/tiff"),
    (b"MM\0+", "image/tiff"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image/jp2"),
    (b"\xff\x4f\xff\x51", "image/jp2"),
)
_ICONS: Final = (b"\0\0\1\0", b"\0\0\2\0")


def picture_type(data: bytes) -> str:
    """Return the media type of an image by its first bytes; empty for anything else."""
    for magic, media_type in _MAGIC:
        if data.startswith(magic) and (magic != b"BM" or _is_bitmap(data)):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in STILL_BRANDS:
        return "image/avif" if data[8:10] == b"av" else "image/heic"
    if data[:4] in _ICONS and data[4] + 256 * data[5] > 0 and len(data) >= 22 and not data[9]:
        return "image/x-icon"
    return ""


def _is_bitmap(data: bytes) -> bool:
    """Return whether a header of a bitmap follows the two letters."""
    return int.from_bytes(data[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124)


class Image(Medium):
    """An image. An animation is played from our own encoding, like a video."""

    name = "image"
    formats = ("JPEG", "PNG", "WebP", "GIF", "HEIC", "AVIF", "BMP", "TIFF", "ICO", "JPEG 2000")
    hash_kind = "pdq"
    lasting = False
    statement = "IMAGE"

    def recognise(self, data: bytes) -> str:
        return picture_type(data)

    def hash(self, data: bytes, bounds: Bounds, more: More) -> Hashed:
        from kinward.media.picture import read_picture

        return read_picture(data, bounds.max_pixels, seconds=bounds.picture_seconds, more=more)

    def still(self, data: bytes, bounds: Bounds, *, veiled: bool) -> bytes:
        from kinward.media.picture import render_preview

        return render_preview(data, bounds.max_pixels, veiled=veiled)

    def play(self, data: bytes, bounds: Bounds) -> Playback:
        from kinward.media.film import render_animation
        from kinward.media.moving import moving_pictures

        frames = moving_pictures(data, bounds.max_pixels, bounds.seconds)
        return render_animation(frames, seconds=bounds.seconds)

    def strands(self, data: bytes, bounds: Bounds) -> list[Strand]:
        from kinward.media.picture import strands_of

        return strands_of(data, bounds)

    def still_of(
        self, data: bytes, bounds: Bounds, *, veiled: bool, strand: int, moment: int
    ) -> bytes:
        from kinward.media.picture import render_moment

        return render_moment(data, bounds, veiled=veiled, strand=strand, moment=moment)

    def show(self, data: bytes, renderer: Renderer, *, moves: bool, moving: bool) -> Display:
        if moves:
            return super().show(data, renderer, moves=moves, moving=moving)
        return Display(renderer.still(data, veiled=False), "image/jpeg", entire=True)

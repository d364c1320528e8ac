"""Images, still and moving."""

from typing import Final

from kinward.media.errors import TypeUnsupported
from kinward.media.medium import Bounds, Display, Hashed, Medium, More, Playback, Renderer

# Brands of the ISO container for images. Every other brand is a video.
STILL_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
)
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
# Types that a browser animates without a player.
_ANIMATED: Final = frozenset({"image/gif", "image/png", "image/webp"})


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
    """An image. A browser shows an animation in its own format, if it can animate that."""

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
        raise TypeUnsupported("It is no video.")

    def show(self, data: bytes, renderer: Renderer, *, moves: bool, moving: bool) -> Display:
        media_type = self.recognise(data)
        can_move = moves and media_type in _ANIMATED
        if moving and can_move:
            return Display(data, media_type, entire=True)
        still = renderer.still(data, veiled=False)
        return Display(still, "image/jpeg", entire=not moves, can_move=can_move)

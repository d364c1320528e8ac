"""Images. For animated images only the first frame is hashed."""

from typing import Final

from kinward.media.formats import STILL_BRANDS
from kinward.media.medium import Bounds, Hashed, Medium, More, Playback, Strand

_MAGIC: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"GIF8", "image/gif"))


class Image(Medium):
    """An image. An animation is played from our own encoding, like a video."""

    name = "image"
    formats = ("JPEG", "PNG", "WebP", "GIF", "HEIC", "AVIF")
    hash_kind = "pdq"
    lasting = False
    statement = "IMAGE"

    def recognise(self, data: bytes) -> str:
        for magic, media_type in _MAGIC:
            if data.startswith(magic):
                return media_type
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return "image/webp"
        if data[4:8] == b"ftyp" and data[8:12] in STILL_BRANDS:
            return "image/avif" if data[8:10] == b"av" else "image/heic"
        return ""

    def hash(self, data: bytes, bounds: Bounds, more: More) -> Hashed:
        from kinward.media.picture import read_picture

        return read_picture(data, bounds.max_pixels)

    def still(self, data: bytes, bounds: Bounds, *, veiled: bool) -> bytes:
        from kinward.media.picture import render_preview

        return render_preview(data, bounds.max_pixels, veiled=veiled)

    def play(self, data: bytes, bounds: Bounds) -> Playback:
        from kinward.media.film import render_animation
        from kinward.media.moving import moving_pictures

        return render_animation(moving_pictures(data, bounds.max_pixels), seconds=bounds.seconds)

    def strands(self, data: bytes, bounds: Bounds) -> list[Strand]:
        from kinward.media.moving import is_animated

        moves = is_animated(data, bounds.max_pixels)
        return [Strand(0, "animation" if moves else "picture", moves=moves)]

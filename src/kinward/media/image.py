"""Images, still and moving."""

from kinward.media.formats import picture_type
from kinward.media.medium import Bounds, Hashed, Medium, More, Playback, Strand


class Image(Medium):
    """An image. An animation is played from our own encoding, like a video."""

    name = "image"
    # Those to ask for. BMP, TIFF, ICO, JPEG 2000 and JPEG XL are read as well.
    formats = ("JPEG", "PNG", "WebP", "GIF", "HEIC", "AVIF")
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

    def play_of(self, data: bytes, bounds: Bounds, *, strand: int) -> Playback:
        from kinward.media.film import render_animation
        from kinward.media.moving import moving_pictures

        frames = moving_pictures(data, bounds.max_pixels, bounds.seconds, strand=strand)
        return render_animation(frames, seconds=bounds.seconds)

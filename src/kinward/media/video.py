"""Videos: a signature of their frames, a sheet of stills, and a re-encoded film."""

from kinward.media.formats import video_format
from kinward.media.medium import Bounds, Hashed, Medium, More, Playback, Strand


class Video(Medium):
    """A video. Its signature is the PDQ hashes of its frames."""

    name = "video"
    formats = ("MP4", "WebM", "AVI", "MPEG")
    hash_kind = "video"
    lasting = True
    statement = "VIDEO"

    def recognise(self, data: bytes) -> str:
        return (video_format(data) or ("", ""))[1]

    def hash(self, data: bytes, bounds: Bounds, more: More) -> Hashed:
        from kinward.media.footage import read_video

        return read_video(data, max_pixels=bounds.max_pixels, seconds=bounds.seconds, more=more)

    def still(self, data: bytes, bounds: Bounds, *, veiled: bool) -> bytes:
        from kinward.media.sheet import render_sheet

        return render_sheet(data, bounds.max_pixels, veiled=veiled)

    def play(self, data: bytes, bounds: Bounds) -> Playback:
        from kinward.media.film import render_film

        return render_film(data, max_pixels=bounds.max_pixels, seconds=bounds.seconds)

    def strands(self, data: bytes, bounds: Bounds) -> list[Strand]:
        from kinward.media.sheet import strands_of_video

        return strands_of_video(data, bounds.max_pixels)

    def still_of(
        self, data: bytes, bounds: Bounds, *, veiled: bool, strand: int, moment: int
    ) -> bytes:
        from kinward.media.sheet import render_moment

        return render_moment(data, bounds.max_pixels, veiled=veiled, strand=strand, moment=moment)

    def play_of(self, data: bytes, bounds: Bounds, *, strand: int) -> Playback:
        from kinward.media.film import render_film

        return render_film(
            data, max_pixels=bounds.max_pixels, seconds=bounds.seconds, strand=strand
        )

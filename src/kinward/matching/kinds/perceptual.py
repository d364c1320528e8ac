"""Perceptual hashes, which match a file that looks the same."""

from kinward.matching.kinds.kind import HexKind
from kinward.media import FRAME, MAX_FRAMES, MIN_QUALITY, split_frames


class Perceptual(HexKind):
    """PDQ hashes, looked up by nearness in the index of this process."""

    of_files = True
    near = True

    def exact(self, value: bytes) -> list[bytes]:
        return []

    def frames(self, value: bytes) -> list[bytes]:
        return split_frames(value)


class Pdq(Perceptual):
    """PDQ of an image: 256 bits."""

    name = "pdq"
    aliases = ("hash_pdq",)
    sizes = range(FRAME, FRAME + 1)
    column = True
    least_quality = MIN_QUALITY
    examples = (
        "f" * 63 + "0",
        "9c151c3af838278e3ef57c180c7d031c07aefd12f2ccc1e18f2a1e1c7d0ff163",
    )

    def in_words(self, bank: str, distance: int) -> str:
        return f"Looks the same as an entry of {bank}: {distance} of 256 bits differ."


class VideoFrames(Perceptual):
    """The PDQ hashes of the frames of a video, one after the other."""

    name = "video"
    sizes = range(FRAME, FRAME * MAX_FRAMES + 1, FRAME)
    examples = (
        "f" * 63 + "0" + "0" * 63 + "f",
        "0123456789abcdef" * 4,
    )

    def _length_wrong(self, text: str) -> str:
        return f"a video's hash is the PDQ hashes of 1 to {MAX_FRAMES} frames"

    def in_words(self, bank: str, distance: int) -> str:
        return f"Shows what a video of {bank} shows: {distance} bits apart at best."

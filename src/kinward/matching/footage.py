"""What a video is to matching: its signature, and how its file begins. Pure, without a decoder."""

from typing import Final

import msgspec

FRAME: Final = 32  # bytes of a frame's PDQ hash
MAX_FRAMES: Final = 1024  # in a signature; of a longer video every second one goes

# How files of each format begin, FFmpeg's name of the format, and their type. What else FFmpeg can
# open (play lists, devices, URLs) is out of reach.
_MAGIC: Final[tuple[tuple[int, bytes, str, str], ...]] = (
    (4, b"ftyp", "mp4", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "matroska", "video/webm"),
    (8, b"AVI ", "avi", "video/x-msvideo"),
    (0, b"FLV\x01", "flv", "video/x-flv"),
    (0, b"OggS", "ogg", "video/ogg"),
    (0, b"\x00\x00\x01\xba", "mpeg", "video/mpeg"),
    (0, b"\x30\x26\xb2\x75", "asf", "video/x-ms-wmv"),
)
_STILL_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}


class Video(msgspec.Struct, frozen=True):
    """A video's signature, and what was seen of it.

    `frames`: 32 bytes each. `seconds`: how far it was read. `entire`: whether that was the end.
    """

    frames: list[bytes]
    media_type: str
    width: int
    height: int
    seconds: float
    entire: bool


class Film(msgspec.Struct, frozen=True):
    """A video as it is played to a reviewer: WebM, its length in seconds, and whether it is all."""

    data: bytes
    seconds: float
    entire: bool


def frames_in(signature: bytes) -> list[bytes]:
    """The PDQ hashes of a signature, which has them one after the other. A picture's has one."""
    return [signature[at : at + FRAME] for at in range(0, len(signature), FRAME)]


def video_format(data: bytes) -> tuple[str, str] | None:
    """FFmpeg's name of a video's format, and its media type; nothing where it is no video."""
    if data[4:8] == b"ftyp" and data[8:12] in _STILL_BRANDS:
        return None
    for at, magic, name, media_type in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return name, media_type
    if data[:1] == data[188:189] == data[376:377] == b"\x47":
        return "mpegts", "video/mp2t"
    return None

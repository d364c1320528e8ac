"""Video formats, recognised by their first bytes."""

from typing import Final

from kinward.media.image import STILL_BRANDS

# Offset and bytes of the magic, FFmpeg's name of the format, and the media type. FFmpeg is told one
# of these formats, so it cannot be made to open playlists, devices or URLs.
_MAGIC: Final[tuple[tuple[int, bytes, str, str], ...]] = (
    (4, b"ftyp", "mp4", "video/mp4"),
    (4, b"moov", "mp4", "video/mp4"),  # QuickTime before there was `ftyp`
    (4, b"mdat", "mp4", "video/mp4"),
    (4, b"wide", "mp4", "video/mp4"),
    (4, b"free", "mp4", "video/mp4"),
    (4, b"skip", "mp4", "video/mp4"),
    (4, b"pnot", "mp4", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "matroska", "video/webm"),
    (8, b"AVI ", "avi", "video/x-msvideo"),
    (0, b"FLV\x01", "flv", "video/x-flv"),
    (0, b"OggS", "ogg", "video/ogg"),
    (0, b"\x00\x00\x01\xba", "mpeg", "video/mpeg"),
    (0, b"\x30\x26\xb2\x75", "asf", "video/x-ms-wmv"),
)


def video_format(data: bytes) -> tuple[str, str] | None:
    """Return FFmpeg's name of a video's format and its media type; None if it is not a video."""
    if data[4:8] == b"ftyp" and data[8:12] in STILL_BRANDS:
        return None
    for at, magic, name, media_type in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return name, media_type
    if data[:1] == data[188:189] == data[376:377] == b"\x47":
        return "mpegts", "video/mp2t"
    return None

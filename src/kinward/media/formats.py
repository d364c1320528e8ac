"""Video formats, recognised by their first bytes."""

from typing import Final

# Brands of the ISO container for images. Every other brand is a video.
STILL_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
)
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
    (0, b"\x00\x00\x01\xb3", "mpegvideo", "video/mpeg"),
    (0, b"\x30\x26\xb2\x75", "asf", "video/x-ms-wmv"),
    (0, b".RMF", "rm", "video/vnd.rn-realvideo"),
    (0, b"DKIF", "ivf", "video/x-ivf"),
)
# Boxes with which a QuickTime film may begin instead of a brand.
_BOXES: Final = frozenset(
    (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx", b"uuid")
)
_PACKET: Final = 188  # bytes of MPEG-TS, which may follow four bytes of time


def video_format(data: bytes) -> tuple[str, str] | None:
    """Return FFmpeg's name of a video's format and its media type; None if it is not a video."""
    if data[4:8] == b"ftyp" and data[8:12] in STILL_BRANDS:
        return None
    for at, magic, name, media_type in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return name, media_type
    if data[4:8] in _BOXES and int.from_bytes(data[:4]) <= len(data):
        return "mp4", "video/quicktime"
    for first, step in ((0, _PACKET), (4, _PACKET + 4)):
        if data[first : first + 2 * step + 1 : step] == b"\x47" * 3:
            return "mpegts", "video/mp2t"
    return None

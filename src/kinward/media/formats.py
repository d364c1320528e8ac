"""Formats of pictures and videos, recognised by their first bytes."""

from typing import Final

# Brands of the ISO container for images. Every other brand is a video.
STILL_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
)
_PICTURES: Final = (
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
    (b"\0\0\0\x0cJXL \r\n\x87\n", "image/jxl"),
    (b"\xff\x0a", "image/jxl"),
)
_ENTRIES: Final = 64  # of an icon, that are looked at
_ICONS: Final = (b"\0\0\1\0", b"\0\0\2\0")
# Offset and bytes of the magic, FFmpeg's name of the format, and the media type. FFmpeg is told one
# of these formats, so it cannot be made to open playlists, devices or URLs.
_MAGIC: Final[tuple[tuple[int, bytes, str, str], ...]] = (
    (4, b"ftyp", "mp4", "video/mp4"),
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
# Boxes with which a QuickTime film may begin instead of a brand. Four letters can stand there in a
# text, too, so the length before them must be plausible, even for a film that was cut.
QUICKTIME: Final = frozenset(
    (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp", b"moof", b"sidx", b"uuid")
)
_PLAUSIBLE: Final = 16  # times the bytes that there are
_PACKET: Final = 188  # bytes of MPEG-TS, which may follow four bytes of time


def picture_type(data: bytes) -> str:
    """Return the media type of an image by its first bytes; empty for anything else."""
    for magic, media_type in _PICTURES:
        if data.startswith(magic) and (magic != b"BM" or _is_bitmap(data)):
            return media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp" and data[8:12] in STILL_BRANDS:
        return "image/avif" if data[8:10] == b"av" else "image/heic"
    if data[:4] in _ICONS and data[4] + 256 * data[5] > 0 and len(data) >= 22 and _is_icon(data):
        return "image/x-icon"
    return ""


def _is_bitmap(data: bytes) -> bool:
    """Return whether a header of a bitmap follows the two letters."""
    return is_bitmap_header(int.from_bytes(data[14:18], "little"))


def is_bitmap_header(length: int) -> bool:
    """Return whether browsers take a header of a bitmap of so many bytes."""
    short = 16 <= length <= 64 and (length % 4 == 0 or length in (42, 46))
    return short or length in (12, 108, 124)


def _is_icon(data: bytes) -> bool:
    """Return whether an entry has the usual zero, or names a place where a picture begins."""
    if not data[9]:
        return True
    count = int.from_bytes(data[4:6], "little")
    for entry in range(6, min(6 + 16 * min(count, _ENTRIES), len(data) - 15), 16):
        at = int.from_bytes(data[entry + 12 : entry + 16], "little")
        head = data[at : at + 4]
        if head == b"\x89PNG" or is_bitmap_header(int.from_bytes(head, "little")):
            return True
    return False


def video_format(data: bytes) -> tuple[str, str] | None:
    """Return FFmpeg's name of a video's format and its media type; None if it is not a video."""
    if data[4:8] == b"ftyp" and data[8:12] in STILL_BRANDS:
        return None
    for at, magic, name, media_type in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return name, media_type
    if data[4:8] in QUICKTIME and int.from_bytes(data[:4]) <= _PLAUSIBLE * len(data):
        return "mp4", "video/quicktime"
    for first, step in ((0, _PACKET), (4, _PACKET + 4)):
        if data[first : first + 2 * step + 1 : step] == b"\x47" * 3:
            return "mpegts", "video/mp2t"
    return None

"""What a file claims of its size: pixels and frames, read from its head without decoding.

A claim is for the price of a file, and never trusted: whoever reads the file keeps to a bound that
follows from the price. These readers take bounded time, and say nothing rather than raise.
"""

import struct
from collections.abc import Callable
from typing import Final

import msgspec

from kinward.media.iso import Box, boxes_of

# Seconds for a million pixels of a film's frame, on one core of 2026. Only order depends on it, and
# which films are glanced at first: turns learn what work really takes.
PER_FRAME: Final = 0.005
MAX_STEPS: Final = 4096  # blocks of a file that are looked at
MAX_FRAMES: Final = 1_000_000
RATE: Final = 30  # frames a second, where only a duration is claimed
HEAD: Final = 64 * 1024  # bytes in which a Matroska file has its header
NOT_FRAMES: Final = frozenset(range(0xD0, 0xDA)) | {0x01}  # JPEG markers without a length


class Claim(msgspec.Struct, frozen=True):
    """Pixels of a frame, and frames. Zero: the head does not say."""

    pixels: int = 0
    frames: int = 0


NOTHING: Final = Claim()


def claim_of(data: bytes) -> Claim:
    """Return what the head of a picture or a film claims."""
    for magic, read in _READERS:
        at, letters = magic
        if data[at : at + len(letters)] == letters:
            try:
                claim = read(data)
            except (struct.error, IndexError, ValueError, OverflowError):
                return NOTHING
            return Claim(max(0, claim.pixels), min(max(0, claim.frames), MAX_FRAMES))
    return NOTHING


def _png(data: bytes) -> Claim:
    width, height = struct.unpack_from(">II", data, 16)
    at, frames = 8, 1
    for _ in range(MAX_STEPS):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"acTL":
            frames = struct.unpack_from(">I", data, at + 8)[0]
        if kind in (b"acTL", b"IDAT"):
            break
        at += length + 12
    return Claim(width * height, frames)


def _jpeg(data: bytes) -> Claim:
    at = 2
    for _ in range(MAX_STEPS):
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Claim(width * height, 1)
        at += 2 if marker in NOT_FRAMES else 2 + struct.unpack_from(">H", data, at + 2)[0]
    return NOTHING


def _gif(data: bytes) -> Claim:
    width, height = struct.unpack_from("<HH", data, 6)
    # Each frame has a graphic control block, or at least an image descriptor after a terminator.
    frames = max(data.count(b"\x21\xf9\x04"), data.count(b"\x00\x2c"), 1)
    return Claim(width * height, frames)


def _webp(data: bytes) -> Claim:
    kind = data[12:16]
    if kind == b"VP8X":
        width = 1 + int.from_bytes(data[24:27], "little")
        height = 1 + int.from_bytes(data[27:30], "little")
        return Claim(width * height, max(1, data.count(b"ANMF")))
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return Claim(((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1), 1)
    width, height = struct.unpack_from("<HH", data, 26)
    return Claim((width & 0x3FFF) * (height & 0x3FFF), 1)


def _bitmap(data: bytes) -> Claim:
    width, height = struct.unpack_from("<ii", data, 18)
    return Claim(abs(width * height), 1)


def _iso(data: bytes) -> Claim:
    """Return the claim of a film, or of the pictures of HEIC and AVIF."""
    pixels = frames = steps = 0
    waiting = list(_boxes(data, 0, len(data)))
    while waiting and steps < MAX_STEPS:
        box = waiting.pop()
        steps += 1
        if box.kind in _NESTED:
            skip = 4 if box.kind == b"meta" else 0
            waiting += _boxes(data, box.body + skip, box.end)
        elif box.kind == b"tkhd":
            width, height = struct.unpack_from(">II", data, box.end - 8)
            pixels = max(pixels, (width >> 16) * (height >> 16))
        elif box.kind == b"stsd":
            # The size is also in the entry of each kind of picture, after 24 bytes.
            width, height = struct.unpack_from(">HH", data, box.body + 8 + 32)
            pixels = max(pixels, width * height if data[box.body + 12 : box.body + 16] else 0)
        elif box.kind == b"stsz":
            frames = max(frames, struct.unpack_from(">I", data, box.body + 8)[0])
        elif box.kind == b"trun":
            frames += struct.unpack_from(">I", data, box.body + 4)[0]
        elif box.kind == b"ispe":
            width, height = struct.unpack_from(">II", data, box.body + 4)
            pixels, frames = pixels + width * height, max(1, frames)
    return Claim(pixels, frames)


_NESTED: Final = frozenset(
    (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"meta", b"iprp", b"ipco")
)


def _boxes(data: bytes, start: int, end: int) -> list[Box]:
    found: list[Box] = []
    for box in boxes_of(data, start, end):
        found.append(box)
        if len(found) >= MAX_STEPS or box.end <= box.start:
            break
    return found


def _matroska(data: bytes) -> Claim:
    """Return the size of the largest track, and the duration as frames."""
    head, width, height, seconds, scale, step = data[:HEAD], 0, 0, 0.0, 1_000_000, 0
    at = 0
    for _ in range(MAX_STEPS):
        if at >= len(head):
            break
        kind, at = _number(head, at, marked=True)
        size, at = _number(head, at, marked=False)
        if kind in _OPENED:
            continue
        value = head[at : at + min(size, 8)]
        if kind == 0xB0:
            width = max(width, int.from_bytes(value))
        elif kind == 0xBA:
            height = max(height, int.from_bytes(value))
        elif kind == 0x2AD7B1:
            scale = int.from_bytes(value)
        elif kind == 0x4489:
            seconds = struct.unpack(">f" if size == 4 else ">d", value)[0]
        elif kind == 0x23E383:
            step = max(step, int.from_bytes(value))
        at += size
    length = seconds * scale / 1e9
    rate = min(1e9 / step, 1000.0) if step else RATE
    return Claim(width * height, round(length * rate))


# Elements whose content is read: the segment, its information, its tracks and their pictures.
_OPENED: Final = frozenset((0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0))


def _number(data: bytes, at: int, *, marked: bool) -> tuple[int, int]:
    """Return a number of variable length, with or without its marker, and where it ends."""
    first = data[at]
    if not first:
        raise ValueError("no number")
    length = 9 - first.bit_length()
    number = int.from_bytes(data[at : at + length])
    return (number if marked else number & ((1 << 7 * length) - 1)), at + length


def _avi(data: bytes) -> Claim:
    frames = struct.unpack_from("<I", data, 48)[0]
    width, height = struct.unpack_from("<II", data, 64)
    return Claim(width * height, frames)


def _jxl(data: bytes) -> Claim:
    """Return the size that a codestream begins with, in bits from the lowest, in boxes or not."""
    for box in _boxes(data, 0, len(data)) if data[0] == 0 else ():
        if box.kind in (b"jxlc", b"jxlp"):
            data = data[box.body + 4 * (box.kind == b"jxlp") :]
            break
    bits, at = int.from_bytes(data[2:14], "little"), 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return bits >> (at - count) & ((1 << count) - 1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take(_SIDES[take(2)]) + 1

    small = take(1)
    height = side()
    ratio = take(3)
    width = height * _RATIOS[ratio] // 60 if ratio else side()
    return Claim(width * height if data.startswith(b"\xff\x0a") else 0, 1)


# How long a side of a JPEG XL may be written, and its usual widths, in sixtieths of the height.
_SIDES: Final = (9, 13, 18, 30)
_RATIOS: Final = (0, 60, 72, 80, 90, 106, 75, 120)
_READERS: Final[tuple[tuple[tuple[int, bytes], Callable[[bytes], Claim]], ...]] = (
    ((0, b"\x89PNG"), _png),
    ((0, b"\xff\xd8\xff"), _jpeg),
    ((0, b"GIF8"), _gif),
    ((8, b"WEBP"), _webp),
    ((0, b"BM"), _bitmap),
    ((0, b"\xff\x0a"), _jxl),
    ((4, b"JXL "), _jxl),
    ((8, b"AVI "), _avi),
    ((0, b"\x1a\x45\xdf\xa3"), _matroska),
    *(
        ((4, kind), _iso)
        for kind in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof")
    ),
)

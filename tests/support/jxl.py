"""JPEG XL files, written by the encoder of libjxl and changed by hand where it cannot."""

import ctypes
import struct
from collections.abc import Sequence
from ctypes import byref, c_float, c_int, c_size_t, c_void_p
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from kinward.media.stills.libjxl import ALPHA, LIBRARY, UINT8, Extra, Format, Header, Info

Pixels = npt.NDArray[np.uint8]
SIGNATURE: Final = b"\0\0\0\x0cJXL \r\n\x87\n"
BRAND: Final = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
MORE_OUTPUT: Final = 2
ROOM: Final = 1 << 20
COLOUR_ENCODING: Final = 256  # bytes: more than JxlColorEncoding has


@dataclass
class Frame:
    """A frame: `at` its place, and `seconds` in tenths for an animation. `blend`: over the last."""

    image: Image.Image
    tenths: int = 0
    at: tuple[int, int] | None = None
    blend: bool = False


@dataclass
class Options:
    """How a file is written. `extras`: the types of channels beside colours and alpha."""

    orientation: int = 1
    profile: bytes = b""
    container: bool = False
    premultiplied: bool = False
    lossless: bool = False
    animated: bool = False
    layered: bool = False
    canvas: tuple[int, int] | None = None
    extras: Sequence[int] = field(default_factory=tuple)


def encode(*frames: Frame | Image.Image, **options: Any) -> bytes:
    """Return a JPEG XL of these frames; `options` as in `Options`."""
    chosen = Options(**options)
    drawn = [one if isinstance(one, Frame) else Frame(one) for one in frames]
    encoder = c_void_p(_call("Create", None, result=c_void_p))
    try:
        _describe(encoder, drawn, chosen)
        settings = c_void_p(_call("FrameSettingsCreate", encoder, None, result=c_void_p))
        _ask("SetFrameLossless", settings, c_int(chosen.lossless))
        if not chosen.lossless:
            _ask("SetFrameDistance", settings, c_float(0.5))
        for frame in drawn:
            _add(settings, frame, chosen)
        _call("CloseInput", encoder, result=None)
        return _output(encoder)
    finally:
        _call("Destroy", encoder, result=None)


def of_jpeg(data: bytes) -> bytes:
    """Return a JPEG XL from which this JPEG can be made again."""
    encoder = c_void_p(_call("Create", None, result=c_void_p))
    try:
        _ask("UseContainer", encoder, c_int(1))
        _ask("StoreJPEGMetadata", encoder, c_int(1))
        settings = c_void_p(_call("FrameSettingsCreate", encoder, None, result=c_void_p))
        _ask("AddJPEGFrame", settings, data, c_size_t(len(data)))
        _call("CloseInput", encoder, result=None)
        return _output(encoder)
    finally:
        _call("Destroy", encoder, result=None)


def with_preview(picture: Image.Image, preview: Image.Image) -> bytes:
    """Return a file whose preview is another picture. No encoder writes one.

    Both are written in the usual way, of which all metadata is one bit: all are defaults. Their
    frames begin at the next byte.
    """
    whole, small = encode(picture), encode(preview)
    bits = _Bits()
    head = _Reader(whole[2:])
    _size(head, bits)
    assert head.take(1) == 1  # all defaults
    rest = head.take(1)  # how colours are turned into each other: the default
    assert rest == 1
    bits.put(0, 1)  # not all defaults
    bits.put(0b1_000_0_1, 6, high_first=True)  # further fields: turn, no size, a preview
    bits.put(0, 1)  # its sides are no multiples of 8
    for side in (preview.height, preview.width):
        bits.put(1, 2)
        bits.put(side - 65, 8)
        if side is preview.height:
            bits.put(0, 3)  # no usual ratio
    bits.put(0, 1)  # no animation
    bits.put(0, 1)  # whole numbers
    bits.put(0, 2)  # of 8 bits
    bits.put(1, 1)  # in buffers of 16
    bits.put(0, 2)  # no further channel
    bits.put(1, 1)  # XYB
    bits.put(1, 1)  # sRGB
    bits.put(1, 1)  # the usual tones
    bits.put(0, 2)  # no extension
    bits.put(1, 1)
    return b"\xff\x0a" + bits.bytes() + _frames(small) + whole[2 + head.bytes_read() :]


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def in_boxes(stream: bytes, *, parts: int = 1, before: bytes = b"") -> bytes:
    """Return a codestream in a container, whole or in numbered parts."""
    if parts == 1:
        return SIGNATURE + BRAND + before + box(b"jxlc", stream)
    step = -(-len(stream) // parts)
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
    numbered = (
        box(b"jxlp", struct.pack(">I", number | (1 << 31) * (number == len(pieces) - 1)) + piece)
        for number, piece in enumerate(pieces)
    )
    return SIGNATURE + BRAND + before + b"".join(numbered)


def _frames(stream: bytes) -> bytes:
    head = _Reader(stream[2:])
    _size(head, _Bits())
    assert head.take(2) == 0b11
    return stream[2 + head.bytes_read() :]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._number, self._at = int.from_bytes(data[:64], "little"), 0

    def take(self, count: int) -> int:
        value = self._number >> self._at & ((1 << count) - 1)
        self._at += count
        return value

    def bytes_read(self) -> int:
        return -(-self._at // 8)


class _Bits:
    def __init__(self) -> None:
        self._number, self._count = 0, 0

    def put(self, value: int, count: int, *, high_first: bool = False) -> None:
        if high_first:
            value = int(f"{value:0{count}b}"[::-1], 2)
        self._number |= value << self._count
        self._count += count

    def bytes(self) -> bytes:
        return self._number.to_bytes(-(-self._count // 8), "little")


def _size(head: _Reader, bits: _Bits) -> None:
    """Copy the size of a picture, from the head of one file to that of another."""
    lengths = {0: 9, 1: 13, 2: 18, 3: 30}

    def copy(count: int) -> int:
        bits.put(value := head.take(count), count)
        return value

    def side(small: int) -> None:
        copy(5 if small else lengths[copy(2)])

    small = copy(1)
    side(small)
    if copy(3) == 0:
        side(small)


def _describe(encoder: c_void_p, frames: Sequence[Frame], chosen: Options) -> None:
    first = frames[0].image
    info = Info()
    _call("InitBasicInfo", byref(info), result=None)
    info.width, info.height = chosen.canvas or first.size
    info.bits, info.orientation = 8, chosen.orientation
    info.colours = len(first.mode.rstrip("A"))
    alpha = first.mode.endswith("A")
    info.alpha_bits, info.extra_channels = 8 * alpha, alpha + len(chosen.extras)
    info.premultiplied = chosen.premultiplied
    info.uses_original_profile = chosen.lossless
    if chosen.animated:
        info.have_animation, info.ticks, info.ticks_under = 1, 10, 1
    _ask("UseContainer", encoder, c_int(chosen.container))
    _ask("SetBasicInfo", encoder, byref(info))
    kinds = [*([ALPHA] if alpha else []), *chosen.extras]
    for number, kind in enumerate(kinds):
        extra = Extra()
        _call("InitExtraChannelInfo", c_int(kind), byref(extra), result=None)
        extra.premultiplied = chosen.premultiplied and kind == ALPHA
        _ask("SetExtraChannelInfo", encoder, c_size_t(number), byref(extra))
    if chosen.profile:
        _ask("SetICCProfile", encoder, chosen.profile, c_size_t(len(chosen.profile)))
        return
    encoding = ctypes.create_string_buffer(COLOUR_ENCODING)
    LIBRARY.JxlColorEncodingSetToSRGB(encoding, c_int(info.colours == 1))
    _ask("SetColorEncoding", encoder, encoding)


def _add(settings: c_void_p, frame: Frame, chosen: Options) -> None:
    if chosen.animated or chosen.layered:
        header = Header()
        _call("InitFrameHeader", byref(header), result=None)
        header.duration = frame.tenths
        if frame.at is not None:
            header.have_crop, (header.left, header.top) = 1, frame.at
            header.width, header.height = frame.image.size
        header.blend, header.blend_source, header.save_as = 2 * frame.blend, 1, 1
        _ask("SetFrameHeader", settings, byref(header))
    pixels = np.ascontiguousarray(np.asarray(frame.image, dtype=np.uint8))
    form = Format(len(frame.image.mode), UINT8, 0, 0)
    plane = np.zeros(frame.image.size[::-1], dtype=np.uint8)
    _ask("AddImageFrame", settings, byref(form), c_void_p(pixels.ctypes.data), _length(pixels))
    alpha = frame.image.mode.endswith("A")
    for number in range(alpha, alpha + len(chosen.extras)):
        one = Format(1, UINT8, 0, 0)
        place = c_void_p(plane.ctypes.data)
        _ask(
            "SetExtraChannelBuffer",
            settings, byref(one), place, _length(plane), ctypes.c_uint32(number),
        )  # fmt: skip


def _length(pixels: Pixels) -> c_size_t:
    return c_size_t(pixels.nbytes)


def _output(encoder: c_void_p) -> bytes:
    whole = b""
    while True:
        buffer = ctypes.create_string_buffer(ROOM)
        place, left = c_void_p(ctypes.addressof(buffer)), c_size_t(ROOM)
        status = _call("ProcessOutput", encoder, byref(place), byref(left))
        whole += buffer.raw[: ROOM - left.value]
        if status != MORE_OUTPUT:
            assert status == 0, LIBRARY.JxlEncoderGetError(encoder)
            return whole


def _call(name: str, *arguments: Any, result: Any = c_int) -> Any:
    function = LIBRARY[f"JxlEncoder{name}"]
    function.restype = result
    return function(*arguments)


def _ask(name: str, *arguments: Any) -> None:
    assert _call(name, *arguments) == 0, name

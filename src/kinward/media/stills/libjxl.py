"""JPEG XL, decoded by libjxl: the library that is in the wheel of imagecodecs, by its C interface.

The decoder of imagecodecs itself says nothing of profiles, orientation, previews and damage, and
asks for all memory at once. Numbers and structs are those of libjxl's `decode.h` and
`codestream_header.h`, version 0.11.
"""

import ctypes
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_size_t, c_uint8, c_uint32, c_void_p
from enum import IntEnum
from typing import Any, Final, Self

import numpy as np
from imagecodecs import _jpegxl

from kinward.media.stills.reading import Pixels

VERSION: Final = 11  # of libjxl 0.11: another may have other structs
UINT8: Final = 2
DATA: Final = 1  # the profile of the pixels that are given
ALPHA: Final = 0
# Channels that no viewer shows: depth, selection, heat, and what is said to be optional.
UNSEEN: Final = frozenset((1, 3, 6, 16))


class Event(IntEnum):
    """What a decoder says. Those from `INFO` on are told to whom subscribed to them."""

    SUCCESS = 0
    ERROR = 1
    MORE_INPUT = 2
    PREVIEW_BUFFER = 3
    IMAGE_BUFFER = 5
    JPEG_OUTPUT = 6
    INFO = 0x40
    COLOURS = 0x100
    PREVIEW = 0x200
    FRAME = 0x400
    IMAGE = 0x1000
    JPEG = 0x2000


class Info(ctypes.Structure):
    """JxlBasicInfo, with the headers of the preview and of the animation in it."""

    _fields_ = (
        ("have_container", c_int),
        ("width", c_uint32),
        ("height", c_uint32),
        ("bits", c_uint32),
        ("exponent_bits", c_uint32),
        ("intensity_target", c_float),
        ("min_nits", c_float),
        ("relative_to_max_display", c_int),
        ("linear_below", c_float),
        ("uses_original_profile", c_int),
        ("have_preview", c_int),
        ("have_animation", c_int),
        ("orientation", c_int),
        ("colours", c_uint32),
        ("extra_channels", c_uint32),
        ("alpha_bits", c_uint32),
        ("alpha_exponent_bits", c_uint32),
        ("premultiplied", c_int),
        ("preview_width", c_uint32),
        ("preview_height", c_uint32),
        ("ticks", c_uint32),  # in a second, over the next
        ("ticks_under", c_uint32),
        ("loops", c_uint32),
        ("have_timecodes", c_int),
        ("intrinsic_width", c_uint32),
        ("intrinsic_height", c_uint32),
        ("padding", c_uint8 * 100),
    )


class Header(ctypes.Structure):
    """JxlFrameHeader, with the place of the frame and how it is blended in it."""

    _fields_ = (
        ("duration", c_uint32),
        ("timecode", c_uint32),
        ("name_length", c_uint32),
        ("is_last", c_int),
        ("have_crop", c_int),
        ("left", ctypes.c_int32),
        ("top", ctypes.c_int32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("blend", c_int),
        ("blend_source", c_uint32),
        ("blend_alpha", c_uint32),
        ("blend_clamp", c_int),
        ("save_as", c_uint32),
    )


class Extra(ctypes.Structure):
    """JxlExtraChannelInfo."""

    _fields_ = (
        ("type", c_int),
        ("bits", c_uint32),
        ("exponent_bits", c_uint32),
        ("dim_shift", c_uint32),
        ("name_length", c_uint32),
        ("premultiplied", c_int),
        ("spot", c_float * 4),
        ("cfa", c_uint32),
    )


class Format(ctypes.Structure):
    """JxlPixelFormat."""

    _fields_ = (
        ("channels", c_uint32),
        ("type", c_int),
        ("endianness", c_int),
        ("align", c_size_t),
    )


# The extension was linked with libjxl, so its functions are found through it.
LIBRARY: Final = ctypes.CDLL(_jpegxl.__file__)
_POINTERS: Final = {
    "Create": (c_void_p,),
    "SubscribeEvents": (c_void_p, c_int),
    "SetKeepOrientation": (c_void_p, c_int),
    "SetInput": (c_void_p, c_char_p, c_size_t),
    "ProcessInput": (c_void_p,),
    "GetBasicInfo": (c_void_p, POINTER(Info)),
    "GetFrameHeader": (c_void_p, POINTER(Header)),
    "GetExtraChannelInfo": (c_void_p, c_size_t, POINTER(Extra)),
    "GetICCProfileSize": (c_void_p, c_int, POINTER(c_size_t)),
    "GetColorAsICCProfile": (c_void_p, c_int, c_char_p, c_size_t),
    "SetPreviewOutBuffer": (c_void_p, POINTER(Format), c_void_p, c_size_t),
    "SetImageOutBuffer": (c_void_p, POINTER(Format), c_void_p, c_size_t),
    "FlushImage": (c_void_p,),
    "SkipFrames": (c_void_p, c_size_t),
    "SetJPEGBuffer": (c_void_p, c_void_p, c_size_t),
    "ReleaseJPEGBuffer": (c_void_p,),
    "Destroy": (c_void_p,),
}


def _call(name: str, *arguments: Any) -> Any:
    function = LIBRARY[f"JxlDecoder{name}"]
    function.argtypes = _POINTERS[name]
    function.restype = {
        "Create": c_void_p,
        "ReleaseJPEGBuffer": c_size_t,
        "Destroy": None,
    }.get(name, c_int)
    return function(*arguments)


class Decoder:
    """One decoding of a file by libjxl, on the thread that asks. Close it by leaving its block.

    `events`: those subscribed to. Pixels are as stored: not turned, and multiplied by alpha if the
    file says so. Methods raise `ValueError` if libjxl refuses.
    """

    def __init__(self, data: bytes, *events: Event) -> None:
        if LIBRARY.JxlDecoderVersion() // 1000 != VERSION:
            raise ValueError("another libjxl")
        self._data = data  # libjxl keeps a pointer
        self._buffer: Any = None
        self._decoder = _call("Create", None)
        if not self._decoder:
            raise MemoryError
        self._do("SubscribeEvents", sum(events))
        self._do("SetKeepOrientation", 1)
        self._do("SetInput", data, len(data))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _call("Destroy", self._decoder)
        self._decoder = None

    def next(self) -> Event | None:
        """Decode on, and return what is next; None for what this module does not know."""
        number = _call("ProcessInput", self._decoder)
        return Event(number) if number in Event.__members__.values() else None

    def info(self) -> Info:
        info = Info()
        self._do("GetBasicInfo", byref(info))
        return info

    def header(self) -> Header:
        """Return the header of the frame that follows."""
        header = Header()
        self._do("GetFrameHeader", byref(header))
        return header

    def extras(self, info: Info) -> list[int]:
        """Return the types of the channels that are no colours, of at most 64."""
        types = []
        for number in range(min(info.extra_channels, 64)):
            extra = Extra()
            self._do("GetExtraChannelInfo", number, byref(extra))
            types.append(int(extra.type))
        return types

    def profile(self, most: int) -> bytes | None:
        """Return the ICC profile of the pixels; None if it is longer than `most` bytes."""
        size = c_size_t()
        self._do("GetICCProfileSize", DATA, byref(size))
        if size.value > most:
            return None
        profile = ctypes.create_string_buffer(size.value)
        self._do("GetColorAsICCProfile", DATA, profile, size.value)
        return profile.raw

    def receive(self, name: str, width: int, height: int, channels: int) -> Pixels:
        """Return a buffer, uint8[H, W, C], that is filled next. `name`: `Preview` or `Image`."""
        pixels: Pixels = np.zeros((height, width, channels), dtype=np.uint8)
        form = Format(channels, UINT8, 0, 0)
        self._do(f"Set{name}OutBuffer", byref(form), pixels.ctypes.data, pixels.nbytes)
        self._buffer = pixels
        return pixels

    def flush(self) -> bool:
        """Fill the buffer with what was decoded so far. Returns whether there was something."""
        return bool(_call("FlushImage", self._decoder) == Event.SUCCESS)

    def skip(self, frames: int) -> None:
        """Leave out the next frames."""
        if frames:
            _call("SkipFrames", self._decoder, frames)

    def jpeg(self, most: int) -> bytes | None:
        """Return the JPEG that the file was made of; None if it is longer than `most` bytes.

        To be called at the event of that name.
        """
        done, buffer = 0, bytearray(1 << 16)
        while True:
            room = (c_uint8 * (len(buffer) - done)).from_buffer(buffer, done)
            self._do("SetJPEGBuffer", ctypes.addressof(room), len(room))
            event = self.next()
            done = len(buffer) - _call("ReleaseJPEGBuffer", self._decoder)
            del room
            if event is not Event.JPEG_OUTPUT:
                return bytes(buffer[:done]) if event is Event.IMAGE else None
            if len(buffer) >= most:
                return None
            buffer += bytes(min(len(buffer), most - len(buffer)))

    def _do(self, name: str, *arguments: Any) -> None:
        if _call(name, self._decoder, *arguments) != Event.SUCCESS:
            raise ValueError(f"libjxl refuses {name}")

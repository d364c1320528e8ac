"""JPEG XL: its frames as browsers show them, its preview, and the JPEG that it was made of."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from PIL import Image

from kinward.media.errors import Undecodable
from kinward.media.orientation import TURNS, Turn
from kinward.media.stills.colour import Shown, as_shown
from kinward.media.stills.libjxl import ALPHA, UNSEEN, Decoder, Event, Header, Info
from kinward.media.stills.reading import Picture, Pixels, Reading

MOST_PROFILE: Final = 4 * 1024 * 1024  # bytes
MOST_JPEG: Final = 64 * 1024 * 1024
EVENTS: Final = (Event.INFO, Event.COLOURS, Event.PREVIEW, Event.FRAME, Event.IMAGE)
BAND: Final = 256  # rows changed together
MODES: Final = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}

Read = Callable[[bytes, Reading], Iterator[Picture]]


def read_jxl(data: bytes, reading: Reading, read_jpeg: Read) -> Iterator[Picture]:
    """Yield the frames of a JPEG XL, then its preview, then the pictures of its JPEG.

    `read_jpeg`: reads the JPEG of which it was made.
    """
    frames = _Frames(data, reading)
    yield from frames.read()
    if not frames.any:
        raise reading.fault or Undecodable("It has no picture.")
    strand = 1
    if frames.preview is not None:
        yield frames.picture(frames.preview, strand, 0)._replace(aside=True)
        strand += 1
    count = reading.frames
    if b"jbrd" in data and (jpeg := reading.try_to(lambda: _jpeg_of(data, reading))):
        for page in reading.try_to(lambda: list(read_jpeg(jpeg, reading))) or ():
            yield page._replace(strand=strand + page.strand, aside=True)
    reading.frames = count


class _Frames:
    """One pass over a file. `preview`: its pixels, uint8[H, W, C], once the frames were read."""

    def __init__(self, data: bytes, reading: Reading) -> None:
        self._data, self._reading = data, reading
        self._info, self._header, self._alpha = Info(), Header(), False
        self._pixels: Pixels | None = None  # of the frame that is being decoded
        self._profiles: tuple[bytes, ...] = ()
        self._turn: Turn | None = None
        self.any = False
        self.preview: Pixels | None = None

    def read(self) -> Iterator[Picture]:
        """Yield the frames, each composed over those before it."""
        only = self._reading.only
        moment = only[1] if only is not None and only[0] == 0 else 0
        with Decoder(self._data, *EVENTS) as decoder:
            while (event := decoder.next()) is not Event.SUCCESS:
                if event is Event.INFO:
                    self._describe(decoder)
                    decoder.skip(moment)
                elif event is Event.IMAGE and self._pixels is not None:
                    yield self._frame(self._pixels, moment)
                    moment, self._pixels = moment + 1, None
                    if self._reading.overdue():
                        self._reading.entire &= bool(self._header.is_last)
                        return
                elif not self._receives(decoder, event):
                    if self._pixels is not None and decoder.flush():
                        yield self._frame(self._pixels, moment)
                    return

    def _receives(self, decoder: Decoder, event: Event | None) -> bool:
        """Prepare for what comes next. Returns whether to go on: not if the file ends here."""
        match event:
            case Event.COLOURS:
                self._colour(decoder)
            case Event.PREVIEW_BUFFER:
                size = self._info.preview_width, self._info.preview_height
                self._reading.admit(*size)
                self.preview = decoder.receive("Preview", *size, self._channels)
            case Event.FRAME:
                self._header = decoder.header()
            case Event.IMAGE_BUFFER:
                size = self._info.width, self._info.height
                self._pixels = decoder.receive("Image", *size, self._channels)
            case Event.PREVIEW:
                pass
            case _:  # what follows the last frame is no part of it
                self._reading.entire &= bool(self._header.is_last) and self._pixels is None
                return False
        return True

    @property
    def _channels(self) -> int:
        return int(self._info.colours) + self._alpha

    def _describe(self, decoder: Decoder) -> None:
        info = self._info = decoder.info()
        self._reading.admit(info.width, info.height)
        extras = decoder.extras(info)
        self._alpha = ALPHA in extras
        seen = [kind for kind in extras if kind not in UNSEEN]
        # Inks, and a second alpha, are shown by some viewers and not by others.
        self._reading.unread |= seen not in ([], [ALPHA]) or info.extra_channels > len(extras)
        self._turn = TURNS.get(info.orientation)

    def _colour(self, decoder: Decoder) -> None:
        profile = decoder.profile(MOST_PROFILE)
        self._reading.unread |= profile is None
        self._profiles = (profile,) if profile else ()

    def _frame(self, pixels: Pixels, moment: int) -> Picture:
        self.any = True
        self._reading.frames += 1
        seconds = self._header.duration * self._info.ticks_under / (self._info.ticks or 1)
        return self.picture(pixels, 0, moment)._replace(seconds=seconds)

    def picture(self, pixels: Pixels, strand: int, moment: int) -> Picture:
        """Return pixels, uint8[H, W, C], as viewers show them."""
        stored = self._shown(pixels)
        if not (self._alpha and self._info.premultiplied):
            return Picture(strand, moment, stored.image, self._turn, stored.others)
        shown = self._shown(_divided(pixels))
        others = (*shown.others, lambda: stored.image, *stored.others)
        return Picture(strand, moment, shown.image, self._turn, others)

    def _shown(self, pixels: Pixels) -> Shown:
        mode = MODES[self._channels]
        image = Image.fromarray(pixels[..., 0] if mode == "L" else pixels)
        shown = as_shown(image, self._profiles, self._data)
        self._reading.unread |= shown.unread
        return shown


def _divided(pixels: Pixels) -> Pixels:
    """Return pixels whose colours are no longer multiplied by the last channel, alpha."""
    divided = pixels.copy()
    alpha = np.maximum(pixels[..., -1:], 1).astype(np.uint16)
    for top in range(0, len(pixels), BAND):
        band = slice(top, top + BAND)
        colours = pixels[band, :, :-1].astype(np.uint16) * 255 // alpha[band]
        divided[band, :, :-1] = colours.clip(0, 255).astype(np.uint8)
    return divided


def _jpeg_of(data: bytes, reading: Reading) -> bytes | None:
    """Return the JPEG of which a file was made, if it was made of one."""
    with Decoder(data, Event.JPEG, Event.IMAGE) as decoder:
        event = decoder.next()
        if event is not Event.JPEG:
            return None
        jpeg = decoder.jpeg(MOST_JPEG)
    reading.entire &= jpeg is not None
    return jpeg

"""Containers that say something else than what they hold: sizes, crops, order, thumbnails."""

import io
import struct
from collections.abc import Iterator
from functools import partial
from typing import Final

import av
from av.bitstream import BitStreamFilterContext
from PIL import Image

from kinward.media.stills.boxes import with_brand
from tests.support.corpus.containers import png_chunk, png_chunks, riff, riff_chunk
from tests.support.corpus.entry import Desk, Element, Entry, encode, make_entry
from tests.support.corpus.filming import find_boxes, short_film
from tests.support.corpus.items import Item, coded, heif, properties

KIND: Final = "disagreeing"
SMALL: Final = (160, 120)

_entry = partial(make_entry, KIND)


def entries(desk: Desk) -> Iterator[Entry]:
    yield from _interrupted(desk)
    yield from _frames_of_webp(desk)
    yield from _canvas_of_webp(desk)
    yield from _thumbnails(desk)
    yield from _cropped_films(desk)


def _interrupted(desk: Desk) -> Iterator[Entry]:
    """A PNG whose data is in two runs: libpng stops, others go on."""
    for kind, body in ((b"tEXt", b"a\0b"), (b"abCd", b"x"), (b"tIME", bytes(7))):
        name = f"{kind.decode().lower()}-between.png"
        image = desk.picture(name)
        out = b"\x89PNG\r\n\x1a\n"
        for own, data in png_chunks(encode(image, "PNG")):
            half = len(data) // 2 if own == b"IDAT" else 0
            if half:
                out += png_chunk(own, data[:half]) + png_chunk(kind, body)
            out += png_chunk(own, data[half:])
        yield _entry(name, f"{kind.decode()} between two IDAT", out)


def _webp(size: tuple[int, int], flags: int, *chunks: tuple[bytes, bytes]) -> bytes:
    head = struct.pack("<I", flags) + b"".join(struct.pack("<I", side - 1)[:3] for side in size)
    body = riff_chunk(b"VP8X", head) + b"".join(riff_chunk(*chunk) for chunk in chunks)
    return riff(b"WEBP", body)


def _frame_of_webp(image: Image.Image, said: tuple[int, int]) -> tuple[bytes, bytes]:
    sides = b"".join(struct.pack("<I", side - 1)[:3] for side in said)
    info = bytes(6) + sides + struct.pack("<I", 500)[:3] + b"\x02"
    return b"ANMF", info + encode(image, "WEBP")[12:]


def _frames_of_webp(desk: Desk) -> Iterator[Entry]:
    for label, said in (("smaller", (240, 180)), ("larger", (320, 260))):
        name = f"frame-said-{label}.webp"
        first, second = desk.picture(f"{name}-first"), desk.picture(name)
        loop = (b"ANIM", bytes(6))
        frames = [_frame_of_webp(first, first.size), _frame_of_webp(second, said)]
        data = _webp((320, 260), 2, loop, *frames)
        yield Entry(name, KIND, f"a frame said to be {label}", data, (), moments=(0.2, 0.7))


def _canvas_of_webp(desk: Desk) -> Iterator[Entry]:
    for label, said in (("smaller", SMALL), ("larger", (400, 300)), ("turned", (240, 320))):
        name = f"canvas-{label}.webp"
        image = desk.picture(name)
        chunk = encode(image, "WEBP")[12:]
        data = _webp(said, 0, (chunk[:4], chunk[8:]))
        yield _entry(name, f"a canvas said to be {label}", data)


def _heic(image: Image.Image) -> tuple[bytes, bytes]:
    """Return a picture in HEVC, and the box that says how it is coded."""
    data = encode(image, "HEIF", quality=90)
    ((start, end),) = find_boxes(data, "mdat")
    at = data.index(b"hvcC") - 4
    (length,) = struct.unpack_from(">I", data, at)
    return data[start + 8 : end], data[at : at + length]


def _thumbnails(desk: Desk) -> Iterator[Entry]:
    for ending, kind, code in (("avif", b"av01", coded), ("heic", b"hvc1", _heic)):
        name = f"thumbnail.{ending}"
        image, small = desk.picture(f"{name}-cover"), desk.picture(name, SMALL)
        items = []
        for number, picture in enumerate((image, small), 1):
            body, configuration = code(picture)
            items.append(Item(number, kind, body, properties(picture.size, configuration)))
        data = heif(items, [(b"thmb", 2, (1,))])
        data = with_brand(data, b"heic") if ending == "heic" else data
        element: Element = "img" if ending == "avif" else ""
        yield Entry(name, KIND, "a thumbnail of another picture", data, (image, small), element)


def _cropped_films(desk: Desk) -> Iterator[Entry]:
    """A film whose stream shows a part of its frames, in a container that names the whole."""
    for codec, filter_ in (("libx264", "h264_metadata"), ("libx265", "hevc_metadata")):
        for side in ("right", "bottom"):
            name = f"{side}-cut-by-{filter_[:4]}.mp4"
            image = desk.picture(name)
            width, height = image.size
            count = width // 2 if side == "right" else height // 2
            data = with_filter(short_film(image, codec=codec), f"{filter_}=crop_{side}={count}")
            ends = (width - count, height) if side == "right" else (width, height - count)
            shown = image.crop((0, 0, *ends))
            element: Element = "video" if codec == "libx264" else ""
            yield Entry(name, KIND, "frames cropped by the stream", data, (shown,), element, ())


def with_filter(data: bytes, filter_: str) -> bytes:
    """Return an MP4 whose stream went through a filter, with the sizes that it had."""
    out = io.BytesIO()
    with av.open(io.BytesIO(data), "r") as source, av.open(out, "w", format="mp4") as target:
        given = source.streams.video[0]
        stream = target.add_stream_from_template(given)
        context = BitStreamFilterContext(filter_, given, stream)
        for packet in source.demux(given):
            if packet.dts is None:
                continue
            for changed in context.filter(packet):
                changed.stream = stream
                target.mux(changed)
        for changed in context.filter(None):
            changed.stream = stream
            target.mux(changed)
    return out.getvalue()

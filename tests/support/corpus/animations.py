"""Animations whose first frame is not what a person sees."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from PIL import Image

from tests.support.corpus.containers import Frame, apng, gif, webp
from tests.support.corpus.entry import SIZE, Desk, Entry, encode
from tests.support.corpus.filming import forget_times

KIND: Final = "animation"
WRITERS: Final[dict[str, Callable[[Sequence[Frame], tuple[int, int]], bytes]]] = {
    "gif": gif,
    "png": apng,
    "webp": webp,
}
LONG: Final = 60_000  # milliseconds: a frame that stays


def quarters(image: Image.Image) -> list[tuple[Image.Image, tuple[int, int]]]:
    """Cut a picture into four parts, with their places."""
    width, height = image.size[0] // 2, image.size[1] // 2
    places = [(0, 0), (width, 0), (0, height), (width, height)]
    return [(image.crop((x, y, x + width, y + height)), (x, y)) for x, y in places]


def entries(desk: Desk) -> Iterator[Entry]:
    for ending, write in WRITERS.items():
        yield from _by_time(desk, ending, write)
        yield from _by_parts(desk, ending, write)
        yield from _by_disposal(desk, ending, write)
    yield from _apng(desk)
    yield from _gif(desk)
    yield from _pillow(desk)


def _entry(name: str, disguise: str, data: bytes, *truth: Image.Image, at: float = 0.6) -> Entry:
    return Entry(name, KIND, disguise, data, truth, moments=(at,))


def _by_time(
    desk: Desk, ending: str, write: Callable[[Sequence[Frame], tuple[int, int]], bytes]
) -> Iterator[Entry]:
    cover, known = desk.few(f"cover.{ending}"), desk.few(f"second.{ending}")
    frames = [Frame(cover, 40), Frame(known, LONG)]
    yield _entry(
        f"second-frame.{ending}", "the second frame stays", write(frames, SIZE), cover, known
    )
    for colour in ("white", "black"):
        known = desk.few(f"{colour}.{ending}")
        frames = [Frame(Image.new("RGB", SIZE, colour), 20), Frame(known, LONG)]
        data = write(frames, SIZE)
        yield _entry(f"{colour}-first.{ending}", f"a first frame of plain {colour}", data, known)
    known = desk.few(f"clear.{ending}")
    frames = [Frame(Image.new("RGBA", SIZE, (0, 0, 0, 0)), 20), Frame(known, LONG)]
    yield _entry(
        f"transparent-first.{ending}", "a transparent first frame", write(frames, SIZE), known
    )
    known = desk.few(f"twelfth.{ending}")
    covers = [desk.few(f"cover-{number}.{ending}") for number in range(11)]
    frames = [Frame(cover, 20) for cover in covers] + [Frame(known, LONG)]
    data = write(frames, SIZE)
    yield _entry(f"last-of-twelve.{ending}", "the last of twelve frames", data, known, *covers)
    size = (160, 120)
    known = desk.few(f"three-hundred.{ending}", size)
    covers = [desk.few(f"many-{number}.{ending}", size) for number in range(4)]
    frames = [Frame(cover, 20) for cover in covers * 75]
    frames[41] = Frame(known, LONG)
    data = write(frames, size)
    name = f"one-of-three-hundred.{ending}"
    yield _entry(name, "one of 300 frames, shown longest", data, known, *covers, at=1.6)


def _by_parts(
    desk: Desk, ending: str, write: Callable[[Sequence[Frame], tuple[int, int]], bytes]
) -> Iterator[Entry]:
    known = desk.few(f"quarters.{ending}")
    frames = [Frame(part, 30, place) for part, place in quarters(known)]
    frames[-1] = Frame(frames[-1].image, LONG, frames[-1].at)
    yield _entry(f"four-quarters.{ending}", "assembled from four parts", write(frames, SIZE), known)
    known = desk.few(f"strips.{ending}")
    strips = [Frame(known.crop((0, y, SIZE[0], y + 20)), 20, (0, y)) for y in range(0, SIZE[1], 20)]
    strips[-1] = Frame(strips[-1].image, LONG, strips[-1].at)
    yield _entry(
        f"twelve-strips.{ending}",
        "assembled from twelve strips",
        write(strips, SIZE),
        known,
        at=1.0,
    )
    known = desk.few(f"holes.{ending}")
    cover = desk.few(f"holes-cover.{ending}").convert("RGBA")
    stencil = Image.new("L", SIZE, 0)
    stencil.paste(255, (60, 40, 260, 200))
    first = known.copy()
    first.paste(cover, mask=stencil)
    second = known.convert("RGBA")
    second.putalpha(stencil)
    frames = [Frame(first, 40), Frame(second, LONG)]
    yield _entry(
        f"stencil.{ending}",
        "the second frame fills a hole of the first",
        write(frames, SIZE),
        known,
    )
    known = desk.few(f"inner.{ending}")
    inner = desk.few(f"inner-part.{ending}", (200, 160))
    shown = known.copy()
    shown.paste(inner, (60, 40))
    frames = [Frame(known, 40), Frame(inner, LONG, (60, 40))]
    yield _entry(
        f"inset.{ending}", "a part over the first frame", write(frames, SIZE), known, shown
    )


def _by_disposal(
    desk: Desk, ending: str, write: Callable[[Sequence[Frame], tuple[int, int]], bytes]
) -> Iterator[Entry]:
    cover = desk.few(f"disposed.{ending}")
    known = desk.few(f"after-clearing.{ending}", (200, 160))
    shown = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    shown.paste(known, (40, 20))
    frames = [Frame(cover, 40, dispose=1), Frame(known, LONG, (40, 20))]
    yield _entry(
        f"cleared.{ending}",
        "the first frame is cleared before the second",
        write(frames, SIZE),
        cover,
        shown,
    )
    if ending == "webp":  # which cannot put back
        return
    known = desk.few(f"put-back.{ending}")
    first = Frame(known.crop((0, 0, 320, 120)), 30)
    decoy = Frame(desk.few(f"decoy.{ending}"), 30, dispose=2)
    last = Frame(known.crop((0, 120, 320, 240)), LONG, (0, 120))
    data = write([first, decoy, last], SIZE)
    yield _entry(f"put-back.{ending}", "a frame between is put back", data, known, decoy.image)


def _apng(desk: Desk) -> Iterator[Entry]:
    known, cover = desk.few("hidden-default"), desk.few("hidden-default-cover")
    data = apng([Frame(known, LONG)], SIZE, cover=cover)
    yield _entry(
        "hidden-default.png", "the default image is not in the animation", data, known, cover
    )
    known = desk.few("hidden-white")
    data = apng([Frame(known, LONG)], SIZE, cover=Image.new("RGB", SIZE, "white"))
    yield _entry("hidden-white-default.png", "a white default image", data, known)
    known, cover = desk.few("replaced"), desk.few("replaced-cover")
    half = known.convert("RGBA")
    half.putalpha(128)
    data = apng([Frame(cover, 40), Frame(half, LONG, over=False)], SIZE)
    yield _entry("replacing.png", "a half transparent frame replaces the first", data, cover, half)
    mixed = Image.alpha_composite(cover.convert("RGBA"), half)
    data = apng([Frame(cover, 40), Frame(half, LONG, over=True)], SIZE)
    yield _entry("mixing.png", "a half transparent frame over the first", data, cover, mixed)
    cover, known = desk.few("once-cover"), desk.few("once")
    data = apng([Frame(cover, 60), Frame(known, 60)], SIZE, loops=1)
    yield _entry("played-once.png", "it is played once and stops", data, cover, known)


def _gif(desk: Desk) -> Iterator[Entry]:
    cover, known = desk.few("without-loop-cover"), desk.few("without-loop")
    data = gif([Frame(cover, 60), Frame(known, 60)], SIZE, loops=None)
    yield _entry(
        "without-loop.gif", "without NETSCAPE's block it is played once", data, cover, known
    )
    cover, known = desk.few("twice-cover"), desk.few("twice")
    data = gif([Frame(cover, 60), Frame(known, 60)], SIZE, loops=1)
    yield _entry("played-twice.gif", "it is played twice and stops", data, cover, known)
    cover, known = desk.few("at-once-cover"), desk.few("at-once")
    data = gif([Frame(cover, 0), Frame(known, LONG)], SIZE)
    yield _entry("no-delay.gif", "a first frame of no time", data, cover, known)
    known = desk.few("small-screen", (320, 240))
    data = gif([Frame(known, LONG)], (80, 60))
    yield _entry(
        "larger-than-its-screen.gif", "the frame is larger than the screen of the file", data, known
    )
    known = desk.few("large-screen", (240, 180))
    shown = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    shown.paste(known, (60, 40))
    data = gif([Frame(known, LONG, (60, 40))], SIZE)
    yield _entry(
        "smaller-than-its-screen.gif",
        "the frame is smaller than the screen of the file",
        data,
        shown,
    )
    cover, known = desk.few("no-trailer-cover"), desk.few("no-trailer")
    data = gif([Frame(cover, 40), Frame(known, LONG)], SIZE, trailer=False)
    yield _entry(
        "second-frame-without-trailer.gif", "no trailer after the second frame", data, cover, known
    )


def _pillow(desk: Desk) -> Iterator[Entry]:
    """As Pillow writes them, which shares palettes and crops frames to what changes."""
    for format, ending in (("GIF", "gif"), ("WEBP", "webp"), ("PNG", "png"), ("AVIF", "avif")):
        label = f"pillow.{ending}"
        cover, known = desk.few(f"{label}-cover"), desk.few(label)
        data = encode(
            cover, format, save_all=True, append_images=[known], duration=[40, 5000], loop=0
        )
        data = forget_times(data) if ending == "avif" else data
        yield _entry(f"pillow-second-frame.{ending}", "as Pillow writes it", data, cover, known)
    cover, known = desk.few("third.avif-cover"), desk.few("third.avif")
    white = Image.new("RGB", SIZE, "white")
    data = encode(
        white, "AVIF", save_all=True, append_images=[cover, known], duration=[40, 40, 5000]
    )
    data = forget_times(data)
    yield _entry("third-frame.avif", "the third frame, after a white one", data, known, at=0.8)

"""The views of the pictures of a file, and the signature that a bank keeps of it."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from kinward.media.borders import Box
from kinward.media.edges import continue_edges
from kinward.media.medium import MAX_FRAMES, MAX_VIEWS, Hashed, More, View
from kinward.media.pdq import MIN_QUALITY, Layers, Smalls, hash_turns, shrink, shrink_layers
from kinward.media.stills.borders import content_of
from kinward.media.stills.reading import Picture, Pixels
from kinward.media.stills.shades import Shades, shades_of

SAME_VIEW: Final = 2  # bits: a view this near to another of its file adds nothing
SAME_PICTURE: Final = 4  # bits
BATCH: Final = 16  # views passed to `more` at a time
# Over pages of these levels of grey. Chromium shows a file that is opened by itself on the last.
PAGES: Final = (255, 0, 230)


class Views:
    """Collects the views of one file. `more` receives them a few at a time."""

    def __init__(self, more: More) -> None:
        self._more = more
        self._views: list[View] = []
        self._told = 0
        self._hashes = _Known()
        self._signature = _Known()
        self._first: tuple[bytes, int] | None = None
        self.enough = False  # whether `more` wants no other view
        self.full = False
        self._skipped = False  # whether what is inside a border was left out

    @property
    def any(self) -> bool:
        """Whether there is a view."""
        return bool(self._views)

    def take(self, picture: Picture) -> None:
        """Hash a picture in every way in which viewers show it."""
        kept = False
        for small in self._looks(picture):
            hashes, quality = hash_turns(small)
            if self._first is None or (quality >= MIN_QUALITY > self._first[1]):
                self._first = hashes[0].tobytes(), quality
            if quality < MIN_QUALITY:
                continue
            if not kept and not picture.aside:
                kept = True
                self._signature.add(hashes[0], SAME_PICTURE)
            if len(self._views) >= MAX_VIEWS:
                self.full = True
            elif self._hashes.add(hashes[0], SAME_VIEW):
                turned = hashes[1:].tobytes()
                self._views.append(
                    View(hashes[0].tobytes(), picture.strand, picture.moment, turned)
                )
        if len(self._views) - self._told >= BATCH:
            self.enough = not self._more(self._views[self._told :])
            self._told = len(self._views)

    def hashed(
        self,
        media_type: str,
        size: tuple[int, int],
        frames: int,
        entire: bool,
        *,
        unread: bool = False,
    ) -> Hashed:
        """Return what was collected."""
        first, quality = self._first or (b"", 0)
        signature = self._signature.thinned(MAX_FRAMES) or [first]
        single = len(signature) == 1
        return Hashed(
            kind="pdq" if single else "video",
            signature=b"".join(signature),
            media_type=media_type,
            width=size[0],
            height=size[1],
            frames=frames,
            quality=quality if single else None,
            entire=entire and not self.full,
            views=tuple(self._views),
            unread=unread or self._skipped,
        )

    def _looks(self, picture: Picture) -> Iterator[Smalls]:
        """Yield a reduced picture in each way in which it is shown; first as shown."""
        turn, image = picture.turn, picture.image
        if image is not None and image.mode != "RGBA":
            shades = shades_of(image)
            yield (smalls := shrink(shades, turn=turn))
            yield from (shrink(shades.within(box), turn=turn) for box in self._inside(shades))
            yield continue_edges(smalls)
        else:
            pixels = np.asarray(image) if picture.canvas is None else picture.canvas
            yield from _over_pages(picture.layers or shrink_layers(pixels, turn=turn))
            for box in self._inside(pixels):
                yield from _over_pages(shrink_layers(pixels[box.slices], turn=turn))
        for other in picture.others:
            yield from self._looks(Picture(picture.strand, picture.moment, other(), turn))

    def _inside(self, pixels: Shades | Pixels) -> list[Box]:
        """Return what is inside borders, and note if one is left out."""
        inside = content_of(pixels)
        self._skipped |= inside.skipped
        return inside.boxes


class _Known:
    """Hashes, each further than some bits from the others."""

    def __init__(self) -> None:
        self._hashes: npt.NDArray[np.uint64] = np.empty((16, 4), dtype=np.uint64)
        self._count = 0

    def add(self, pdq: npt.NDArray[np.uint8], same: int) -> bool:
        """Add a hash, uint8[32]. Returns false if one is there within `same` bits."""
        words = np.ascontiguousarray(pdq).view(np.uint64)
        known = self._hashes[: self._count]
        if self._count and int(np.bitwise_count(known ^ words).sum(axis=1).min()) <= same:
            return False
        if self._count == len(self._hashes):
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
        self._hashes[self._count] = words
        self._count += 1
        return True

    def thinned(self, limit: int) -> list[bytes]:
        """Return at most `limit` of the hashes, evenly spread."""
        step = -(-self._count // limit) or 1
        return [words.tobytes() for words in self._hashes[: self._count : step]]


def _over_pages(layers: Layers) -> Iterator[Smalls]:
    bare, black, opacity = layers
    for level in PAGES:
        yield black + level * (1 - opacity)
        if level == 255 and opacity.min() > 0.9999:
            return
    yield bare

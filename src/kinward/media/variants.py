"""The ways in which viewers show one picture of a film."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from kinward.media.borders import Box, Inside, borders_of
from kinward.media.luma import hash_planes
from kinward.media.orientation import UPRIGHT, Turn
from kinward.media.pdq import Hash
from kinward.media.planes import Planes

Hashes = Iterator[tuple[Hash, int]]  # each with its quality


class Place(NamedTuple):
    """A box of pictures of one size, in rows and columns."""

    size: tuple[int, int]
    box: Box


class Variants:
    """The ways in which viewers show one picture.

    `others`: what only some of them show of it, such as a crop.
    """

    def __init__(self, planes: Planes, turn: Turn, others: Callable[[], Iterable[Planes]]) -> None:
        self._planes, self._turn, self._make_others = planes, turn, others

    def glanced(self, place: Place | None) -> list[Planes]:
        """Return what is glanced at. `place`: what was inside a border before."""
        looks = [self._planes, *self._others]
        if place is not None and place.size == self._planes.luma.shape:
            looks.append(self._planes.part(*place.box))
        return looks

    def plain(self) -> Hashes:
        """Yield it as most viewers show it: over white and over black if it is not opaque."""
        for face in self._faces:
            yield hash_planes(face, self._turn)

    def further(self) -> Hashes:
        """Yield what may change while `plain` does not: inside borders, cropped, by fields."""
        for face, inside in self._bordered:
            for box in inside.boxes:
                yield hash_planes(face.part(*box), self._turn)
        for other in self._others:
            yield hash_planes(other, self._turn)

    def stored(self) -> Hashes:
        """Yield it as it is stored, where viewers turn or stretch it."""
        if self._turn != UPRIGHT:
            yield hash_planes(self._planes)
        if self._planes.shape != 1:
            yield hash_planes(replace(self._planes, shape=1.0), self._turn)

    @property
    def inside(self) -> Place | None:
        """What is innermost in its borders, if it has some."""
        for face, inside in self._bordered:
            if inside.boxes:
                height, width = face.luma.shape
                return Place((height, width), inside.boxes[-1])
        return None

    @property
    def skipped(self) -> bool:
        """Whether what is inside a border is left out."""
        return any(inside.skipped for _, inside in self._bordered)

    @cached_property
    def _others(self) -> list[Planes]:
        return list(self._make_others())

    @cached_property
    def _faces(self) -> list[Planes]:
        return faces(self._planes.as_shown)

    @cached_property
    def _bordered(self) -> list[tuple[Planes, Inside]]:
        return [(face, borders_of(face.luma)) for face in self._faces]


def faces(planes: Planes) -> list[Planes]:
    """Return a picture over white, over black and without alpha, or just the picture."""
    if planes.alpha is None or bool((planes.alpha == 255).all()):
        return [planes]
    return [planes.over(255), planes.over(0), planes]

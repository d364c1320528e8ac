"""Who helps, by country: from `helplines.toml`, each with its source and when it was checked."""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

ANYWHERE: Final = "*"


class Helpline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """One helpline. `checked` is the day its number was last read at `source`, if we did."""

    places: tuple[str, ...]
    name: str
    web: str
    source: str
    phone: str = ""
    for_: tuple[str, ...] = ("talk",)
    checked: date | None = None

    @property
    def dial(self) -> str:
        """The number as a telephone dials it."""
        return "".join(each for each in self.phone if each.isdigit())


class _File(msgspec.Struct, forbid_unknown_fields=True):
    helpline: tuple[Helpline, ...]


@cache
def helplines() -> tuple[Helpline, ...]:
    """Every helpline there is."""
    text = files(__package__).joinpath("helplines.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=_File).helpline


def for_place(jurisdiction: str) -> list[Helpline]:
    """The helplines of a country (of all, where we know none), then those for everybody."""
    country = jurisdiction[:2]
    there = [each for each in helplines() if country in each.places]
    if not there:
        there = [each for each in helplines() if ANYWHERE not in each.places]
    return there + [each for each in helplines() if ANYWHERE in each.places]


def by_country() -> dict[str, list[Helpline]]:
    """All of them by country code; those for everybody under `*`, last."""
    found: dict[str, list[Helpline]] = {}
    for each in sorted(helplines(), key=lambda each: (ANYWHERE in each.places, each.places)):
        for place in each.places:
            found.setdefault(place, []).append(each)
    return found

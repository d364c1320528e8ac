"""Helplines by country, from `helplines.toml`, with their sources and the days we checked them."""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

ANYWHERE: Final = "*"


class Helpline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """One helpline. `checked` is the day on which we last read its number at `source`, if any."""

    places: tuple[str, ...]
    name: str
    web: str
    source: str
    phone: str = ""
    for_: tuple[str, ...] = ("talk",)
    checked: date | None = None

    @property
    def dial(self) -> str:
        """The digits of the phone number."""
        return "".join(digit for digit in self.phone if digit.isdigit())


class _File(msgspec.Struct, forbid_unknown_fields=True):
    helpline: tuple[Helpline, ...]


@cache
def helplines() -> tuple[Helpline, ...]:
    """Return every helpline, read once."""
    text = files(__package__).joinpath("helplines.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=_File).helpline


def for_place(jurisdiction: str) -> list[Helpline]:
    """Return the helplines of a jurisdiction's country, then the international ones.

    Without any of the country, those of all countries come first.
    """
    country = jurisdiction[:2]
    national = [line for line in helplines() if country in line.places]
    if not national:
        national = [line for line in helplines() if ANYWHERE not in line.places]
    return national + [line for line in helplines() if ANYWHERE in line.places]


def by_country() -> dict[str, list[Helpline]]:
    """Return all helplines by country code, and last the international ones under `*`."""
    countries: dict[str, list[Helpline]] = {}
    for line in sorted(helplines(), key=lambda line: (ANYWHERE in line.places, line.places)):
        for place in line.places:
            countries.setdefault(place, []).append(line)
    return countries

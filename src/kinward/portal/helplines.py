"""Helplines by country, from `helplines.toml`, with their sources and the days we checked them."""

from collections.abc import Collection
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

ANYWHERE: Final = "*"
FOR_YOUNG_PEOPLE: Final = ("talk", "image")
# The countries of a reader whose country we do not know, by the language of the page.
SPOKEN: Final = {
    "de": ("DE", "AT", "CH"),
    "en": ("GB", "IE", "US", "CA", "AU"),
    "es": ("ES",),
    "fr": ("FR", "CH", "CA"),
    "nl": ("NL",),
    "sv": ("SE",),
}

Help = Literal["talk", "image", "home"]
Way = Literal["chat", "text", "mail"]


class Helpline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """One helpline. `checked` is the day on which we last read its number at `source`, if any.

    `ways` are those without speaking, as `ways_source` says.
    """

    places: tuple[str, ...]
    name: str
    web: str
    source: str
    phone: str = ""
    for_: tuple[Help, ...] = ("talk",)
    checked: date | None = None
    ways: tuple[Way, ...] = ()
    ways_source: str = ""

    @property
    def dial(self) -> str:
        """The digits of the phone number."""
        return "".join(digit for digit in self.phone if digit.isdigit())


class _Emergency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    places: tuple[str, ...]
    phone: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    helpline: tuple[Helpline, ...]
    emergency: tuple[_Emergency, ...]


@cache
def _file() -> _File:
    text = files(__package__).joinpath("helplines.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(text, type=_File)


def helplines() -> tuple[Helpline, ...]:
    """Return every helpline."""
    return _file().helpline


def emergency_number(jurisdiction: str) -> str:
    """Return the emergency number of a jurisdiction's country, or nothing if we do not know it."""
    country = jurisdiction[:2]
    return next((row.phone for row in _file().emergency if country in row.places), "")


def for_place(
    jurisdiction: str,
    kinds: Collection[str] = FOR_YOUNG_PEOPLE,
    *,
    language: str = "",
    silent: bool = False,
) -> list[Helpline]:
    """Return the helplines of a jurisdiction's country, then the international ones.

    Without a country, those of the countries where the language is spoken come first. Without any
    of these, those of all countries do. `silent` begins with those that need no voice.
    """
    countries = {jurisdiction[:2]} if jurisdiction else set(SPOKEN.get(language, ()))
    lines = [line for line in helplines() if not set(kinds).isdisjoint(line.for_)]
    national = [line for line in lines if not countries.isdisjoint(line.places)]
    if not national:
        national = [line for line in lines if ANYWHERE not in line.places]
    found = national + [line for line in lines if ANYWHERE in line.places]
    return sorted(found, key=lambda line: not line.ways) if silent else found


def by_country() -> dict[str, list[Helpline]]:
    """Return all helplines by country code, and last the international ones under `*`."""
    countries: dict[str, list[Helpline]] = {}
    for line in sorted(helplines(), key=lambda line: (ANYWHERE in line.places, line.places)):
        for place in line.places:
            countries.setdefault(place, []).append(line)
    return countries

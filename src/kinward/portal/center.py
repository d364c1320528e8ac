"""What the pages of the Safety Center share: their frame, and the table of settings by age."""

from collections.abc import Collection
from itertools import pairwise
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from kinward.experience.api import live
from kinward.families.api import GROUP_NAMES, SETTING_MEANINGS, settings_by_group
from kinward.ground.config import config
from kinward.policy import (
    AgeRange,
    Pack,
    Person,
    bounds_in_general,
    capability_words,
    decide,
    effect_words,
    known_language,
)

YOUNGEST: Final = 13
OLDEST: Final = 18

Cell = tuple[str, str]  # what holds, and who can change it


def frame(language: str, name: str) -> dict[str, Any]:
    """Return what each page of the Safety Center is rendered with."""
    return {
        "language": language,
        "languages": settings.LANGUAGES,
        "name": name,
        "platform": config().platform_name,
        "public_url": config().url,
        "app": config().family_url,
    }


def settings_table(
    language: str, place: str, only: Collection[str] | None = None
) -> dict[str, Any]:
    """Return settings at each age, as the pack in force decides them for a place.

    All settings of the pack, or those of `only` that it has. Bands are age ranges
    `(lower, upper)` between which no rule changes.
    """
    pack = live().in_force().for_account(None)
    if pack is None:
        return {"bands": [], "groups": [], "places": [], "place": ""}
    places = sorted({code[:2] for code in pack.places})
    place = place if place in places else ""
    edges = [age for age in pack.ruling.edges if YOUNGEST <= age <= OLDEST]
    bands = list(pairwise(sorted({YOUNGEST, OLDEST, *edges})))
    wanted = [name for name in pack.capabilities if only is None or name in only]
    groups = [
        (
            _(GROUP_NAMES[group]),
            [_line(pack, name, bands, place, language) for name in names],
        )
        for group, names in settings_by_group(wanted)
    ]
    return {
        "bands": _merge(bands, [line["cells"] for _title, lines in groups for line in lines]),
        "place": place,
        "places": places,
        "groups": groups,
    }


def _merge(bands: list[tuple[int, int]], rows: list[list[Cell]]) -> list[tuple[int, int]]:
    """Merge neighbouring bands in which all cells are equal, and delete the repeats from `rows`."""
    for number in reversed(range(1, len(bands))):
        if all(cells[number] == cells[number - 1] for cells in rows):
            bands[number - 1 : number + 1] = [(bands[number - 1][0], bands[number][1])]
            for cells in rows:
                del cells[number]
    return bands


def _line(
    pack: Pack, name: str, bands: list[tuple[int, int]], place: str, language: str
) -> dict[str, Any]:
    language, own = known_language(language), pack.ruling.words(name)
    return {
        "name": capability_words(name, language, own),
        "meaning": _(SETTING_MEANINGS[name]) if name in SETTING_MEANINGS and own is None else "",
        "cells": [_cell(pack, name, band, place, language) for band in bands],
    }


def _cell(pack: Pack, name: str, band: tuple[int, int], place: str, language: str) -> Cell:
    """Return the value in an age band, and who can change it, in words."""
    person = Person(AgeRange(band[0], band[1], "shown", "verified"), place)
    decision = decide(pack, name, person)
    bounds = bounds_in_general(pack.ruling, name, person)
    value = effect_words(decision.effect, decision.kind, decision.code, language)
    if bounds is None:
        return value, ""
    guardian = bounds.guardian_moves and bounds.guardian_floor != bounds.guardian_cap
    teen = bounds.self_moves and bounds.self_floor != bounds.self_cap
    if guardian and teen:
        return value, _("teen and guardian can change this")
    stricter = decision.code != bounds.self_floor
    if guardian and stricter:
        return value, _("a guardian can change this, and the teen can make it stricter")
    if guardian:
        return value, _("a guardian can change this")
    if teen:
        return value, _("the teen can change this")
    return value, _("the teen can make it stricter") if stricter else _("cannot be changed")

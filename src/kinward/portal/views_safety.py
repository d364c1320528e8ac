"""The Safety Center: public pages in every language there is, without scripts."""

from itertools import pairwise
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kinward.experience.api import live
from kinward.families.api import GROUP_NAMES, SETTING_MEANINGS, ordered
from kinward.findings.api import USER_REPORT_CATEGORIES
from kinward.ground.config import config
from kinward.guidelines.api import guidelines_in_force
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
from kinward.portal.helplines import by_country

PAGES: Final = ("index", "parents", "teens", "settings", "reporting", "help", "guidelines")
YOUNGEST: Final = 13
OLDEST: Final = 18
HOUR: Final = 3600

Cell = tuple[str, str]  # what holds, and who can change it


@require_safe
def choose_language(request: HttpRequest) -> HttpResponse:
    """To the Safety Center in the language that the browser asks for."""
    return redirect("safety_home", translation.get_language_from_request(request))


@require_safe
def page(request: HttpRequest, language: str, name: str) -> HttpResponse:
    """One page of the Safety Center, in a language."""
    if language not in dict(settings.LANGUAGES) or name not in PAGES:
        raise Http404
    with translation.override(language):
        context: dict[str, Any] = {
            "language": language,
            "languages": settings.LANGUAGES,
            "name": name,
            "platform": config().platform_name,
            "public_url": config().url,
            "app": config().family_url,
        }
        if name == "settings":
            context |= _settings(language, request.GET.get("place", "")[:10])
        if name == "help":
            context["countries"] = by_country()
        if name == "reporting":
            shown = {key: each for key, each in USER_REPORT_CATEGORIES.items() if key != "guardian"}
            context["categories"] = [_(each.title) for each in shown.values()]
        if name == "guidelines":
            context["clauses"] = [
                (each.code, *each.says(language)) for each in guidelines_in_force().clause
            ]
        response = render(request, f"safety/{name}.html", context)
    response["Cache-Control"] = f"public, max-age={HOUR // 6}"
    response["Content-Language"] = language
    return response


def _settings(language: str, place: str) -> dict[str, Any]:
    """What each setting is at each age, as the rules in force decide it for a place."""
    pack = live().in_force().for_account(None)
    if pack is None:
        return {"bands": [], "groups": [], "places": [], "place": ""}
    places = sorted({each[:2] for each in pack.places})
    place = place if place in places else ""
    edges = [each for each in pack.ruling.edges if YOUNGEST <= each <= OLDEST]
    bands = list(pairwise(sorted({YOUNGEST, OLDEST, *edges})))
    groups = [
        (_(GROUP_NAMES[group]), [_line(pack, each, bands, place, language) for each in those])
        for group, those in ordered(list(pack.capabilities))
    ]
    return {
        "bands": _merge(bands, [line["cells"] for _title, lines in groups for line in lines]),
        "place": place,
        "places": places,
        "groups": groups,
    }


def _merge(bands: list[tuple[int, int]], rows: list[list[Cell]]) -> list[tuple[int, int]]:
    """Say ages together between which nothing differs; the rows lose their repeated cells."""
    for number in reversed(range(1, len(bands))):
        if all(cells[number] == cells[number - 1] for cells in rows):
            bands[number - 1 : number + 1] = [(bands[number - 1][0], bands[number][1])]
            for cells in rows:
                del cells[number]
    return bands


def _line(
    pack: Pack, name: str, bands: list[tuple[int, int]], place: str, language: str
) -> dict[str, Any]:
    tongue, own = known_language(language), pack.ruling.words(name)
    return {
        "name": capability_words(name, tongue, own),
        "meaning": _(SETTING_MEANINGS[name]) if name in SETTING_MEANINGS and own is None else "",
        "cells": [_cell(pack, name, band, place, tongue) for band in bands],
    }


def _cell(pack: Pack, name: str, band: tuple[int, int], place: str, tongue: str) -> Cell:
    """What holds at an age, and who can change it."""
    person = Person(AgeRange(band[0], band[1], "shown", "verified"), place)
    decision = decide(pack, name, person)
    bounds = bounds_in_general(pack.ruling, name, person)
    said = effect_words(decision.effect, decision.kind, decision.code, tongue)
    if bounds is None:
        return said, ""
    guardian = bounds.guardian_moves and bounds.guardian_floor != bounds.guardian_cap
    teen = bounds.self_moves and bounds.self_floor != bounds.self_cap
    if guardian and teen:
        return said, _("teen and guardian can change this")
    if guardian:
        return said, _("a guardian can change this")
    return said, _("the teen can change this") if teen else _("cannot be changed")

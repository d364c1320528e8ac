"""The Safety Center: public pages in every language, without scripts."""

from itertools import pairwise
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kinward.experience.api import live
from kinward.families.api import GROUP_NAMES, SETTING_MEANINGS, settings_by_group
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
    """Redirect to the Safety Center in the browser's language."""
    return redirect("safety_home", translation.get_language_from_request(request))


@require_safe
def page(request: HttpRequest, language: str, name: str) -> HttpResponse:
    """Show one page of the Safety Center in a language."""
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
            context["categories"] = [
                _(category.title)
                for name, category in USER_REPORT_CATEGORIES.items()
                if name != "guardian"
            ]
        if name == "guidelines":
            context["clauses"] = [
                (clause.code, *clause.says(language)) for clause in guidelines_in_force().clause
            ]
        response = render(request, f"safety/{name}.html", context)
    response["Cache-Control"] = f"public, max-age={HOUR // 6}"
    response["Content-Language"] = language
    return response


def _settings(language: str, place: str) -> dict[str, Any]:
    """Return each setting at each age, as the pack in force decides it for a place.

    Bands are age ranges `(lower, upper)` between which no rule changes.
    """
    pack = live().in_force().for_account(None)
    if pack is None:
        return {"bands": [], "groups": [], "places": [], "place": ""}
    places = sorted({code[:2] for code in pack.places})
    place = place if place in places else ""
    edges = [age for age in pack.ruling.edges if YOUNGEST <= age <= OLDEST]
    bands = list(pairwise(sorted({YOUNGEST, OLDEST, *edges})))
    groups = [
        (
            _(GROUP_NAMES[group]),
            [_line(pack, name, bands, place, language) for name in names],
        )
        for group, names in settings_by_group(list(pack.capabilities))
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

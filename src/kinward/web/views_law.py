"""The law: all places of the pack in force, and what a newer edition of it would change."""

from collections.abc import Mapping

from babel import Locale
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from kinward.access import Permission
from kinward.experience.api import current_pack, newer_edition, today
from kinward.ground.errors import NotFound
from kinward.policy import (
    READ_AGAIN_DAYS,
    decode_pack,
    diff_over_time,
    list_places,
    stale_readings,
    titles_of,
)
from kinward.web.guards import StaffRequest, needs


def place_name(place: str, titles: Mapping[str, str]) -> str:
    """Return the name of a place in English: a country's, or as the title of its overlay begins.

    >>> place_name("AT", {}), place_name("US-NY", {"US-NY": "New York: feeds"})
    ('Austria', 'New York')
    """
    known = Locale("en").territories.get(place)
    return str(known or titles.get(place, "").partition(":")[0] or place)


@require_GET
@needs(Permission.CHANGE_POLICY, Permission.READ_LEDGER)
def places(request: StaffRequest) -> HttpResponse:
    """Show what the law is in each place, since when, until when, and when it was read."""
    now = current_pack()
    pack = decode_pack(now.pack.files)
    day = today()
    titles = titles_of(pack)
    context = {
        "now": now,
        "rows": [(place_name(row.place, titles), row) for row in list_places(pack, day)],
        "day": day,
        "stale": stale_readings(pack, day),
        "read_again_days": READ_AGAIN_DAYS,
    }
    return render(request, "web/places.html", context)


@require_GET
@needs(Permission.CHANGE_POLICY, Permission.READ_LEDGER)
def edition(request: StaffRequest) -> HttpResponse:
    """Show in words what the newer edition of the pack in force would change, and for whom."""
    now = current_pack()
    newer = newer_edition(now.pack)
    if newer is None:
        raise NotFound(f"{now.pack} is the newest edition.")
    before = decode_pack(now.pack.files)
    context = {
        "now": now,
        "newer": newer,
        "differences": diff_over_time(before, newer, today()),
        "may_change": request.user.may(Permission.CHANGE_POLICY),
    }
    return render(request, "web/new_edition.html", context)

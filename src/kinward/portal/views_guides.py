"""The guides of the Safety Center: an index by reader and by what happened, and a page for each."""

from typing import Any, Final, get_args

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from kinward.portal.center import frame, settings_table
from kinward.portal.guides.catalogue import Group, Guide, Reader, guides, text_of
from kinward.portal.guides.claims import say_claims
from kinward.portal.guides.search import MAX_QUERY, search
from kinward.portal.helplines import ANYWHERE, by_country, emergency_number, for_place

MINUTES: Final = 10


def reader_words() -> dict[Reader, str]:
    """Return the words for each kind of reader."""
    return {
        "13-15": _("13 to 15 years old"),
        "16-17": _("16 or 17 years old"),
        "parent": _("a parent"),
        "carer": _("a carer or social worker"),
        "teacher": _("a teacher"),
    }


def group_words() -> dict[Group, str]:
    """Return the titles of the groups of the index, in its order."""
    return {
        "happened": _("Something happened"),
        "everyday": _("Every day"),
        "family": _("Our family"),
        "rules": _("Rules, data and numbers"),
    }


# A search changes nothing and reads no cookie. By POST, its words stay out of the address, and so
# out of the history of a browser that others use and out of every log.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, language: str) -> HttpResponse:
    """Show all guides, those for one kind of reader, or those that fit a search."""
    _check(language)
    reader = request.GET.get("for", "")[:10]
    query = request.POST.get("q", "")[:MAX_QUERY].strip()
    with translation.override(language):
        named = reader_words()
        reader = reader if reader in named else ""
        shown = [guide for guide in guides().values() if reader in (*guide.readers, "")]
        context = frame(language, "guides") | {
            "readers": named,
            "reader": reader,
            "query": query,
            "found": _entries(search(query, language), language),
            "max_query": MAX_QUERY,
            "groups": [
                (title, _entries([each for each in shown if each.group == group], language))
                for group, title in group_words().items()
            ],
        }
        response = render(request, "safety/guides.html", context)
    return _finish(response, language, private=request.method == "POST")


@require_safe
def guide(request: HttpRequest, language: str, name: str) -> HttpResponse:
    """Show one guide."""
    _check(language)
    if name not in guides():
        raise Http404
    facts, place = guides()[name], request.GET.get("place", "")[:2]
    countries = [code for code in by_country() if code != ANYWHERE]
    place = place if place in countries else ""
    with translation.override(language):
        named = reader_words()
        context = frame(language, "guide") | {
            "guide": facts,
            "text": text_of(name, language),
            "readers": [named[reader] for reader in get_args(Reader) if reader in facts.readers],
            "claims": say_claims(facts.claims, language),
            "place": place,
            "countries": countries,
            "emergency": emergency_number(place),
            "helplines": for_place(place, facts.help, language=language, silent=facts.discreet),
            "see": _entries([guides()[other] for other in facts.see], language),
        }
        table = settings_table(language, place, facts.settings)
        context |= {"bands": table["bands"], "settings": table["groups"]}
        response = render(request, "safety/guide.html", context)
    return _finish(response, language, private=facts.discreet)


def _check(language: str) -> None:
    if language not in dict(settings.LANGUAGES):
        raise Http404


def _entries(found: list[Guide], language: str) -> list[dict[str, Any]]:
    return [{"name": guide.name, "text": text_of(guide.name, language)} for guide in found]


def _finish(response: HttpResponse, language: str, *, private: bool) -> HttpResponse:
    """Let browsers store a page, unless it is one that nobody should find there later."""
    response["Cache-Control"] = "no-store" if private else f"public, max-age={MINUTES * 60}"
    response["Content-Language"] = language
    if private:
        response["Referrer-Policy"] = "no-referrer"
    return response

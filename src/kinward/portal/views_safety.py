"""The Safety Center: public pages in every language, without scripts."""

from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kinward.findings.api import USER_REPORT_CATEGORIES
from kinward.guidelines.api import guidelines_in_force
from kinward.portal.center import frame, settings_table
from kinward.portal.helplines import by_country

PAGES: Final = ("index", "parents", "teens", "settings", "reporting", "help", "guidelines")
HOUR: Final = 3600


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
        context = frame(language, name)
        if name == "settings":
            context |= settings_table(language, request.GET.get("place", "")[:10])
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

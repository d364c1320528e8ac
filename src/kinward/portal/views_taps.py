"""Answers in one tap, by a link of a notice or a mail, without a visit."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from kinward.families.api import Tap, answer_by_tap, name_in_notices, read_tap, words_of_ask
from kinward.ground.errors import KinwardError
from kinward.policy import known_language
from kinward.portal.visitor import problem_page


# The token in the path is the authority. No cookie counts here, so there is none to misuse.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def answer_in_one_tap(request: HttpRequest, token: str) -> HttpResponse:
    """Answer an ask by a POST. A GET shows a page with the button, since scanners open links."""
    try:
        tap = answer_by_tap(token) if request.method == "POST" else read_tap(token)
    except KinwardError as error:
        with translation.override(translation.get_language_from_request(request)):
            return problem_page(request, error)
    return _page(request, tap, done=request.method == "POST")


def _page(request: HttpRequest, tap: Tap, *, done: bool) -> HttpResponse:
    guardian = tap.pairing.guardian
    language = known_language(guardian.language or translation.get_language_from_request(request))
    context = {
        "account": None,
        "name": name_in_notices(tap.ask.teen),
        "what": words_of_ask(tap.ask, language),
        "answer": tap.answer,
        "today": tap.ask.minutes is None,
        "done": done,
    }
    with translation.override(language):
        response = render(request, "portal/tap.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response

"""A webhook that fails on request, to test how Kinward reacts.

With `DEMO_MISBEHAVE=0.1`, one in ten messages fails: it is refused, or it is carried out and an
error page replaces the answer, as when a proxy gives up.
"""

import random
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]


def misbehaving(get_response: Handler) -> Handler:
    """Answer some messages with an error, half of them before they are carried out."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/webhooks/"):
            return get_response(request)
        drawn = random.random()  # noqa: S311 - chaos, not a secret
        if drawn < settings.MISBEHAVE / 2:
            return HttpResponse("<html>Down for a moment.</html>", status=503)
        response = get_response(request)
        if drawn < settings.MISBEHAVE:
            return HttpResponse("<html>Bad gateway.</html>", status=502)
        return response

    return middleware

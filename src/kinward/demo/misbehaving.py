"""On request the community's webhook misbehaves, so that what Kinward then does can be proved.

`DEMO_MISBEHAVE=0.1`: every tenth message is refused, or carried out and its answer lost behind an
error page, as it happens when a proxy gives up.
"""

import random
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Handler = Callable[[HttpRequest], HttpResponse]


def misbehaving(get_response: Handler) -> Handler:
    """Refuse some messages before they are carried out, and others after."""

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

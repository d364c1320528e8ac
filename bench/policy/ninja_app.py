"""The same policy behind django-ninja, as usually written: plain Python, one JSON endpoint."""

import os

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",  # noqa: S106 - a server of the bench, on loopback
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["ninja"],
    MIDDLEWARE=[],
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import NinjaAPI, Schema  # noqa: E402

from bench.policy.questions import Question  # noqa: E402
from bench.policy.rules import plain  # noqa: E402

api = NinjaAPI(urls_namespace=f"bench-{os.getpid()}")


class Asked(Schema):
    capability: str
    age: int
    place: str = ""
    relationship: str = "family"
    other_age: int = 30


@api.post("/decide")
def decide(request: HttpRequest, asked: Asked) -> dict[str, str]:
    allowed = plain(Question(**asked.dict()))
    return {"effect": "allow" if allowed else "deny"}


urlpatterns = [path("", api.urls)]
application = get_wsgi_application()

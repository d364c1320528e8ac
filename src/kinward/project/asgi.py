"""The ASGI application: the gate for the platform's calls, Django for the pages."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.project.settings")

from django.core.asgi import get_asgi_application

pages: Any = get_asgi_application()

from kinward.gate.app import PATHS, Gate  # noqa: E402 - needs Django to be set up

gate = Gate()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Send each request through its door."""
    if scope["type"] == "http":
        door = gate if scope["path"].startswith(PATHS) else pages
        await door(scope, receive, send)

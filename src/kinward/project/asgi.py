"""The ASGI application: the gate for the platform's calls, Django for the pages."""

import importlib
import os
import threading
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.project.settings")

from django.core.asgi import get_asgi_application

from kinward.ground.privacy import close_memory

close_memory()  # where granian does not fork its workers, they do not inherit it

pages: Any = get_asgi_application()

from kinward.gate.api import Gate, is_for_gate  # noqa: E402 - needs Django to be set up

gate = Gate()

# Imported in a thread, so that neither the start nor the first upload waits for the compiler.
SEARCH = "kinward.matching.hamming"
threading.Thread(target=importlib.import_module, args=(SEARCH,), daemon=True).start()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Pass a request to the gate or to Django, depending on its path."""
    if scope["type"] == "http":
        door = gate if is_for_gate(scope["path"]) else pages
        await door(scope, receive, send)

"""The ASGI applications: gate, console and pages, together or each in a process of its own.

`kinward.project.asgi:gate` is the gate alone, `…:console_pages` has the other two, and
`…:application` has all three.
"""

import contextlib
import importlib
import os
import sys
import threading
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kinward.project.settings")

import django

from kinward.ground.privacy import close_memory

close_memory()  # where granian does not fork its workers, they do not inherit it
django.setup(set_prefix=False)

from django.db import (  # noqa: E402 - needs Django to be set up
    DatabaseError,
    InterfaceError,
    connection,
)

from kinward.access.api import count_refusal_of_page, live_keys  # noqa: E402
from kinward.entrance import (  # noqa: E402 - needs Django to be set up
    DOORS,
    Budget,
    Doors,
    Entrance,
    Seats,
)
from kinward.entrance.api import Admits, PageBounds, PagesHandler  # noqa: E402
from kinward.erasure.api import Clearance  # noqa: E402
from kinward.gate.api import Gate, is_for_gate  # noqa: E402
from kinward.ground.config import Door, config  # noqa: E402
from kinward.portal.api import is_for_portal, portal_bounds  # noqa: E402
from kinward.web.api import console_bounds, console_reader  # noqa: E402

# Imported in a thread, so that neither the start nor the first upload waits for the compiler.
SEARCH: Final = "kinward.matching.hamming"
ALL: Final = frozenset(DOORS)
OF_EACH: Final = ("/healthz", "/metrics")  # each process tells of itself
SWITCH_SECONDS: Final = 0.001  # after which a thread that computes lets a decision pass
AT_A_TIME: Final = 16  # pages in a process: each takes a thread and a connection to the database
SEAT_SECONDS: Final = 20.0
BODIES: Final = 64 * 1024 * 1024  # bytes of forms that have not arrived entirely …
BODIES_OF_ONE: Final = 8 * 1024 * 1024  # … and those of one address


def doors_of(path: str) -> frozenset[Door]:
    """Return the doors that answer a path."""
    if path in OF_EACH:
        return ALL
    if is_for_gate(path):
        return frozenset({"gate"})
    if path.startswith("/static/"):
        return frozenset({"console", "pages"})
    return frozenset({"pages" if is_for_portal(path) else "console"})


def build(own: frozenset[Door]) -> Entrance:
    """Return the application of a process with these doors."""
    clearance = Clearance()
    clearance.begin()
    gate = Gate()
    pages = None if own == {"gate"} else _pages()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] not in OF_EACH:
            clearance.require()
        if pages is None or "gate" in doors_of(scope["path"]):
            await gate(scope, receive, send)
        else:
            await pages(scope, receive, send)

    if "gate" in own:
        sys.setswitchinterval(SWITCH_SECONDS)
        threading.Thread(target=_prepare, daemon=True).start()
    doors = Doors(own, config().ports, doors_of)
    return Entrance(application, doors, count_refusal_of_page, secure=config().secure)


def _prepare() -> None:
    """Import the search and learn the keys, before anybody waits for them or the database goes."""
    importlib.import_module(SEARCH)
    with contextlib.suppress(DatabaseError, InterfaceError):
        live_keys().get()
    connection.close()


def _pages() -> PagesHandler:
    def bounds_of(path: str) -> PageBounds | None:
        return portal_bounds(path) if is_for_portal(path) else console_bounds(path)

    def reads_of(path: str) -> Admits | None:
        return None if is_for_portal(path) else console_reader(path)

    each = config().address_requests
    seats = Seats(total=AT_A_TIME, each=each, seconds=SEAT_SECONDS)
    return PagesHandler(bounds_of, seats, Budget(total=BODIES, each=BODIES_OF_ONE), reads_of)


def __getattr__(name: str) -> Entrance:
    """Build the application that the server asks for, and no other."""
    names = DOORS if name == "application" else name.split("_")
    own = frozenset(door for door in DOORS if door in names)
    if len(own) < len(names):
        raise AttributeError(name)
    return build(own)

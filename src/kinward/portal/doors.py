"""The portal's paths, the bounds of its forms, and whose forms it reads."""

from typing import Final

from django.urls import Resolver404, resolve, reverse

from kinward.entrance import Bounds
from kinward.entrance.api import Cookies, PageBounds
from kinward.families.api import PortalClosed, current_visit
from kinward.ground.config import config
from kinward.portal.visitor import cookie_name

PATHS: Final = ("/family", "/safety")
FORM: Final = 128 * 1024  # an appeal of the longest length, in any script
NAMELESS: Final = 8 * 1024  # a form without a visit has a token, or the words of a search
SECONDS: Final = 20.0
ANYBODY: Final = frozenset(
    {"confirm_digest", "enter", "safety_guides", "tap"}
)  # what is open without a visit
READ_ONLY: Final = frozenset({"safety", "safety_guide", "safety_home", "safety_page"})


def is_for_portal(path: str) -> bool:
    """Return whether the portal answers a path, and not the console."""
    return path.startswith(PATHS)


def on_visit(cookies: Cookies) -> bool:
    """Return whether the key of an open visit is in the cookies."""
    try:
        current_visit(cookies.get(cookie_name(), ""))
    except PortalClosed:
        return False
    return True


def portal_bounds(path: str) -> PageBounds | None:
    """Return the bounds of the forms of a page of the portal, or None if it has none."""
    try:
        name = resolve(path).url_name
    except Resolver404:
        return None
    rate = config().body_rate
    if name in READ_ONLY:
        return None
    if name in ANYBODY:
        return PageBounds(Bounds(NAMELESS, SECONDS, rate))
    return PageBounds(Bounds(FORM, SECONDS, rate), on_visit, reverse("family"))

"""The cookies of devices that somebody has signed in on: one for each account."""

import hashlib
from typing import Final

from django.http import HttpRequest, HttpResponse

from kinward.access.api import KEPT_FOR, Staff, known_device, remember_device, staff_named
from kinward.ground.config import config

NAME: Final = "kinward-device"


def device_of(request: HttpRequest, login: str) -> str:
    """Return the id of the device that sent a request, if it has signed in to this account.

    Without its cookie nothing is looked up.
    """
    token = request.COOKIES.get(cookie_name(login), "")
    staff = staff_named(login) if token else None
    return known_device(staff, token) if staff else ""


def keep_device(request: HttpRequest, response: HttpResponse, staff: Staff) -> None:
    """Set the cookie of a device on which a person has signed in just now."""
    name = cookie_name(staff.username)
    response.set_cookie(
        name,
        remember_device(staff, request.COOKIES.get(name, "")),
        max_age=KEPT_FOR,
        secure=config().secure,
        httponly=True,
        samesite="Lax",
    )


def cookie_name(login: str) -> str:
    """Return the name of the cookie of one account. It does not spell the account's name."""
    digest = hashlib.sha256(login.strip().lower().encode()).hexdigest()[:12]
    return f"{host_prefix()}{NAME}-{digest}"


def host_prefix() -> str:
    """Return what binds a cookie to this very host; browsers refuse it without https."""
    return "__Host-" if config().secure else ""

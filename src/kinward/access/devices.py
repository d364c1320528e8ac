"""Devices that a person has signed in on: a signed token in a cookie of the account's own.

Such a device has a budget of attempts of its own, so that nobody else can spend it. The token
says nothing more: it signs nobody in, and replaces no password and no second factor.
"""

import secrets
from datetime import timedelta
from typing import Any, Final

from django.core import signing

from kinward.access.models import Staff

SALT: Final = "kinward.access.device"
KEPT_FOR: Final = timedelta(days=180)


def remember_device(staff: Staff, token: str = "") -> str:
    """Return the token of a device on which a person has signed in just now.

    A device that is known already, by its `token`, keeps its budget.
    """
    told = {
        "device": known_device(staff, token) or secrets.token_urlsafe(16),
        "staff": staff.pk,
        "sign_outs": staff.sign_outs,
    }
    return signing.dumps(told, salt=SALT)


def known_device(staff: Staff, token: str) -> str:
    """Return the id of the device with a token of this account, or an empty text.

    Whatever signs the person out everywhere makes their devices unknown.
    """
    try:
        told: dict[str, Any] = signing.loads(token, salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        return ""
    if (told["staff"], told["sign_outs"]) != (staff.pk, staff.sign_outs) or not staff.is_active:
        return ""
    return str(told["device"])

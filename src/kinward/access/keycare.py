"""Keys that need somebody: they expire soon, they expired, or their owner left."""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.utils import timezone

from kinward.access.models import ApiKey, Staff

SOON: Final = timedelta(days=30)


class KeyNeed(msgspec.Struct, frozen=True):
    """What a live key needs. `what` is `owner`, `expired`, `expires` or `purpose`."""

    key: str
    what: str
    sentence: str


def keys_in_need(now: datetime | None = None) -> list[KeyNeed]:
    """Return what live keys need, by name. An owner is found among the staff by name."""
    now = now or timezone.now()
    left = {
        username.casefold(): ended_at
        for username, ended_at in Staff.objects.exclude(ended_at=None).values_list(
            "username", "ended_at"
        )
    }
    needs: list[KeyNeed] = []
    for key in ApiKey.objects.filter(revoked_at=None).order_by("name"):
        if ended_at := left.get(key.owner.casefold()):
            told = f"Its owner {key.owner} left on {ended_at:%Y-%m-%d}. Name another, or revoke it."
            needs.append(KeyNeed(key.name, "owner", told))
        needs += _by_time(key, now)
    return needs


def _by_time(key: ApiKey, now: datetime) -> list[KeyNeed]:
    if key.expires_at is None:
        told = "It never expires. Rotate it, or set `--days`."
        if not key.purposes:
            told = "It has no purpose and never expires. Rotate it, or give it a purpose."
        return [KeyNeed(key.name, "purpose", told)]
    if key.expires_at <= now:
        told = f"It expired on {key.expires_at:%Y-%m-%d}. Rotate it, or revoke it."
        return [KeyNeed(key.name, "expired", told)]
    if key.expires_at <= now + SOON:
        told = f"It expires on {key.expires_at:%Y-%m-%d}. Rotate it before."
        return [KeyNeed(key.name, "expires", told)]
    return []

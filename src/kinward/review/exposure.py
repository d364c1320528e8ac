"""How many files one person looks at: counted, shown, and limited.

A look is counted before the file is opened. After some looks in a row a pause is required, and
after some in 24 hours a longer one. The operator sets both limits, and a person can set a lower
daily limit for themselves.
"""

from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Permission
from kinward.access.api import Staff
from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.review.models import Look
from kinward.review.preferences import preferences_of

DAY = timedelta(hours=24)


class BreakDue(KinwardError):
    """You have looked at many files in a row. Take a break from them now."""

    code = "exposure.break_due"
    status = 429


class DayFull(KinwardError):
    """You have looked at as many files as one person should in a day. Leave the rest to others."""

    code = "exposure.day_full"
    status = 429


class Exposure(msgspec.Struct, frozen=True):
    """A person's looks in the last 24 hours, their limit, and the end of a required pause."""

    looks: int
    limit: int
    pause_until: datetime | None


def exposure_of(staff: Staff) -> Exposure:
    """Return how much a person has looked at in the last 24 hours."""
    now = timezone.now()
    pause = timedelta(minutes=config().exposure_pause_minutes)
    looks = Look.objects.filter(staff=staff, at__gt=now - DAY).order_by("-at")
    times = list(looks.values_list("at", flat=True))
    in_a_row = 1
    for later, earlier in pairwise(times):
        if later - earlier >= pause:
            break
        in_a_row += 1
    tired = bool(times) and in_a_row >= config().exposure_in_a_row and now - times[0] < pause
    own = preferences_of(staff).at_most
    most = config().exposure_per_day
    return Exposure(
        looks=len(times),
        limit=most if own is None else min(own, most),
        pause_until=times[0] + pause if tired else None,
    )


@transaction.atomic
def count_look(*, staff: Staff, evidence_id: UUID) -> Look:
    """Count a look before it happens. Raises `BreakDue` or `DayFull`. Locks the staff row."""
    staff.must(Permission.OPEN_EVIDENCE)
    Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    now = exposure_of(staff)
    if now.looks >= now.limit:
        raise DayFull(f"{now.looks} in the last 24 hours.")
    if now.pause_until is not None:
        raise BreakDue(f"You can continue at {now.pause_until:%H:%M} UTC.")
    return Look.objects.create(staff=staff, evidence_id=evidence_id)


def note_shown(look: Look) -> None:
    """Note that something was shown at a look, after the ledger has it."""
    Look.objects.filter(pk=look.pk).update(shown=True)

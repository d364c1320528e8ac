"""How much one person looks at: counted, shown, and ended before it is too much.

A look is counted before the file is opened. After so many looks without a pause the system insists
on one, and after so many in 24 hours on the next day; both are the operator's to set, and a person
can set fewer for themselves.
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
    """What a person looked at in the last 24 hours, and until when they have to pause, if so."""

    looks: int
    limit: int
    pause_until: datetime | None


def exposure_of(staff: Staff) -> Exposure:
    """How much a person has looked at."""
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
def count_look(*, staff: Staff, evidence_id: UUID) -> None:
    """Count that a person is about to look. Raises `BreakDue` or `DayFull` if they should not."""
    staff.must(Permission.OPEN_EVIDENCE)
    Staff.objects.select_for_update(no_key=True).get(pk=staff.pk)
    now = exposure_of(staff)
    if now.looks >= now.limit:
        raise DayFull(f"{now.looks} in the last 24 hours.")
    if now.pause_until is not None:
        raise BreakDue(f"You can go on at {now.pause_until:%H:%M} UTC.")
    Look.objects.create(staff=staff, evidence_id=evidence_id)

"""Sudden waves of changed ages and places. A key that leaked, or a mistake in an app, makes one.

Once one key has changed the age or the place of more than `KINWARD_WAVE_ACCOUNTS` accounts within
`KINWARD_WAVE_MINUTES`, that is an alarm until a person says that they looked. It stops nothing.
"""

from datetime import timedelta
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from kinward.access import Actor, ActorKind, Permission
from kinward.access.api import Staff
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.locks import in_turn
from kinward.ledger.api import kinds, record
from kinward.people.locks import LockedAccount
from kinward.people.models import Change, ChangeWave

log = structlog.get_logger(__name__)

KEPT_FOR: Final = timedelta(days=1)
MAX_NOTE: Final = 500
PEOPLE: Final = Actor.system("people")


class NoWave(KinwardError):
    """This alarm about changed ages has ended already."""

    code = "wave.none"
    status = 409


def count_change(account: LockedAccount, actor: Actor) -> None:
    """Count a change of an account's age or place for whoever made it.

    Changes by one actor take turns, so that each one sees the others. Call it after all other
    locks.
    """
    if actor.kind == ActorKind.ACCOUNT:
        return
    now, by = timezone.now(), str(actor)
    in_turn(f"people.wave:{by}")
    Change.objects.bulk_create(
        [Change(actor=by, account=account, at=now)],
        update_conflicts=True,
        unique_fields=["actor", "account"],
        update_fields=["at"],
    )
    wave = ChangeWave.objects.filter(actor=by, looked_at=None)
    if wave.update(changes=F("changes") + 1, last_at=now):
        return
    Change.objects.filter(actor=by, at__lt=now - max(KEPT_FOR, _window())).delete()
    accounts = _changed_lately(by)
    if accounts > config().wave_accounts:
        ChangeWave.objects.create(actor=by, began_at=now, last_at=now, changes=accounts)
        record(actor=PEOPLE, subject=by, fact=kinds.WaveBegan(accounts=accounts))
        log.warning("people.wave", actor=by, accounts=accounts)


def _window() -> timedelta:
    return timedelta(minutes=config().wave_minutes)


def _changed_lately(by: str) -> int:
    """Count the accounts within the window, since somebody last looked; at most one too many."""
    since = timezone.now() - _window()
    looked = ChangeWave.objects.filter(actor=by).exclude(looked_at=None).order_by("-looked_at")
    if (last := looked.first()) is not None and last.looked_at is not None:
        since = max(since, last.looked_at)
    recent = Change.objects.filter(actor=by, at__gt=since)
    return recent.values("pk")[: config().wave_accounts + 1].count()


def open_waves() -> QuerySet[ChangeWave]:
    """Return the alarms at which nobody has looked, the newest first."""
    return ChangeWave.objects.filter(looked_at=None).order_by("-began_at")


@transaction.atomic
def end_wave(*, wave_id: int, note: str, staff: Staff) -> None:
    """End an alarm, with a note of what it was. Raises `NoWave` if it has ended already."""
    staff.must(Permission.END_WAVES)
    note = note.strip()
    if not 1 <= len(note) <= MAX_NOTE:
        raise Invalid(f"Say in up to {MAX_NOTE} characters what it was.")
    wave = ChangeWave.objects.filter(pk=wave_id, looked_at=None).first()
    if wave is None:
        raise NoWave
    in_turn(f"people.wave:{wave.actor}")  # before the row, as whoever counts a change
    record(actor=staff.actor, subject=wave.actor, fact=kinds.WaveEnded(note=note))
    ended = ChangeWave.objects.filter(pk=wave_id, looked_at=None)
    if not ended.update(looked_at=timezone.now(), looked_by=staff):
        raise NoWave

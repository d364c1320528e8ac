"""What goes ahead by itself: a request that nobody else can answer, or that must not wait."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, TypeVar
from uuid import UUID

import structlog
from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone

from kinward.access.agreement import (
    AgreementState,
    TwoPeople,
    TwoPeopleAnywhere,
    TwoPeopleOrDelay,
    barred_of,
)
from kinward.access.glass import Person
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.access.staff import holders_of_all
from kinward.ground.errors import KinwardError

log = structlog.get_logger(__name__)

ALONE: Final = timedelta(hours=24)  # the delay where nobody else holds the role …
LONELY: Final = timedelta(days=7)  # … and has not lost it lately
AT_ONCE: Final = 100  # requests that a job carries out; the next minute takes the others
Delayed = TypeVar("Delayed", bound=TwoPeopleOrDelay)


def is_alone(model: type[TwoPeople], staff: Staff) -> bool:
    """Return whether nobody but this person could decide on such a request, nor could lately."""
    now, barred = timezone.now(), [staff.pk]
    others = _others_can(frozenset({model.permission}), barred)
    return not others and _lonely_from(barred, now) <= now


def alone_until(model: type[TwoPeople], person: Person) -> datetime | None:
    """Return when a request goes ahead because nobody else can decide it; None if one can.

    Nobody makes themselves alone: who lost power counts for a week. Before anybody has joined the
    staff there is nobody to ask, so what an operator asks for goes ahead at once.
    """
    now, barred = timezone.now(), barred_of(person)
    if _others_can(frozenset({model.permission}), barred):
        return None
    if not Staff.objects.exists():
        return now
    return max(now + ALONE, _lonely_from(barred, now))


def nobody_until(row: TwoPeople) -> datetime | None:
    """Return when one request goes ahead because nobody else holds its powers; None if one does."""
    now = timezone.now()
    if _others_can(row.powers, row.barred):
        return None
    return max(now + ALONE, _lonely_from(row.barred, now))


def _others_can(powers: frozenset[Permission], barred: list[int]) -> bool:
    return holders_of_all(powers).exclude(pk__in=barred).exists()


def _lonely_from(barred: list[int], now: datetime) -> datetime:
    """Return from when on nobody counts as one who could decide, but for these people."""
    others = Staff.objects.exclude(pk__in=barred)
    last: datetime | None = others.aggregate(last=Max("power_lost_at"))["last"]
    return now if last is None else last + LONELY


def due_to_go_ahead(model: type[Delayed]) -> models.QuerySet[Delayed]:
    """Return the requests whose moment has come, and which nobody has answered."""
    return model._default_manager.filter(
        state=AgreementState.ASKED, went_ahead_at=None, goes_ahead_at__lte=timezone.now()
    ).order_by("goes_ahead_at")


def go_ahead(model: type[Delayed], pk: UUID, *, urgent: bool = False) -> Delayed | None:
    """Let a request go ahead whose moment has come, and return its row, locked.

    None if somebody answered meanwhile, if it is too early, or if another person has come who can
    decide, or the asker may not ask for it any more: then the request waits for a person. An
    `urgent` one waits for nobody else. The caller carries it out in the same transaction.
    """
    row = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()
    now = timezone.now()
    if row is None or row.state != AgreementState.ASKED or row.went_ahead_at is not None:
        return None
    if row.goes_ahead_at is None or row.goes_ahead_at > now:
        return None
    until: datetime | None = now
    if not row.requester.may(model.permission):
        until = None
    elif not urgent:
        others = _others_can(row.powers, row.barred)
        until = None if others else _lonely_from(row.barred, now)
    if until is None or until > now:
        row.goes_ahead_at = until
        row.save(update_fields=["goes_ahead_at"])
        return None
    row.went_ahead_at = now
    if isinstance(row, TwoPeopleAnywhere):
        row.state, row.decided_at = AgreementState.APPROVED, now
    row.save(update_fields=["went_ahead_at", "state", "decided_at"])
    return row


def carry_out_due(due: models.QuerySet[Delayed], carry_out: Callable[[UUID], bool]) -> int:
    """Carry out the requests whose moment has come, each in a transaction; return how many.

    `carry_out` calls `go_ahead` with the id, and says whether anything came of it. What today's
    rules refuse waits for a person from then on, and holds up no other request.
    """
    count = 0
    for row in list(due[:AT_ONCE]):
        try:
            with transaction.atomic():
                count += carry_out(row.pk)
        except KinwardError as error:
            log.warning("agreement.cannot_go_ahead", request=str(row), error=str(error))
            due.filter(pk=row.pk).update(goes_ahead_at=None)
    return count

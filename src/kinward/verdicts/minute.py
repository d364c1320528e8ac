"""The minute of a verdict: it is given, and can be taken back before anything follows from it.

Nothing leaves Kinward in that minute: no action, no notice, no report. What the guidelines did at
once stays done. Then a job carries the verdict out, as `decide_case` does.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.casebook.api import PendingVerdict
from kinward.evidence.api import seal_excerpt
from kinward.ground.config import config
from kinward.ground.errors import KinwardError, NotFound
from kinward.ground.jobs import enqueue
from kinward.ledger.api import kinds, record
from kinward.verdicts.decision import decide_leased, rehearse
from kinward.verdicts.disputes import lock_case
from kinward.verdicts.form import VerdictForm, without_chat

log = structlog.get_logger(__name__)

CARRY_OUT: Final = "verdicts.carry_out"
MARGIN: Final = timedelta(minutes=5)  # for which the lease outlasts the minute


class MinuteNotOver(KinwardError):
    """This verdict can still be taken back. It is carried out when its minute is over."""

    code = "verdict.minute_not_over"
    status = 409


@transaction.atomic
def give_verdict(*, case_id: UUID, staff: Staff, form: VerdictForm) -> PendingVerdict | None:
    """Give a verdict that is carried out in a minute. Requires the lease.

    An escalation follows at once, and returns None: it takes nothing from anybody. Raises whatever
    the verdict would raise now.
    """
    staff.must(Permission.WORK_ON_CASES)
    if form.outcome == "escalated":
        decide_leased(case_id=case_id, staff=staff, form=form)
        return None
    case, _ = rehearse(case_id=case_id, staff=staff, form=form)
    if form.details.chat:
        seal_excerpt(case_id=case.id, text=form.details.chat, actor=staff.actor)
    due = timezone.now() + timedelta(seconds=config().take_back_seconds)
    pending = PendingVerdict.objects.create(
        case=case,
        given_by=staff,
        outcome=form.outcome,
        form=msgspec.to_builtins(without_chat(form)),
        due_at=due,
    )
    until = max(case.leased_until or due, due + MARGIN)
    type(case).objects.filter(pk=case.pk).update(leased_until=until)
    fact = kinds.VerdictPending(outcome=form.outcome, due=due.isoformat())
    record(actor=staff.actor, subject=str(case), fact=fact)
    enqueue(CARRY_OUT, at=due, pending_id=str(pending.id))
    return pending


@transaction.atomic
def take_back(*, case_id: UUID, staff: Staff) -> None:
    """Take back one's own verdict before it is carried out. Raises `NotFound` after that."""
    staff.must(Permission.WORK_ON_CASES)
    case, _ = lock_case(case_id)
    waiting = PendingVerdict.objects.select_for_update(of=("self",))
    pending = waiting.filter(case=case, given_by=staff, ended_at=None).first()
    if pending is None:
        raise NotFound("There is no verdict of yours to take back: it was carried out.")
    _end(pending)
    fact = kinds.VerdictTakenBack(outcome=pending.outcome)
    record(actor=staff.actor, subject=str(case), fact=fact)


@transaction.atomic
def carry_out_pending(pending_id: UUID) -> None:
    """Carry out a verdict whose minute is over. Idempotent.

    Raises `MinuteNotOver` before that, so that no job takes the minute from anybody. If it cannot
    be carried out any more, the case goes back to its reviewer with the problem.
    """
    pending = PendingVerdict.objects.select_related("given_by").get(pk=pending_id)
    case, _ = lock_case(pending.case_id)
    pending = PendingVerdict.objects.select_for_update(of=("self",)).get(pk=pending_id)
    if pending.ended_at is not None:
        return
    if pending.due_at > timezone.now():
        raise MinuteNotOver
    form = msgspec.convert(pending.form, VerdictForm)
    _end(pending)
    try:
        with transaction.atomic():
            decide_leased(case_id=case.pk, staff=pending.given_by, form=form, in_its_minute=True)
    except KinwardError as error:
        log.warning("verdict.dropped", case=str(case), error=str(error))
        _end(pending, str(error))
        fact = kinds.VerdictDropped(outcome=pending.outcome, problem=str(error)[:500])
        record(actor=Actor.system("cases"), subject=str(case), fact=fact)


def _end(pending: PendingVerdict, problem: str = "") -> None:
    """End a minute. What the form said is in the verdict by now, or is meant to be forgotten."""
    pending.ended_at, pending.problem, pending.form = timezone.now(), problem, {}
    pending.save(update_fields=["ended_at", "problem", "form"])

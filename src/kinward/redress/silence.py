"""Silence towards an account holder: one person keeps it for 90 days, and two keep it longer."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import (
    AlreadyDecided,
    Staff,
    alone_until,
    carry_out_due,
    decide_agreement,
    due_to_go_ahead,
    go_ahead,
)
from kinward.casebook.api import Act, require_fresh
from kinward.ground.errors import Invalid, KinwardError
from kinward.ledger.api import kinds, record
from kinward.redress.models import LongSilence, Statement
from kinward.redress.services import MAX_WHY, SHORT, lock_statement

LONGEST: Final = timedelta(days=3650)
MAX_REFERENCE: Final = 200


class SilenceTakesTwo(KinwardError):
    """Beyond 90 days, silence takes the reference of a legal order, and a second person."""

    code = "statement.silence_takes_two"
    status = 409


@transaction.atomic
def keep_silent(*, statement_id: UUID, until: datetime, why: str, staff: Staff) -> Statement:
    """Keep a statement from its account holder until a moment; a past one means soon.

    Raises `Invalid` if they were told already, and `SilenceTakesTwo` beyond 90 days since the
    statement was made.
    """
    staff.must(Permission.KEEP_SILENT)
    _check(until, why)
    statement = _untold(statement_id)
    if until.date() > (statement.made_at + SHORT).date():
        raise SilenceTakesTwo
    return _silence(statement, until, why.strip(), staff.actor)


@transaction.atomic
def request_long_silence(
    *, statement_id: UUID, until: datetime, why: str, reference: str, staff: Staff
) -> LongSilence:
    """Ask for a silence beyond 90 days, as a legal order wants it. Another person must approve it.

    Where nobody else holds the role it goes ahead by itself, a day later.
    """
    staff.must(LongSilence.permission)
    require_fresh(Act.LONG_SILENCE)
    _check(until, why)
    if not 1 <= len(reference.strip()) <= MAX_REFERENCE:
        raise SilenceTakesTwo(f"The reference has 1 to {MAX_REFERENCE} characters.")
    statement = _untold(statement_id)
    try:
        with transaction.atomic():
            asked = LongSilence.objects.create(
                statement=statement,
                until=until,
                why=why.strip(),
                reference=reference.strip(),
                asked_by=staff,
                goes_ahead_at=alone_until(LongSilence, staff),
            )
    except IntegrityError as error:
        raise AlreadyDecided("Somebody asked for it already.") from error
    record(
        actor=staff.actor,
        subject=str(statement),
        fact=kinds.StatementLongSilenceAsked(
            case=str(statement.case_id), until=until.isoformat(), reference=asked.reference
        ),
    )
    return asked


@transaction.atomic
def decide_long_silence(*, silence_id: UUID, approve: bool, staff: Staff) -> LongSilence:
    """Approve a long silence, or refuse it. Whoever asked may withdraw, but not approve."""
    if approve:
        require_fresh(Act.LONG_SILENCE)
    asked = decide_agreement(LongSilence, silence_id, approve=approve, staff=staff)
    if approve:
        _begin(asked, staff.actor)
    else:
        fact = kinds.StatementLongSilenceRefused(case=str(asked.statement.case_id))
        record(actor=staff.actor, subject=str(asked.statement), fact=fact)
    return asked


def begin_silences_alone() -> int:
    """Begin the long silences whose moment has come without an answer; return how many."""
    return carry_out_due(due_to_go_ahead(LongSilence), _go_ahead)


def _go_ahead(silence_id: UUID) -> bool:
    asked = go_ahead(LongSilence, silence_id)
    if asked is None or asked.statement.told_at is not None:
        return False
    _begin(asked, Actor.system("redress"))
    return True


def _begin(asked: LongSilence, actor: Actor) -> None:
    if not asked.carried_out:
        raise SilenceTakesTwo
    _silence(_untold(asked.statement_id), asked.until, asked.why, actor)


def _check(until: datetime, why: str) -> None:
    if not why.strip() or len(why) > MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    if until > timezone.now() + LONGEST:
        raise Invalid(f"A silence ends within {LONGEST.days} days.")


def _untold(statement_id: UUID) -> Statement:
    statement = lock_statement(statement_id)
    if statement.told_at is not None:
        raise Invalid("The account holder was told already.")
    return statement


def _silence(statement: Statement, until: datetime, why: str, actor: Actor) -> Statement:
    statement.silent_until, statement.silent_why = until, why
    statement.save(update_fields=["silent_until", "silent_why"])
    record(
        actor=actor,
        subject=str(statement),
        fact=kinds.StatementSilenced(case=str(statement.case_id), until=until.isoformat(), why=why),
    )
    return statement

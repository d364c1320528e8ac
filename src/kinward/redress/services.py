"""Stating reasons, keeping silent and telling; receiving an appeal, and settling it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.enforcement.api import notify_account
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.guidelines import Clause, Guidelines, Silence
from kinward.ledger.api import record
from kinward.people.api import Account
from kinward.policy import known_language
from kinward.redress.models import Appeal, AppealState, Stage, Statement
from kinward.redress.wording import reversal, statement_sentences, upheld

MAX_APPEAL: Final = 5000
MAX_WHY: Final = 200
LONGEST: Final = timedelta(days=3650)
ACTOR: Final = Actor.system("redress")


class AppealClosed(KinwardError):
    """This decision can no longer be appealed."""

    code = "appeal.closed"
    status = 409


class AlreadyAppealed(KinwardError):
    """There is already an appeal against this decision."""

    code = "appeal.already_made"
    status = 409


class AppealDecided(KinwardError):
    """Another person has already decided this appeal."""

    code = "appeal.decided"
    status = 409


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement rests on beside the clause; `content_on` is when the content was posted."""

    decisions: Sequence[dict[str, Any]]
    reported: bool
    automatic: bool = False
    media: Sequence[str] = ()
    content_on: datetime | None = None


@transaction.atomic
def state_reasons(
    *,
    account: Account,
    case_id: UUID,
    facts: Facts,
    guidelines: Guidelines,
    clause: Clause | None = None,
    silence: Silence | None = None,
) -> Statement:
    """State the reasons of a decision, and tell them unless that has to wait. Once a stage.

    Without a clause it is about what was done at once, before a person has looked.
    """
    stage = Stage.AT_ONCE if clause is None else Stage.VERDICT
    same = Statement.objects.filter(case_id=case_id, stage=stage).first()
    if same is not None:
        return same
    now, language = timezone.now(), known_language(account.language)
    made = Statement.objects.create(
        account=account,
        case_id=case_id,
        stage=stage,
        decisions=list(facts.decisions),
        guidelines=guidelines.label,
        clause=clause.code if clause else "",
        title=clause.says(language)[0] if clause else "",
        language=language,
        reported=facts.reported,
        automatic=facts.automatic,
        dsa=_for_the_database(facts, clause),
        silent_until=now + timedelta(days=silence.days) if silence else None,
        silent_why=silence.why if silence else "",
        appeal_until=now + timedelta(days=guidelines.appeal_days) if clause else None,
    )
    record(
        actor=ACTOR,
        kind="statement.made",
        subject=str(made),
        case=str(case_id),
        stage=str(stage),
        clause=made.clause,
        silent_until=None if made.silent_until is None else made.silent_until.isoformat(),
        silent_why=made.silent_why,
    )
    if made.silent_until is None:
        _tell(made)
    return made


def _for_the_database(facts: Facts, clause: Clause | None) -> dict[str, Any]:
    on = facts.content_on or timezone.now()
    about = clause.dsa if clause else None
    return {
        "content_date": on.date().isoformat(),
        "media": sorted(set(facts.media)),
        **({} if about is None else msgspec.to_builtins(about)),
    }


def _tell(statement: Statement) -> None:
    """Have the platform pass a statement on, in the caller's transaction."""
    _say(statement, "statement", statement_sentences(statement))
    statement.told_at = timezone.now()
    statement.save(update_fields=["told_at"])
    record(
        actor=ACTOR,
        kind="statement.told",
        subject=str(statement),
        case=str(statement.case_id),
    )


def _say(statement: Statement, topic: str, said: list[str]) -> None:
    until = statement.appeal_until
    notify_account(
        account=statement.account,
        notice={
            "topic": topic,
            "statement_id": str(statement.id),
            "language": statement.language,
            "sentence": " ".join(said),
            "appeal_until": None if until is None else until.isoformat(),
        },
        actor=ACTOR,
    )


@transaction.atomic
def tell_due(now: datetime) -> int:
    """Tell everybody whose silence is over; returns how many."""
    due = (
        Statement.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("account")
        .filter(told_at=None, reversed_at=None, silent_until__lte=now)
    )
    told = list(due[:500])
    for each in told:
        if each.appeal_until is not None and each.silent_until is not None:
            # Who could not know could not appeal: the time begins when they hear.
            each.appeal_until += each.silent_until - each.made_at
            each.save(update_fields=["appeal_until"])
        _tell(each)
    return len(told)


@transaction.atomic
def keep_silent(*, statement_id: UUID, until: datetime, why: str, staff: Staff) -> Statement:
    """Tell the account holder nothing until a day, for a reason. A past day tells them soon."""
    staff.must(Permission.KEEP_SILENT)
    now = timezone.now()
    if not why.strip() or len(why) > MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    if until > now + LONGEST:
        raise Invalid(f"A silence ends within {LONGEST.days} days.")
    found = _locked(statement_id)
    if found.told_at is not None:
        raise Invalid("The account holder was told already.")
    found.silent_until, found.silent_why = until, why.strip()
    found.save(update_fields=["silent_until", "silent_why"])
    record(
        actor=staff.actor,
        kind="statement.silenced",
        subject=str(found),
        case=str(found.case_id),
        until=until.isoformat(),
        why=found.silent_why,
    )
    return found


def _locked(statement_id: UUID) -> Statement:
    found = Statement.objects.select_for_update(of=("self",)).select_related("account")
    try:
        return found.get(pk=statement_id)
    except Statement.DoesNotExist as error:
        raise NotFound(f"There is no statement {statement_id}.") from error


@transaction.atomic
def file_appeal(
    *, account: Account, statement_id: UUID, text: str, days: int, actor: Actor
) -> Appeal:
    """Receive an appeal against a decision about an account; `days` until its answer is due."""
    if not text.strip() or len(text) > MAX_APPEAL:
        raise Invalid(f"An appeal says why, in at most {MAX_APPEAL} characters.")
    statement = _locked(statement_id)
    if statement.account_id != account.pk or statement.told_at is None:
        raise NotFound("There is no such decision about this account.")
    if Appeal.objects.filter(statement=statement).exists():
        raise AlreadyAppealed
    now = timezone.now()
    closed = statement.appeal_until is None or statement.appeal_until <= now
    if closed or statement.reversed_at is not None:
        raise AppealClosed
    made = Appeal.objects.create(
        statement=statement, text=text.strip(), due_at=now + timedelta(days=days)
    )
    record(
        actor=actor,
        kind="appeal.made",
        subject=str(made),
        case=str(statement.case_id),
        statement=str(statement),
    )
    return made


def get_appeal(appeal_id: UUID) -> Appeal:
    """The appeal by its id."""
    found = Appeal.objects.select_related("statement__account", "decided_by")
    try:
        return found.get(pk=appeal_id)
    except Appeal.DoesNotExist as error:
        raise NotFound(f"There is no appeal {appeal_id}.") from error


def settle_appeal(*, appeal_id: UUID, overturned: bool, note: str, staff: Staff) -> Appeal:
    """Answer an appeal, in the transaction of whoever gives back what was taken."""
    staff.must(Permission.DECIDE_APPEALS)
    found = Appeal.objects.select_for_update().filter(pk=appeal_id).first()
    if found is None:
        raise NotFound(f"There is no appeal {appeal_id}.")
    if found.state != AppealState.WAITING:
        raise AppealDecided(f"It is {found.state}.")
    found.state = AppealState.OVERTURNED if overturned else AppealState.UPHELD
    found.decided_by, found.decided_at, found.note = staff, timezone.now(), note
    found.save(update_fields=["state", "decided_by", "decided_at", "note"])
    statement = _locked(found.statement_id)
    record(
        actor=staff.actor,
        kind=f"appeal.{found.state}",
        subject=str(found),
        case=str(statement.case_id),
        statement=str(statement),
    )
    if not overturned:
        _say(statement, "appeal", upheld(statement))
    return found


def reverse_statements(case_id: UUID) -> None:
    """Say to whom it concerns that everything a case took was given back."""
    open_ones = Statement.objects.select_for_update(of=("self",)).select_related("account")
    for each in open_ones.filter(case_id=case_id, reversed_at=None).order_by("-made_at"):
        each.reversed_at = timezone.now()
        each.save(update_fields=["reversed_at"])
        last = each.stage == Stage.VERDICT or not _has_verdict(case_id)
        if each.told_at is not None and last:
            _say(each, "appeal" if each.stage == Stage.VERDICT else "statement", reversal(each))


def _has_verdict(case_id: UUID) -> bool:
    return Statement.objects.filter(case_id=case_id, stage=Stage.VERDICT).exists()

"""Statements of reasons, their silence and their telling; appeals, from filing to settlement."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import Staff
from kinward.casebook.api import SHORT_SILENCE_DAYS
from kinward.enforcement.api import notify_account
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.guidelines import Clause, Guidelines, Silence
from kinward.ledger.api import digest_of, kinds, receipt_address, record
from kinward.people.api import Account
from kinward.policy import known_language
from kinward.redress.models import Appeal, AppealState, Stage, Statement
from kinward.redress.wording import reversal, statement_sentences, upheld

MAX_APPEAL: Final = 5000
MAX_WHY: Final = 200
SHORT: Final = timedelta(days=SHORT_SILENCE_DAYS)
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
    """The facts of a statement beside its clause. `content_on` is when the content was posted."""

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
    """State the reasons for a decision, and tell the account holder unless `silence` delays it.

    One statement a case and stage: a repeated call returns the first. Without a clause the
    statement is about what was done at once, before a person has looked. No guidelines keep anybody
    silent for longer than 90 days: that takes two people and a legal order.
    """
    stage = Stage.AT_ONCE if clause is None else Stage.VERDICT
    earlier = Statement.objects.filter(case_id=case_id, stage=stage).first()
    if earlier is not None:
        return earlier
    now, language = timezone.now(), known_language(account.language)
    statement = Statement.objects.create(
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
        silent_until=now + min(timedelta(days=silence.days), SHORT) if silence else None,
        silent_why=silence.why if silence else "",
        appeal_until=now + timedelta(days=guidelines.appeal_days) if clause else None,
    )
    record(
        actor=ACTOR,
        subject=str(statement),
        fact=kinds.StatementMade(
            case=str(case_id),
            stage=str(stage),
            clause=statement.clause,
            silent_until=None
            if statement.silent_until is None
            else statement.silent_until.isoformat(),
            silent_why=statement.silent_why,
        ),
    )
    if statement.silent_until is None:
        _tell(statement)
    return statement


def _for_the_database(facts: Facts, clause: Clause | None) -> dict[str, Any]:
    on = facts.content_on or timezone.now()
    about = clause.dsa if clause else None
    return {
        "content_date": on.date().isoformat(),
        "media": sorted(set(facts.media)),
        **({} if about is None else msgspec.to_builtins(about)),
    }


def _tell(statement: Statement) -> None:
    """Have the platform pass on a statement, in the caller's transaction."""
    sentences = statement_sentences(statement)
    _say(statement, "statement", sentences)
    statement.told_at = timezone.now()
    statement.save(update_fields=["told_at"])
    record(
        actor=ACTOR,
        subject=str(statement),
        fact=kinds.StatementTold(case=str(statement.case_id), said=digest_of(sentences)),
    )


def _say(statement: Statement, topic: str, sentences: list[str]) -> None:
    until = statement.appeal_until
    notify_account(
        account=statement.account,
        notice={
            "topic": topic,
            "statement_id": str(statement.id),
            "language": statement.language,
            "sentence": " ".join(sentences),
            "receipt": receipt_address(statement.id),
            "appeal_until": None if until is None else until.isoformat(),
        },
        actor=ACTOR,
    )


@transaction.atomic
def tell_due(now: datetime) -> int:
    """Tell account holders whose silence is over, at most 500; return their number."""
    due = (
        Statement.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("account")
        .filter(told_at=None, reversed_at=None, silent_until__lte=now)
    )
    statements = list(due[:500])
    for statement in statements:
        if statement.appeal_until is not None and statement.silent_until is not None:
            # Nobody can appeal an unknown decision: the term begins when they are told.
            statement.appeal_until += statement.silent_until - statement.made_at
            statement.save(update_fields=["appeal_until"])
        _tell(statement)
    return len(statements)


def lock_statement(statement_id: UUID) -> Statement:
    """Lock a statement. Raises `NotFound`."""
    statements = Statement.objects.select_for_update(of=("self",)).select_related("account")
    try:
        return statements.get(pk=statement_id)
    except Statement.DoesNotExist as error:
        raise NotFound(f"There is no statement {statement_id}.") from error


@transaction.atomic
def file_appeal(
    *, account: Account, statement_id: UUID, text: str, days: int, actor: Actor
) -> Appeal:
    """File an appeal against a statement about an account. Its answer is due in `days` days.

    Raises `AlreadyAppealed` or `AppealClosed`.
    """
    if not text.strip() or len(text) > MAX_APPEAL:
        raise Invalid(f"An appeal says why, in at most {MAX_APPEAL} characters.")
    statement = lock_statement(statement_id)
    if statement.account_id != account.pk or statement.told_at is None:
        raise NotFound("There is no such decision about this account.")
    if Appeal.objects.filter(statement=statement).exists():
        raise AlreadyAppealed
    now = timezone.now()
    closed = statement.appeal_until is None or statement.appeal_until <= now
    if closed or statement.reversed_at is not None:
        raise AppealClosed
    appeal = Appeal.objects.create(
        statement=statement, text=text.strip(), due_at=now + timedelta(days=days)
    )
    record(
        actor=actor,
        subject=str(appeal),
        fact=kinds.AppealMade(case=str(statement.case_id), statement=str(statement)),
    )
    return appeal


def get_appeal(appeal_id: UUID) -> Appeal:
    """Return the appeal with this id. Raises `NotFound`."""
    appeals = Appeal.objects.select_related("statement__account", "decided_by")
    try:
        return appeals.get(pk=appeal_id)
    except Appeal.DoesNotExist as error:
        raise NotFound(f"There is no appeal {appeal_id}.") from error


def settle_appeal(*, appeal_id: UUID, overturned: bool, note: str, staff: Staff) -> Appeal:
    """Answer an appeal. The caller undoes the consequences in the same transaction.

    Raises `AppealDecided` if another person has answered it.
    """
    staff.must(Permission.DECIDE_APPEALS)
    appeal = Appeal.objects.select_for_update().filter(pk=appeal_id).first()
    if appeal is None:
        raise NotFound(f"There is no appeal {appeal_id}.")
    if appeal.state != AppealState.WAITING:
        raise AppealDecided(f"It is {appeal.state}.")
    appeal.state = AppealState.OVERTURNED if overturned else AppealState.UPHELD
    appeal.decided_by, appeal.decided_at, appeal.note = staff, timezone.now(), note
    appeal.save(update_fields=["state", "decided_by", "decided_at", "note"])
    statement = lock_statement(appeal.statement_id)
    answer = kinds.AppealOverturned if overturned else kinds.AppealUpheld
    record(
        actor=staff.actor,
        subject=str(appeal),
        fact=answer(case=str(statement.case_id), statement=str(statement)),
    )
    if not overturned:
        _say(statement, "appeal", upheld(statement))
    return appeal


def reverse_statements(case_id: UUID) -> None:
    """Mark a case's statements as reversed, and tell the account holder that all was given back."""
    open_ones = Statement.objects.select_for_update(of=("self",)).select_related("account")
    for statement in open_ones.filter(case_id=case_id, reversed_at=None).order_by("-made_at"):
        statement.reversed_at = timezone.now()
        statement.save(update_fields=["reversed_at"])
        last = statement.stage == Stage.VERDICT or not _has_verdict(case_id)
        if statement.told_at is not None and last:
            _say(
                statement,
                "appeal" if statement.stage == Stage.VERDICT else "statement",
                reversal(statement),
            )


def _has_verdict(case_id: UUID) -> bool:
    return Statement.objects.filter(case_id=case_id, stage=Stage.VERDICT).exists()

"""Working on a case: taking it, letting go of it, deciding it; closing it when it is reported."""

from datetime import timedelta
from typing import Final, Literal, get_args
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.access.permissions import Permission
from kinward.cases.acting import FILE_REPORT
from kinward.cases.concluding import conclude, move
from kinward.cases.disputes import disputed_teens, disputes
from kinward.cases.drafting import ReportDetails, check_details, vocabulary_for
from kinward.cases.models import MAX_NOTE, Case, Comment, Verdict
from kinward.cases.queries import free_for
from kinward.cases.states import UNDECIDED, CaseState, check_move
from kinward.config import config
from kinward.errors import Invalid, KinwardError, NotFound
from kinward.evidence.queries import of_case as evidence_of
from kinward.evidence.services import seal_excerpt
from kinward.families import ending
from kinward.guidelines.queries import in_force
from kinward.jobs import enqueue
from kinward.ledger.services import record
from kinward.people.services import lock_account, lock_accounts
from kinward.redress.queries import appeal_waits
from kinward.redress.services import MAX_WHY
from kinward.reporting.models import Report, ReportState
from kinward.reporting.queries import reports_of_case
from kinward.reporting.services import get_report, handed_over, unpark

MAX_SILENCE: Final = 3650

Decision = Literal["confirmed", "dismissed", "escalated"]
DECISIONS: Final = get_args(Decision)


class LeaseHeld(KinwardError):
    """Somebody else is working on this case."""

    code = "case.lease_held"
    status = 409


class LeaseNeeded(KinwardError):
    """Take this case first: your lease on it has ended."""

    code = "case.lease_needed"
    status = 409


class NeedsAnotherPerson(KinwardError):
    """You escalated this case. Another person has to decide it."""

    code = "case.needs_another_person"
    status = 409


class DisputeOpen(KinwardError):
    """Say first what becomes of the pairing that is disputed: it ends, or it goes on."""

    code = "case.dispute_open"
    status = 409


class VerdictForm(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer decides; `classifications` is by evidence id. Little of it is required.

    `bank`: the hashes of what is confirmed go into our own bank, so that copies are found.
    `silent_days`: so long the account holder is told nothing, for the reason given.
    """

    outcome: Decision
    clause: str = ""
    note: str = ""
    classifications: dict[str, str] = {}
    annotations: list[str] = []
    details: ReportDetails = ReportDetails()
    bank: bool = False
    silent_days: int = 0
    silent_why: str = ""


def get_case(case_id: UUID) -> Case:
    """The case by its id."""
    try:
        return Case.objects.select_related("account", "leased_by").get(pk=case_id)
    except Case.DoesNotExist as error:
        raise NotFound(f"There is no case {case_id}.") from error


@transaction.atomic
def take(*, case: Case, staff: Staff) -> Case:
    """Lease a case, or renew the lease, so that nobody else works on it meanwhile.

    It is undecided, or an appeal waits.
    """
    staff.must(Permission.WORK_ON_CASES)
    now = timezone.now()
    current = get_case(case.pk)
    if current.state not in UNDECIDED and not appeal_waits(current.pk):
        raise LeaseNeeded(f"It is {current.state} and no longer needs work.")
    free = Q(leased_by=None) | Q(leased_until__lt=now) | Q(leased_by=staff)
    until = now + timedelta(minutes=config().lease_minutes)
    taken = Case.objects.filter(free, pk=case.pk, state=current.state).update(
        leased_by=staff, leased_until=until
    )
    fresh = get_case(case.pk)
    if not taken:
        if fresh.leased_by is None or fresh.leased_until is None:
            raise LeaseNeeded(f"It is {fresh.state} now.")
        raise LeaseHeld(f"{fresh.leased_by} has it until {fresh.leased_until:%H:%M} UTC.")
    if case.leased_by_id != staff.pk:
        record(actor=staff.actor, kind="case.taken", subject=str(case))
    return fresh


@transaction.atomic
def take_next(*, staff: Staff) -> Case | None:
    """Lease the first case that is free for this person; None if there is none.

    What others are taking at this moment is passed over, so that nobody waits and nobody shares.
    """
    staff.must(Permission.WORK_ON_CASES)
    case = free_for(staff).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    return None if case is None else take(case=case, staff=staff)


@transaction.atomic
def free(*, case_id: UUID, staff: Staff, why: str) -> None:
    """Take a case out of another's hands, so that somebody else can go on with it."""
    staff.must(Permission.FREE_CASES)
    if not why.strip() or len(why) > MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    case = Case.objects.select_for_update(no_key=True).filter(pk=case_id).first()
    if case is None or case.leased_by is None:
        raise NotFound("Nobody holds this case.")
    held_by = str(case.leased_by.actor)
    case.leased_by, case.leased_until = None, None
    case.save(update_fields=["leased_by", "leased_until", "changed_at"])
    record(
        actor=staff.actor, kind="case.freed", subject=str(case), held_by=held_by, why=why.strip()
    )


@transaction.atomic
def comment(*, case: Case, staff: Staff, text: str) -> Comment:
    """Write a comment beside a case, for colleagues; it goes nowhere else."""
    staff.must(Permission.WORK_ON_CASES)
    if not text.strip() or len(text) > MAX_NOTE:
        raise Invalid(f"A comment has 1 to {MAX_NOTE} characters.")
    made = Comment.objects.create(case=case, staff=staff, text=text.strip())
    record(actor=staff.actor, kind="case.commented", subject=str(case), comment=made.pk)
    return made


@transaction.atomic
def give_up(*, case: Case, staff: Staff) -> None:
    """Let go of a case without deciding it."""
    staff.must(Permission.WORK_ON_CASES)
    held = Case.objects.filter(pk=case.pk, leased_by=staff)
    if held.update(leased_by=None, leased_until=None):
        record(actor=staff.actor, kind="case.given_up", subject=str(case))


def require_lease(case: Case, staff: Staff) -> None:
    """Raise unless this person holds the case now."""
    current = case.leased_until is not None and case.leased_until > timezone.now()
    if case.leased_by_id != staff.pk or not current:
        raise LeaseNeeded


@transaction.atomic
def decide(*, case_id: UUID, staff: Staff, form: VerdictForm) -> Case:
    """Give a verdict, and set in motion what follows from it, in one transaction."""
    staff.must(Permission.WORK_ON_CASES)
    account_id = get_case(case_id).account_id
    lock_accounts(account_id, *disputed_teens(case_id))
    account = lock_account(account_id)
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    check_move(case.state, CaseState(form.outcome))
    require_lease(case, staff)
    _check_form(case, staff, form)
    if form.details.chat:
        seal_excerpt(case_id=case.id, text=form.details.chat, actor=staff.actor)
    details = msgspec.structs.replace(form.details, chat="")
    given = msgspec.structs.asdict(form) | {"details": msgspec.to_builtins(details)}
    conclude(case, account, Verdict(case=case, given_by=staff, **given))
    return case


@transaction.atomic
def settle_dispute(*, case: Case, pairing_id: UUID, ends: bool, staff: Staff) -> None:
    """Whoever holds a case says what becomes of a pairing that it disputes."""
    staff.must(Permission.WORK_ON_CASES)
    require_lease(get_case(case.id), staff)
    if pairing_id not in {each.pk for each in disputes(case.id)}:
        raise NotFound("This case disputes no such pairing.")
    ending.settle_dispute(pairing_id=pairing_id, ends=ends, actor=staff.actor)


def _check_form(case: Case, staff: Staff, form: VerdictForm) -> None:
    if form.outcome == "confirmed" and form.clause not in in_force().clauses:
        raise Invalid("Choose the clause of the guidelines that was broken.")
    if len(form.note) > MAX_NOTE:
        raise Invalid(f"A note has at most {MAX_NOTE} characters.")
    if not 0 <= form.silent_days <= MAX_SILENCE or len(form.silent_why) > MAX_WHY:
        raise Invalid(f"A silence has at most {MAX_SILENCE} days, its reason {MAX_WHY} characters.")
    if form.silent_days and not form.silent_why.strip():
        raise Invalid("Say why the account holder is to be told nothing.")
    check_details(form.details)
    _check_words(case, form)
    if form.outcome == "dismissed" and disputed_teens(case.id):
        raise DisputeOpen
    if case.state == CaseState.ESCALATED and case.verdicts.filter(given_by=staff).exists():
        raise NeedsAnotherPerson


def _check_words(case: Case, form: VerdictForm) -> None:
    """Raise `Invalid` where the form says what none of the case's authorities has a word for."""
    words = vocabulary_for(case.account)
    files = {str(file.pk) for file in evidence_of(case.id) if not file.is_excerpt}
    for evidence_id, classification in form.classifications.items():
        if evidence_id not in files or classification not in ("", *words.classes):
            scale = ", ".join(words.classes) or "empty: its authority has no scale"
            raise Invalid(f"A classification names a file of this case and is {scale}.")
    if unknown := set(form.annotations) - set(words.annotations):
        raise Invalid(f"Unknown annotation {min(unknown)!r}.")


@transaction.atomic
def close_reported(case_id: UUID) -> None:
    """Close a confirmed case when all of its reports are finished. Idempotent."""
    case = Case.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.state in (CaseState.REPORTED, CaseState.OVERTURNED):
        return
    reports = list(reports_of_case(case_id))
    if any(report.state != ReportState.FINISHED for report in reports):
        return
    move(case, CaseState.REPORTED)
    numbers = {report.authority: report.external_id for report in reports}
    record(actor=Actor.system("cases"), kind="case.reported", subject=str(case), numbers=numbers)


@transaction.atomic
def hand_over_report(*, report_id: UUID, reference: str, to: str, staff: Staff) -> Case:
    """Finish a report that a person brought to its authority; close the case if it was the last."""
    case_id = get_report(report_id).case_id
    Case.objects.select_for_update(no_key=True).filter(pk=case_id).first()  # before the ledger
    handed_over(report_id=report_id, reference=reference, to=to, staff=staff)
    close_reported(case_id)
    return get_case(case_id)


@transaction.atomic
def refile(*, report: Report, actor: Actor) -> None:
    """Send a case's parked report on its way again."""
    actor.must(Permission.REPLAY)
    unpark(report=report, actor=actor)
    enqueue(FILE_REPORT, report_id=str(report.id))

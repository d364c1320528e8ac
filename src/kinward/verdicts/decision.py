"""Decide a case."""

from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction

from kinward.access import Permission
from kinward.access.api import Staff, is_alone
from kinward.casebook.api import (
    MAX_NOTE,
    SHORT_SILENCE_DAYS,
    Case,
    CaseState,
    VerdictProposal,
    check_move,
    get_case,
)
from kinward.evidence.api import (
    SecondPersonNeeded,
    evidence_of_case,
    issue_warrant,
    seal_excerpt,
)
from kinward.families.api import allow_pairing_again, settle_pairing_dispute
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.guidelines.api import guidelines_in_force
from kinward.redress.api import MAX_WHY
from kinward.review.api import require_lease
from kinward.verdicts.conclusion import conclude
from kinward.verdicts.disputes import (
    DisputeOpen,
    barred_pairings,
    disputed_pairings,
    leaves_undecided,
    lock_case,
)
from kinward.verdicts.draft import check_details, vocabulary_for
from kinward.verdicts.form import VerdictForm, verdict_of
from kinward.verdicts.plan import Plan, plan_verdict
from kinward.verdicts.proposals import (
    ProposalOpen,
    WordsNeeded,
    open_proposal,
    propose_verdict,
)

MAX_SILENCE: Final = SHORT_SILENCE_DAYS  # a longer one takes a legal order and two people


class NeedsAnotherPerson(KinwardError):
    """You escalated this case. Another person has to decide it."""

    code = "case.needs_another_person"
    status = 409


class VerdictInItsMinute(KinwardError):
    """A verdict on this case was given, and is carried out in a minute. Take it back, or wait."""

    code = "case.verdict_pending"
    status = 409


class Rehearsal(msgspec.Struct, frozen=True):
    """What a verdict would do, and why it takes a second person, if it does."""

    plan: Plan
    reasons: list[str] = []


@transaction.atomic
def decide_case(*, case_id: UUID, staff: Staff, form: VerdictForm) -> Case:
    """Give a verdict and start its consequences, in one transaction. Requires the lease.

    What takes two people is proposed instead: the case is then escalated, and another person
    agrees or not. Raises `GroundsNeeded` for what nobody does unseen.
    """
    staff.must(Permission.WORK_ON_CASES)
    return decide_leased(case_id=case_id, staff=staff, form=form)


@transaction.atomic
def decide_leased(
    *, case_id: UUID, staff: Staff, form: VerdictForm, in_its_minute: bool = False
) -> Case:
    """Decide a case. After the minute of its verdict nobody asks for the lease again."""
    staff.must(Permission.WORK_ON_CASES)
    case, account = lock_case(case_id)
    _check(case, staff, form, in_its_minute=in_its_minute)
    if form.details.chat:
        seal_excerpt(case_id=case.id, text=form.details.chat, actor=staff.actor)
    verdict = verdict_of(case, staff, form)
    try:
        conclude(case, account, verdict)
    except SecondPersonNeeded as needed:
        propose_verdict(
            case=case, account=account, verdict=verdict, form=form, reasons=needed.reasons
        )
    return case


@transaction.atomic
def rehearse(*, case_id: UUID, staff: Staff, form: VerdictForm) -> tuple[Case, Rehearsal]:
    """Return what a verdict would do now, and write nothing. Raises what the verdict would raise.

    The case is locked until the transaction ends.
    """
    staff.must(Permission.WORK_ON_CASES)
    case, account = lock_case(case_id)
    _check(case, staff, form)
    verdict = verdict_of(case, staff, form)
    plan = plan_verdict(case, account, verdict, guidelines_in_force())
    try:
        issue_warrant(case=case, verdict=verdict, acts=plan.acts, more=plan.more)
    except SecondPersonNeeded as needed:
        if not form.note.strip():
            raise WordsNeeded from needed
        return case, Rehearsal(plan, needed.reasons)
    return case, Rehearsal(plan)


def _check(case: Case, staff: Staff, form: VerdictForm, *, in_its_minute: bool = False) -> None:
    check_move(case.state, CaseState(form.outcome))
    if not in_its_minute:
        require_lease(case, staff)
        if case.pending.filter(ended_at=None).exists():
            raise VerdictInItsMinute
    _check_form(case, staff, form)


@transaction.atomic
def settle_case_dispute(*, case: Case, pairing_id: UUID, ends: bool, staff: Staff) -> None:
    """End a pairing that the case disputes, or let it resume. Requires the lease."""
    staff.must(Permission.WORK_ON_CASES)
    require_lease(get_case(case.id), staff)
    if pairing_id not in {pairing.pk for pairing in disputed_pairings(case.id)}:
        raise NotFound("This case disputes no such pairing.")
    settle_pairing_dispute(pairing_id=pairing_id, ends=ends, actor=staff.actor)


@transaction.atomic
def allow_again(*, case: Case, pairing_id: UUID, staff: Staff) -> None:
    """Let two people pair again whose pairing the case ended. Takes a senior reviewer."""
    staff.must(Permission.FREE_CASES)
    if pairing_id not in {pairing.pk for pairing in barred_pairings(case.id)}:
        raise NotFound("This case keeps nobody from pairing.")
    allow_pairing_again(pairing_id=pairing_id, actor=staff.actor)


def _check_form(case: Case, staff: Staff, form: VerdictForm) -> None:
    if open_proposal(case) is not None:
        raise ProposalOpen
    if form.outcome == "confirmed" and form.clause not in guidelines_in_force().clauses:
        raise Invalid("Choose the clause of the guidelines that was broken.")
    if len(form.note) > MAX_NOTE:
        raise Invalid(f"A note has at most {MAX_NOTE} characters.")
    if not 0 <= form.silent_days <= MAX_SILENCE or len(form.silent_why) > MAX_WHY:
        raise Invalid(
            f"A verdict keeps silent for at most {MAX_SILENCE} days, with a reason of at most "
            f"{MAX_WHY} characters. A longer silence takes a legal order and a second person."
        )
    if form.silent_days and not form.silent_why.strip():
        raise Invalid("Say why the statement must wait.")
    check_details(form.details)
    _check_words(case, form)
    if form.outcome != "escalated" and leaves_undecided(case, form.outcome):
        raise DisputeOpen
    escalated = case.state == CaseState.ESCALATED and case.verdicts.filter(given_by=staff).exists()
    if escalated and not is_alone(VerdictProposal, staff):
        raise NeedsAnotherPerson


def _check_words(case: Case, form: VerdictForm) -> None:
    """Raise `Invalid` unless the case's authorities know every word of the form.

    Their plug-ins are asked only about words, so that a case can be dismissed without them.
    """
    if not form.annotations and not any(form.classifications.values()):
        return
    words = vocabulary_for(case.account)
    files = {str(file.pk) for file in evidence_of_case(case.id) if not file.is_excerpt}
    for evidence_id, classification in form.classifications.items():
        if evidence_id not in files or classification not in ("", *words.classes):
            scale = ", ".join(words.classes) or "empty: its authority has no scale"
            raise Invalid(f"A classification names a file of this case and is {scale}.")
    if unknown := set(form.annotations) - set(words.annotations):
        raise Invalid(f"Unknown annotation {min(unknown)!r}.")

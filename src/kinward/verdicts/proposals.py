"""Verdicts that take two people: proposed with grounds, and agreed to by a second person.

What protects at once does not wait: the content is hidden, and the account's contact with others is
paused. The second person records what they saw before they read what the first one wrote.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.db import transaction
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import (
    AgreementState,
    AlreadyDecided,
    Staff,
    alone_until,
    carry_out_due,
    decide_agreement,
    due_to_go_ahead,
    go_ahead,
)
from kinward.casebook.api import (
    ENDS,
    MAX_NOTE,
    UNDECIDED,
    Case,
    CaseState,
    Verdict,
    VerdictProposal,
)
from kinward.enforcement.api import (
    Effect,
    SanctionKind,
    impose_sanction,
    issue_content_action,
    sanctioned_by,
)
from kinward.evidence.api import MOSTLY, ONE_WORD, GroundsNeeded, grounds_of
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.guidelines.api import guidelines_in_force
from kinward.ledger.api import kinds, record
from kinward.people.api import LockedAccount
from kinward.review.api import require_lease
from kinward.verdicts.conclusion import conclude, move_case
from kinward.verdicts.consequences import contents_of_case
from kinward.verdicts.disputes import DisputeOpen, leaves_undecided, lock_case
from kinward.verdicts.form import VerdictForm, verdict_of_proposal, without_chat
from kinward.verdicts.plan import plan_verdict
from kinward.verdicts.statement import state_protection

log = structlog.get_logger(__name__)

URGENT: Final = timedelta(minutes=15)
MAY_BE_URGENT: Final = frozenset({ONE_WORD, MOSTLY})
CONTACT: Final = ("dm.send", "comment.send", "live.host")  # paused until two people have decided
ACTOR: Final = Actor.system("cases")


class WordsNeeded(KinwardError):
    """Another person has to agree to this. Write in the note what you saw, then give it again."""

    code = "verdict.words_needed"
    status = 409


class ProposalOpen(KinwardError):
    """A verdict on this case waits for a second person. Agree to it, or not, before another."""

    code = "verdict.proposal_open"
    status = 409


def open_proposal(case: Case) -> VerdictProposal | None:
    """Return the proposed verdict of a case that waits for a second person.

    None if the case was decided otherwise meanwhile, such as by a rule.
    """
    if case.state not in UNDECIDED:
        return None
    waiting = case.proposals.filter(state=AgreementState.ASKED, went_ahead_at=None)
    return waiting.select_related("asked_by", "second_by").first()


def propose_verdict(
    *, case: Case, account: LockedAccount, verdict: Verdict, form: VerdictForm, reasons: list[str]
) -> VerdictProposal:
    """Propose a verdict, and protect at once. Requires the case's row lock.

    Raises `WordsNeeded` without a note: it is what the second person compares with.
    """
    staff = verdict.given_by
    if staff is None or not form.note.strip():
        raise WordsNeeded
    now = timezone.now()
    urgent = bool(form.details.escalate.strip()) and set(reasons) <= MAY_BE_URGENT
    goes_ahead_at = now + URGENT if urgent else alone_until(VerdictProposal, staff)
    proposal = VerdictProposal.objects.create(
        case=case,
        asked_by=staff,
        outcome=form.outcome,
        clause=form.clause,
        form=msgspec.to_builtins(without_chat(form)),
        reasons=reasons,
        first_words=form.note.strip(),
        urgent=urgent,
        goes_ahead_at=goes_ahead_at,
    )
    _leave_to_another(case, staff)
    record(
        actor=staff.actor,
        subject=str(case),
        fact=kinds.VerdictProposed(
            proposal=str(proposal.id),
            reasons=reasons,
            goes_ahead_at=None if goes_ahead_at is None else goes_ahead_at.isoformat(),
        ),
    )
    _protect(case, account, verdict)
    return proposal


def _leave_to_another(case: Case, staff: Staff) -> None:
    """Have a case wait for another person. The escalation says nothing of what was proposed."""
    if case.state == CaseState.ESCALATED:
        case.leased_by, case.leased_until = None, None
        case.save(update_fields=["leased_by", "leased_until", "changed_at"])
        return
    move_case(case, CaseState.ESCALATED)
    label = guidelines_in_force().label
    escalated = Verdict.objects.create(
        case=case, outcome=CaseState.ESCALATED, given_by=staff, guidelines=label, grounds=[]
    )
    fact = kinds.CaseEscalated(verdict=str(escalated.id), clause="", guidelines=label)
    record(actor=staff.actor, subject=str(case), fact=fact)


def _protect(case: Case, account: LockedAccount, verdict: Verdict) -> None:
    """Hide the content and pause contact, if the verdict would remove it or end the account."""
    guidelines = guidelines_in_force()
    plan = plan_verdict(case, account, verdict, guidelines)
    if plan.what is None:
        return
    if plan.what.removes:
        for content_id in contents_of_case(case):
            issue_content_action(
                case_id=case.id,
                account=account,
                effect=Effect.QUARANTINE,
                content_id=content_id,
                actor=ACTOR,
            )
    if ENDS & plan.acts and not sanctioned_by(case.id, account):
        impose_sanction(
            account=account,
            case_id=case.id,
            kind=SanctionKind.RESTRICT,
            capabilities=CONTACT,
            actor=ACTOR,
        )
    state_protection(case, account, guidelines.clauses[verdict.clause], guidelines)


@transaction.atomic
def write_second_word(*, proposal_id: UUID, words: str, staff: Staff) -> VerdictProposal:
    """Record what a second person saw. After that they may read the proposal.

    Requires the lease. Raises `GroundsNeeded` unless they have seen what can be seen.
    """
    staff.must(Permission.WORK_ON_CASES)
    case, _account = lock_case(get_proposal(proposal_id).case_id)
    require_lease(case, staff)
    proposal = VerdictProposal.objects.select_for_update(of=("self",)).get(pk=proposal_id)
    if proposal.asked_by_id == staff.pk or proposal.carried_out:
        raise NotFound("No verdict waits for you here.")
    if not words.strip() or len(words) > MAX_NOTE:
        raise Invalid(f"Enter what you saw, in at most {MAX_NOTE} characters.")
    if not grounds_of(case, staff, lists=False):
        raise GroundsNeeded
    proposal.second_by, proposal.second_words = staff, words.strip()
    proposal.save(update_fields=["second_by", "second_words"])
    fact = kinds.VerdictSecondWord(proposal=str(proposal.id))
    record(actor=staff.actor, subject=str(case), fact=fact)
    return proposal


@transaction.atomic
def answer_proposal(*, proposal_id: UUID, agree: bool, staff: Staff) -> Case:
    """Agree to a proposed verdict, which carries it out, or not. Requires the lease and own words.

    Whoever proposed it may withdraw it, and needs neither.
    """
    staff.must(Permission.WORK_ON_CASES)
    proposal = get_proposal(proposal_id)
    case, account = lock_case(proposal.case_id)
    proposal = get_proposal(proposal_id)
    if proposal.state != AgreementState.ASKED or proposal.went_ahead_at is not None:
        raise AlreadyDecided
    if proposal.asked_by_id != staff.pk:
        require_lease(case, staff)
        if proposal.second_by_id != staff.pk:
            raise Invalid("First enter what you saw.")
    proposal = decide_agreement(VerdictProposal, proposal_id, approve=agree, staff=staff)
    answer = kinds.VerdictAgreed if agree else kinds.VerdictNotAgreed
    record(actor=staff.actor, subject=str(case), fact=answer(proposal=str(proposal.id)))
    if agree:
        _conclude(case, account, proposal)
    return case


def _conclude(case: Case, account: LockedAccount, proposal: VerdictProposal) -> Verdict:
    if proposal.outcome != CaseState.ESCALATED and leaves_undecided(case, proposal.outcome):
        raise DisputeOpen
    if proposal.clause and proposal.clause not in guidelines_in_force().clauses:
        raise Invalid("The guidelines have changed, and this clause is gone.")
    verdict = verdict_of_proposal(case, proposal)
    try:
        conclude(case, account, verdict)
    except GroundsNeeded as error:
        raise GroundsNeeded(
            "The case has grown, and whoever proposed this has seen nothing of what it holds now. "
            "Do not agree. Then decide anew."
        ) from error
    return verdict


def go_ahead_alone() -> int:
    """Carry out the proposals whose moment has come without an answer; return how many."""
    due = due_to_go_ahead(VerdictProposal).filter(case__state__in=UNDECIDED)
    return carry_out_due(due, _go_ahead)


def _go_ahead(proposal_id: UUID) -> bool:
    proposal = get_proposal(proposal_id)
    case, account = lock_case(proposal.case_id)
    if case.state not in UNDECIDED:
        return False
    row = go_ahead(VerdictProposal, proposal.pk, urgent=proposal.urgent)
    if row is None:
        return False
    fact = kinds.VerdictWentAhead(proposal=str(row.id), urgent=row.urgent)
    record(actor=ACTOR, subject=str(case), fact=fact)
    _conclude(case, account, row)
    return True


def get_proposal(proposal_id: UUID) -> VerdictProposal:
    """Return a proposed verdict by its id. Raises `NotFound`."""
    proposals = VerdictProposal.objects.select_related("asked_by", "second_by")
    try:
        return proposals.get(pk=proposal_id)
    except VerdictProposal.DoesNotExist as error:
        raise NotFound(f"There is no proposed verdict {proposal_id}.") from error

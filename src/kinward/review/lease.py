"""Lease a case, so that one person at a time works on it."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kinward.access import Permission
from kinward.access.api import AgreementState, Staff
from kinward.casebook.api import UNDECIDED, Case, get_case
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record
from kinward.redress.api import MAX_WHY, appeal_waits
from kinward.review.queue import cases_free_for, free_for


class LeaseHeld(KinwardError):
    """Somebody else is working on this case."""

    code = "case.lease_held"
    status = 409


class LeaseNeeded(KinwardError):
    """Take this case first: your lease on it has ended."""

    code = "case.lease_needed"
    status = 409


class OwnProposal(KinwardError):
    """Your verdict on this case waits for another person. Leave the case to them, or withdraw."""

    code = "case.own_proposal"
    status = 409


@transaction.atomic
def take_case(*, case: Case, staff: Staff) -> Case:
    """Lease a case or renew the lease, so that nobody else works on it meanwhile.

    The case is undecided or has a waiting appeal. Raises `LeaseNeeded` otherwise, `LeaseHeld` if
    somebody else has the lease, and `OwnProposal` if this person's own verdict waits for another.
    """
    staff.must(Permission.WORK_ON_CASES)
    now = timezone.now()
    current = get_case(case.pk)
    if current.state not in UNDECIDED and not appeal_waits(current.pk):
        raise LeaseNeeded(f"It is {current.state} and no longer needs work.")
    own = current.proposals.filter(asked_by=staff, state=AgreementState.ASKED, went_ahead_at=None)
    if current.state in UNDECIDED and own.exists():
        raise OwnProposal
    until = now + timedelta(minutes=config().lease_minutes)
    taken = Case.objects.filter(free_for(staff), pk=case.pk, state=current.state).update(
        leased_by=staff, leased_until=until
    )
    fresh = get_case(case.pk)
    if not taken:
        if fresh.leased_by is None or fresh.leased_until is None:
            raise LeaseNeeded(f"It is {fresh.state} now.")
        raise LeaseHeld(f"{fresh.leased_by} has it until {fresh.leased_until:%H:%M} UTC.")
    if case.leased_by_id != staff.pk:
        record(actor=staff.actor, subject=str(case), fact=kinds.CaseTaken())
    return fresh


@transaction.atomic
def take_next_case(*, staff: Staff) -> Case | None:
    """Lease the first case that is free for this person, or return None.

    Skips cases that others are taking at this moment, so that nobody waits and nobody shares.
    """
    staff.must(Permission.WORK_ON_CASES)
    case = (
        cases_free_for(staff).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    )
    return None if case is None else take_case(case=case, staff=staff)


@transaction.atomic
def free_case(*, case_id: UUID, staff: Staff, why: str) -> None:
    """End another person's lease, so that somebody else can work on the case."""
    staff.must(Permission.FREE_CASES)
    if not why.strip() or len(why) > MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    case = Case.objects.select_for_update(no_key=True).filter(pk=case_id).first()
    if case is None or case.leased_by is None:
        raise NotFound("Nobody has a lease on this case.")
    held_by = str(case.leased_by.actor)
    case.leased_by, case.leased_until = None, None
    case.save(update_fields=["leased_by", "leased_until", "changed_at"])
    record(
        actor=staff.actor, subject=str(case), fact=kinds.CaseFreed(held_by=held_by, why=why.strip())
    )


@transaction.atomic
def release_lease(*, case: Case, staff: Staff) -> None:
    """Give up one's own lease without deciding the case."""
    staff.must(Permission.WORK_ON_CASES)
    leased = Case.objects.filter(pk=case.pk, leased_by=staff)
    if leased.update(leased_by=None, leased_until=None):
        record(actor=staff.actor, subject=str(case), fact=kinds.CaseGivenUp())


def require_lease(case: Case, staff: Staff) -> None:
    """Raise `LeaseNeeded` unless this person has the lease now."""
    current = case.leased_until is not None and case.leased_until > timezone.now()
    if case.leased_by_id != staff.pk or not current:
        raise LeaseNeeded

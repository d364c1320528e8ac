"""Destroying a case's evidence because an authority asks (18 USC 2258B(c)), by two people.

It cannot be undone, so one custodian asks and another agrees, and what is still needed stays: a
case without a verdict, a report that is not finished, an appeal, a legal hold.
"""

from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward.access.models import Staff
from kinward.access.roles import CUSTODY
from kinward.cases.models import Case, Destruction, DestructionState
from kinward.cases.services import get_case
from kinward.cases.states import UNDECIDED
from kinward.errors import Forbidden, Invalid, KinwardError, NotFound
from kinward.evidence.services import destroy_on_request
from kinward.ledger.services import record
from kinward.people.services import lock_account
from kinward.redress.queries import appeal_waits
from kinward.reporting.models import SETTLED
from kinward.reporting.queries import reports_of_case

MAX_TEXT: Final = 200


class DestructionDecided(KinwardError):
    """This destruction was decided on already."""

    code = "destruction.decided"
    status = 409


class StillNeeded(KinwardError):
    """This evidence is still needed, so it cannot be destroyed."""

    code = "destruction.still_needed"
    status = 409


class DestructionForm(msgspec.Struct, frozen=True):
    """Which case's evidence is to be destroyed, who asks for it, and their reference."""

    case_id: UUID
    asked_for_by: str
    reference: str


@transaction.atomic
def ask(*, form: DestructionForm, staff: Staff) -> Destruction:
    """Ask for a destruction."""
    staff.must(CUSTODY, "Destroying evidence")
    for name in ("asked_for_by", "reference"):
        if not 1 <= len(getattr(form, name).strip()) <= MAX_TEXT:
            raise Invalid("Say which authority asks, and its reference, in 1 to 200 characters.")
    case = get_case(form.case_id)
    _require_free(case)
    made = Destruction.objects.create(
        case=case,
        asked_for_by=form.asked_for_by.strip(),
        reference=form.reference.strip(),
        asked_by=staff,
    )
    record(
        actor=staff.actor,
        kind="destruction.asked",
        subject=str(made),
        case=str(case.id),
        asked_for_by=made.asked_for_by,
        reference=made.reference,
    )
    return made


@transaction.atomic
def decide(*, destruction_id: UUID, agree: bool, staff: Staff) -> Destruction:
    """Agree, and it is destroyed at once; or refuse. Who asked cannot agree."""
    staff.must(CUSTODY, "Destroying evidence")
    found = Destruction.objects.filter(pk=destruction_id).select_related("case").first()
    if found is None:
        raise NotFound(f"There is no destruction {destruction_id}.")
    lock_account(found.case.account_id)
    found.refresh_from_db()
    if found.state != DestructionState.ASKED:
        raise DestructionDecided(f"It is {found.state}.")
    if agree and found.asked_by_id == staff.pk:
        raise Forbidden("You asked for this, so another person decides.")
    if agree:
        _require_free(get_case(found.case_id))
        destroy_on_request(case_id=found.case_id, reason=str(found), actor=staff.actor)
    found.state = DestructionState.DONE if agree else DestructionState.REFUSED
    found.decided_by, found.decided_at = staff, timezone.now()
    found.save(update_fields=["state", "decided_by", "decided_at"])
    record(
        actor=staff.actor,
        kind=f"destruction.{found.state}",
        subject=str(found),
        case=str(found.case_id),
    )
    return found


def _require_free(case: Case) -> None:
    if case.state in UNDECIDED:
        raise StillNeeded("Its case has no verdict yet.")
    for report in reports_of_case(case.id):
        if report.state not in SETTLED:
            raise StillNeeded(
                f"Its report to {report.authority} is {report.state}: the authority has to have it "
                "first."
            )
    if appeal_waits(case.id):
        raise StillNeeded("An appeal waits for its answer.")

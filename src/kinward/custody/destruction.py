"""Destroy a case's evidence because an authority asks (18 USC 2258B(c)), by two people.

It cannot be undone, so one custodian asks and another approves. Evidence stays while its case has
no verdict, a report is not finished, an appeal waits, or a legal hold is active.
"""

from typing import Final
from uuid import UUID

import msgspec
from django.db import transaction

from kinward.access.api import Decider, Person, actor_of, asked, decide_agreement
from kinward.casebook.api import UNDECIDED, Act, Case, get_case, require_fresh
from kinward.custody.models import Destruction
from kinward.evidence.api import destroy_on_request
from kinward.ground.errors import Invalid, KinwardError
from kinward.ledger.api import kinds, record
from kinward.people.api import lock_account
from kinward.redress.api import appeal_waits
from kinward.reporting.api import SETTLED, reports_of_case

MAX_TEXT: Final = 200


class StillNeeded(KinwardError):
    """This evidence is still needed, so it cannot be destroyed."""

    code = "destruction.still_needed"
    status = 409


class DestructionForm(msgspec.Struct, frozen=True):
    """The case whose evidence is destroyed, the authority that asks, and its reference."""

    case_id: UUID
    asked_for_by: str
    reference: str


@transaction.atomic
def request_destruction(*, form: DestructionForm, staff: Person) -> Destruction:
    """Request a destruction. Another custodian must approve it."""
    staff.must(Destruction.permission)
    require_fresh(Act.DESTROY)
    for name in ("asked_for_by", "reference"):
        if not 1 <= len(getattr(form, name).strip()) <= MAX_TEXT:
            raise Invalid("Say which authority asks, and its reference, in 1 to 200 characters.")
    case = get_case(form.case_id)
    _require_free(case)
    destruction = Destruction.objects.create(
        case=case,
        asked_for_by=form.asked_for_by.strip(),
        reference=form.reference.strip(),
        **asked(staff),
    )
    record(
        actor=actor_of(staff),
        subject=str(destruction),
        fact=kinds.DestructionAsked(
            case=str(case.id),
            asked_for_by=destruction.asked_for_by,
            reference=destruction.reference,
        ),
    )
    return destruction


@transaction.atomic
def decide_destruction(*, destruction_id: UUID, agree: bool, staff: Decider) -> Destruction:
    """Destroy the evidence at once, or refuse. The person who asked cannot approve."""
    if agree:
        require_fresh(Act.DESTROY)
    destruction = decide_agreement(Destruction, destruction_id, approve=agree, staff=staff)
    case = get_case(destruction.case_id)
    if agree:
        lock_account(case.account_id)
        _require_free(get_case(case.id))  # read again under the lock
        destroy_on_request(case_id=case.id, agreed=destruction, actor=actor_of(staff))
    record(
        actor=actor_of(staff),
        subject=str(destruction),
        fact=(kinds.DestructionDone if agree else kinds.DestructionRefused)(case=str(case.id)),
    )
    return destruction


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

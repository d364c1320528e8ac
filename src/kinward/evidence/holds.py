"""Legal holds: one custodian places one, and two lift it.

A hold adds to those that are there and replaces none: otherwise one custodian would write another
reference over a court's, and a colleague would lift that one in good faith. A lifted hold leaves
seven days before anything is destroyed, so that a mistake can be corrected.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import (
    AgreementState,
    Decider,
    Person,
    actor_of,
    alone_until,
    asked,
    carry_out_due,
    decide_agreement,
    due_to_go_ahead,
    go_ahead,
)
from kinward.casebook.api import Act, require_fresh
from kinward.evidence.models import Evidence, HoldEnding
from kinward.evidence.words_on_terms import signed
from kinward.ground.errors import Invalid, KinwardError, NotFound
from kinward.ledger.api import kinds, record

AFTER_HOLD: Final = timedelta(days=7)
MAX_REFERENCE: Final = 200
MAX_WHY: Final = 2000
BETWEEN: Final = "; "  # the references of several holds


class HoldEndsByTwo(KinwardError):
    """Two people lift a legal hold: one asks, another approves."""

    code = "evidence.hold_ends_by_two"
    status = 409


class HoldEndAsked(KinwardError):
    """Somebody has asked to lift this legal hold already."""

    code = "evidence.hold_end_asked"
    status = 409


class HoldChanged(KinwardError):
    """Another legal hold has been placed since this was asked. Refuse it, and ask again."""

    code = "evidence.hold_changed"
    status = 409


@transaction.atomic
def set_legal_hold(*, case_id: UUID, reference: str, actor: Actor) -> int:
    """Put a case's evidence under legal hold, so that it cannot expire.

    An earlier hold stays beside it. Returns the number of files. Raises `NotFound` if there are
    none, and `HoldEndsByTwo` without a reference: nobody lifts a hold alone.
    """
    actor.must(Permission.HOLD_EVIDENCE)
    if not reference.strip():
        raise HoldEndsByTwo
    files = lock_files(case_id)
    before = list(files.values_list("hold_reference", flat=True))
    if not before:
        raise NotFound(f"Case {case_id} has no evidence.")
    reference = _together([*before, reference.strip()])
    if len(reference) > MAX_REFERENCE:
        raise Invalid(f"The references of a case have at most {MAX_REFERENCE} characters together.")
    count = files.update(hold_reference=reference, hold_ended_at=None)
    fact = kinds.EvidenceHeld(reference=reference, files=count)
    record(actor=actor, subject=f"case:{case_id}", fact=signed(case_id, fact))
    return count


def lock_files(case_id: UUID) -> QuerySet[Evidence]:
    """Lock the rows of a case's files that are not destroyed, and return them."""
    files = Evidence.objects.filter(case_id=case_id, destroyed_at=None)
    list(files.select_for_update().order_by("pk").values_list("pk", flat=True))
    return files


def _together(references: Iterable[str]) -> str:
    """Join references, each once, in their order.

    >>> _together(["", "court 1", "court 1; court 2", "court 2"])
    'court 1; court 2'
    """
    named = [one for reference in references for one in reference.split(BETWEEN) if one]
    return BETWEEN.join(dict.fromkeys(named))


@transaction.atomic
def request_hold_end(*, case_id: UUID, why: str, staff: Person) -> HoldEnding:
    """Ask to lift a case's legal hold. Another custodian must approve it.

    Where nobody else holds the role it is lifted by itself, a day later.
    """
    staff.must(HoldEnding.permission)
    require_fresh(Act.END_HOLD)
    if not 1 <= len(why.strip()) <= MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    held = _held(case_id).first()
    if held is None:
        raise NotFound(f"Case {case_id} is under no legal hold.")
    waiting = HoldEnding.objects.filter(case_id=case_id, state=AgreementState.ASKED)
    if waiting.filter(went_ahead_at=None).exists():
        raise HoldEndAsked
    ending = HoldEnding.objects.create(
        case_id=case_id,
        reference=held.hold_reference,
        why=why.strip(),
        goes_ahead_at=alone_until(HoldEnding, staff),
        **asked(staff),
    )
    fact = kinds.EvidenceHoldEndAsked(reference=ending.reference, why=ending.why)
    record(actor=actor_of(staff), subject=f"case:{case_id}", fact=fact)
    return ending


@transaction.atomic
def decide_hold_end(*, ending_id: UUID, approve: bool, staff: Decider) -> HoldEnding:
    """Lift a legal hold, or let it stay. Whoever asked may withdraw, but not approve."""
    if approve:
        require_fresh(Act.END_HOLD)
    ending = decide_agreement(HoldEnding, ending_id, approve=approve, staff=staff)
    if approve:
        _lift(ending, actor_of(staff))
    else:
        fact = kinds.EvidenceHoldStays(reference=ending.reference)
        record(actor=actor_of(staff), subject=f"case:{ending.case_id}", fact=fact)
    return ending


def lift_holds_alone() -> int:
    """Lift the holds whose moment has come where nobody else holds the role; return how many."""
    return carry_out_due(due_to_go_ahead(HoldEnding), _go_ahead)


def _go_ahead(ending_id: UUID) -> bool:
    ending = go_ahead(HoldEnding, ending_id)
    if ending is None:
        return False
    _lift(ending, Actor.system("evidence"))
    return True


def _lift(ending: HoldEnding, actor: Actor) -> None:
    """Lift the very hold that two people spoke of. Raises `HoldEndsByTwo` unless they agreed.

    Raises `HoldChanged` if it is another one by now.
    """
    if not ending.carried_out:
        raise HoldEndsByTwo
    lock_files(ending.case_id)
    files = _held(ending.case_id).filter(hold_reference=ending.reference)
    count = files.update(hold_reference="", hold_ended_at=timezone.now())
    if not count:
        raise HoldChanged
    fact = kinds.EvidenceHoldEnded(reference=ending.reference, files=count)
    record(actor=actor, subject=f"case:{ending.case_id}", fact=signed(ending.case_id, fact))


def hold_ends() -> QuerySet[HoldEnding]:
    """Return the requests to lift a legal hold, newest first."""
    return HoldEnding.objects.select_related("asked_by", "decided_by", "glass")


def free_of_holds(now: datetime) -> Q:
    """Return the condition of evidence that no hold keeps, nor the days after one."""
    return Q(hold_reference="") & (Q(hold_ended_at=None) | Q(hold_ended_at__lte=now - AFTER_HOLD))


def is_free_of_holds(evidence: Evidence, now: datetime) -> bool:
    """Return whether no hold keeps a file, nor the days after one."""
    ended = evidence.hold_ended_at
    return not evidence.hold_reference and (ended is None or ended <= now - AFTER_HOLD)


def _held(case_id: UUID) -> QuerySet[Evidence]:
    return Evidence.objects.filter(case_id=case_id, destroyed_at=None).exclude(hold_reference="")

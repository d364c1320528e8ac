"""What two custodians agree to."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.custody.models import Destruction
from kinward.evidence.holds import decide_hold_end, request_hold_end
from kinward.evidence.models import Evidence
from kinward.evidence.terms import keep_until


def two_custodians() -> tuple[Staff, Staff]:
    one, two = (
        Staff.objects.get_or_create(username=name, defaults={"roles": ["evidence custodian"]})[0]
        for name in ("keeps-one", "keeps-two")
    )
    return one, two


def end_hold(case_id: UUID) -> None:
    """Two custodians lift the legal hold of a case."""
    one, two = two_custodians()
    ending = request_hold_end(case_id=case_id, why="It is over.", staff=one)
    decide_hold_end(ending_id=ending.pk, approve=True, staff=two)


def end_term(evidence: Evidence, until: datetime) -> None:
    """Kinward lets the files of a case expire at a moment."""
    keep_until(case_id=evidence.case_id, until=until, why="x", actor=Actor.system("test"))


def agreed_destruction(case_id: UUID) -> Destruction:
    """A destruction to which two custodians have agreed, and which was not carried out."""
    one, two = two_custodians()
    return Destruction.objects.create(
        case_id=case_id,
        asked_for_by="Police",
        reference="1",
        state="approved",
        asked_by=one,
        decided_by=two,
        decided_at=timezone.now(),
    )

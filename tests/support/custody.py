"""What two custodians agree to."""

from uuid import UUID

from django.utils import timezone

from kinward.access.models import Staff
from kinward.custody.models import Destruction
from kinward.evidence.holds import decide_hold_end, request_hold_end


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

"""The pairings that a case is about, because a teen said "this is not my guardian"."""

from uuid import UUID

from kinward.access.actor import Actor
from kinward.cases.models import Case, UserReport
from kinward.families import ending
from kinward.families.models import Pairing


def disputes(case_id: UUID) -> list[Pairing]:
    """The pairings of a case that are disputed and wait for a person's word."""
    reported = UserReport.objects.filter(finding__case=case_id, pairing__isnull=False)
    return list(
        Pairing.objects.select_related("guardian", "teen").filter(
            pk__in=reported.values("pairing"), ended_at=None, disputed_at__isnull=False
        )
    )


def disputed_teens(case_id: UUID) -> list[int]:
    """The teens of these pairings."""
    return [each.teen_id for each in disputes(case_id)]


def end_disputed(case: Case, actor: Actor) -> None:
    """End the pairings that a confirmed case disputes."""
    for each in disputes(case.id):
        ending.settle_dispute(pairing_id=each.pk, ends=True, actor=actor)

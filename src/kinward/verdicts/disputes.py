"""The pairings that a case is about, because a teen said "this is not my guardian"."""

from uuid import UUID

from kinward.access import Actor
from kinward.casebook.api import Case, UserReport
from kinward.families.api import Pairing, settle_pairing_dispute


def disputed_pairings(case_id: UUID) -> list[Pairing]:
    """The pairings of a case that are disputed and wait for a person's word."""
    reported = UserReport.objects.filter(finding__case=case_id, pairing__isnull=False)
    return list(
        Pairing.objects.select_related("guardian", "teen").filter(
            pk__in=reported.values("pairing"), ended_at=None, disputed_at__isnull=False
        )
    )


def disputed_teens(case_id: UUID) -> list[int]:
    """The teens of these pairings."""
    return [each.teen_id for each in disputed_pairings(case_id)]


def end_disputed(case: Case, actor: Actor) -> None:
    """End the pairings that a confirmed case disputes."""
    for each in disputed_pairings(case.id):
        settle_pairing_dispute(pairing_id=each.pk, ends=True, actor=actor)

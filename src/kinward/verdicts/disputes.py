"""Pairings that a case disputes, because a teen said "this is not my guardian"."""

from uuid import UUID

from kinward.access import Actor
from kinward.casebook.api import Case, UserReport, get_case
from kinward.families.api import Pairing, settle_pairing_dispute
from kinward.ground.errors import KinwardError
from kinward.people.api import LockedAccount, lock_accounts


class DisputeOpen(KinwardError):
    """Decide about the disputed pairing first: end it or resume it."""

    code = "case.dispute_open"
    status = 409


def disputed_pairings(case_id: UUID) -> list[Pairing]:
    """Return the disputed pairings of a case that wait for a person's decision."""
    reported = UserReport.objects.filter(finding__case=case_id, pairing__isnull=False)
    return list(
        Pairing.objects.select_related("guardian", "teen").filter(
            pk__in=reported.values("pairing"), ended_at=None, disputed_at__isnull=False
        )
    )


def disputed_teens(case_id: UUID) -> list[int]:
    """Return the primary keys of the teens in a case's disputed pairings."""
    return [pairing.teen_id for pairing in disputed_pairings(case_id)]


def lock_case(case_id: UUID) -> tuple[Case, LockedAccount]:
    """Lock the account of a case with the teens whose pairings it disputes, then the case."""
    account_id = get_case(case_id).account_id
    account = lock_accounts(account_id, *disputed_teens(case_id))[account_id]
    return Case.objects.select_for_update(no_key=True).get(pk=case_id), account


def end_disputed(case: Case, actor: Actor) -> None:
    """End the pairings that a confirmed case disputes."""
    for pairing in disputed_pairings(case.id):
        settle_pairing_dispute(pairing_id=pairing.pk, ends=True, actor=actor)

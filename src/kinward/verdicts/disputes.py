"""Pairings that a case disputes, because a teen said so, or because staff paused them."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from kinward.access import Actor
from kinward.casebook.api import Case, UserReport, get_case
from kinward.families.api import Pairing, settle_pairing_dispute
from kinward.ground.errors import KinwardError
from kinward.people.api import LockedAccount, lock_accounts
from kinward.verdicts.models import PairingPause


class DisputeOpen(KinwardError):
    """Decide about the disputed pairing first: end it or resume it."""

    code = "case.dispute_open"
    status = 409


def disputed_pairings(case_id: UUID) -> list[Pairing]:
    """Return the disputed pairings of a case that wait for a person's decision.

    Also one that has ended meanwhile, and one that the same two began since.
    """
    return list(_pairings(case_id).filter(disputed_at__isnull=False))


def barred_pairings(case_id: UUID) -> list[Pairing]:
    """Return the pairings that a case ended, and whose two people cannot pair again."""
    return list(_pairings(case_id).filter(barred_at__isnull=False))


def _pairings(case_id: UUID) -> QuerySet[Pairing]:
    """Return all pairings of the case's account and teens who dispute one, and the paused ones.

    A paused one stands for all between the same two.
    """
    reported = UserReport.objects.filter(finding__case=case_id, pairing__isnull=False)
    disputed = Q(guardian__in=reported.values("account"), teen__in=reported.values("reporter"))
    paused = PairingPause.objects.filter(
        case=case_id,
        pairing__guardian=OuterRef("guardian"),
        pairing__teen=OuterRef("teen"),
    )
    return Pairing.objects.select_related("guardian", "teen").filter(disputed | Exists(paused))


def disputed_teens(case_id: UUID) -> list[int]:
    """Return the primary keys of the teens in a case's disputed pairings."""
    return [pairing.teen_id for pairing in disputed_pairings(case_id)]


def leaves_undecided(case: Case, outcome: str) -> bool:
    """Whether a verdict would leave a disputed pairing without a decision.

    A confirmed case against a guardian ends the pairing by itself.
    """
    disputed = disputed_pairings(case.id)
    ends = outcome == "confirmed"
    return any(not (ends and one.guardian_id == case.account_id) for one in disputed)


def lock_case(case_id: UUID) -> tuple[Case, LockedAccount]:
    """Lock the account of a case with the teens whose pairings it disputes, then the case."""
    account_id = get_case(case_id).account_id
    account = lock_accounts(account_id, *disputed_teens(case_id))[account_id]
    return Case.objects.select_for_update(no_key=True).get(pk=case_id), account


def end_disputed(case: Case, actor: Actor) -> None:
    """End the pairings that a confirmed case disputes, if its account is the guardian."""
    # Settling one settles all between the same two.
    guarded = [one for one in disputed_pairings(case.id) if one.guardian_id == case.account_id]
    first = {pairing.teen_id: pairing for pairing in guarded}
    for pairing in first.values():
        settle_pairing_dispute(pairing_id=pairing.pk, ends=True, actor=actor)

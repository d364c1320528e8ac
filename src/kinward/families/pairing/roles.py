"""Roles that exclude each other: whoever guards a teen is not the adult whom that teen trusts.

The rule is asked where a trusted adult is named, where one is confirmed and where one is called.
So it holds however an account became a guardian, or came to share an identifier with one.
"""

from collections.abc import Iterable

from django.utils import timezone

from kinward.access import Actor
from kinward.families.models import TrustedAdult
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, shares_identifier


def may_be_trusted(teen: Account, adult: Account) -> bool:
    """Whether an adult may be one whom a teen trusts.

    No if the adult is or was a guardian of the teen, in any pairing, or shares an identifier with
    such a guardian.
    """
    guardians = Account.objects.filter(guarding__teen=teen)
    return not guardians.filter(pk=adult.pk).exists() and not shares_identifier(adult, guardians)


def trusted_adults_of(teen: Account) -> list[TrustedAdult]:
    """Return the adults whom a teen named and who may be trusted, also those yet unconfirmed."""
    named = TrustedAdult.objects.select_related("adult").filter(teen=teen, ended_at=None)
    return _allowed(teen, named.order_by("named_at", "pk"))


def end_excluded_trust(teen: LockedAccount) -> None:
    """End the trust in everybody who may no longer be trusted, because a guardian was paired."""
    named = list(TrustedAdult.objects.select_related("adult").filter(teen=teen, ended_at=None))
    allowed = {trusted.pk for trusted in _allowed(teen, named)}
    for trusted in named:
        if trusted.pk not in allowed:
            trusted.ended_at = timezone.now()
            trusted.save(update_fields=["ended_at"])
            subject = f"account:{teen.platform_id}"
            record(actor=Actor.system("families"), subject=subject, fact=kinds.TrustedEnded())


def _allowed(teen: Account, named: Iterable[TrustedAdult]) -> list[TrustedAdult]:
    return [trusted for trusted in named if may_be_trusted(teen, trusted.adult)]

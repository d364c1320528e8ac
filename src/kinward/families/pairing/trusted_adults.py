"""Adults whom a teen trusts: named, confirmed, called and removed. Guardians are told of nothing.

A code names an adult only after the teen has confirmed who used it.
"""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from kinward.experience.api import person_of
from kinward.families.errors import AlreadyPaired, CodeRefused, FamilyFull, NotAGuardian
from kinward.families.models import TrustedAdult
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import rules_for
from kinward.families.pairing.roles import may_be_trusted, trusted_adults_of
from kinward.ground.errors import NotFound
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account

MAX_TRUSTED: Final = 3


def name_trusted_adult(teen: LockedAccount, adult: LockedAccount) -> TrustedAdult:
    """Name the adult who used a teen's code. It counts once the teen has confirmed it.

    Raises `CodeRefused` for a guardian of the teen and whoever shares an identifier with one, in
    the words of a wrong code, so that nobody learns what the code was for.
    """
    if not may_be_trusted(teen, adult):
        raise CodeRefused
    if not rules_for(teen).may_guard(person_of(adult).age) or not adult.is_active:
        raise NotAGuardian
    named = TrustedAdult.objects.filter(teen=teen, ended_at=None)
    if named.filter(adult=adult).exists():
        raise AlreadyPaired
    if named.count() >= MAX_TRUSTED:
        raise FamilyFull(f"A teen names at most {MAX_TRUSTED} trusted adults.")
    trusted = TrustedAdult.objects.create(teen=teen, adult=adult)
    record(
        actor=teen.actor,
        subject=f"account:{teen.platform_id}",
        fact=kinds.TrustedNamed(adult=adult.platform_id),
    )
    return trusted


@transaction.atomic
def confirm_trusted_adult(*, teen: Account, trusted_id: int) -> TrustedAdult:
    """Confirm as the teen that the right person used the code, and tell that adult. Idempotent.

    Raises `NotFound` for somebody whom this teen did not name, or who may not be trusted.
    """
    teen = lock_account(teen.pk)
    trusted = next((named for named in trusted_adults_of(teen) if named.pk == trusted_id), None)
    if trusted is None:
        raise NotFound
    if trusted.confirmed_at is None:
        trusted.confirmed_at = timezone.now()
        trusted.save(update_fields=["confirmed_at"])
        subject = f"account:{teen.platform_id}"
        adult = trusted.adult.platform_id
        record(actor=teen.actor, subject=subject, fact=kinds.TrustedConfirmed(adult=adult))
        tell(trusted.adult, "named", other=name_in_notices(teen))
    return trusted


def call_trusted(teen: Account) -> int:
    """Ask a teen's trusted adults to get in touch, in the caller's transaction; return how many.

    Nobody is called whom the teen has not confirmed, or who may not be trusted.
    """
    called = [trusted for trusted in trusted_adults_of(teen) if trusted.confirmed_at is not None]
    for trusted in called:
        tell(trusted.adult, "called", other=name_in_notices(teen))
        trusted.called_at = timezone.now()
        trusted.save(update_fields=["called_at"])
    return len(called)


def call_trusted_now(teen: Account) -> int:
    """Ask a teen's trusted adults to get in touch, at most once an hour; return how many."""
    with transaction.atomic():
        lock_account(teen.pk)
        lately = timezone.now() - timedelta(hours=1)
        if TrustedAdult.objects.filter(teen=teen, called_at__gt=lately, ended_at=None).exists():
            return 0
        called = call_trusted(teen)
        if called:
            who = teen.actor
            record(actor=who, subject=str(who), fact=kinds.TrustedCalled())
        return called


def remove_trusted_adult(*, teen: Account, trusted_id: int) -> None:
    """Remove one of a teen's trusted adults, by the row's id. Idempotent."""
    trusted = TrustedAdult.objects.filter(pk=trusted_id, teen=teen, ended_at=None)
    with transaction.atomic():
        if trusted.update(ended_at=timezone.now()):
            who = teen.actor
            record(actor=who, subject=str(who), fact=kinds.TrustedEnded())

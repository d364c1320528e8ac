"""Adults whom a teen trusts: called for help, and removed. Guardians are told of neither."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from kinward.families.models import TrustedAdult
from kinward.families.notices import name_in_notices, tell
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, lock_account


def call_trusted(teen: Account) -> int:
    """Ask a teen's trusted adults to get in touch, in the caller's transaction; return how many."""
    trusted_adults = TrustedAdult.objects.select_related("adult").filter(teen=teen, ended_at=None)
    for trusted in trusted_adults:
        tell(trusted.adult, "called", other=name_in_notices(teen))
        trusted.called_at = timezone.now()
        trusted.save(update_fields=["called_at"])
    return len(trusted_adults)


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

"""Adults whom a teen trusts: asked to get in touch, and taken back. No guardian hears of any."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from kinward.families.models import TrustedAdult
from kinward.families.notices import name_in_notices, tell
from kinward.ledger.api import record
from kinward.people.api import Account, lock_account


def call_trusted(teen: Account) -> int:
    """Tell a teen's trusted adults that the teen would like to hear from them."""
    named = TrustedAdult.objects.select_related("adult").filter(teen=teen, ended_at=None)
    for trusted in named:
        tell(trusted.adult, "called", other=name_in_notices(teen))
        trusted.called_at = timezone.now()
        trusted.save(update_fields=["called_at"])
    return len(named)


def call_trusted_now(teen: Account) -> int:
    """The teen asks their trusted adults to get in touch; an adult hears it once an hour."""
    with transaction.atomic():
        lock_account(teen.pk)
        lately = timezone.now() - timedelta(hours=1)
        if TrustedAdult.objects.filter(teen=teen, called_at__gt=lately, ended_at=None).exists():
            return 0
        called_ones = call_trusted(teen)
        if called_ones:
            who = teen.actor
            record(actor=who, kind="trusted.called", subject=str(who))
        return called_ones


def remove_trusted_adult(*, teen: Account, trusted_id: int) -> None:
    """Take back that an adult is trusted."""
    named = TrustedAdult.objects.filter(pk=trusted_id, teen=teen, ended_at=None)
    with transaction.atomic():
        if named.update(ended_at=timezone.now()):
            who = teen.actor
            record(actor=who, kind="trusted.ended", subject=str(who))

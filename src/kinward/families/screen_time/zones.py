"""The time zone of an account: its changes, their limit, and who is told of them."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from kinward.access import Actor
from kinward.experience.api import person_of
from kinward.families.models import Notice, ZoneChange
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import live_pairings, rules_for, shows_power
from kinward.families.screen_time.minutes import DAY, Zones, is_zone, minute_of
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.people.api import LockedAccount, get_account, lock_account, set_zone

MAX_NEW: Final = 2  # zones in a day
KNOWN: Final = 2 * DAY  # minutes for which the way back to a zone is open
MAX_TOLD: Final = 6  # notices of changes in a day


@transaction.atomic
def set_time_zone(*, account_id: str, zone: str, actor: Actor) -> None:
    """Set the time zone of an account from now on. Minutes already counted keep their day.

    The first zone is free, and so is the way back to a zone of the last 48 hours. Raises `Invalid`
    for an unknown zone, and for a third new one in 24 hours. Locks the account.
    """
    if not is_zone(zone):
        raise Invalid(f"{zone[:64]!r} is not a time zone such as 'Europe/Stockholm'.")
    account = lock_account(get_account(account_id).pk)
    minute = minute_of(timezone.now())
    changes = ZoneChange.objects.filter(account=account)
    zones = Zones(changes.values_list("since", "zone"))
    first = zones.begins() is None
    if not first and zones.name_at(minute) == zone:
        return
    back = zone in zones.held_since(minute - KNOWN, minute)
    if not back and zones.new_since(minute - DAY, minute, known=KNOWN) >= MAX_NEW:
        raise Invalid(
            f"A time zone changes at most {MAX_NEW} times in 24 hours. "
            "Only the way back to one of the last 48 hours is open. Try again later."
        )
    ZoneChange.objects.update_or_create(account=account, since=minute, defaults={"zone": zone})
    set_zone(account=account, zone=zone)
    record(
        actor=actor, subject=f"account:{account.platform_id}", fact=kinds.AccountTimeZone(zone=zone)
    )
    if not first:
        _tell_of_move(account, zone)


def _tell_of_move(account: LockedAccount, zone: str) -> None:
    """Tell somebody who may have a guardian, and the guardians. Not without end on one day."""
    if not rules_for(account).may_be_guarded(person_of(account).age):
        return
    lately = timezone.now() - timedelta(days=1)
    told = Notice.objects.filter(account=account, topic="zone", at__gt=lately)
    if told.count() >= MAX_TOLD:
        return
    tell(account, "zone", zone=zone)
    for pairing in live_pairings().select_related("guardian", "teen").filter(teen=account):
        if shows_power(pairing):
            tell(pairing.guardian, "zone.theirs", other=name_in_notices(account), zone=zone)


def forget_zones(now: datetime, kept: timedelta) -> int:
    """Delete the zones that were left longer ago than `kept`; return how many rows."""
    oldest = minute_of(now - kept)
    newer = ZoneChange.objects.filter(
        account=OuterRef("account"), since__gt=OuterRef("since"), since__lte=oldest
    )
    return ZoneChange.objects.filter(Exists(newer), since__lt=oldest).delete()[0]

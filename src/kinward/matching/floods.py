"""The flood guard: a hash that suddenly hits many accounts waits for a person.

So does a hash of which a person says that it is a false positive, until another one agrees or not.

Each match counts its account for each hash that it hit. Once more than `KINWARD_FLOOD_ACCOUNTS`
accounts have hit one hash within `KINWARD_FLOOD_MINUTES`, the guard holds that hash until a person
settles it. The row lock of a hash orders its hits, so parallel uploads are counted one by one.
"""

from collections.abc import Iterable
from datetime import timedelta

import msgspec
import structlog
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import AgreementState
from kinward.ground.config import config
from kinward.ground.errors import KinwardError
from kinward.ground.events import Event
from kinward.ledger.api import kinds, record
from kinward.matching.agreements import Marking
from kinward.matching.models import BankedHash, Flood, HashHit, Sha256
from kinward.matching.services import digest
from kinward.people.api import LockedAccount

log = structlog.get_logger(__name__)

FLOOD_RELEASED = Event("matching.flood_released")


class NoFlood(KinwardError):
    """This hash is not waiting because of a flood."""

    code = "flood.none"
    status = 409


class Guarded(msgspec.Struct, frozen=True):
    """The hashes that the guard holds, and those of them that it holds from now on."""

    held: list[int] = []
    began: list[int] = []


def guard(account: LockedAccount, hashes: Iterable[int]) -> Guarded:
    """Count hits of an account on hashes, and say which of them wait for a person.

    Requires a transaction, until whose end the hashes stay locked. Takes these locks after that of
    the account and before that of the case.
    """
    ids = sorted(set(hashes))
    rows = [Flood(hash_id=pk) for pk in ids]
    Flood.objects.bulk_create(rows, ignore_conflicts=True)
    floods = list(Flood.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
    now = timezone.now()
    HashHit.objects.bulk_create(
        [HashHit(hash_id=pk, account_id=account.pk, at=now) for pk in ids],
        update_conflicts=True,
        unique_fields=["hash", "account"],
        update_fields=["at"],
    )
    began = [flood.pk for flood in floods if flood.began_at is None and _floods(flood)]
    if began:
        began = [pk for pk in began if not _equal(pk).filter(flood__right=True).exists()]
    Flood.objects.filter(pk__in=began).update(began_at=now)
    held = held_hashes(ids)
    return Guarded([pk for pk in ids if pk in held], began)


def held_hashes(hashes: Iterable[int]) -> set[int]:
    """Return those of some hashes whose findings wait for a person.

    They flood, or somebody asks whether they are false positives.
    """
    ids = list(hashes)
    open_floods = Flood.objects.filter(pk__in=ids, began_at__isnull=False, settled_at=None)
    asked = Marking.objects.filter(hash__in=ids, state=AgreementState.ASKED)
    return {*open_floods.values_list("pk", flat=True), *asked.values_list("hash_id", flat=True)}


def _floods(flood: Flood) -> bool:
    """Return whether more accounts hit a hash within the window than are let through."""
    window = timezone.now() - timedelta(minutes=config().flood_minutes)
    limit = config().flood_accounts
    recent = HashHit.objects.filter(hash=flood.pk, at__gt=window)
    return recent.values("pk")[: limit + 1].count() > limit


def _equal(hash_id: int) -> QuerySet[BankedHash]:
    """Return the hashes of the same kind and value in all banks: they claim the same."""
    row = BankedHash.objects.only("kind", "value").get(pk=hash_id)
    rows = BankedHash.objects.annotate(digest=Sha256("value"))
    return rows.filter(kind=row.kind, digest=digest(bytes(row.value)))


def record_floods(began: Iterable[int]) -> None:
    """Record that the guard holds hashes from now on. After all locks but that of the ledger."""
    limit, minutes = config().flood_accounts, config().flood_minutes
    for row in BankedHash.objects.filter(pk__in=list(began)).select_related("bank"):
        log.warning("matching.flood", hash=row.pk, bank=row.bank.name, accounts=limit + 1)
        fact = kinds.FloodBegan(bank=row.bank.name, accounts=limit + 1, minutes=minutes)
        record(actor=Actor.system("matching"), subject=str(row), fact=fact)


def open_floods() -> QuerySet[Flood]:
    """Return the hashes that the guard holds, oldest first. `accounts`: how many hit each."""
    rows = Flood.objects.filter(began_at__isnull=False, settled_at=None)
    counted = rows.annotate(accounts=Count("hash__hits"))
    return counted.select_related("hash__bank").order_by("began_at")


@transaction.atomic
def settle_flood_as_right(*, hash_id: int, actor: Actor) -> None:
    """Release a hash that is right, in every bank that has it. Its hits act again.

    Raises `NoFlood` if no guard held it.
    """
    actor.must(Permission.SETTLE_FLOODS)
    rows = Flood.objects.select_for_update(of=("self",), no_key=True).select_related("hash__bank")
    equal = [row.pk for row in _equal(hash_id)]
    floods = [flood for flood in rows.filter(pk__in=equal).order_by("pk") if flood.holds]
    if hash_id not in {flood.pk for flood in floods}:
        raise NoFlood
    for flood in floods:
        flood.settled_at, flood.settled_by, flood.right = timezone.now(), str(actor)[:200], True
        flood.save(update_fields=["settled_at", "settled_by", "right"])
        FLOOD_RELEASED.announce(hash_id=flood.pk)
        fact = kinds.FloodReleased(bank=flood.hash.bank.name)
        record(actor=actor, subject=str(flood), fact=fact)

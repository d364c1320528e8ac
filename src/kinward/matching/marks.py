"""What people say of a banked hash: that it is a false positive, or right after all.

One person alone silences no hash of a verified list. The first one asks, and from then on the
findings of the hash wait for a person, as in a flood. Another one agrees, or not.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import (
    AgreementState,
    Decider,
    Person,
    actor_of,
    alone_until,
    asked,
    decide_agreement,
    due_to_go_ahead,
    go_ahead,
)
from kinward.ground.errors import Forbidden, KinwardError
from kinward.ground.events import Event
from kinward.ledger.api import kinds, record
from kinward.matching.agreements import ENDED, Marking
from kinward.matching.confidence import Confidence
from kinward.matching.floods import FLOOD_RELEASED
from kinward.matching.models import BankedHash, Flood, Role
from kinward.matching.services import announce_new_hashes
from kinward.matching.versions import next_version, renew_if_negative

HASH_WRONG = Event("matching.hash_wrong")


class MarkedAlone(KinwardError):
    """This hash is verified, so known content would match no more. Another person has to agree."""

    code = "hash.marked_alone"
    status = 409


def takes_two(row: BankedHash) -> bool:
    """Return whether two people have to agree that a hash is a false positive.

    A hash of a negative bank silences others: without it more matches, and not less.
    """
    if row.false_positive or row.bank.role == Role.NEGATIVE:
        return False
    return row.addition.confidence == Confidence.VERIFIED


@transaction.atomic
def mark_or_ask(*, row: BankedHash, wrong: bool, asker: Person) -> Marking | None:
    """Mark a hash as `mark_hash_false_positive` does, or ask for it where that takes two people.

    Of a hash for which somebody asks, another colleague says whether the mark is made. An operator
    says so with `decide_marking`. Returns the request that waits, if one does. Idempotent. Raises
    `Forbidden`.
    """
    asker.must(Permission.MARK_HASHES)
    row = _lock(row)
    waiting = row.markings.filter(state=AgreementState.ASKED).select_related("asked_by").first()
    if waiting and isinstance(asker, Actor):
        if wrong:
            return waiting
        raise Forbidden("This is asked for. `kinward agree` refuses the request.")
    if waiting and not isinstance(asker, Actor):
        if wrong and asker.pk in waiting.barred:
            return waiting
        decide_marking(marking_id=waiting.pk, approve=wrong, staff=asker)
        return None
    if wrong and takes_two(row):
        return _ask(row, asker)
    mark_hash_false_positive(row=row, wrong=wrong, actor=actor_of(asker))
    return None


def _lock(row: BankedHash) -> BankedHash:
    """Lock a hash as the flood guard does, so that each hit comes before a request or waits."""
    Flood.objects.bulk_create([Flood(hash_id=row.pk)], ignore_conflicts=True)
    Flood.objects.select_for_update(no_key=True).get(pk=row.pk)
    return BankedHash.objects.select_related("bank", "addition").get(pk=row.pk)


def _ask(row: BankedHash, asker: Person) -> Marking | None:
    """Ask for a mark. None if nobody has joined the staff yet, so that it is made at once."""
    marking = Marking.objects.create(
        hash=row, goes_ahead_at=alone_until(Marking, asker), **asked(asker)
    )
    fact = kinds.HashMarkAsked(bank=row.bank.name)
    record(actor=actor_of(asker), subject=str(row), fact=fact)
    return None if mark_alone(marking.pk) else marking


@transaction.atomic
def decide_marking(*, marking_id: UUID, approve: bool, staff: Decider) -> Marking:
    """Agree with another person that a hash is a false positive, or refuse.

    Who asked may only withdraw it. The findings that waited go on once it is refused.
    """
    staff.must(Marking.permission)
    _lock_hash_of(marking_id)
    marking = decide_agreement(Marking, marking_id, approve=approve, staff=staff)
    row, actor = marking.hash, actor_of(staff)
    if approve:
        mark_hash_false_positive(row=row, wrong=True, actor=actor, agreed=marking)
    else:
        record(actor=actor, subject=str(row), fact=kinds.HashMarkRefused(bank=row.bank.name))
        FLOOD_RELEASED.announce(hash_id=row.pk)
    return marking


def _lock_hash_of(marking_id: UUID) -> None:
    """Lock the hash before its request, in the order in which a request is filed."""
    for row in BankedHash.objects.filter(markings=marking_id):
        _lock(row)


@transaction.atomic
def mark_alone(marking_id: UUID) -> BankedHash | None:
    """Make a mark that nobody else can decide on, once its moment has come: the hash, or None."""
    _lock_hash_of(marking_id)
    marking = go_ahead(Marking, marking_id)
    if marking is None:
        return None
    actor = Actor.system("matching")
    mark_hash_false_positive(row=marking.hash, wrong=True, actor=actor, agreed=marking)
    return marking.hash


@transaction.atomic
def mark_hash_false_positive(
    *, row: BankedHash, wrong: bool, actor: Actor, agreed: Marking | None = None
) -> None:
    """Mark a banked hash as a false positive, or reinstate it. Idempotent.

    A false positive matches nothing, even if a list adds it again. A flood guard that holds it is
    settled, and what it took is given back by a job. Raises `MarkedAlone` for a hash of a verified
    list, unless two people agreed.
    """
    actor.must(Permission.MARK_HASHES)
    if wrong:
        _require_two_people(row, agreed)
    changed = BankedHash.objects.filter(pk=row.pk, false_positive=not wrong)
    if changed.update(false_positive=wrong, version=next_version()):
        kind = kinds.HashFalsePositive if wrong else kinds.HashReinstated
        record(actor=actor, subject=str(row), fact=kind(bank=row.bank.name))
        renew_if_negative(row.bank)
        _settle_flood(row, wrong=wrong, actor=actor)
        if wrong:
            HASH_WRONG.announce(hash_id=row.pk, by=str(actor))
        else:
            row.markings.filter(state=AgreementState.APPROVED).update(state=ENDED)
            announce_new_hashes()


def _require_two_people(row: BankedHash, agreed: Marking | None) -> None:
    """Raise `MarkedAlone` if it takes two people, and they did not agree to just this mark."""
    stored = BankedHash.objects.select_related("bank", "addition").get(pk=row.pk)
    if not takes_two(stored):
        return
    approved = Marking.objects.filter(hash=row.pk, state=AgreementState.APPROVED)
    if agreed is None or not approved.filter(pk=agreed.pk).exists():
        raise MarkedAlone(f"It is {row} of {stored.bank.name!r}.")


def _settle_flood(row: BankedHash, *, wrong: bool, actor: Actor) -> None:
    """Settle the guard of a hash that is wrong, or arm it again for one that was right."""
    flood = Flood.objects.filter(pk=row.pk)
    if wrong:
        said = {"settled_at": timezone.now(), "settled_by": str(actor)[:200], "right": False}
        flood.filter(began_at__isnull=False, settled_at=None).update(**said)
    else:
        flood.filter(right=False).update(began_at=None, settled_at=None, settled_by="", right=None)


def due_markings() -> QuerySet[Marking]:
    """Return the requests that nobody else can decide on, and whose moment has come."""
    return due_to_go_ahead(Marking)


def open_markings() -> QuerySet[Marking]:
    """Return the requests that wait for another person, oldest first."""
    rows = Marking.objects.filter(state=AgreementState.ASKED).order_by("asked_at")
    return rows.select_related("asked_by", "hash__bank")


def markings_of(rows: Iterable[BankedHash]) -> dict[int, Marking]:
    """Return the open request of each of these hashes, by the id of the hash."""
    return {marking.hash_id: marking for marking in open_markings().filter(hash__in=list(rows))}

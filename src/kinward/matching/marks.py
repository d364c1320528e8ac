"""What people say of a banked hash: that it is a false positive, or right after all.

One person alone silences no hash of a verified list. The first one asks, and from then on the
findings of the hash wait for a person, as in a flood. Another one agrees, or not.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.access import Actor, ActorKind, Permission
from kinward.access.api import AgreementState, Staff, decide_agreement
from kinward.ground.errors import Forbidden, KinwardError
from kinward.ground.events import Event
from kinward.ledger.api import kinds, record
from kinward.matching.confidence import Confidence
from kinward.matching.floods import FLOOD_RELEASED
from kinward.matching.models import ENDED, BankedHash, Flood, Marking, Role
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
def mark_or_ask(*, row: BankedHash, wrong: bool, asker: Staff | Actor) -> Marking | None:
    """Mark a hash as `mark_hash_false_positive` does, or ask for it where that takes two people.

    Of a hash for which somebody asks, another person says whether the mark is made. Returns the
    request that waits for that person, if one does. Idempotent. Raises `Forbidden`.
    """
    asker.must(Permission.MARK_HASHES)
    row = _lock(row)
    actor = asker if isinstance(asker, Actor) else asker.actor
    asked = row.markings.filter(state=AgreementState.ASKED).select_related("asked_by").first()
    if asked and isinstance(asker, Actor):
        if wrong:
            return asked
        raise Forbidden("Somebody of the staff refuses the request, in the console.")
    if asked and not isinstance(asker, Actor):
        if wrong and _is_own(asked, asker):
            return asked
        decide_marking(marking_id=asked.pk, approve=wrong, staff=asker)
        return None
    if wrong and takes_two(row):
        return _ask(row, actor, None if isinstance(asker, Actor) else asker)
    mark_hash_false_positive(row=row, wrong=wrong, actor=actor)
    return None


def _lock(row: BankedHash) -> BankedHash:
    """Lock a hash as the flood guard does, so that each hit comes before a request or waits."""
    Flood.objects.bulk_create([Flood(hash_id=row.pk)], ignore_conflicts=True)
    Flood.objects.select_for_update(no_key=True).get(pk=row.pk)
    return BankedHash.objects.select_related("bank", "addition").get(pk=row.pk)


def _ask(row: BankedHash, actor: Actor, staff: Staff | None) -> Marking:
    if actor.kind not in (ActorKind.STAFF, ActorKind.OPERATOR):
        raise Forbidden("Only a person asks for this.")
    operator = str(actor)[:200] if staff is None else ""
    asked = Marking.objects.create(hash=row, asked_by=staff, operator=operator)
    record(actor=actor, subject=str(row), fact=kinds.HashMarkAsked(bank=row.bank.name))
    return asked


def _is_own(asked: Marking, staff: Staff) -> bool:
    """Return whether a person asked, in the console or by a command."""
    if asked.operator:
        return Actor.stored(asked.operator).is_namesake(staff.actor)
    return asked.asked_by_id == staff.pk


@transaction.atomic
def decide_marking(*, marking_id: UUID, approve: bool, staff: Staff) -> Marking:
    """Agree with another person that a hash is a false positive, or refuse.

    Who asked may only withdraw it. The findings that waited go on once it is refused.
    """
    staff.must(Marking.permission)
    # The hash before its request, in the order in which a request is filed.
    for row in BankedHash.objects.filter(markings=marking_id):
        _lock(row)
    asked = decide_agreement(Marking, marking_id, approve=approve, staff=staff)
    row = asked.hash
    if not approve:
        record(actor=staff.actor, subject=str(row), fact=kinds.HashMarkRefused(bank=row.bank.name))
        FLOOD_RELEASED.announce(hash_id=row.pk)
    elif asked.operator and _is_own(asked, staff):
        raise Forbidden("You asked for this by a command, so another person decides.")
    else:
        mark_hash_false_positive(row=row, wrong=True, actor=staff.actor, agreed=asked)
    return asked


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


def open_markings() -> QuerySet[Marking]:
    """Return the requests that wait for another person, oldest first."""
    rows = Marking.objects.filter(state=AgreementState.ASKED).order_by("asked_at")
    return rows.select_related("asked_by", "hash__bank")


def markings_of(rows: Iterable[BankedHash]) -> dict[int, Marking]:
    """Return the open request of each of these hashes, by the id of the hash."""
    return {marking.hash_id: marking for marking in open_markings().filter(hash__in=list(rows))}

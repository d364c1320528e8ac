"""What a bank's hits mean, how near they must be, how often it is asked; and silence by two people.

Anybody who may fill a bank can fill a negative one: a person, a command, a partner. But its hashes
silence nothing until two people have agreed to exactly those, under the bank's rules at that time.
"""

from typing import Final
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Max

from kinward.access import Actor, Permission
from kinward.access.api import (
    AgreementState,
    AlreadyDecided,
    Staff,
    decide_agreement,
    require_fresh_factor,
)
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.jobs import enqueue_once
from kinward.ledger.api import kinds, record
from kinward.matching.agreements import ENDED, Silencing, Weakening
from kinward.matching.index import bank_index
from kinward.matching.kinds import NEAR, kind_of
from kinward.matching.models import Bank, BankedHash, Role
from kinward.matching.services import count_as_new
from kinward.matching.strength import require_two_people, retuned
from kinward.matching.versions import RENEW, next_version

MAX_WHY: Final = 2000
COMPARED: Final = 10_000  # hashes of a negative bank that are compared with the other banks


class BankChanged(KinwardError):
    """The bank's rules have changed since this was asked for. Refuse it, and ask again."""

    code = "bank.changed"
    status = 409


@transaction.atomic
def tune_bank(
    *,
    bank: Bank,
    role: str | None = None,
    distance: int | None = None,
    enabled_ratio: float | None = None,
    actor: Actor,
    agreed: Weakening | None = None,
) -> Bank:
    """Change what a hit on a bank means, how near it must be, or how often the bank is asked.

    Where the bank may now match more, all its hashes count as new, so uploaded content is compared
    with them. A negative bank silences nothing after any change, until two people agree again.
    `distance`: 0 to 31 bits. `enabled_ratio`: 0 to 1. `agreed`: what two people agreed to. Raises
    `Invalid`, and `WeakensBank` without an agreement, where one is needed.
    """
    actor.must(Permission.TUNE_BANKS)
    row = Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)
    was = (row.role, row.distance, row.enabled_ratio)
    after = retuned(row, role=role, distance=distance, enabled_ratio=enabled_ratio)
    require_two_people(row, after, agreed)
    row.role, row.distance, row.enabled_ratio = after.role, after.distance, after.enabled_ratio
    if (row.role, row.distance, row.enabled_ratio) == was:
        return row
    if row.silences_upto:
        _end(row, "the bank's rules changed", actor)
    row.save(update_fields=["role", "distance", "enabled_ratio", "silences_upto"])
    if was[0] == Role.NEGATIVE:
        enqueue_once(RENEW)
    if row.role != Role.NEGATIVE and _wider(row, *was):
        count_as_new(BankedHash.objects.filter(bank=row, removed=False))
    record(
        actor=actor,
        subject=f"bank:{row.name}",
        fact=kinds.BankTuned(role=row.role, distance=row.distance, enabled_ratio=row.enabled_ratio),
    )
    return row


def _wider(row: Bank, role: str, distance: int, ratio: float) -> bool:
    return row.role != role or row.distance > distance or row.enabled_ratio > ratio


def _end(bank: Bank, why: str, actor: Actor) -> None:
    """End a bank's silence. Requires the bank's lock; the caller saves the bank."""
    bank.silences_upto = 0
    bank.silencings.filter(state=AgreementState.APPROVED).update(state=ENDED)
    record(actor=actor, subject=f"bank:{bank.name}", fact=kinds.SilencingEnded(why=why))


@transaction.atomic
def request_silencing(*, bank: Bank, why: str, staff: Staff) -> Silencing:
    """Ask that the hashes which a negative bank has now silence matches.

    Another person must approve. Raises `Invalid` or `AlreadyDecided`.
    """
    staff.must(Silencing.permission)
    require_fresh_factor()
    if not 1 <= len(why.strip()) <= MAX_WHY:
        raise Invalid(f"Say why, in at most {MAX_WHY} characters.")
    # Before this transaction changes the banks' version, which the index would take for known.
    near = _near(bank)
    row = Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)
    if row.role != Role.NEGATIVE:
        raise Invalid("Only a negative bank silences matches.")
    next_version()  # whoever adds hashes takes this lock first, so nothing is added unseen
    rows = BankedHash.objects.filter(bank=row, removed=False, false_positive=False)
    upto = rows.aggregate(upto=Max("pk"))["upto"]
    if not upto:
        raise Invalid("This bank is empty.")
    try:
        with transaction.atomic():
            silencing = Silencing.objects.create(
                bank=row,
                why=why.strip(),
                upto=upto,
                hashes=rows.count(),
                near=near,
                distance=row.distance,
                enabled_ratio=row.enabled_ratio,
                asked_by=staff,
            )
    except IntegrityError as error:
        raise AlreadyDecided("Somebody asked for it already.") from error
    _record(kinds.SilencingAsked, silencing, staff)
    return silencing


def _near(bank: Bank) -> int:
    """Count the hashes of banks that match which this negative bank comes near."""
    rows = BankedHash.objects.filter(
        bank=bank, removed=False, false_positive=False, kind__in=NEAR
    ).order_by("pk")
    frames = [
        frame
        for kind, value in rows.values_list("kind", "value")[:COMPARED]
        for frame in kind_of(kind).frames(bytes(value))
    ]
    if not frames:
        return 0
    hits = bank_index().search(frames)
    near = {hit.hash for hit in hits if hit.distance <= bank.distance}
    return BankedHash.objects.live().filter(pk__in=near).exclude(bank__role=Role.NEGATIVE).count()


@transaction.atomic
def decide_silencing(*, silencing_id: UUID, approve: bool, staff: Staff) -> Silencing:
    """Approve another person's request, or refuse it. Who asked may only withdraw it."""
    silencing = decide_agreement(Silencing, silencing_id, approve=approve, staff=staff)
    if approve:
        bank = Bank.objects.select_for_update(no_key=True).get(pk=silencing.bank_id)
        rules = (bank.role, bank.distance, bank.enabled_ratio)
        if rules != (Role.NEGATIVE, silencing.distance, silencing.enabled_ratio):
            raise BankChanged(bank.name)
        bank.silences_upto = max(bank.silences_upto, silencing.upto)
        bank.save(update_fields=["silences_upto"])
    fact = kinds.SilencingApproved if approve else kinds.SilencingRefused
    _record(fact, silencing, staff)
    return silencing


@transaction.atomic
def end_silencing(*, bank: Bank, staff: Staff) -> None:
    """End a bank's silence, alone and at once. What it silenced is looked for again."""
    staff.must(Silencing.permission)
    row = Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)
    if row.silences_upto:
        _end(row, "a person ended it", staff.actor)
        row.save(update_fields=["silences_upto"])
        enqueue_once(RENEW)


Kind = type[kinds.SilencingAsked | kinds.SilencingApproved | kinds.SilencingRefused]


def _record(kind: Kind, silencing: Silencing, staff: Staff) -> None:
    fact = kind(
        bank=silencing.bank.name,
        hashes=silencing.hashes,
        upto=silencing.upto,
        distance=silencing.distance,
    )
    record(actor=staff.actor, subject=str(silencing), fact=fact)


class Silence(msgspec.Struct, frozen=True):
    """Where a negative bank stands: hashes that silence, those that wait, and the open request."""

    silencing: int
    waiting: int
    asked: Silencing | None
    agreed: list[Silencing]


def silence_of(bank: Bank) -> Silence:
    """Return where a negative bank stands."""
    live = BankedHash.objects.filter(bank=bank, removed=False, false_positive=False)
    rows = bank.silencings.select_related("asked_by", "decided_by")
    return Silence(
        silencing=live.filter(pk__lte=bank.silences_upto).count(),
        waiting=live.filter(pk__gt=bank.silences_upto).count(),
        asked=rows.filter(state=AgreementState.ASKED).first(),
        agreed=list(rows.filter(state=AgreementState.APPROVED)),
    )

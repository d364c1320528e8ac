"""Weaken a bank of verified hashes: one person asks, in the console or by a command, one agrees.

An operator at the command line is one person, too. Nobody who does both there and in the console
under one name agrees to their own request.
"""

from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from kinward.access import Actor, ActorKind, Permission
from kinward.access.api import AlreadyDecided, Staff, decide_agreement
from kinward.ground.errors import Forbidden
from kinward.ledger.api import kinds, record
from kinward.matching.models import Bank, Weakening
from kinward.matching.services import disable_bank
from kinward.matching.strength import (
    Strength,
    columns,
    confirmed_hashes,
    retuned,
    strength_of,
    switched_off,
    takes_two,
)
from kinward.matching.tuning import BankChanged, tune_bank


@transaction.atomic
def tune_or_ask(
    *,
    bank: Bank,
    role: str | None,
    distance: int | None,
    enabled_ratio: float | None,
    asker: Staff | Actor,
) -> Weakening | None:
    """Change a bank's rules as `tune_bank` does, or ask for it where that takes two people.

    Returns the request, or none if the change is made. Raises `Invalid` or `AlreadyDecided`.
    """
    asker.must(Permission.TUNE_BANKS)
    row = _lock(bank)
    after = retuned(row, role=role, distance=distance, enabled_ratio=enabled_ratio)
    if takes_two(row, after):
        return _ask(row, after, asker)
    tune_bank(
        bank=row,
        role=after.role,
        distance=after.distance,
        enabled_ratio=after.enabled_ratio,
        actor=_actor(asker),
    )
    return None


@transaction.atomic
def disable_or_ask(*, bank: Bank, asker: Staff | Actor) -> Weakening | None:
    """Disable a bank, or ask for it where that takes two people.

    Returns the request, or none if the bank is disabled. Raises `AlreadyDecided`.
    """
    asker.must(Permission.SWITCH_BANKS)
    row = _lock(bank)
    if takes_two(row, switched_off(row)):
        return _ask(row, switched_off(row), asker)
    disable_bank(bank=row, disabled=True, actor=_actor(asker))
    return None


def _lock(bank: Bank) -> Bank:
    return Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)


def _actor(asker: Staff | Actor) -> Actor:
    return asker if isinstance(asker, Actor) else asker.actor


def _ask(bank: Bank, after: Strength, asker: Staff | Actor) -> Weakening:
    actor = _actor(asker)
    if actor.kind not in (ActorKind.STAFF, ActorKind.OPERATOR):
        raise Forbidden("Only a person asks for this.")
    try:
        with transaction.atomic():
            weakening = Weakening.objects.create(
                bank=bank,
                hashes=confirmed_hashes(bank).count(),
                asked_by=None if isinstance(asker, Actor) else asker,
                operator=str(actor)[:200] if actor.kind == ActorKind.OPERATOR else "",
                **columns(strength_of(bank), after),
            )
    except IntegrityError as error:
        raise AlreadyDecided(
            "A request for this bank is open. Decide on that one first."
        ) from error
    _record(kinds.WeakeningAsked, weakening, actor)
    return weakening


@transaction.atomic
def decide_weakening(*, weakening_id: UUID, approve: bool, staff: Staff) -> Weakening:
    """Approve another person's request, which weakens the bank, or refuse it.

    Who asked may only withdraw it. To approve that a bank is disabled takes the permission to
    switch banks as well. Raises `BankChanged` if the bank's rules have changed since.
    """
    staff.must(Weakening.permission)
    # The bank before its request, in the order in which a request is filed.
    banks = Bank.objects.select_for_update(no_key=True, of=("self",))
    bank = banks.filter(weakenings=weakening_id).first()
    weakening = decide_agreement(Weakening, weakening_id, approve=approve, staff=staff)
    if approve and bank:
        asker = Actor.stored(weakening.operator) if weakening.operator else None
        if asker and asker.is_namesake(staff.actor):
            raise Forbidden("You asked for this by a command, so another person decides.")
        _carry_out(weakening, bank, staff)
    fact = kinds.WeakeningApproved if approve else kinds.WeakeningRefused
    _record(fact, weakening, staff.actor)
    return weakening


def _carry_out(weakening: Weakening, bank: Bank, staff: Staff) -> None:
    if is_outdated(weakening, bank):
        raise BankChanged(bank.name)
    if weakening.disabled and not weakening.was_disabled:
        disable_bank(bank=bank, disabled=True, actor=staff.actor, agreed=weakening)
    else:
        tune_bank(
            bank=bank,
            role=weakening.role,
            distance=weakening.distance,
            enabled_ratio=weakening.enabled_ratio,
            actor=staff.actor,
            agreed=weakening,
        )


def is_outdated(weakening: Weakening, bank: Bank) -> bool:
    """Return whether the bank's rules have changed since a request was filed."""
    was = Strength(
        weakening.was_role,
        weakening.was_distance,
        weakening.was_enabled_ratio,
        weakening.was_disabled,
    )
    return was != strength_of(bank)


Kind = type[kinds.WeakeningAsked | kinds.WeakeningApproved | kinds.WeakeningRefused]


def _record(kind: Kind, weakening: Weakening, actor: Actor) -> None:
    fact = kind(
        bank=weakening.bank.name,
        hashes=weakening.hashes,
        role=weakening.role,
        distance=weakening.distance,
        enabled_ratio=weakening.enabled_ratio,
        disabled=weakening.disabled,
    )
    record(actor=actor, subject=str(weakening), fact=fact)


class WeakeningsOfBank(msgspec.Struct, frozen=True):
    """The open request to weaken a bank, whether it is outdated, and those decided on."""

    asked: Weakening | None
    outdated: bool
    decided: QuerySet[Weakening]


def weakenings_of(bank: Bank) -> WeakeningsOfBank:
    """Return the requests to weaken a bank, newest first."""
    rows = bank.weakenings.select_related("asked_by", "decided_by")
    asked = rows.filter(state="asked").first()
    outdated = asked is not None and is_outdated(asked, bank)
    return WeakeningsOfBank(asked, outdated, rows.exclude(state="asked"))

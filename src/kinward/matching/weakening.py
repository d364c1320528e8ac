"""Weaken a bank of verified hashes: one person asks, in the console or by a command, one agrees.

An operator at the command line is one person, too. Nobody who does both there and in the console
under one name agrees to their own request.
"""

from typing import Final
from uuid import UUID

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from kinward.access import Actor, Permission
from kinward.access.api import (
    AlreadyDecided,
    Decider,
    Person,
    actor_of,
    alone_until,
    asked,
    carry_out_due,
    decide_agreement,
    due_to_go_ahead,
    go_ahead,
)
from kinward.ledger.api import kinds, record
from kinward.matching.agreements import Weakening
from kinward.matching.models import Bank
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

SYSTEM: Final = Actor.system("matching")


@transaction.atomic
def tune_or_ask(
    *,
    bank: Bank,
    role: str | None,
    distance: int | None,
    enabled_ratio: float | None,
    asker: Person,
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
        actor=actor_of(asker),
    )
    return None


@transaction.atomic
def disable_or_ask(*, bank: Bank, asker: Person) -> Weakening | None:
    """Disable a bank, or ask for it where that takes two people.

    Returns the request, or none if the bank is disabled. Raises `AlreadyDecided`.
    """
    asker.must(Permission.SWITCH_BANKS)
    row = _lock(bank)
    if takes_two(row, switched_off(row)):
        return _ask(row, switched_off(row), asker)
    disable_bank(bank=row, disabled=True, actor=actor_of(asker))
    return None


def _lock(bank: Bank) -> Bank:
    return Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)


def _ask(bank: Bank, after: Strength, asker: Person) -> Weakening:
    try:
        with transaction.atomic():
            weakening = Weakening.objects.create(
                bank=bank,
                hashes=confirmed_hashes(bank).count(),
                goes_ahead_at=alone_until(Weakening, asker),
                **asked(asker),
                **columns(strength_of(bank), after),
            )
    except IntegrityError as error:
        raise AlreadyDecided(
            "A request for this bank is open. Decide on that one first."
        ) from error
    _record(kinds.WeakeningAsked, weakening, actor_of(asker))
    _go_ahead(weakening.pk)
    weakening.refresh_from_db()
    return weakening


@transaction.atomic
def decide_weakening(*, weakening_id: UUID, approve: bool, staff: Decider) -> Weakening:
    """Approve another person's request, which weakens the bank, or refuse it.

    Who asked may only withdraw it. To approve that a bank is disabled takes the permission to
    switch banks as well. Raises `BankChanged` if the bank's rules have changed since.
    """
    staff.must(Weakening.permission)
    bank = _lock_bank_of(weakening_id)
    weakening = decide_agreement(Weakening, weakening_id, approve=approve, staff=staff)
    if approve and bank:
        _carry_out(weakening, bank, actor_of(staff))
    fact = kinds.WeakeningApproved if approve else kinds.WeakeningRefused
    _record(fact, weakening, actor_of(staff))
    return weakening


def _lock_bank_of(weakening_id: UUID) -> Bank | None:
    """Lock the bank before its request, in the order in which a request is filed."""
    banks = Bank.objects.select_for_update(no_key=True, of=("self",))
    return banks.filter(weakenings=weakening_id).first()


def go_ahead_alone() -> int:
    """Weaken banks where nobody else could answer and the moment has come; return how many."""
    return carry_out_due(due_to_go_ahead(Weakening), _go_ahead)


def _go_ahead(weakening_id: UUID) -> bool:
    bank = _lock_bank_of(weakening_id)
    weakening = go_ahead(Weakening, weakening_id)
    if weakening is None or bank is None:
        return False
    _carry_out(weakening, bank, SYSTEM)
    _record(kinds.WeakeningWentAhead, weakening, SYSTEM)
    return True


def _carry_out(weakening: Weakening, bank: Bank, actor: Actor) -> None:
    if is_outdated(weakening, bank):
        raise BankChanged(bank.name)
    if weakening.disabled and not weakening.was_disabled:
        disable_bank(bank=bank, disabled=True, actor=actor, agreed=weakening)
    else:
        tune_bank(
            bank=bank,
            role=weakening.role,
            distance=weakening.distance,
            enabled_ratio=weakening.enabled_ratio,
            actor=actor,
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


Kind = type[
    kinds.WeakeningAsked
    | kinds.WeakeningApproved
    | kinds.WeakeningRefused
    | kinds.WeakeningWentAhead
]


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
    rows = bank.weakenings.select_related("asked_by", "decided_by", "glass")
    asked = rows.filter(state="asked").first()
    outdated = asked is not None and is_outdated(asked, bank)
    return WeakeningsOfBank(asked, outdated, rows.exclude(state="asked"))

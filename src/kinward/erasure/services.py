"""Erase an account, by two people. Nothing brings it back.

One person asks and another approves, on every road. Both are refused while a law or an open matter
keeps what is held. The rows, the values and salts in the ledger, and the line in the list of
erasures come to be in one transaction; the line last, so that nothing is listed that failed.
"""

from enum import StrEnum
from uuid import UUID

from django.db import transaction

from kinward.access import Actor
from kinward.access.api import (
    AgreementState,
    Decider,
    Person,
    actor_of,
    asked,
    decide_agreement,
    lock_agreement,
    require_fresh_factor,
)
from kinward.erasure.errors import ErasureAsked
from kinward.erasure.list import append
from kinward.erasure.models import MAX_WHY, Erasure, Wish
from kinward.erasure.registry import delays, person_of, require_erasable
from kinward.erasure.removing import carry_out, plan_removal
from kinward.erasure.replay import require_replayed
from kinward.ground.errors import Invalid, NotFound
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, get_account, lock_account


class Wanted(StrEnum):
    """How far an erasure is that the platform asked for.

    Whether anything keeps the data is not said, nor until when: it may be a report to an authority,
    of which nobody is told. The staff learn it when they ask.
    """

    WAITS = "waits"  # until the platform has deleted the account
    REQUESTED = "requested"  # until a person asks for it
    ASKED = "asked"  # until another person approves it


@transaction.atomic
def want_erasure(*, platform_id: str, actor: Actor) -> Wanted:
    """Note that the platform wants an account erased; return how far that is. Idempotent.

    Raises `AccountUnknown`, also for an account that was erased: nothing is held of it.
    """
    account = lock_account(get_account(platform_id).pk)
    _, new = Wish.objects.get_or_create(account=account, defaults={"asked_by": str(actor)})
    if new:
        fact = kinds.ErasureWanted()
        record(actor=actor, subject=f"account:{platform_id}", fact=fact)
    if Erasure.objects.filter(account=account, state=AgreementState.ASKED).exists():
        return Wanted.ASKED
    if any(delay.told for delay in delays(person_of(account))):
        return Wanted.WAITS
    return Wanted.REQUESTED


def wanted_erasures() -> list[Account]:
    """Return the accounts of which the platform asked for the erasure, oldest first."""
    wishes = Wish.objects.select_related("account").order_by("asked_at")
    return [wish.account for wish in wishes]


@transaction.atomic
def request_erasure(*, account_id: str, why: str, staff: Person) -> Erasure:
    """Ask for an account to be erased. Another person must approve it.

    Raises `AccountUnknown`, `ErasureDelayed` with reasons and dates, and `ErasureAsked`.
    """
    staff.must(Erasure.permission)
    require_fresh_factor()
    if len(why) > MAX_WHY:
        raise Invalid(f"Say why in at most {MAX_WHY} characters.")
    account = lock_account(get_account(account_id).pk)
    require_erasable(person_of(account))
    if Erasure.objects.filter(account=account, state=AgreementState.ASKED).exists():
        raise ErasureAsked
    erasure = Erasure.objects.create(account=account, why=why, **asked(staff))
    record(actor=actor_of(staff), subject=str(erasure), fact=kinds.ErasureAsked())
    return erasure


@transaction.atomic
def decide_erasure(*, erasure_id: UUID, approve: bool, staff: Decider) -> Erasure:
    """Erase the account at once, or refuse. The person who asked cannot approve.

    Raises `ErasureDelayed` if something keeps the data by now: then nothing is removed. Raises what
    `require_replayed` raises: a list that begins after a restore is not the one that is missing.
    """
    if approve:
        require_fresh_factor()
        require_replayed()
    waiting = lock_agreement(Erasure, erasure_id, staff=staff)
    if not approve or waiting.state != AgreementState.ASKED:
        erasure = decide_agreement(Erasure, erasure_id, approve=approve, staff=staff)
        record(actor=actor_of(staff), subject=str(erasure), fact=kinds.ErasureRefused())
        return erasure
    if waiting.account_id is None:
        raise NotFound("The account was erased in another way. Refuse this.")
    # The account first, as everybody locks. The database refuses the whole if a row comes after it.
    account = lock_account(waiting.account_id)
    person = person_of(account)
    require_erasable(person)
    Erasure.objects.filter(pk=waiting.pk).update(account=None, why="")
    erasure = decide_agreement(Erasure, waiting.pk, approve=True, staff=staff)
    plan = plan_removal(account)
    erasure.rows, erasure.values = plan.rows, plan.values
    erasure.save(update_fields=["rows", "values"])
    fact = kinds.AccountErased(rows=plan.rows, values=plan.values)
    record(actor=actor_of(staff), subject=str(erasure), fact=fact)
    carry_out(plan, erasure)
    append(erasure.pk, person.platform_id)
    return erasure

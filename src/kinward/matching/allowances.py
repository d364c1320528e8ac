"""A large withdrawal from a live bank of verified hashes: one person asks, another one agrees.

What leaves such a bank is looked for no more, as if the bank were weaker. So the same rule holds.
What was agreed to is an allowance: lists, partners and commands may use it within a day.
"""

from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from kinward.access import Actor
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
from kinward.matching.agreements import WithdrawalRequest
from kinward.matching.models import Bank
from kinward.matching.strength import removal_takes_two
from kinward.matching.withdrawals import allow_withdrawal, require_so_many

SYSTEM: Final = Actor.system("matching")


@transaction.atomic
def request_withdrawal(*, bank: Bank, hashes: int, asker: Person) -> WithdrawalRequest | None:
    """Ask that so many hashes may leave a bank within a day. None where one person's word will do.

    Where nobody else can decide it goes ahead by itself, a day later. Before anybody has joined the
    staff, it does so at once. Raises `Invalid` or `AlreadyDecided`.
    """
    asker.must(WithdrawalRequest.permission)
    row = Bank.objects.select_for_update(no_key=True).get(pk=bank.pk)
    if not removal_takes_two(row):
        return None
    live = require_so_many(row, hashes)
    try:
        with transaction.atomic():
            request = WithdrawalRequest.objects.create(
                bank=row,
                hashes=hashes,
                live=live,
                goes_ahead_at=alone_until(WithdrawalRequest, asker),
                **asked(asker),
            )
    except IntegrityError as error:
        raise AlreadyDecided(
            "A request for this bank is open. Decide on that one first."
        ) from error
    fact = kinds.WithdrawalAsked(bank=row.name, hashes=hashes, live=live)
    record(actor=actor_of(asker), subject=str(request), fact=fact)
    _go_ahead(request.pk)
    request.refresh_from_db()
    return request


@transaction.atomic
def decide_withdrawal(*, withdrawal_id: UUID, approve: bool, staff: Decider) -> WithdrawalRequest:
    """Allow a withdrawal that another person asked for, or refuse it."""
    request = decide_agreement(WithdrawalRequest, withdrawal_id, approve=approve, staff=staff)
    if approve:
        allow_withdrawal(
            bank=request.bank, hashes=request.hashes, actor=actor_of(staff), agreed=request
        )
    else:
        fact = kinds.WithdrawalRefused(bank=request.bank.name, hashes=request.hashes)
        record(actor=actor_of(staff), subject=str(request), fact=fact)
    return request


def go_ahead_alone() -> int:
    """Allow withdrawals where nobody else could answer and the moment has come; return how many."""
    return carry_out_due(due_to_go_ahead(WithdrawalRequest), _go_ahead)


def _go_ahead(withdrawal_id: UUID) -> bool:
    request = go_ahead(WithdrawalRequest, withdrawal_id)
    if request is None:
        return False
    allow_withdrawal(bank=request.bank, hashes=request.hashes, actor=SYSTEM, agreed=request)
    return True


def withdrawal_request_of(bank: Bank) -> WithdrawalRequest | None:
    """Return the open request to remove much from a bank."""
    return bank.withdrawal_requests.filter(state="asked").select_related("asked_by").first()

"""Make a bank answer less, as two people do."""

from uuid import uuid4

from kinward.access.models import Staff
from kinward.matching.agreements import Weakening
from kinward.matching.allowances import decide_withdrawal, request_withdrawal
from kinward.matching.models import Bank
from kinward.matching.weakening import decide_weakening, disable_or_ask, tune_or_ask


def tuned_by_two(
    bank: Bank,
    *,
    role: str | None = None,
    distance: int | None = None,
    enabled_ratio: float | None = None,
) -> Bank:
    """Change a bank's rules. A second person agrees if that is needed."""
    asked = tune_or_ask(
        bank=bank, role=role, distance=distance, enabled_ratio=enabled_ratio, asker=_operator()
    )
    return _agreed(bank, asked)


def disabled_by_two(bank: Bank) -> Bank:
    """Disable a bank. A second person agrees if that is needed."""
    return _agreed(bank, disable_or_ask(bank=bank, asker=_operator()))


def allowed_by_two(bank: Bank, hashes: int) -> None:
    """Let so many hashes leave a bank, as two people do."""
    asked = request_withdrawal(bank=bank, hashes=hashes, asker=_operator())
    assert asked is not None
    decide_withdrawal(withdrawal_id=asked.pk, approve=True, staff=_operator())


def _agreed(bank: Bank, asked: Weakening | None) -> Bank:
    if asked:
        decide_weakening(weakening_id=asked.id, approve=True, staff=_operator())
    bank.refresh_from_db()
    return bank


def _operator() -> Staff:
    return Staff.objects.create_user(
        username=f"operator {uuid4()}", password="a long word", roles=["operator"]
    )

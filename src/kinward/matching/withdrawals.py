"""What leaves a bank. More than a share of it needs the word of a person who saw the counts.

From a live bank of verified hashes it needs two people: see `kinward.matching.allowances`.
The rule stands here, where hashes are withdrawn, so it holds for lists, partners and jobs alike.
What left within a day counts together, so many small withdrawals are no way around it. And what
came within a day makes no room, so an import of anything at all is none either.
"""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import F, Q, Subquery, Sum
from django.utils import timezone

from kinward.access import Actor, Permission
from kinward.access.api import AgreementState
from kinward.ground.config import config
from kinward.ground.errors import Invalid, KinwardError, SettingWrong
from kinward.ledger.api import kinds, record
from kinward.matching.agreements import WithdrawalRequest
from kinward.matching.models import (
    Addition,
    Bank,
    BankedHash,
    BankedHashes,
    Withdrawal,
    WithdrawalAllowance,
)
from kinward.matching.strength import WeakensBank, removal_takes_two
from kinward.matching.versions import next_version, renew_if_negative

CHUNK: Final = 5000
NAMED: Final = 25  # hashes a day that one person removes by naming each
WINDOW: Final = timedelta(hours=24)  # what leaves in it counts together; an allowance lasts so long


class RemovesTooMuch(KinwardError):
    """Too much of the bank would be removed at once. A person has to agree first."""

    code = "bank.removes_too_much"
    status = 409

    def __init__(self, bank: str, hashes: int, live: int, gone: int = 0, young: int = 0) -> None:
        left = f"{max(live - hashes, 0):,} would be left"
        detail = f"{hashes:,} of the {live:,} hashes in {bank!r} would be removed, and {left}."
        if young:
            detail += f" Added in the last 24 hours: {young:,}. These do not count yet."
        if gone:
            detail += f" Removed in the last 24 hours: {gone:,}."
        super().__init__(detail)
        self.bank, self.hashes, self.live, self.gone = bank, hashes, live, gone
        self.members = {"hashes": hashes, "live": live}


class Leaving(msgspec.Struct, frozen=True):
    """What may leave a bank: its live hashes, those that came or went within a day, what may go."""

    live: int
    young: int
    gone: int
    free: int
    allowed: int


def withdraw_hashes(
    bank: Bank,
    hash_ids: set[int],
    *,
    agreed: int | None = None,
    named: bool = False,
    apart_from: Addition | None = None,
) -> int:
    """Remove hashes from a bank by id. Returns how many were live. Requires a transaction.

    `agreed`: how many withdrawals a person agreed to, having seen that number. It does not count
    where that takes two people. `named`: a verdict named each of them, so any number may go.
    `apart_from`: an addition that the same list or partner made. Its hashes do not count as the
    bank's, and may go. Raises `RemovesTooMuch` before anything is removed.
    """
    if not hash_ids:
        return 0
    version = next_version()  # whoever removes takes this lock first, so each sees what is gone
    count = sum(rows.count() for rows in _live_rows(bank, hash_ids))
    if count:
        if not named and (agreed != count or removal_takes_two(bank)):
            _charge(bank, hash_ids, count, apart_from)
        for rows in _live_rows(bank, hash_ids):
            rows.update(removed=True, version=version)
    renew_if_negative(bank)
    return count


def check_withdrawal(bank: Bank, hashes: int, *, apart_from: Addition | None = None) -> None:
    """Raise `RemovesTooMuch` if so many hashes may not leave a bank. Changes nothing."""
    if hashes and not _within_share(bank, hashes, apart_from) and not _allowance(bank, hashes):
        raise _too_much(bank, hashes, apart_from)


def withdraw_named(bank: Bank, hash_ids: set[int]) -> int:
    """Remove hashes that a person named one by one, as `withdraw_hashes` does.

    A few a day may go from any bank. More from a live bank of verified hashes count as a list's.
    """
    if not removal_takes_two(bank):
        return withdraw_hashes(bank, hash_ids, named=True)
    next_version()  # so that two at once count each other
    if _gone(bank) + len(hash_ids) > NAMED:
        return withdraw_hashes(bank, hash_ids)
    if count := withdraw_hashes(bank, hash_ids, named=True):
        Withdrawal.objects.create(bank=bank, hashes=count)
    return count


def _live_rows(bank: Bank, hash_ids: set[int]) -> Iterator[BankedHashes]:
    ordered = sorted(hash_ids)
    for start in range(0, len(ordered), CHUNK):
        yield BankedHash.objects.filter(
            bank=bank, pk__in=ordered[start : start + CHUNK], removed=False
        )


def _charge(bank: Bank, hash_ids: set[int], count: int, apart_from: Addition | None) -> None:
    """Charge a withdrawal of `count` hashes, but for those of the addition that stands apart."""
    if apart_from:
        count = sum(_apart(rows, apart_from).count() for rows in _live_rows(bank, hash_ids))
    if count:
        _require_share(bank, count, apart_from)


def _require_share(bank: Bank, count: int, apart_from: Addition | None) -> None:
    """Charge a withdrawal to the bank's share, or to what a person allowed. Requires the lock."""
    if _within_share(bank, count, apart_from):
        Withdrawal.objects.filter(bank=bank, at__lte=timezone.now() - WINDOW).delete()
        Withdrawal.objects.create(bank=bank, hashes=count)
    elif allowance := _allowance(bank, count):
        WithdrawalAllowance.objects.filter(pk=allowance.pk).update(hashes=F("hashes") - count)
    else:
        raise _too_much(bank, count, apart_from)


def _allowance(bank: Bank, count: int) -> WithdrawalAllowance | None:
    return WithdrawalAllowance.objects.filter(
        bank=bank, hashes__gte=count, until__gt=timezone.now()
    ).first()


def _too_much(bank: Bank, count: int, apart_from: Addition | None) -> RemovesTooMuch:
    live, young = _live(bank, apart_from).count(), _young(bank, apart_from)
    return RemovesTooMuch(bank.name, count, live, _gone(bank), young)


def _live(bank: Bank, apart_from: Addition | None) -> BankedHashes:
    return _apart(BankedHash.objects.filter(bank=bank, removed=False), apart_from)


def _apart(rows: BankedHashes, addition: Addition | None) -> BankedHashes:
    return rows.exclude(addition=addition) if addition else rows


def _old(bank: Bank, apart_from: Addition | None) -> BankedHashes:
    """Return the live hashes of which a share may go: those older than a day.

    Of a bank that is younger itself, its first addition counts, so that it can be corrected.
    """
    young = Addition.objects.filter(bank=bank, added_at__gt=timezone.now() - WINDOW)
    first = Addition.objects.filter(bank=bank).order_by("pk")[:1]
    return _live(bank, apart_from).exclude(
        Q(addition__in=young) & ~Q(addition=Subquery(first.values("pk")))
    )


def _young(bank: Bank, apart_from: Addition | None) -> int:
    return _live(bank, apart_from).count() - _old(bank, apart_from).count()


def _gone(bank: Bank) -> int:
    rows = Withdrawal.objects.filter(bank=bank, at__gt=timezone.now() - WINDOW)
    return rows.aggregate(hashes=Sum("hashes"))["hashes"] or 0


def _share() -> Fraction:
    share = config().bank_withdrawal_share
    if not 0 <= share <= 1:
        raise SettingWrong("KINWARD_BANK_WITHDRAWAL_SHARE is a number from 0 to 1.")
    return Fraction(str(share))


def _within_share(bank: Bank, count: int, apart_from: Addition | None) -> bool:
    """Return whether so many may go. Counts no more of the bank than it has to."""
    share, gone = _share(), _gone(bank)
    if not share:
        return False
    needed = ceil((gone + count) / share) - gone
    return _old(bank, apart_from)[:needed].count() >= needed


def leaving_of(bank: Bank) -> Leaving:
    """Return how much of a bank may leave it."""
    live, young, gone = _live(bank, None).count(), _young(bank, None), _gone(bank)
    free = floor(_share() * (live - young + gone)) - gone
    allowance = _allowance(bank, 1)
    return Leaving(live, young, gone, max(free, 0), allowance.hashes if allowance else 0)


@transaction.atomic
def allow_withdrawal(
    *, bank: Bank, hashes: int, actor: Actor, agreed: WithdrawalRequest | None = None
) -> None:
    """Allow lists and partners to remove so many hashes from a bank within a day.

    It replaces an earlier allowance. `agreed`: the request that was approved. Raises `WeakensBank`
    without it, where it is needed, and `Invalid` unless the bank has so many hashes.
    """
    actor.must(Permission.SWITCH_BANKS)
    next_version()
    if removal_takes_two(bank) and not _is_agreed(bank, hashes, agreed):
        raise WeakensBank(f"The bank is {bank.name!r}.")
    live = require_so_many(bank, hashes)
    values = {"hashes": hashes, "until": timezone.now() + WINDOW, "allowed_by": str(actor)[:200]}
    WithdrawalAllowance.objects.update_or_create(bank=bank, defaults=values)
    fact = kinds.WithdrawalAllowed(hashes=hashes, live=live)
    record(actor=actor, subject=f"bank:{bank.name}", fact=fact)


def _is_agreed(bank: Bank, hashes: int, agreed: WithdrawalRequest | None) -> bool:
    """Return whether just this was approved. What was agreed is read from the database."""
    rows = WithdrawalRequest.objects.filter(bank=bank, hashes=hashes, state=AgreementState.APPROVED)
    return agreed is not None and rows.filter(pk=agreed.pk).exists()


def require_so_many(bank: Bank, hashes: int) -> int:
    """Return the number of live hashes of a bank. Raises `Invalid` unless so many can go."""
    live = _live(bank, None).count()
    if not 1 <= hashes <= live:
        raise Invalid(f"Allow 1 to {live:,} hashes, as many as the bank has.")
    return live

"""How much a bank answers, and the rule that one person alone never makes it answer less.

The rule stands on the effect: it holds for a lower distance, a lower ratio, another role and for
switching off, whoever does it and on whatever road.
"""

from typing import Any

import msgspec

from kinward.access.api import AgreementState
from kinward.ground.errors import Invalid, KinwardError
from kinward.matching.agreements import Weakening
from kinward.matching.confidence import Confidence
from kinward.matching.layout import RADIUS
from kinward.matching.models import Bank, BankedHash, BankedHashes, Role


class WeakensBank(KinwardError):
    """This bank of verified hashes would match less. Another person has to agree first."""

    code = "bank.weakened_alone"
    status = 409


class Strength(msgspec.Struct, frozen=True):
    """The rules of a bank that say how much it answers. `distance`: bits."""

    role: str
    distance: int
    enabled_ratio: float
    disabled: bool

    def less_than(self, before: "Strength") -> bool:
        """Return whether a bank with these rules answers less in any respect than before.

        A disabled bank counts as what it is once it is enabled. Only a live bank answers.

        >>> live = Strength("live", 31, 1.0, False)
        >>> Strength("live", 30, 1.0, False).less_than(live), live.less_than(live)
        (True, False)
        """
        if before.role != Role.LIVE:
            return False
        return (
            self.role != Role.LIVE
            or self.distance < before.distance
            or self.enabled_ratio < before.enabled_ratio
            or (self.disabled and not before.disabled)
        )


def strength_of(bank: Bank) -> Strength:
    """Return the rules of a bank as they are."""
    return Strength(bank.role, bank.distance, bank.enabled_ratio, bank.disabled)


def retuned(
    bank: Bank, *, role: str | None, distance: int | None, enabled_ratio: float | None
) -> Strength:
    """Return the rules of a bank after a change. None leaves a rule as it is. Raises `Invalid`."""
    after = Strength(
        _role(bank.role if role is None else role),
        bank.distance if distance is None else distance,
        bank.enabled_ratio if enabled_ratio is None else float(enabled_ratio),
        bank.disabled,
    )
    if not 0 <= after.distance <= RADIUS:
        raise Invalid(f"A distance is 0 to {RADIUS} bits.")
    if not 0 <= after.enabled_ratio <= 1:
        raise Invalid("A ratio is from 0 to 1.")
    return after


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise Invalid(f"A role is {', '.join(Role)}.") from error


def switched_off(bank: Bank) -> Strength:
    """Return the rules of a bank once it is disabled."""
    return msgspec.structs.replace(strength_of(bank), disabled=True)


def confirmed_hashes(bank: Bank) -> BankedHashes:
    """Return the hashes of a bank that are verified and not taken out, also if it is disabled."""
    rows = BankedHash.objects.filter(bank=bank, removed=False, false_positive=False)
    return rows.filter(addition__confidence=Confidence.VERIFIED)


def takes_two(bank: Bank, after: Strength) -> bool:
    """Return whether a change of a bank's rules takes two people."""
    return after.less_than(strength_of(bank)) and confirmed_hashes(bank).exists()


def removal_takes_two(bank: Bank) -> bool:
    """Return whether it takes two people to remove much from a bank: it is live and verified."""
    return confirmed_hashes(bank).filter(bank__role=Role.LIVE).exists()


def require_two_people(bank: Bank, after: Strength, agreed: Weakening | None) -> None:
    """Raise `WeakensBank` if a change takes two people, and they did not agree to just this one.

    Requires the bank's lock. What was agreed is read from the database.
    """
    if not takes_two(bank, after):
        return
    rows = Weakening.objects.filter(bank=bank, state=AgreementState.APPROVED)
    same = rows.filter(**columns(strength_of(bank), after))
    if agreed is None or not same.filter(pk=agreed.pk).exists():
        raise WeakensBank(f"The bank is {bank.name!r}.")


def columns(before: Strength, after: Strength) -> dict[str, Any]:
    """Return the columns of a request that takes a bank from some rules to others."""
    was = {f"was_{name}": value for name, value in msgspec.structs.asdict(before).items()}
    return was | msgspec.structs.asdict(after)

"""The reasons for a decision, and the obligations that say what would open more."""

from typing import Final

import msgspec

from kinward.policy.ages import ASSURANCES, is_unknown
from kinward.policy.bounds import Bounds, Settled, applying, combine, settle
from kinward.policy.decision import Reason
from kinward.policy.question import Asked
from kinward.policy.ruling import Ruling
from kinward.policy.values import AUDIENCE, HOURS, SLOTS, clock

LAST_OPENING: Final = 25  # years; nothing opens later


def reasons_for(
    ruling: Ruling, asked: Asked, bounds: Bounds, settled: Settled
) -> tuple[list[Reason], set[str]]:
    """Return the reasons, the most telling first, and the obligations that follow from them."""
    kind, reasons, derived = asked.capability.kind, list[Reason](), set[str]()
    if asked.relationship == "blocked" and asked.capability.between_people:
        return [Reason("relationship.blocked")], derived
    if settled.value == kind.open_code and settled.effect == "allow":
        return [Reason("open")], derived
    if kind is HOURS and asked.slot is not None and settled.effect == "deny" and settled.value:
        opens = next(
            slot % SLOTS
            for slot in range(asked.slot, asked.slot + SLOTS)
            if settled.value >> slot % SLOTS & 1
        )
        reasons.append(Reason("hours.closed", (("time", clock(opens)),)))
    elif kind is AUDIENCE and asked.relationship is not None and settled.effect == "deny":
        reasons.append(Reason("relationship.outside"))
    reasons.append(Reason(_LAYER_REASON[settled.layer]))
    if settled.guardian_bounded:
        reasons.append(Reason("guardian.bounded"))
    if settled.self_bounded:
        reasons.append(Reason("self.bounded"))
    reasons += _age_reasons(ruling, asked, settled, derived)
    if bounds.guardian_moves and kind.loosest(bounds.guardian_cap, settled.value) != settled.value:
        derived.add("guardian.ask")
    elif kind.loosest(settled.self_cap, settled.value) != settled.value:
        derived.add("self.choose")
    return reasons, derived


_LAYER_REASON: Final = {
    "platform": "platform.rule",
    "jurisdiction": "law.rule",
    "guardian": "guardian.set",
    "self": "self.set",
}


def _age_reasons(ruling: Ruling, asked: Asked, settled: Settled, derived: set[str]) -> list[Reason]:
    """Say whether a more certain age, or a higher one, would open more."""
    if settled.layer in ("guardian", "self"):
        return []
    reasons = []
    oldest = _with_age(ruling, asked, asked.upper - 1, asked.upper)
    if asked.upper - asked.lower > 1 and _looser(asked, oldest, settled):
        derived.add("age.establish")
        unknown = is_unknown(asked.lower, asked.upper)
        reasons.append(Reason("age.unknown" if unknown else "age.uncertain"))
    elif asked.assurance < len(ASSURANCES) - 1:
        surer = msgspec.structs.replace(asked, assurance=len(ASSURANCES) - 1)
        if _looser(asked, _settled(ruling, surer), settled):
            derived.add("age.verify")
            reasons.append(Reason("assurance.low"))
    if not reasons:
        for age in ruling.edges:
            if asked.upper <= age <= LAST_OPENING and _looser(
                asked, _with_age(ruling, asked, age, age + 1), settled
            ):
                reasons.append(Reason("age.opens", (("age", age),)))
                break
    return reasons


def _with_age(ruling: Ruling, asked: Asked, lower: int, upper: int) -> Settled:
    return _settled(ruling, msgspec.structs.replace(asked, lower=lower, upper=upper))


def _settled(ruling: Ruling, asked: Asked) -> Settled:
    return settle(asked, combine(asked.capability.kind, applying(ruling, asked)))


def _looser(asked: Asked, a: Settled, b: Settled) -> bool:
    if a.value == b.value:
        return a.effect != b.effect and b.effect == "deny"
    return asked.capability.kind.loosest(a.value, b.value) == a.value

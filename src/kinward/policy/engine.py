"""Decide one question, and remember the answer."""

from datetime import datetime
from typing import Final

import msgspec

from kinward.policy.ages import is_unknown
from kinward.policy.bounds import applying, combine, settle
from kinward.policy.decision import Decision, Reason, protective
from kinward.policy.pack import Pack
from kinward.policy.question import Asked, Person, Question, is_brought, read_question
from kinward.policy.reasons import reasons_for
from kinward.policy.ruling import Ruling
from kinward.policy.values import Weekly

MEMO_SIZE: Final = 200_000
UNAVAILABLE: Final = "state.unavailable"


def decide(
    pack: Pack,
    capability: str,
    actor: Person,
    *,
    target: Person | None = None,
    relationship: str | None = None,
    at: datetime | None = None,
    guardian: Weekly | None = None,
    self_: Weekly | None = None,
    target_guardian: Weekly | None = None,
    target_self: Weekly | None = None,
) -> Decision:
    """Decide what `actor` may do or see. Never raises.

    An unreadable question is answered protectively.
    `at` is the actor's local time. Without it the pack's day counts (`Pack.on`), at no hour.
    `guardian` and `self_` are these two people's settings for the capability, in its own words.
    A setting is one value, or a tuple of seven with Monday first, of which the strictest counts
    without `at`. The target's settings are for the counterpart. `relationship` is one of
    `RELATIONSHIPS`. Whose consent was withdrawn may do nothing, and nobody may reach them. The same
    holds for what a change brings, until a guardian consents to the change.

    >>> from kinward.policy import AgeRange, load_pack
    >>> decide(load_pack("tiktok-2021"), "dm.send", Person(AgeRange(13, 16)))
    <dm.send: deny 'nobody' by platform (platform.rule, age.opens)>
    """
    ruling, slot, weekday = pack.ruling, None, None
    if without := _without_consent(ruling, capability, actor):
        return _refused(ruling, capability, without)
    if target is not None and _without_consent(ruling, capability, target):
        return _refused(ruling, capability, "target.closed")
    if at is not None:
        ruling, slot = pack.ruling_on(at.date()), at.hour * 2 + (at.minute >= 30)
        weekday = at.weekday()
    other = None if target is None else target.token
    joined: object = None  # few rules ask, so that most answers do not depend on it
    if ruling.joined_edges:
        joined = tuple(
            None if side is None else ruling.joined_band(side.joined) for side in (actor, target)
        )
    # fmt: off
    key = (capability, actor.token, other, joined, relationship, slot, weekday,
           guardian, self_, target_guardian, target_self)
    # fmt: on
    try:
        known = ruling.memo.get(key)
    except TypeError:  # a setting that is a list or a table
        return _unreadable(ruling, capability, "setting.invalid")
    if known is None:
        question = Question(
            actor=actor,
            target=target,
            relationship=relationship,
            slot=slot,
            weekday=weekday,
            guardian=guardian,
            self_=self_,
            target_guardian=target_guardian,
            target_self=target_self,
        )
        known = _remembered(ruling, capability, question)
        if known.reasons[0].code != UNAVAILABLE:  # what strangers invent must not fill the memory
            if len(ruling.memo) >= MEMO_SIZE:
                ruling.memo.clear()
            ruling.memo[key] = known
    return known


def _without_consent(ruling: Ruling, name: str, person: Person) -> str:
    """Return why a consent that this needs of a person is missing, or an empty text.

    `name` may also be what the other side of a contact does.
    """
    if person.consent_withdrawn:
        return "consent.withdrawn"
    if not person.change:
        return ""
    capability = ruling.capabilities.get(name)
    both = (name,) if capability is None else (name, capability.counterpart)
    brought = is_brought(person.brings, ruling.capabilities, *both)
    return f"consent.{person.change}" if brought else ""


def _remembered(ruling: Ruling, name: str, question: Question) -> Decision:
    """Return the decision, which all ages between the same two edges of the rules share."""
    sides = tuple(
        None
        if side is None
        else (
            *ruling.band_range(side.age),
            is_unknown(side.age.lower, side.age.upper),  # the sentence tells it from uncertain
            side.age.assurance,
            side.jurisdiction,
            ruling.joined_band(side.joined),
        )
        for side in (question.actor, question.target)
    )
    key = (name, sides, *msgspec.structs.astuple(question)[2:])
    known = ruling.by_bands.get(key)
    if known is None:
        known = _decide(ruling, name, question)
        if known.reasons[0].code == UNAVAILABLE:
            return known
        if len(ruling.by_bands) >= MEMO_SIZE:
            ruling.by_bands.clear()
        ruling.by_bands[key] = known
    return known


def _unreadable(ruling: Ruling, name: str, *codes: str) -> Decision:
    return _refused(ruling, name, UNAVAILABLE, *codes)


def _refused(ruling: Ruling, name: str, *codes: str) -> Decision:
    capability = ruling.capabilities.get(name)
    return protective(
        name[:80],
        ruling.label,
        *codes,
        kind=capability.kind if capability else None,
        names=ruling.words(name),
    )


def _decide(ruling: Ruling, name: str, question: Question) -> Decision:
    read = read_question(ruling, name, question)
    if isinstance(read, str):
        return _unreadable(ruling, name, read)
    mine, theirs = read
    answer = _answer(ruling, mine)
    return answer if theirs is None else _both(answer, _answer(ruling, theirs))


def _answer(ruling: Ruling, asked: Asked) -> Decision:
    capability, kind = asked.capability, asked.capability.kind
    bands = range(ruling.bands[asked.lower], ruling.bands[asked.upper - 1] + 1)
    if not ruling.uncovered[capability.name].isdisjoint(bands):
        words = ruling.words(capability.name)
        return protective(capability.name, ruling.label, "pack.invalid", kind=kind, names=words)
    rules = applying(ruling, asked)
    bounds = combine(kind, rules)
    settled = settle(asked, bounds)
    reasons, derived = reasons_for(ruling, asked, bounds, settled)
    obligations = {name for rule in rules for name in rule.obligations} | derived
    return Decision(
        capability=capability.name,
        effect=settled.effect,
        layer=settled.layer,
        reasons=tuple(reasons),
        obligations=tuple(sorted(obligations)),
        pack=ruling.label,
        rules=tuple(rule.id for rule in rules if rule.default == bounds.default),
        code=settled.value,
        kind=kind,
        names=ruling.words(capability.name),
    )


def _both(mine: Decision, theirs: Decision) -> Decision:
    """Combine both sides of a contact. It tells of the other person only that they refuse."""
    if mine.effect == "deny" or mine.kind is None:
        return mine
    code = mine.kind.strictest(mine.code, theirs.code)
    if theirs.effect != "deny" and code == mine.code:
        return mine
    return Decision(
        capability=mine.capability,
        effect=theirs.effect,
        layer=theirs.layer,
        reasons=(Reason("target.closed"),),
        obligations=mine.obligations,
        pack=mine.pack,
        rules=theirs.rules,
        code=mine.kind.strictest_code if theirs.effect == "deny" else code,
        kind=mine.kind,
        names=mine.names,
    )

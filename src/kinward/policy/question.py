"""A question: who may do what to whom, as it is asked and in the codes of the rules."""

from collections.abc import Container
from datetime import date
from typing import Final, Literal

import msgspec

from kinward.policy.ages import ASSURANCES, MAX_AGE, UNKNOWN, AgeRange
from kinward.policy.capabilities import RELATIONSHIPS, Capability
from kinward.policy.ruling import Ruling
from kinward.policy.values import Weekly

_RANK: Final = {assurance: rank for rank, assurance in enumerate(ASSURANCES)}


class Person(msgspec.Struct, frozen=True):
    """The person in a question: an age range and a jurisdiction (ISO 3166; empty = not known).

    `joined` is the day on which the account existed at the latest, if that is known.
    `consent_withdrawn` means that a consent which the account needs was withdrawn: it may do
    nothing until consent is given again. `change` says that a guardian was asked to consent to a
    significant change of the app, or refused. Until they consent, what the change brings stays
    closed: the capabilities in `brings`, or everything, if nobody said what it brings.

    Reuse the same value for many questions, because `token`, the key of remembered answers, is
    computed once for each value.
    """

    age: AgeRange = UNKNOWN
    jurisdiction: str = ""
    token: str = ""
    joined: date | None = None
    consent_withdrawn: bool = False
    change: Literal["", "asked", "refused"] = ""
    brings: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        age = self.age
        token = f"{age.lower} {age.upper} {age.assurance} {self.jurisdiction}"
        msgspec.structs.force_setattr(self, "token", token)


def is_brought(brings: frozenset[str], known: Container[str], *names: str) -> bool:
    """Whether a change brings one of these capabilities.

    It brings everything if nobody said what, or if one of the names is not known.
    """
    return not brings or not brings.isdisjoint(names) or any(name not in known for name in brings)


class Question(msgspec.Struct, frozen=True):
    """Everything that `decide` is asked, except for the capability."""

    actor: Person
    target: Person | None = None
    relationship: str | None = None
    slot: int | None = None
    weekday: int | None = None
    guardian: Weekly | None = None
    self_: Weekly | None = None
    target_guardian: Weekly | None = None
    target_self: Weekly | None = None


class Asked(msgspec.Struct, frozen=True):
    """A question with its ages as `[lower, upper)`, its settings as codes, its time as a slot."""

    capability: Capability
    lower: int
    upper: int
    assurance: int
    places: frozenset[str]
    other_lower: int = 0
    other_upper: int = MAX_AGE
    relationship: str | None = None
    slot: int | None = None
    guardian: int | None = None
    self_: int | None = None
    joined: date = date.max  # as if today, if nobody knows


def read_question(
    ruling: Ruling, name: str, question: Question
) -> tuple[Asked, Asked | None] | str:
    """Return the question in codes with its counterpart's, or a reason code if unreadable."""
    capability = ruling.capabilities.get(name)
    if capability is None:
        return "capability.unknown"
    if question.relationship is not None and question.relationship not in RELATIONSHIPS:
        return "relationship.unknown"
    target = question.target
    places = ruling.places(question.actor.jurisdiction)
    their_places = frozenset[str]() if target is None else ruling.places(target.jurisdiction)
    if places is None or their_places is None:
        return "jurisdiction.uncovered"
    other = ruling.capabilities.get(capability.counterpart)
    try:
        guardian, self_ = _codes(capability, question.guardian, question.self_, question.weekday)
        theirs = _codes(other or capability, question.target_guardian, question.target_self, None)
    except ValueError:
        return "setting.invalid"
    age = question.actor.age
    target_age = UNKNOWN if target is None else target.age
    mine = Asked(
        capability=capability,
        lower=age.lower,
        upper=age.upper,
        assurance=_RANK[age.assurance],
        places=places,
        other_lower=target_age.lower,
        other_upper=target_age.upper,
        relationship=question.relationship,
        slot=question.slot,
        guardian=guardian,
        self_=self_,
        joined=question.actor.joined or date.max,
    )
    if target is None or other is None:
        return mine, None
    return mine, Asked(
        capability=other,
        lower=target_age.lower,
        upper=target_age.upper,
        assurance=_RANK[target_age.assurance],
        places=their_places,
        other_lower=age.lower,
        other_upper=age.upper,
        relationship=question.relationship,
        guardian=theirs[0],
        self_=theirs[1],
        joined=target.joined or date.max,
    )


def _codes(
    capability: Capability,
    guardian: Weekly | None,
    self_: Weekly | None,
    weekday: int | None,
) -> tuple[int | None, int | None]:
    code = capability.kind.code_on
    return (
        None if guardian is None else code(guardian, weekday),
        None if self_ is None else code(self_, weekday),
    )

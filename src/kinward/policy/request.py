"""A question as JSON, for the gate and the command line, and its answer.

The door refuses input that is not a question at all. A question with an unusable part (a reversed
age, an unknown account) gets the protective decision.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Final, cast

import msgspec

from kinward.policy.ages import ASSURANCES, AgeRange, Assurance
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.decision import Decision, protective, stricter
from kinward.policy.engine import decide
from kinward.policy.pack import Pack
from kinward.policy.question import Person
from kinward.policy.values import Weekly

LONGEST_PLACE: Final = 10
LONGEST_WORD: Final = 20


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """The person in a question: an account by its id, or attributes.

    `joined` is a day on which the account existed already, such as the day on which it began.
    """

    id: str | None = None
    age: list[int] | None = None
    jurisdiction: str = ""
    assurance: str = "declared"
    joined: date | None = None


class Request(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"self_": "self"},
    gc=False,
):
    """One question. `at` is the actor's local time; `guardian` and `self` are settings."""

    capability: str
    actor: About
    target: About | None = None
    relationship: str | None = None
    at: datetime | None = None
    guardian: Weekly | None = None
    self_: Weekly | None = None
    language: str = ""
    pack: str = ""


def ids_of(requests: Iterable[Request]) -> set[str]:
    """Return the ids of the accounts whose state the answers need."""
    ids = {request.actor.id for request in requests}
    ids |= {request.target.id for request in requests if request.target is not None}
    ids.discard(None)
    return cast("set[str]", ids)


class State(msgspec.Struct, frozen=True):
    """The state of an account: its person, and the settings by guardian and self.

    `asleep` are the choices of guardians without power at present. They can only tighten.
    `withheld` are the capabilities that enforcement took away. `barred` means that it took them
    all. `until` is the moment when the first of these ends by itself, and the state is stale.
    """

    person: Person
    language: str = ""
    guardian: Mapping[str, Weekly] = {}
    self_: Mapping[str, Weekly] = {}
    asleep: Mapping[str, Weekly] = {}
    until: datetime | None = None
    withheld: set[str] = set()
    barred: bool = False


def answer_request(pack: Pack, request: Request, states: Mapping[str, State]) -> Decision:
    """Decide a question. Settings in the question override stored ones."""
    name = request.capability
    capability = pack.capabilities.get(name)
    actor = state_of(request.actor, states)
    target = None if request.target is None else state_of(request.target, states)
    if isinstance(actor, str):
        return _closed(pack, name, actor)
    if isinstance(target, str):
        return _closed(pack, name, target)
    counterpart = "" if capability is None else capability.counterpart
    if actor.barred or name in actor.withheld:
        return _refused(pack, name, "account.barred" if actor.barred else "account.restricted")
    if target is not None and (target.barred or counterpart in target.withheld):
        return _refused(pack, name, "target.closed")
    return decide_in_state(
        pack,
        name,
        actor,
        target=target,
        relationship=request.relationship,
        at=request.at,
        guardian=request.guardian,
        self_=request.self_,
    )


def decide_in_state(
    pack: Pack,
    name: str,
    actor: State,
    *,
    target: State | None = None,
    relationship: str | None = None,
    at: datetime | None = None,
    guardian: Weekly | None = None,
    self_: Weekly | None = None,
) -> Decision:
    """Decide by the settings of both sides, or by `guardian` and `self_` in place of the actor's.

    What sleeps counts too, and only where it is the stricter. So without any guardian in power,
    nothing is looser than without any guardian.
    """
    counterpart = pack.capabilities[name].counterpart if name in pack.capabilities else ""
    mine = actor.guardian.get(name) if guardian is None else guardian
    theirs = None if target is None else target.guardian.get(counterpart)

    def answer(mine: Weekly | None, theirs: Weekly | None) -> Decision:
        return decide(
            pack,
            name,
            actor.person,
            target=None if target is None else target.person,
            relationship=relationship,
            at=at,
            guardian=mine,
            self_=actor.self_.get(name) if self_ is None else self_,
            target_guardian=theirs,
            target_self=None if target is None else target.self_.get(counterpart),
        )

    decision = answer(mine, theirs)
    if guardian is None and name in actor.asleep:
        decision = stricter(decision, answer(actor.asleep[name], theirs))
    if target is not None and counterpart in target.asleep:
        decision = stricter(decision, answer(mine, target.asleep[counterpart]))
    return decision


def _closed(pack: Pack, name: str, code: str) -> Decision:
    return _refused(pack, name, "state.unavailable", code)


def _refused(pack: Pack, name: str, *codes: str) -> Decision:
    capability = pack.capabilities.get(name)
    kind = None if capability is None else capability.kind
    return protective(name[:80], pack.label, *codes, kind=kind, names=pack.ruling.words(name))


def closed(request: Request, code: str) -> Decision:
    """Return the protective decision on a question, for want of a pack."""
    known = CAPABILITIES.get(request.capability)
    kind = None if known is None else known.kind
    return protective(request.capability[:80], "none", code, kind=kind)


def language_of(request: Request, states: Mapping[str, State]) -> str:
    """Return the language of the answer: the requested one, else the account's."""
    if request.language or request.actor.id is None:
        return request.language
    state = states.get(request.actor.id)
    return "" if state is None else state.language


def state_of(about: About, states: Mapping[str, State]) -> State | str:
    """Return an account's state, or the reason code if there is none."""
    if about.id is not None:
        return states.get(about.id, "account.unknown")
    if len(about.jurisdiction) > LONGEST_PLACE or len(about.assurance) > LONGEST_WORD:
        return "input.invalid"
    if about.age is None:
        return _inline(0, 150, "none", about.jurisdiction, about.joined)
    if len(about.age) != 2:
        return "age.invalid"
    return _inline(about.age[0], about.age[1], about.assurance, about.jurisdiction, about.joined)


@lru_cache(65_536)
def _inline(
    lower: int, upper: int, assurance: str, jurisdiction: str, joined: date | None
) -> State | str:
    if assurance not in ASSURANCES:
        return "age.invalid"
    sure: Assurance = assurance
    try:
        return State(Person(AgeRange(lower, upper, "asked", sure), jurisdiction, joined=joined))
    except ValueError:
        return "age.invalid"

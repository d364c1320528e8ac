"""Whoever may loosen what: everybody may protect themselves more, at any age, in any place."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kinward.policy.ages import AgeRange
from kinward.policy.bounds import bounds_in_general
from kinward.policy.capabilities import CAPABILITIES
from kinward.policy.decision import EFFECTS
from kinward.policy.engine import decide
from kinward.policy.pack import Pack
from kinward.policy.question import Person
from tests.unit.policy.cases import PLACES, packs, people, questions, settings_of


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(packs()), people(), questions(), st.data())
def test_any_tightening_by_the_person_holds(
    pack: Pack, actor: Person, question: dict[str, Any], data: st.DataObject
) -> None:
    name, kind = question["capability"], CAPABILITIES[question["capability"]].kind
    rest = {key: question[key] for key in ("relationship", "guardian")}
    now = decide(pack, name, actor, **rest)
    drawn = data.draw(settings_of(kind).filter(lambda value: value is not None))
    wish = kind.strictest(now.code, kind.code(drawn))
    then = decide(pack, name, actor, **rest, self_=kind.value(wish))
    assert then.code == wish
    assert EFFECTS.index(then.effect) <= EFFECTS.index(now.effect)
    # And towards another person it is a limit that the other side cannot lift.
    both = decide(pack, name, actor, target=question["target"], **rest, self_=kind.value(wish))
    assert kind.strictest(both.code, wish) == both.code


def test_each_age_in_each_place_can_choose_the_most_protective_value() -> None:
    for pack in packs():
        for place in PLACES:
            for age in range(25):
                person = Person(AgeRange(age, age + 1, "test", "verified"), place)
                for name, capability in pack.capabilities.items():
                    bounds = bounds_in_general(pack.ruling, name, person)
                    if bounds is not None:  # else everything is closed
                        assert bounds.self_floor == capability.kind.strictest_code, (name, age)


def test_loosening_still_needs_who_may() -> None:
    """What `may` is for: at 14 a guardian gives more minutes, and nobody gives them to themselves.

    Once a guardian gave more, less than that is the teen's own choice.
    """
    teen = Person(AgeRange(14, 15, "test", "verified"))
    pack = packs()[0]
    assert decide(pack, "session.time", teen, self_=90).code == 60
    assert decide(pack, "session.time", teen, self_=90, guardian=120).code == 90
    assert decide(pack, "session.time", teen, self_=5, guardian=120).code == 5
    assert decide(pack, "session.time", teen, self_=5, guardian=30).code == 5
    assert decide(pack, "session.time", teen, self_=45, guardian=30).code == 30
